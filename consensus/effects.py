"""What the engine asks its host to do, in the order in which it must be done.

The order is part of the contract: a record that precedes a message must be durable before the
message leaves. A host that cannot do an effect must stop rather than go on with the next one.
"""

from dataclasses import dataclass

from consensus.block import Block
from consensus.events import Timer
from consensus.evidence import Evidence
from consensus.header import BlockHeader
from consensus.payloads import MessageCode
from consensus.sign_state import SignRecord
from consensus.types import Address, Hash32, Height, Round


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistSignState:
    """Make the record durable, then go on."""

    record: SignRecord
    """Replaces the record before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """Send our own message to all peers."""

    code: MessageCode
    """Its code."""

    payload: bytes
    """Its wire bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Start a timer, replacing one of the same kind."""

    timer: Timer
    """Comes back in `TimerExpired`."""

    delay_ms: int
    """From now, by a clock that does not jump."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildBlock:
    """Build a block on `parent` and answer with `BlockBuilt`; no answer is survivable."""

    parent: BlockHeader
    """The head."""

    height: Height
    """Height of the new block."""

    round: Round
    """Round in which it will be proposed."""

    timestamp: int
    """Seconds since 1970."""

    coinbase: Address
    """Our address."""

    extra_data: bytes
    """Encoded extraData, without seals."""

    budget_ms: int
    """Stop adding transactions after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateBlock:
    """Execute a proposed block on `parent` and answer with `BlockValidated`."""

    parent: BlockHeader
    """The head."""

    block: Block
    """The proposed block, without seals."""

    height: Height
    """Height of the block."""

    round: Round
    """Round of the proposal."""

    digest: Hash32
    """Digest of the block in that round."""

    budget_ms: int
    """Give up after so long; a block that is given up gets no prepare from us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBlock:
    """The block is final: make it the head and answer with `NewHead`. There is no deadline."""

    block: Block
    """With the seals of a quorum, ordered by validator address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEvidence:
    """Keep proof that a validator contradicted itself."""

    evidence: Evidence
    """The contradicting pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectMessage:
    """The received message breaks a rule; `source` may be at fault, or deceived by its author."""

    source: str | None
    """The peer that brought it; None if unknown, or if only our clock says that it is wrong."""

    author: Address
    """Who signed it."""

    reason: str
    """The broken rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSkipped:
    """The sign state forbade a message of ours, which was therefore not made."""

    reason: str
    """For the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundStarted:
    """For status and metrics: which round this node is in now."""

    height: Height
    """Height under agreement."""

    round: Round
    """The new round."""

    proposer: Address
    """Whose turn it is."""


Effect = (
    PersistSignState
    | Broadcast
    | SetTimer
    | BuildBlock
    | ValidateBlock
    | ImportBlock
    | ReportEvidence
    | RejectMessage
    | SigningSkipped
    | RoundStarted
)
