"""What holds for every profile, calendar and history, whatever the dates."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.deadlines.calendars import DAY, Calendar
from api.deadlines.clocks import Clock, Extended, Happening, Paused, Resumed, Started
from api.deadlines.counting import add_months
from api.deadlines.due import Due, compute_due
from api.deadlines.errors import HistoryRefused
from api.deadlines.profiles import Profile, Unit
from api.deadlines.progress import Stage, compute_progress
from tests.unit.deadlines.deadlines_world import at, make_deadlines

DEADLINES = make_deadlines()
MISSING = "missing_documents"
PROFILES = DEADLINES.list_profiles()
EXTENSIBLE = [profile for profile in PROFILES if profile.extension]
PAUSABLE = [
    replace(profile, pause_reasons=frozenset({MISSING}))
    for profile in PROFILES
    if profile.unit is not Unit.MONTHS
]
COUNTED = [profile for profile in PROFILES if profile.unit is Unit.WORKING_DAYS]
HOUR_S = 3_600

profiles = st.sampled_from(PROFILES)
starts = st.integers(at("2024-01-03 00:00"), at("2026-08-31 23:59"))
gaps = st.integers(0, 40 * 24 * HOUR_S)


def reckon(profile: Profile, started_s: int, *happenings: Happening) -> Due:
    clock = Clock(happenings=(Started(at_s=started_s), *happenings))
    return compute_due(profile, get_calendar(profile), clock)


def get_calendar(profile: Profile) -> Calendar:
    return DEADLINES.get_calendar(profile.calendar)


@given(profile=profiles, started_s=starts, gap_s=gaps)
def test_due_never_falls_when_the_start_is_later(
    profile: Profile, started_s: int, gap_s: int
) -> None:
    assert reckon(profile, started_s).due_s <= reckon(profile, started_s + gap_s).due_s


@given(profile=profiles, started_s=starts)
def test_due_comes_after_the_start_and_ends_the_alerts(profile: Profile, started_s: int) -> None:
    due = reckon(profile, started_s)
    times = [alert.at_s for alert in due.alerts]
    assert started_s < due.due_s
    assert times == sorted(times)
    assert times[-1] == due.due_s
    assert all(begin < end for begin, end in due.spans)
    assert due.spans[0][0] >= started_s
    assert due.spans[-1][1] <= due.due_s


@given(profile=st.sampled_from(COUNTED), started_s=starts)
def test_working_days_between_are_as_many_as_the_profile_says(
    profile: Profile, started_s: int
) -> None:
    due = reckon(profile, started_s)
    calendar = get_calendar(profile)
    received = calendar.find_receipt_day(started_s)
    days = [received + DAY * number for number in range(1, (due.day - received).days + 1)]
    assert calendar.is_working(due.day)
    assert sum(map(calendar.is_working, days)) == profile.amount == len(due.spans)


@given(profile=st.sampled_from(PAUSABLE), started_s=starts, data=st.data())
def test_pause_never_makes_it_earlier(
    profile: Profile, started_s: int, data: st.DataObject
) -> None:
    plain = reckon(profile, started_s)
    paused_s = data.draw(st.integers(started_s, plain.due_s))
    resumed_s = paused_s + data.draw(gaps)
    paused = Paused(at_s=paused_s, reason=MISSING)
    still = reckon(profile, started_s, paused)
    ended = reckon(profile, started_s, paused, Resumed(at_s=resumed_s))
    longer = reckon(profile, started_s, paused, Resumed(at_s=resumed_s + 24 * HOUR_S))
    assert still.is_paused
    assert not ended.is_paused
    assert plain.due_s == still.due_s <= ended.due_s <= longer.due_s
    assert ended.due_s >= resumed_s


@given(profile=st.sampled_from(EXTENSIBLE), started_s=starts, data=st.data())
def test_extension_adds_its_units_once(
    profile: Profile, started_s: int, data: st.DataObject
) -> None:
    plain = reckon(profile, started_s)
    extended_s = data.draw(st.integers(started_s, plain.due_s))
    amount = data.draw(st.integers(1, profile.extension))
    extended = Extended(at_s=extended_s, reason="workload", by="data-officer", amount=amount)
    due = reckon(profile, started_s, extended)
    assert due.is_extended
    assert due.counted == plain.counted + amount
    assert due.due_s > plain.due_s
    with pytest.raises(HistoryRefused, match="at most once") as refusal:
        reckon(profile, started_s, extended, replace(extended, at_s=extended_s + 1))
    assert refusal.value.field == "happenings[2]"


@given(profile=st.sampled_from(COUNTED), started_s=starts)
def test_closure_moves_only_profiles_that_let_it(profile: Profile, started_s: int) -> None:
    due = reckon(profile, started_s)
    closure = replace(
        DEADLINES.get_calendar("macao").closures[0],
        calendar=profile.calendar,
        day=due.day,
    )
    calendar = get_calendar(profile).add_closures((closure,))
    stubborn = replace(profile, closures_extend=False)
    clock = Clock.start(started_s)
    assert compute_due(profile, calendar, clock).due_s > due.due_s
    bare = compute_due(stubborn, calendar.drop_closures(), clock)
    assert compute_due(stubborn, calendar, clock) == bare


@given(profile=profiles, started_s=starts, gap_s=gaps, later_s=gaps)
def test_progress_only_grows_and_is_full_at_the_due_time(
    profile: Profile, started_s: int, gap_s: int, later_s: int
) -> None:
    due, clock = reckon(profile, started_s), Clock.start(started_s)
    now_s = started_s + gap_s
    before, after = (compute_progress(due, clock, s) for s in (now_s, now_s + later_s))
    assert 0 <= before.percent <= after.percent <= 100
    assert before.passed <= after.passed <= after.total == due.counted
    assert (before.percent == 100) == (now_s >= due.due_s)
    assert (before.stage is Stage.OVERDUE) == (now_s > due.due_s) == (before.left_s < 0)


@given(profile=profiles, started_s=starts)
def test_alert_comes_when_its_share_has_run_and_not_before(
    profile: Profile, started_s: int
) -> None:
    due, clock = reckon(profile, started_s), Clock.start(started_s)
    for alert in due.alerts:
        assert compute_progress(due, clock, alert.at_s).percent >= alert.percent
        assert compute_progress(due, clock, alert.at_s - 1).percent < alert.percent


@given(
    day=st.dates(max_value=date(9900, 1, 1)), months=st.integers(1, 400), later=st.integers(0, 40)
)
def test_months_end_on_the_same_number_or_the_last_day(day: date, months: int, later: int) -> None:
    end = add_months(day, months)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == months
    assert end.day == day.day or (end.day < day.day and (end + DAY).day == 1)
    assert end <= add_months(day + timedelta(days=later), months)
