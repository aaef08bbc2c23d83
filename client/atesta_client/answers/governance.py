"""Posts, proposals and the rules of voting."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atesta_client.answers.law_record import LawRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One officer's time in one seat of a post."""

    seat: int
    """0 holds the post, 1 to 4 are deputies."""
    officer: str
    """Commitment to the officer."""
    valid_from: datetime | None
    """First moment."""
    valid_until: datetime | None
    """End; ``None`` for none."""
    resolution: str | None
    """Commitment to the resolution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(LawRecord):
    """A post of an agency."""

    agency: str
    """Whose post."""
    duties: dict[str, Any] | None
    """What it is for, where this node has the text."""
    duties_hash: str
    """Hash of this text."""
    terms: tuple[Term, ...] | None
    """Every officer there was, by seat; ``None`` in lists."""
    keys: tuple[str, ...] | None
    """Keys that the post holds; ``None`` in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One agency's vote."""

    agency: str
    """Who voted."""
    approves: bool
    """True for, false against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A decision put to the vote."""

    number: int
    """Its number."""
    decision: str | None
    """What shall be done; ``None`` for a kind that this version does not know."""
    parameters: dict[str, Any]
    """With what, by the names of ``contracts.decisions``."""
    state: str
    """``passed`` waits until it may be carried out."""
    proposer: str
    """Who proposed it."""
    document_hash: str
    """Hash of its document."""
    expires: datetime
    """Votes count until then."""
    ready: datetime | None
    """When a passed one may be carried out."""
    passing: bool
    """Whether it has the majorities now, in all and in each jurisdiction."""
    votes: tuple[Ballot, ...]
    """Votes of all agencies that voted."""
    read_at_block: int
    """Last settled block read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoverningRules:
    """By which rules the agencies decide, now."""

    total_percent: int
    """More than this share of all active agencies approves."""
    jurisdiction_percent: int
    """And of those of each jurisdiction."""
    urgent_delay_s: int
    """Seconds that urgent decisions wait."""
    ordinary_delay_s: int
    """Seconds that ordinary ones wait."""
    grave_delay_s: int
    """Seconds that upgrades and rules wait."""
    minimum_validators: int
    """Least number of validators."""
