"""Deciding one height: rounds, proposals, votes and their consequences.

An `Agreement` lives from one NewHead to the next. Its public methods are named after what happened;
the private ones after what follows from it. Every message of ours goes through the speaker, which
may refuse: then the message is not made, and we go on listening.
"""

from consensus.actions import Actions
from consensus.block import Block
from consensus.context import Context
from consensus.effects import RejectMessage
from consensus.errors import PeerFault
from consensus.events import MessageReceived, TimerKind
from consensus.header_rules import CLOCK_TOLERANCE_S, validate_proposed_header
from consensus.height_state import HeightState, Phase
from consensus.justification import (
    validate_proposal,
    validate_round_change,
)
from consensus.messages import (
    Commit,
    Message,
    Prepare,
    Proposal,
    RoundChange,
    get_author,
    get_round,
)
from consensus.payloads import (
    MAX_ROUND,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
    Signed,
)
from consensus.proposing import find_prepared_block, make_build_request
from consensus.round_state import RoundState, Verdict
from consensus.speaker import Speaker
from consensus.timeouts import (
    MS_PER_S,
    compute_block_due_ms,
    compute_empty_block_due_ms,
    compute_period_ms,
)
from consensus.types import Round
from consensus.voting import Voting

EARLY_PROPOSAL_MS = 1_000
"""How far beyond the header rules a proposal's timestamp may be ahead to be held, not refused."""

CLOCK_CHECK_MS = 10_000
"""Longest wait for a block's time without a look at the clock, which may have been corrected."""


