"""The benchmark `index`: whether the index keeps up with a chain as fast as a node can go.

A history of attestations is made offline. Then, for each engine, a node's chain imports it block by
block as fast as it executes, while the index follows through the same JSON-RPC that the daemon's
index uses, in the same process and under the same interpreter lock. What counts is how long the
index needs to have the last block after the chain has it. Then it is emptied and reads everything
again, alone: so fast it is rebuilt. How many times as fast that is as the chain alone, which is
measured first in the same run, depends least on what else the machine does.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from api.databases import open_database
from api.index import tables
from api.index.index import Index
from api.ledger import Ledger
from consensus.block import Block
from node.chain.registry import RegistryView
from node.chain.transactions import Transaction, decode_transactions
from node.daemon.chain_view import HeadView
from node.mempool import Mempool
from node.mempool.limits import MempoolLimits
from node.storage.level import LevelStore
from scripts.benchmarks.engines import list_engines
from scripts.benchmarks.figures import Figure
from scripts.benchmarks.ledger_chain import LedgerChain, load_committed_genesis
from tests.unit.explorer.real_ledger import RealLedger

PER_BLOCK = 150
MOST_BEHIND_S = 2.0
"""The index has the last block so soon after the chain: two of its usual periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A history: blocks with their transactions, whose senders are known."""

    maker: LedgerChain
    blocks: Sequence[tuple[Block, Sequence[Transaction]]]
    attestations: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer another length, and other engines."""
    parser.add_argument("--blocks", type=int, default=60, help=f"blocks of {PER_BLOCK} records")
    parser.add_argument(
        "--url", help="address of an empty database; absent: SQLite, and PostgreSQL of our own"
    )


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure; takes about two minutes."""
    made = _make(arguments.blocks)
    figures: list[Figure] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atesta-bench-")))
        alone = made.attestations / _import_alone(made, folder / "alone")
        figures.append(Figure(name="chain, alone", value=alone, unit="tx/s"))
        figures.append(Figure(name="the same in blocks", value=alone / PER_BLOCK, unit="blocks/s"))
        for name, url in list_engines("index", folder, stack, url=arguments.url):
            (folder / name).mkdir()
            figures += asyncio.run(_measure(made, name, url, folder / name, alone))
    return figures


def _import_alone(made: _Made, folder: Path) -> float:
    """Return the seconds in which a node executes the history while nobody follows."""
    folder.mkdir()
    store = LevelStore(folder)
    try:
        chain = LedgerChain(made.maker.genesis, store).chain
        started = time.monotonic()
        for block, transactions in made.blocks:
            chain.remember_transactions(transactions)
            chain.import_block(block)
        return time.monotonic() - started
    finally:
        store.close()


def _make(count: int) -> _Made:
    maker = LedgerChain(load_committed_genesis())
    maker.prepare_schema()
    first = maker.chain.get_block(1)
    assert first is not None, "the schema's block was just imported"
    blocks: list[tuple[Block, Sequence[Transaction]]] = [(first, ())]
    for number in range(count):
        transactions = decode_transactions(list(maker.make_attestations(PER_BLOCK)))
        block = maker.build(transactions)
        maker.require_success(maker.chain.import_block(block))
        blocks.append((block, transactions))
        _tell(f"made {number + 1} of {count} blocks")
    return _Made(maker=maker, blocks=blocks, attestations=count * PER_BLOCK)


async def _measure(made: _Made, name: str, url: str, folder: Path, alone: float) -> list[Figure]:
    store = LevelStore(folder / "chain")
    node = LedgerChain(made.maker.genesis, store)
    mempool = Mempool(
        path=folder / "mempool.journal",
        limits=MempoolLimits(),
        chain=HeadView(node.chain),
        admission=RegistryView(node.chain),
    )
    await mempool.open()
    ledger = RealLedger(store, node.chain, mempool)
    database = open_database(url, tables.METADATA, name="index")
    index = Index(database=database, ledger=Ledger(ledger.connection.raw))
    loop = asyncio.get_running_loop()

    def grow() -> float:
        started = time.monotonic()
        for block, transactions in made.blocks:
            node.chain.remember_transactions(transactions)
            node.chain.import_block(block)
            loop.call_soon_threadsafe(index.notify)
        return time.monotonic() - started

    try:
        async with index.run():
            import_s = await asyncio.to_thread(grow)
            ended = time.monotonic()
            assert await index.wait_for(node.chain.head.number, 600)
            behind_s = time.monotonic() - ended
        _tell(f"{name}: followed")
        await index.clear()
        started = time.monotonic()
        await index.catch_up()
        rebuild_s = time.monotonic() - started
        rows = await database.read(
            lambda c: c.execute(select(func.count()).select_from(tables.ATTESTATIONS)).scalar_one()
        )
        assert rows == made.attestations, f"the index has {rows} attestations"
    finally:
        database.close()
        await mempool.close()
        ledger.backend.close()
        await ledger.connection.close()
    speed, rebuilt = made.attestations / import_s, made.attestations / rebuild_s
    return [
        Figure(name=f"{name}: chain, while it is followed", value=speed, unit="tx/s"),
        Figure(
            name=f"{name}: index behind when the chain has ended",
            value=behind_s,
            unit="s",
            target=MOST_BEHIND_S,
            is_upper_bound=True,
        ),
        Figure(name=f"{name}: rebuilt, alone", value=rebuilt, unit="records/s", target=speed),
        Figure(name=f"{name}: the same in blocks", value=rebuilt / PER_BLOCK, unit="blocks/s"),
        Figure(
            name=f"{name}: rebuilt, against the chain alone",
            value=rebuilt / alone,
            unit="times",
            target=1.0,
        ),
    ]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
