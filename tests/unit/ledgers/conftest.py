from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from atesta_client.holder_keys import HolderKey

from tests.unit.ledgers.two_ledgers import TwoLedgers
from tests.unit.rest.ledger_world import Caller, open_caller


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[TwoLedgers]:
    made = TwoLedgers(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def laboratory(world: TwoLedgers) -> AsyncIterator[Caller]:
    """The issuer, on both ledgers."""
    caller = await open_caller(world.laboratory)
    yield caller
    await caller.client.close()


@pytest.fixture
async def bureau(world: TwoLedgers) -> AsyncIterator[Caller]:
    """The owner of the schemas, on both ledgers."""
    caller = await open_caller(world.bureau)
    yield caller
    await caller.client.close()


@pytest.fixture
async def commission(world: TwoLedgers) -> AsyncIterator[Caller]:
    """The other side, on the shared ledger alone."""
    caller = await open_caller(world.commission)
    yield caller
    await caller.client.close()


@pytest.fixture
def key() -> HolderKey:
    return HolderKey.generate()
