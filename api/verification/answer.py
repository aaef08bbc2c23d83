"""The outcome of a check: what was found, on which block it rests, and what to do next."""

from dataclasses import dataclass
from datetime import date

from atesta_client.predicates import Predicate

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
class ShownAnswer:
    """One yes or no that was shown."""

    pointer: str
    """The field that holds it."""
    value: bool
    """The answer."""
    on: date
    """The day of which the issuer attested it."""
    predicate: Predicate
    """The question."""


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
    answers: tuple[ShownAnswer, ...]
    """The yes/no fields among them."""
    record: CheckedRecord | None
    policy: str | None
    """Purpose whose settings of this agency were asked."""
    recognition: bytes | None
    """Uid of the ledger's recognition policy that judged."""
    head: BlockSummary
    checked_s: int
    behind_s: int
