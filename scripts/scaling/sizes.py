"""How large a made-up ledger is, and the deterministic choices that everything in it comes from.

Nothing is drawn from a running random generator: every number is the keccak256 of the seed, a word
and a place. So each block can be made without those before it, which is what lets a killed run go
on where its index stands.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from eth_typing import Address
from eth_utils.crypto import keccak

from contracts.labels import encode_label

SMALL_PART: Final = 1_000
"""What the full size is divided by for the small version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many there are of each; the defaults are the size that this project promises."""

    agencies: int = 27
    datasets: int = 305
    entities: int = 10_000
    """Bodies, each with the mandates of its board and of who acts for it."""
    consents: int = 100_000
    attestations: int = 1_000_000

    def divide(self, part: int) -> "Sizes":
        """Return a smaller ledger of the same make; agencies and datasets stay as they are."""
        return Sizes(
            agencies=self.agencies,
            datasets=self.datasets,
            entities=max(10, self.entities // part),
            consents=max(100, self.consents // part),
            attestations=max(1_000, self.attestations // part),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A made-up ledger: one seed and one size are always the same ledger."""

    seed: int
    sizes: Sizes

    def name(self, word: str, place: int) -> bytes:
        """Return the 32 bytes that name or stand for the `place`-th thing of a kind."""
        return keccak(b"%d %s %d" % (self.seed, word.encode(), place))

    def address(self, word: str, place: int) -> Address:
        """Return the address of a key."""
        return Address(self.name(word, place)[12:])

    def choose(self, word: str, place: int, count: int) -> int:
        """Return a number below `count`, evenly spread."""
        return int.from_bytes(self.name(word, place)[:8], "big") % count

    def choose_unevenly(self, word: str, place: int, count: int) -> int:
        """Return a number below `count`, the small ones far more often than the large ones."""
        share = int.from_bytes(self.name(word, place)[:6], "big") / 2**48
        return int(count * share * share)

    def get_agency(self, number: int) -> bytes:
        """Return the id of an agency; agencies are numbered from 0."""
        return get_agency_id(number)

    def get_key(self, agency: int) -> Address:
        """Return an agency's key."""
        return _get_key(self, agency)

    def own_dataset(self, dataset: int) -> int:
        """Return the number of the agency that a dataset belongs to."""
        return dataset % self.sizes.agencies


@cache
def get_agency_id(number: int) -> bytes:
    """Return the id of the agency with a number; every second one is of the other side."""
    side = "mo" if number % 2 == 0 else "gd"
    return bytes(encode_label(f"{side}-agency-{number + 1:02}"))


@cache
def _get_key(plan: Plan, agency: int) -> Address:
    return plan.address("key", agency)
