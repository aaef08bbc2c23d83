"""The facade: names, versions, audits, explanations, doubts."""

from dataclasses import replace
from datetime import date

import pytest

from api.deadlines.clocks import Clock
from api.deadlines.deadlines import Deadlines
from api.deadlines.due import compute_due
from api.deadlines.errors import CalendarEnds, CalendarUnknown, ProfileUnknown
from api.deadlines.profiles import StartRule, is_late_capture
from api.errors import InvalidField
from tests.unit.deadlines.deadlines_world import at, make_deadlines

DEADLINES = make_deadlines()
START_S = at("2026-11-11 10:00")


def test_lists_give_the_newest_versions_by_name() -> None:
    calendars = DEADLINES.list_calendars()
    assert [(one.name, one.version) for one in calendars] == [("macao", 2), ("mainland", 2)]
    names = [profile.name for profile in DEADLINES.list_profiles()]
    assert names == sorted(names)
    assert {"mo-request-decision", "cn-request-decision", "mo-incident-report"} <= set(names)


def test_unknown_names_are_not_found() -> None:
    with pytest.raises(ProfileUnknown) as profile:
        DEADLINES.due("no-such", START_S)
    with pytest.raises(CalendarUnknown) as calendar:
        DEADLINES.get_calendar("no-such")
    with pytest.raises(CalendarUnknown, match="no such version"):
        DEADLINES.get_calendar("macao", version=9)
    assert (profile.value.field, profile.value.status) == ("profile", 404)
    assert (calendar.value.field, calendar.value.status) == ("calendar", 404)


def test_version_is_the_one_known_at_the_time() -> None:
    known_s = at("2026-11-16 09:00")
    assert DEADLINES.get_calendar("macao", known_at_s=known_s - 1).version == 1
    assert DEADLINES.get_calendar("macao", known_at_s=known_s).version == 2
    assert DEADLINES.get_calendar("macao", known_at_s=0).version == 1
    assert DEADLINES.due("mo-request-decision", START_S, known_at_s=START_S).calendar_version == 1


def test_closures_are_those_known_at_the_time() -> None:
    before = DEADLINES.get_calendar("macao", known_at_s=at("2026-08-04 05:29"))
    after = DEADLINES.get_calendar("macao", known_at_s=at("2026-08-04 05:30"))
    assert date(2026, 8, 4) not in {closure.day for closure in before.closures}
    assert date(2026, 8, 4) in {closure.day for closure in after.closures}


def test_audit_tells_what_moved_the_due_time() -> None:
    recorded_s = at("2026-11-25 17:45")
    audit = DEADLINES.audit(
        "mo-request-decision", START_S, fixed_at_s=START_S, recorded_s=recorded_s
    )
    assert audit.is_recorded_right is True
    assert (audit.is_moved_by_case, audit.is_moved_by_data) == (False, True)
    closed = DEADLINES.audit(
        "mo-request-delivery", at("2026-07-09 10:00"), fixed_at_s=at("2026-07-09 10:00")
    )
    assert closed.is_recorded_right is None
    assert (closed.is_moved_by_case, closed.is_moved_by_data) == (True, False)
    wrong = DEADLINES.audit(
        "mo-request-decision", START_S, fixed_at_s=START_S, recorded_s=recorded_s + 1
    )
    assert wrong.is_recorded_right is False


def test_explanation_names_every_fact_in_plain_words() -> None:
    due = DEADLINES.due("cn-request-decision", at("2026-02-13 18:00"))
    assert due.explanation == (
        "Received on 2026-02-13 18:00 (Asia/Shanghai).",
        "The offices were closed: it counts as received on 2026-02-14.",
        "2026-02-16 to 2026-02-20: not counted, Spring Festival.",
        "2026-02-23: not counted, Spring Festival.",
        "2026-02-28: counted although a day of rest, work made up for Spring Festival.",
        "Day 1 is 2026-02-24, day 10 of 10 working days 2026-03-06.",
        "Due on 2026-03-06 23:59:59.",
    )


def test_explanation_names_closures_and_the_moved_end() -> None:
    closed = DEADLINES.due("mo-request-delivery", at("2026-07-30 10:00")).explanation
    assert "2026-08-04: not counted, the offices had to close (typhoon signal 8)." in closed
    rolled = DEADLINES.due("mo-complaint", at("2026-07-20 10:00")).explanation
    assert "2026-08-04 is no working day: the time ends on 2026-08-05 instead." in rolled


def test_doubts_of_law_and_calendar_come_with_the_due_time() -> None:
    doubts = DEADLINES.due("mo-request-delivery", at("2026-12-28 10:00")).to_check
    assert [doubt.split(":")[0] for doubt in doubts] == [
        "profile mo-request-delivery",
        "calendar macao 2027",
        "calendar macao",
    ]
    assert DEADLINES.due("cn-incident-report", START_S).to_check == ()


def test_calendar_end_names_calendar_version_and_date() -> None:
    with pytest.raises(CalendarEnds, match="ends: it covers") as refusal:
        DEADLINES.due("cn-request-decision", at("2026-12-21 10:00"))
    assert refusal.value.extra == {"calendar": "mainland", "version": 2, "date": "2027-01-01"}
    assert (refusal.value.code, refusal.value.field) == ("calendar_ends", "calendar")


def test_day_before_the_calendar_begins_is_not_guessed() -> None:
    with pytest.raises(CalendarEnds):
        DEADLINES.due("mo-request-decision", at("2023-12-20 10:00"))


def test_due_refuses_a_foreign_calendar() -> None:
    profile = DEADLINES.get_profile("mo-request-decision")
    with pytest.raises(InvalidField) as refusal:
        compute_due(profile, DEADLINES.get_calendar("mainland"), Clock.start(START_S))
    assert refusal.value.field == "calendar"


def test_capture_is_late_past_the_limit_of_the_profile() -> None:
    profile = DEADLINES.get_profile("mo-incident-report")
    assert not is_late_capture(profile, START_S, START_S + 24 * 3_600)
    assert is_late_capture(profile, START_S, START_S + 24 * 3_600 + 1)


def test_same_day_start_counts_the_day_of_receipt() -> None:
    calendar = DEADLINES.get_calendar("macao")
    profile = DEADLINES.get_profile("mo-request-delivery")
    profile = replace(profile, start=StartRule.SAME_DAY)
    due = compute_due(profile, calendar, Clock.start(at("2026-03-02 10:00")))
    assert due.day == date(2026, 3, 6)


def test_contradicting_data_are_refused() -> None:
    profile = DEADLINES.get_profile("mo-request-decision")
    calendar = DEADLINES.get_calendar("macao").drop_closures()
    closure = DEADLINES.get_calendar("macao").closures[0]
    with pytest.raises(InvalidField, match="version 2 is there twice"):
        Deadlines([calendar, calendar], [])
    with pytest.raises(InvalidField, match="is not known") as refusal:
        Deadlines([], [profile])
    assert refusal.value.field == "profile mo-request-decision: calendar"
    with pytest.raises(InvalidField, match="is not known"):
        Deadlines([calendar], [profile], [replace(closure, calendar="elsewhere")])
