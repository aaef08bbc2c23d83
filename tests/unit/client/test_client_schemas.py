"""Pointers and schemas: what names a field, and what a document may hold."""

import json
import sys
from typing import Any

import pytest
from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import DocumentRefused, PointerMalformed, ReasonCode, SchemaInvalid
from atesta_client.pointers import ABSENT, format_pointer, get_value, parse_pointer
from atesta_client.schemas import Schema, compute_pointers_hash
from hypothesis import given
from hypothesis import strategies as st

TOKENS = st.text(max_size=6).filter(lambda token: token != "-")

# RFC 6901, section 5: the document and what its pointers evaluate to.
EXAMPLE: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", EXAMPLE),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/foo/2", ABSENT),
        ("/foo/00", ABSENT),
        ("/foo/bar", ABSENT),
        ("/a~1b/x", ABSENT),
        ("/nothing", ABSENT),
    ],
)
def test_pointer_evaluates_as_in_rfc_6901(pointer: str, value: Any) -> None:
    assert get_value(EXAMPLE, parse_pointer(pointer)) == value


@given(st.lists(TOKENS, max_size=5))
def test_pointer_round_trips(tokens: list[str]) -> None:
    assert parse_pointer(format_pointer(tokens)) == tuple(tokens)


def test_pointer_unescapes_each_character_once() -> None:
    assert parse_pointer("/~01/~10") == ("~1", "/0")


@pytest.mark.parametrize("pointer", ["name", "/a~", "/a~2", "/list/-", "/" + "x" * 600])
def test_pointer_refuses_malformed(pointer: str) -> None:
    with pytest.raises(PointerMalformed):
        parse_pointer(pointer)


@pytest.mark.parametrize(
    "pointers", [(), ("/a", "/a"), ("/a", "/a/b"), ("/a/b/c", "/a"), ("", "/a"), ("/a",) * 2000]
)
def test_schema_refuses_overlap_and_repetition(pointers: tuple[str, ...]) -> None:
    with pytest.raises(SchemaInvalid):
        Schema(uid=b"\x00" * 32, pointers=pointers)


def test_schema_keeps_unsplit_array_and_object_as_one_value() -> None:
    schema = Schema(uid=b"\x00" * 32, pointers=("/list", "/object", "/deep/1/x", "/deep/0", "/no"))
    document = {"list": [], "object": {"a": {}}, "deep": ["zero", {"x": None}]}
    assert schema.split(document) == ([], {"a": {}}, None, "zero", ABSENT)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
def test_schema_split_accounts_for_every_member(document: dict[str, int]) -> None:
    schema = Schema(uid=b"\x00" * 32, pointers=("/a", "/b", "/c", "/d"))
    outside = set(document) - set("abcd")
    if outside or not document:
        with pytest.raises(DocumentRefused) as refusal:
            schema.split(document)
        assert refusal.value.code is ReasonCode.FIELD_OUTSIDE_SCHEMA
    else:
        values = dict(zip("abcd", schema.split(document), strict=True))
        assert {name: value for name, value in values.items() if value is not ABSENT} == document


def test_pointers_hash_depends_on_order_and_is_stable() -> None:
    assert compute_pointers_hash(["/a", "/b"]) != compute_pointers_hash(["/b", "/a"])
    assert (
        compute_pointers_hash(["/nam/fn", "/dob"]).hex()
        == "b7ac4fe45cde015875f9dfc2de6347f07cfe19c1c941abdfd1f150e893e4264e"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": Infinity}', "Infinity"),
        ('{"a": 9007199254740993}', "2^53"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"\\ud800": 1}', "surrogate"),
        ("[" * 40 + "]" * 40, "32 levels"),
        ("[" * 100_000, "32 levels"),
        ('["' + "[" * 100 + '", ' + "[" * 33, "32 levels"),
        ("{", "line 1"),
        ("1" * 5000, "oversized"),
        ("1e999", "finite"),
        (b"\xff{}", "UTF-8"),
        (b"\xef\xbb\xbf{}", "line 1"),
        (" " * 1_100_000, "longer"),
    ],
)
def test_json_with_more_than_one_reading_is_refused(text: str | bytes, fault: str) -> None:
    with pytest.raises(DocumentRefused, match=fault.replace("^", r"\^")) as refusal:
        load_json(text)
    assert refusal.value.code is ReasonCode.DOCUMENT_MALFORMED


def test_brackets_inside_texts_are_not_depth() -> None:
    value = ["[" * 100, '\\"' + "{" * 50, {"]" * 40: "["}]
    assert load_json(json.dumps(value)) == value


def test_deep_nesting_is_refused_where_the_recursion_limit_was_raised() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        for text in ("[" * 500_000, '{"a":' * 100_000, '{"a": "' + "[" * 200 + '"'):
            with pytest.raises(DocumentRefused):
                load_json(text)
    finally:
        sys.setrecursionlimit(limit)


def test_refused_number_is_not_quoted() -> None:
    with pytest.raises(DocumentRefused) as refusal:
        dump_canonical({"identity": 9_007_199_254_740_993})
    assert "9007199254740993" not in str(refusal.value)


@pytest.mark.parametrize("number", [2.0**53, -(2.0**53), 1e16, 9.99e20])
def test_number_that_would_be_written_as_an_oversized_integer_is_refused(number: float) -> None:
    with pytest.raises(DocumentRefused, match="2\\^53"):
        dump_canonical({"a": number})
    with pytest.raises(DocumentRefused, match="2\\^53"):
        load_json(f'{{"a": {number!r}}}')
    for readable in (1e21, 2.0**53 - 1, 1e300, 0.5):
        assert load_json(dump_canonical({"a": readable})) == {"a": readable}