class Agreement:
    """The part that this validator plays in deciding one height."""

    def __init__(self, context: Context, speaker: Speaker, height: HeightState) -> None:
        self._context = context
        self._speaker = speaker
        self._height = height
        self._actions = Actions(context, speaker, height)
        self.voting = Voting(context, speaker, height, self._actions)
        self._is_wait_unfinished = False

    def start(self) -> None:
        """Begin the height: go on where a restart interrupted us, or wait for the period."""
        height = self._height
        self._speaker.forget()
        if not self._resume():
            self._wait()
        for message in self._context.future.take_round_changes(height.number):
            self._replay(message)

    def on_block_timer(self, *, has_transactions: bool) -> None:
        """Start round 0, unless it would only make an empty block too early."""
        height = self._height
        if height.phase not in (Phase.WAITING, Phase.IDLE):
            return
        if self._is_wait_unfinished:
            self._wait()
            return
        if not has_transactions and self._is_too_early_for_empty():
            self._idle()
            self._check_round_changes()
            return
        self._start_round_zero()

    def on_transactions_pending(self) -> None:
        """Start round 0 at once if we were only waiting for something to put into a block."""
        if self._height.phase is Phase.IDLE:
            self._start_round_zero()

    def on_round_timer(self) -> None:
        """Give the round up, or repeat our wish for it while nobody has followed."""
        height = self._height
        current = height.round.number
        if height.has_quorum_behind_round() and current < MAX_ROUND:
            self._change_round(Round(current + 1))
            self._check_round_changes()
        else:
            self.repeat()
            self._actions.set_round_timer()

    def on_early_proposal_timer(self) -> None:
        """Look again at a proposal whose timestamp was ahead of our clock."""
        held, self._height.round.held_proposal = self._height.round.held_proposal, None
        if held is not None:
            self._replay(held)

    def on_message(self, event: MessageReceived) -> None:
        """Handle a message for this height; raises PeerFault if it breaks a rule."""
        message = event.message
        if get_author(message) not in self._height.validators:
            raise PeerFault("the author is not a validator of this height")
        if isinstance(message, RoundChange):
            self._on_round_change(message)
        elif self._is_early(message):
            self._context.future.add(message, event.size_bytes, self._height.validators)
        elif get_round(message) < self._height.round.number:
            return  # that round was given up; a block of it that may be final comes by sync
        elif isinstance(message, Proposal):
            self._on_proposal(message)
        else:
            self.voting.on_vote(message)

    def on_block_built(self, block: Block) -> None:
        """Propose the block that we asked for."""
        height = self._height
        if height.round.block is not None:
            return
        is_empty = not block.transactions
        if is_empty and height.round.number == 0 and self._is_too_early_for_empty():
            self._idle()
            return
        self._propose(block, prepares=(), verdict=Verdict.VALID)

    def repeat(self) -> None:
        """Send once more what we said in this round."""
        for broadcast in self._speaker.repeat():
            self._context.emit(broadcast)

    # Beginning

    def _wait(self) -> None:
        """Wait until the block is due, looking at the clock again if that is far away.

        It is far away only if this clock or those of the parent's sealers were wrong; once they are
        set right, the wait must not last as long as they were wrong.
        """
        height, config = self._height, self._context.config
        wait_ms = compute_block_due_ms(config, height.parent, height.started_ms)
        wait_ms -= self._context.now_ms
        longest_ms = compute_period_ms(config) + CLOCK_CHECK_MS
        self._is_wait_unfinished = wait_ms > longest_ms
        self._actions.set_timer(TimerKind.BLOCK, min(wait_ms, longest_ms))

    def _resume(self) -> bool:
        """Re-enter the round of our last record, if it is of this height."""
        height = self._height
        recalled = self._speaker.recall(height.number, self._context.effects)
        if recalled is None:
            return False
        record, message = recalled
        height.prepared = record.prepared
        height.phase = Phase.RUNNING
        height.round = RoundState(record.round)
        self._actions.announce_round()
        if isinstance(message, RoundChange):
            height.round_changes.add(message)
            return True
        height.round.has_quorum_behind = True
        if isinstance(message, Proposal):
            self.voting.take_block(message.signed.payload.block, message)
            return True
        height.round.add_vote(message)
        if isinstance(message, Commit):
            assert record.prepared is not None, "a commit is recorded with its certificate"
            height.round.set_block(record.prepared.block, None)
            height.round.verdict = Verdict.VALID
            height.round.is_prepared = True
        return True

    def _is_too_early_for_empty(self) -> bool:
        height, config = self._height, self._context.config
        due_ms = compute_empty_block_due_ms(config, height.parent, height.started_ms)
        return config.empty_block_period_s > 0 and self._context.now_ms < due_ms

    def _idle(self) -> None:
        """Look again after a period, or when an empty block is due, whichever is earlier."""
        height, config = self._height, self._context.config
        height.phase = Phase.IDLE
        height.round = RoundState(Round(0))
        due_ms = compute_empty_block_due_ms(config, height.parent, height.started_ms)
        delay_ms = min(due_ms - self._context.now_ms, compute_period_ms(config))
        self._actions.set_timer(TimerKind.BLOCK, delay_ms)

    def _start_round_zero(self) -> None:
        self._actions.enter_round(Round(0))
        self._check_round_changes()
        if self._height.round.number == 0:
            if self._height.get_proposer(Round(0)) == self._speaker.address:
                self._build()
            self._replay_round()

    # Changing rounds

    def _on_round_change(self, message: RoundChange) -> None:
        height = self._height
        validate_round_change(message, height=height.number, validators=height.validators)
        known = height.round_changes.find(get_author(message))
        if known is not None:
            self._actions.report_conflict(known, message)
        if height.round_changes.add(message):
            self._check_round_changes()

    def _check_round_changes(self) -> None:
        """Follow f + 1 validators that are ahead; begin the round when a quorum is there."""
        height = self._height
        if height.phase in (Phase.WAITING, Phase.SEALED):
            return
        jump = height.round_changes.find_jump(height.round.number, height.faulty)
        if jump is not None:
            self._change_round(jump)
            if self._height.phase is Phase.SEALED:  # the later round went all the way
                return
        current = height.round
        round_changes = height.round_changes.get_for(current.number)
        if current.number == 0 or current.justification or len(round_changes) < height.quorum:
            return
        current.justification = round_changes
        current.has_quorum_behind = True
        self._actions.set_round_timer()
        if height.get_proposer(current.number) == self._speaker.address and current.block is None:
            self._propose_in_later_round()

    def _change_round(self, target: Round) -> None:
        """Give up the current round and ask for `target`."""
        height = self._height
        self._actions.enter_round(target)
        certificate = height.prepared
        payload = RoundChangePayload(
            height=height.number,
            round=target,
            prepared=None if certificate is None else certificate.metadata,
        )

        def wrap(signed: Signed[RoundChangePayload]) -> RoundChange:
            if certificate is None:
                return RoundChange(signed=signed)
            return RoundChange(
                signed=signed, block=certificate.block, prepares=certificate.prepares
            )

        message = self._actions.say(payload, wrap)
        if message is not None:
            height.round_changes.add(message)
        self._replay_round()

    def _replay_round(self) -> None:
        height = self._height
        self._context.future.discard_before(height.number, height.round.number)
        for message in self._context.future.take(height.number, height.round.number):
            self._replay(message)

    def _replay(self, message: Message) -> None:
        """Handle a message that was kept; its sender is no longer known."""
        height = self._height
        event = MessageReceived(now_ms=self._context.now_ms, message=message, size_bytes=0)
        if height.phase is Phase.SEALED or (
            get_round(message) < height.round.number and not isinstance(message, RoundChange)
        ):
            return
        try:
            self.on_message(event)
        except PeerFault as fault:
            self._context.emit(
                RejectMessage(source=None, author=get_author(message), reason=str(fault))
            )

    # Proposing

    def _propose_in_later_round(self) -> None:
        current = self._height.round
        prepared = find_prepared_block(current.justification, current.number)
        if prepared is None:
            self._build()
        else:
            block, prepares = prepared
            self._propose(block, prepares=prepares, verdict=Verdict.PENDING)

    def _build(self) -> None:
        self._context.emit(make_build_request(self._context, self._height, self._speaker.address))

    def _propose(
        self, block: Block, *, prepares: tuple[Signed[PreparePayload], ...], verdict: Verdict
    ) -> None:
        height = self._height
        current = height.round
        round_changes = tuple(message.signed for message in current.justification)
        message = self._actions.say(
            ProposalPayload(height=height.number, round=current.number, block=block),
            lambda signed: Proposal(signed=signed, round_changes=round_changes, prepares=prepares),
        )
        if message is None:
            return
        self.voting.take_block(message.signed.payload.block, message, verdict)
        self.voting.check_votes()

    def _is_early(self, message: Proposal | Prepare | Commit) -> bool:
        """Whether the message is for a round that this node has not reached yet.

        A proposal is early only before the block period is over: once it is, a valid one takes us
        into its round, since it shows a quorum that asked for that round.
        """
        height = self._height
        if height.phase is Phase.WAITING:
            return True
        if isinstance(message, Proposal):
            return False
        return height.phase is Phase.IDLE or get_round(message) > height.round.number

    def _on_proposal(self, message: Proposal) -> None:
        height = self._height
        known = height.round.proposal
        if known is not None and get_round(message) == height.round.number:
            self._actions.report_conflict(known, message)
        if height.round.block is not None and get_round(message) == height.round.number:
            return
        validate_proposal(
            message,
            height=height.number,
            validators=height.validators,
            parent_coinbase=height.parent.coinbase,
        )
        if get_round(message) > height.round.number or height.phase is Phase.IDLE:
            self._actions.enter_round(get_round(message))
        height.round.has_quorum_behind = True
        header = message.signed.payload.block.header
        early_ms = (header.timestamp - CLOCK_TOLERANCE_S) * MS_PER_S - self._context.now_ms
        if 0 < early_ms <= EARLY_PROPOSAL_MS:
            height.round.held_proposal = message
            self._actions.set_timer(TimerKind.EARLY_PROPOSAL, early_ms)
            return
        validate_proposed_header(
            header,
            height.parent,
            height.validators,
            now_s=self._context.now_ms / MS_PER_S,
            rules=self._context.rules,
        )
        self.voting.take_block(message.signed.payload.block, message)
        self._replay_round()
        self.voting.check_votes()
