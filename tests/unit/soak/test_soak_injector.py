"""Faults of a soak are done, counted and undone, whatever ends them."""

import asyncio
from collections.abc import Collection, Iterable

import pytest

from tests.soak.faults import Episode, Fault, Kill, Partition, Pause, SlowLinks
from tests.soak.injector import Injector


class Recorder:
    """Nodes and lines that only write down what is done to them."""

    numbers = (1, 2)

    def __init__(self) -> None:
        self.done: list[str] = []

    def start(self, *numbers: int) -> None:
        self.done.append(f"start {numbers}")

    def kill(self, *numbers: int) -> None:
        self.done.append(f"kill {numbers}")

    def pause(self, *numbers: int) -> None:
        self.done.append(f"pause {numbers}")

    def wake(self, *numbers: int) -> None:
        self.done.append(f"wake {numbers}")

    def partition(self, groups: Iterable[Collection[int]], *, how: str) -> None:
        self.done.append(f"{how} {groups}")

    def slow(self, one: int, other: int, *, latency_ms: float, bytes_per_s: float | None) -> None:
        self.done.append(f"slow {one}-{other}")

    def heal_all(self) -> None:
        self.done.append("heal all")


def play(*faults: Fault) -> Episode:
    return Episode(number=0, calm_s=0, faults=faults, has_quorum=False)


FAULTS: tuple[Fault, ...] = (
    Kill(nodes=(1, 2), start_s=0, length_s=0.01, again_s=0.01),
    Pause(nodes=(1,), start_s=0, length_s=0.01),
    Partition(shape="halves", groups=((1,), (2,)), how="cut", start_s=0, length_s=0.01),
    SlowLinks(pairs=((1, 2),), latency_ms=1, bytes_per_s=None, start_s=0, length_s=0.01),
)
HEALED = ["heal all", "wake (1, 2)", "start (1, 2)"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_injector_does_a_fault_and_heals_it(fault: Fault) -> None:
    recorder = Recorder()
    await Injector(recorder, recorder).run(play(fault))
    assert len(recorder.done) > len(HEALED)
    assert recorder.done[-3:] == HEALED


async def test_injector_counts_what_it_did() -> None:
    recorder = Recorder()
    injector = Injector(recorder, recorder)
    await injector.run(play(*FAULTS))
    assert injector.counts == {
        "episodes": 1,
        "without quorum": 1,
        "kills": 4,
        "all killed": 2,
        "pauses": 1,
        "partitions": 1,
        "slow links": 1,
    }


async def test_injector_heals_when_it_is_cancelled() -> None:
    recorder = Recorder()
    running = asyncio.create_task(
        Injector(recorder, recorder).run(play(Pause(nodes=(1,), start_s=0, length_s=60)))
    )
    while "pause (1,)" not in recorder.done:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert recorder.done[-3:] == HEALED
