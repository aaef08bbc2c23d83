"""A due time in plain words: one sentence for each fact that moved it."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby

from api.deadlines.calendars import DAY, Calendar, DayKind
from api.deadlines.clocks import Clock
from api.deadlines.counting import Count, compute_total
from api.deadlines.profiles import Profile, Unit


def explain_days(
    profile: Profile, calendar: Calendar, clock: Clock, count: Count, due_s: int
) -> tuple[str, ...]:
    """Explain a count of days or months."""
    local = calendar.compute_local(clock.started_s)
    sentences = [f"Received on {_write(local)} ({calendar.zone.key})."]
    if local.date() != count.received:
        sentences.append(f"The offices were closed: it counts as received on {count.received}.")
    sentences += _explain_changes(profile, calendar, clock)
    sentences += [
        f"{_write_range(first, last)}: not counted, the clock stood still."
        for first, last in count.stood_still
    ]
    if profile.unit is Unit.WORKING_DAYS:
        sentences += _explain_special_days(calendar, count)
    total = compute_total(profile, clock)
    amount = _name_amount(profile, total)
    if profile.unit is Unit.MONTHS:
        sentences.append(f"{amount} after {count.received} is {count.nominal}.")
    else:
        sentences.append(f"Day 1 is {count.days[0]}, day {total} of {amount} {count.nominal}.")
    if count.last != count.nominal:
        sentences.append(
            f"{count.nominal} is no working day: the time ends on {count.last} instead."
        )
    sentences.append(_conclude(calendar, clock, due_s))
    return tuple(sentences)


def explain_hours(
    profile: Profile, calendar: Calendar, clock: Clock, due_s: int
) -> tuple[str, ...]:
    """Explain a count of hours."""
    total = compute_total(profile, clock)
    amount = _name_amount(profile, total)
    return (
        f"Received on {_write(calendar.compute_local(clock.started_s))} ({calendar.zone.key}).",
        *_explain_changes(profile, calendar, clock),
        f"{amount}, counted by day and night.",
        _conclude(calendar, clock, due_s),
    )


def _explain_changes(profile: Profile, calendar: Calendar, clock: Clock) -> Iterator[str]:
    for paused, resumed in clock.iterate_pauses():
        yield (
            f"Paused on {_write(calendar.compute_local(paused.at_s))} ({paused.reason}), resumed "
            f"on {_write(calendar.compute_local(resumed.at_s))}."
        )
    if clock.extension is not None:
        added = compute_total(profile, clock) - profile.amount
        when = _write(calendar.compute_local(clock.extension.at_s))
        yield f"Extended by {_name_amount(profile, added)} on {when} ({clock.extension.reason})."


def _explain_special_days(calendar: Calendar, count: Count) -> Iterator[str]:
    """Name what is not plain on the way: holidays, closures and days of made-up work."""
    days = []
    day = count.received + DAY
    while day <= count.last:
        note = None if count.is_paused(day) else _describe(calendar, day)
        if note is not None:
            days.append((day, note))
        day += DAY
    # Days in a row with the same note become one sentence: their dates less their places agree.
    for (note, _anchor), group in groupby(
        enumerate(days), key=lambda item: (item[1][1], item[1][0].toordinal() - item[0])
    ):
        row = [item[1][0] for item in group]
        yield f"{_write_range(row[0], row[-1])}: {note}."


def _describe(calendar: Calendar, day: date) -> str | None:
    special = calendar.days.get(day)
    closure = calendar.find_closure(day)
    if closure is not None and calendar.is_scheduled(day):
        return f"not counted, the offices had to close ({closure.reason})"
    if special is None:
        return None
    if not special.is_working:
        # A holiday on a weekend would not have counted anyway.
        return None if day.weekday() in calendar.rest else f"not counted, {special.name}"
    if special.kind is DayKind.WORKING:
        return f"counted although a day of rest, {special.name}"
    return None


def _conclude(calendar: Calendar, clock: Clock, due_s: int) -> str:
    when = _write(calendar.compute_local(due_s))
    if clock.paused_since_s is not None:
        since = _write(calendar.compute_local(clock.paused_since_s))
        return f"The clock stands still since {since}: due on {when} at the earliest."
    return f"Due on {when}."


def _name_amount(profile: Profile, amount: int) -> str:
    name = profile.unit.value.replace("_", " ")
    return f"{amount} {name.removesuffix('s') if amount == 1 else name}"


def _write(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M" if moment.second == 0 else "%Y-%m-%d %H:%M:%S")


def _write_range(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last}"
