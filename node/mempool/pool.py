"""The waiting transactions themselves: nonce order, replacement, bounds. No disk and no clock.

Each sender has a *run*: the unbroken sequence of nonces that starts at the sender's nonce in the
final state. Only a run can go into a block; what lies beyond a gap waits for the gap to close.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from eth_typing import Address, Hash32

from node.chain.transactions import Transaction
from node.mempool.limits import MempoolLimits
from node.mempool.refusals import MempoolRefusal

_REPLACEMENT_PERCENT = 110
"""A replacement pays at least this share of the price of what it replaces."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One waiting transaction and what has happened to it."""

    transaction: Transaction
    acknowledged: bool
    """Whether this node answered for it; such a one is never thrown out."""
    arrived_at_s: float
    """Monotonic time of arrival."""
    gossiped_at_s: float = 0.0
    """Monotonic time at which peers were last told."""
    overruns: int = 0
    """How often it alone used up the time for building a block."""
    not_before_s: float = 0.0
    """Monotonic time before which no block tries it again, after an overrun."""


@dataclass(slots=True)
class SenderQueue:
    """One sender's waiting transactions by nonce."""

    state_nonce: int
    """The sender's next nonce in the final state."""
    entries: dict[int, Entry] = field(default_factory=dict)
    size_bytes: int = 0

    def iterate_run(self) -> Iterator[Entry]:
        """Yield what could go into a block, in order."""
        nonce = self.state_nonce
        while (entry := self.entries.get(nonce)) is not None:
            yield entry
            nonce += 1

    def compute_next_nonce(self) -> int:
        """Return the first nonce for which nothing waits."""
        nonce = self.state_nonce
        while nonce in self.entries:
            nonce += 1
        return nonce


