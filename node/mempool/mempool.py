"""The mempool as the node uses it: the pool, its journal, and the fair order for a block.

Everything here runs on the event loop except the journal's writes, which one thread does. A
submission passes through three steps: it is judged and takes its place in the pool, so that the
next submission sees it; it joins the group that the journal writes next; and when the disk has it,
`add` returns. Many submissions share one `fsync`, which is what makes durability cheap.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from eth_typing import Address, Hash32

from node.chain.transactions import Transaction, decode_transaction
from node.errors import PeerFault
from node.mempool.admission import (
    MALFORMED,
    Admission,
    ChainView,
    Decoder,
    Gate,
    decode_submission,
    validate_admission,
)
from node.mempool.fairness import (
    CandidateRun,
    MonotonicClock,
    TimeAccounts,
    compute_pause_s,
    order_fairly,
)
from node.mempool.journal import Journal, JournalRecord, split_groups
from node.mempool.limits import MempoolLimits
from node.mempool.pool import Entry, Pool
from node.mempool.refusals import JournalFailed, MempoolRefusal
from node.storage.crashpoints import CrashPoints

_COMPACTION_MIN_BYTES = 1024 * 1024
"""A journal below this size is left as it is."""
_REGOSSIP_AFTER_S = 5.0
_MAX_REGOSSIP = 500
_MAX_KNOWN_REFUSED = 10_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedTransaction:
    """A transaction that has just been taken, for whoever spreads it further."""

    transaction: Transaction
    from_peer: bool
    """Whether a peer sent it, so that it need not be told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolStatus:
    """How full the mempool is."""

    pending: int
    """Transactions that could go into the next block."""
    queued: int
    """Transactions that wait for a nonce before them, or rest after an overrun."""
    size_bytes: int
    """Bytes of both."""
    journal_bytes: int
    """Size of the journal file."""


