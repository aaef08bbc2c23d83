"""Values that were searched before and held nothing: they need not be opened again.

The nodes of a ledger keep the same chain, so an audit of five folders meets nearly every value of
it five times, and opening values is what costs. A value that held nothing in one store holds
nothing in another, as long as the same things are looked for. It is known by a hash of 64 bits with
a random key (Python's own, of bytes). What held anything, the controls above all, is never known.
"""

from collections.abc import Iterable
from typing import Final

MAX_CLEAN: Final = 4_000_000
"""Values that are remembered; later ones are opened each time."""


class CleanValues:
    """The values that held nothing, of one audit."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def __contains__(self, value: bytes) -> bool:
        """Say whether a value was searched before and held nothing."""
        return hash(value) in self._hashes

    def add(self, hashes: Iterable[int]) -> None:
        """Remember values by their hashes, while there is room."""
        if len(self._hashes) < MAX_CLEAN:
            self._hashes.update(hashes)
