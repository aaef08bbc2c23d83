"""What chance alone would find, and whether what was left to chance was chance.

A form of L characters stands at one place of random text over 16, 64 or 256 characters with the
probability 16^-L, 64^-L or 256^-L. So whoever knows how much text of each kind was searched, and
how long the forms are, can say how many hits chance makes in all. An audit states that number
beside its findings: it is far below one, and that is what makes a finding one.

What `hex_runs` leaves to chance is held to the same measure. Chance makes so many of these matches
that the number of random fields that hold one follows the law of Poisson. More than that, for all
values together or for one of them, is no chance but somebody who writes values into fields, and
then everything that was left is a finding. In a small store one such match is already too many.

A field that is stored five times was drawn once, so two matches of a value with the same digits
beside it count once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from api.firewall.search.hex_runs import count_characters

LEAST_LIKELY: Final = 1e-6
"""What chance does more rarely is not taken for chance; so often an honest search fails by it."""
MAX_LEFT: Final = 10_000
"""Different fields that are kept; more are too many for chance whatever was searched."""

_BESIDE: Final = 4
_HEX, _BASE64, _BYTES = 16, 64, 256

Lengths = Mapping[int, int]
"""How many forms there are, by their length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLengths:
    """The lengths of forms that count wherever they stand, by the text they may stand in."""

    in_hex: Lengths
    in_base64: Lengths
    in_bytes: Lengths
    left: Lengths
    """Of those that are left to chance inside a run of hexadecimal digits."""


@dataclass(slots=True, kw_only=True)
class LeftToChance:
    """The random fields in which one value stands."""

    store: str
    """Where it was seen first."""
    place: str
    encoding: str
    beside: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Of each field, the digits before and behind the value, four at most."""

    def add(self, before: bytes, after: bytes) -> bool:
        """Note a field; returns whether it is another one than those before."""
        if any(
            (before and before == known[0]) or (after and after == known[1])
            for known in self.beside
        ):
            return False
        self.beside.append((before, after))
        return True


@dataclass(slots=True, kw_only=True)
class ChanceTally:
    """How much text chance had to fill, and what was left to it."""

    hex_digits: int = 0
    base64_characters: int = 0
    size: int = 0
    """Bytes of everything that was looked through, each layer of it anew."""
    left: dict[str, LeftToChance] = field(default_factory=dict)
    """By the label of the value."""
    count: int = 0
    """Different fields in which one of the values stands."""

    def read(self, data: bytes) -> None:
        """Count what is looked through."""
        digits, characters = count_characters(data)
        self.hex_digits += digits
        self.base64_characters += characters
        self.size += len(data)

    def leave(
        self, label: str, encoding: str, where: tuple[str, str], beside: tuple[bytes, bytes]
    ) -> None:
        """Leave a match to chance: what it is, its store and place, the text on both sides."""
        before, after = beside[0][-_BESIDE:].lower(), beside[1][:_BESIDE].lower()
        known = self.left.setdefault(
            label, LeftToChance(store=where[0], place=where[1], encoding=encoding)
        )
        if self.count < MAX_LEFT and known.add(before, after):
            self.count += 1

    def merge(self, other: "ChanceTally", *, prefix: str = "") -> None:
        """Take over what another search counted and left."""
        self.hex_digits += other.hex_digits
        self.base64_characters += other.base64_characters
        self.size += other.size
        for label, left in other.left.items():
            for beside in left.beside:
                self.leave(label, left.encoding, (prefix + left.store, left.place), beside)

    def compute_expected(self, lengths: FormLengths) -> float:
        """Return how many of the findings chance would make."""
        return (
            self.hex_digits * _sum(lengths.in_hex, _HEX)
            + self.base64_characters * _sum(lengths.in_base64, _BASE64)
            + self.size * _sum(lengths.in_bytes, _BYTES)
        )

    def compute_left(self, lengths: FormLengths) -> float:
        """Return in how many random fields chance would put one of these values."""
        return self.hex_digits * _sum(lengths.left, _HEX)

    def find_unlikely(self, lengths: FormLengths, own: Mapping[str, FormLengths]) -> list[str]:
        """Return the labels whose matches are no chance; `own` has the lengths for each label."""
        if not self.left:
            return []
        if (
            self.count >= MAX_LEFT
            or compute_tail(self.count, self.compute_left(lengths)) < LEAST_LIKELY
        ):
            return sorted(self.left)
        least = LEAST_LIKELY / max(1, sum(lengths.left.values()))
        return sorted(
            label
            for label, left in self.left.items()
            if compute_tail(len(left.beside), self.compute_left(own[label])) < least
        )


def compute_tail(count: int, expected: float) -> float:
    """Return the probability that a Poisson variable of this mean is `count` or more."""
    if count <= expected or count == 0:
        return 1.0
    if expected <= 0:
        return 0.0
    term = math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
    total, number = 0.0, count
    while term > total * 1e-12:
        total += term
        number += 1
        term *= expected / number
    return min(1.0, total)


def _sum(lengths: Lengths, characters: int) -> float:
    return math.fsum(count * float(characters) ** -length for length, count in lengths.items())
