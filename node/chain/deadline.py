"""A wall-clock limit on execution.

Gas bounds the cost of a block on the machines of its schedule's authors, not in this interpreter:
30 million gas are 0.4 seconds of ledger calls, nine seconds of a jump loop and minutes of pairing
checks. A node that votes within a second therefore also bounds time. The limit never decides
whether a block is valid: a validator that is cut off sends no vote, a builder leaves the
transaction out, and a block that a quorum has sealed is executed to its end.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from node.chain.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment on a monotonic clock."""

    monotonic_end: float
    """Seconds on `clock` after which execution is cut off; infinity for no limit."""

    clock: Callable[[], float] = time.monotonic
    """The clock; a test or a simulation hands in its own."""

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(monotonic_end=clock() + seconds, clock=clock)

    @classmethod
    def never(cls) -> "Deadline":
        """Return the deadline that never comes, for blocks that a quorum has sealed."""
        return cls(monotonic_end=math.inf)

    @property
    def remaining_s(self) -> float:
        """Seconds left; negative once over."""
        return self.monotonic_end - self.clock()

    @property
    def is_over(self) -> bool:
        """Whether the moment has passed."""
        return self.clock() >= self.monotonic_end

    def check(self) -> None:
        """Raise DeadlineExceeded if the moment has passed."""
        if self.clock() >= self.monotonic_end:
            raise DeadlineExceeded("execution took longer than it may")
