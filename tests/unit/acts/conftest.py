from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.acts.exchange_world import Law, make_law, record_consent
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

NUMBERS = {"laboratory": 1, "bureau": 2, "commission": 3, "supervisor": 4}
"""Their places in the development ledger, by which they have their published keys."""


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def laboratory(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """Of Macao; it describes nothing, and asks the bureau for data."""
    async for caller in open_agency(ledger, tmp_path, "laboratory"):
        yield caller


@pytest.fixture
async def bureau(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """Of Macao; it owns datasets and provides data."""
    async for caller in open_agency(ledger, tmp_path, "bureau"):
        yield caller


@pytest.fixture
async def commission(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """Of Guangdong, the other side."""
    async for caller in open_agency(ledger, tmp_path, "commission"):
        yield caller


@pytest.fixture
async def supervisor(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """The data-protection authority."""
    async for caller in open_agency(ledger, tmp_path, "supervisor"):
        yield caller


@pytest.fixture
async def law(bureau: Caller, laboratory: Caller, supervisor: Caller) -> Law:
    """What the bureau gives to the laboratory, on consent."""
    return await make_law(bureau, supervisor, laboratory)


@pytest.fixture
async def consent(laboratory: Caller, law: Law) -> str:
    """The consent that the laboratory recorded; it hands its envelope on inside the request."""
    return str((await record_consent(laboratory, law))["uid"])


async def open_agency(ledger: FakeLedger, folder: Path, name: str) -> AsyncIterator[Caller]:
    agency = Agency(ledger, folder / name, NUMBERS[name])
    caller = await open_caller(agency)
    yield caller
    await caller.client.close()
    agency.services.close()
