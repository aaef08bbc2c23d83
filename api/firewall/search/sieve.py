"""Telling which of many small fields can hold anything.

Most of what a chain stores are hashes: the nodes of its state trees consist of them. Opening one
field in every way costs some ten microseconds, and there are millions. So they are collected, and
looked at together, column by column: whether they begin like RLP that fills them, like JSON, a
compressed stream or a token of letters, whether they are padded. What is none of these would be
opened in vain. The answer is never no for a field that holds something; what it is yes for is
opened as every field is.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from api.firewall.search.containers import (
    LEAST_SNAPPY,
    MOST_RATIO,
    STREAM_FIRST_BYTES,
    is_like_stream,
)
from api.firewall.search.fields import (
    RLP_LIST,
    RLP_OFFSETS,
    RLP_TEXT,
    SMALL,
    iterate_msgpack,
    list_fields,
)

MAX_WAITING: Final = 65_536
"""Fields that are collected before they are looked at."""

OnFields = Callable[[Any, list[bytes], list[bytes]], None]
"""Is told the mark of a field, all fields in it, and those that had to be decoded."""

Rows = NDArray[np.uint8]
Choice = NDArray[np.bool_]

_SELECTOR_AND_WORD = 36
_LEAST_TOKEN = 12


class FieldSieve:
    """Collects small fields, and opens those that can hold anything."""

    def __init__(self, on_fields: OnFields) -> None:
        self.waiting: list[bytes] = []
        """Fields to be looked at; `mark` says where those that were added belong."""
        self._on_fields = on_fields
        self._marks: list[Any] = []
        self._ends: list[int] = []

    def mark(self, mark: Any) -> None:
        """Say where the fields belong that were added since the last call."""
        end = len(self.waiting)
        if end == (self._ends[-1] if self._ends else 0):
            return
        self._marks.append(mark)
        self._ends.append(end)
        if end >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Look at all that wait; each is told of, with what it holds."""
        fields, marks, ends = self.waiting, self._marks, self._ends
        self.waiting, self._marks, self._ends = [], [], []
        begin = 0
        for mark, end in zip(marks, ends, strict=True):
            self._on_fields(mark, fields[begin:end], [])
            begin = end
        places = np.array(ends)
        for number in find_openable(fields):
            everything, decoded = list_fields(fields[number])
            if len(everything) > 1:
                mark = marks[int(np.searchsorted(places, number, side="right"))]
                self._on_fields(mark, everything[1:], decoded[1:])


def find_openable(fields: list[bytes]) -> list[int]:
    """Return the places of the fields, of at most `SMALL` bytes, that can hold anything."""
    if not fields:
        return []
    joined = b"".join([part.ljust(SMALL, b"\0") for part in fields])
    rows = np.frombuffer(joined, dtype=np.uint8).reshape(-1, SMALL)
    sizes = np.fromiter(map(len, fields), dtype=np.int64, count=len(fields))
    found = np.flatnonzero(_find_any(rows, sizes)).tolist()
    packs = np.flatnonzero(_PACK[rows[:, 0]] & (sizes > 1)).tolist()
    streams = np.flatnonzero(_find_streams(rows, sizes)).tolist()
    found += [number for number in streams if is_like_stream(fields[number])]
    found += [number for number in packs if any(True for _ in iterate_msgpack(fields[number]))]
    return sorted(set(found))


def _find_any(rows: Rows, sizes: NDArray[np.int64]) -> Choice:
    """Choose what is padded, or begins like RLP that fills it, like JSON, hex or a token."""
    first, last = rows[:, 0], rows[np.arange(len(rows)), sizes - 1]
    chosen: Choice = (first == 0) | (last == 0) | (sizes == _SELECTOR_AND_WORD)
    for offset in RLP_OFFSETS:
        chosen |= (rows[:, offset] & _BUT_LIST) == RLP_TEXT + sizes - offset - 1
    chosen |= _OPENING[first] & _CLOSING[last]
    chosen |= (first == ord("0")) & (rows[:, 1] == ord("x"))
    chosen |= (sizes >= _LEAST_TOKEN) & _LETTER[rows[:, :4]].all(axis=1)
    chosen &= sizes > 1
    return chosen


def _find_streams(rows: Rows, sizes: NDArray[np.int64]) -> Choice:
    """Choose what may be compressed, by its first bytes; some more than is_like_stream does."""
    first, second, third = rows[:, 0], rows[:, 1], rows[:, 2]
    chosen = _STREAM[first].copy()
    chosen |= ((first & 0x0F) == 8) & ((first.astype(np.uint16) * 256 + second) % 31 == 0)
    chosen |= (first >= LEAST_SNAPPY) & (first < RLP_TEXT) & ((second & 3) == 0)
    chosen |= (first >= RLP_TEXT) & (second <= SMALL * MOST_RATIO >> 7) & ((third & 3) == 0)
    chosen &= sizes >= LEAST_SNAPPY
    return chosen


def _mark(choose: Callable[[int], bool]) -> Choice:
    return np.array([choose(byte) for byte in range(256)], dtype=np.bool_)


_BUT_LIST: Final = np.uint8(0xFF ^ RLP_TEXT ^ RLP_LIST)
"""All bits of RLP's first byte but the one that tells a list from a text."""
_LETTER: Final = _mark(lambda byte: byte < 0x80 and (chr(byte).isalnum() or chr(byte) in "+/-_"))
_OPENING: Final = _mark(lambda byte: byte in b'{["')
_CLOSING: Final = _mark(lambda byte: byte in b'}]" \t\r\n')
_PACK: Final = _mark(lambda byte: byte & 0xE0 == RLP_TEXT or 0xDC <= byte <= 0xDF)
_STREAM: Final = _mark(lambda byte: byte in STREAM_FIRST_BYTES)
