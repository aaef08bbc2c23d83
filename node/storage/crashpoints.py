"""Every durable write of a process is numbered, so that a test can kill the process at any one.

A node promises that what it acknowledged survives a crash at any moment. Between two durable
writes nothing on disk changes, so the moments that differ are "just before" and "just after" each
durable write (and, for a file, "in the middle"). Every durable write is wrapped in
`CrashPoints.around(kind)`:

    block                genesis and final blocks, one database batch each
    set_changes          changes of the validator set, made up for when a database is opened
    sign_state           one of the two sign-state files: odd numbers the first, even the second
    sign_state_copy      the sign state's copy in the database
    evidence             proof against a validator or a proposer
    mempool              one group of the mempool's journal, or the journal's first line
    mempool_compaction   a new journal takes the old one's name
    outbox, index, vault one commit of that database of the API
    vault_keys           one file of the vault's key folder, written, added to or destroyed

This is for tests only. Without the variable below, as in every operation, nothing is counted and
a write costs one call more. A test sets it in the environment of a node that it starts:

    ATESTA_CRASH_AT=17           die just before the 17th durable write of the process
    ATESTA_CRASH_AT=17:after     die just after it
    ATESTA_CRASH_AT=block:3      die just before the 3rd write of kind "block"
    ATESTA_CRASH_AT=block:3:torn leave the 3rd file write of that kind half done, then die

Death is SIGKILL to the own process: no handler, no flush, no exit code of our choosing. Before it,
one line on standard error names the write, for whoever reads the test's report.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

from node.errors import UserFault

VARIABLE = "ATESTA_CRASH_AT"
"""Environment variable of tests; never set in operation."""

_UNWATCHED: AbstractContextManager[bool] = nullcontext(enter_result=False)


class CrashMoment(StrEnum):
    """Where in a durable write the process dies."""

    BEFORE = "before"
    TORN = "torn"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashPlan:
    """The one write at which a process is to die."""

    number: int
    """Which write, counted from 1."""

    kind: str | None = None
    """Count only writes of this kind; None counts all."""

    moment: CrashMoment = CrashMoment.BEFORE
    """Just before, in the middle of, or just after the write."""


class CrashPoints:
    """With a plan, counts durable writes and dies at the planned one; without, does nothing.

    One instance per process, thread-safe.
    """

    def __init__(
        self, plan: CrashPlan | None = None, *, die: Callable[[], None] | None = None
    ) -> None:
        """Count from zero. `die` replaces SIGKILL in tests within one process."""
        self._plan = plan
        self._die = die
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        """Durable writes begun so far, of all kinds; 0 without a plan."""
        return self._total

    @property
    def counts(self) -> dict[str, int]:
        """Durable writes begun so far, per kind; empty without a plan."""
        return dict(self._counts)

    def around(self, kind: str) -> AbstractContextManager[bool]:
        """Wrap one durable write of `kind`.

        Yields True if the writer is to leave its write half done (a torn write, which only writers
        of plain files can imitate; others ignore it); the process then dies on leaving the block.
        """
        return _UNWATCHED if self._plan is None else self._watch(self._plan, kind)

    @contextmanager
    def _watch(self, plan: CrashPlan, kind: str) -> Iterator[bool]:
        moment = self._count(plan, kind)
        if moment is CrashMoment.BEFORE:
            self._end(kind, moment)
        yield moment is CrashMoment.TORN
        if moment in (CrashMoment.TORN, CrashMoment.AFTER):
            self._end(kind, moment)

    def _count(self, plan: CrashPlan, kind: str) -> CrashMoment | None:
        with self._lock:
            self._total += 1
            self._counts[kind] = self._counts.get(kind, 0) + 1
            if plan.kind not in (None, kind):
                return None
            reached = self._total if plan.kind is None else self._counts[kind]
            return plan.moment if reached == plan.number else None

    def _end(self, kind: str, moment: CrashMoment) -> None:
        if self._die is not None:
            self._die()
            return
        words = f"dies {moment} write {self._total}, {kind} {self._counts[kind]}\n"
        os.write(2, words.encode())
        os.kill(os.getpid(), signal.SIGKILL)


def read_crash_points(environment: Mapping[str, str]) -> CrashPoints:
    """Return the crash points that ATESTA_CRASH_AT asks for; UserFault if malformed."""
    text = environment.get(VARIABLE, "")
    return CrashPoints(_parse_plan(text) if text else None)


def _parse_plan(text: str) -> CrashPlan:
    parts = text.split(":")
    kind = None if parts[0].isdigit() else parts.pop(0)
    try:
        number = int(parts.pop(0))
        moment = CrashMoment(parts.pop(0)) if parts else CrashMoment.BEFORE
    except (IndexError, ValueError):
        raise UserFault(f"{text!r} is not [KIND:]NUMBER[:MOMENT]", field=VARIABLE) from None
    if parts or number < 1:
        raise UserFault(f"{text!r} is not [KIND:]NUMBER[:MOMENT]", field=VARIABLE)
    return CrashPlan(number=number, kind=kind, moment=moment)
