"""A virtual network: every packet meets delay, loss, duplication and partitions as told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulation.clockwork import Clockwork

Packet = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class LinkQuality:
    """Chances and times of every link, until somebody changes them."""

    min_delay_ms: int = 1
    max_delay_ms: int = 20
    drop: float = 0.0
    duplicate: float = 0.0


@dataclass(slots=True)
class Network:
    """Delivers packets between names; `deliver` is set by the cluster."""

    clockwork: Clockwork
    quality: LinkQuality = field(default_factory=LinkQuality)
    deliver: Callable[[str, str, Packet], None] = lambda _source, _target, _packet: None
    cut: set[tuple[str, str]] = field(default_factory=set)
    """Links that carry nothing, directed."""
    has_relays: bool = False
    """Whether nodes pass on consensus messages that are news, also while nothing is cut."""
    packets: int = 0

    def send(self, source: str, target: str, packet: Packet) -> None:
        clockwork = self.clockwork
        quality = self.quality
        if (source, target) in self.cut:
            return
        copies = 1
        if quality.drop and clockwork.random.random() < quality.drop:
            return
        if quality.duplicate and clockwork.random.random() < quality.duplicate:
            copies = 2
        for _ in range(copies):
            self.packets += 1
            delay_ms = clockwork.choose_ms(quality.min_delay_ms, quality.max_delay_ms)
            clockwork.call_later(delay_ms, self._arrive, source, target, packet)

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Let only names that share a group talk; a name may be in several groups (a bridge)."""
        members = [frozenset(group) for group in groups]
        names = frozenset().union(*members)
        self.cut = {
            (a, b)
            for a in names
            for b in names
            if a != b and not any(a in group and b in group for group in members)
        }

    def heal(self) -> None:
        self.cut = set()
        self.quality = LinkQuality()

    def _arrive(self, source: str, target: str, packet: Packet) -> None:
        # A link that was cut meanwhile loses what was on it.
        if (source, target) not in self.cut:
            self.deliver(source, target, packet)
