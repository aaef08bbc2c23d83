"""The plan of a soak: one seed makes one row of episodes, with and without a quorum."""

import itertools

import pytest

from tests.soak.faults import (
    Episode,
    Fault,
    Kill,
    Partition,
    Pause,
    SlowLinks,
    describe,
    plan_episode,
)

FOUR = (1, 2, 3, 4)
MANY = 400
PAUSE = Pause(nodes=(2,), start_s=4, length_s=1)


def plan(nodes: tuple[int, ...] = FOUR, *, seed: int = 7, count: int = MANY) -> list[Episode]:
    return [plan_episode(seed, number, nodes) for number in range(count)]


def list_faults(episodes: list[Episode]) -> list[Fault]:
    return [fault for episode in episodes for fault in episode.faults]


def test_plan_is_the_same_for_one_seed_and_another_for_another() -> None:
    assert plan() == plan()
    assert plan(seed=8) != plan()


def test_plan_holds_every_kind_of_fault_and_of_partition() -> None:
    faults = list_faults(plan())
    assert {type(fault) for fault in faults} == {Kill, Pause, Partition, SlowLinks}
    partitions = [fault for fault in faults if isinstance(fault, Partition)]
    assert {fault.shape for fault in partitions} == {
        "halves", "one alone", "all alone", "bridge", "ring",
    }  # fmt: skip
    assert {fault.how for fault in partitions} == {"cut", "freeze", "stall"}
    assert any(isinstance(fault, Kill) and fault.nodes == FOUR for fault in faults)
    assert any(isinstance(fault, Kill) and fault.again_s is not None for fault in faults)


def test_plan_leaves_a_quorum_in_a_good_part_of_the_episodes_and_takes_it_in_another() -> None:
    with_quorum = sum(episode.has_quorum for episode in plan())
    assert MANY / 4 < with_quorum < MANY * 3 / 4


@pytest.mark.parametrize("count", range(1, 11))
def test_plan_of_any_network_has_faults_of_its_own_nodes_that_do_not_undo_each_other(
    count: int,
) -> None:
    nodes = tuple(range(1, count + 1))
    for episode in plan(nodes, count=50):
        assert episode.faults
        assert describe(episode.faults[0]) in episode.describe()
        hit = [f.nodes for f in episode.faults if isinstance(f, Kill | Pause)]
        flat = list(itertools.chain.from_iterable(hit))
        assert len(flat) == len(set(flat))
        assert set(flat) <= set(nodes)
        lines = [f for f in episode.faults if isinstance(f, Partition | SlowLinks)]
        assert len(lines) <= (count > 1)
        assert all(0 <= fault.start_s <= 5 for fault in episode.faults)
        assert all(0 < fault.length_s <= 20 for fault in episode.faults)


def part(*groups: tuple[int, ...], start_s: float = 0) -> Partition:
    return Partition(shape="", groups=groups, how="cut", start_s=start_s, length_s=1)


@pytest.mark.parametrize(
    ("faults", "has_quorum"),
    [
        ([Kill(nodes=(1,), start_s=0, length_s=5)], True),
        ([Kill(nodes=(1, 2), start_s=0, length_s=5)], False),
        ([Kill(nodes=(1,), start_s=0, length_s=5), PAUSE], False),
        ([Kill(nodes=(1,), start_s=0, length_s=3), PAUSE], True),
        ([part((1,), (2, 3, 4))], True),
        ([part((1, 2), (3, 4))], False),
        ([part((1, 2, 3), (3, 4))], True),
        ([part((1, 2), (2, 3), (3, 4))], True),
        ([part((1, 2), (2, 3), (3, 4), start_s=4), PAUSE], False),
    ],
)
def test_quorum_is_counted_among_nodes_that_run_and_reach_each_other(
    faults: list[Fault], has_quorum: bool
) -> None:
    from tests.soak.faults import _has_quorum_throughout

    assert _has_quorum_throughout(faults, FOUR) is has_quorum
