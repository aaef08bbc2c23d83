"""Erasing everything of a person."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """One record of a person, and what becomes of it."""

    uid: str
    """The record."""
    kind: str
    """Its kind on the ledger, or ``credential``, ``matching_record``, ``merge``, ``key_binding``,
    ``case_file``, ``record``."""
    holds: tuple[str, ...]
    """What the vault has of it: ``credential``, or roles of envelopes."""
    outcome: str
    """``erase``, or ``keep``: a law asks for it, and it is kept for storage only."""
    retention_class: str | None
    """The class of retention that says so."""
    legal_reference: str | None
    """The law, in the class's words."""
    checked: bool | None
    """Whether somebody has confirmed that law for this agency."""
    until: datetime | None
    """Until when it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPlan:
    """What erasing a person would come to."""

    erase: int
    """Records that would go."""
    keep: int
    """Records that a law asks to keep."""
    records: tuple[PersonRecord, ...]
    """All of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonErasure:
    """How far erasing a person has come."""

    id: str
    """The act; it says nothing of the person."""
    state: str
    """``ordered`` (it will be carried out) or ``erased``."""
    reason: str
    """Why: a neutral code."""
    ordered: datetime
    """When it was ordered."""
    finished: datetime | None
    """When all was done."""
    erase: int
    """Records to erase."""
    left: int
    """Of these, not erased yet."""
    keep: int
    """Records kept for storage only."""
    problems: tuple[str, ...]
    """Why some do not go on for now."""
    records: tuple[PersonRecord, ...] | None
    """What becomes of each; only in the first answer."""
