"""Several processes on one index: one follows, all know when it stops, a replica answers."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import create_engine

from api.databases import open_database
from api.errors import UpstreamFault
from api.index import tables
from api.index.index import Index, IndexMismatch
from contracts.addresses import SCHEMAS, SCHEMAS_NAME
from scripts.postgresql.server import PostgresMissing, PostgresServer, make_postgres
from tests.engines import MOSTLY_SQLITE, NewDatabase
from tests.unit.outbox.test_outbox_kill import run_server, serve_ledger
from tests.unit.rest.ledger_world import START_S, Agency, FakeLedger, open_caller

PATIENCE_S = 120


async def wait_until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.02)


@pytest.fixture
async def agencies(
    tmp_path: Path, database_urls: NewDatabase
) -> AsyncIterator[tuple[Agency, Agency]]:
    """Two API processes of one agency, as it were."""
    ledger = FakeLedger()
    both = [Agency(ledger, tmp_path, 2, urls=database_urls) for _ in range(2)]
    yield both[0], both[1]
    for agency in both:
        agency.services.close()


async def test_index_of_several_processes_is_followed_by_one(
    agencies: tuple[Agency, Agency],
) -> None:
    one, two = (agency.services for agency in agencies)
    ledger = agencies[0].ledger
    async with one.run(), two.run():
        await wait_until(lambda: one.index_lead.is_leader or two.index_lead.is_leader)
        ledger.mine(5)
        assert await two.index.wait_for(5, PATIENCE_S)
        assert await one.index.wait_for(5, PATIENCE_S)
        assert [one.index_lead.is_leader, two.index_lead.is_leader].count(True) == 1
        assert [one.webhook_lead.is_leader, two.webhook_lead.is_leader].count(True) == 1


async def test_index_that_stops_says_so_in_every_process_and_surface(
    agencies: tuple[Agency, Agency],
) -> None:
    leader, reader = agencies
    ledger = leader.ledger
    await leader.services.index.catch_up()
    caller = await open_caller(reader)
    async with leader.services.index.run(), reader.services.index.watch():
        ledger.mine()
        ledger.blocks[-1].parent_hash = bytes(32)
        await wait_until(lambda: reader.services.index.mismatch is not None)
        answer = await caller.get("/schemas", status=503)
        assert answer["code"] == "index_mismatch"
        assert answer["detail"] == "block 1 does not follow the block before it"
        assert "rebuilds the index" in answer["next_step"]
        ledger.blocks.pop()
        await wait_until(lambda: reader.services.index.mismatch is None)
        await caller.get("/schemas")
        ledger.mine()
        ledger.blocks[-1].parent_hash = bytes(32)
        await wait_until(lambda: reader.services.index.mismatch is not None)
        ledger.blocks.pop()
        await reader.services.index.clear()
        await wait_until(lambda: leader.services.index.mismatch is None)
        assert await reader.services.index.wait_for(0, PATIENCE_S)
    await caller.client.close()


async def test_index_lead_is_found_again_by_the_next_who_starts(
    agencies: tuple[Agency, Agency],
) -> None:
    """A note that a leader left stands until the next one has looked for itself."""
    first, second = agencies
    ledger = first.ledger
    await first.services.index.catch_up()
    ledger.mine()
    ledger.blocks[-1].parent_hash = bytes(32)
    async with first.services.index.run():
        await wait_until(lambda: first.services.index.mismatch is not None)
    async with second.services.index.watch():
        await wait_until(lambda: second.services.index.mismatch is not None)
        with pytest.raises(IndexMismatch):
            await second.services.index.read(lambda _: None)
        ledger.blocks.pop()
        async with second.services.index.run():
            await wait_until(lambda: second.services.index.mismatch is None)


@pytest.mark.processes
@MOSTLY_SQLITE
async def test_index_goes_on_when_the_process_that_follows_is_killed(
    tmp_path: Path, database_urls: NewDatabase
) -> None:
    ledger = FakeLedger()
    ledger.now_s = ledger.state.timestamp = int(time.time()) - 10
    now_s = ledger.now_s

    def register(uid: bytes) -> None:
        ledger.act(2, SCHEMAS, SCHEMAS_NAME, "register", uid, uid, uid, 1, now_s, bytes(32))

    async def list_schemas(url: str) -> set[str]:
        async with session.get(f"{url}/v1/schemas") as response:
            return {item["uid"] for item in (await response.json())["items"]}

    async def await_schema(url: str, uid: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while "0x" + uid.hex() not in await list_schemas(url):
                await asyncio.sleep(0.1)

    first, second = os.urandom(32), os.urandom(32)
    async with (
        serve_ledger(ledger) as ledger_url,
        aiohttp.ClientSession() as session,
        contextlib.AsyncExitStack() as stack,
    ):
        leader_url, leader_pid = await stack.enter_async_context(
            run_server(ledger_url, tmp_path, urls=database_urls)
        )
        register(first)
        await await_schema(leader_url, first)
        other_url, _ = await stack.enter_async_context(
            run_server(ledger_url, tmp_path, urls=database_urls)
        )
        await await_schema(other_url, first)
        os.kill(leader_pid, signal.SIGKILL)
        register(second)
        await await_schema(other_url, second)


@pytest.fixture
def replicated() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A server and its replica, which is not running yet."""
    with contextlib.ExitStack() as stack:
        try:
            primary = stack.enter_context(make_postgres(settings=("fsync=off",)))
            replica = stack.enter_context(make_postgres(settings=("fsync=off",)))
        except PostgresMissing as error:
            pytest.skip(str(error))
        primary.initialise()
        primary.start()
        yield primary, replica


