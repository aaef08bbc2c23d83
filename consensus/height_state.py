"""What this node knows about the height that is being agreed on."""

from collections.abc import Sequence
from enum import Enum

from consensus.certificate import PreparedCertificate
from consensus.extra_data import Vote
from consensus.header import BlockHeader
from consensus.payloads import MessageCode
from consensus.proposer import select_proposer
from consensus.quorum import compute_faulty, compute_quorum
from consensus.round_changes import RoundChangeBook
from consensus.round_state import RoundState
from consensus.types import Address, Height, Round


class Phase(Enum):
    """Where a height stands."""

    WAITING = "waiting"
    """The block period has not passed; nothing is sent."""

    IDLE = "idle"
    """The period has passed, but a block would be empty and it is too early for an empty one."""

    RUNNING = "running"
    """A round is on."""

    SEALED = "sealed"
    """A quorum sealed the block; it is being imported."""


class HeightState:
    """One height: who decides it, on what parent, and how far the decision is."""

    def __init__(
        self,
        *,
        parent: BlockHeader,
        validators: Sequence[Address],
        vote: Vote | None,
        started_ms: int,
    ) -> None:
        assert validators, "a height without validators"
        self.parent = parent
        self.number = Height(parent.number + 1)
        self.validators = tuple(sorted(validators))
        self.vote = vote
        self.started_ms = started_ms
        self.quorum = compute_quorum(len(self.validators))
        self.faulty = compute_faulty(len(self.validators))
        self.phase = Phase.WAITING
        self.round = RoundState(Round(0))
        self.round_changes = RoundChangeBook()
        self.prepared: PreparedCertificate | None = None
        self.accused: set[tuple[Address, MessageCode, Round]] = set()
        """Places for which evidence was reported, each once."""

    def get_proposer(self, round_number: Round) -> Address:
        """Return whose turn it is in `round_number`."""
        return select_proposer(self.parent.coinbase, self.validators, round_number)

    def has_quorum_behind_round(self) -> bool:
        """Whether a quorum is known to be in the current round or beyond it."""
        if self.round.has_quorum_behind:
            return True
        return self.round_changes.count_from(self.round.number) >= self.quorum
