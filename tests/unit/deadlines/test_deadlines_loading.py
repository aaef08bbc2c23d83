"""Files of calendars, profiles and closures: what is refused, and where it says so."""

import re
from datetime import date
from pathlib import Path

import pytest

import api.deadlines
from api.deadlines.calendars import DAY, DayKind
from api.deadlines.loading import load_deadlines
from api.errors import InvalidField
from tests.unit.deadlines.deadlines_world import at

SHIPPED = Path(api.deadlines.__file__).parent / "data"

CLOSURE = """
[[closure]]
calendar = "macao"
date = 2026-09-08
reason = "typhoon signal 8"
known_at = 2026-09-08T06:00:00+08:00
"""


def write(root: Path, folder: str, text: str) -> Path:
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "own.toml").write_text(text, encoding="utf-8")
    return root


def read_shipped(name: str) -> str:
    return (SHIPPED / name).read_text(encoding="utf-8")


def test_shipped_data_load_alone() -> None:
    deadlines = load_deadlines()
    assert [one.version for one in deadlines.list_calendars()] == [1, 1]
    assert all(one.legal_reference for one in deadlines.list_profiles())


def test_shipped_special_days_are_what_their_kind_says() -> None:
    for calendar in load_deadlines().list_calendars():
        for day, special in calendar.days.items():
            is_rest = day.weekday() in calendar.rest
            if special.kind is DayKind.WORKING:
                assert is_rest, f"{calendar.name} {day}: work is made up on a day of rest"
            elif special.kind in {DayKind.REST, DayKind.SHORT}:
                assert not is_rest, f"{calendar.name} {day}: on a day of rest nothing is given"


def test_macao_gives_a_rest_day_for_each_holiday_on_a_weekend() -> None:
    calendar = next(one for one in load_deadlines().list_calendars() if one.name == "macao")
    for year in range(2024, 2028):
        days = [special for special in calendar.days.values() if special.day.year == year]
        holidays = [one for one in days if one.kind is DayKind.HOLIDAY]
        lost = [one for one in holidays if one.day.weekday() in calendar.rest]
        given = [one for one in days if one.kind is DayKind.REST]
        assert len(holidays) == 20, f"Executive Order 60/2000 names twenty days, {year}"
        assert len(given) == len(lost), year
        assert sum(one.kind is DayKind.SHORT for one in days) == 2


def test_mainland_has_the_working_days_that_its_statutory_holidays_leave() -> None:
    # Every day off beyond the statutory holidays is made up: 11 days, and 13 since 2025.
    calendar = next(one for one in load_deadlines().list_calendars() if one.name == "mainland")
    for year, statutory in ((2024, 11), (2025, 13), (2026, 13)):
        first, last = date(year, 1, 1), date(year, 12, 31)
        days = [first + DAY * number for number in range((last - first).days + 1)]
        weekdays = sum(day.weekday() not in calendar.rest for day in days)
        assert sum(map(calendar.is_scheduled, days)) == weekdays - statutory, year


def test_operator_adds_a_closure(tmp_path: Path) -> None:
    started_s = at("2026-09-03 10:00")
    plain = load_deadlines().due("mo-request-delivery", started_s)
    moved = load_deadlines(write(tmp_path, "closures", CLOSURE)).due(
        "mo-request-delivery", started_s
    )
    assert (str(plain.day), str(moved.day)) == ("2026-09-10", "2026-09-11")


def test_operator_changes_a_profile_by_a_higher_version(tmp_path: Path) -> None:
    text = read_shipped("profiles/macao.toml").split("[[profile]]")[1]
    changed = "[[profile]]" + text.replace("version = 1", "version = 2").replace(
        "amount = 10", "amount = 12"
    )
    changed = re.sub(r"known_from = .*", "known_from = 2026-06-01T00:00:00+08:00", changed)
    deadlines = load_deadlines(write(tmp_path, "profiles", changed))
    assert deadlines.get_profile("mo-request-decision").amount == 12
    old = deadlines.get_profile("mo-request-decision", known_at_s=at("2026-05-31 23:59"))
    assert old.amount == 10


