"""Times on pages: in the jurisdiction's zone, with UTC beside."""

from zoneinfo import ZoneInfo

import pytest

from api.deadlines.loading import load_deadlines
from api.explorer.law.moments import Place, Places, write_moment
from api.explorer.registry import EMPTY_REGISTRY
from contracts.labels import encode_label

MACAO = Place(jurisdiction="MO", zone=ZoneInfo("Asia/Macau"))


@pytest.mark.parametrize(
    ("text", "local", "beside"),
    [
        ("2026-11-22T08:00:00Z", "2026-11-22 16:00:00", "08:00:00 UTC"),
        ("2026-11-22T20:30:00Z", "2026-11-23 04:30:00", "2026-11-22 20:30:00 UTC"),
        (0, "1970-01-01 08:00:00", "00:00:00 UTC"),
    ],
)
def test_moment_is_written_in_two_zones(text: str | int, local: str, beside: str) -> None:
    written = write_moment(text, MACAO)
    assert (written.local, written.beside, written.jurisdiction) == (local, beside, "MO")


@pytest.mark.parametrize("place", [None, MACAO])
def test_last_moment_of_the_calendar_is_written_in_utc(place: Place | None) -> None:
    written = write_moment("9999-12-31T23:59:59Z", place)
    assert written.local is None
    assert written.beside == written.utc == "9999-12-31 23:59:59 UTC"
    assert written.machine == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("jurisdiction", "zone"), [("MO", "Asia/Macau"), ("CN-GD", "Asia/Shanghai"), ("PT", None)]
)
def test_zone_is_that_of_the_administrations_calendar(jurisdiction: str, zone: str | None) -> None:
    places = Places(load_deadlines(None), EMPTY_REGISTRY)
    found = places.find_jurisdiction(encode_label(jurisdiction))
    assert (None if found is None else str(found.zone)) == zone
    assert places.find(None) is None
    assert places.find("mo-nobody") is None
