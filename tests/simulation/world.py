"""What the simulated nodes of one schedule share, and in what they differ."""

from collections.abc import Callable
from dataclasses import dataclass, field

from consensus.messages import Message, decode_message
from tests.simulation.clockwork import Clockwork
from tests.simulation.network import Network, Packet
from tests.simulation.properties import Monitor


@dataclass(slots=True, kw_only=True)
class Temper:
    """How one node differs from a perfect one; changed by faults while it runs."""

    clock_offset_ms: int = 0
    clock_drift: float = 0.0
    """Seconds gained per second."""
    execution_ms: int = 5
    disk_ms: int = 0
    """How long it takes to import a block, and to write the sign state."""
    crash_in_persist: str | None = None
    """One of `CRASH_MOMENTS`: die around the next write of the sign state."""


@dataclass(slots=True)
class World:
    """What all nodes of one schedule share."""

    clockwork: Clockwork
    network: Network
    monitor: Monitor
    decoded: dict[tuple[int, bytes], Message] = field(default_factory=dict)
    changes: int = 0
    """Counts heads that moved and nodes that came or went."""
    trace: Callable[[str], None] | None = None
    broadcasts: int = 0

    def pack(self, code: int, payload: bytes) -> Packet:
        """Return a packet for one broadcast; its number tells copies of it from a repetition."""
        self.broadcasts += 1
        return ("consensus", code, payload, self.broadcasts)

    def decode(self, code: int, payload: bytes) -> Message:
        """Decode as `decode_message` does, once per message instead of once per receiver."""
        key = (code, payload)
        message = self.decoded.get(key)
        if message is None:
            message = self.decoded[key] = decode_message(code, payload)
        return message

    @property
    def is_traced(self) -> bool:
        """Whether anybody listens; texts that cost time are not made otherwise."""
        return self.trace is not None

    def say(self, text: str) -> None:
        if self.trace is not None:
            self.trace(f"{self.clockwork.now_ms:>7} {text}")


def describe(message: Message) -> str:
    """Return a message in a few words for traces."""
    payload = message.signed.payload
    kind = type(message).__name__.upper()
    return f"{kind} height {payload.height} round {payload.round}"
