"""Merges of persons: proposed by one officer, decided by another."""

from dataclasses import dataclass
from datetime import datetime

from atesta_client.answers.consents import KnownSubject


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeEntry:
    """A merge in the journal, without what it says of persons."""

    uid: str
    """The merge."""
    state: str
    """``proposed``, ``refused``, ``approved`` (not carried out yet) or ``applied``."""
    proposer: str
    """Who proposed it."""
    proposed: datetime
    """When."""
    decider: str | None
    """Who decided it."""
    decided: datetime | None
    """When."""
    reverses: str | None
    """The merge that it takes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge with what it says of persons."""

    uid: str
    """The merge."""
    state: str
    """``proposed``, ``refused``, ``approved`` (not carried out yet) or ``applied``."""
    proposer: str
    """Who proposed it."""
    proposed: datetime
    """When."""
    decider: str | None
    """Who decided it."""
    decided: datetime | None
    """When."""
    reverses: str | None
    """The merge that it takes back."""
    subject: KnownSubject
    """What the handle shall mean; of a reversal, what it means until then."""
    reason: str
    """Why."""
    before: tuple[KnownSubject, ...] | None
    """The records whose place was taken; ``None`` until it is approved."""
