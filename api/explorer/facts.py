"""What the explorer knows about things, ready for JSON and for pages.

Identifiers are `0x` hexadecimal, times whole seconds since 1970 (UTC), codes lower-case words.
`label` is the readable form of an identifier that holds text (`contracts.labels`), else its hex.
"""

from dataclasses import dataclass
from typing import Literal

from consensus.resilience import Resilience

FieldKind = Literal[
    "account",
    "agency",
    "algorithm",
    "bytes",
    "call",
    "decision",
    "flag",
    "hash",
    "jurisdiction",
    "number",
    "reason",
    "record",
    "roles",
    "schema",
    "state",
    "time",
    "word",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One named value of a decoded call or event."""

    name: str
    kind: FieldKind
    value: str | int | bool
    label: str
    """The value as a person reads it, before translation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An account, and the agency it acts for if the registry knows it."""

    address: str
    agency: str | None
    agency_label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finality:
    """How a block became final."""

    final: bool
    quorum: int
    round: int
    sealers: tuple[Party, ...]
    """Validators whose seals this node holds; others may have sealed as well."""
    missing: tuple[Party, ...]
    """Validators whose seals this node does not hold."""

    @property
    def total(self) -> int:
        """How many validators were entitled to seal."""
        return len(self.sealers) + len(self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLine:
    """A block in a list."""

    number: int
    hash: str
    time_s: int
    proposer: Party
    transaction_count: int
    gas_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionLine:
    """A transaction in a list."""

    hash: str
    index: int
    sender: Party
    to: str | None
    contract: str | None
    """The ledger contract that is called."""
    function: str | None
    """Its function; None if the call is not one of the ledger's contracts."""
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFacts:
    """A whole block."""

    line: BlockLine
    parent_hash: str
    state_root: str
    transactions_root: str
    receipts_root: str
    gas_limit: int
    size: int
    """Bytes."""
    finality: Finality | None
    """None if the node behind this API cannot tell who sealed."""
    transactions: tuple[TransactionLine, ...]
    newest: int
    """The height of the head, for paging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """One decoded event of a transaction."""

    contract: str
    event: str
    log_index: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFacts:
    """A whole transaction."""

    line: TransactionLine
    block: int | None
    """None while it waits."""
    block_hash: str | None
    time_s: int | None
    nonce: int
    gas: int
    gas_used: int | None
    value: int
    input_bytes: int
    selector: str
    """The first four bytes of the input."""
    created_contract: str | None
    fields: tuple[Field, ...]
    """The decoded arguments."""
    events: tuple[EventFacts, ...]
    other_events: int
    """Events of contracts that are not the ledger's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """An account key of an agency."""

    address: str
    roles: tuple[str, ...]
    valid_from_s: int
    valid_until_s: int
    """0 for no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyFacts:
    """One agency."""

    id: str
    label: str
    jurisdiction: str
    active: bool
    roles: tuple[str, ...]
    profile_hash: str
    attestation_count: int
    attestation_head: str
    validators: tuple[str, ...]
    keys: tuple[KeyFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorFacts:
    """One validator with what it did lately."""

    party: Party
    proposed: int
    """Blocks proposed in the window."""
    last_proposed: int
    """The last of them; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine:
    """An act of somebody against whom this node holds proof."""

    id: str
    """The same in the log, over RPC and REST, and in the file."""
    kind: str
    height: int
    round: int | None
    """None for an act that is a block's."""
    offender: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One event in the life of a record."""

    kind: str
    state: str | None
    reason: str | None
    event_time_s: int | None
    block: int
    block_hash: str
    time_s: int
    transaction_hash: str
    key: str | None
    related: str | None
    place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationLine:
    """An attestation in a list."""

    uid: str
    issuer: str
    issuer_label: str
    schema_uid: str
    state: str
    block: int
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationFacts:
    """A whole attestation."""

    line: AttestationLine
    jurisdiction: str
    commitment: str
    algorithm: str
    reason: str
    valid_until_s: int
    event_time_s: int
    previous: str | None
    successor: str | None
    key: str
    history: tuple[HistoryLine, ...]
    read_at_block: int
    finality: Finality | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFacts:
    """A batch: one root over many attestations."""

    line: AttestationLine
    jurisdiction: str
    root: str
    size: int
    algorithm: str
    reason: str
    event_time_s: int
    key: str
    changed_members: int
    """Members with a state of their own."""
    history: tuple[HistoryLine, ...]
    read_at_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFacts:
    """A schema."""

    uid: str
    owner: str
    owner_label: str
    pointers_hash: str
    document_hash: str
    leaf_count: int
    state: str
    block: int
    time_s: int
    accredited: tuple[tuple[str, str], ...]
    """Agencies that may issue now: id and label."""
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """An account."""

    party: Party
    contract: str | None
    """The ledger contract at this address."""
    is_contract: bool
    is_validator: bool
    nonce: int
    key: KeyFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many records there are."""

    agencies: int
    schemas: int
    attestations: int
    batches: int
    records: int
    """Of the ledger's law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFacts:
    """The ledger at a glance."""

    chain_id: int
    genesis_hash: str
    client: str
    head: BlockLine
    age_s: int
    """Seconds since the head's time."""
    finality: Finality | None
    is_current: bool
    """False if the node is catching up, or its head is older than it should be."""
    block_period_s: float | None
    peers: int | None
    index_block: int
    resilience: Resilience | None
    """What the validators survive; None where the node behind this API names none."""
    counts: Counts | None
    """None where they were not asked for: counting reads whole tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that a search found."""

    kind: Literal[
        "account", "agency", "attestation", "batch", "block", "record", "schema", "transaction"
    ]
    id: str
    label: str
