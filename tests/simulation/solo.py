"""One engine alone, fed by hand: for tests of what it answers to each event."""

from collections.abc import Sequence
from typing import TypeVar

from consensus.block import Block
from consensus.effects import (
    Broadcast,
    BuildBlock,
    Effect,
    ImportBlock,
    PersistSignState,
    RejectMessage,
    SetTimer,
    ValidateBlock,
)
from consensus.engine import Engine
from consensus.events import (
    BlockBuilt,
    BlockValidated,
    Event,
    MessageReceived,
    NewHead,
    Timer,
    TimerExpired,
    TimerKind,
)
from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader
from consensus.header_rules import HeaderRules
from consensus.messages import Message, decode_message, encode_message
from consensus.payloads import MessageCode
from consensus.round_state import Verdict
from consensus.sign_state import SignIdentity, SignRecord, SignState, make_floor
from consensus.types import Hash32, Height, Round
from tests.simulation.keys import CONTRACT, KEYS
from tests.simulation.model_chain import GENESIS_TIME_S, ModelChain

EffectT = TypeVar("EffectT")
CONFIG = QbftConfig(validator_contract=CONTRACT)
START_MS = GENESIS_TIME_S * 1000


class Solo:
    """Validator number `me` (from 1, by address) of `count`; v1 proposes height 1 round 0."""

    def __init__(
        self,
        me: int = 2,
        count: int = 4,
        *,
        config: QbftConfig = CONFIG,
        record: SignRecord | None = None,
        is_started: bool = True,
    ) -> None:
        self.keys = KEYS[:count]
        self.key = self.keys[me - 1]
        self.rules = HeaderRules(config=config)
        self.chain = ModelChain.create(self.rules, [key.address for key in self.keys])
        self.now_ms = START_MS + 1000
        identity = SignIdentity(
            chain_id=7,
            genesis_hash=self.chain.entries[0].block_hash,
            validator=self.key.address,
        )
        self.record = record or make_floor(identity, number=0, height=Height(0))
        self.engine = Engine(rules=self.rules, key=self.key, sign_state=SignState(self.record))
        self.log: list[Effect] = []
        if is_started:
            self.new_head(self.chain.head)
            self.expire(TimerKind.BLOCK)

    @property
    def genesis(self) -> BlockHeader:
        return self.chain.entries[0].block.header

    @property
    def place(self) -> tuple[int, int]:
        return (int(self.engine.height or 0), int(self.engine.round))

    def step(self, event: Event) -> tuple[Effect, ...]:
        effects = self.engine.step(event)
        self.log.extend(effects)
        for effect in effects:
            if isinstance(effect, PersistSignState):
                self.record = effect.record
        return effects

    def new_head(self, header: BlockHeader) -> tuple[Effect, ...]:
        return self.step(
            NewHead(now_ms=self.now_ms, header=header, validators=self.chain.validators)
        )

    def receive(self, *messages: Message) -> tuple[Effect, ...]:
        """Feed messages as they come off the wire; returns all effects."""
        effects: list[Effect] = []
        for message in messages:
            encoded = encode_message(message)
            decoded = decode_message(code_of(message), encoded)
            event = MessageReceived(
                now_ms=self.now_ms, message=decoded, size_bytes=len(encoded), source="peer"
            )
            effects.extend(self.step(event))
        return tuple(effects)

    def expire(
        self,
        kind: TimerKind,
        *,
        height: int | None = None,
        round_number: int | None = None,
        has_transactions: bool = True,
    ) -> tuple[Effect, ...]:
        """Let a timer of the current (or another) height and round run out."""
        timer = Timer(
            kind=kind,
            height=Height(self.place[0] if height is None else height),
            round=Round(self.place[1] if round_number is None else round_number),
        )
        return self.step(
            TimerExpired(now_ms=self.now_ms, timer=timer, has_transactions=has_transactions)
        )

    def validated(self, digest: Hash32, verdict: Verdict = Verdict.VALID) -> tuple[Effect, ...]:
        height, round_number = self.place
        return self.step(
            BlockValidated(
                now_ms=self.now_ms,
                height=Height(height),
                round=Round(round_number),
                digest=digest,
                verdict=verdict,
            )
        )

    def built(self, block: Block) -> tuple[Effect, ...]:
        height, round_number = self.place
        return self.step(
            BlockBuilt(
                now_ms=self.now_ms,
                height=Height(height),
                round=Round(round_number),
                block=block,
            )
        )


def code_of(message: Message) -> MessageCode:
    from consensus.messages import get_code

    return get_code(message)


def pick(effects: Sequence[Effect], kind: type[EffectT]) -> list[EffectT]:
    return [effect for effect in effects if isinstance(effect, kind)]


def sent(effects: Sequence[Effect]) -> list[Message]:
    """Return the messages that were broadcast, decoded."""
    return [decode_message(e.code, e.payload) for e in pick(effects, Broadcast)]


def rejections(effects: Sequence[Effect]) -> list[str]:
    return [effect.reason for effect in pick(effects, RejectMessage)]


def imports(effects: Sequence[Effect]) -> list[Block]:
    return [effect.block for effect in pick(effects, ImportBlock)]


def timers(effects: Sequence[Effect]) -> dict[TimerKind, int]:
    """Return the delays of the timers that were set."""
    return {effect.timer.kind: effect.delay_ms for effect in pick(effects, SetTimer)}


def validations(effects: Sequence[Effect]) -> list[ValidateBlock]:
    return pick(effects, ValidateBlock)


def builds(effects: Sequence[Effect]) -> list[BuildBlock]:
    return pick(effects, BuildBlock)
