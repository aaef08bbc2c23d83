"""The QBFT state machine of one validator.

Theory of operation
-------------------
The engine agrees on one block after another. `step` takes one event and returns effects; nothing
else goes in or out, so a run is a pure function of its events. The engine never waits: building,
executing and importing blocks are effects that come back as events while timers and messages go on.

A height begins with `NewHead` and passes through these phases:

    WAITING --period over--> RUNNING --quorum of commits--> SEALED --NewHead--> next height
       |                      ^   |
       +--nothing to put--> IDLE  +--timeout, f+1 ahead, or a justified later proposal--> RUNNING
          into a block                                                       in a later round

In a round the proposer sends a block (PROPOSAL); everybody who finds it valid says so (PREPARE);
whoever sees a quorum of prepares is *prepared*, keeps them as a certificate and seals the block
(COMMIT); a quorum of seals makes it final. A round that does not get there in time is given up:
validators ask for a later one (ROUND_CHANGE) and show their certificate, so that the proposer of
the later round must repeat a block that may be final somewhere already. Two quorums share an
honest validator; that is why no two blocks can be final at one height.

Three rules make it live:

- f + 1 validators in later rounds pull us after them; one of them is honest.
- A validator that asked for a round waits there until it knows that a quorum came along, repeating
  its request, and only then lets the round time out. Validators that are cut off therefore do not
  run away from each other, and an outage, however long, does not use up the rounds.
- Timeouts double from round to round up to a cap; see `timeouts`.

What may never be contradicted is kept by `speaker` and `sign_state`. After a restart the last
record is recalled: the engine re-enters that round and repeats what it said.

This module routes events: by height, by phase and by whose fault an error is. One height is decided
in `agreement`. The words and their proofs are in `messages` and `justification`.
Source: QBFT formal specification; Besu's QbftBlockHeightManager and QbftRound.
"""

from typing import assert_never

from consensus.agreement import Agreement
from consensus.buffers import MAX_HEIGHTS_AHEAD
from consensus.context import Context
from consensus.effects import Effect, RejectMessage, SetTimer
from consensus.errors import AheadOfClock, PeerFault
from consensus.events import (
    BlockBuilt,
    BlockValidated,
    Event,
    ImportFailed,
    MessageReceived,
    NewHead,
    Timer,
    TimerExpired,
    TimerKind,
    TransactionsPending,
)
from consensus.extra_data import VANITY_BYTES
from consensus.header_rules import HeaderRules
from consensus.height_state import HeightState, Phase
from consensus.messages import Message, get_author, get_height
from consensus.sign_state import SignState
from consensus.signatures import ValidatorKey
from consensus.speaker import Speaker
from consensus.types import Height, Round

REBROADCAST_MS = 2_000
"""How often a validator repeats what it said in the current round."""


