"""Somebody who looks at every node all the time and writes down which blocks it calls final."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from tests.soak.asking import Asker, NodeRefused, NodeSilent
from tests.soak.chronicle import Chronicle

POLL_S = 0.4


class Watcher:
    """Follows all nodes; one task for each, so that a stopped one holds up no other."""

    def __init__(self, askers: Mapping[int, Asker], chronicle: Chronicle) -> None:
        self._askers = askers
        self._chronicle = chronicle

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            for node in self._askers:
                group.create_task(self._follow(node))

    async def wait_new_block(self, *, start_bound_s: float, bound_s: float) -> float | None:
        """Wait until every node has a block made from now on; return the seconds it took.

        Returns None if a node does not answer within `start_bound_s`, or if the block is not
        everywhere `bound_s` after all of them answer.
        """
        began_s = time.monotonic()
        target = max([*await self._get_heights(), self._chronicle.height]) + 1
        while len(await self._get_heights()) < len(self._askers):
            if time.monotonic() - began_s > start_bound_s:
                return None
            await asyncio.sleep(POLL_S)
        is_there = await self.wait_height(target, bound_s)
        return time.monotonic() - began_s if is_there else None

    async def wait_height(self, height: int, bound_s: float) -> bool:
        """Wait until every node has told a head of this height; False if that takes too long."""
        end_s = time.monotonic() + bound_s
        while min(self._chronicle.heads.get(node, -1) for node in self._askers) < height:
            if time.monotonic() > end_s:
                return False
            await asyncio.sleep(POLL_S / 4)
        return True

    async def wait_final(self, transactions: Iterable[str], bound_s: float) -> bool:
        """Wait until every node has told all of these as final; False if that takes too long."""
        wanted = frozenset(transactions)
        end_s = time.monotonic() + bound_s
        while any(wanted - self._chronicle.finals.get(node, set()) for node in self._askers):
            if time.monotonic() > end_s:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def _get_heights(self) -> list[int]:
        answers = await asyncio.gather(
            *(asker.get_height() for asker in self._askers.values()), return_exceptions=True
        )
        return [answer for answer in answers if isinstance(answer, int)]

    async def _follow(self, node: int) -> None:
        asker, chronicle = self._askers[node], self._chronicle
        seen = -1
        while True:
            try:
                head = await asker.get_height()
                while seen < head:
                    blocks = await asker.get_blocks(seen + 1, head)
                    if not blocks:
                        break  # its head moved back, which is noted below
                    chronicle.note_blocks(node, blocks)
                    seen = blocks[-1].height
                chronicle.note_head(node, head)
                # The head once more, by its hash: a crash may have changed what it calls final.
                chronicle.note_blocks(node, await asker.get_blocks(head, head))
            except (NodeSilent, NodeRefused):
                pass  # dead, stopped or starting; its next answer is held against all others
            await asyncio.sleep(POLL_S)
