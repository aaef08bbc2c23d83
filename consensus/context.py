"""What the parts of the engine share during one step."""

from dataclasses import dataclass, field

from consensus.buffers import FutureBuffer
from consensus.effects import Effect
from consensus.extra_data import VANITY_BYTES
from consensus.genesis_config import QbftConfig
from consensus.header_rules import HeaderRules
from consensus.speaker import Speaker


@dataclass(slots=True, kw_only=True)
class Context:
    """Rules, voice, early messages, and the effects that the current step has produced."""

    rules: HeaderRules
    """Of the genesis file."""

    speaker: Speaker | None
    """None for a node without a validator key."""

    vanity: bytes = bytes(VANITY_BYTES)
    """Client text for the extraData of blocks that we build."""

    future: FutureBuffer = field(default_factory=FutureBuffer)
    """Messages for later heights and rounds."""

    now_ms: int = 0
    """Wall clock of the event that is being handled."""

    effects: list[Effect] = field(default_factory=list)
    """In the order in which the host must perform them."""

    @property
    def config(self) -> QbftConfig:
        """Periods, timeouts and the source of validators."""
        return self.rules.config

    def emit(self, effect: Effect) -> None:
        """Append an effect."""
        self.effects.append(effect)
