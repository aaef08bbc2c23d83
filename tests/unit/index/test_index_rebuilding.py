"""Rebuilding the index by one command: with progress, beside a serving API or alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from typer.testing import CliRunner

from api.errors import UpstreamFault
from api.index import index as following
from api.index.index import IndexMismatch
from api.index.rebuilding import rebuild
from api.index.tables import METADATA, SCHEMAS
from api.index.trouble import get_trouble
from api.leadership import Leadership
from contracts.addresses import SCHEMAS as SCHEMAS_CONTRACT
from contracts.addresses import SCHEMAS_NAME
from node.cli.app import app
from tests.engines import MOSTLY_SQLITE, NewDatabase
from tests.unit.outbox.test_outbox_kill import serve_ledger
from tests.unit.rest.ledger_world import START_S, Agency, FakeLedger

UIDS = [bytes([number]) * 32 for number in range(1, 4)]


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger()
    for uid in UIDS:
        ledger.act(
            2, SCHEMAS_CONTRACT, SCHEMAS_NAME, "register", uid, uid, uid, 1, START_S, bytes(32)
        )
    ledger.mine(40)
    return ledger


@pytest.fixture
async def agency(
    ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> AsyncIterator[Agency]:
    agency = Agency(ledger, tmp_path, 2, urls=database_urls)
    yield agency
    agency.services.close()


def dump(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: sorted(tuple(row) for row in connection.execute(select(table)))
        for table in METADATA.sorted_tables
    }


def spoil(connection: Connection) -> None:
    connection.execute(update(SCHEMAS).values(leaf_count=999))


async def run_rebuild(agency: Agency) -> tuple[int, list[tuple[int, int]]]:
    """Rebuild as the command does, from a process of its own as it were."""
    seen: list[tuple[int, int]] = []
    services = agency.services
    height = await rebuild(
        services.index,
        ledger=services.ledger,
        lead=Leadership(services.index.database, "index"),
        progress=lambda done, total: seen.append((done, total)),
    )
    return height, seen


@pytest.mark.parametrize("is_served", [False, True])
async def test_index_rebuilt_says_what_the_chain_says(
    agency: Agency,
    ledger: FakeLedger,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database_urls: NewDatabase,
    *,
    is_served: bool,
) -> None:
    monkeypatch.setattr(following, "STRETCH", 10)
    index = agency.services.index
    await index.catch_up()
    right = await index.database.read(dump)
    await index.database.write(spoil)
    command = Agency(ledger, tmp_path, 2, urls=database_urls)
    if is_served:
        async with agency.services.run():
            height, seen = await run_rebuild(command)
            assert agency.services.index_lead.is_leader
    else:
        height, seen = await run_rebuild(command)
    command.services.close()
    assert height == len(ledger.blocks) - 1
    assert seen[-1] == (height + 1, height + 1)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert await index.database.read(dump) == right
    assert [row[0] for row in right["schemas"]] == UIDS


@MOSTLY_SQLITE
async def test_index_rebuilt_goes_on_when_the_leader_ends_half_way(
    agency: Agency, ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> None:
    leader = Leadership(agency.services.index.database, "index")
    held = asyncio.Event()
    command = Agency(ledger, tmp_path, 2, urls=database_urls)

    async with asyncio.timeout(60):
        # A leader that does nothing: the command waits for it until it ends.
        async with leader.run(agency.services.index.watch):
            while not leader.is_leader:
                await asyncio.sleep(0.01)
            waiting = asyncio.create_task(run_rebuild(command))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            held.set()
        height, _ = await waiting
    command.services.close()
    assert (height, held.is_set()) == (len(ledger.blocks) - 1, True)


async def test_index_rebuild_ends_with_the_reason_why_it_cannot(
    agency: Agency, ledger: FakeLedger
) -> None:
    ledger.blocks[7].parent_hash = bytes(32)
    with pytest.raises(IndexMismatch, match="block 7 does not follow"):
        await run_rebuild(agency)
    assert await agency.services.index.database.read(get_trouble) is not None
    ledger.is_down = True
    with pytest.raises(UpstreamFault, match="does not answer"):
        await run_rebuild(agency)


@MOSTLY_SQLITE
async def test_index_command_rebuilds_and_tells_the_height(
    ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> None:
    agency = Agency(ledger, tmp_path, 2, urls=database_urls)
    await agency.services.index.catch_up()
    await agency.services.index.database.write(spoil)
    config = tmp_path / "node.toml"
    config.write_text(f'[api]\nindex_url = "{database_urls("index")}"\n')

    async def invoke(*more: str) -> Any:
        words = ["index", "rebuild", "--config", str(config), *more]
        return await asyncio.to_thread(CliRunner().invoke, app, words)

    async with serve_ledger(ledger) as url:
        done = await invoke("--rpc-url", url)
    assert done.exit_code == 0, done.output
    assert "The index has all blocks up to" in done.output
    rows = await agency.services.index.database.read(dump)
    assert {row[SCHEMAS.c.keys().index("leaf_count")] for row in rows["schemas"]} == {1}
    agency.services.close()
    failed = await invoke("--rpc-url", "http://127.0.0.1:9")
    assert failed.exit_code != 0
