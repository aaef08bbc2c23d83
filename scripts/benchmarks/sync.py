"""The benchmark `sync`: a validator that was away catches up while the other four go on.

A chain with 20 attestations in every block is made offline with the published keys; its timestamps
lie in the past, so it could have happened. Four of five validators get copies of it as their
databases and go on, each in a process of its own, with 20 new attestations a second. The period is
0.7 s because every fourth block costs them the timeout of the one that is away: together they make
about one a second. The fifth starts with genesis alone and fetches everything from them. Measured
is the time from its first answer until it has reached the others' head (starting the process takes
its own seconds, which are told apart); after that it must follow, and propose a block: consensus
has started again.

All five share the processors of one machine. `--blocks 10000` takes its time beforehand: making the
chain executes every transaction twice. `--chain FOLDER` keeps it for the next time, and goes on
with one that was not finished.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from contracts.genesis_spec import QbftSpec
from node.chain.genesis import load_genesis
from node.cli.devnet import (
    DevnetNode,
    DevnetOptions,
    NodeRpc,
    make_devnet,
    start_node,
    stop_nodes,
    wait_final,
)
from node.cli.devnet.processes import find_pid, read_last_words
from node.cli.devnet.rpc import NodeUnreachable
from node.daemon.opening import DataFolder
from node.errors import OperationalFault
from node.storage.level import LevelStore
from scripts.benchmarks.figures import Figure
from scripts.benchmarks.ledger_chain import LedgerChain

VALIDATORS: Final = 5
AWAY: Final = 5
DEFAULT_BLOCKS: Final = 300
TRANSACTIONS: Final = 20
MIN_BLOCKS_PER_S: Final = 5.0
RETAINED: Final = 64
POLL_S: Final = 0.25
PROGRESS_S: Final = 10.0
LOAD_PERIOD_S: Final = 1.0
PATIENCE_S: Final = 300
RULES: Final = QbftSpec(block_period_ms=700, empty_block_period_s=0, request_timeout_s=1)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFigures:
    """What was measured."""

    blocks: int
    """Blocks that the node fetched until it had reached the others' head."""
    seconds: float
    """From its first answer until then."""
    start_s: float
    """From the start of its process until its first answer."""
    others_blocks: int
    """Blocks that the others made meanwhile."""
    others_transactions: int
    """Attestations that one of them took meanwhile and acknowledged."""
    head: int
    """The height at which it had caught up."""
    followed_blocks: int
    """Blocks that it followed afterwards, until it had proposed one itself."""

    @property
    def per_second(self) -> float:
        """Return blocks a second."""
        return self.blocks / self.seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how far the node was away."""
    parser.add_argument(
        "--blocks", type=int, default=DEFAULT_BLOCKS, help="blocks that it was away"
    )
    parser.add_argument("--chain", type=Path, help="folder to keep the chain in, made or found")


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure and return the figures; what it is doing goes to standard error."""
    measured = measure(
        arguments.blocks,
        lambda step: print(f"sync: {step}", file=sys.stderr, flush=True),
        kept=arguments.chain,
    )
    return [
        Figure(
            name="catching up",
            value=measured.per_second,
            unit="blocks/s",
            target=MIN_BLOCKS_PER_S,
        ),
        Figure(name="transactions", value=measured.per_second * TRANSACTIONS, unit="tx/s"),
        Figure(name="blocks fetched", value=measured.blocks, unit="blocks"),
        Figure(name="time", value=measured.seconds, unit="s"),
        Figure(name="start of the process before that", value=measured.start_s, unit="s"),
        Figure(
            name="the others meanwhile",
            value=measured.others_blocks / measured.seconds,
            unit="blocks/s",
        ),
        Figure(
            name="new attestations meanwhile",
            value=measured.others_transactions / measured.seconds,
            unit="tx/s",
        ),
        Figure(name="followed until it proposed", value=measured.followed_blocks, unit="blocks"),
    ]


def measure(
    blocks: int,
    progress: Progress = lambda _: None,
    *,
    is_indexed: bool = True,
    kept: Path | None = None,
) -> SyncFigures:
    """Run the whole benchmark. Leaves nothing running; raises NodeError if a node fails.

    With `is_indexed` the others have indexed the history first, like nodes that made it themselves.
    `kept` is a folder with a chain of this genesis, or for one.
    """
    with tempfile.TemporaryDirectory(prefix="atesta-sync-") as folder:
        options = DevnetOptions(agencies=VALIDATORS, qbft=RULES)
        devnet = make_devnet(Path(folder) / "net", options)
        away = devnet.get_node(AWAY)
        others = [node for node in devnet.nodes if node is not away]
        chain = kept or Path(folder) / "chain"
        ledger = make_chain(devnet.genesis_file, chain, blocks, progress)
        for node in others:
            shutil.copytree(chain, DataFolder(root=node.data_dir).chain)
        if kept is None:
            shutil.rmtree(chain)
        try:
            progress("starting four validators")
            for node in others:
                start_node(node)
            wait_final(others, height=blocks + 2, timeout_s=300)
            if is_indexed:
                _wait_indexed(others, blocks, progress)
            with _load(ledger, others[0]) as load:
                progress("starting the one that was away")
                return _catch_up(away, others, load, progress)
        finally:
            stop_nodes(devnet.nodes)


