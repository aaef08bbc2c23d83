"""How far a case has come, at a time that the caller names."""

from dataclasses import dataclass
from enum import StrEnum

from api.deadlines.clocks import Clock
from api.deadlines.due import Due
from api.deadlines.shares import compute_share


class Stage(StrEnum):
    """Where a case stands."""

    RUNNING = "running"
    PAUSED = "paused"
    OVERDUE = "overdue"
    CLOSED_IN_TIME = "closed_in_time"
    CLOSED_LATE = "closed_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A case at one moment."""

    stage: Stage
    percent: int
    """Share of the time that has run, rounded down: 100 from the due time on, not before."""
    passed: int
    """Whole units that have passed."""
    total: int
    """Units in all, with the extension."""
    left_s: int
    """Seconds by the clock on the wall until it is due; below 0 once it is over."""


def compute_progress(due: Due, clock: Clock, now_s: int) -> Progress:
    """Return how far the case with this due time and history is at `now_s` seconds.

    A paused case stays where it was when it was paused, a closed one where it was closed.
    """
    moment_s = now_s if clock.stopped_s is None else min(now_s, clock.stopped_s)
    share = compute_share(due.spans, due.unit, moment_s)
    is_over = moment_s > due.due_s
    return Progress(
        stage=_judge(clock, now_s, is_over=is_over),
        percent=100 if moment_s >= due.due_s else min(99, int(share * 100)),
        passed=int(share * due.counted),
        total=due.counted,
        left_s=due.due_s - moment_s,
    )


def _judge(clock: Clock, now_s: int, *, is_over: bool) -> Stage:
    if clock.closed_s is not None and clock.closed_s <= now_s:
        return Stage.CLOSED_LATE if is_over else Stage.CLOSED_IN_TIME
    if clock.paused_since_s is not None and clock.paused_since_s <= now_s:
        return Stage.PAUSED
    return Stage.OVERDUE if is_over else Stage.RUNNING
