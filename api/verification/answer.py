"""The outcome of a check: what was found, on which block it rests, and what to do next."""

from dataclasses import dataclass

from api.ledger import BlockSummary
from api.verification.findings import Finding
from contracts.codes import RecordState


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRecord:
    """The ledger's record of a document."""

    uid: bytes
    issuer: bytes
    schema_uid: bytes
    batch: bytes | None
    state: RecordState
    state_block: int
    """The block that made it so."""
    valid_until_s: int
    block: int
    block_time_s: int
    event_time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of a check."""

    result: str
    """valid, not_valid or cannot_say."""
    reasons: tuple[Finding, ...]
    notices: tuple[Finding, ...]
    next_step: str
    holder_checked: bool
    disclosed: tuple[str, ...]
    record: CheckedRecord | None
    policy: str | None
    """Purpose whose settings of this agency were asked."""
    recognition: bytes | None
    """Uid of the ledger's recognition policy that judged."""
    head: BlockSummary
    checked_s: int
    behind_s: int
