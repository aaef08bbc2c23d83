"""Which alerts are told, and which are not told twice."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.deadlines.alerts import (
    OpenDeadline,
    find_next_alert,
    list_alerts_to_tell,
    spread_alerts,
    watch,
)
from api.deadlines.clocks import Paused
from api.deadlines.due import Alert
from tests.unit.deadlines.deadlines_world import at, make_deadlines

DEADLINES = make_deadlines()
UID = bytes(31) + b"\x01"
OTHER = bytes(31) + b"\x02"
START_S = at("2026-03-02 10:00")
OPEN = watch(UID, DEADLINES.due("mo-request-decision", START_S))
AT_80_S = at("2026-03-12 17:45")
AT_100_S = at("2026-03-16 17:45")


def test_alert_is_told_from_its_moment_on() -> None:
    assert list_alerts_to_tell([OPEN], AT_80_S - 1) == ()
    (told,) = list_alerts_to_tell([OPEN], AT_80_S)
    assert (told.uid, told.alert, told.is_over) == (UID, Alert(percent=80, at_s=AT_80_S), False)


def test_alert_told_once_is_not_told_again() -> None:
    told = replace(OPEN, told_percent=80)
    assert list_alerts_to_tell([told], AT_100_S - 1) == ()
    (last,) = list_alerts_to_tell([told], AT_100_S)
    assert (last.alert.percent, last.is_over) == (100, True)
    assert list_alerts_to_tell([replace(OPEN, told_percent=100)], AT_100_S + 10**6) == ()


def test_after_a_standstill_only_the_highest_is_told() -> None:
    (told,) = list_alerts_to_tell([OPEN], AT_100_S + 5)
    assert told.alert.percent == 100


def test_paused_clock_is_silent() -> None:
    paused = Paused(at_s=at("2026-03-04 10:00"), reason="missing_documents")
    still = watch(UID, DEADLINES.due("mo-request-decision", START_S, [paused]))
    assert list_alerts_to_tell([still], AT_100_S + 10**6) == ()
    assert find_next_alert([still]) is None


def test_next_alert_is_the_earliest_untold() -> None:
    other = OpenDeadline(uid=OTHER, alerts=(Alert(percent=100, at_s=AT_80_S + 60),))
    assert find_next_alert([OPEN, other]) == AT_80_S
    assert find_next_alert([replace(OPEN, told_percent=80), other]) == AT_80_S + 60
    assert find_next_alert([]) is None


def test_alerts_come_oldest_first() -> None:
    other = OpenDeadline(uid=OTHER, alerts=(Alert(percent=100, at_s=AT_80_S - 60),))
    told = list_alerts_to_tell([OPEN, other], AT_80_S)
    assert [one.uid for one in told] == [OTHER, UID]


@given(
    started_s=st.integers(0, 2**31),
    length_s=st.integers(0, 10**8),
    percents=st.lists(st.integers(1, 100), unique=True, max_size=5).map(sorted),
)
def test_spread_alerts_lie_in_order_between_start_and_due(
    started_s: int, length_s: int, percents: list[int]
) -> None:
    alerts = spread_alerts(started_s, started_s + length_s, percents)
    times = [alert.at_s for alert in alerts]
    assert times == sorted(times)
    assert all(started_s <= one <= started_s + length_s for one in times)
    if 100 in percents:
        assert times[-1] == started_s + length_s
