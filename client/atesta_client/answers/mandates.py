"""Mandates, bodies and recognition policies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atesta_client.answers.law_record import LawRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate(LawRecord):
    """A mandate: who may act for whom."""

    agency: str
    """Who recorded it."""
    kind: str
    """Office, power or guardianship."""
    body: str | None
    """Commitment to the body."""
    grantor: str
    """Commitment."""
    grantee: str
    """Commitment."""
    scope_mask: str
    """One bit for each act of the list."""
    scope_list: dict[str, Any] | None
    """The list of acts, where this node has the text."""
    scope_list_hash: str
    """Hash of the list."""
    limit: int | None
    """Highest amount; ``None`` for any."""
    valid_from: datetime | None
    """First moment."""
    valid_until: datetime | None
    """End; ``None`` for none."""
    ended: datetime | None
    """When its board went out of office."""
    board: int
    """Number of its body's board."""
    parent: str | None
    """The mandate it was handed on from."""
    may_delegate: bool
    """Whether it may be handed on."""
    record: str | None
    """Commitment to the full record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateCheck:
    """Whether a mandate covers an act, and if not, why not."""

    uid: str
    """The mandate."""
    covered: bool
    """Whether it covers all of it."""
    rule: str | None
    """The rule that speaks against it."""
    reason: str | None
    """What is the matter, one sentence."""
    next_step: str | None
    """What to do."""
    acts: tuple[str, ...]
    """What was asked about."""
    amount: int
    """The amount asked about."""
    at: datetime
    """The date asked about."""
    grantor: str
    """Commitment to who gave it; opens with its envelope."""
    grantee: str
    """Commitment to who may act; opens with its envelope."""
    handed_on_from: tuple[str, ...]
    """Mandates above it, each of which has to cover it too."""
    read_at_block: int
    """Last settled block read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(LawRecord):
    """A body, from its first succession on."""

    keeper: str
    """Agency that keeps it."""
    board: int
    """Number of the board."""
    effective: datetime | None
    """In office since."""
    resolution: str | None
    """Commitment to the resolution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(LawRecord):
    """A recognition policy: which documents one side recognises of the other."""

    from_jurisdiction: str
    """Whose documents."""
    to_jurisdiction: str
    """Who recognises them."""
    proposed_by: str
    """Who signed first."""
    schema_uid: str
    """Which documents."""
    issuers: tuple[str, ...]
    """Whose; none for all."""
    max_age_s: int | None
    """Highest age in seconds."""
    assurance: str | None
    """Least assurance."""
    valid_from: datetime | None
    """First moment."""
    valid_until: datetime | None
    """End; ``None`` for none."""
    agreement: dict[str, Any] | None
    """The agreement, where this node has the text."""
    document_hash: str
    """Hash of the agreement."""
    suspended_by: tuple[str, ...] | None
    """Sides that suspend it; ``None`` in lists."""
