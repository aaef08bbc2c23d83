"""One search: values come in, are taken apart and looked through, hits go to the report.

Whatever is decoded goes through `search`: the value as a whole, each field that it consists of, and
every byte string anywhere in it. Pieces are collected and searched together, so a hit may be noted
only at `flush`.
"""

import re
from dataclasses import dataclass
from typing import Final

from api.firewall.search.fields import iterate_fields
from api.firewall.search.guesses import NO_GUESSES, GuessTable
from api.firewall.search.matcher import Batch
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import Hit, SearchReport

OVERLAP: Final = 16 * 1024
"""Bytes by which chunks of a file overlap: more than the longest form."""

_HEX_TOKEN: Final = re.compile(rb"[0-9A-Fa-f]{32,}")


@dataclass(frozen=True, slots=True)
class _Mark:
    store: str
    place: str


class Searcher:
    """Needles and guesses, ready for many stores."""

    def __init__(
        self, needles: NeedleSet, report: SearchReport, guesses: GuessTable | None = None
    ) -> None:
        self.report = report
        self._needles = needles
        self._guesses = guesses
        self._batch = Batch(needles.matcher, self._on_long)
        self._guess_batch = Batch(guesses or NO_GUESSES, self._on_guess)

    def search(self, data: bytes, *, store: str, place: str) -> None:
        """Search one stored value in depth."""
        mark = _Mark(store, place)
        for part in iterate_fields(data):
            whole = self._needles.find_whole(part)
            if whole is not None:
                self._add(mark, whole[0].label, whole[1])
            # What stands in the value as it is has been searched with it.
            if part is data or part not in data:
                self._batch.add(part, mark)
                self._guess_batch.add(part, mark)

    def search_raw(self, data: bytes, *, store: str, place: str) -> None:
        """Search a chunk byte for byte, undecoded but for hex."""
        mark = _Mark(store, place)
        for needle, encoding in self._needles.find_inside(data):
            self._add(mark, needle.label, encoding)
        if self._guesses is not None:
            self._guess(data, mark)
            for token in _HEX_TOKEN.findall(data):
                for shift in range(min(2, len(token) - 31)):
                    even = token[shift : shift + (len(token) - shift) // 2 * 2]
                    self._guess(bytes.fromhex(even.decode()), mark, written="hex")

    def flush(self) -> None:
        """Search what is still waiting."""
        self._batch.flush()
        self._guess_batch.flush()

    def _guess(self, data: bytes, mark: _Mark, written: str = "") -> None:
        if self._guesses is None:
            return
        for _, number in self._guesses.find(data):
            label, recipe = self._guesses.describe(number)
            self._add(mark, label, f"{recipe} in {written}" if written else recipe)

    def _on_guess(self, mark: _Mark, number: int) -> None:
        assert self._guesses is not None, "nothing is found without guesses"
        label, recipe = self._guesses.describe(number)
        self._add(mark, label, recipe)

    def _on_long(self, mark: _Mark, number: int) -> None:
        needle, encoding = self._needles.get_long(number)
        self._add(mark, needle.label, encoding)

    def _add(self, mark: _Mark, label: str, encoding: str) -> None:
        self.report.add(Hit(store=mark.store, place=mark.place, label=label, encoding=encoding))
