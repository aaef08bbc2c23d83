"""Definitions of yes/no fields: written, read back, refused; and documents completed by them."""

from datetime import date, timedelta
from typing import Any

import pytest
from atesta_client.errors import DocumentRefused, SchemaInvalid
from atesta_client.predicate_definitions import (
    MAX_LIMIT,
    MAX_PREDICATES,
    format_predicate,
    read_predicate,
    validate_predicates,
)
from atesta_client.predicates import (
    AgeAtLeast,
    Below,
    OneOf,
    Predicate,
    complete_document,
    read_answer,
)
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 22)
SCHEMA = Schema(
    uid=b"\x07" * 32, pointers=("/born", "/person/income", "/place", "/over_18", "/poor", "/cnf")
)
ADULT = AgeAtLeast(pointer="/over_18", source="/born", years=18)
POOR = Below(pointer="/poor", source="/person/income", limit=10_000)
POINTERS = st.sampled_from(["/a", "/over_18", "/a/b~1c", "/"])
PREDICATES: st.SearchStrategy[Predicate] = st.one_of(
    st.builds(AgeAtLeast, pointer=POINTERS, source=POINTERS, years=st.integers(1, 150)),
    st.builds(Below, pointer=POINTERS, source=POINTERS, limit=st.integers(-MAX_LIMIT, MAX_LIMIT)),
    st.builds(
        OneOf,
        pointer=POINTERS,
        source=POINTERS,
        values=st.frozensets(st.text(min_size=1, max_size=20), min_size=1, max_size=5),
    ),
)


@given(PREDICATES)
def test_any_definition_is_read_back_as_it_was(predicate: Predicate) -> None:
    assert read_predicate(format_predicate(predicate)) == predicate


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "older"},
        {"years": 0},
        {"years": 151},
        {"years": True},
        {"years": "18"},
        {"limit": 5},
        {"pointer": 1},
    ],
)
def test_definition_of_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SchemaInvalid):
        read_predicate({**format_predicate(ADULT), **change})


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"kind": "below", "pointer": "/a", "source": "/b", "limit": 1.5},
        {"kind": "below", "pointer": "/a", "source": "/b", "limit": 2**53},
        {"kind": "one_of", "pointer": "/a", "source": "/b", "values": []},
        {"kind": "one_of", "pointer": "/a", "source": "/b", "values": ["x", "x"]},
        {"kind": "one_of", "pointer": "/a", "source": "/b", "values": ["x", 1]},
        {"kind": "one_of", "pointer": "/a", "source": "/b", "values": [""]},
    ],
)
def test_definition_that_asks_nothing_is_refused(value: Any) -> None:
    with pytest.raises(SchemaInvalid):
        read_predicate(value)


def test_schema_asks_what_its_fields_can_answer() -> None:
    validate_predicates([ADULT, POOR], SCHEMA)


@pytest.mark.parametrize(
    ("predicates", "pointer"),
    [
        ([AgeAtLeast(pointer="/over_21", source="/born", years=21)], "/over_21"),
        ([AgeAtLeast(pointer="/cnf", source="/born", years=21)], "/cnf"),
        ([AgeAtLeast(pointer="/person/income", source="/born", years=21)], "/person/income"),
        ([ADULT, ADULT], "/over_18"),
        ([AgeAtLeast(pointer="/over_18", source="/birth", years=18)], "/over_18"),
        ([AgeAtLeast(pointer="/over_18", source="born", years=18)], "/over_18"),
        ([AgeAtLeast(pointer="/over_18", source="/person", years=18)], "/over_18"),
        ([AgeAtLeast(pointer="/over_18", source="/over_18", years=18)], "/over_18"),
        ([ADULT, OneOf(pointer="/poor", source="/over_18", values=frozenset("x"))], "/poor"),
        ([AgeAtLeast(pointer="/over_18", source="/born", years=0)], "/over_18"),
        ([ADULT] * (MAX_PREDICATES + 1), None),
    ],
)
def test_schema_cannot_ask_what_it_has_no_field_for(
    predicates: list[Predicate], pointer: str | None
) -> None:
    with pytest.raises(SchemaInvalid) as refusal:
        validate_predicates(predicates, SCHEMA)
    assert refusal.value.pointer == pointer


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 20_000))
def test_answer_given_for_its_own_day_is_kept_or_refused(born: date, days: int) -> None:
    on = TODAY - timedelta(days=min(days, (TODAY - born).days))
    right = ADULT.compute(born.isoformat(), on)
    document = {"born": born.isoformat(), "over_18": {"on": on.isoformat(), "value": right}}
    assert complete_document(document, SCHEMA, [ADULT], today=TODAY) == document
    document["over_18"] = {"on": on.isoformat(), "value": not right}
    with pytest.raises(DocumentRefused) as refusal:
        complete_document(document, SCHEMA, [ADULT], today=TODAY)
    assert refusal.value.pointer == "/over_18"


def test_answers_not_given_are_computed_for_today() -> None:
    document = {"born": "2008-11-22", "person": {"income": 9_999}}
    completed = complete_document(document, SCHEMA, [ADULT, POOR], today=TODAY)
    assert read_answer(completed["over_18"]) == (True, TODAY)
    assert read_answer(completed["poor"]) == (True, TODAY)
    assert complete_document(completed, SCHEMA, [ADULT, POOR], today=TODAY) == completed


@pytest.mark.parametrize(
    "answer",
    [
        True,
        None,
        {"on": "2026-11-22", "value": 1},
        {"on": "2026-11-24", "value": True},
        {"on": "1990-01-30", "value": False},
    ],
)
def test_answer_of_no_day_of_another_form_or_to_come_is_refused(answer: Any) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        complete_document({"born": "1990-01-31", "over_18": answer}, SCHEMA, [ADULT], today=TODAY)
    assert refusal.value.pointer == "/over_18"
    assert "1990-" not in str(refusal.value)


def test_answer_of_tomorrow_is_today_somewhere_east() -> None:
    document = {"born": "2008-11-23", "over_18": {"on": "2026-11-23", "value": True}}
    assert complete_document(document, SCHEMA, [ADULT], today=TODAY) == document
