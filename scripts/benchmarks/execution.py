"""The benchmark `execution`: importing sealed blocks of attestations, on one core.

A chain of blocks with 150 attestations each, every one a call through the proxy by an accredited
issuer, is made beforehand in memory. Then a second node imports it into LevelDB, as it would during
operation: the transactions were admitted before, so their senders are known; seals, header rules,
execution, state trie, roots and the synchronous write are all in the measured time. The rate is
taken where the ledger holds 1,000 and 20,000 records, per second of one core: the processor time of
all threads plus the wait for the disk, which other programs on the machine disturb less than the
wall clock. On an idle machine both are the same; both are printed.

Three more figures explain these: the same import with unknown senders (a node that syncs), the
share of time of each part, and how the same transactions do on py-evm as it is installed, with its
own state and tries in memory, without blocks, seals or a disk.
"""

import argparse
import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from eth.db.atomic import AtomicDB
from eth.vm.chain_context import ChainContext
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth_typing import BlockNumber

from consensus.block import Block
from node.chain.backends import assert_fast_backends
from node.chain.transactions import Transaction, decode_transactions
from node.storage.level import LevelStore
from scripts.benchmarks.figures import Figure
from scripts.benchmarks.ledger_chain import LedgerChain, load_committed_genesis

BLOCK_TRANSACTIONS = 150
WINDOW_BLOCKS = 8
MARKS = {1_000: 500.0, 20_000: 400.0}
"""Records in the ledger, and the transactions a second to reach there."""
STOCK_TRANSACTIONS = 300

