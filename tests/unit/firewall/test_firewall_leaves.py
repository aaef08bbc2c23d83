"""What names a person is looked for however often it stands in the vault; codes are left out."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.firewall.audit.leaves import (
    CODE_PERSONS,
    COMMON_PERSONS,
    JsonNumber,
    Leaf,
    LeafBook,
    has_number,
)
from api.firewall.audit.values import _iterate_content

TODAY = date(2026, 11, 23)
NAME = "Maria da Conceição Gonçalves"


def judge(
    leaves: Iterable[tuple[Leaf, str]], public: frozenset[str] = frozenset()
) -> dict[str, str | None]:
    book = LeafBook(today=TODAY, public=public)
    for leaf, document in leaves:
        book.add(leaf, document)
    return {leaf.text: reason for leaf, reason in book.judge()}


def write(text: str, *, is_coded: bool = False, names_person: bool = False) -> Leaf:
    return Leaf(text=text, label="a label", is_coded=is_coded, names_person=names_person)


def fill(count: int) -> list[tuple[Leaf, str]]:
    """Return documents of as many other persons."""
    return [(write(f"{7_000_000 + number}(1)"), f"other {number}") for number in range(count)]


def find_reason(text: str, uses: int, total: int) -> str | None:
    places = [(write(text), f"other {number}") for number in range(uses)]
    return judge([*fill(total), *places])[text]


@pytest.mark.parametrize(
    ("text", "uses", "total"),
    [
        ("m12345678", 1, 500),
        ("ma1234567", 1, 500),
        ("cheong.weng.ian", 1, 500),
        ("joana", 1, 500),
        ("wechat_id-1985", 1, 500),
        ("12345678", 5, 100),
        ("12345678", 5, 249),
        ("12345678", 300, 300),
        ("".join(chr(0xFF10 + digit) for digit in range(1, 9)), 300, 300),
        ("1985-03-04", 200, 200),
        ("1985-03-04T09:00:00Z", 200, 200),
        ("2024-11-01", 200, 200),
        ("2026-11-20/12345", 1, 100),
        ("2026-11-20 1234567(8)", 1, 100),
        ("0x12345678", 1, 100),
        (NAME, 6, 40),
        (NAME, 49, 49),
    ],
)
def test_text_that_may_name_a_person_is_looked_for(text: str, uses: int, total: int) -> None:
    assert find_reason(text, uses, total) is None


@pytest.mark.parametrize(
    ("text", "uses", "total", "reason"),
    [
        ("positive", CODE_PERSONS, 500, "code words"),
        ("CN-GD", CODE_PERSONS, 500, "code words"),
        ("Hospital Conde S. Januário", COMMON_PERSONS, 500, "common to many persons"),
        ("text/plain", COMMON_PERSONS, 500, "common to many persons"),
        ("2025-03-04", 1, 500, "recent dates"),
        ("2026-09-21T14:13:24Z/2026-12-20", 1, 500, "recent dates"),
        ("0x" + "ab" * 32, 1, 500, "public identifiers"),
        ("王", 1, 500, "too short to be told from chance"),
    ],
)
def test_text_that_tells_of_nobody_is_left_out(
    text: str, uses: int, total: int, reason: str
) -> None:
    assert find_reason(text, uses, total) == reason


def test_one_persons_name_is_not_common_however_many_documents_have_it() -> None:
    own = [
        (write(text), f"document {number}")
        for number in range(COMMON_PERSONS * 2)
        for text in (NAME, "joana", "12345678", f"certificate {number:05}")
    ]
    found = judge([*own, *fill(20)])
    assert (found[NAME], found["joana"], found["12345678"]) == (None, None, None)
    strangers = [(write(NAME), f"other {number}") for number in range(COMMON_PERSONS)]
    assert judge([*fill(COMMON_PERSONS), *strangers])[NAME] == "common to many persons"


def test_common_is_at_least_one_person_in_fifty() -> None:
    many = COMMON_PERSONS * 60
    assert find_reason("Rua Central", COMMON_PERSONS, many) is None
    assert find_reason("Rua Central", many // 50 + 1, many) == "common to many persons"


def test_reference_is_looked_for_whatever_it_looks_like() -> None:
    for text in ("joana", "public", "ab" * 32):
        places = [(write(text, names_person=True), f"other {number}") for number in range(100)]
        assert judge(places, public=frozenset({"public"}))[text] is None
    recent = (write("2026-11-20", names_person=True), "a document")
    assert judge([recent])["2026-11-20"] == "recent dates", "it is in every log"


def test_member_of_our_own_formats_is_a_code_unless_it_stands_elsewhere_too() -> None:
    for text in ("mo-health-bureau", "sha-256", "/income_band", "received"):
        coded = (write(text, is_coded=True), "a document")
        assert judge([coded])[text] == "code words"
        assert judge([coded, (write(text), "another")])[text] is None
    assert judge([(write("m12345678", is_coded=True), "a document")])["m12345678"] is None


def test_small_numbers_can_be_common_and_long_ones_cannot() -> None:
    for number, reason in ((86_400, "common to many persons"), (12_345_678, None)):
        text = JsonNumber(number)
        places = [(write(text), f"other {place}") for place in range(COMMON_PERSONS)]
        assert judge([*fill(COMMON_PERSONS), *places])[text] == reason


@given(st.text(max_size=40), st.integers(1, 120))
def test_no_text_with_five_digits_is_called_a_code_or_common(text: str, uses: int) -> None:
    reason = find_reason(text, uses, uses)
    if has_number(text):
        assert reason in {None, "recent dates", "public identifiers"}


def test_times_of_a_signed_message_are_times_although_they_are_texts() -> None:
    """The ledger has them too, so an audit would find them in every index."""
    message = {"eventTime": "1795401996", "responseTime": "604800", "note": "1795401997"}
    book = LeafBook(today=date(2026, 11, 23))
    for leaf in _iterate_content("materials", {"body": {"message": message}}, ()):
        book.add(leaf, "materials")
    assert [leaf.text for leaf, reason in book.judge() if reason is None] == ["1795401997"]


@pytest.mark.parametrize("nonce", [3, 2**255 + 7])
def test_nonce_of_a_signed_message_is_public_however_it_is_written(nonce: int) -> None:
    message = {"nonce": str(nonce), "note": "66123456"}
    book = LeafBook(today=date(2026, 11, 23))
    for leaf in _iterate_content("materials", {"body": {"message": message}}, ()):
        book.add(leaf, "materials")
    judged = {leaf.label.partition("/message/")[2]: reason for leaf, reason in book.judge()}
    assert judged == {"nonce": "public identifiers", "note": None}
