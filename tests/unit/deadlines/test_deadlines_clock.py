"""What may follow what in a history, and where a case stands."""

import pytest

from api.deadlines.clocks import (
    LAST_TIME_S,
    MOST_HAPPENINGS,
    Clock,
    Closed,
    Extended,
    Happening,
    Paused,
    Resumed,
    Started,
)
from api.deadlines.errors import HistoryRefused
from api.deadlines.progress import Stage
from tests.unit.deadlines.deadlines_world import at, make_deadlines

DEADLINES = make_deadlines()
START_S = at("2026-03-02 10:00")
MISSING = "missing_documents"

PAUSED = Paused(at_s=START_S + 10, reason=MISSING)
RESUMED = Resumed(at_s=START_S + 20)
EXTENDED = Extended(at_s=START_S + 30, reason="workload", by="data-officer")
CLOSED = Closed(at_s=START_S + 40)


@pytest.mark.parametrize(
    ("happenings", "field", "reason"),
    [
        ((), "happenings[0]", "begins with its start"),
        ((PAUSED,), "happenings[0]", "begins with its start"),
        ((Started(at_s=START_S), Started(at_s=START_S)), "happenings[1]", "starts once"),
        ((Started(at_s=START_S), RESUMED), "happenings[1]", "is running"),
        ((Started(at_s=START_S), PAUSED, PAUSED), "happenings[2]", "stands still already"),
        ((Started(at_s=START_S), EXTENDED, EXTENDED), "happenings[2]", "at most once"),
        ((Started(at_s=START_S), CLOSED, CLOSED), "happenings[2]", "nothing follows"),
        ((Started(at_s=START_S), RESUMED, PAUSED), "happenings[1]", "is running"),
        ((Started(at_s=START_S + 50), PAUSED), "happenings[1].at", "times rise"),
        ((Started(at_s=-1),), "happenings[0].at", "times rise"),
        ((Started(at_s=LAST_TIME_S + 1),), "happenings[0].at", "before the year 2100"),
    ],
)
def test_clock_refuses_what_cannot_follow(
    happenings: tuple[Happening, ...], field: str, reason: str
) -> None:
    with pytest.raises(HistoryRefused, match=reason) as refusal:
        Clock(happenings=happenings)
    assert refusal.value.field == field


def test_clock_holds_a_bounded_history() -> None:
    pauses = [PAUSED, RESUMED] * MOST_HAPPENINGS
    still: list[Happening] = [Started(at_s=START_S)]
    for number, happening in enumerate(pauses[: MOST_HAPPENINGS - 1]):
        kind = Paused(at_s=START_S + number, reason=MISSING)
        still.append(kind if happening is PAUSED else Resumed(at_s=START_S + number))
    full = Clock(happenings=tuple(still))
    with pytest.raises(HistoryRefused, match="at most 64"):
        full.add(Closed(at_s=START_S + MOST_HAPPENINGS))


def test_clock_knows_pause_extension_and_closing() -> None:
    clock = Clock.start(START_S).add(PAUSED)
    assert clock.paused_since_s == PAUSED.at_s
    clock = clock.add(RESUMED).add(EXTENDED)
    assert (clock.paused_since_s, clock.extension) == (None, EXTENDED)
    assert list(clock.iterate_pauses()) == [(PAUSED, RESUMED)]
    clock = clock.add(CLOSED)
    assert (clock.started_s, clock.closed_s) == (START_S, CLOSED.at_s)
    assert clock.cut(PAUSED.at_s) == Clock.start(START_S).add(PAUSED)


def test_case_closed_while_paused_is_closed_in_time_however_late() -> None:
    clock = Clock.start(START_S).add(PAUSED).add(Closed(at_s=at("2026-09-01 10:00")))
    assert (clock.paused_since_s, clock.stopped_s) == (None, PAUSED.at_s)
    progress = DEADLINES.progress(
        "mo-request-decision", START_S, clock.happenings[1:], at("2026-10-01 10:00")
    )
    assert (progress.stage, progress.percent) == (Stage.CLOSED_IN_TIME, 0)


@pytest.mark.parametrize(
    ("happenings", "now", "stage", "percent", "passed"),
    [
        ((), "2026-03-02 11:00", Stage.RUNNING, 0, 0),
        ((), "2026-03-09 17:45", Stage.RUNNING, 50, 5),
        ((), "2026-03-14 12:00", Stage.RUNNING, 90, 9),
        ((), "2026-03-16 17:45", Stage.RUNNING, 100, 10),
        ((), "2026-03-16 17:46", Stage.OVERDUE, 100, 10),
        (("pause 2026-03-06 12:00",), "2026-05-01 12:00", Stage.PAUSED, 33, 3),
        (("close 2026-03-09 17:45",), "2026-05-01 12:00", Stage.CLOSED_IN_TIME, 50, 5),
        (("close 2026-03-17 10:00",), "2026-05-01 12:00", Stage.CLOSED_LATE, 100, 10),
        (("close 2026-03-17 10:00",), "2026-03-17 09:00", Stage.OVERDUE, 100, 10),
    ],
)
def test_progress_says_where_a_case_stands(
    happenings: tuple[str, ...], now: str, stage: Stage, percent: int, passed: int
) -> None:
    made = [
        Paused(at_s=at(text[6:]), reason=MISSING)
        if text.startswith("pause")
        else Closed(at_s=at(text[6:]))
        for text in happenings
    ]
    progress = DEADLINES.progress("mo-request-decision", START_S, made, at(now))
    assert (progress.stage, progress.percent, progress.passed, progress.total) == (
        (stage, percent, passed, 10)
    )


def test_pause_after_the_due_time_is_refused() -> None:
    late = Paused(at_s=at("2026-03-16 17:46"), reason=MISSING)
    with pytest.raises(HistoryRefused, match="was over by then") as refusal:
        DEADLINES.due("mo-request-decision", START_S, [late])
    assert refusal.value.field == "happenings[1].at"


def test_extension_while_paused_is_in_time_however_long_the_pause() -> None:
    paused = Paused(at_s=at("2026-03-04 10:00"), reason=MISSING)
    extended = Extended(at_s=at("2026-04-20 10:00"), reason="workload", by="data-officer")
    due = DEADLINES.due("mo-request-decision", START_S, [paused, extended])
    assert (due.is_paused, due.is_extended, due.counted) == (True, True, 15)


@pytest.mark.parametrize("amount", [0, 6])
def test_extension_is_bounded_by_the_profile(amount: int) -> None:
    extended = Extended(at_s=START_S, reason="workload", by="data-officer", amount=amount)
    with pytest.raises(HistoryRefused, match="1 to 5 units") as refusal:
        DEADLINES.due("mo-request-decision", START_S, [extended])
    assert refusal.value.field == "happenings[1].amount"


def test_profile_without_extension_refuses_one() -> None:
    with pytest.raises(HistoryRefused, match="allows no extension"):
        DEADLINES.due("mo-request-delivery", START_S, [EXTENDED])
