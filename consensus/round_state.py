"""What this node knows about the round that it is in.

Plain facts and counts; the decisions are in `engine`. The first prepare and the first commit of an
author are the ones that count, and only those with the digest of the round's block count towards a
quorum, so neither duplicates nor votes for another block can fill one.
"""

from enum import Enum

from consensus.block import Block
from consensus.certificate import PreparedCertificate
from consensus.messages import Commit, Prepare, Proposal, RoundChange, get_author
from consensus.payloads import compute_digest
from consensus.types import Address, Hash32, Round


class Verdict(Enum):
    """What became of executing a proposed block."""

    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    CUT_OFF = "cut off"


class RoundState:
    """One round of one height."""

    def __init__(self, round_number: Round) -> None:
        self.number = round_number
        self.has_quorum_behind = round_number == 0
        """Whether a quorum is known to have come to this round; round 0 needs none."""
        self.justification: tuple[RoundChange, ...] = ()
        """As proposer: the round changes that the proposal will show."""
        self.proposal: Proposal | None = None
        """The first acceptable proposal; None while a block is known from a certificate only."""
        self.held_proposal: Proposal | None = None
        """A proposal whose timestamp is slightly ahead of our clock."""
        self.block: Block | None = None
        self.digest: Hash32 | None = None
        self.verdict = Verdict.PENDING
        self.is_prepared = False
        self._prepares: dict[Address, Prepare] = {}
        self._commits: dict[Address, Commit] = {}

    def set_block(self, block: Block, proposal: Proposal | None) -> Hash32:
        """Fix the block of the round; return its digest."""
        assert self.block is None, "a round has one block"
        self.block = block
        self.proposal = proposal
        self.digest = compute_digest(block, self.number)
        return self.digest

    def find_vote(self, message: Prepare | Commit) -> Prepare | Commit | None:
        """Return the vote of the same kind and author that is known already."""
        votes: dict[Address, Prepare] | dict[Address, Commit]
        votes = self._prepares if isinstance(message, Prepare) else self._commits
        return votes.get(get_author(message))

    def add_vote(self, message: Prepare | Commit) -> None:
        """Count the first vote of its kind and author."""
        if isinstance(message, Prepare):
            self._prepares.setdefault(get_author(message), message)
        else:
            self._commits.setdefault(get_author(message), message)

    def get_prepares(self) -> tuple[Prepare, ...]:
        """Return the prepares for the round's block, by author."""
        return tuple(
            message
            for _, message in sorted(self._prepares.items())
            if message.signed.payload.digest == self.digest
        )

    def get_commits(self) -> tuple[Commit, ...]:
        """Return the commits for the round's block, by author: the order of the seals."""
        return tuple(
            message
            for _, message in sorted(self._commits.items())
            if message.signed.payload.digest == self.digest
        )

    def make_certificate(self) -> PreparedCertificate:
        """Return the proof that the round's block is prepared."""
        assert self.block is not None, "only a known block can be prepared"
        return PreparedCertificate(
            round=self.number,
            block=self.block,
            prepares=tuple(message.signed for message in self.get_prepares()),
        )
