"""Which bare commitments are refused: those that are data in disguise.

A commitment enters a transaction if this node computed it or saw it opened. A caller with the role
for it may also hand in 32 bytes that nobody here can check. A hash looks like chance; packed text,
digits or dates do not. Each rule below refuses a true hash less than once in a hundred thousand
times, and then other salts help; the rules stop mistakes and laziness, not a determined liar, which
is why the record is marked "unopened" for everybody to see.
"""

from collections.abc import Callable
from typing import Final

from api.errors import InvalidField

_PADDING: Final = b"\x00\x20\xff"
_MAX_RUN: Final = 4
"""Longest run of padding at one end that chance explains (2^-40 for the next)."""
_MIN_VARIETY: Final = 16
"""Fewest different byte values in 32 random bytes; 30 are usual."""
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100
_LAST_TIME_S: Final = 4_102_444_800
"""The year 2100 in seconds since 1970."""


def validate_bare_commitment(commitment: bytes) -> None:
    """Raise `InvalidField` if 32 bytes read as text, packed digits, dates or padding."""
    assert len(commitment) == 32, "checked by the model"
    for judge, what in _RULES:
        if judge(commitment):
            raise InvalidField(
                "commitment",
                f"the commitment reads as {what}, not as a hash",
                next_step="compute it with atesta_client.commitments, with fresh random salts",
            )


def _is_padded(value: bytes) -> bool:
    return any(
        len(value) - len(value.lstrip(bytes((byte,)))) > _MAX_RUN
        or len(value) - len(value.rstrip(bytes((byte,)))) > _MAX_RUN
        for byte in _PADDING
    )


def _is_monotonous(value: bytes) -> bool:
    return len(set(value)) < _MIN_VARIETY


def _is_packed_digits(value: bytes) -> bool:
    """Judge binary-coded decimals: every half byte is a digit."""
    return all(byte >> 4 <= 9 and byte & 15 <= 9 for byte in value)


def _is_text(value: bytes) -> bool:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb2312", "big5"):
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
        for order in ("big", "little"):
            numbers = [
                int.from_bytes(value[start : start + size], "big" if order == "big" else "little")
                for start in range(0, 32, size)
            ]
            if all(_is_date(number, wide=size == 8) for number in numbers):
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
    (_is_text, "text"),
    (_is_packed_digits, "packed digits"),
    (_is_dates, "dates"),
    (_is_monotonous, "a pattern"),
)
