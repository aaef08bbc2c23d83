"""The sliding window of block sync: what to ask for next, and what has arrived.

Pure bookkeeping, with an event for those who wait. Heights below `next_height` are imported;
heights up to `ahead` beyond it may be asked for, in ranges; each is either free, being fetched, or
here with the peer that sent it. The window bounds how many blocks are held in memory.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from consensus.block import Block
from consensus.types import Height


class BlockWindow:
    """Ranges to fetch and blocks to import, of one run of sync."""

    def __init__(self, start: Height, *, ahead: int) -> None:
        assert ahead >= 1
        self.next_height = start
        """The height to import next."""
        self._ahead = ahead
        self._target = Height(start - 1)
        self._busy: set[int] = set()
        self._blocks: dict[int, tuple[Block, str]] = {}
        self._changed = asyncio.Event()

    def advance(self, head: Height, target: Height) -> None:
        """Note the head of the chain (what is below is done) and the height to reach."""
        if head + 1 > self.next_height:
            for number in range(self.next_height, head + 1):
                self._blocks.pop(number, None)
            self.next_height = Height(head + 1)
            self._notify()
        if target != self._target:
            self._target = target
            self._notify()

    def take_range(self, peer_head: Height, size: int) -> tuple[Height, int] | None:
        """Reserve the lowest free range, at most `size` long, that a peer with this head has."""
        last = min(self._target, peer_head, self.next_height + self._ahead - 1)
        start = self.next_height
        while start <= last and not self._is_free(start):
            start = Height(start + 1)
        count = 0
        while count < size and start + count <= last and self._is_free(start + count):
            count += 1
        if not count:
            return None
        self._busy.update(range(start, start + count))
        return start, count

    def put(self, start: Height, count: int, blocks: Sequence[Block], peer_id: str) -> None:
        """Give back a reserved range with what came of it; the rest is free again."""
        self._busy.difference_update(range(start, start + count))
        for number, block in enumerate(blocks, start):
            if number >= self.next_height:
                self._blocks[number] = (block, peer_id)
        self._notify()

    def get_next(self) -> tuple[Block, str] | None:
        """Return the block to import next and who sent it."""
        return self._blocks.get(self.next_height)

    def reject(self, peer_id: str) -> None:
        """Throw away everything from a peer."""
        self._blocks = {number: item for number, item in self._blocks.items() if item[1] != peer_id}
        self._notify()

    async def wait_changed(self, timeout_s: float) -> None:
        """Wait until something changes, at most so long."""
        changed = self._changed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await changed.wait()

    def _is_free(self, number: int) -> bool:
        return number not in self._busy and number not in self._blocks

    def _notify(self) -> None:
        # Each change has its own event, so that all who wait wake once and none misses one.
        self._changed.set()
        self._changed = asyncio.Event()
