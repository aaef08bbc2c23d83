"""What a search has looked through, and what it found: places and labels, never a value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from api.firewall.search.expectation import ChanceTally

MAX_HITS: Final = 2_000
"""Different hits that are kept, controls apart; more are only counted."""

CONTROL: Final = "control: "
"""Begins the label of every control: a value that was planted to be found."""

Progress = Callable[[int], None]
"""Is told how many more bytes have been searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a needle was found."""

    store: str
    """The store, such as ``chain: LevelDB``."""
    place: str
    """Where in it: a file, a table and column, a kind of key."""
    label: str
    """What was found, by its label; never the value."""
    encoding: str
    """In which encoding, or by which hash."""


@dataclass(slots=True, kw_only=True)
class SearchReport:
    """What was searched and what was found."""

    hits: list[Hit] = field(default_factory=list)
    """Every place with a needle, each combination once."""
    stores: dict[str, int] = field(default_factory=dict)
    """The stores searched and how many keys, values, columns, frames or bytes each had."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of each store, as they were read; fields inside one another count once."""
    further_hits: int = 0
    """Hits beyond those that are kept."""
    chance: ChanceTally = field(default_factory=ChanceTally)
    """How much chance had to fill, and which matches were left to it."""
    _findings: int = 0
    _seen: set[Hit] = field(default_factory=set)

    def add(self, hit: Hit) -> None:
        """Note a hit once."""
        if hit in self._seen:
            return
        if not hit.label.startswith(CONTROL):
            if self._findings >= MAX_HITS:
                self.further_hits += 1
                return
            self._findings += 1
        self._seen.add(hit)
        self.hits.append(hit)

    def count(self, store: str, number: int = 1, *, size: int = 0) -> None:
        """Note that so many more things of a store were searched, of so many bytes."""
        self.stores[store] = self.stores.get(store, 0) + number
        self.sizes[store] = self.sizes.get(store, 0) + size

    def get_stores_with(self, label: str) -> set[str]:
        """Return the stores in which the needle of this label was found."""
        return {hit.store for hit in self.hits if hit.label == label}

    def merge(self, other: "SearchReport", *, prefix: str = "") -> None:
        """Take over what another search found; its stores get a name before them."""
        for hit in other.hits:
            self.add(
                Hit(
                    store=prefix + hit.store,
                    place=hit.place,
                    label=hit.label,
                    encoding=hit.encoding,
                )
            )
        for store, number in other.stores.items():
            self.count(prefix + store, number, size=other.sizes.get(store, 0))
        self.further_hits += other.further_hits
        self.chance.merge(other.chance, prefix=prefix)
