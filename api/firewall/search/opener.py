"""Opening many values at once into the fields that they hold, and searching all of these.

Values are collected until there are some megabytes of them, and joined (`joined`). Then, layer by
layer: the parts that stand in the fields of a layer as they are (`spans`) are the next layer; each
layer's fields are compared with what counts as a whole field only; and what must be decoded to be
seen is found (`screens`), decoded one by one, and comes back as values of the next round. What is
found is what `fields.list_fields` would find in each value, which is the definition.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

import numpy as np

from api.firewall.search.fields import LEAST_OPENED, MAX_DEPTH, list_decoded
from api.firewall.search.joined import WORD_BYTES, Choice, Joined, Places, Spans
from api.firewall.search.screens import find_decodable
from api.firewall.search.spans import list_parts

MAX_BYTES: Final = 1 << 21
"""Bytes that are collected before they are opened; each value counts `_OVERHEAD` more."""
_OVERHEAD: Final = 32
_MOST_LAYERS: Final = 2 * MAX_DEPTH
_REMEMBERED: Final = 4_096
_REMEMBERED_BYTES: Final = 64
_SEEN_BITS: Final = 18
_SIZE_BITS: Final = np.int64(32)
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)

OnPieces = Callable[[list[bytes], list[int]], None]
"""Is told values, and what was decoded of them, to search them byte for byte; and their marks."""
OnWhole = Callable[[bytes, int], None]
"""Is told of a field that is one of the short forms; and the mark of its value."""


class Opener:
    """Collects values and opens them."""

    def __init__(self, short: Collection[bytes], on_pieces: OnPieces, on_whole: OnWhole) -> None:
        """Take the forms that count as whole fields only, and whom to tell."""
        self._short = frozenset(short)
        self._sizes = _mark_sizes(self._short)
        self._heads = np.unique(np.array([_read_head(form) for form in short], dtype=np.uint64))
        self._on_pieces = on_pieces
        self._on_whole = on_whole
        self._decoded: dict[bytes, tuple[bytes, ...]] = {}
        self._pieces: list[bytes] = []
        self._marks: list[int] = []
        self._size = 0

    def add(self, piece: bytes, mark: int) -> None:
        """Take a value; its mark is a number."""
        self._pieces.append(piece)
        self._marks.append(mark)
        self._size += len(piece) + _OVERHEAD
        if self._size >= MAX_BYTES:
            self.flush()

    def flush(self) -> None:
        """Open all that wait."""
        pieces, marks = self._pieces, self._marks
        self._pieces, self._marks, self._size = [], [], 0
        if pieces:
            self._open(pieces, marks, set(), 0)

    def _open(
        self, pieces: list[bytes], marks: list[int], seen: set[tuple[int, bytes]], depth: int
    ) -> None:
        """Search values and all that they hold; `seen` has what was decoded, with its mark."""
        self._on_pieces(pieces, marks)
        if depth >= MAX_DEPTH:
            return
        found: list[bytes] = []
        owners: list[int] = []
        size = 0
        for data, mark in self._iterate_decodable(pieces, marks):
            for opened in self._decode(data):
                if (mark, opened) not in seen:
                    seen.add((mark, opened))
                    found.append(opened)
                    owners.append(mark)
                    size += len(opened) + _OVERHEAD
            if size >= MAX_BYTES:  # some megabytes of compressed streams may hold gigabytes
                self._open(found, owners, seen, depth + 1)
                found, owners, size = [], [], 0
        if found:
            self._open(found, owners, seen, depth + 1)

    def _decode(self, data: bytes) -> Sequence[bytes]:
        """Decode a field, or remember what it held: the names of agencies are everywhere."""
        known = self._decoded.get(data)
        if known is None:
            known = tuple(list_decoded(data))
            if len(data) <= _REMEMBERED_BYTES and len(self._decoded) < _REMEMBERED:
                self._decoded[data] = known
        return known

    def _iterate_decodable(
        self, pieces: list[bytes], marks: list[int]
    ) -> Iterator[tuple[bytes, int]]:
        """Compare all fields of some values, and yield those that a decoder may take."""
        joined = Joined(pieces)
        known = _KnownSpans()
        spans = joined.spans.choose(joined.spans.sizes > 0)
        for _ in range(_MOST_LAYERS):
            self._compare(joined, spans, marks)
            spans = spans.choose(spans.sizes >= LEAST_OPENED)
            if not len(spans):
                return
            chosen = spans.choose(find_decodable(joined, spans))
            owners = joined.find_piece(chosen.starts).tolist()
            for data, owner in zip(joined.cut(chosen), owners, strict=True):
                yield data, marks[owner]
            spans = known.choose_new(list_parts(joined, spans))

    def _compare(self, joined: Joined, spans: Spans, marks: list[int]) -> None:
        """Find the fields that are a short form as a whole."""
        sizes = spans.sizes
        likely = np.flatnonzero(self._sizes[np.minimum(sizes, self._sizes.size - 1)])
        if not likely.size:
            return
        heads = joined.read_words(spans.starts[likely])
        heads &= _LOWEST[np.minimum(sizes[likely], WORD_BYTES)]
        order = np.searchsorted(self._heads, heads)
        order[order == self._heads.size] = 0
        chosen = spans.choose(likely[self._heads[order] == heads])
        owners = joined.find_piece(chosen.starts).tolist()
        for data, owner in zip(joined.cut(chosen), owners, strict=True):
            if data in self._short:
                self._on_whole(data, marks[owner])


class _KnownSpans:
    """Remembers spans, so that none is opened twice; one that is forgotten is opened again."""

    def __init__(self) -> None:
        self._table = np.zeros(1 << _SEEN_BITS, dtype=np.int64)
        self._numbers = np.zeros(1 << _SEEN_BITS, dtype=np.int64)

    def choose_new(self, spans: Spans) -> Spans:
        """Return those that were not seen, as far as is remembered; each once, nearly."""
        keys = spans.starts << _SIZE_BITS | spans.sizes
        places = (keys.view(np.uint64) * _FACTOR >> np.uint64(64 - _SEEN_BITS)).view(np.int64)
        new: Places = np.flatnonzero(self._table[places] != keys)
        keys, places = keys[new], places[new]
        self._table[places] = keys
        # Of equal spans the last one is kept, and of different ones at one place all.
        order = np.arange(places.size)
        self._numbers[places] = order
        last = self._numbers[places]
        return spans.choose(new[(last == order) | (keys[last] != keys)])


def _mark_sizes(short: Collection[bytes]) -> Choice:
    """Return for each number of bytes whether a form has it; the last one is for all others."""
    marks = np.zeros(max(map(len, short), default=0) + 2, dtype=np.bool_)
    marks[[len(form) for form in short]] = True
    return marks


def _read_head(form: bytes) -> int:
    return int.from_bytes(form[:WORD_BYTES], "little")


_LOWEST: Final = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)
