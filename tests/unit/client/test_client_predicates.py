"""Yes/no fields: computed by the issuer, attested with the document, shown alone."""

import secrets
from datetime import date, timedelta
from typing import Any

import pytest
from atesta_client.credentials import LedgerReference, make_credential
from atesta_client.errors import DocumentRefused
from atesta_client.holder_keys import HolderKey
from atesta_client.predicates import AgeAtLeast, Below, OneOf, read_answer, with_predicates
from atesta_client.presentations import (
    Occasion,
    encode_presentation,
    present,
    validate_presentation,
)
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

ON = date(2026, 11, 22)
NOW = 1_790_000_000
SCHEMA = Schema(
    uid=b"\x07" * 32,
    pointers=("/born", "/income", "/place", "/over_18", "/income_below_limit", "/local", "/cnf"),
)
ADULT = AgeAtLeast(pointer="/over_18", source="/born", years=18)
POOR = Below(pointer="/income_below_limit", source="/income", limit=10_000)
LOCAL = OneOf(pointer="/local", source="/place", values=frozenset({"MO"}))
DOCUMENT = {"born": "1990-01-31", "income": 10_000, "place": "MO"}


def test_answers_are_computed_with_the_day_of_reference() -> None:
    answered = with_predicates(DOCUMENT, SCHEMA, [ADULT, POOR, LOCAL], on=ON)
    assert read_answer(answered["over_18"]) == (True, ON)
    assert read_answer(answered["income_below_limit"]) == (False, ON)
    assert read_answer(answered["local"]) == (True, ON)
    assert with_predicates(answered, SCHEMA, [ADULT, POOR, LOCAL], on=ON) == answered
    assert "over_18" not in DOCUMENT


@pytest.mark.parametrize(
    ("born", "is_adult"),
    [("2008-11-22", True), ("2008-11-23", False), ("2026-11-22", False), ("1926-02-28", True)],
)
def test_age_changes_on_the_birthday(born: str, is_adult: bool) -> None:
    answered = with_predicates({"born": born}, SCHEMA, [ADULT], on=ON)
    assert read_answer(answered["over_18"])[0] is is_adult


def test_born_on_29_february_grows_older_on_1_march() -> None:
    for on, expected in ((date(2026, 2, 28), False), (date(2026, 3, 1), True)):
        answered = with_predicates({"born": "2008-02-29"}, SCHEMA, [ADULT], on=on)
        assert read_answer(answered["over_18"])[0] is expected


@given(st.dates(date(1900, 1, 1), ON), st.integers(0, 40_000))
def test_yes_about_an_age_stays_yes(born: date, later: int) -> None:
    days = (ON, ON + timedelta(days=later))
    first, second = (ADULT.compute(born.isoformat(), day) for day in days)
    assert second or not first


@pytest.mark.parametrize(
    ("document", "predicate", "pointer"),
    [
        ({"born": "31.1.1990"}, ADULT, "/over_18"),
        ({"born": "2026-11-23"}, ADULT, "/over_18"),
        ({"born": 1990}, ADULT, "/over_18"),
        ({}, ADULT, "/over_18"),
        ({"income": True}, POOR, "/income_below_limit"),
        ({"income": "1"}, POOR, "/income_below_limit"),
        ({"place": 1}, LOCAL, "/local"),
        ({"born": "2020-01-01", "over_18": True}, ADULT, "/over_18"),
        (
            {"born": "2020-01-01", "over_18": {"on": "2026-11-22", "value": True}},
            ADULT,
            "/over_18",
        ),
        (DOCUMENT, AgeAtLeast(pointer="/over_21", source="/born", years=21), "/over_21"),
        ([], ADULT, ""),
    ],
)
def test_what_cannot_be_answered_or_contradicts_is_refused_without_the_value(
    document: Any, predicate: Any, pointer: str
) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        with_predicates(document, SCHEMA, [predicate], on=ON)
    assert refusal.value.pointer == pointer
    assert "2020" not in str(refusal.value)


def test_answer_is_shown_alone_and_proved_without_its_source() -> None:
    key = HolderKey.generate()
    credential = make_credential(
        with_predicates(DOCUMENT, SCHEMA, [ADULT], on=ON),
        schema=SCHEMA,
        issuer=b"\x11" * 32,
        ledger=LedgerReference(chain_id=7, genesis_hash=b"\x0a" * 32),
        random_bytes=secrets.token_bytes,
        holder_key=key.public_key,
    )
    occasion = Occasion(verifier="0x" + "22" * 32, purpose="bar", nonce="0x" + "33" * 32)
    shown = present(credential, ["/over_18"], occasion=occasion, now_s=NOW, key=key)
    checked = validate_presentation(shown, occasion=occasion, now_s=NOW, required=["/over_18"])
    assert read_answer(checked.values["/over_18"]) == (True, ON)
    assert "1990-" not in encode_presentation(shown).decode()


@pytest.mark.parametrize(
    "value", [True, None, {}, {"on": "x", "value": True}, {"on": "2026-11-22", "value": 1}]
)
def test_anything_else_is_no_answer(value: Any) -> None:
    with pytest.raises(DocumentRefused):
        read_answer(value)
