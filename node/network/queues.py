"""What waits to be sent to one peer, the urgent ahead of the bulky.

Votes of consensus must not stand behind megabytes of old blocks. Each peer has three queues; a
frame leaves only when no more urgent one waits. Every queue is bounded in frames and bytes, and
what happens at the bound differs by what is lost:

- urgent: the **oldest** is dropped. Consensus repeats its latest message every few seconds, so an
  old one is worth less than a new one; and a peer that takes nothing is half-open and closed soon.
- the others: the **new** one is refused, and the caller knows that it was not sent.
"""

import enum
from collections import deque
from dataclasses import dataclass, field


class Priority(enum.IntEnum):
    """Lower goes first."""

    URGENT = 0
    """Consensus, keepalive, heads."""
    TRANSACTIONS = 1
    """Transactions, offers, requests for blocks."""
    BULK = 2
    """Blocks."""


@dataclass(slots=True)
class _Lane:
    frames: deque[bytes] = field(default_factory=deque)
    size: int = 0


class SendQueue:
    """Frames (encoded, with their length) that wait for one peer."""

    __slots__ = ("_lanes", "_max_bytes", "_max_frames", "dropped")

    def __init__(self, *, max_frames: int, max_bytes: int) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._lanes = tuple(_Lane() for _ in Priority)
        self.dropped = 0
        """Frames lost at a bound since the connection began."""

    def __len__(self) -> int:
        return sum(len(lane.frames) for lane in self._lanes)

    @property
    def waiting_bytes(self) -> int:
        """Bytes in all lanes."""
        return sum(lane.size for lane in self._lanes)

    def push(self, frame: bytes, priority: Priority) -> bool:
        """Queue a frame. False: it was refused because its lane is full."""
        lane = self._lanes[priority]
        if priority is Priority.URGENT:
            while lane.frames and self._is_full(lane, frame):
                lane.size -= len(lane.frames.popleft())
                self.dropped += 1
        elif lane.frames and self._is_full(lane, frame):
            self.dropped += 1
            return False
        lane.frames.append(frame)
        lane.size += len(frame)
        return True

    def pop(self, max_bytes: int) -> bytes:
        """Take the most urgent frames, joined: at least one, and together about `max_bytes`.

        Empty when nothing waits. A single write for many small frames costs one TLS record.
        """
        taken: list[bytes] = []
        size = 0
        for lane in self._lanes:
            while lane.frames and (not taken or size + len(lane.frames[0]) <= max_bytes):
                frame = lane.frames.popleft()
                lane.size -= len(frame)
                size += len(frame)
                taken.append(frame)
            if taken and lane.frames:
                break  # the limit was reached: nothing less urgent overtakes what is left here
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _is_full(self, lane: _Lane, frame: bytes) -> bool:
        return len(lane.frames) >= self._max_frames or lane.size + len(frame) > self._max_bytes
