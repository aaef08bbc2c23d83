"""Cases, and what a case may ask."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from atesta_client.answers.bases import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Fields of one dataset that a case needs."""

    dataset: str
    """The dataset."""
    fields: tuple[str, ...]
    """The smallest set that serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFileView:
    """A case file."""

    number: str
    """The agency's case number."""
    procedure: str
    """Which procedure it is."""
    purpose: str
    """Purpose of what is asked."""
    needs: tuple[Need, ...] = ()
    """What it needs from others."""
    opened: datetime
    """When it was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseBasis:
    """The legal basis of an exchange."""

    uid: str
    """The basis."""
    law: str | None
    """Law."""
    article: str | None
    """Article."""
    live_then: bool
    """In force whenever the law was checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseConsent:
    """A consent that an exchange rests on."""

    uid: str
    """The consent."""
    kind: str | None
    """What it is for."""
    notice: str
    """The notice that was shown."""
    notice_version: int | None
    """Its version."""
    notice_title: str | None
    """Its title."""
    language: str | None
    """Its language."""
    given: datetime
    """When it was given."""
    live_then: bool
    """In force whenever the law was checked."""
    withdrawn: datetime | None
    """When it was withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Irregularity:
    """Something that is missing or not in order."""

    code: str
    """Stable code."""
    text: str
    """What is wrong."""
    next_step: str
    """What to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOnly:
    """Why what the vault has of a record stays closed."""

    cause: str
    """``request``, ``withdrawal`` or ``term``."""
    purpose: str
    """The only purpose for which it opens: the uid of a basis, or ``retained``."""
    legal_reference: str | None
    """The law, where a class of retention cites it."""
    until: datetime | None
    """When it is erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedPart:
    """Something of a case that was erased."""

    what: str
    """``exchange`` or ``case_file``."""
    reason: str
    """Why: a neutral code."""
    erased: datetime
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseExchange:
    """One exchange of a case."""

    uid: str
    """The exchange."""
    state: str | None
    """Where it stands."""
    requester: str
    """Who asked."""
    officer: dict[str, Any] | None
    """Which officer, from the vault."""
    provider: str
    """Whom."""
    decided_by: dict[str, Any] | None
    """Which data officer, where this vault knows."""
    dataset: str
    """For which data."""
    dataset_title: str | None
    """Its title."""
    fields: tuple[str, ...] | None
    """For which fields."""
    purpose: str
    """What for."""
    purpose_title: str | None
    """Its title."""
    basis: CaseBasis | None
    """On which legal basis."""
    consents: tuple[CaseConsent, ...]
    """On which consents."""
    requested: datetime
    """When it was asked."""
    due: datetime | None
    """When the answer was due."""
    decided: datetime | None
    """When it was decided."""
    released: datetime | None
    """When data went over."""
    received: datetime | None
    """When they arrived."""
    received_equal: bool | None
    """Whether what arrived is what was released; ``None`` before."""
    kept_until: datetime | None
    """Until when they may be kept."""
    storage_only: StorageOnly | None
    """Set where what the vault has of it is kept for storage only."""
    missing: tuple[Irregularity, ...]
    """What is missing or not in order."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnswer:
    """All about a case, from its number alone."""

    number: str
    """The case."""
    file: CaseFileView | None
    """Its file, if one was opened."""
    exchanges: tuple[CaseExchange, ...]
    """In the order asked."""
    erased: tuple[ErasedPart, ...]
    """What was erased of it, oldest first."""
    missing: tuple[str, ...]
    """Codes of all that is missing; empty if all is in order."""
    block: int
    """Last settled block read."""
    ledgers: dict[str, Any] = field(default_factory=dict)
    """Every ledger that was asked, with the last block read; ``None`` where it was out of reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableBasis:
    """A legal basis on which this agency may ask now."""

    basis: Basis
    """The basis."""
    fields: tuple[str, ...]
    """The smallest set that serves: what the case needs and the basis covers."""
    missing_fields: tuple[str, ...]
    """What the case needs besides, and this basis does not cover."""
    instrument: str | None
    """Instrument to name, where data leave a jurisdiction."""
    consents: tuple[str, ...]
    """Kinds of consent to name: ``general``, ``sensitive``, ``cross_border``."""
    needs_decision: bool
    """Whether the provider's data officer decides."""
    must_notify: bool
    """Whether people must be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedBasis:
    """A legal basis on this dataset that does not serve now."""

    basis: str
    """The basis."""
    rule: str
    """What the contract says against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Askable:
    """What a case may ask of a dataset."""

    case: str
    """The case."""
    dataset: str
    """The dataset."""
    needed: tuple[str, ...]
    """What the case needs of it."""
    usable: tuple[UsableBasis, ...]
    """Bases that serve, those first that cover most and ask for least besides."""
    refused: tuple[RefusedBasis, ...]
    """Bases that do not, and why."""
    block: int
    """Last settled block read."""
