"""Who is told whenever something of the vault is opened.

Whatever decrypts a record for a person or a program names it to a witness, in the same call. What
serves requests hands in a witness that writes down who opened it and why (`api.access.reads`); what
belongs to no request and must open nothing hands in `NOBODY`. So a new handler that opens the vault
past the record of reads does not work at all, rather than work unrecorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from api.errors import ApiBug

CREDENTIAL: Final = "credential"
"""What is opened of a record that is a document; a material is opened by its role."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One thing of the vault that was opened."""

    uid: bytes
    """The record; of a matching record the place of its handle."""
    what: str
    """`credential`, or the role of a material."""


class Witness(Protocol):
    """Port to whoever keeps account of openings."""

    def note(self, opened: Sequence[Opened]) -> None:
        """Take notice of what was opened; raises if it cannot be accounted for."""
        ...

    def is_for(self, purpose: str) -> bool:
        """Tell whether it opens for this purpose, so that what is kept only for it may be read."""
        ...


class Unwitnessed:
    """For the agency's own upkeep of its vault, which shows nothing to anybody."""

    def note(self, opened: Sequence[Opened]) -> None:
        """Do nothing."""

    def is_for(self, purpose: str) -> bool:
        """Upkeep reaches what is stored, whatever for."""
        del purpose
        return True


class Nobody:
    """For parts of a server that have no request at hand."""

    def note(self, opened: Sequence[Opened]) -> None:
        """Refuse: nobody is named as the reader."""
        del opened
        raise ApiBug("the vault was opened without naming a reader")

    def is_for(self, purpose: str) -> bool:
        """Nobody has a purpose."""
        del purpose
        return False


UNWITNESSED: Final = Unwitnessed()
NOBODY: Final = Nobody()
