"""One search: values come in, are taken apart and looked through, hits go to the report.

Whatever is decoded goes through `search`: the value as a whole, each field that it consists of, and
every byte string anywhere in it. Pieces are collected and searched together, so a hit may be noted
only at `flush`. A match that is too little to count inside its run of hexadecimal digits is left to
chance (`hex_runs`); `finish` judges whether it was chance (`expectation`).
"""

from typing import Final

from api.firewall.search.clean import CleanValues
from api.firewall.search.guesses import NO_GUESSES, GuessTable
from api.firewall.search.hex_runs import (
    LEAST_DIGITS,
    REACH,
    get_digits_beside,
    is_left_to_chance,
    iterate_hex_tokens,
)
from api.firewall.search.matcher import Batch
from api.firewall.search.needles import NeedleSet
from api.firewall.search.opener import Opener
from api.firewall.search.report import Hit, SearchReport

OVERLAP: Final = 16 * 1024
"""Bytes by which chunks of a file overlap: more than the longest form."""

UNLIKELY: Final = "among hexadecimal digits, more often than chance makes it"
"""Follows the encoding of such a hit."""

_MAX_SEARCHED = 100_000
_Where = tuple[str, str]
"""Store and place."""
_LEAST_TOKEN: Final = 32
"""Hexadecimal digits of the shortest digest."""


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
        # By the mark of a value, which is a number: objects for millions of values would cost more.
        self._hashes: list[int | None] = []
        self._wheres: list[_Where] = []
        self._held: set[int] = set()
        self._where: _Where = ("", "")
        self._needles = needles
        self._guesses = guesses
        on_guess = (guesses or NO_GUESSES, self._on_guess)
        self._batch = Batch((needles.matcher, self._on_long), on_guess, on_data=report.chance.read)
        self._unhexed = Batch((guesses or NO_GUESSES, self._on_guess_in_hex))
        self._opener = Opener(needles.short, self._batch.search, self._on_whole)

    def search(self, data: bytes, *, store: str, place: str) -> None:
        """Search one stored value in depth."""
        if data in self._clean:
            return
        self._opener.add(data, self._mark(store, place, hash(data)))
        if len(self._hashes) >= _MAX_SEARCHED:
            self.flush()

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
        mark = self._mark(store, place, None)
        if not has_before and not has_after:
            self._batch.add(data, mark)
        else:
            self._search_chunk(data, mark, has_before=has_before, has_after=has_after)
        if self._guesses is not None:
            for token in iterate_hex_tokens(data, _LEAST_TOKEN):
                for shift in range(min(2, len(token) - _LEAST_TOKEN + 1)):
                    even = token[shift : shift + (len(token) - shift) // 2 * 2]
                    self._unhexed.add(bytes.fromhex(even.decode()), mark)

    def flush(self) -> None:
        """Search what is still waiting."""
        self._opener.flush()
        self._batch.flush()
        self._unhexed.flush()
        self._clean.add(
            known
            for mark, known in enumerate(self._hashes)
            if known is not None and mark not in self._held
        )
        self._hashes, self._wheres = [], []
        self._held.clear()

    def finish(self) -> None:
        """Search what is still waiting, and turn into hits what chance does not explain."""
        self.flush()
        add_unlikely(self.report, self._needles)

    def _mark(self, store: str, place: str, known: int | None) -> int:
        if self._where != (store, place):
            self._where = (store, place)
        self._wheres.append(self._where)
        self._hashes.append(known)
        return len(self._hashes) - 1

    def _search_chunk(self, data: bytes, mark: int, *, has_before: bool, has_after: bool) -> None:
        self.report.chance.read(data)
        matcher = self._needles.matcher
        least = REACH if has_before else 0
        most = len(data) - REACH if has_after else len(data)
        for start, number in matcher.find(data):
            end = start + matcher.get_length(number)
            # A match at the edge is judged in the chunk that has what stands on both of its sides.
            if end - start >= LEAST_DIGITS or (start >= least and end <= most):
                self._on_long(mark, number, data, start)
        if self._guesses is not None:
            for place, number in self._guesses.find(data):
                self._on_guess(mark, number, data, place)

    def _on_whole(self, field: bytes, mark: int) -> None:
        needle, encoding = self._needles.short[field]
        self._add(mark, needle.label, encoding)

    def _on_guess(self, mark: int, number: int, _piece: bytes, _place: int) -> None:
        assert self._guesses is not None, "nothing is found without guesses"
        label, recipe = self._guesses.describe(number)
        self._add(mark, label, recipe)

    def _on_guess_in_hex(self, mark: int, number: int, _piece: bytes, _place: int) -> None:
        assert self._guesses is not None, "nothing is found without guesses"
        label, recipe = self._guesses.describe(number)
        self._add(mark, label, f"{recipe} in hex")

    def _on_long(self, mark: int, number: int, piece: bytes, place: int) -> None:
        needle, encoding = self._needles.get_long(number)
        end = place + self._needles.matcher.get_length(number)
        if is_left_to_chance(piece, place, end):
            beside = get_digits_beside(piece, place, end)
            self.report.chance.leave(needle.label, encoding, self._wheres[mark], beside)
        else:
            self._add(mark, needle.label, encoding)

    def _add(self, mark: int, label: str, encoding: str) -> None:
        self._held.add(mark)
        store, place = self._wheres[mark]
        self.report.add(Hit(store=store, place=place, label=label, encoding=encoding))


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