@pytest.mark.processes
async def test_index_answers_from_a_replica_up_to_the_block_that_it_has(
    replicated: tuple[PostgresServer, PostgresServer], tmp_path: Path
) -> None:
    primary, replica = replicated
    ledger = FakeLedger()
    address = primary.create_database("index")
    open_database(address, tables.METADATA, name="index").close()
    agency = Agency(
        ledger,
        tmp_path,
        2,
        urls=lambda name: address if name == "index" else f"sqlite:///{tmp_path / name}.sqlite",
        replica=replica.build_url("index"),
    )
    index = agency.services.index
    with pytest.raises(UpstreamFault, match="database failed"):
        await index.get_block()
    replica.copy_from(primary)
    replica.start()
    async with agency.services.run():
        ledger.mine(3)
        index.notify()
        assert await index.wait_for(3, PATIENCE_S)
        tell(replica, "SELECT pg_wal_replay_pause()")
        uid = os.urandom(32)
        ledger.act(2, SCHEMAS, SCHEMAS_NAME, "register", uid, uid, uid, 1, START_S, bytes(32))
        index.notify()
        assert not await index.wait_for(4, 1.0)
        caller = await open_caller(agency)
        answer = await caller.get("/schemas")
        assert (answer["items"], answer["indexed_block"]) == ([], 3)
        tell(replica, "SELECT pg_wal_replay_resume()")
        assert await index.wait_for(4, PATIENCE_S)
        answer = await caller.get("/schemas")
        assert ([item["uid"] for item in answer["items"]], answer["indexed_block"]) == (
            ["0x" + uid.hex()],
            4,
        )
        await caller.client.close()
    agency.services.close()


def tell(server: PostgresServer, statement: str) -> None:
    engine = create_engine(server.build_url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


async def test_index_with_the_replica_of_another_index_is_not_believed(
    tmp_path: Path, database_urls: NewDatabase
) -> None:
    stranger = FakeLedger()
    stranger.blocks[0].hash = bytes([1]) * 32
    folder = tmp_path / "other"
    folder.mkdir()
    # Files on either engine: whose index it is, not where it is kept, is what matters.
    other = Agency(stranger, folder, 2, urls=lambda name: f"sqlite:///{folder / name}.sqlite")
    await other.services.index.catch_up()
    other.services.close()
    agency = Agency(
        FakeLedger(),
        tmp_path,
        2,
        urls=database_urls,
        replica=f"sqlite:///{folder / 'index.sqlite'}",
    )
    index: Index = agency.services.index
    await index.catch_up()
    async with index.watch():
        await wait_until(lambda: index.mismatch is not None)
        with pytest.raises(IndexMismatch, match="replica is of another index"):
            await index.read(lambda _: None)
    agency.services.close()
