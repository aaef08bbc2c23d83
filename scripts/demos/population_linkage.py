"""Linking records of one person, as somebody would who has the whole chain and no vault.

Whoever wants to follow a person looks for anything that stands in two of that person's records and
in hardly anybody else's: a uid inside another record, a key or address used twice, a commitment
that was not drawn afresh, a hash of something known. Therefore all bytes of all records are cut
into windows of sixteen bytes, at every place, whatever the ABI says they are; to them come hashes
of each record's words, of two words beside each other, of its public keys, and, as a record of its
own, hashes of everything that identifies the person. Two records are linked if they share a window
that is not common to many people. What is common (an agency, a dataset, a purpose), and numbers
below 2^64, are blanked first: the last byte of a time beside an agency's name is no link. So times,
counts and their order are not looked at here.

Who belongs to which record is known to this attack from the start, so it finds every link there is,
also those that an outsider would first have to guess.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from eth_hash.auto import keccak
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW: Final = 16
"""Bytes that two records must share; chance makes them equal once in 2^128."""

IDENTITY: Final = "identity"
"""The record that holds hashes of what identifies a person."""

_LEAST_NONZERO: Final = 8
_WORD: Final = 32
_ADDRESS: Final = 20
_NUMBER: Final = 8
_COMMON: Final = 3
_COMMON_SHARE: Final = 100
_FACTORS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything public about one record of one person."""

    person: int
    """The person's number."""
    kind: str
    """Which of the person's records it is."""
    pieces: tuple[bytes, ...]
    """Call data, topics and data of events, signatures, public keys; each for itself."""


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Two records of one person that share something."""

    person: int
    first: str
    second: str


def find_links(
    records: Sequence[Record], *, people: int, progress: Callable[[int], None] | None = None
) -> dict[Link, int]:
    """Return every link with the number of windows that make it.

    A window common to more than 1 in 100 of so many people, or to more than three if that is more,
    links nobody. ``progress`` is told of each record.
    """
    common = max(_COMMON, people // _COMMON_SHARE)
    dull = _find_common_words(records, common)
    hashes: list[Hashes] = []
    for record in records:
        hashes.append(_hash_record(record.pieces, dull))
        if progress is not None:
            progress(1)
    owners = np.repeat(np.arange(len(records)), [one.size for one in hashes])
    every = np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
    order = np.argsort(every, kind="stable")
    every, owners = every[order], owners[order]
    starts = np.flatnonzero(np.r_[True, every[1:] != every[:-1]])
    sizes = np.diff(np.r_[starts, every.size])
    links: dict[Link, int] = defaultdict(int)
    kinds = len({record.kind for record in records})
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        if size > common * kinds:
            continue
        sharing = [records[owner] for owner in owners[start : start + size]]
        if len({record.person for record in sharing}) <= common:
            for link in _pair(sharing):
                links[link] += 1
    return dict(links)


def _pair(sharing: Sequence[Record]) -> Iterator[Link]:
    of: dict[int, list[str]] = defaultdict(list)
    for record in sharing:
        of[record.person].append(record.kind)
    for person, kinds in of.items():
        kinds.sort()
        for place, first in enumerate(kinds):
            for second in kinds[place + 1 :]:
                yield Link(person, first, second)


def _find_common_words(records: Sequence[Record], common: int) -> frozenset[bytes]:
    """Return the words that more people than these have in their records."""
    seen: dict[bytes, set[int]] = defaultdict(set)
    for record in records:
        for piece in record.pieces:
            for _, word in _iterate_words(piece):
                seen[word].add(record.person)
    return frozenset(word for word, people in seen.items() if len(people) > common)


def _iterate_words(piece: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield place and bytes of each word; call data begin with four bytes that name a function."""
    for place in range(len(piece) % _WORD, len(piece), _WORD):
        yield place, piece[place : place + _WORD]


def _hash_record(pieces: Iterable[bytes], dull: Collection[bytes]) -> Hashes:
    """Return a number for each different window of a record and of what follows from it."""
    found = [np.empty(0, dtype=np.uint64)]
    digests = bytearray()
    for piece in pieces:
        blanked = bytearray(piece)
        words: list[tuple[bytes, bool]] = []
        for place, word in _iterate_words(piece):
            is_telling = any(word[:-_NUMBER]) and word not in dull
            words.append((word, is_telling))
            if not is_telling:
                blanked[place : place + _WORD] = bytes(_WORD)
        if len(blanked) >= WINDOW:
            windows = sliding_window_view(np.frombuffer(blanked, dtype=np.uint8), WINDOW)
            found.append(_mix(windows[np.count_nonzero(windows, axis=1) >= _LEAST_NONZERO]))
        for digest in _derive(words):
            digests += digest
    # Whoever cuts a digest keeps its first bytes or, for an address, its last.
    found.append(_mix(np.frombuffer(bytes(digests), dtype=np.uint8).reshape(-1, WINDOW)))
    return np.unique(np.concatenate(found))


def _derive(words: Sequence[tuple[bytes, bool]]) -> Iterator[bytes]:
    """Yield digests of the words that tell something, and of such a one with its neighbour."""
    for word, is_telling in words:
        if is_telling:
            for text in (word, word[-_ADDRESS:], word.hex().encode()):
                yield keccak(text)
                yield hashlib.sha256(text).digest()
    for (first, is_first), (second, is_second) in pairwise(words):
        if is_first or is_second:
            yield keccak(first + second)


def _mix(windows: NDArray[np.uint8]) -> Hashes:
    halves: Hashes = np.ascontiguousarray(windows).view("<u8")
    mixed: Hashes = halves[:, 0] * _FACTORS[0] + halves[:, 1] * _FACTORS[1]
    return mixed