def make_chain(
    genesis_file: Path, folder: Path, blocks: int, progress: Progress = lambda _: None
) -> LedgerChain:
    """Make a database with `blocks` sealed blocks, all but the first full of attestations.

    Goes on with what is in `folder` already.
    Returns the ledger, closed, which goes on signing where the chain ends.
    """
    store = LevelStore(folder)
    began_s = told_s = time.monotonic()
    try:
        ledger = LedgerChain(load_genesis(genesis_file), store, retain_blocks=RETAINED)
        if (first := ledger.chain.head.number) == 0:
            ledger.prepare_schema()
        else:
            ledger.read_nonces()
        while (made := ledger.chain.head.number) < blocks:
            if time.monotonic() - told_s > PROGRESS_S:
                told_s = time.monotonic()
                left_s = (told_s - began_s) / max(1, made - first) * (blocks - made)
                progress(f"made {made} of {blocks} blocks, {left_s / 60:.1f} minutes to go")
            imported = ledger.grow(list(ledger.make_attestations(TRANSACTIONS)))
            ledger.require_success(imported)
        ledger.chain.close()
    finally:
        store.close()
    progress(f"made {blocks} blocks in {time.monotonic() - began_s:.0f} s")
    return ledger


@dataclass(slots=True)
class _Load:
    """Attestations that go on being made while a node is away."""

    acknowledged: int = 0
    failure: Exception | None = None


@contextmanager
def _load(ledger: LedgerChain, node: DevnetNode) -> Iterator[_Load]:
    """Send a block's worth of attestations to a node every second while the context lasts."""
    load, stopping = _Load(), threading.Event()
    rpc = NodeRpc(node.url, timeout_s=30)

    def work() -> None:
        due_s = time.monotonic()
        try:
            while not stopping.wait(max(0.0, due_s - time.monotonic())):
                due_s = max(due_s, time.monotonic()) + LOAD_PERIOD_S
                for raw in ledger.make_attestations(TRANSACTIONS):
                    rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
                    load.acknowledged += 1
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            load.failure = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield load
    finally:
        stopping.set()
        thread.join(timeout=60)
    if load.failure is not None:
        raise load.failure


def _wait_indexed(nodes: Iterable[DevnetNode], height: int, progress: Progress) -> None:
    """Wait until the indexes have the history, as those of nodes that have been up for long."""
    told_s = time.monotonic()
    for node in nodes:
        while (indexed := _get_index_height(node)) < height:
            if time.monotonic() - told_s > PROGRESS_S:
                told_s = time.monotonic()
                progress(f"{node.name} has indexed {indexed} of {height} blocks")
            time.sleep(1)


def _get_index_height(node: DevnetNode) -> int:
    with urlopen(f"{node.url}/explorer/v1/status", timeout=60) as answer:  # noqa: S310 - our own
        return int(json.load(answer)["index_block"])


def _catch_up(
    away: DevnetNode, others: list[DevnetNode], load: _Load, progress: Progress
) -> SyncFigures:
    launched_s = time.monotonic()
    start_node(away)
    wait_final([away], height=0, timeout_s=PATIENCE_S)
    started_s = told_s = time.monotonic()
    first, before, sent = _get_height([away]), _get_height(others), load.acknowledged
    give_up_s = started_s + PATIENCE_S + before / MIN_BLOCKS_PER_S * 2
    while (height := _get_height([away])) < (goal := _get_height(others)):
        now_s = time.monotonic()
        if find_pid(away) is None:
            raise OperationalFault(f"{away.name} ended: {read_last_words(away)}")
        if now_s > give_up_s or load.failure is not None:
            raise OperationalFault(
                f"the node that was away is at {height} of {goal}"
            ) from load.failure
        if now_s - told_s > PROGRESS_S:
            told_s = now_s
            rate = (height - first) / (now_s - started_s)
            progress(f"caught up to {height} of {goal}, {rate:.1f} blocks/s")
        time.sleep(POLL_S)
    seconds = time.monotonic() - started_s
    transactions = load.acknowledged - sent
    progress("following until it proposes")
    return SyncFigures(
        blocks=height - first,
        seconds=seconds,
        start_s=started_s - launched_s,
        others_blocks=goal - before,
        others_transactions=transactions,
        head=height,
        followed_blocks=_wait_proposal(away, others[0], height) - height,
    )


def _wait_proposal(away: DevnetNode, other: DevnetNode, start: int) -> int:
    """Wait until another node has a block that the one that was away proposed; return its height.

    It must also have followed up to there itself.
    """
    rpc = NodeRpc(other.url)
    validator = NodeRpc(away.url).call("atesta_status")["validator"]
    height = start
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s:
        if rpc.get_height() <= height:
            time.sleep(POLL_S)
            continue
        height += 1
        if rpc.call("eth_getBlockByNumber", hex(height), False)["miner"] == validator:
            wait_final([away], height=height, timeout_s=PATIENCE_S)
            return height
    raise OperationalFault("the node that was away proposed no block")


def _get_height(nodes: Iterable[DevnetNode]) -> int:
    """Return the highest head among nodes; 0 while none of them answers."""
    heights = [0]
    for node in nodes:
        try:
            heights.append(NodeRpc(node.url).get_height())
        except NodeUnreachable:
            continue
    return max(heights)
