"""Virtual time: a queue of things that will happen, in an order that one seed decides."""

import heapq
import random
from collections.abc import Callable


class Clockwork:
    """Runs callbacks in the order of their virtual time; ties in the order of scheduling."""

    def __init__(self, seed: int) -> None:
        self.now_ms = 0
        self.random = random.Random(seed)
        self._queue: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = 0
        self.steps = 0

    def call_later(self, delay_ms: int, callback: Callable[..., None], *arguments: object) -> None:
        assert delay_ms >= 0
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._count, callback, arguments))

    def choose_ms(self, least_ms: int, most_ms: int) -> int:
        """Return a random time, both ends included; much quicker than `randint`."""
        return least_ms + int(self.random.random() * (most_ms - least_ms + 1))

    def run_until(self, end_ms: int, is_done: Callable[[], bool] | None = None) -> bool:
        """Run everything before `end_ms`; returns True as soon as `is_done()`."""
        queue = self._queue
        while is_done is None or not is_done():
            if not queue or queue[0][0] > end_ms:
                self.now_ms = max(self.now_ms, end_ms)
                return False
            self.now_ms, _, callback, arguments = heapq.heappop(queue)
            self.steps += 1
            callback(*arguments)
        return True
