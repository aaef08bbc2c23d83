"""Challenges, answers to a check, provenance."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from atesta_client.answers.service import FinalityFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A single-use nonce of this verifier."""

    nonce: str
    """Sign this."""
    verifier: str
    """This agency; the holder signs it too."""
    purpose: str
    """The purpose given."""
    issued: datetime
    """When it was made."""
    expires: datetime
    """After this it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason."""

    code: str
    """Stable code for programs."""
    text: str
    """Plain words for people."""
    field: str | None = None
    """Field concerned; never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the check found about the record; nothing of its content."""

    uid: str
    """The record."""
    issuer: str
    """Who attested it."""
    issuer_name: str | None
    """Name from this node's address book."""
    schema_uid: str
    """Its schema."""
    batch: str | None
    """Batch that contains it."""
    state: str
    """State at the block of the answer."""
    state_block: int
    """Block that made it so."""
    state_time: datetime
    """Time of that block."""
    valid_until: datetime | None
    """End of validity."""
    attested_block: int
    """Block of attestation."""
    attested_time: datetime
    """Time of that block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPredicate:
    """A yes or no that was shown, as the issuer attested it."""

    field: str
    """The field that holds the answer."""
    value: bool
    """The answer."""
    on: str
    """The day of which it is true, such as ``2026-11-22``; it may be another today."""
    rule: str
    """The question that the schema registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The answer to a check."""

    result: str
    """``valid``, ``not_valid`` or ``cannot_say``."""
    reasons: tuple[Finding, ...]
    """Every reason against; empty when valid."""
    notices: tuple[Finding, ...]
    """What the clerk must still do or know."""
    next_step: str
    """What to do now, in plain words."""
    holder_checked: bool
    """Whether the holder proved their key."""
    disclosed: tuple[str, ...]
    """Fields that were opened and checked."""
    predicates: tuple[ShownPredicate, ...] = ()
    """Yes/no fields among them, if the node holds the schema's text."""
    subject: Subject | None
    """The record, if the chain has it and the file is sound."""
    policy: str | None
    """Purpose whose settings of the verifier were asked."""
    recognition: str | None
    """The ledger's recognition policy that judged; None where none stands or none is needed."""
    block: int
    """Last settled block of this node."""
    block_hash: str
    """Its hash."""
    block_time: datetime
    """Its time."""
    checked: datetime
    """When the check was made."""
    behind_s: int
    """Seconds since that block."""
    finality: FinalityFacts | None = None
    """Who vouches for what the node answers; ``None`` where it does not say."""
    ledger: str = ""
    """Name of the ledger that was asked; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEntity:
    """What the answering agency's vault has erased of a record."""

    time: datetime
    """When."""
    reason: str
    """Why: a neutral code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One record (PROV entity)."""

    id: str
    """Its uid."""
    type: str
    """Kind of record, such as attestation, consent, exchange or dataset."""
    title: str | None = None
    """Name for people, where a public text gives one."""
    attributed_to: str
    """Agency responsible."""
    schema_uid: str | None
    """Its schema."""
    commitment: str | None
    """Commitment, root or pointers hash."""
    alg: str | None
    """Hash of the tree."""
    state: str | None
    """State now."""
    names: dict[str, Any] = field(default_factory=dict)
    """Other records that it names, by role, such as dataset, consent or basis."""
    derived_from: str | None
    """Record that it superseded."""
    revised_by: str | None
    """Record that superseded it."""
    erased: ErasedEntity | None = None
    """Set where the answering agency's vault has erased what it had of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One act on the chain (PROV activity)."""

    id: str
    """Transaction and log position."""
    type: str
    """What happened."""
    agent: str
    """Agency that did it; of a resident, the uid of the binding of the key."""
    key: str | None
    """Key that signed, where known."""
    used: tuple[str, ...]
    """Records it rested on: schema, previous."""
    generated: tuple[str, ...]
    """Records it made."""
    invalidated: tuple[str, ...]
    """Records it ended."""
    index: int | None
    """Batch member, period, leaf or board concerned."""
    state: str | None
    """State that it led to."""
    reason: str | None
    """Neutral reason code."""
    event_time: datetime | None
    """When it was captured."""
    block: int
    """Block."""
    block_hash: str
    """Its hash."""
    block_time: datetime
    """Its time."""
    transaction: str
    """Transaction."""
    final: bool
    """True: the block has quorum seals; false where another network reports it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agency, or one resident's key (PROV agent)."""

    id: str
    """The agency, or the binding of a resident's key."""
    name: str | None
    """From the address book, else the label in its id; None for a resident's key."""
    jurisdiction: str | None
    """Its jurisdiction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who did what to a record, when, under which schema; complete up to ``block``."""

    uid: str
    """The record asked for."""
    entities: tuple[Entity, ...]
    """The record and those tied to it."""
    activities: tuple[Activity, ...]
    """Acts, oldest first."""
    agents: tuple[Agent, ...]
    """Agencies named above."""
    block: int
    """Last settled block read."""
    block_time: datetime
    """Its time."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""
