from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

POINTERS = ["/certificate", "/name", "/birth_date", "/result", "/cnf"]
SCHEMA = "0x" + "5c" * 32


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def laboratory(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """The issuer: it attests, but owns no schema."""
    agency = Agency(ledger, tmp_path / "laboratory", 1)
    caller = await open_caller(agency)
    yield caller
    await caller.client.close()
    agency.services.close()


@pytest.fixture
async def bureau(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """The owner of the schema."""
    agency = Agency(ledger, tmp_path / "bureau", 2)
    caller = await open_caller(agency)
    yield caller
    await caller.client.close()
    agency.services.close()


@pytest.fixture
async def commission(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Caller]:
    """The other side: it verifies."""
    agency = Agency(ledger, tmp_path / "commission", 3)
    caller = await open_caller(agency)
    yield caller
    await caller.client.close()
    agency.services.close()


@pytest.fixture
async def schema(bureau: Caller, laboratory: Caller) -> str:
    """A schema of the bureau under which the laboratory may attest; both hold its text."""
    text = {"title": "Test result", "pointers": POINTERS, "reference": ["/certificate"]}
    await bureau.post("/schemas", {"uid": SCHEMA, **text})
    await bureau.agency.settle()
    issuer = await laboratory.agency.get_id()
    await bureau.post(f"/schemas/{SCHEMA}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    await laboratory.agency.services.index.catch_up()
    await laboratory.put(f"/schemas/{SCHEMA}/text", text)
    return SCHEMA
