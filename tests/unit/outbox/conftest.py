from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.outbox.outbox import Outbox
from tests.engines import NewDatabase
from tests.unit.rest.ledger_world import Agency, FakeLedger


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def bureau(
    ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> AsyncIterator[Agency]:
    agency = Agency(ledger, tmp_path, 2, urls=database_urls)
    yield agency
    agency.services.close()


@pytest.fixture
def outbox(bureau: Agency) -> Outbox:
    return bureau.services.outbox
