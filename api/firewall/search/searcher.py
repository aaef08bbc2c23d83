"""One search: values come in, are taken apart and looked through, hits go to the report.

Whatever is decoded goes through `search`: the value as a whole, each field that it consists of, and
every byte string anywhere in it. Pieces are collected and searched together, so a hit may be noted
only at `flush`. A match that is too little to count inside its run of hexadecimal digits is left to
chance (`hex_runs`); `finish` judges whether it was chance (`expectation`).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from api.firewall.search.clean import CleanValues
from api.firewall.search.fields import SMALL, list_fields
from api.firewall.search.guesses import NO_GUESSES, GuessTable
from api.firewall.search.hex_runs import (
    LEAST_DIGITS,
    REACH,
    get_digits_beside,
    is_left_to_chance,
)
from api.firewall.search.matcher import Batch
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import Hit, SearchReport
from api.firewall.search.sieve import FieldSieve

OVERLAP: Final = 16 * 1024
"""Bytes by which chunks of a file overlap: more than the longest form."""

UNLIKELY: Final = "among hexadecimal digits, more often than chance makes it"
"""Follows the encoding of such a hit."""

_MAX_SEARCHED = 100_000
_HEX_TOKEN: Final = re.compile(rb"[0-9A-Fa-f]{32,}")


@dataclass(slots=True, eq=False)
class _Mark:
    store: str
    place: str
    held: bool = False
    """Whether the value held anything."""


class Searcher:
    """Needles and guesses, ready for many stores."""

    def __init__(
        self,
        needles: NeedleSet,
        report: SearchReport,
        guesses: GuessTable | None = None,
        clean: CleanValues | None = None,
    ) -> None:
        """`clean` is what other searches for the same needles and guesses found to hold nothing."""
        self.report = report
        self._clean = CleanValues() if clean is None else clean
        self._searched: list[tuple[int, _Mark]] = []
        self._needles = needles
        self._guesses = guesses
        self._batch = Batch(
            (needles.matcher, self._on_long),
            (guesses or NO_GUESSES, self._on_guess),
            on_data=report.chance.read,
        )
        self._sieve = FieldSieve(self._search_fields)

    def search(self, data: bytes, *, store: str, place: str) -> None:
        """Search one stored value in depth."""
        if data in self._clean:
            return
        mark = _Mark(store, place)
        self._searched.append((hash(data), mark))
        if len(self._searched) > _MAX_SEARCHED:
            self.flush()
        small = self._sieve.waiting
        if 0 < len(data) <= SMALL:
            small.append(data)
            self._batch.add(data, mark)
        else:
            self._search_fields(mark, *list_fields(data, small))
        self._sieve.mark(mark)

    def search_raw(
        self,
        data: bytes,
        *,
        store: str,
        place: str,
        has_before: bool = False,
        has_after: bool = False,
    ) -> None:
        """Search a chunk byte for byte, undecoded but for hex.

        `has_before` and `has_after` say that more of the file stands on that side, and that the
        chunk there overlaps this one by `OVERLAP`.
        """
        mark = _Mark(store, place)
        self.report.chance.read(data)
        least = REACH if has_before else 0
        most = len(data) - REACH if has_after else len(data)
        for start, number in self._needles.matcher.find(data):
            end = start + self._needles.matcher.get_length(number)
            # A match at the edge is judged in the chunk that has what stands on both of its sides.
            if end - start >= LEAST_DIGITS or (start >= least and end <= most):
                self._on_long(mark, number, data, start)
        if self._guesses is not None:
            self._guess(data, mark)
            for token in _HEX_TOKEN.findall(data):
                for shift in range(min(2, len(token) - 31)):
                    even = token[shift : shift + (len(token) - shift) // 2 * 2]
                    self._guess(bytes.fromhex(even.decode()), mark, written="hex")

    def flush(self) -> None:
        """Search what is still waiting."""
        self._sieve.flush()
        self._batch.flush()
        self._clean.add(known for known, mark in self._searched if not mark.held)
        self._searched = []

    def finish(self) -> None:
        """Search what is still waiting, and turn into hits what chance does not explain."""
        self.flush()
        add_unlikely(self.report, self._needles)

    def _search_fields(self, mark: Any, everything: list[bytes], decoded: list[bytes]) -> None:
        short = self._needles.short
        if not short.keys().isdisjoint(everything):
            for part in set(everything) & short.keys():
                needle, encoding = short[part]
                self._add(mark, needle.label, encoding)
        for part in decoded:
            self._batch.add(part, mark)

    def _guess(self, data: bytes, mark: _Mark, written: str = "") -> None:
        if self._guesses is None:
            return
        for _, number in self._guesses.find(data):
            label, recipe = self._guesses.describe(number)
            self._add(mark, label, f"{recipe} in {written}" if written else recipe)

    def _on_guess(self, mark: _Mark, number: int, _piece: bytes, _place: int) -> None:
        assert self._guesses is not None, "nothing is found without guesses"
        label, recipe = self._guesses.describe(number)
        self._add(mark, label, recipe)

    def _on_long(self, mark: _Mark, number: int, piece: bytes, place: int) -> None:
        needle, encoding = self._needles.get_long(number)
        end = place + self._needles.matcher.get_length(number)
        if is_left_to_chance(piece, place, end):
            beside = get_digits_beside(piece, place, end)
            self.report.chance.leave(needle.label, encoding, (mark.store, mark.place), beside)
        else:
            self._add(mark, needle.label, encoding)

    def _add(self, mark: _Mark, label: str, encoding: str) -> None:
        mark.held = True
        self.report.add(Hit(store=mark.store, place=mark.place, label=label, encoding=encoding))


def add_unlikely(report: SearchReport, needles: NeedleSet) -> None:
    """Add to the hits what was left to chance, and is more than chance makes."""
    tally = report.chance
    for label in tally.find_unlikely(needles.lengths, needles.measure(tally.left)):
        left = tally.left[label]
        report.add(
            Hit(
                store=left.store,
                place=left.place,
                label=label,
                encoding=f"{left.encoding}, {UNLIKELY}",
            )
        )
