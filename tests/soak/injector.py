"""Carries out episodes: does what the plan says, at its time, and heals everything at the end."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Protocol

from tests.soak.faults import Episode, Fault, Kill, Partition, Pause, SlowLinks


class Processes(Protocol):
    """What is done to node processes."""

    @property
    def numbers(self) -> tuple[int, ...]: ...
    def start(self, *numbers: int) -> None: ...
    def kill(self, *numbers: int) -> None: ...
    def pause(self, *numbers: int) -> None: ...
    def wake(self, *numbers: int) -> None: ...


class Lines(Protocol):
    """What is done to the lines between them; `FaultyLinks` does it."""

    def partition(self, groups: Iterable[Collection[int]], *, how: str) -> None: ...
    def slow(
        self, one: int, other: int, *, latency_ms: float, bytes_per_s: float | None
    ) -> None: ...
    def heal_all(self) -> None: ...


class Injector:
    """Makes things go wrong, and counts them."""

    def __init__(self, nodes: Processes, links: Lines) -> None:
        self._nodes = nodes
        self._links = links
        self.counts: Counter[str] = Counter()

    async def run(self, episode: Episode) -> None:
        """Carry out an episode. All is healed when this returns, also if it is cancelled."""
        self.counts["episodes"] += 1
        self.counts["without quorum"] += not episode.has_quorum
        try:
            async with asyncio.TaskGroup() as group:
                for fault in episode.faults:
                    group.create_task(self._play(fault))
        finally:
            self.heal()

    def heal(self) -> None:
        """Let every node run and every line carry."""
        self._links.heal_all()
        self._nodes.wake(*self._nodes.numbers)
        self._nodes.start(*self._nodes.numbers)

    async def _play(self, fault: Fault) -> None:
        await asyncio.sleep(fault.start_s)
        match fault:
            case Kill():
                await self._kill(fault)
            case Pause():
                self.counts["pauses"] += len(fault.nodes)
                self._nodes.pause(*fault.nodes)
                await asyncio.sleep(fault.length_s)
                self._nodes.wake(*fault.nodes)
            case Partition():
                self.counts["partitions"] += 1
                self._links.partition(fault.groups, how=fault.how)
                await asyncio.sleep(fault.length_s)
                self._links.heal_all()
            case SlowLinks():
                self.counts["slow links"] += len(fault.pairs)
                for one, other in fault.pairs:
                    self._links.slow(
                        one, other, latency_ms=fault.latency_ms, bytes_per_s=fault.bytes_per_s
                    )
                await asyncio.sleep(fault.length_s)
                self._links.heal_all()

    async def _kill(self, fault: Kill) -> None:
        self._kill_now(fault.nodes)
        await asyncio.sleep(fault.length_s)
        self._nodes.start(*fault.nodes)
        if fault.again_s is not None:
            await asyncio.sleep(fault.again_s)
            self._kill_now(fault.nodes)
            self._nodes.start(*fault.nodes)

    def _kill_now(self, nodes: tuple[int, ...]) -> None:
        self.counts["kills"] += len(nodes)
        self.counts["all killed"] += len(nodes) == len(self._nodes.numbers)
        self._nodes.kill(*nodes)
