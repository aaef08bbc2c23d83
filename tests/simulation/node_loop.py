"""The one thread of a simulated node: while it waits for its disk, everything else waits for it.

A duty runs at one moment of virtual time, in one call. A write inside of it takes time all the
same: from there on the thread is ahead of the clockwork, what it sends leaves only when the write
is over, and what arrives meanwhile is taken up afterwards, in order. If the node dies before, what
was to leave has not left.
"""

from collections import deque
from collections.abc import Callable

from tests.simulation.clockwork import Clockwork

Action = Callable[[], None]


class NodeLoop:
    """Runs a node's actions one after the other."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self._life = 0
        self._free_at_ms = 0
        self._unsent: deque[tuple[int, Action]] = deque()
        self._waiting: deque[Action] = deque()

    @property
    def now_ms(self) -> int:
        """Virtual time as the thread has it: ahead of the clockwork while it waits for its disk."""
        return max(self._clockwork.now_ms, self._free_at_ms)

    @property
    def is_free(self) -> bool:
        """Whether an action would be done at once."""
        return not (self._clockwork.now_ms < self._free_at_ms or self._unsent or self._waiting)

    def die(self) -> None:
        """Forget everything that was to happen."""
        self._life += 1
        self._free_at_ms = 0
        self._unsent.clear()
        self._waiting.clear()

    def wait(self, duration_ms: int) -> None:
        """Let the duty that runs now take this time."""
        if duration_ms:
            self._free_at_ms = self.now_ms + duration_ms
            life = self._life
            delay_ms = self._free_at_ms - self._clockwork.now_ms
            self._clockwork.call_later(delay_ms, self._wake, life)

    def then(self, action: Action) -> None:
        """Do what a duty does after its waiting."""
        if self._clockwork.now_ms < self._free_at_ms:
            self._unsent.append((self._free_at_ms, action))
        else:
            action()

    def enter(self, action: Action) -> None:
        """Do `action`, now or when the thread is free."""
        if self.is_free:
            action()
        else:
            self._waiting.append(action)

    def later(self, delay_ms: int, action: Action) -> None:
        """Do `action` after a delay, unless the node has died by then."""
        life = self._life

        def run() -> None:
            if self._life == life:
                self.enter(action)

        self._clockwork.call_later(self.now_ms - self._clockwork.now_ms + delay_ms, run)

    def _wake(self, life: int) -> None:
        now_ms = self._clockwork.now_ms
        while self._life == life and self._unsent and self._unsent[0][0] <= now_ms:
            self._unsent.popleft()[1]()
        while self._life == life and self._waiting and now_ms >= self._free_at_ms:
            self._waiting.popleft()()
