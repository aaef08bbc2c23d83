"""The node itself, the agencies, writes and evidence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalityFacts:
    """Who vouches that what was read stays."""

    kind: str
    """``quorum_seals`` of this ledger's validators, or ``as_reported`` by another network."""
    block_tag: str
    """The block of its node up to which the node reads."""
    statement: str
    """The same in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """This node's service at a glance."""

    agency: str | None
    """The agency that runs it; ``None`` while the registry does not list its account."""
    account: str | None
    """Account that signs; ``None`` where the node has none."""
    chain_id: int
    """The ledger."""
    genesis_hash: str
    """Hash of its genesis block."""
    block: int
    """Last settled block."""
    block_time: datetime
    """Its time."""
    behind_s: int
    """Seconds since that block."""
    indexed_block: int
    """Last block in the index; -1 while it is empty."""
    pending: int
    """Writes not yet settled."""
    finality: FinalityFacts | None = None
    """Who vouches for that block; ``None`` where the node does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInfo:
    """One ledger of an API."""

    name: str
    """What the API calls it; ``client.ledger(name)`` asks it."""
    own: bool
    """True for the ledger of the API's own node."""
    path: str
    """Prefix of its routes."""
    agency: str | None
    """The API's agency on it."""
    jurisdictions: tuple[str, ...]
    """Jurisdictions of its members; with one only, it is that jurisdiction's own ledger."""
    members: tuple[str, ...]
    """Its member agencies, by label."""
    chain_id: int | None
    """EIP-155 chain id."""
    genesis_hash: str | None
    """Hash of block 0."""
    block: int | None
    """Last settled block."""
    block_time: datetime | None
    """Its time."""
    indexed_block: int | None
    """Last block that lists and filters see."""
    finality: FinalityFacts
    """Who vouches for what is read."""
    problem: str | None
    """Why it cannot be read now; ``None`` while it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An account key of an agency."""

    address: str
    """The account's address."""
    roles: tuple[str, ...]
    """What the key may do for its agency."""
    valid_from: datetime | None
    """First moment at which the key may act."""
    valid_until: datetime | None
    """Moment after which it makes no new record; ``None`` while open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """A member agency as the registry has it at the last settled block."""

    id: str
    """The agency's identifier."""
    label: str | None
    """The label in the identifier, which serves wherever an agency is named."""
    name: str | None
    """Name from this node's own address book; names are not on the chain."""
    jurisdiction: str
    """Identifier of the jurisdiction."""
    status: str
    """``active`` or ``suspended``."""
    roles: tuple[str, ...]
    """Roles that the registry grants the agency."""
    profile_hash: str
    """Hash of the agency's published profile."""
    attestations: int
    """Creations and state changes this agency has made."""
    head: str
    """Chained hash over all of them, for completeness proofs."""
    keys: tuple[Key, ...]
    """Account keys, known from the registry's events."""
    block: int
    """Block at which this was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A write is durable here and will be on the chain; follow the operation to its end."""

    operation: str
    """The operation's identifier."""
    uid: str
    """The record concerned."""
    transaction: str
    """Hash of the signed transaction."""
    state: str
    """How far it has come."""
    unopened: bool = False
    """True when a bare commitment was accepted."""
    follow: str
    """Path to follow until settled."""
    record: str
    """Path of the record."""
    envelope: dict[str, Any] | None = None
    """What to hand to the other side, where the act has such a thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One write of this agency and how far it has come."""

    id: str
    """The operation's identifier."""
    kind: str
    """What it does."""
    uid: str
    """The record concerned."""
    state: str
    """How far it has come."""
    account: str
    """Account that signed."""
    nonce: int
    """Nonce of the transaction."""
    transaction: str
    """Hash of the signed transaction."""
    created: datetime
    """When it was accepted."""
    unopened: bool
    """True for a bare commitment that this node has not seen opened."""
    block: int | None
    """Block that contains it, once settled."""
    block_time: datetime | None
    """Time of that block."""
    error: str | None
    """Why it failed, as ``module: reason``."""
    record: str
    """Path of the record."""
    refusal: dict[str, Any] | None = None
    """Of a write that its block refused, the problem document; ``None`` in lists."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.state in {"final", "reported", "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """An act of another participant that this node can prove."""

    id: str
    """Names the act in lists, logs and files."""
    kind: str
    """What was done, such as ``conflicting_commits`` or ``unpermitted_sender``."""
    height: int
    """Height of the act."""
    round: int | None
    """Round of the messages; ``None`` for a block."""
    offender: str
    """Validator that did it."""
