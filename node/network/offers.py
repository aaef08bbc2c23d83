"""Things that peers have offered and this node has not yet got.

A thing offered by one peer is often already on its way from another, so it is asked for only after
a short delay; and an offerer may be slow or gone, so the next one is asked after a second. The
memory is bounded for each peer; what finds no room is offered again by its owner.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from node.network.frames import Topic

_MAX_OPEN_PER_PEER = 8192
_RETRY_S = 1.0
_MAX_TRIES = 6


@dataclass(slots=True)
class _OpenOffer:
    topic: Topic
    due_s: float
    first: str
    offerers: list[str] = field(default_factory=list)
    tries: int = 0


class OpenOffers:
    """What to ask of whom, and when. Has no clock of its own."""

    __slots__ = ("_delay_s", "_open", "_opened_by")

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._open: dict[bytes, _OpenOffer] = {}
        self._opened_by: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, topic: Topic, key: bytes, peer_id: str, now_s: float) -> None:
        """Note that a peer has something."""
        offer = self._open.get(key)
        if offer is None:
            if self._opened_by[peer_id] >= _MAX_OPEN_PER_PEER:
                return
            self._opened_by[peer_id] += 1
            offer = _OpenOffer(topic=topic, due_s=now_s + self._delay_s, first=peer_id)
            self._open[key] = offer
        if peer_id not in offer.offerers:
            offer.offerers.append(peer_id)

    def settle(self, key: bytes) -> None:
        """Note that the thing has arrived, or is given up."""
        offer = self._open.pop(key, None)
        if offer is not None:
            self._opened_by[offer.first] -= 1
            if not self._opened_by[offer.first]:
                del self._opened_by[offer.first]

    def take_due(
        self, now_s: float, connected: Iterable[str]
    ) -> dict[tuple[str, Topic], list[bytes]]:
        """Return what to ask now, by peer and topic; it will be due again after a second."""
        here = frozenset(connected)
        asks: dict[tuple[str, Topic], list[bytes]] = {}
        for key, offer in list(self._open.items()):
            if offer.due_s > now_s:
                continue
            able = [peer_id for peer_id in offer.offerers if peer_id in here]
            if not able or offer.tries >= _MAX_TRIES:
                self.settle(key)
                continue
            asks.setdefault((able[offer.tries % len(able)], offer.topic), []).append(key)
            offer.tries += 1
            offer.due_s = now_s + _RETRY_S
        return asks
