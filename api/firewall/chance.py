"""The commitment rule: which 32 bytes are refused because they are data in disguise.

A commitment, a uid, a hash of a public text look like chance; packed text, digits, dates or padding
do not. The rules stop mistakes and laziness, not a determined liar: whoever encrypts a name with a
key of their own gets bytes that look like chance too. So a commitment that this node has neither
computed nor seen opened is marked "unopened" for everybody to see, needs a role, and is held to the
stricter of the two measures here.

How often the rules refuse true chance, for one value: less than once in five million times by the
measure for all values, less than once in fifty thousand by the strict one; other salts help then.
Of these, for 32 random bytes:

| rule | all values | strict |
|---|---|---|
| whole texts (`readings` has each encoding) | 1.5e-7 | 6.5e-6 |
| numbers, with separators or without | 4.3e-9 (7 digits) | 1.2e-7 (6 digits) |
| ASCII in a row | 2.1e-8 (20) | 1.5e-6 (16) |
| packed digits in a row | 7.5e-9 (22 bytes) | 3.2e-6 (16 bytes) |
| Chinese in UTF-8 in a row | 1.9e-10 (4) | 1.3e-7 (3) |
| four ASCII characters of two bytes in a row | 2.3e-10 | 2.3e-10 |
| letters of Latin-1 in a row | none | 1.5e-6 (20) |
| usual Chinese in GB2312, in Big5 in a row | none | 2.4e-6, 0.5e-6 (7) |
| padding, dates, few different bytes | 7e-12 | 7e-12 |
"""

import re
from collections.abc import Callable
from typing import Final

from api.errors import InvalidField
from api.firewall.readings import (
    LOOSE_READINGS,
    NARROW_READINGS,
    STRICT_READINGS,
    TextReader,
)

WIDTH: Final = 32
"""Bytes of a commitment, a uid or a hash."""
MIN_VARIETY: Final = 16
"""Fewest different byte values in 32 random bytes; 30 are usual."""

_STRICT_TEXTS: Final = TextReader(STRICT_READINGS)
_TEXTS: Final = TextReader(LOOSE_READINGS)
_NARROW_TEXTS: Final = TextReader(NARROW_READINGS)
# A longer run of padding than 4 bytes at one end is no chance: 2^-40 for the fifth.
_PADDED: Final = re.compile(
    rb"\A(?:\x00{5}|\x20{5}|\xff{5})|(?:\x00{5}|\x20{5}|\xff{5})\Z", re.DOTALL
)
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100
_LAST_TIME_S: Final = 4_102_444_800
"""The year 2100 in seconds since 1970."""
_PACKED: Final = re.escape(bytes(byte for byte in range(0x9A) if byte >> 4 <= 9 and byte & 15 <= 9))
_WIDE: Final = re.compile(rb"(?:[\x20-\x7e]\x00){4}|(?:\x00[\x20-\x7e]){4}")
_CHINESE: Final = rb"(?:[\xe3-\xe9][\x80-\xbf][\x80-\xbf]|[\xef][\xbc-\xbd][\x80-\xbf])"

# Digits with what people write between them, as in `+853 6612-3456`, `1990-01-31`, `1234567(8)`.
_SEPARATED: Final = rb"(?:[0-9][ ()/.+-]{0,2})"

# Runs inside a value; how often chance makes each is stated above.
_RUNS: Final = (
    (_WIDE, "text"),
    (re.compile(rb"[\x20-\x7e]{20}"), "text"),
    (re.compile(_SEPARATED + rb"{6}[0-9]"), "digits"),
    (re.compile(_CHINESE + rb"{4}"), "text"),
    (re.compile(rb"[" + _PACKED + rb"]{22}"), "packed digits"),
)
_STRICT_RUNS: Final = (
    (_WIDE, "text"),
    (re.compile(rb"[\x20-\x7e]{16}"), "text"),
    (re.compile(_SEPARATED + rb"{5}[0-9]"), "digits"),
    (re.compile(_CHINESE + rb"{3}"), "text"),
    (re.compile(rb"[" + _PACKED + rb"]{16}"), "packed digits"),
    (re.compile(rb"[A-Za-z '\xc0-\xd6\xd8-\xf6\xf8-\xff-]{20}"), "text"),
    (re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe]){7}"), "text"),
    (re.compile(rb"(?:[\xa4-\xc6][\x40-\x7e\xa1-\xfe]){7}"), "text"),
)


def find_disguise(value: bytes, *, is_strict: bool = False) -> str | None:
    """Say as what 32 (or 20) bytes read; None for what looks like chance.

    `is_strict` is the measure for what nobody here has computed or seen opened.
    """
    if not is_strict and value == value[:1] * len(value):
        return None  # a place holder: one byte over and over has no room for anything
    texts = _NARROW_TEXTS
    if len(value) == WIDTH:
        texts = _STRICT_TEXTS if is_strict else _TEXTS
    if texts.reads(value):
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
