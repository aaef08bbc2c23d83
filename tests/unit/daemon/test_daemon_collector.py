"""The collector walks what came since, and everything once in a while."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from api.collector import spare_survivors


class Node:
    """Something that can refer to itself."""

    def __init__(self) -> None:
        self.me: Node | None = self


def count_walked(nodes: list[Node]) -> int:
    """Count those among what the next full collection walks."""
    walked = {id(one) for one in gc.get_objects()}
    return sum(id(node) in walked for node in nodes)


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    before = list(gc.callbacks)
    yield
    assert gc.callbacks == before
    assert gc.get_freeze_count() == 0


def test_collector_does_not_walk_what_survived_a_collection() -> None:
    with spare_survivors():
        kept = [Node() for _ in range(1000)]
        assert count_walked(kept) == len(kept)
        gc.collect()
        assert count_walked(kept) == 0


def test_collector_still_frees_cycles_that_came_since() -> None:
    with spare_survivors():
        dead = weakref.ref(Node())
        gc.collect()
        assert dead() is None


def test_collector_frees_frozen_cycles_when_everything_is_walked_again() -> None:
    time_s = [0.0]
    with spare_survivors(full_every_s=3, now=lambda: time_s[0]):
        node = Node()
        died = weakref.ref(node)
        gc.collect()  # frozen while it lives
        del node
        time_s[0] = 2.9
        gc.collect()
        assert died() is not None
        time_s[0] = 3.0
        gc.collect()  # everything
        assert died() is None


def test_collector_is_given_everything_back_after_a_fault() -> None:
    with pytest.raises(ValueError, match="stop"), spare_survivors():
        raise ValueError("stop")