class Pool:
    """All senders' queues under common bounds."""

    def __init__(self, limits: MempoolLimits) -> None:
        self._limits = limits
        self._queues: dict[Address, SenderQueue] = {}
        self._by_hash: dict[Hash32, Entry] = {}
        self._size_bytes = 0

    @property
    def count(self) -> int:
        """Return how many transactions wait."""
        return len(self._by_hash)

    @property
    def size_bytes(self) -> int:
        """Return their size, encoded."""
        return self._size_bytes

    def get(self, transaction_hash: Hash32) -> Entry | None:
        """Return the waiting transaction with this hash."""
        return self._by_hash.get(transaction_hash)

    def get_queue(self, sender: Address) -> SenderQueue | None:
        """Return a sender's queue; None when nothing of it waits."""
        return self._queues.get(sender)

    def iterate_queues(self) -> Iterator[tuple[Address, SenderQueue]]:
        """Yield every sender that has something waiting."""
        yield from self._queues.items()

    def iterate_entries(self) -> Iterator[Entry]:
        """Yield every waiting transaction, oldest first."""
        yield from self._by_hash.values()

    def insert(self, entry: Entry, *, state_nonce: int) -> tuple[Entry, ...]:
        """Take a transaction and return what had to go for it: replaced, or a peer's for room.

        Raises MempoolRefusal, and then nothing has changed.
        """
        transaction = entry.transaction
        queue = self._queues.get(transaction.sender) or SenderQueue(state_nonce)
        replaced = queue.entries.get(transaction.nonce)
        if replaced is not None:
            _validate_replacement(replaced, transaction)
        else:
            self._validate_nonce(queue, transaction)
        freed_bytes = len(replaced.transaction.raw) if replaced else 0
        self._validate_sender_bounds(queue, transaction, replaced, freed_bytes)
        gone = self._make_room(entry, replaced, freed_bytes)
        if replaced is not None:
            self._remove(replaced)
        self._queues[transaction.sender] = queue  # removal may have dropped an emptied queue
        queue.entries[transaction.nonce] = entry
        queue.size_bytes += len(transaction.raw)
        self._by_hash[transaction.hash] = entry
        self._size_bytes += len(transaction.raw)
        return gone if replaced is None else (replaced, *gone)

    def restore(self, entry: Entry, *, state_nonce: int) -> None:
        """Take back what the journal held. Bounds do not apply: it was promised already."""
        transaction = entry.transaction
        if transaction.nonce < state_nonce:
            return
        queue = self._queues.setdefault(transaction.sender, SenderQueue(state_nonce))
        replaced = queue.entries.get(transaction.nonce)
        if replaced is not None:
            self._remove(replaced)
            self._queues[transaction.sender] = queue
        queue.entries[transaction.nonce] = entry
        queue.size_bytes += len(transaction.raw)
        self._by_hash[transaction.hash] = entry
        self._size_bytes += len(transaction.raw)

    def remove(self, transaction_hash: Hash32) -> Entry | None:
        """Remove one transaction, and its sender's queue with the last."""
        entry = self._by_hash.get(transaction_hash)
        if entry is not None:
            self._remove(entry)
        return entry

    def advance(self, sender: Address, state_nonce: int) -> tuple[Entry, ...]:
        """Note a sender's nonce in the final state; return what can never be final any more."""
        queue = self._queues.get(sender)
        if queue is None:
            return ()
        queue.state_nonce = state_nonce
        passed = tuple(entry for nonce, entry in queue.entries.items() if nonce < state_nonce)
        for entry in passed:
            self._remove(entry)
        return passed

    def _validate_nonce(self, queue: SenderQueue, transaction: Transaction) -> None:
        if transaction.nonce < queue.state_nonce:
            raise MempoolRefusal(
                "nonce",
                f"{transaction.nonce} was used already; the next is {queue.compute_next_nonce()}",
                "nonce_too_low",
            )
        expected = queue.compute_next_nonce()
        if transaction.nonce - expected > self._limits.max_nonce_gap:
            raise MempoolRefusal(
                "nonce",
                f"{transaction.nonce} is too far ahead; send {expected} first "
                f"(at most {self._limits.max_nonce_gap} may be skipped for a time)",
                "nonce_too_high",
            )

    def _validate_sender_bounds(
        self,
        queue: SenderQueue,
        transaction: Transaction,
        replaced: Entry | None,
        freed_bytes: int,
    ) -> None:
        limits = self._limits
        if replaced is None and len(queue.entries) >= limits.max_sender_transactions:
            raise MempoolRefusal(
                "from",
                f"{limits.max_sender_transactions} transactions of this account wait already; "
                "send more when some are final",
                "sender_full",
            )
        if queue.size_bytes - freed_bytes + len(transaction.raw) > limits.max_sender_bytes:
            raise MempoolRefusal(
                "from",
                f"this account's waiting transactions would exceed {limits.max_sender_bytes} "
                "bytes; send more when some are final",
                "sender_full",
            )

    def _make_room(
        self, entry: Entry, replaced: Entry | None, freed_bytes: int
    ) -> tuple[Entry, ...]:
        limits = self._limits
        count = self.count + (replaced is None)
        size_bytes = self._size_bytes - freed_bytes + len(entry.transaction.raw)
        gone: list[Entry] = []
        if count > limits.max_transactions or size_bytes > limits.max_bytes:
            # Only what other nodes answered for may go, and only for what this node answers for.
            others = (
                other
                for other in reversed(self._by_hash.values())
                if not other.acknowledged and other is not replaced
            )
            for other in others if entry.acknowledged else ():
                gone.append(other)
                count -= 1
                size_bytes -= len(other.transaction.raw)
                if count <= limits.max_transactions and size_bytes <= limits.max_bytes:
                    break
        if count > limits.max_transactions or size_bytes > limits.max_bytes:
            raise MempoolRefusal(
                "transaction",
                f"the mempool is full ({self.count} transactions, {self._size_bytes} bytes); "
                "try again after the next blocks",
                "mempool_full",
            )
        for other in gone:
            self._remove(other)
        return tuple(gone)

    def _remove(self, entry: Entry) -> None:
        transaction = entry.transaction
        del self._by_hash[transaction.hash]
        self._size_bytes -= len(transaction.raw)
        queue = self._queues[transaction.sender]
        del queue.entries[transaction.nonce]
        queue.size_bytes -= len(transaction.raw)
        if not queue.entries:
            del self._queues[transaction.sender]


def _validate_replacement(old: Entry, new: Transaction) -> None:
    if old.overruns:
        return  # it cannot go into a block as it is, so its sender may put anything in its place
    fees = (
        (old.transaction.max_fee_per_gas, new.max_fee_per_gas),
        (old.transaction.max_priority_fee_per_gas, new.max_priority_fee_per_gas),
    )
    if old.transaction.max_fee_per_gas == 0:
        raise MempoolRefusal(
            "nonce",
            f"another transaction with nonce {new.nonce} waits at price zero, and such a one is "
            "not replaced; use the next nonce",
            "replacement_refused",
        )
    if any(after * 100 < before * _REPLACEMENT_PERCENT for before, after in fees):
        raise MempoolRefusal(
            "maxFeePerGas",
            f"another transaction with nonce {new.nonce} waits; to replace it, offer at least "
            f"{_REPLACEMENT_PERCENT - 100} % more in both fees",
            "replacement_underpriced",
        )