class Engine:
    """Agrees with the other validators on one final block after another."""

    def __init__(
        self,
        *,
        rules: HeaderRules,
        key: ValidatorKey | None = None,
        sign_state: SignState | None = None,
        vanity: bytes = bytes(VANITY_BYTES),
    ) -> None:
        """Make an engine that waits for its first NewHead.

        Without `key` it only follows. With a key the last `sign_state` of that key is required: a
        validator without memory must not sign.
        """
        assert (key is None) == (sign_state is None), "a key and its sign state come together"
        speaker = None
        if key is not None and sign_state is not None:
            speaker = Speaker(key, sign_state)
        self._context = Context(rules=rules, speaker=speaker, vanity=vanity)
        self._agreement: Agreement | None = None
        self._height: HeightState | None = None

    @property
    def height(self) -> Height | None:
        """The height under agreement; None before the first NewHead."""
        return None if self._height is None else self._height.number

    @property
    def round(self) -> Round:
        """The current round of that height."""
        return Round(0) if self._height is None else self._height.round.number

    @property
    def phase(self) -> Phase:
        """Where the height stands."""
        return Phase.WAITING if self._height is None else self._height.phase

    @property
    def is_validating(self) -> bool:
        """Whether this node takes part at the current height."""
        return self._agreement is not None

    def is_relevant(self, message: Message) -> bool:
        """Whether a message is worth taking in.

        It is if its height is the present one and its author is a validator there, or if it is for
        one of the next heights, whoever its author is: an author unknown now may be one who joins
        then. The buffer keeps all unknown authors together within the part of one validator.
        """
        height = self._height
        if height is None:
            return False
        ahead = get_height(message) - height.number
        is_known = get_author(message) in height.validators
        return (0 if is_known else 1) <= ahead <= MAX_HEIGHTS_AHEAD

    def is_worth_passing_on(self, message: Message) -> bool:
        """Whether peers that may not have a relevant message should get it from here.

        Only what known validators say: otherwise anybody could make every node repeat whatever
        fresh keys sign. One who joins is passed on by those that have reached its height. What we
        said ourselves comes from us alone: its certificate is not signed, so somebody could change
        it, and we would be blamed for passing it on.
        """
        height, speaker = self._height, self._context.speaker
        author = get_author(message)
        if height is None or (speaker is not None and author == speaker.address):
            return False
        return author in height.validators and self.is_relevant(message)

    def step(self, event: Event) -> tuple[Effect, ...]:
        """Handle one event; returns what the host must do, in order.

        Messages that break a rule become `RejectMessage`. A LocalFault or an assertion that comes
        out of here is a bug of ours, and the host must stop.
        """
        context = self._context
        assert not context.effects, "the last step did not finish"
        context.now_ms = event.now_ms
        try:
            self._dispatch(event)
            return tuple(context.effects)
        finally:
            context.effects = []

    def _dispatch(self, event: Event) -> None:
        match event:
            case NewHead():
                self._on_new_head(event)
            case MessageReceived():
                self._on_message(event)
            case TimerExpired():
                self._on_timer(event)
            case TransactionsPending():
                if self._agreement is not None:
                    self._agreement.on_transactions_pending()
            case BlockBuilt():
                agreement = self._find_agreement(event.height, event.round)
                if agreement is not None:
                    agreement.on_block_built(event.block)
            case BlockValidated():
                agreement = self._find_agreement(event.height, event.round)
                if agreement is not None:
                    agreement.voting.on_block_validated(event)
            case ImportFailed():
                if self._agreement is not None and event.height == self.height:
                    self._agreement.voting.on_import_failed()
            case _:
                assert_never(event)

    def _on_new_head(self, event: NewHead) -> None:
        if self._height is not None and event.header.number < self._height.number:
            return  # an import that was overtaken by another; this height goes on
        context = self._context
        height = HeightState(
            parent=event.header,
            validators=event.validators,
            vote=event.vote,
            started_ms=event.now_ms,
        )
        self._height = height
        self._agreement = None
        context.future.discard_before(height.number)
        if context.speaker is None or context.speaker.address not in height.validators:
            return
        self._agreement = Agreement(context, context.speaker, height)
        self._agreement.start()
        self._set_rebroadcast(height)

    def _on_message(self, event: MessageReceived) -> None:
        height = self._height
        if height is None:
            return
        message_height = get_height(event.message)
        if message_height < height.number:
            return  # final already: nothing said about it matters, whoever says it
        if message_height > height.number:
            if message_height <= height.number + MAX_HEIGHTS_AHEAD:
                self._context.future.add(event.message, event.size_bytes, height.validators)
            return
        if self._agreement is None or height.phase is Phase.SEALED:
            return
        try:
            self._agreement.on_message(event)
        except PeerFault as fault:
            source = None if isinstance(fault, AheadOfClock) else event.source
            author = get_author(event.message)
            self._context.emit(RejectMessage(source=source, author=author, reason=str(fault)))

    def _on_timer(self, event: TimerExpired) -> None:
        height = self._height
        timer = event.timer
        if self._agreement is None or height is None or timer.height != height.number:
            return  # the timer of a height that is final: a fork once came from acting on one
        if timer.kind is TimerKind.BLOCK:
            self._agreement.on_block_timer(has_transactions=event.has_transactions)
        elif timer.kind is TimerKind.REBROADCAST:
            if height.phase is not Phase.SEALED:
                self._agreement.repeat()
            self._set_rebroadcast(height)
        elif timer.round == height.round.number and height.phase is Phase.RUNNING:
            if timer.kind is TimerKind.ROUND:
                self._agreement.on_round_timer()
            else:
                self._agreement.on_early_proposal_timer()

    def _find_agreement(self, height: Height, round_number: Round) -> Agreement | None:
        """Return the agreement if it is still where a piece of work was asked for."""
        if height != self.height or round_number != self.round or self.phase is not Phase.RUNNING:
            return None
        return self._agreement

    def _set_rebroadcast(self, height: HeightState) -> None:
        timer = Timer(kind=TimerKind.REBROADCAST, height=height.number, round=Round(0))
        self._context.emit(SetTimer(timer=timer, delay_ms=REBROADCAST_MS))
