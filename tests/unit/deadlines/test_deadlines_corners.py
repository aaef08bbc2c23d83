"""Corners that no shipped profile reaches, but an operator's may."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time

import pytest

from api.deadlines.calendars import Closure
from api.deadlines.clocks import Clock, Closed, Happening, Paused, Resumed, Started
from api.deadlines.due import Due, compute_due
from api.deadlines.profiles import EndRule, Profile, ReceiptRule, RollRule, StartRule, Unit
from api.deadlines.progress import Stage, compute_progress
from api.deadlines.shares import compute_share, find_moment
from tests.unit.deadlines.deadlines_world import at, make_deadlines, write

DEADLINES = make_deadlines()
MACAO = DEADLINES.get_calendar("macao").drop_closures()
DECISION = DEADLINES.get_profile("mo-request-decision")
DELIVERY = replace(
    DEADLINES.get_profile("mo-request-delivery"), pause_reasons=frozenset({"missing_documents"})
)
COMPLAINT = replace(DEADLINES.get_profile("mo-complaint"), pause_reasons=DELIVERY.pause_reasons)
INCIDENT = replace(
    DEADLINES.get_profile("mo-incident-report"),
    pause_reasons=DELIVERY.pause_reasons,
    extension=12,
)


def reckon(
    profile: Profile, started: str, happenings: Sequence[Happening] = (), *closures: Closure
) -> Due:
    clock = Clock(happenings=(Started(at_s=at(started)), *happenings))
    return compute_due(profile, MACAO.add_closures(closures), clock)


def pause(paused: str, resumed: str) -> tuple[Happening, ...]:
    reason = "missing_documents"
    return Paused(at_s=at(paused), reason=reason), Resumed(at_s=at(resumed))


def close(day: date, begins: time = time.min, ends: time = time.max) -> Closure:
    return Closure(
        calendar="macao", day=day, begins=begins, ends=ends, reason="flood", known_at_s=0
    )


def test_hours_stop_in_a_pause_to_the_second() -> None:
    happenings = pause("2026-03-02 16:00", "2026-03-03 09:00")
    assert write(reckon(INCIDENT, "2026-03-02 10:00", happenings).due_s) == "2026-03-04 03:00:00"


def test_hours_weigh_by_length_also_around_a_pause() -> None:
    due = reckon(INCIDENT, "2026-03-02 10:00", pause("2026-03-02 16:00", "2026-03-03 09:00"))
    # 80 % of 24 hours are 19 h 12 min: six before the pause, 13 h 12 min after it.
    assert write(due.alerts[1].at_s) == "2026-03-03 22:12:00"


def test_same_day_start_counts_the_day_of_resumption() -> None:
    profile = replace(DELIVERY, start=StartRule.SAME_DAY)
    # Mon 2 is day 1, Tue 3 stands still, Wed 4 to Fri 6 are 2 to 4, Mon 9 is 5.
    due = reckon(profile, "2026-03-02 10:00", pause("2026-03-03 10:00", "2026-03-04 10:00"))
    assert due.day == date(2026, 3, 9)
    same = reckon(profile, "2026-03-02 10:00", pause("2026-03-03 10:00", "2026-03-03 11:00"))
    assert same.day == date(2026, 3, 6)


def test_end_that_was_moved_is_moved_again_by_a_pause() -> None:
    # Day 15 is Sat 21 and moves to Mon 23, where a pause begins that lasts until Wed 25.
    due = reckon(COMPLAINT, "2026-03-06 20:00", pause("2026-03-23 10:00", "2026-03-25 10:00"))
    assert write(due.due_s) == "2026-03-26 17:45:00"


def test_end_on_a_day_of_rest_stays_without_the_rule_to_move_it() -> None:
    profile = replace(COMPLAINT, roll=RollRule.NONE, end=EndRule.END_OF_DAY)
    due = reckon(profile, "2026-03-06 20:00")
    assert write(due.due_s) == "2026-03-21 23:59:59"


@pytest.mark.parametrize(
    ("begins", "ends", "counts"),
    [
        (time(6), time(9), True),
        (time(6), time(9, 1), False),
        (time(17, 45), time(20), True),
        (time(17, 44), time(20), False),
    ],
)
def test_closure_takes_a_day_away_if_it_touches_office_hours(
    begins: time, ends: time, counts: bool
) -> None:
    due = reckon(DELIVERY, "2026-03-02 10:00", (), close(date(2026, 3, 4), begins, ends))
    assert due.day == (date(2026, 3, 9) if counts else date(2026, 3, 10))


def test_receipt_before_opening_on_a_closed_day_is_of_the_next() -> None:
    closed = close(date(2026, 3, 4), time(9))
    assert reckon(DELIVERY, "2026-03-04 08:00", (), closed).day == date(2026, 3, 12)
    assert reckon(DELIVERY, "2026-03-03 08:00", (), closed).day == date(2026, 3, 11)


def test_receipt_between_two_closures_is_of_the_day() -> None:
    closures = close(date(2026, 3, 4), time(9), time(11)), close(date(2026, 3, 4), time(15))
    assert reckon(DELIVERY, "2026-03-04 10:00", (), *closures).day == date(2026, 3, 11)
    assert reckon(DELIVERY, "2026-03-04 15:30", (), *closures).day == date(2026, 3, 12)


def test_receipt_on_its_date_ignores_the_offices() -> None:
    profile = replace(DELIVERY, receipt=ReceiptRule.AS_RECEIVED)
    # Sat 7 evening: Mon 9 is already day 1.
    assert reckon(profile, "2026-03-07 20:00").day == date(2026, 3, 13)


def test_doubts_are_of_the_years_that_were_asked() -> None:
    kept = DEADLINES.due("mo-record-retention", at("2024-12-20 10:00"))
    assert not any("2027" in doubt for doubt in kept.to_check)
    moved = reckon(COMPLAINT, "2026-12-28 10:00")
    assert any("macao 2027" in doubt for doubt in moved.to_check)


def test_fixed_due_time_knows_nothing_of_later_happenings() -> None:
    started_s = at("2026-03-02 10:00")
    audit = DEADLINES.audit(
        DECISION.name,
        started_s,
        pause("2026-03-04 11:00", "2026-03-10 12:00"),
        fixed_at_s=started_s,
    )
    assert write(audit.fixed.due_s) == "2026-03-16 17:45:00"
    assert write(audit.binding.due_s) == "2026-03-23 17:45:00"


def test_case_closed_in_its_last_second_is_in_time() -> None:
    due = reckon(DECISION, "2026-03-02 10:00")
    clock = Clock.start(at("2026-03-02 10:00"))
    last, late = (clock.add(Closed(at_s=due.due_s + extra)) for extra in (0, 1))
    assert compute_progress(due, last, due.due_s + 9).stage is Stage.CLOSED_IN_TIME
    assert compute_progress(due, late, due.due_s + 9).stage is Stage.CLOSED_LATE


def test_explanation_says_of_paused_days_only_that_they_stood_still() -> None:
    happenings = pause("2026-02-16 10:00", "2026-02-20 10:00")
    due = reckon(DELIVERY, "2026-02-11 10:00", happenings)
    assert not any("Lunar" in sentence for sentence in due.explanation)
    assert "2026-02-16 to 2026-02-20: not counted, the clock stood still." in due.explanation
    assert due.explanation[1] == (
        "Paused on 2026-02-16 10:00 (missing_documents), resumed on 2026-02-20 10:00."
    )


def test_moment_of_a_share_is_rounded_up_to_the_second() -> None:
    spans = ((100, 107), (200, 203))
    assert find_moment(spans, Unit.HOURS, 50) == 105
    assert find_moment(spans, Unit.HOURS, 45) == 105
    assert find_moment(spans, Unit.WORKING_DAYS, 75) == 202
    assert compute_share(spans, Unit.WORKING_DAYS, 150) * 2 == 1


def test_count_skips_a_pause_of_decades_without_a_calendar() -> None:
    profile = replace(
        COMPLAINT, roll=RollRule.NONE, receipt=ReceiptRule.AS_RECEIVED, end=EndRule.END_OF_DAY
    )
    due = reckon(profile, "2026-03-02 10:00", pause("2026-03-03 10:00", "2099-01-01 10:00"))
    assert due.day == date(2099, 1, 16)
