import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.unit.rest.conformance_checks import SEED
from tests.unit.rest.conformance_world import ConformanceWorld, open_conformance_world
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


@pytest.fixture(scope="module")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConformanceWorld]:
    sys.stdout.write(f"seed {SEED}\n")
    with open_conformance_world(tmp_path_factory.mktemp("conformance")) as opened:
        yield opened


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with closing(requests.Session()) as opened:
        yield opened


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the long requests of schemathesis alone: making their list costs seconds."""
    is_long = collection_path.name == "test_rest_schemathesis_long.py"
    return True if is_long and not config.getoption("--long") else None
