"""Checking, preparing and sealing the block of a round.

From an accepted proposal to a sealed block: execution gives a verdict, a valid block is prepared, a
quorum of prepares makes a certificate and a commit, a quorum of commits makes the block final.
"""

from dataclasses import replace

from consensus.actions import Actions
from consensus.block import Block
from consensus.context import Context
from consensus.effects import ImportBlock, RejectMessage, ValidateBlock
from consensus.events import BlockValidated
from consensus.header import with_seals
from consensus.height_state import HeightState, Phase
from consensus.justification import validate_commit, validate_prepare
from consensus.messages import Commit, Prepare, Proposal, get_author
from consensus.payloads import CommitPayload, PreparePayload
from consensus.round_state import Verdict
from consensus.speaker import Speaker
from consensus.timeouts import compute_validation_budget_ms


class Voting:
    """This validator's votes, and those of the others, in the current round of one height."""

    def __init__(
        self, context: Context, speaker: Speaker, height: HeightState, actions: Actions
    ) -> None:
        self._context = context
        self._speaker = speaker
        self._height = height
        self._actions = actions

    def take_block(
        self, block: Block, proposal: Proposal | None, verdict: Verdict = Verdict.PENDING
    ) -> None:
        """Make `block` the round's block, and have it executed unless we know its verdict."""
        height = self._height
        digest = height.round.set_block(block, proposal)
        height.round.verdict = verdict
        if verdict is Verdict.VALID:
            self._prepare()
            return
        self._context.emit(
            ValidateBlock(
                parent=height.parent,
                block=block,
                height=height.number,
                round=height.round.number,
                digest=digest,
                budget_ms=compute_validation_budget_ms(self._context.config, height.round.number),
            )
        )

    def on_vote(self, message: Prepare | Commit) -> None:
        """Count a vote for the current round. Raises PeerFault."""
        height = self._height
        if isinstance(message, Prepare):
            validate_prepare(message, validators=height.validators)
        else:
            validate_commit(message, validators=height.validators)
        known = height.round.find_vote(message)
        if known is not None:
            self._actions.report_conflict(known, message)
            return
        height.round.add_vote(message)
        self.check_votes()

    def on_block_validated(self, event: BlockValidated) -> None:
        """Prepare a block that executes as its header says; stay silent about any other."""
        current = self._height.round
        if event.digest != current.digest or current.verdict is not Verdict.PENDING:
            return
        current.verdict = event.verdict
        if event.verdict is Verdict.VALID:
            self._prepare()
        elif event.verdict is Verdict.INVALID and current.proposal is not None:
            author = get_author(current.proposal)
            self._context.emit(RejectMessage(source=None, author=author, reason=event.reason))

    def on_import_failed(self) -> None:
        """Go on with this height: the block that a quorum sealed could not be stored."""
        if self._height.phase is Phase.SEALED:
            self._height.phase = Phase.RUNNING
            self._height.round.verdict = Verdict.INVALID
            self._actions.set_round_timer()

    def check_votes(self) -> None:
        """Commit once a quorum has prepared; finish once a quorum has committed."""
        height = self._height
        current = height.round
        if height.phase is not Phase.RUNNING or current.block is None:
            return
        if (
            current.verdict is Verdict.VALID
            and not current.is_prepared
            and len(current.get_prepares()) >= height.quorum
        ):
            current.is_prepared = True
            height.prepared = current.make_certificate()
            self._commit()
        commits = current.get_commits()
        if len(commits) >= height.quorum and current.verdict is not Verdict.INVALID:
            height.phase = Phase.SEALED
            seals = [message.signed.payload.commit_seal for message in commits]
            header = with_seals(current.block.header, seals)
            self._context.emit(ImportBlock(block=replace(current.block, header=header)))

    def _prepare(self) -> None:
        current = self._height.round
        assert current.digest is not None, "only a known block is prepared"
        payload = PreparePayload(
            height=self._height.number, round=current.number, digest=current.digest
        )
        message = self._actions.say(payload, lambda signed: Prepare(signed=signed))
        if message is not None:
            current.add_vote(message)
        self.check_votes()

    def _commit(self) -> None:
        current = self._height.round
        assert current.digest is not None, "only a known block is committed to"
        payload = CommitPayload(
            height=self._height.number,
            round=current.number,
            digest=current.digest,
            commit_seal=self._speaker.seal(current.digest),
        )
        message = self._actions.say(payload, lambda signed: Commit(signed=signed))
        if message is not None:
            current.add_vote(message)