class Mempool:
    """Waiting transactions, durable. Open it once, on the loop that uses it."""

    def __init__(
        self,
        *,
        path: Path,
        limits: MempoolLimits,
        chain: ChainView,
        admission: Admission,
        gate: Gate | None = None,
        clock: MonotonicClock = time.monotonic,
        decode: Decoder = decode_transaction,
        crash_points: CrashPoints | None = None,
    ) -> None:
        self._limits = limits
        self._chain = chain
        self._admission = admission
        self._gate = gate
        self._clock = clock
        self._decode = decode
        self._pool = Pool(limits)
        self._accounts = TimeAccounts()
        self._journal = Journal(path, crash_points)
        self._group: list[JournalRecord] = []
        self._group_done: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._wakeup = asyncio.Event()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mempool-journal")
        self._listeners: list[Callable[[AddedTransaction], None]] = []
        self._refused: dict[Hash32, None] = {}
        self._is_closed = False

    async def open(self) -> int:
        """Restore what the journal holds and start writing; return how many came back.

        Raises JournalDamaged.
        """
        loop = asyncio.get_running_loop()
        records = await loop.run_in_executor(self._disk, self._journal.open)
        now_s = self._clock()
        for record in records:
            transaction = self._decode(record.raw)
            entry = Entry(
                transaction=transaction, acknowledged=record.acknowledged, arrived_at_s=now_s
            )
            self._pool.restore(entry, state_nonce=self._chain.get_nonce(transaction.sender))
        self._writer = asyncio.create_task(self._write_groups(), name="mempool-journal")
        return self._pool.count

    async def close(self) -> None:
        """Write what is pending and close the journal."""
        self._is_closed = True
        self._wakeup.set()
        if self._writer is not None:
            with suppress(JournalFailed):
                await self._writer
            self._writer = None
        self._journal.close()
        self._disk.shutdown(wait=True)

    def subscribe(self, listener: Callable[[AddedTransaction], None]) -> None:
        """Call `listener` on the loop with each transaction that has been taken durably."""
        self._listeners.append(listener)

    async def add(self, raw: bytes) -> Transaction:
        """Take a transaction and return when it is on disk: from then on it is acknowledged.

        One that already waits, or is final, is acknowledged again. Raises MempoolRefusal with
        nothing changed, JournalFailed when the disk does not take it.
        """
        transaction = decode_submission(raw, self._limits, self._decode)
        entry = self._pool.get(transaction.hash)
        if entry is not None and entry.acknowledged:
            await self._wait_for_group()
            return transaction
        if self._chain.is_final(transaction.hash):
            return transaction
        if entry is None:
            entry = self._insert(transaction, acknowledged=True)
        entry.acknowledged = True
        try:
            await self._write(JournalRecord(raw=transaction.raw, acknowledged=True))
        except JournalFailed:
            self._pool.remove(transaction.hash)
            raise
        entry.gossiped_at_s = self._clock()
        self._notify(transaction, from_peer=False)
        return transaction

    def add_from_peer(self, raws: Sequence[bytes]) -> int:
        """Take what a peer gossiped, as far as it is admissible; return how many were new.

        They are journaled with the next group but nobody waits for it: the node that answered
        for them keeps them. Raises PeerFault, after taking the rest, for bytes that no correct
        node passes on: no transaction, or one whose signature belongs to nobody.
        """
        taken = 0
        fault: MempoolRefusal | None = None
        for raw in raws:
            try:
                transaction = decode_submission(raw, self._limits, self._decode)
                if transaction.hash in self._refused or self._pool.get(transaction.hash):
                    continue
                self._insert(transaction, acknowledged=False)
            except MempoolRefusal as refusal:
                if refusal.code == MALFORMED:
                    fault = refusal
                _log.debug("peer_transaction_refused", code=refusal.code)
                continue
            self._group.append(JournalRecord(raw=transaction.raw, acknowledged=False))
            self._wakeup.set()
            self._notify(transaction, from_peer=True)
            taken += 1
        if fault is not None:
            raise PeerFault(fault.reason, field=fault.field) from fault
        return taken

    def candidates(self) -> CandidateRun:
        """Return what the next block may hold, in fair order, permissions checked anew."""
        now_s = self._clock()
        runs = (
            (sender, self._iterate_permitted(queue.iterate_run()))
            for sender, queue in self._pool.iterate_queues()
            if self._admission.may_send(sender)
        )
        entries = order_fairly(runs, self._accounts, now_s)
        return CandidateRun(tuple(entry.transaction for entry in entries), self._clock)

    def has_candidates(self) -> bool:
        """Tell whether a block made now would hold anything."""
        now_s = self._clock()
        for sender, queue in self._pool.iterate_queues():
            entry = next(queue.iterate_run(), None)
            if (
                entry is not None
                and entry.not_before_s <= now_s
                and self._admission.may_send(sender)
                and self._may_go(entry.transaction)
            ):
                return True
        return False

    def finish_build(
        self, run: CandidateRun, *, given_up: Collection[Hash32], budget_s: float
    ) -> None:
        """Learn from a block that was built: who used the time, and what does not fit into one.

        `given_up` names what the builder will not include as it is, most often because it alone
        takes longer than a block may; `budget_s` is the time that it had, seconds. Such a
        transaction rests, each time for twice as long, and so does one that used up a good part of
        the time and is where the building stopped.
        """
        now_s = self._clock()
        spent = run.spent
        for transaction, spent_s in spent:
            self._accounts.charge(transaction.sender, spent_s, now_s)
        resting = set(given_up)
        if spent and sum(spent_s for _, spent_s in spent) >= budget_s:
            last, last_s = spent[-1]
            if last_s >= budget_s / 4:
                resting.add(last.hash)
        for transaction_hash in resting:
            entry = self._pool.get(transaction_hash)
            if entry is None:
                continue
            entry.overruns += 1
            entry.not_before_s = now_s + compute_pause_s(entry.overruns)
            _log.warning(
                "transaction_rests",
                transaction_hash="0x" + transaction_hash.hex(),
                times=entry.overruns,
            )

    def on_block(self, included: Iterable[tuple[Hash32, Address]]) -> None:
        """Forget what a final block contains: pairs of transaction hash and sender."""
        senders: set[Address] = set()
        for transaction_hash, sender in included:
            self._pool.remove(transaction_hash)
            senders.add(sender)
        for sender in senders:
            for entry in self._pool.advance(sender, self._chain.get_nonce(sender)):
                _log.warning(
                    "transaction_superseded",
                    transaction_hash="0x" + entry.transaction.hash.hex(),
                    acknowledged=entry.acknowledged,
                )
        self._wakeup.set()  # perhaps the journal is mostly dead now

    def take_stale(self) -> tuple[bytes, ...]:
        """Return acknowledged transactions that wait long, so that peers are told again."""
        now_s = self._clock()
        stale: list[bytes] = []
        for entry in self._pool.iterate_entries():
            if entry.acknowledged and now_s - entry.gossiped_at_s >= _REGOSSIP_AFTER_S:
                entry.gossiped_at_s = now_s
                stale.append(entry.transaction.raw)
                if len(stale) >= _MAX_REGOSSIP:
                    break
        return tuple(stale)

    def next_nonce(self, address: Address) -> int:
        """Return the nonce for an account's next transaction, after those that wait."""
        queue = self._pool.get_queue(address)
        return self._chain.get_nonce(address) if queue is None else queue.compute_next_nonce()

    def get(self, transaction_hash: Hash32) -> Transaction | None:
        """Return a waiting transaction."""
        entry = self._pool.get(transaction_hash)
        return None if entry is None else entry.transaction

    def is_ready(self, transaction: Transaction) -> bool:
        """Tell whether nothing but a block is missing for a waiting transaction."""
        queue = self._pool.get_queue(transaction.sender)
        return queue is not None and transaction.nonce < queue.compute_next_nonce()

    def get_all(self) -> tuple[Transaction, ...]:
        """Return every waiting transaction by sender and nonce."""
        return tuple(
            queue.entries[nonce].transaction
            for _, queue in sorted(self._pool.iterate_queues())
            for nonce in sorted(queue.entries)
        )

    def get_status(self) -> MempoolStatus:
        """Return counts and sizes."""
        pending = sum(
            queue.compute_next_nonce() - queue.state_nonce
            for _, queue in self._pool.iterate_queues()
        )
        return MempoolStatus(
            pending=pending,
            queued=self._pool.count - pending,
            size_bytes=self._pool.size_bytes,
            journal_bytes=self._journal.size_bytes,
        )

    def _iterate_permitted(self, run: Iterable[Entry]) -> Iterable[Entry]:
        for entry in run:
            if not self._may_go(entry.transaction):
                return
            yield entry

    def _may_go(self, transaction: Transaction) -> bool:
        if transaction.to is None and not self._admission.may_deploy(transaction.sender):
            return False
        return self._gate is None or self._gate.may_go(transaction)

    def _insert(self, transaction: Transaction, *, acknowledged: bool) -> Entry:
        validate_admission(
            transaction, limits=self._limits, chain=self._chain, admission=self._admission
        )
        if self._gate is not None:
            self._gate.check(transaction)
        entry = Entry(
            transaction=transaction, acknowledged=acknowledged, arrived_at_s=self._clock()
        )
        queue = self._pool.get_queue(transaction.sender)
        if queue is None:
            state_nonce = self._chain.get_nonce(transaction.sender)
        else:  # kept up to date by `on_block`; a read of the state costs more than all else here
            state_nonce = queue.state_nonce
        for gone in self._pool.insert(entry, state_nonce=state_nonce):
            # Without this, a peer's gossip would put a replaced transaction back.
            self._refused[gone.transaction.hash] = None
            if len(self._refused) > _MAX_KNOWN_REFUSED:
                self._refused.pop(next(iter(self._refused)))
        return entry

    def _notify(self, transaction: Transaction, *, from_peer: bool) -> None:
        for listener in self._listeners:
            listener(AddedTransaction(transaction=transaction, from_peer=from_peer))

    async def _write(self, record: JournalRecord) -> None:
        if self._is_closed:
            raise JournalFailed("the node is stopping", next_step="Send it again after the restart")
        self._group.append(record)
        await self._wait_for_group()

    async def _wait_for_group(self) -> None:
        """Wait until everything that is in the group now is on disk."""
        if self._group_done is None:
            self._group_done = asyncio.get_running_loop().create_future()
            self._wakeup.set()
        await asyncio.shield(self._group_done)

    async def _write_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._group and self._group_done is None:
                if self._is_closed:
                    return
                await self._wakeup.wait()
            self._wakeup.clear()
            group, self._group = self._group, []
            done, self._group_done = self._group_done, None
            try:
                for part in split_groups(group):
                    await loop.run_in_executor(self._disk, self._journal.append, part)
                await self._compact_if_dead()
            except JournalFailed as error:
                _log.error("mempool_journal_failed", path_is_writable=False)
                if done is not None:
                    done.set_exception(error)
                    done.exception()  # somebody may have stopped waiting
                continue
            if done is not None:
                done.set_result(None)

    async def _compact_if_dead(self) -> None:
        size_bytes = self._journal.size_bytes
        if size_bytes < _COMPACTION_MIN_BYTES or size_bytes < 3 * self._pool.size_bytes:
            return
        living = tuple(
            JournalRecord(raw=entry.transaction.raw, acknowledged=entry.acknowledged)
            for entry in self._pool.iterate_entries()
        )
        # What is still in the next group is written by the new file's first append.
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._disk, self._journal.replace, living)
