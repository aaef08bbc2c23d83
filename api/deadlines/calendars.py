"""On which days an administration works, and until when.

A calendar has a weekly rest, special days that overrule it (public holidays, compensatory rest
days, weekend days on which work is made up, days that close early) and office hours. It covers the
years that were published and no day more: asking about a further day raises `CalendarEnds`.

A *closure* is a day, or part of one, on which the offices had to close: a typhoon signal, a black
rainstorm. Nobody publishes it ahead, so it is not part of the calendar's version but is added to
it, with the time since when it is known. A day whose office hours a closure touches does not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from api.deadlines.errors import CalendarEnds

DAY = timedelta(days=1)


class DayKind(StrEnum):
    """What a special day is."""

    HOLIDAY = "holiday"
    """A public holiday."""
    REST = "rest"
    """A rest day given for a holiday that fell on a day of rest, or by decision."""
    WORKING = "working"
    """A day of the weekly rest on which work is made up."""
    SHORT = "short"
    """A working day whose offices close early; it counts as a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A day that is not what its weekday says."""

    day: date
    kind: DayKind
    name: str
    closes: time | None = None
    """Of a short day: when its offices close."""

    @property
    def is_working(self) -> bool:
        """Whether the offices work on it."""
        return self.kind in {DayKind.WORKING, DayKind.SHORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Offices that had to close."""

    calendar: str
    day: date
    begins: time = time.min
    """Local time."""
    ends: time = time.max
    """Local time; not part of the closure."""
    reason: str
    known_at_s: int
    """When it was entered here, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSource:
    """Where the days of one year come from."""

    year: int
    authority: str
    title: str
    to_check: str | None = None
    """What is not certain; None once compared with the publication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """When offices open and close, by local time."""

    opens: time
    closes: tuple[time, ...]
    """Seven closing times, Monday first; those of a rest day serve a day of made-up work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One version of one administration's calendar, with the closures known to the reader."""

    name: str
    version: int
    known_from_s: int
    """Since when this version counts, in seconds."""
    title: str
    jurisdiction: str
    zone: ZoneInfo
    rest: frozenset[int]
    """Weekdays of rest, Monday 0."""
    hours: OfficeHours
    first: date
    last: date
    """The last day of which it says something."""
    days: Mapping[date, SpecialDay] = field(repr=False)
    sources: tuple[YearSource, ...]
    to_check: str | None = None
    """What is not certain about the office hours."""
    closures: tuple[Closure, ...] = ()

    def add_closures(self, closures: tuple[Closure, ...]) -> "Calendar":
        """Return it with those of `closures` that name it, in order of day and time."""
        own = {one for one in (*self.closures, *closures) if one.calendar == self.name}
        return replace(self, closures=tuple(sorted(own, key=_get_order)))

    def drop_closures(self) -> "Calendar":
        """Return it as published."""
        return replace(self, closures=())

    def is_scheduled(self, day: date) -> bool:
        """Return whether a day is a working day as published; CalendarEnds if it says nothing."""
        if not self.first <= day <= self.last:
            raise CalendarEnds(self.name, self.version, day, self.first, self.last)
        special = self.days.get(day)
        return special.is_working if special else day.weekday() not in self.rest

    def is_working(self, day: date) -> bool:
        """Return whether a day counts as a working day: scheduled, and no closure touched it."""
        return self.is_scheduled(day) and self.find_closure(day) is None

    def find_closure(self, day: date) -> Closure | None:
        """Return the first closure that touches the office hours of a day."""
        opens, closes = self.hours.opens, self.get_closing(day)
        return next(
            (one for one in self.list_closures(day) if one.begins < closes and one.ends > opens),
            None,
        )

    def list_closures(self, day: date) -> tuple[Closure, ...]:
        """Return the closures of a day."""
        return tuple(one for one in self.closures if one.day == day)

    def get_closing(self, day: date) -> time:
        """Return when offices close on a day, if they work."""
        special = self.days.get(day)
        if special is not None and special.closes is not None:
            return special.closes
        return self.hours.closes[day.weekday()]

    def find_receipt_day(self, at_s: int) -> date:
        """Return the day on which the offices receive what arrives at a time.

        It is the day itself if they are still to be open on it, at the latest at closing time, and
        otherwise the next day on which they open.
        """
        local = self.compute_local(at_s)
        day, moment = local.date(), local.time()
        while not self._is_open_after(day, moment):
            day, moment = day + DAY, time.min
        return day

    def compute_local(self, at_s: int) -> datetime:
        """Return the local date and time of a moment in seconds."""
        return datetime.fromtimestamp(at_s, UTC).astimezone(self.zone)

    def compute_moment(self, day: date, at: time) -> int:
        """Return a local time of a day as whole seconds since 1970."""
        return int(datetime.combine(day, at, self.zone).timestamp())

    def list_doubts(self, first: date, last: date) -> tuple[str, ...]:
        """Return what is not certain about the years from `first` to `last`."""
        doubts = [
            f"calendar {self.name} {source.year}: {source.to_check}"
            for source in self.sources
            if source.to_check and first.year <= source.year <= last.year
        ]
        if self.to_check:
            doubts.append(f"calendar {self.name}: {self.to_check}")
        return tuple(doubts)

    def _is_open_after(self, day: date, moment: time) -> bool:
        if not self.is_scheduled(day):
            return False
        closes, opening = self.get_closing(day), max(moment, self.hours.opens)
        for closure in self.list_closures(day):
            if closure.begins <= opening < closure.ends:
                opening = closure.ends
        return opening < closes or moment == closes == opening


def _get_order(closure: Closure) -> tuple[date, time, time, str]:
    return closure.day, closure.begins, closure.ends, closure.reason
