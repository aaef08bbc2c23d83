"""The few things that every part of an agreement does: speak, set a timer, enter a round."""

from collections.abc import Callable

from consensus.context import Context
from consensus.effects import ReportEvidence, RoundStarted, SetTimer, SigningSkipped
from consensus.errors import SigningRefused
from consensus.events import Timer, TimerKind
from consensus.evidence import find_conflict
from consensus.height_state import HeightState, Phase
from consensus.messages import Message
from consensus.payloads import PayloadT, Signed
from consensus.round_state import RoundState
from consensus.speaker import MessageT, Speaker
from consensus.timeouts import compute_round_timeout_ms
from consensus.types import Round


class Actions:
    """Bound to one height; everything ends up in the effects of the context."""

    def __init__(self, context: Context, speaker: Speaker, height: HeightState) -> None:
        self._context = context
        self._speaker = speaker
        self._height = height

    def enter_round(self, target: Round) -> None:
        """Leave the current round behind and start the clock of another."""
        height = self._height
        height.phase = Phase.RUNNING
        height.round = RoundState(target)
        self._speaker.forget()
        self.announce_round()

    def announce_round(self) -> None:
        """Report the current round and start its clock."""
        height = self._height
        current = height.round.number
        self._context.emit(
            RoundStarted(height=height.number, round=current, proposer=height.get_proposer(current))
        )
        self.set_round_timer()

    def say(
        self, payload: PayloadT, wrap: Callable[[Signed[PayloadT]], MessageT]
    ) -> MessageT | None:
        """Make a message of ours, recorded and broadcast; None if the sign state forbids it."""
        try:
            return self._speaker.say(
                payload, wrap, prepared=self._height.prepared, effects=self._context.effects
            )
        except SigningRefused as refusal:
            self._context.emit(SigningSkipped(reason=str(refusal)))
            return None

    def report_conflict(self, known: Message, message: Message) -> None:
        """Report evidence, once per place, if one author said two things in it."""
        evidence = find_conflict(known, message)
        if evidence is None:
            return
        place = (evidence.author, evidence.code, evidence.round)
        if place not in self._height.accused:
            self._height.accused.add(place)
            self._context.emit(ReportEvidence(evidence=evidence))

    def set_round_timer(self) -> None:
        """Start the clock of the current round."""
        number = self._height.round.number
        self.set_timer(TimerKind.ROUND, compute_round_timeout_ms(self._context.config, number))

    def set_timer(self, kind: TimerKind, delay_ms: int) -> None:
        """Start a timer of the current height and round."""
        timer = Timer(kind=kind, height=self._height.number, round=self._height.round.number)
        self._context.emit(SetTimer(timer=timer, delay_ms=max(0, delay_ms)))
