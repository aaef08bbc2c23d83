"""The golden dates: reckoned by hand, one line each, with the reasoning beside them."""

import csv
from dataclasses import dataclass

import pytest

from api.deadlines.clocks import Extended, Happening, Paused, Resumed
from api.deadlines.due import Due
from api.errors import ApiError
from tests.unit.deadlines.deadlines_world import HERE, at, make_deadlines, write

DEADLINES = make_deadlines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    case: str
    calendar: str
    profile: str
    started: str
    happenings: tuple[Happening, ...]
    view: str
    due: str
    at_80: str


def read_table() -> list[Golden]:
    lines = (HERE / "golden.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.reader((line for line in lines if not line.startswith("#")), delimiter="|")
    header, *table = [[cell.strip() for cell in row] for row in rows]
    assert header == (
        ["case", "calendar", "profile", "started", "happenings", "view", "due", "at 80 %", "why"]
    )
    return [
        Golden(
            case=row[0],
            calendar=row[1],
            profile=row[2],
            started=row[3],
            happenings=tuple(parse_happening(text) for text in row[4].split(";") if text.strip()),
            view=row[5],
            due=row[6],
            at_80=row[7],
        )
        for row in table
    ]


def parse_happening(text: str) -> Happening:
    what, when, *rest = text.split()
    match what:
        case "pause":
            return Paused(at_s=at(when), reason=rest[0])
        case "resume":
            return Resumed(at_s=at(when))
        case "extend":
            amount = int(rest[0]) if rest else None
            return Extended(at_s=at(when), reason="workload", by="data-officer", amount=amount)
    raise ValueError(text)


def reckon(golden: Golden) -> Due:
    started_s = at(golden.started)
    if golden.view == "plain":
        return DEADLINES.due(golden.profile, started_s, golden.happenings)
    audit = DEADLINES.audit(golden.profile, started_s, golden.happenings, fixed_at_s=started_s)
    return {"fixed": audit.fixed, "binding": audit.binding, "today": audit.today}[golden.view]


TABLE = read_table()


def test_golden_table_has_forty_dates_and_each_case_once() -> None:
    assert len({golden.case for golden in TABLE}) == len(TABLE)
    assert sum(golden.due[:2] == "20" for golden in TABLE) >= 40
    assert {golden.calendar for golden in TABLE} == {"macao", "mainland"}


@pytest.mark.parametrize("golden", TABLE, ids=lambda golden: golden.case)
def test_golden_date_is_reckoned(golden: Golden) -> None:
    if not golden.due.startswith("20"):
        with pytest.raises(ApiError) as refusal:
            reckon(golden)
        assert refusal.value.code == golden.due
        return
    due = reckon(golden)
    assert write(due.due_s) == golden.due, due.explanation
    assert due.calendar == golden.calendar
    assert str(due.day) == golden.due[:10]
    if golden.at_80 != "-":
        alerts = {alert.percent: write(alert.at_s) for alert in due.alerts}
        assert alerts[80] == golden.at_80
        assert alerts[100] == golden.due
