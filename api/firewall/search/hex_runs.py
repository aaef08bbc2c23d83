"""Telling values from chance among hexadecimal digits.

Uids, hashes, addresses, keys and signatures are random bytes of fixed sizes, and texts hold them as
hexadecimal digits. Eight decimal digits stand somewhere in such text by chance: of a thousand
numbers of eight digits, ten million random hexadecimal digits hold two or three. So a run of
hexadecimal digits is judged as the bytes that it stands for. Decimal digits in it are *packed
digits* then, and the rule of `needles` for packed digits holds: under six bytes, that is under
twelve digits, they count only as a whole field. Whoever opens the run (`fields`) sees to that.

A match of fewer than twelve hexadecimal digits is therefore left to chance if it stands within a
run of sixteen and more that has letters (a to f) beside the match: without letters these are
decimal digits, and no field of random bytes. It is a finding all the same

- where padding makes it stand alone: with the zeros (or ``f``) next to it, it has sixteen digits;
- at an end of a run that has no size of a field, if what remains without it has one: a number that
  was written right behind a hash stands beside the hash, and not in it.

What is left to chance is counted, and may not be more than chance makes (`expectation`).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.firewall.search.matcher import WINDOW

LEAST_RUN: Final = 16
"""Digits of the shortest random field (eight bytes); shorter runs are text."""
LEAST_DIGITS: Final = 2 * WINDOW
"""Digits that count anywhere in a run: six bytes, as everywhere else."""
LEAST_PADDED: Final = 16
"""Digits that count with the padding beside them."""
FIELD_DIGITS: Final = frozenset({16, 24, 32, 40, 64, 96, 128, 130})
"""Digits of the fields that programs write: of 8, 12, 16, 20, 32, 48, 64 and 65 bytes."""
REACH: Final = 160
"""Digits on each side that are looked at: more than the longest field."""

Places = NDArray[np.intp]

_HEX: Final = b"0123456789abcdefABCDEF"
_LETTERS: Final = frozenset(b"abcdefABCDEF")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_LEAST_TOKEN: Final = 32


def is_left_to_chance(data: bytes, start: int, end: int) -> bool:
    """Say whether a match from `start` to `end` is too little to count inside its run of digits."""
    match = data[start:end]
    if len(match) >= LEAST_DIGITS or match.strip(_HEX):
        return False
    before, after = get_digits_beside(data, start, end)
    size = len(before) + len(match) + len(after)
    if size < LEAST_RUN or _LETTERS.isdisjoint(before + after):
        return False
    if len(match) + _count_padding(before[::-1]) + _count_padding(after) >= LEAST_PADDED:
        return False
    is_at_end = not before or not after
    return not (is_at_end and size not in FIELD_DIGITS and size - len(match) in FIELD_DIGITS)


def get_digits_beside(data: bytes, start: int, end: int) -> tuple[bytes, bytes]:
    """Return the hexadecimal digits right before and right behind a match."""
    before, after = data[max(0, start - REACH) : start], data[end : end + REACH]
    return (
        before[len(before.rstrip(_HEX)) :],
        after[: len(after) - len(after.lstrip(_HEX))],
    )


def count_characters(data: bytes) -> tuple[int, int]:
    """Return how many characters stand in runs of hexadecimal digits, and in runs of base64.

    What is hexadecimal counts there only, but for runs in which both are mixed.
    """
    starts, ends = _find_runs(data, _IS_BASE64, LEAST_RUN)
    sizes = ends - starts
    # Hexadecimal digits are characters of base64: of binary data, little is left to look at.
    within = b" ".join(
        data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )
    first, last = _find_runs(within, _IS_HEX, LEAST_RUN)
    digits, tokens = int((last - first).sum()), int(sizes[sizes >= _LEAST_TOKEN].sum())
    return digits, max(0, tokens - digits)


def iterate_hex_tokens(data: bytes, least: int) -> Iterator[bytes]:
    """Yield every run of hexadecimal digits that has so many; `least` is a power of two."""
    starts, ends = _find_runs(data, _IS_HEX, least)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield data[start:end]


def is_hex(form: bytes) -> bool:
    """Say whether a form could stand among hexadecimal digits."""
    return not form.strip(_HEX)


def is_base64(form: bytes) -> bool:
    """Say whether a form could stand in base64."""
    return not form.strip(_BASE64)


def _count_padding(digits: bytes) -> int:
    """Count the equal zeros or ``f`` with which digits begin."""
    return max(len(digits) - len(digits.lstrip(pad)) for pad in (b"0", b"fF"))


def _find_runs(data: bytes, characters: bytes, least: int) -> tuple[Places, Places]:
    """Return where every run begins and ends that has so many of the characters, a power of two.

    `characters` has a 1 for each of them. A place stays marked if those behind it are marked too:
    first the next, then the next two, the next four. Few places are left.
    """
    is_in = np.frombuffer(data.translate(characters), dtype=np.bool_)
    step = 1
    while step < least:
        is_in = is_in[:-step] & is_in[step:]
        step *= 2
    padded = np.zeros(is_in.size + 2, dtype=np.bool_)
    padded[1:-1] = is_in
    borders = np.flatnonzero(padded[1:] != padded[:-1])
    return borders[::2], borders[1::2] + least - 1


def _mark(characters: bytes) -> bytes:
    return bytes(byte in characters for byte in range(256))


_IS_HEX: Final = _mark(_HEX)
_IS_BASE64: Final = _mark(_BASE64)
