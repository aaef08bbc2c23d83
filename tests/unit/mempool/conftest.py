from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from node.mempool import Mempool
from tests.unit.mempool.mempool_world import Signer, World

OpenMempool = Callable[..., Awaitable[Mempool]]


@pytest.fixture
def issuer() -> Signer:
    return Signer("issuer")


@pytest.fixture
def recipient() -> Signer:
    return Signer("recipient")


@pytest.fixture
def stranger() -> Signer:
    return Signer("stranger")


@pytest.fixture
def world(issuer: Signer, recipient: Signer) -> World:
    return World(senders={issuer.address, recipient.address}, deployers={issuer.address})


@pytest.fixture
async def open_mempool(world: World, tmp_path: Path) -> AsyncIterator[OpenMempool]:
    opened: list[Mempool] = []

    async def open_one(**bounds: int) -> Mempool:
        mempool = world.make_mempool(tmp_path, **bounds)
        opened.append(mempool)
        await mempool.open()
        return mempool

    yield open_one
    for mempool in opened:
        await mempool.close()
