"""Many pieces, one behind the other, looked at as columns.

Looking at one small field costs Python a microsecond for each question, and a chain has millions of
fields. So pieces are joined, a field is a *span* (where it begins and ends), and one question is
asked of all spans at once: numpy answers in some nanoseconds each.

Before the first piece and behind the last stand zeros, so that the words around any place can be
read without asking. What is read beyond the end of a span belongs to another piece; whoever reads
it compares with the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WORD_BYTES: Final = 8
_PADDING: Final = 64

Places = NDArray[np.int64]
Choice = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Fields, by where they begin and end in the joined bytes."""

    starts: Places
    ends: Places

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.starts.size)

    @property
    def sizes(self) -> Places:
        """Bytes of each."""
        return self.ends - self.starts

    def choose(self, chosen: NDArray[Any]) -> "Spans":
        """Return those that are chosen, by a mask or by their numbers."""
        return Spans(self.starts[chosen], self.ends[chosen])


def join_spans(groups: Sequence[Spans]) -> Spans:
    """Return the spans of all groups."""
    return Spans(
        np.concatenate([group.starts for group in groups]),
        np.concatenate([group.ends for group in groups]),
    )


class Joined:
    """The pieces, and their bytes as numbers."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        """Join the pieces; there is at least one."""
        padding = bytes(_PADDING)
        self.data = b"".join((padding, *pieces, padding))
        """All pieces between zeros."""
        self.bytes: Bytes = np.frombuffer(self.data, dtype=np.uint8)
        places = len(self.data) - WORD_BYTES + 1
        self._low_first: Words = np.ndarray((places,), "<u8", self.data, 0, (1,))
        self._high_first: Words = np.ndarray((places,), ">u8", self.data, 0, (1,))
        ends = np.cumsum([_PADDING, *map(len, pieces)])
        self.spans = Spans(ends[:-1], ends[1:])
        """Where the pieces are."""

    def read_words(self, places: Places) -> Words:
        """Return the eight bytes at each place, the first one lowest."""
        return self._low_first[places].astype(np.uint64, copy=False)

    def read_numbers(self, places: Places) -> Words:
        """Return the eight bytes at each place as a number that is written high byte first."""
        return self._high_first[places].astype(np.uint64, copy=False)

    def find_piece(self, places: Places) -> Places:
        """Return the number of the piece that each place belongs to."""
        return np.searchsorted(self.spans.ends, places, side="right")

    def cut(self, spans: Spans) -> list[bytes]:
        """Return the bytes of each span."""
        data = self.data
        pairs = zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
        return [data[start:end] for start, end in pairs]
