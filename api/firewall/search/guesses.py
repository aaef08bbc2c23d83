"""Hashing what somebody could guess: the plain hash of an identity number is that number.

There are fewer than fifty thousand birth dates, ten million telephone numbers, some thirty million
identity numbers. Whoever sees an unsalted hash of one tries them all in seconds. So the audit does
the same first: every guess is hashed with SHA-1, MD5, SHA-256, SM3 and keccak-256, once and twice,
the second time over the bytes and over their hex form, and every place of every store is compared
with the results: as bytes at any offset, and as hex and base64 wherever these are decoded. Spaces
that are too large for all of that are *swept* besides: hashed once with SHA-256, the likeliest way,
which reaches thirty times as far in the same time.

The first eight bytes of a digest are compared, so one that was cut to eight bytes or more is found
as well. Of ten million digests, chance puts one into a gigabyte once in two thousand times; the
report states the number for what was searched.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import sha3

from api.firewall.search.matcher import WindowTable

COMPARED: Final = 8
"""Bytes of a digest that are compared."""

FIRST_BIRTH: Final = date(1900, 1, 1)
_ALL: Final = np.uint64(2**64 - 1)
_sha256: Final = hashlib.sha256
_SM3: Final = hashlib.new("sm3")

Hash = Callable[[bytes], bytes]


def _sm3(data: bytes) -> bytes:
    digest = _SM3.copy()  # looking the algorithm up by name costs more than hashing
    digest.update(data)
    return digest.digest()


HASHES: Final[tuple[tuple[str, Hash], ...]] = (
    ("SHA-1", lambda data: hashlib.sha1(data, usedforsecurity=False).digest()),
    ("MD5", lambda data: hashlib.md5(data, usedforsecurity=False).digest()),
    ("SHA-256", lambda data: hashlib.sha256(data).digest()),
    ("SM3", _sm3),
    ("keccak-256", lambda data: bytes(sha3.keccak_256(data).digest())),
)
"""The hashes that are tried."""

ROUNDS: Final = ("once", "twice", "twice, over hex")

RECIPES: Final = tuple(f"{name} {rounds}" for name, _ in HASHES for rounds in ROUNDS)
"""What is computed of every guess, in order."""

SWEPT: Final = "SHA-256 once"
"""What is computed of every number of a sweep."""

_SWEPT_TOGETHER: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One text that may have been hashed."""

    text: str
    label: str
    """What it is, for reports: never the text itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A set of guesses."""

    name: str
    """Such as `birth dates`."""
    size: int
    """How many different texts it has."""
    tried: int
    """How many of them were hashed; fewer where the space is too large to be tried whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The first numbers of a space, each hashed in the likeliest way only."""

    label: str
    """What each number is, for reports."""
    beginnings: tuple[str, ...]
    digits: int
    """How many digits follow each beginning."""
    each: int
    """How many numbers of each beginning."""

    @property
    def size(self) -> int:
        """Return how many numbers it has."""
        return len(self.beginnings) * self.each

    def iterate_prefixes(self) -> Iterator[bytes]:
        """Yield the compared bytes of the digests in order, some thousand numbers at a time."""
        for beginning in self.beginnings:
            form = f"{beginning}%0{self.digits}d".encode()
            for start in range(0, self.each, _SWEPT_TOGETHER):
                numbers = range(start, min(start + _SWEPT_TOGETHER, self.each))
                yield b"".join([_sha256(form % number).digest()[:COMPARED] for number in numbers])


