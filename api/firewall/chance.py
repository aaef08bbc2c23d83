"""The commitment rule: which 32 bytes are refused because they are data in disguise.

A commitment, a uid, a hash of a public text look like chance; packed text, digits, dates or padding
do not. The rules stop mistakes and laziness, not a determined liar: whoever encrypts a name with a
key of their own gets bytes that look like chance too. So a commitment that this node has neither
computed nor seen opened is marked "unopened" for everybody to see, needs a role, and is held to the
stricter of the two measures here.

How often the rules refuse true chance, for one value: less than once in ten million times by the
measure for all values, less than once in fifty thousand by the strict one; other salts help then.
"""

import re
from collections.abc import Callable
from typing import Final

from api.errors import InvalidField

WIDTH: Final = 32
"""Bytes of a commitment, a uid or a hash."""
MIN_VARIETY: Final = 16
"""Fewest different byte values in 32 random bytes; 30 are usual."""

# Of random bytes, Big5 reads 32 as Chinese twice in a million times, and 20 far more often.
_STRICT_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb2312", "big5")
_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb2312")
_NARROW_ENCODINGS: Final = ("utf-8",)
# A longer run of padding than 4 bytes at one end is no chance: 2^-40 for the fifth.
_PADDED: Final = re.compile(
    rb"\A(?:\x00{5}|\x20{5}|\xff{5})|(?:\x00{5}|\x20{5}|\xff{5})\Z", re.DOTALL
)
# A glance at the bytes spares most values the decoder.
_SHAPES: Final = {
    "utf-8": re.compile(rb"(?:[\x20-\x7e]|[\xc2-\xef][\x80-\xbf]{1,2})+"),
    "utf-16-le": re.compile(rb"(?:.[\x00-\x02\x30\x4e-\x9f\xff])+", re.DOTALL),
    "utf-16-be": re.compile(rb"(?:[\x00-\x02\x30\x4e-\x9f\xff].)+", re.DOTALL),
    "gb2312": re.compile(rb"(?:[\x20-\x7e]|[\xa1-\xf7][\xa1-\xfe])+"),
    "big5": re.compile(rb"(?:[\x20-\x7e]|[\xa1-\xf9][\x40-\xfe])+"),
}
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100
_LAST_TIME_S: Final = 4_102_444_800
"""The year 2100 in seconds since 1970."""
_PACKED: Final = re.escape(bytes(byte for byte in range(0x9A) if byte >> 4 <= 9 and byte & 15 <= 9))
_WIDE: Final = re.compile(rb"(?:[\x20-\x7e]\x00){4}|(?:\x00[\x20-\x7e]){4}")
_CHINESE: Final = rb"(?:[\xe3-\xe9][\x80-\xbf][\x80-\xbf]|[\xef][\xbc-\xbd][\x80-\xbf])"

# Runs inside a value, each with how often chance makes it: 32 random bytes hold one of the first
# list about once in 2 * 10^7 times, one of the second about once in 8 * 10^4 times.
_RUNS: Final = (
    (_WIDE, "text"),
    (re.compile(rb"[\x20-\x7e]{20}"), "text"),
    (re.compile(rb"[0-9]{7}"), "digits"),
    (re.compile(_CHINESE + rb"{4}"), "text"),
    (re.compile(rb"[" + _PACKED + rb"]{22}"), "packed digits"),
)
_STRICT_RUNS: Final = (
    (_WIDE, "text"),
    (re.compile(rb"[\x20-\x7e]{16}"), "text"),
    (re.compile(rb"[0-9]{6}"), "digits"),
    (re.compile(_CHINESE + rb"{3}"), "text"),
    (re.compile(rb"[" + _PACKED + rb"]{16}"), "packed digits"),
)


def find_disguise(value: bytes, *, is_strict: bool = False) -> str | None:
    """Say as what 32 (or 20) bytes read; None for what looks like chance.

    `is_strict` is the measure for what nobody here has computed or seen opened.
    """
    if not is_strict and value == value[:1] * len(value):
        return None  # a place holder: one byte over and over has no room for anything
    encodings = _STRICT_ENCODINGS if is_strict else _ENCODINGS
    if _is_text(value, encodings if len(value) == WIDTH else _NARROW_ENCODINGS):
        return "text"
    for judge, what in _RULES:
        if judge(value):
            return what
    for pattern, what in _STRICT_RUNS if is_strict else _RUNS:
        if pattern.search(value):
            return what
    return None


def validate_bare_commitment(commitment: bytes, *, field: str = "commitment") -> None:
    """Raise `InvalidField` if 32 unopened bytes read as text, packed digits, dates or padding."""
    assert len(commitment) == WIDTH, "checked by the model"
    what = find_disguise(commitment, is_strict=True)
    if what is not None:
        raise refuse_disguise(field, what)


def refuse_disguise(field: str, what: str) -> InvalidField:
    """Return the refusal of a value that reads as something."""
    return InvalidField(
        field,
        f"the value reads as {what}, not as a hash or as random bytes",
        next_step="compute it with atesta_client.commitments, with fresh random salts; "
        "a uid is 32 random bytes",
    )


def _is_padded(value: bytes) -> bool:
    return _PADDED.search(value) is not None


def _is_monotonous(value: bytes) -> bool:
    return len(set(value)) < MIN_VARIETY * len(value) // WIDTH


def _is_packed_digits(value: bytes) -> bool:
    """Judge binary-coded decimals: every half byte is a digit."""
    return all(byte >> 4 <= 9 and byte & 15 <= 9 for byte in value)


def _is_text(value: bytes, encodings: tuple[str, ...]) -> bool:
    for encoding in encodings:
        if _SHAPES[encoding].fullmatch(value) is None:
            continue
        try:
            text = value.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(_is_letter_or_digit(character) for character in text):
            return True
    return False


def _is_letter_or_digit(character: str) -> bool:
    """Judge the characters that names, addresses and numbers are written with."""
    code = ord(character)
    return (
        0x20 <= code <= 0x7E
        or 0xA0 <= code <= 0x24F
        or 0x3000 <= code <= 0x303F
        or 0x4E00 <= code <= 0x9FFF
        or 0xFF00 <= code <= 0xFF60
    )


def _is_dates(value: bytes) -> bool:
    """Judge whole rows of dates: 4- or 8-byte numbers of seconds, milliseconds or yyyymmdd."""
    for size in (4, 8):
        if len(value) % size:
            continue
        for is_big in (True, False):
            if all(
                _is_date(
                    int.from_bytes(value[start : start + size], "big" if is_big else "little"),
                    wide=size == 8,
                )
                for start in range(0, len(value), size)
            ):
                return True
    return False


def _is_date(number: int, *, wide: bool) -> bool:
    year, rest = divmod(number, 10_000)
    month, day = divmod(rest, 100)
    if _FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12 and 1 <= day <= 31:
        return True
    return wide and number <= _LAST_TIME_S * 1000


_RULES: Final[tuple[tuple[Callable[[bytes], bool], str], ...]] = (
    (_is_padded, "a short value with padding"),
    (_is_packed_digits, "packed digits"),
    (_is_dates, "dates"),
    (_is_monotonous, "a pattern"),
)
