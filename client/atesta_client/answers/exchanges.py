"""Exchanges and their periods."""

from dataclasses import dataclass
from datetime import datetime

from atesta_client.answers.law_record import LawRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """The consents that a request rests on."""

    general: str | None
    """General."""
    sensitive: str | None
    """For sensitive data."""
    cross_border: str | None
    """For data that leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How an exchange stands at the last settled block."""

    decided_by: str | None
    """Commitment to the data officer."""
    response: str | None
    """Commitment to what was released."""
    received: str | None
    """Commitment to what arrived."""
    equal: bool | None
    """Whether both are the same; ``None`` before."""
    deliveries: int
    """Number of releases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(LawRecord):
    """An exchange: who asked whom for what, when, why and on which basis."""

    requester: str
    """Who asks."""
    provider: str
    """Who is asked."""
    dataset: str
    """The dataset."""
    dataset_version: int
    """Its version."""
    fields: tuple[str, ...] | None
    """Pointers; ``None`` where this node lacks the dataset's text."""
    field_mask: str
    """The same as the ledger's word."""
    purpose: str
    """The purpose."""
    basis: str
    """The legal basis."""
    basis_kind: str | None
    """On what the basis rests."""
    instrument: str | None
    """Cross-border instrument."""
    consents: Consents
    """The consents it rests on."""
    mandate: str | None
    """Of whoever it is made for."""
    onward_of: str | None
    """The exchange by which the data came to the provider."""
    mode: str
    """``once``, ``standing`` or ``bulk``."""
    channel: str | None
    """Where the case came in."""
    case_commitment: str | None
    """Commitment to the case."""
    officer: str | None
    """Commitment to the officer who asks."""
    request_commitment: str
    """Commitment to the request."""
    due: datetime | None
    """When the decision is due."""
    valid_until: datetime | None
    """End of a standing one."""
    retention_until: datetime | None
    """When what was received is deleted."""
    progress: Progress | None
    """How it stands now; ``None`` in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side's statement on a period."""

    count: int
    """Number of records."""
    root: str | None
    """RFC 6962 root; ``None`` if there were none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period(LawRecord):
    """A period of a standing or bulk exchange."""

    exchange: str
    """The exchange."""
    period: int
    """Its number."""
    requester: str
    """Who receives."""
    provider: str
    """Who delivers."""
    begun: datetime | None
    """When it began."""
    stated_by_provider: Side | None
    """``None`` before; and in lists."""
    stated_by_requester: Side | None
    """``None`` before; and in lists."""
    named_leaves: int | None
    """Leaves named; ``None`` in lists."""
