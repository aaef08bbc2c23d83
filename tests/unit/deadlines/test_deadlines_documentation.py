"""docs/deadlines.md tells every key of the files, every calendar and every profile as shipped."""

import re
from pathlib import Path

import pytest

from api.deadlines import loading
from api.deadlines.calendars import DayKind
from api.deadlines.loading import load_deadlines
from api.deadlines.profiles import EndRule, Profile, ReceiptRule, RollRule, StartRule, Unit

PAGE = (Path(__file__).parents[3] / "docs" / "deadlines.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-z0-9_-]+", PAGE))


@pytest.mark.parametrize(
    "model",
    [
        loading._Calendar,
        loading._Hours,
        loading._Source,
        loading._Day,
        loading._Profile,
        loading._Closure,
    ],
)
def test_page_documents_every_key(model: type[loading._Entry]) -> None:
    assert set(model.model_fields) <= WORDS | {"day", "source"}


@pytest.mark.parametrize("rule", [Unit, StartRule, ReceiptRule, EndRule, RollRule, DayKind])
def test_page_documents_every_value(rule: type[Unit]) -> None:
    assert {value.value for value in rule} <= WORDS


def describe(profile: Profile) -> str:
    unit = profile.unit.value.replace("_", " ")
    limit = f"{profile.amount} {unit.removesuffix('s') if profile.amount == 1 else unit}"
    if profile.extension:
        limit += f", one extension of {profile.extension}"
    return f"| `{profile.name}` | {limit} | {'yes' if profile.to_check else 'no'} |"


def test_page_lists_what_is_shipped() -> None:
    deadlines = load_deadlines()
    rows = set(PAGE.splitlines())
    assert {describe(profile) for profile in deadlines.list_profiles()} <= rows
    for calendar in deadlines.list_calendars():
        years = f"| `{calendar.name}` | {calendar.first.year} to {calendar.last.year} |"
        assert years in PAGE