WRITE = "synchronous write"
PARTS: dict[str, str] = {
    "opcodes and state reads": "node.chain.evm.executor.EvmSession.apply",
    "state trie": "node.chain.state_store.StateStore.prepare",
    "root of receipts": "node.chain.processing.compute_ordered_root",
    "root of transactions": "node.chain.blockchain.compute_ordered_root",
    "seals and header rules": "node.chain.blockchain.validate_sealed_header",
    "senders": "node.chain.senders.TransactionDecoder.decode",
    WRITE: "node.storage.level.LevelStore.write",
}
"""Disjoint parts of an import, by the function that does them; the rest is encoding and caches."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer a shorter run."""
    parser.add_argument(
        "--records", type=int, default=max(MARKS), help="records of the largest ledger measured"
    )


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure; takes about two minutes."""
    assert_fast_backends()
    marks = [records for records in MARKS if records <= arguments.records]
    chain = _make_chain(max(marks) + WINDOW_BLOCKS * BLOCK_TRANSACTIONS)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="atesta-bench-") as folder:
        windows = _import_all(chain, Path(folder), marks)
    for records in marks:
        window = windows[records]
        figures.append(
            Figure(
                name=f"import at {records} records",
                value=window.transactions / window.core_s,
                unit="tx/s",
                target=MARKS[records],
            )
        )
        figures.append(
            Figure(
                name=f"import at {records} records, by the wall clock",
                value=window.transactions / window.seconds,
                unit="tx/s",
            )
        )
        figures.extend(_list_shares(records, window))
    figures.append(_measure_sync(chain))
    figures.extend(_compare_with_py_evm(chain, windows[marks[0]]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures.append(Figure(name="peak memory, all chains of the benchmark", value=peak, unit="MiB"))
    return figures


@dataclass(slots=True, kw_only=True)
class _Chain:
    """Blocks made beforehand."""

    maker: LedgerChain
    blocks: list[Block]
    transactions: list[tuple[Transaction, ...]]
    """Decoded, per block."""


@dataclass(slots=True, kw_only=True)
class _Window:
    """One measured stretch of blocks."""

    transactions: int = 0
    seconds: float = 0.0
    processor_s: float = 0.0
    parts_s: dict[str, float] = field(default_factory=dict)

    @property
    def core_s(self) -> float:
        """Seconds of one core: processor time of all threads, and the wait for the disk."""
        return self.processor_s + self.parts_s.get(WRITE, 0.0)


def _make_chain(records: int) -> _Chain:
    maker = LedgerChain(load_committed_genesis())
    maker.prepare_schema()
    first = maker.chain.get_block(1)
    assert first is not None, "the schema's block was just imported"
    chain = _Chain(maker=maker, blocks=[first], transactions=[()])
    made = 0
    while made < records:
        transactions = decode_transactions(list(maker.make_attestations(BLOCK_TRANSACTIONS)))
        block = maker.build(transactions)
        maker.require_success(maker.chain.import_block(block))
        chain.blocks.append(block)
        chain.transactions.append(transactions)
        made += len(transactions)
        _tell(f"made {made} of {records} attestations")
    return chain


def _import_all(chain: _Chain, folder: Path, marks: Sequence[int]) -> dict[int, _Window]:
    store = LevelStore(folder / "chain")
    node = LedgerChain(chain.maker.genesis, store)
    windows = {records: _Window() for records in marks}
    imported = 0
    for block, transactions in zip(chain.blocks, chain.transactions, strict=True):
        node.chain.remember_transactions(transactions)
        window = next(
            (
                windows[records]
                for records in marks
                if records <= imported < records + WINDOW_BLOCKS * BLOCK_TRANSACTIONS
            ),
            None,
        )
        if window is None:
            node.chain.import_block(block)
        else:
            _measure_import(node, block, window)
        imported += len(transactions)
        _tell(f"imported {imported}")
    assert node.chain.head == chain.maker.chain.head, "both chains end the same"
    store.close()
    return windows


def _measure_import(node: LedgerChain, block: Block, window: _Window) -> None:
    with _timed_parts(window.parts_s):
        started, started_processor = time.perf_counter(), time.process_time()
        node.chain.import_block(block)
        window.seconds += time.perf_counter() - started
        window.processor_s += time.process_time() - started_processor
    window.transactions += len(block.transactions)


@contextlib.contextmanager
def _timed_parts(totals: dict[str, float]) -> Iterator[None]:
    """Add up the time spent in each of PARTS."""
    with contextlib.ExitStack() as stack:
        for part, target in PARTS.items():
            module, _, name = target.rpartition(".")
            owner = _resolve(module)
            wrapped = _time_calls(getattr(owner, name), part, totals)
            stack.enter_context(patch.object(owner, name, wrapped))
        yield


def _resolve(path: str) -> Any:
    """Return a module, or a class in one, by its full name."""
    if path in sys.modules:
        return sys.modules[path]
    head, _, name = path.rpartition(".")
    return getattr(_resolve(head), name)


def _time_calls(
    function: Callable[..., Any], part: str, totals: dict[str, float]
) -> Callable[..., Any]:
    @wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            totals[part] = totals.get(part, 0.0) + time.perf_counter() - started

    return timed


def _list_shares(records: int, window: _Window) -> list[Figure]:
    shares = {part: seconds / window.seconds for part, seconds in window.parts_s.items()}
    shares["everything else"] = 1 - sum(shares.values())
    return [
        Figure(name=f"share at {records} records: {part}", value=100 * share, unit="%")
        for part, share in sorted(shares.items(), key=lambda item: -item[1])
    ]


def _measure_sync(chain: _Chain) -> Figure:
    """Import the first blocks into a node that has never seen their transactions."""
    with tempfile.TemporaryDirectory(prefix="atesta-bench-") as folder:
        store = LevelStore(Path(folder) / "chain")
        node = LedgerChain(chain.maker.genesis, store)
        node.chain.import_block(chain.blocks[0])
        blocks = chain.blocks[1 : 1 + WINDOW_BLOCKS]
        for block in blocks[:2]:
            node.chain.import_block(block)
        started = time.process_time()
        for block in blocks[2:]:
            node.chain.import_block(block)
        seconds = time.process_time() - started
        store.close()
    count = sum(len(block.transactions) for block in blocks[2:])
    return Figure(name="import with unknown senders (sync)", value=count / seconds, unit="tx/s")


def _compare_with_py_evm(chain: _Chain, window: _Window) -> list[Figure]:
    """Execute the first attestations on py-evm as installed, one state root per block."""
    genesis = chain.maker.genesis
    header = CancunBlockHeader(
        difficulty=1,
        block_number=BlockNumber(1),
        gas_limit=genesis.header.gas_limit,
        timestamp=genesis.header.timestamp + 1,
        mix_hash=genesis.header.mix_hash,
        base_fee_per_gas=0,
    )
    state: Any = CancunVM.build_state(AtomicDB(), header, ChainContext(genesis.chain_id))
    for address, account in genesis.alloc.items():
        state.set_nonce(address, account.nonce)
        state.set_balance(address, account.balance)
        state.set_code(address, account.code)
        for slot, value in account.storage.items():
            state.set_storage(address, slot, value)
    state.persist()
    _execute_stock(state, chain.blocks[0].transactions)
    raws = [raw for block in chain.blocks[1:] for raw in block.transactions]
    count = min(STOCK_TRANSACTIONS, len(raws))
    started = time.process_time()
    for start in range(0, count, BLOCK_TRANSACTIONS):
        _execute_stock(state, raws[start : start + BLOCK_TRANSACTIONS])
    rate = count / (time.process_time() - started)
    return [
        Figure(name="py-evm as installed, execution alone", value=rate, unit="tx/s"),
        Figure(
            name="our import over py-evm's execution",
            value=window.transactions / window.core_s / rate,
            unit="times",
        ),
    ]


def _execute_stock(state: Any, raws: Sequence[bytes]) -> None:
    for raw in raws:
        state.lock_changes()
        computation = state.apply_transaction(CancunTransactionBuilder.decode(raw))
        assert computation.is_success, "py-evm executes what our chain executed"
    state.persist()


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
