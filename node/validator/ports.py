"""What the validator needs from its surroundings.

Everything with a clock, a disk or a network in it is behind one of these, so that the same core
runs in a node and, on virtual ones, in a simulator. None of the calls may block for long, and none
answers directly where work is involved: results come back as events.
"""

from collections.abc import Sequence
from typing import Protocol

from consensus.block import Block
from consensus.effects import BuildBlock, ValidateBlock
from consensus.events import Timer
from consensus.evidence import Evidence
from consensus.header import BlockHeader
from consensus.payloads import MessageCode
from consensus.sign_state import SignRecord
from consensus.types import Address, Height, Round


class Clock(Protocol):
    """The wall clock."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        ...


class Timers(Protocol):
    """Timers by a clock that does not jump."""

    def set(self, timer: Timer, delay_ms: int) -> None:
        """Hand `timer` to the core's `on_timer` after `delay_ms`, replacing one of its kind."""
        ...


class Broadcaster(Protocol):
    """The way to all peers."""

    def broadcast(self, code: MessageCode, payload: bytes) -> None:
        """Queue a consensus message to every peer; losses are allowed, blocking is not."""
        ...


class SignStateStore(Protocol):
    """The disk copies of the sign state."""

    def persist(self, record: SignRecord) -> None:
        """Make `record` durable before returning; raises if it cannot be."""
        ...


class FileAccess(Protocol):
    """A folder of small files that are replaced whole, or what a simulator has in its place."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; raises OSError."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Put `data` in the place of a file, whole or not at all; durable on return.

        Raises OSError.
        """
        ...


class BlockJobs(Protocol):
    """The worker that executes blocks; each job ends in one event for the core, or in none."""

    def build(self, effect: BuildBlock) -> None:
        """Start building; ends in BlockBuilt."""
        ...

    def validate(self, effect: ValidateBlock) -> None:
        """Start executing a proposal; ends in BlockValidated."""
        ...

    def import_block(self, block: Block) -> None:
        """Start importing a final block; ends in NewHead or ImportFailed."""
        ...


class BlockFactory(Protocol):
    """Chain and pool as the asyncio host uses them: each call computes in the one worker thread."""

    async def build(
        self,
        *,
        parent: BlockHeader,
        timestamp: int,
        coinbase: Address,
        extra_data: bytes,
        budget_s: float,
    ) -> Block:
        """Build a block on the head; stop adding transactions after `budget_s` seconds."""
        ...

    async def validate(self, block: Block, *, budget_s: float) -> None:
        """Execute a proposal; raises InvalidBlock, or DeadlineExceeded after `budget_s`."""
        ...

    async def import_block(self, block: Block) -> object:
        """Make a sealed block final; raises InvalidBlock if it cannot be."""
        ...

    async def get_validators(self, parent: BlockHeader) -> Sequence[Address]:
        """Return the validators of the height after `parent`, ascending."""
        ...

    def has_transactions(self) -> bool:
        """Tell whether a block built now would hold a transaction."""
        ...


class TransactionSource(Protocol):
    """The pool of waiting transactions, as far as timing needs it."""

    def has_transactions(self) -> bool:
        """Whether a block built now would hold a transaction."""
        ...


class EvidenceStore(Protocol):
    """Where proof of contradictions is kept."""

    def keep(self, evidence: Evidence) -> None:
        """Store evidence; the same contradiction again changes nothing."""
        ...


class Observer(Protocol):
    """Metrics and log; nothing depends on it."""

    def on_round(self, height: Height, round_number: Round, proposer: Address) -> None:
        """Note that a round began."""
        ...

    def on_rejected(self, source: str | None, author: Address, reason: str) -> None:
        """Note that a message broke a rule; `source` is the peer that brought it, if known."""
        ...

    def on_signing_skipped(self, reason: str) -> None:
        """Note that the sign state forbade one of our messages."""
        ...

    def on_evidence(self, evidence: Evidence) -> None:
        """Note that a validator contradicted itself."""
        ...
