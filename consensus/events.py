"""What can happen to the engine.

Every event says when it happened, by the host's wall clock; the engine has no other clock. Work
that the engine asked for (building, validating, importing) comes back as an event that repeats the
height and round it was asked for, so an answer that is late is recognised and ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from consensus.block import Block
from consensus.extra_data import Vote
from consensus.header import BlockHeader
from consensus.messages import Message
from consensus.round_state import Verdict
from consensus.types import Address, Hash32, Height, Round


class TimerKind(Enum):
    """The engine's timers; the host keeps at most one of each, setting one replaces it."""

    BLOCK = "block"
    ROUND = "round"
    REBROADCAST = "rebroadcast"
    EARLY_PROPOSAL = "early proposal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Names one setting of a timer; an expiry that names the past is ignored."""

    kind: TimerKind
    """Which timer."""

    height: Height
    """Height that it was set in."""

    round: Round
    """Round that it was set in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHead:
    """The chain has a new final block, from consensus or from sync; also the first event."""

    now_ms: int
    """Wall clock, milliseconds since 1970, as in every event."""

    header: BlockHeader
    """The final block."""

    validators: Sequence[Address]
    """Ascending validators of the NEXT height."""

    vote: Vote | None = None
    """What to vote for if we propose next; None in contract mode and at epoch blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A peer sent a message that decodes."""

    now_ms: int
    """Wall clock in milliseconds."""

    message: Message
    """The message, not yet judged."""

    size_bytes: int
    """Its size on the wire, for the bounds on memory."""

    source: str | None = None
    """Which peer brought it, for the host's scoring; not necessarily its author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerExpired:
    """A timer that the engine set has run out."""

    now_ms: int
    """Wall clock in milliseconds."""

    timer: Timer
    """The timer as it was set."""

    has_transactions: bool = True
    """Whether a block built now would hold a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionsPending:
    """The pool of transactions is no longer empty; ends the wait of an empty-block period."""

    now_ms: int
    """Wall clock in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockBuilt:
    """Answer to `BuildBlock`."""

    now_ms: int
    """Wall clock in milliseconds."""

    height: Height
    """As asked."""

    round: Round
    """As asked."""

    block: Block
    """The block, without seals, carrying the extraData that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockValidated:
    """Answer to `ValidateBlock`."""

    now_ms: int
    """Wall clock in milliseconds."""

    height: Height
    """As asked."""

    round: Round
    """As asked."""

    digest: Hash32
    """As asked."""

    verdict: Verdict
    """Valid, invalid, or cut off at the deadline."""

    reason: str = ""
    """What is invalid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFailed:
    """`ImportBlock` did not succeed although a quorum sealed the block; success is a NewHead."""

    now_ms: int
    """Wall clock in milliseconds."""

    height: Height
    """Height of the block."""


Event = (
    NewHead
    | MessageReceived
    | TimerExpired
    | TransactionsPending
    | BlockBuilt
    | BlockValidated
    | ImportFailed
)