def test_operator_adds_a_calendar_of_another_zone(tmp_path: Path) -> None:
    text = read_shipped("calendars/mainland-1.toml").replace('"mainland"', '"lisbon"')
    text = text.replace("Asia/Shanghai", "Europe/Lisbon").replace('"CN"', '"PT"')
    write(tmp_path, "calendars", text)
    profile = read_shipped("profiles/mainland.toml").split("[[profile]]")[1]
    profile = profile.replace('"mainland"', '"lisbon"').replace("cn-", "pt-")
    write(tmp_path, "profiles", "[[profile]]" + profile)
    deadlines = load_deadlines(tmp_path)
    # Received at 10:00 in Lisbon on the Friday before the clocks go forward.
    started_s = at("2026-03-27 18:00")
    due = deadlines.due("pt-request-decision", started_s)
    local = deadlines.get_calendar("lisbon").compute_local(due.due_s)
    assert local.isoformat() == "2026-04-13T23:59:59+01:00"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidField) as refusal:
        load_deadlines(tmp_path / "nowhere")
    assert refusal.value.field == "deadlines"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "closures", CLOSURE)
    (tmp_path / "closures" / "README.md").write_text("notes", encoding="utf-8")
    assert load_deadlines(tmp_path).get_calendar("macao").closures


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("date = 2026-09-08", "", "closures/own.toml: closure.0.date", "Field required"),
        ("+08:00", "", "closures/own.toml: closure.0.known_at", "timezone"),
        ('"macao"', '"nowhere"', "closure 2026-09-08: calendar", "is not known"),
        ("reason", "because", "closures/own.toml: closure.0.reason", "Field required"),
        (
            "reason",
            "until = 2026-10-30\nreason",
            "closures/own.toml: closure 2026-09-08.until",
            "at most 30 days",
        ),
        (
            "reason",
            "until = 2026-09-09\nbegins = 10:00:00\nreason",
            "closures/own.toml: closure 2026-09-08: until",
            "whole days",
        ),
        (
            "reason",
            "begins = 10:00:00\nends = 09:00:00\nreason",
            "closures/own.toml: closure 2026-09-08: ends",
            "not after begins",
        ),
        ("[[closure]]", "[[closure", "closures/own.toml", "not TOML"),
    ],
)
def test_closure_file_names_its_fault(
    tmp_path: Path, old: str, new: str, field: str, reason: str
) -> None:
    write(tmp_path, "closures", CLOSURE.replace(old, new, 1))
    with pytest.raises(InvalidField, match=reason) as refusal:
        load_deadlines(tmp_path)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("last = 2027-12-31", "last = 2023-12-31", "last", "before first"),
        ("Asia/Macau", "Asia/Nowhere", "zone", "no time zone"),
        ("year = 2026", "year = 2028", "source", "no source for 2026"),
        ("date = 2024-01-01", "date = 2023-01-01", "day.0.date", "outside first and last"),
        ("date = 2024-02-09", "date = 2024-01-01", "day.1.date", "is there twice"),
        ("until = 2024-02-12", "until = 2024-02-01", "day.2.until", "days after date"),
        ("closes = 13:00:00", "", "day.1.closes", "belongs to a short day"),
        ("closes = 13:00:00", "closes = 08:00:00", "day.1.closes", "not after opening"),
        ("closes = 17:45:00", "closes = 08:00:00", "hours.closes", "not after opening"),
        ('rest = ["sat", "sun"]', 'rest = ["saturday"]', "rest.0", "Input should be"),
        ('kind = "holiday"', 'kind = "feast"', "day.0.kind", "Input should be"),
        ("version = 1", "version = 0", "version", "greater than or equal"),
    ],
)
def test_calendar_file_names_its_fault(
    tmp_path: Path, old: str, new: str, field: str, reason: str
) -> None:
    text = read_shipped("calendars/macao-1.toml").replace('name = "macao"', 'name = "own"')
    assert old in text
    write(tmp_path, "calendars", text.replace(old, new, 1))
    with pytest.raises(InvalidField, match=reason) as refusal:
        load_deadlines(tmp_path)
    assert refusal.value.field == f"calendars/own.toml: {field}"


@pytest.mark.parametrize(
    ("number", "old", "new", "field"),
    [
        (1, "amount = 10", "amount = 0", "amount"),
        (1, "extension = 5", "extension = -1", "extension"),
        (1, "late_capture_hours = 72", "late_capture_hours = 0", "late_capture_hours"),
        (1, "[80, 100]", "[100, 80]", "alert_percents"),
        (1, "[80, 100]", "[80, 101]", "alert_percents"),
        (1, '"next_day"', '"instant"', "start"),
        (1, '"end_of_office"', '"instant"', "end"),
        (1, 'roll = "next_working_day"', 'roll = "none"', "roll"),
        (8, "closures_extend = false", "closures_extend = true", "closures_extend"),
        (8, 'roll = "none"', 'roll = "next_working_day"', "roll"),
        (10, '"next_day"', '"same_day"', "start"),
        (10, "pause_reasons = []", 'pause_reasons = ["missing_documents"]', "pause_reasons"),
    ],
)
def test_profile_rules_that_do_not_go_together_are_refused(
    tmp_path: Path, number: int, old: str, new: str, field: str
) -> None:
    text = "[[profile]]" + read_shipped("profiles/macao.toml").split("[[profile]]")[number]
    assert old in text
    text = re.sub(r'name = "[^"]*"', 'name = "own"', text, count=1).replace(old, new, 1)
    write(tmp_path, "profiles", text)
    with pytest.raises(InvalidField) as refusal:
        load_deadlines(tmp_path)
    assert refusal.value.field == f"profile own: {field}"
