"""Schemas, credentials, attestations and batches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atesta_client.predicate_definitions import read_predicate
from atesta_client.predicates import Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPredicate:
    """A yes/no field: the issuer computes the answer from another field when it issues."""

    kind: str
    """``age_at_least``, ``below`` or ``one_of``."""
    pointer: str
    """Where the answer stands."""
    source: str
    """What it follows from."""
    years: int | None = None
    """Age in whole years, of ``age_at_least``."""
    limit: int | None = None
    """The number itself is not below it, of ``below``."""
    values: tuple[str, ...] | None = None
    """Texts for which the answer is yes, of ``one_of``."""

    @property
    def predicate(self) -> Predicate:
        """The question, to compute or to read; raises :class:`SchemaInvalid`."""
        members = {
            "kind": self.kind,
            "pointer": self.pointer,
            "source": self.source,
            "years": self.years,
            "limit": self.limit,
            "values": None if self.values is None else list(self.values),
        }
        return read_predicate({name: m for name, m in members.items() if m is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaAnswer:
    """A schema as registered."""

    uid: str
    """The schema's identifier."""
    owner: str
    """Agency that registered it."""
    pointers_hash: str
    """Hash of the ordered pointers, from the chain."""
    tree_size: int
    """Number of leaves of every commitment."""
    state: str
    """``active`` while new records may be attested under it."""
    title: str | None
    """Name, if this node holds the text."""
    pointers: tuple[str, ...] | None
    """The ordered pointers, if this node holds them."""
    reference: tuple[str, ...]
    """Pointers that name one certificate."""
    predicates: tuple[SchemaPredicate, ...] = ()
    """Yes/no fields, if this node holds the text."""
    accredited: tuple[str, ...]
    """Agencies that may attest under it now."""
    block: int
    """Block of registration."""
    time: datetime
    """Time of that block."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accreditation:
    """One agency's right to attest under one schema."""

    schema_uid: str
    """The schema."""
    agency: str
    """The agency."""
    since_block: int
    """Block of accreditation."""
    since: datetime
    """Time of that block."""
    until_block: int | None
    """Block of withdrawal; ``None`` while live."""
    until: datetime | None
    """Time of withdrawal; ``None`` while live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAnswer:
    """A credential made by this agency."""

    uid: str
    """The record's identifier."""
    schema_uid: str
    """Its schema."""
    commitment: str
    """Root of the tree."""
    alg: str
    """Hash of the tree."""
    valid_until: datetime | None
    """End of validity."""
    previous: str | None
    """Record superseded."""
    created: datetime
    """When it was made."""
    attested: bool
    """Whether attesting it has been accepted."""
    batch: str | None
    """Batch that contains it."""
    credential: dict[str, Any] | None
    """The resident's file, for ``credentials.decode_credential``; ``None`` in lists."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """How far erasing a record has come."""

    uid: str
    """The record."""
    state: str
    """``ordered`` (it will be erased; the ledger's tombstone comes first) or ``erased``."""
    reason: str
    """Why: a neutral code."""
    ordered: datetime | None
    """When it was ordered; ``None`` if it was erased at the vault itself."""
    operation: str | None
    """The promised tombstone; ``None`` for what was never attested."""
    block: int | None
    """Block of the tombstone, once it is settled."""
    block_time: datetime | None
    """Time of that block."""
    erased: datetime | None
    """When the vault had erased it."""
    problem: str | None
    """Why it does not go on for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialToken:
    """A credential in another format; it holds the document."""

    uid: str
    """The record's identifier."""
    format: str
    """``sd-jwt-vc`` or ``vc-jwt``."""
    media_type: str
    """Its media type."""
    key_id: str
    """Address of the account key that signed it, as the registry has it."""
    token: str
    """The token, for the holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A published credential, and the request behind it, checked again."""

    uid: str
    """The published credential."""
    credential: str
    """What was published."""
    origin: str | None
    """Name of the ledger on which that stands; ``None`` if it is erased."""
    request: str
    """What the holder signed, as ``publishing.validate_publish_request`` checks it."""
    holder_key: dict[str, Any] | None
    """The key in the document; ``None`` if it is erased."""
    signed: datetime | None
    """When, by the holder's clock; ``None`` if it does not hold."""
    kept: datetime
    """When the node kept it."""
    holds: bool
    """Whether the node found it right just now."""
    ledger: str = ""
    """Name of the ledger of the published one; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One attestation as the chain has it at the last settled block."""

    uid: str
    """The record's identifier."""
    issuer: str
    """Agency that attested."""
    schema_uid: str
    """Its schema."""
    commitment: str
    """Commitment to the document."""
    alg: str
    """Hash of the tree."""
    state: str
    """Its state now."""
    reason: str | None
    """Why the state last changed; ``None`` if it never did."""
    valid_until: datetime | None
    """End of validity."""
    previous: str | None
    """Record that this one superseded."""
    superseded_by: str | None
    """Record that superseded it."""
    key: str | None
    """Key that signed it; ``None`` for a moment until the index has the block."""
    event_time: datetime
    """When it was captured."""
    block: int
    """Block of creation."""
    block_time: datetime
    """Time of that block."""
    unopened: bool | None
    """True if this node sent a bare commitment; ``None`` if another agency issued it."""
    final: bool
    """True: only final blocks are read; false where the node reads another network, which
    reports its blocks."""
    read_at_block: int
    """Block at which it was read."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One sealed batch."""

    uid: str
    """The batch's identifier."""
    issuer: str
    """Agency that sealed it."""
    schema_uid: str
    """Schema of every member."""
    root: str
    """Root over the members."""
    count: int
    """Number of members."""
    alg: str
    """Hash of the tree."""
    state: str
    """State of the batch as a whole."""
    reason: str | None
    """Why the state last changed; ``None`` if it never did."""
    key: str | None
    """Key that signed it; ``None`` for a moment until the index has the block."""
    event_time: datetime
    """When it was captured."""
    block: int
    """Block of creation."""
    block_time: datetime
    """Time of that block."""
    unopened: bool | None
    """True if this node sent a bare root; ``None`` if another agency sealed it."""
    changed_leaves: int
    """Members whose state was ever changed."""
    read_at_block: int
    """Block at which it was read."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One member of a batch."""

    batch: str
    """The batch."""
    index: int
    """The member's number in the batch."""
    state: str
    """Its state now; no entry on the chain means active."""
    reason: str | None
    """Why it last changed; ``None`` if it never did."""
    read_at_block: int
    """Block at which it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a record's history."""

    kind: str
    """What happened."""
    uid: str
    """The record."""
    related: str | None
    """The record superseded, or the agency accredited."""
    index: int | None
    """Batch member, where it concerns one."""
    agency: str
    """Who did it."""
    state: str | None
    """State that it led to."""
    reason: str | None
    """Neutral reason code."""
    event_time: datetime | None
    """When it was captured."""
    block: int
    """Block."""
    block_time: datetime
    """Time of that block."""
    transaction: str
    """Transaction."""
    log_index: int
    """Position in the block's log."""
