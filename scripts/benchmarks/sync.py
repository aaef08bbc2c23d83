"""The benchmark `sync`: a validator that was away catches up while the other four go on.

A chain with 20 attestations in every block is made offline with the published keys; its timestamps
lie in the past, so it could have happened. Four of five validators get copies of it as their
databases and go on, each in a process of its own. The fifth starts with genesis alone and fetches
everything from them. Measured is the time from its first answer until it has reached the others'
head (starting the process takes its own seconds, which are told apart); after that it must follow,
and propose a block: consensus has started again.

All five share the processors of one machine.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
POLL_S: Final = 0.1
PROGRESS_BLOCKS: Final = 500

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


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure and return the figures; what it is doing goes to standard error."""
    measured = measure(
        arguments.blocks, lambda step: print(f"sync: {step}", file=sys.stderr, flush=True)
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
        Figure(name="followed until it proposed", value=measured.followed_blocks, unit="blocks"),
    ]


def measure(blocks: int, progress: Progress = lambda _: None) -> SyncFigures:
    """Run the whole benchmark. Leaves nothing running; raises NodeError if a node fails."""
    with tempfile.TemporaryDirectory(prefix="atesta-sync-") as folder:
        qbft = QbftSpec(empty_block_period_s=0, request_timeout_s=1)
        devnet = make_devnet(Path(folder) / "net", DevnetOptions(agencies=VALIDATORS, qbft=qbft))
        away = devnet.get_node(AWAY)
        others = [node for node in devnet.nodes if node is not away]
        chain = Path(folder) / "chain"
        make_chain(devnet.genesis_file, chain, blocks, progress)
        for node in others:
            shutil.copytree(chain, DataFolder(root=node.data_dir).chain)
        shutil.rmtree(chain)
        try:
            progress("starting four validators")
            for node in others:
                start_node(node)
            wait_final(others, height=blocks + 2, timeout_s=300)
            progress("starting the one that was away")
            return _catch_up(away, others, progress)
        finally:
            stop_nodes(devnet.nodes)


def make_chain(
    genesis_file: Path, folder: Path, blocks: int, progress: Progress = lambda _: None
) -> None:
    """Make a database with `blocks` sealed blocks, all but the first full of attestations."""
    store = LevelStore(folder)
    try:
        ledger = LedgerChain(load_genesis(genesis_file), store, retain_blocks=RETAINED)
        ledger.prepare_schema()
        while ledger.chain.head.number < blocks:
            imported = ledger.grow(list(ledger.make_attestations(TRANSACTIONS)))
            ledger.require_success(imported)
            if ledger.chain.head.number % PROGRESS_BLOCKS == 0:
                progress(f"made {ledger.chain.head.number} of {blocks} blocks")
        ledger.chain.close()
    finally:
        store.close()


def _catch_up(away: DevnetNode, others: list[DevnetNode], progress: Progress) -> SyncFigures:
    launched_s = time.monotonic()
    start_node(away)
    wait_final([away], height=0)
    started_s = time.monotonic()
    first, before = _get_height([away]), _get_height(others)
    give_up_s = started_s + 60 + before / MIN_BLOCKS_PER_S * 2
    told = first
    while (height := _get_height([away])) < (goal := _get_height(others)):
        if time.monotonic() > give_up_s:
            raise OperationalFault(f"the node that was away is at {height} of {goal}")
        if height - told >= PROGRESS_BLOCKS:
            told = height
            progress(f"caught up to {height} of {goal}")
        time.sleep(POLL_S)
    seconds = time.monotonic() - started_s
    progress("following until it proposes")
    return SyncFigures(
        blocks=height - first,
        seconds=seconds,
        start_s=started_s - launched_s,
        others_blocks=goal - before,
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
    give_up_s = time.monotonic() + 60
    while time.monotonic() < give_up_s:
        if rpc.get_height() <= height:
            time.sleep(POLL_S)
            continue
        height += 1
        if rpc.call("eth_getBlockByNumber", hex(height), False)["miner"] == validator:
            wait_final([away], height=height)
            return height
    raise OperationalFault("the node that was away proposed no block within a minute")


def _get_height(nodes: Iterable[DevnetNode]) -> int:
    """Return the highest head among nodes; 0 while none of them answers."""
    heights = [0]
    for node in nodes:
        try:
            heights.append(NodeRpc(node.url).get_height())
        except NodeUnreachable:
            continue
    return max(heights)
