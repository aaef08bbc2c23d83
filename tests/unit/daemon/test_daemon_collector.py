"""The collector walks what came since, and everything once in a while."""

import gc
import weakref
from collections.abc import Iterator
from itertools import count

import pytest

from api.collector import spare_survivors


class Node:
    """Something that can refer to itself."""

    def __init__(self) -> None:
        self.me: Node | None = self


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    before = list(gc.callbacks)
    yield
    assert gc.callbacks == before
    assert gc.get_freeze_count() == 0


def test_collector_does_not_walk_what_survived_a_collection() -> None:
    with spare_survivors():
        frozen = gc.get_freeze_count()
        kept = [Node() for _ in range(1000)]
        gc.collect()
        assert gc.get_freeze_count() >= frozen + len(kept)


def test_collector_still_frees_cycles_that_came_since() -> None:
    with spare_survivors():
        dead = weakref.ref(Node())
        gc.collect()
        assert dead() is None


def test_collector_frees_frozen_cycles_when_everything_is_walked_again() -> None:
    clock = count()
    with spare_survivors(full_every_s=3, now=lambda: next(clock)):  # 0; then one each collection
        node = Node()
        died = weakref.ref(node)
        gc.collect()  # 1: frozen while it lives
        del node
        gc.collect()  # 2: not walked
        assert died() is not None
        gc.collect()  # 3: everything
        assert died() is None


def test_collector_is_given_everything_back_after_a_fault() -> None:
    with pytest.raises(ValueError, match="stop"), spare_survivors():
        raise ValueError("stop")
