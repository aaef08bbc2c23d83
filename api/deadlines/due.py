"""From a profile, a calendar and a history to the due time.

`compute_due` replays the history: a pause or an extension must be allowed by the profile and must
happen before the time is over, as it was reckoned until then. While the clock stands still the due
time is the earliest possible one, as if it were resumed at once; it can only move on.

`spans` are the stretches in which the time runs, for progress and alerts: the office hours of each
working day that counts, each calendar day, or the hours between pauses. Only the last alert may be
outside office hours, where the time itself ends at midnight.
"""

from dataclasses import dataclass, field
from datetime import date, time
from typing import Final

from api.deadlines.calendars import DAY, Calendar
from api.deadlines.clocks import Clock, Extended, Paused
from api.deadlines.counting import Count, compute_total, count_days
from api.deadlines.errors import HistoryRefused
from api.deadlines.explaining import explain_days, explain_hours
from api.deadlines.profiles import EndRule, Profile, RollRule, Unit
from api.deadlines.shares import Span, find_moment
from api.errors import InvalidField

LAST_SECOND: Final = time(23, 59, 59)
HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A moment at which somebody is told."""

    percent: int
    """Share of the time that has then run."""
    at_s: int
    """In seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When one case is due, and why."""

    due_s: int
    """The last second in which the act is in time."""
    day: date
    """Its local date."""
    counted: int
    """How many units were counted, with the extension."""
    unit: Unit
    profile: str
    profile_version: int
    calendar: str
    calendar_version: int
    is_paused: bool
    """The clock stands still: `due_s` is the earliest possible due time."""
    is_extended: bool
    alerts: tuple[Alert, ...]
    spans: tuple[Span, ...] = field(repr=False)
    explanation: tuple[str, ...]
    """How it came about, a sentence each."""
    to_check: tuple[str, ...]
    """What is not certain in the law or in the calendar."""


def compute_due(profile: Profile, calendar: Calendar, clock: Clock) -> Due:
    """Return the due time.

    Raises `HistoryRefused` for what the profile does not allow or what came too late,
    `CalendarEnds` if the calendar does not cover the count, `InvalidField` for a calendar that is
    not the profile's.
    """
    if calendar.name != profile.calendar:
        raise InvalidField("calendar", "is not the one on which the profile is counted")
    seen = calendar if profile.closures_extend else calendar.drop_closures()
    for position, happening in enumerate(clock.happenings):
        if isinstance(happening, Paused | Extended):
            before = Clock(happenings=clock.happenings[:position])
            _validate_allowed(profile, happening, position)
            is_running = before.paused_since_s is None
            if is_running and happening.at_s > _reckon(profile, seen, before).due_s:
                raise HistoryRefused(position, "the time was over by then", part="at")
    return _reckon(profile, seen, clock)


def _validate_allowed(profile: Profile, happening: Paused | Extended, position: int) -> None:
    if isinstance(happening, Paused):
        if happening.reason not in profile.pause_reasons:
            raise HistoryRefused(
                position, "the profile allows no pause for this reason", part="reason"
            )
        return
    if profile.extension == 0:
        raise HistoryRefused(position, "the profile allows no extension")
    if happening.amount is not None and not 1 <= happening.amount <= profile.extension:
        raise HistoryRefused(
            position, f"an extension is of 1 to {profile.extension} units", part="amount"
        )


def _reckon(profile: Profile, calendar: Calendar, clock: Clock) -> Due:
    if profile.unit is Unit.HOURS:
        spans = _list_hours(profile, clock)
        due_s = spans[-1][1]
        explanation = explain_hours(profile, calendar, clock, due_s)
        doubts: tuple[str, ...] = ()
    else:
        count = count_days(profile, calendar, clock)
        due_s = _compute_end(profile, calendar, count.last)
        spans = _list_days(profile, calendar, count, due_s)
        explanation = explain_days(profile, calendar, clock, count, due_s)
        doubts = _list_doubts(profile, calendar, count)
    if profile.to_check:
        doubts = (f"profile {profile.name}: {profile.to_check}", *doubts)
    return Due(
        due_s=due_s,
        day=calendar.compute_local(due_s).date(),
        counted=compute_total(profile, clock),
        unit=profile.unit,
        profile=profile.name,
        profile_version=profile.version,
        calendar=calendar.name,
        calendar_version=calendar.version,
        is_paused=clock.paused_since_s is not None,
        is_extended=clock.extension is not None,
        alerts=tuple(
            Alert(percent=percent, at_s=_place_alert(spans, profile.unit, percent, due_s))
            for percent in profile.alert_percents
        ),
        spans=spans,
        explanation=explanation,
        to_check=doubts,
    )


def _compute_end(profile: Profile, calendar: Calendar, last: date) -> int:
    is_office = profile.end is EndRule.END_OF_OFFICE
    return calendar.compute_moment(last, calendar.get_closing(last) if is_office else LAST_SECOND)


def _list_days(profile: Profile, calendar: Calendar, count: Count, due_s: int) -> tuple[Span, ...]:
    if profile.unit is Unit.MONTHS:
        return ((calendar.compute_moment(count.received + DAY, time.min), due_s),)
    if profile.unit is Unit.WORKING_DAYS:
        return tuple(
            (
                calendar.compute_moment(day, calendar.hours.opens),
                calendar.compute_moment(day, calendar.get_closing(day)),
            )
            for day in count.days
        )
    midnights = [calendar.compute_moment(day, time.min) for day in count.days]
    ends = [calendar.compute_moment(day + DAY, time.min) for day in count.days[:-1]]
    return tuple(zip(midnights, [*ends, due_s], strict=True))


def _list_hours(profile: Profile, clock: Clock) -> tuple[Span, ...]:
    left_s = compute_total(profile, clock) * HOUR_S
    spans, begin_s = [], clock.started_s
    for paused, resumed in clock.iterate_pauses():
        spans.append((begin_s, paused.at_s))
        left_s -= paused.at_s - begin_s
        begin_s = resumed.at_s
    return (*spans, (begin_s, begin_s + left_s))


def _list_doubts(profile: Profile, calendar: Calendar, count: Count) -> tuple[str, ...]:
    """Return the doubts of the years that the count asked the calendar about."""
    is_asked = profile.unit is Unit.WORKING_DAYS or profile.roll is RollRule.NEXT_WORKING_DAY
    return calendar.list_doubts(count.received, count.last if is_asked else count.received)


def _place_alert(spans: tuple[Span, ...], unit: Unit, percent: int, due_s: int) -> int:
    """Return when to tell; the last alert is at the due time, even if the offices close before."""
    return due_s if percent == 100 else find_moment(spans, unit, percent)
