"""Who comes next in a block, so that one busy account cannot starve the others.

Gas does not bound time in py-evm: three million gas of pairing checks run for seconds while
twenty ordinary records need a hundredth of that. So the order is a fair queue over *time*. Every
sender has a virtual clock; the sender whose clock is furthest behind goes next, and its clock moves
on by what its transaction is expected to take (from its gas limit) and, once it has run, by what
it really took. Records keep flowing first; a flood of one account waits behind its own debt.

A transaction that used up the whole time of a block is put aside for a while that doubles, so
that it costs ever less; it is never forgotten, because it may have been acknowledged.
"""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from eth_typing import Address, Hash32

from node.chain.transactions import Transaction
from node.mempool.pool import Entry

MonotonicClock = Callable[[], float]
"""Returns seconds that never go back."""

MAX_CANDIDATES = 3_000
"""Transactions offered to one block: more than its gas can hold."""

_SECONDS_PER_GAS = 0.3e-6
"""Expected time of a unit of gas before anything was measured: the middle of what was seen."""
_HALF_LIFE_S = 20.0
"""Debt of time halves in this time, so that a quiet sender is soon like any other."""
_FIRST_PAUSE_S = 4.0
_MAX_PAUSE_S = 600.0
_MAX_SENDERS = 10_000


@dataclass(slots=True)
class _Debt:
    seconds: float
    noted_at_s: float


class TimeAccounts:
    """How much building time each sender has used lately."""

    def __init__(self) -> None:
        self._debts: dict[Address, _Debt] = {}

    def get_debt_s(self, sender: Address, now_s: float) -> float:
        """Return the decayed time, seconds."""
        debt = self._debts.get(sender)
        if debt is None:
            return 0.0
        return debt.seconds * math.pow(0.5, (now_s - debt.noted_at_s) / _HALF_LIFE_S)

    def charge(self, sender: Address, seconds: float, now_s: float) -> None:
        """Add time that a sender's transaction took."""
        total = self.get_debt_s(sender, now_s) + seconds
        self._debts.pop(sender, None)
        self._debts[sender] = _Debt(total, now_s)
        if len(self._debts) > _MAX_SENDERS:
            self._debts.pop(next(iter(self._debts)))  # the one that was charged longest ago


def compute_pause_s(overruns: int) -> float:
    """Return how long a transaction rests after it used up a block's time for the n-th time."""
    return min(_FIRST_PAUSE_S * math.pow(2.0, min(overruns - 1, 20)), _MAX_PAUSE_S)


def order_fairly(
    runs: Iterable[tuple[Address, Iterable[Entry]]],
    accounts: TimeAccounts,
    now_s: float,
    *,
    limit: int = MAX_CANDIDATES,
) -> Iterator[Entry]:
    """Merge the senders' runs into one order; within a run the order of nonces is kept.

    A run ends at a transaction that rests, because what follows it cannot go before it.
    """
    heap: list[tuple[float, float, Address, Entry, Iterator[Entry]]] = []

    def push(clock_s: float, sender: Address, run: Iterator[Entry]) -> None:
        entry = next(run, None)
        if entry is not None and entry.not_before_s <= now_s:
            expected_s = entry.transaction.gas * _SECONDS_PER_GAS
            item = (clock_s + expected_s, entry.arrived_at_s, sender, entry, run)
            heapq.heappush(heap, item)

    for sender, run in runs:
        push(accounts.get_debt_s(sender, now_s), sender, iter(run))
    for _ in range(limit):
        if not heap:
            return
        clock_s, _, sender, entry, run = heapq.heappop(heap)
        yield entry
        push(clock_s, sender, run)


class CandidateRun:
    """The transactions offered to one block; measures what each takes while it is consumed.

    Iterate once, in any thread; then hand it back to `Mempool.finish_build`.
    """

    def __init__(self, transactions: tuple[Transaction, ...], clock: MonotonicClock) -> None:
        self._transactions = transactions
        self._clock = clock
        self._spent: dict[Hash32, tuple[Transaction, float]] = {}

    def __len__(self) -> int:
        return len(self._transactions)

    def __iter__(self) -> Iterator[Transaction]:
        for transaction in self._transactions:
            started_s = self._clock()
            try:
                yield transaction
            finally:  # also when the builder stops in the middle
                self._spent[transaction.hash] = (transaction, self._clock() - started_s)

    @property
    def spent(self) -> tuple[tuple[Transaction, float], ...]:
        """Return the transactions that were tried, with the seconds that each took."""
        return tuple(self._spent.values())
