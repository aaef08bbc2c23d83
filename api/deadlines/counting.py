"""Counting days: which ones count between the receipt and the last.

The day of the receipt does not count unless the profile says `same_day`. A day on which the clock
stood still, even for an hour, does not count; the day on which it is resumed is treated like a day
of receipt. Of the others, all count for calendar days, and those on which the offices work and no
closure touched their hours count for working days.
"""

import calendar as gregorian
from dataclasses import dataclass
from datetime import date

from api.deadlines.calendars import DAY, Calendar
from api.deadlines.clocks import Clock
from api.deadlines.profiles import Profile, ReceiptRule, RollRule, StartRule, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The days of one time limit."""

    received: date
    """The day as which the start counts."""
    days: tuple[date, ...]
    """Those that counted, in order; none for months."""
    nominal: date
    """The last day by the count alone."""
    last: date
    """The last day after moving it off a day of rest."""
    stood_still: tuple[tuple[date, date], ...]
    """Days on which the clock was paused, as first and last."""

    def is_paused(self, day: date) -> bool:
        """Return whether the clock stood still on a day."""
        return _skip_pauses(day, self.stood_still) != day


def count_days(profile: Profile, calendar: Calendar, clock: Clock) -> Count:
    """Count days or months. Raises `CalendarEnds` if a day is needed that is not covered."""
    received = _find_receipt_day(profile, calendar, clock.started_s)
    total = compute_total(profile, clock)
    stood_still = _list_pauses(profile, calendar, clock)
    days: list[date] = []
    if profile.unit is Unit.MONTHS:
        nominal = add_months(received, total)
    else:
        day = received if profile.start is StartRule.SAME_DAY else received + DAY
        while len(days) < total:
            day = _skip_pauses(day, stood_still)
            if _counts(profile, calendar, day):
                days.append(day)
            day += DAY
        nominal = days[-1]
    last = nominal
    if profile.roll is RollRule.NEXT_WORKING_DAY:
        while not calendar.is_working(last := _skip_pauses(last, stood_still)):
            last += DAY
    return Count(
        received=received,
        days=tuple(days),
        nominal=nominal,
        last=last,
        stood_still=stood_still,
    )


def compute_total(profile: Profile, clock: Clock) -> int:
    """Return the amount with the extension, in the profile's unit."""
    extension = clock.extension
    if extension is None:
        return profile.amount
    return profile.amount + (profile.extension if extension.amount is None else extension.amount)


def add_months(day: date, months: int) -> date:
    """Return the day of the same number `months` later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def _counts(profile: Profile, calendar: Calendar, day: date) -> bool:
    return profile.unit is Unit.CALENDAR_DAYS or calendar.is_working(day)


def _find_receipt_day(profile: Profile, calendar: Calendar, at_s: int) -> date:
    if profile.receipt is ReceiptRule.AS_RECEIVED:
        return calendar.compute_local(at_s).date()
    return calendar.find_receipt_day(at_s)


def _list_pauses(
    profile: Profile, calendar: Calendar, clock: Clock
) -> tuple[tuple[date, date], ...]:
    """Return the days of each ended pause; the day of resumption is one unless it would count."""
    ranges = []
    for paused, resumed in clock.iterate_pauses():
        first = calendar.compute_local(paused.at_s).date()
        last = _find_receipt_day(profile, calendar, resumed.at_s)
        if profile.start is StartRule.SAME_DAY:
            last -= DAY
        if first <= last:
            ranges.append((first, last))
    return tuple(ranges)


def _skip_pauses(day: date, stood_still: tuple[tuple[date, date], ...]) -> date:
    """Return the first day from `day` on that does not lie in a pause; pauses are in order."""
    for first, last in stood_still:
        if first <= day <= last:
            day = last + DAY
    return day