class GuessTable:
    """The digests of all guesses, ready to be looked for."""

    def __init__(
        self,
        guesses: Sequence[Guess],
        *,
        sweeps: Sequence[Sweep] = (),
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Hash all guesses and sweeps; `progress` is told of some thousand of them at a time."""
        self._guesses = guesses
        self._sweeps = sweeps
        prefixes = bytearray()
        for number, guess in enumerate(guesses):
            for digest in iterate_digests(guess.text.encode("utf-8", "surrogatepass")):
                prefixes += digest[:COMPARED]
            if progress is not None and not (number + 1) % 1_000:
                progress(1_000)
        for sweep in sweeps:
            for part in sweep.iterate_prefixes():
                prefixes += part
                if progress is not None:
                    progress(len(part) // COMPARED)
        keys, self._order = np.unique(np.frombuffer(prefixes, dtype="<u8"), return_index=True)
        self._table = WindowTable(keys, _ALL) if keys.size else None

    @property
    def digest_count(self) -> int:
        """Return how many digests are looked for."""
        return len(self._guesses) * len(RECIPES) + sum(sweep.size for sweep in self._sweeps)

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield (place, number of the digest) for every digest that begins in the data."""
        if self._table is None or len(data) < COMPARED:
            return
        for place, index in self._table.find(data):
            if place + COMPARED <= len(data):
                yield place, int(self._order[index])

    def get_length(self, number: int) -> int:  # noqa: ARG002 - all are equally long
        """Return how many bytes are compared."""
        return COMPARED

    def describe(self, number: int) -> tuple[str, str]:
        """Return the label of the guess behind a digest, and how it was hashed."""
        guess, recipe = divmod(number, len(RECIPES))
        if guess < len(self._guesses):
            return self._guesses[guess].label, RECIPES[recipe]
        number -= len(self._guesses) * len(RECIPES)
        for sweep in self._sweeps:
            if number < sweep.size:
                return sweep.label, SWEPT
            number -= sweep.size
        raise AssertionError("a number of a digest is of a guess or of a sweep")


NO_GUESSES: Final = GuessTable(())
"""Finds nothing."""


def iterate_digests(data: bytes) -> Iterator[bytes]:
    """Yield the digests of a guess in the order of RECIPES."""
    for _, compute in HASHES:
        digest = compute(data)
        yield digest
        yield compute(digest)
        yield compute(digest.hex().encode())


def list_birth_dates(
    today: date, *, first: date = FIRST_BIRTH, label: str = "a birth date"
) -> tuple[list[Guess], Space]:
    """Return every day from 1900 to today, in each way of writing it."""
    guesses = []
    day = first
    while day <= today:
        guesses += [Guess(text=text, label=label) for text in iterate_date_texts(day)]
        day += timedelta(days=1)
    return guesses, Space(name="birth dates", size=len(guesses), tried=len(guesses))


def iterate_date_texts(day: date) -> Iterator[str]:
    """Yield the ways in which forms and programs write a day."""
    year, month, days = f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"
    for separator in ("-", "/", ".", ""):
        yield separator.join((year, month, days))
        yield separator.join((days, month, year))
    yield f"{month}/{days}/{year}"
    yield f"{year[2:]}{month}{days}"
    yield f"{day.year}年{day.month}月{day.day}日"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A space of numbers: fixed beginnings, then digits."""

    name: str
    beginnings: tuple[str, ...]
    digits: int
    """How many digits follow each beginning."""

    @property
    def size(self) -> int:
        """Return how many numbers it has."""
        return len(self.beginnings) * int(10**self.digits)

    @property
    def label(self) -> str:
        """Return what one of its numbers is called in reports."""
        return f"a number of {self.name}"

    def make_sweep(self, limit: int) -> tuple[Sweep, Space]:
        """Return a sweep of the first numbers of each beginning, at most `limit` in all."""
        each = min(limit // len(self.beginnings), 10**self.digits)
        sweep = Sweep(label=self.label, beginnings=self.beginnings, digits=self.digits, each=each)
        return sweep, Space(name=f"{self.name}, {SWEPT}", size=self.size, tried=sweep.size)

    def list_guesses(self, limit: int) -> tuple[list[Guess], Space]:
        """Return the first guesses of each beginning, at most `limit` in all."""
        each = min(limit // len(self.beginnings), 10**self.digits)
        guesses = [
            Guess(text=f"{beginning}{number:0{self.digits}}", label=self.label)
            for beginning in self.beginnings
            for number in range(each)
        ]
        return guesses, Space(name=self.name, size=self.size, tried=len(guesses))


MACAO_PATTERNS: Final = (
    Pattern(name="Macao mobile numbers", beginnings=("6",), digits=7),
    Pattern(name="Macao identity numbers", beginnings=("1", "5", "7"), digits=7),
)
"""The spaces of this city; they are small enough to be swept, whole or nearly so."""

PATTERNS: Final = (
    *MACAO_PATTERNS,
    Pattern(
        name="Guangdong mobile numbers",
        beginnings=tuple(f"1{second}" for second in range(3, 10)),
        digits=9,
    ),
)
"""Spaces whose form is public. The larger ones are tried up to a limit, which the report states."""


def list_neighbours(numbers: Iterable[str], *, digits: int = 2) -> tuple[list[Guess], Space]:
    """Return the numbers that differ from known ones in their last digits only.

    Numbers are given out in series, so these are the likeliest to belong to real persons.
    """
    stems = sorted({number[:-digits] for number in numbers if len(number) > digits + 4})
    guesses = [
        Guess(text=f"{stem}{tail:0{digits}}", label="a number near one of the vault's")
        for stem in stems
        for tail in range(10**digits)
    ]
    return guesses, Space(name="numbers near the vault's", size=len(guesses), tried=len(guesses))


def name_spaces(spaces: Iterable[Space]) -> list[dict[str, Any]]:
    """Return spaces as a report states them."""
    return [{"name": space.name, "size": space.size, "tried": space.tried} for space in spaces]
