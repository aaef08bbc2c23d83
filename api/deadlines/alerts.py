"""Which alerts are to be told now, for whoever sends them.

The sender keeps, for each open deadline, the highest percentage it has told, and asks here after
every wake-up. After a standstill only the highest one reached is told: "80 %" is no news once the
time is over. A paused clock is silent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.deadlines.due import Alert, Due


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeadline:
    """A case that waits for an answer."""

    uid: bytes
    """The record that has the due time."""
    alerts: tuple[Alert, ...]
    """Its alerts, rising."""
    told_percent: int = 0
    """The highest that was told; 0 for none."""
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertToTell:
    """Something to be said now."""

    uid: bytes
    alert: Alert
    is_over: bool
    """Whether the time is over, not just short."""


def watch(uid: bytes, due: Due, *, told_percent: int = 0) -> OpenDeadline:
    """Return the open deadline of a reckoned due time."""
    return OpenDeadline(
        uid=uid, alerts=due.alerts, told_percent=told_percent, is_paused=due.is_paused
    )


def spread_alerts(started_s: int, due_s: int, percents: Sequence[int]) -> tuple[Alert, ...]:
    """Return alerts for a record of which only start and due time are known, such as another's.

    They are spread over the whole time between, days of rest included.
    """
    length_s = max(0, due_s - started_s)
    return tuple(
        Alert(percent=percent, at_s=due_s - length_s * (100 - percent) // 100)
        for percent in percents
    )


def list_alerts_to_tell(deadlines: Iterable[OpenDeadline], now_s: int) -> tuple[AlertToTell, ...]:
    """Return what is to be told at `now_s`, at most one for each deadline, oldest first."""
    found = []
    for deadline in deadlines:
        reached = [one for one in _list_untold(deadline) if one.at_s <= now_s]
        if reached:
            alert = reached[-1]
            found.append(AlertToTell(uid=deadline.uid, alert=alert, is_over=alert.percent == 100))
    return tuple(sorted(found, key=lambda one: (one.alert.at_s, one.uid)))


def find_next_alert(deadlines: Iterable[OpenDeadline]) -> int | None:
    """Return when the next alert is to be told, in seconds; None if none is left."""
    return min((one.at_s for each in deadlines for one in _list_untold(each)), default=None)


def _list_untold(deadline: OpenDeadline) -> list[Alert]:
    if deadline.is_paused:
        return []
    return [one for one in deadline.alerts if one.percent > deadline.told_percent]
