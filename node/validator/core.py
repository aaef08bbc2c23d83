"""The order of a validator's duties, without a loop, a clock or a disk of its own.

The engine says what must be done; the core does it, in that order and to the end: what must be
durable is durable before what must be sent is sent. If a duty fails, the exception goes up and
nothing after it happens, since a validator that cannot write must not speak. Messages from peers
are taken in by `take_in`, which only decodes, and worked on by `drain`, so that reading a socket
never waits for a disk.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from consensus.effects import (
    Broadcast,
    BuildBlock,
    Effect,
    ImportBlock,
    PersistSignState,
    RejectMessage,
    ReportEvidence,
    RoundStarted,
    SetTimer,
    SigningSkipped,
    ValidateBlock,
)
from consensus.engine import Engine
from consensus.events import Event, MessageReceived, Timer, TimerExpired
from consensus.messages import Message, decode_message, get_author
from consensus.types import Address
from node.validator.ports import (
    BlockJobs,
    Broadcaster,
    Clock,
    EvidenceStore,
    Observer,
    SignStateStore,
    Timers,
    TransactionSource,
)

MAX_INBOX_MESSAGES = 4_096
"""Messages taken in but not worked on; more are dropped, as their authors repeat them."""

_MAX_INBOX_BEFORE_UNKNOWN = MAX_INBOX_MESSAGES // 8
"""From here on authors who are no validators yet find no place, so that they take nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorePorts:
    """The surroundings of one validator."""

    clock: Clock
    """Wall clock."""

    timers: Timers
    """Timers."""

    broadcaster: Broadcaster
    """The way to all peers."""

    sign_states: SignStateStore
    """Disk copies of the sign state."""

    jobs: BlockJobs
    """Builds, validates and imports blocks."""

    transactions: TransactionSource
    """Whether there is something to put into a block."""

    evidence: EvidenceStore
    """Keeps proof of contradictions."""

    observer: Observer
    """Metrics and log."""


class ValidatorCore:
    """Feeds the engine and performs its effects."""

    def __init__(
        self,
        engine: Engine,
        ports: CorePorts,
        *,
        decode: Callable[[int, bytes], Message] = decode_message,
    ) -> None:
        """Drive `engine`; `decode` may be a remembering decoder where many cores share messages."""
        self._engine = engine
        self._decode = decode
        self._ports = ports
        self._inbox: deque[MessageReceived] = deque()
        self._events: deque[Event] = deque()
        self._is_stepping = False

    @property
    def engine(self) -> Engine:
        """The engine, to be read only."""
        return self._engine

    def take_in(self, code: int, payload: bytes, source: str | None) -> Address | None:
        """Decode a message for the next `drain`; returns its author if others should have it too.

        Raises consensus.errors.PeerFault if the bytes are no message.
        """
        message = self._decode(code, payload)
        if not self._engine.is_relevant(message):
            return None
        is_known = self._engine.is_worth_passing_on(message)
        if len(self._inbox) < (MAX_INBOX_MESSAGES if is_known else _MAX_INBOX_BEFORE_UNKNOWN):
            self._inbox.append(
                MessageReceived(
                    now_ms=self._ports.clock.now_ms(),
                    message=message,
                    size_bytes=len(payload),
                    source=source,
                )
            )
        return get_author(message) if is_known else None

    def drain(self, limit: int | None = None) -> bool:
        """Work on messages that were taken in, at most `limit`; returns whether some are left."""
        done = 0
        while self._inbox and (limit is None or done < limit):
            self.process(self._inbox.popleft())
            done += 1
        return bool(self._inbox)

    def on_timer(self, timer: Timer) -> None:
        """Tell the engine that a timer has run out."""
        self.process(
            TimerExpired(
                now_ms=self._ports.clock.now_ms(),
                timer=timer,
                has_transactions=self._ports.transactions.has_transactions(),
            )
        )

    def process(self, event: Event) -> None:
        """Step the engine and perform the effects, all of them, in order.

        An event that a port delivers while effects are being performed waits for its turn.
        """
        self._events.append(event)
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while self._events:
                for effect in self._engine.step(self._events.popleft()):
                    self._perform(effect)
        finally:
            self._is_stepping = False

    def _perform(self, effect: Effect) -> None:
        ports = self._ports
        match effect:
            case PersistSignState():
                ports.sign_states.persist(effect.record)
            case Broadcast():
                ports.broadcaster.broadcast(effect.code, effect.payload)
            case SetTimer():
                ports.timers.set(effect.timer, effect.delay_ms)
            case BuildBlock():
                ports.jobs.build(effect)
            case ValidateBlock():
                ports.jobs.validate(effect)
            case ImportBlock():
                ports.jobs.import_block(effect.block)
            case ReportEvidence():
                ports.evidence.keep(effect.evidence)
                ports.observer.on_evidence(effect.evidence)
            case RejectMessage():
                ports.observer.on_rejected(effect.source, effect.author, effect.reason)
            case SigningSkipped():
                ports.observer.on_signing_skipped(effect.reason)
            case RoundStarted():
                ports.observer.on_round(effect.height, effect.round, effect.proposer)
            case _:
                assert_never(effect)
