"""Legal bases, instruments and stops."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atesta_client.answers.law_record import LawRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a legal basis covers for certain parties."""

    provider: str | None
    """``None`` for any."""
    recipient: str | None
    """``None`` for any."""
    dataset: str
    """The dataset."""
    purpose: str
    """The purpose."""
    fields: tuple[str, ...] | None
    """Pointers; ``None`` where this node lacks the dataset's text."""
    field_mask: str
    """The same as the ledger's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis(LawRecord):
    """A legal basis: on which law data may be exchanged."""

    entered_by: str
    """Who entered it."""
    voted: bool
    """True if the agencies resolved on it."""
    kind: str
    """On what it rests."""
    law: dict[str, Any] | None
    """Law and article, where this node has the text."""
    law_hash: str
    """Hash of this text."""
    sensitivity: str
    """The highest that it covers."""
    from_jurisdiction: str | None
    """``None`` for any."""
    to_jurisdiction: str | None
    """``None`` for any."""
    must_notify: bool
    """Whether people must be told."""
    valid_from: datetime | None
    """First moment."""
    valid_until: datetime | None
    """End; ``None`` for none."""
    scopes: tuple[Scope, ...]
    """What it covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(LawRecord):
    """An instrument under which data may leave a jurisdiction."""

    entered_by: str
    """The supervisor."""
    kind: str
    """Contract, assessment or permit."""
    filing: str
    """Commitment to the filing."""
    assessment_hash: str | None
    """Hash of the assessment."""
    provider: str
    """Whose data leave."""
    recipient: str
    """Who receives them."""
    dataset: str
    """The dataset."""
    onward_allowed: bool
    """Whether they may go further."""
    valid_from: datetime | None
    """First moment."""
    valid_until: datetime | None
    """End; ``None`` for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(LawRecord):
    """A supervisor's stop of a dataset, a pair of agencies or a legal basis."""

    entered_by: str
    """The supervisor."""
    kind: str
    """What is stopped."""
    subject: str
    """Which."""
    until: datetime
    """When it ends by itself."""
    decision: dict[str, Any] | None
    """The decision, where this node has the text."""
    decision_hash: str
    """Hash of the decision."""
