"""One world of nodes for each test, and the seed of its chance."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.unit.network.network_world import World, make_world


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    value = sum(str(request.node.name).encode()) * 1_000_003 % 2**32
    print(f"seed {value}")  # noqa: T201 - pytest shows it when the test fails
    return value


@pytest_asyncio.fixture
async def world(tmp_path: Path, seed: int) -> AsyncIterator[World]:
    async with make_world(tmp_path, seed) as made:
        yield made
