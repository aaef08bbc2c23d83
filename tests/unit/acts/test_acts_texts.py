"""Public texts, sets of fields and acts, and the words for the ledger's numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.acts.calls import order_args
from api.rest.words import NUMBERS, KeyRoleWord, encode_roles, encode_word, find_word
from api.texts.act_lists import ActUnknown, build_scope, list_scope
from api.texts.fields import Field, FieldUnknown, build_fields_text, build_mask, list_pointers
from api.texts.text import PublicText, TextKind
from contracts.addresses import CATALOGUE_NAME
from contracts.codes import ALL_ROLES, Role

POINTERS = tuple(f"/field_{number}" for number in range(256))
FIELDS = build_fields_text(
    "Everything", [Field(pointer=pointer, title=pointer) for pointer in POINTERS], language="en"
)
ACTS = PublicText(
    kind=TextKind.ACT_LIST,
    body={"title": "x", "acts": [{"code": f"a{n}", "title": "x"} for n in range(256)]},
)


@given(st.sets(st.sampled_from(POINTERS)))
def test_field_sets_are_words_and_back(pointers: set[str]) -> None:
    mask = build_mask(FIELDS, pointers)
    assert 0 <= mask < 2**256
    assert mask.bit_count() == len(pointers)
    assert list_pointers(FIELDS, mask) == [name for name in POINTERS if name in pointers]


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_scopes_are_words_and_back(scope: int) -> None:
    assert build_scope(ACTS, list_scope(ACTS, scope)) == scope


def test_unknown_fields_and_acts_are_named_by_their_place() -> None:
    with pytest.raises(FieldUnknown) as field:
        build_mask(FIELDS, ["/field_1", "/nothing"])
    with pytest.raises(ActUnknown) as act:
        build_scope(ACTS, ["nothing"])
    assert (field.value.place, act.value.place) == (1, 0)


@pytest.mark.parametrize(
    "change",
    [{"kind": TextKind.LAW}, {"language": "pt"}, {"body": {"text": "other"}}, {"body": {}}],
)
def test_text_hash_covers_kind_language_and_body(change: dict[str, Any]) -> None:
    text: dict[str, Any] = {"kind": TextKind.NOTICE, "language": "en", "body": {"text": "x"}}
    assert PublicText(**text).hash != PublicText(**(text | change)).hash
    assert PublicText(**text).hash == PublicText(**text).hash


def test_text_hash_is_the_one_written_down() -> None:
    text = PublicText(kind=TextKind.LAW, language="en", body={"b": 1, "a": "ü"})
    assert text.written == '{"body":{"a":"ü","b":1},"kind":"law","language":"en"}'.encode()
    assert text.hash.hex() == HASH


HASH = "89c01fb531639dbb41d7a96e3ab6ece6352e091c552636b6888999fb217c87c7"


def test_words_are_numbered_as_the_contracts_count() -> None:
    for words, numbers in NUMBERS.items():
        named = {number.name: int(number) for number in numbers}
        assert {word.name: encode_word(word) for word in words} == named
        assert [find_word(words, number) for number in named.values()] == list(words)
        assert find_word(words, 0) is None
        assert find_word(words, 99) is None


def test_words_of_roles_are_all_roles() -> None:
    assert encode_roles(KeyRoleWord) == int(ALL_ROLES)
    assert encode_roles([KeyRoleWord.DECIDE, KeyRoleWord.ADMIN]) == int(Role.DECIDE | Role.ADMIN)


def test_arguments_go_by_name_and_none_may_lack() -> None:
    args = {"uid": b"\1" * 32, "state": 2, "reason": 1}
    ordered = order_args(CATALOGUE_NAME, "set_dataset_state", args, event_time_s=7)
    assert ordered == (b"\1" * 32, 2, 1, 7)
    for wrong in ({"uid": b"\1" * 32, "state": 2}, args | {"colour": 1}):
        with pytest.raises(AssertionError, match="set_dataset_state takes"):
            order_args(CATALOGUE_NAME, "set_dataset_state", wrong, event_time_s=7)
