"""What operators see of the index: readiness, metrics, and an explorer that does not guess."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import update

from api.assembly import ApiParts, RunningApi, serve_ledger
from api.index.tables import CURSOR
from api.rest.opening import RestSettings
from api.settings import ApiSettings
from tests.engines import MOSTLY_SQLITE, NewDatabase
from tests.unit.explorer.real_ledger import RealLedger, open_ledger


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[RealLedger]:
    async with open_ledger(tmp_path) as opened:
        opened.mine()
        yield opened


@pytest.fixture
async def api(
    ledger: RealLedger, tmp_path: Path, database_urls: NewDatabase
) -> AsyncIterator[RunningApi]:
    rest = RestSettings(
        index=database_urls("index"), outbox=database_urls("outbox"), vault=tmp_path / "no.sqlite"
    )
    parts = ApiParts(server=ApiSettings(port=0), rest=rest, connection=ledger.connection)
    async with serve_ledger(parts) as running:
        yield running


@MOSTLY_SQLITE
async def test_index_that_strays_is_seen_by_operators_and_readers(
    api: RunningApi, ledger: RealLedger
) -> None:
    index = api.services.index
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):

        async def get(path: str) -> tuple[int, str]:
            async with http.get(api.url + path) as response:
                return response.status, await response.text()

        assert await index.wait_for(ledger.chain.head.number, 30)
        assert (await get("/ready"))[0] == 200
        _, metrics = await get("/metrics")
        assert f"atesta_index_block {ledger.chain.head.number}" in metrics
        assert "atesta_index_leads 1" in metrics
        await index.database.write(lambda c: c.execute(update(CURSOR).values(hash=bytes(32))))
        while index.mismatch is None:
            await asyncio.sleep(0.02)
        for path in ("/ready", "/v1/schemas", "/explorer/schemas"):
            status, text = await get(path)
            assert status == 503, path
            assert "another block at the index" in text or path.startswith("/explorer"), text
        await index.clear()
        while index.mismatch is not None or await index.get_block() < 0:
            await asyncio.sleep(0.02)
        assert (await get("/ready"))[0] == 200
        assert (await get("/v1/schemas"))[0] == 200
