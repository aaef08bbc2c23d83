"""The index: what the chain says, whole steps only, and a stop where it does not fit."""

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from api.errors import LimitExceeded, as_rpc_error
from api.index import queries
from api.index.index import STRETCH, Index, IndexMismatch
from api.index.tables import METADATA
from api.records import Records
from api.web3_provider import RpcRefusal
from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, SCHEMAS, SCHEMAS_NAME
from contracts.labels import encode_label
from tests.engines import NewDatabase
from tests.unit.rest.ledger_world import START_S, Agency, FakeLedger

SCHEMA = bytes([0x5C]) * 32
LABORATORY = encode_label("mo-health-laboratory")
NO_UID = bytes(32)


def prepare(ledger: FakeLedger) -> None:
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "register", SCHEMA, SCHEMA, SCHEMA, 3, START_S, NO_UID)
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "accredit", SCHEMA, LABORATORY, START_S)


def attest(ledger: FakeLedger, previous: bytes = NO_UID) -> bytes:
    uid = os.urandom(32)
    outcome = ledger.act(
        1, ATTESTATIONS, ATTESTATIONS_NAME, "attest", uid, SCHEMA, uid, 1, 0, START_S, previous
    )
    assert outcome.succeeded, outcome.reason
    return uid


def set_state(ledger: FakeLedger, uid: bytes, state: int) -> bool:
    return ledger.act(
        1, ATTESTATIONS, ATTESTATIONS_NAME, "set_state", uid, state, 1, START_S
    ).succeeded


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger()
    prepare(ledger)
    return ledger


@pytest.fixture
async def agency(
    ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> AsyncIterator[Agency]:
    agency = Agency(ledger, tmp_path, 2, urls=database_urls)
    yield agency
    agency.services.close()


@pytest.fixture
def index(agency: Agency) -> Index:
    return agency.services.index


def dump(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: sorted(tuple(row) for row in connection.execute(select(table)))
        for table in METADATA.sorted_tables
    }


async def test_index_agrees_with_the_contracts_after_any_history(tmp_path: Path) -> None:
    @given(
        st.lists(
            st.tuples(st.sampled_from(["attest", "supersede", "state"]), st.integers(0, 99)),
            max_size=12,
        )
    )
    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    def check(history: list[tuple[str, int]]) -> None:
        ledger = FakeLedger()
        prepare(ledger)
        uids: list[bytes] = []
        for kind, number in history:
            if kind == "attest" or not uids:
                uids.append(attest(ledger))
            elif kind == "supersede" and set_state(ledger, uids[number % len(uids)], 2):
                uids.append(attest(ledger, uids[number % len(uids)]))
            else:
                set_state(ledger, uids[number % len(uids)], 1 + number % 3)
        asyncio.run(compare(ledger, uids))

    async def compare(ledger: FakeLedger, uids: list[bytes]) -> None:
        folder = tmp_path / os.urandom(4).hex()
        agency = Agency(ledger, folder, 2)
        block = await agency.services.index.catch_up()
        records = Records(agency.services.ledger)
        for uid in uids:
            record = await records.get_attestation(uid, block)
            row = await agency.services.index.database.read(
                partial(queries.get_attestation, uid=uid)
            )
            assert record is not None
            assert row is not None
            assert (row.state, row.reason, row.previous, row.successor, row.block) == (
                record.state,
                record.reason,
                record.previous,
                record.successor,
                record.block,
            )
        agency.services.close()

    await asyncio.to_thread(check)


async def test_index_rebuild_gives_the_same_rows(index: Index, ledger: FakeLedger) -> None:
    uids = [attest(ledger) for _ in range(3)]
    set_state(ledger, uids[0], 3)
    await index.catch_up()
    before = await index.database.read(dump)
    assert len(before["attestations"]) == 3
    seen: list[tuple[int, int]] = []
    await index.rebuild(lambda done, total: seen.append((done, total)))
    assert await index.database.read(dump) == before
    total = len(ledger.blocks)
    assert seen == [(total, total)]


async def test_index_advances_in_bounded_steps(index: Index, ledger: FakeLedger) -> None:
    ledger.mine(count=STRETCH + 10)
    assert await index.advance() is True
    assert await index.get_block() == STRETCH - 1
    assert await index.catch_up() == ledger.blocks[-1].number


async def test_index_asks_for_less_where_a_node_gives_less(
    ledger: FakeLedger, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = []
    for _ in range(20):
        uids += [attest(ledger) for _ in range(3)]
        ledger.mine()
    find, most = ledger._eth_getLogs, 4

    def find_few(query: dict[str, Any]) -> list[dict[str, Any]]:
        found = find(query)
        if len(found) > most:
            raise RpcRefusal(as_rpc_error(LimitExceeded(f"one answer holds {most} logs")))
        return found

    monkeypatch.setattr(ledger, "_eth_getLogs", find_few)
    await agency.services.index.catch_up()
    wanted = queries.RecordFilter()
    rows = await agency.services.index.read(
        lambda c: queries.list_attestations(c, queries.Page(limit=500, after=None), wanted)
    )
    assert [bytes(row.uid) for row in reversed(rows)] == uids


async def test_index_steps_of_two_processes_do_not_repeat(
    index: Index, ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> None:
    other = Agency(ledger, tmp_path, 2, urls=database_urls)
    for _ in range(5):
        attest(ledger)
        await asyncio.gather(index.advance(), other.services.index.advance())
    rows = await index.database.read(dump)
    assert len(rows["attestations"]) == 5
    assert len(rows["blocks"]) == len(ledger.blocks)
    other.services.close()


async def test_index_stops_where_the_chain_does_not_fit(
    index: Index, ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> None:
    await index.catch_up()
    before = await index.database.read(dump)
    ledger.mine()
    ledger.blocks[-1].parent_hash = bytes(32)
    with pytest.raises(IndexMismatch, match="does not follow"):
        await index.advance()
    ledger.blocks.pop()
    ledger.blocks[-1].hash = bytes(32)
    with pytest.raises(IndexMismatch, match="another block"):
        await index.advance()
    ledger.blocks.pop()
    with pytest.raises(IndexMismatch, match="ahead"):
        await index.advance()
    assert await index.database.read(dump) == before
    stranger = FakeLedger()
    stranger.blocks[0].hash = bytes([1]) * 32
    agency = Agency(stranger, tmp_path, 2, urls=database_urls)
    with pytest.raises(IndexMismatch, match="another ledger"):
        await agency.services.index.advance()
    agency.services.close()


async def test_index_loop_follows_and_reports_a_mismatch(index: Index, ledger: FakeLedger) -> None:
    async with index.run(), asyncio.timeout(60):
        uid = attest(ledger)
        index.notify()
        while await index.database.read(lambda c: queries.get_attestation(c, uid)) is None:
            await asyncio.sleep(0.01)
        assert index.mismatch is None
        ledger.mine()
        ledger.blocks[-1].parent_hash = bytes(32)
        index.notify()
        while index.mismatch is None:
            await asyncio.sleep(0.01)


async def test_index_waits_while_the_node_is_away(index: Index, ledger: FakeLedger) -> None:
    ledger.is_down = True
    async with index.run(), asyncio.timeout(60):
        await asyncio.sleep(0.05)
        ledger.is_down = False
        index.notify()
        while await index.get_block() < ledger.blocks[-1].number:
            await asyncio.sleep(0.01)


async def test_index_ignores_events_it_does_not_know(index: Index, ledger: FakeLedger) -> None:
    attest(ledger)
    ledger.blocks[-1].logs.append(
        dict(ledger.blocks[-1].logs[0], topics=["0x" + "77" * 32], logIndex="0x9")
    )
    await index.catch_up()
    rows = await index.database.read(dump)
    assert len(rows["attestations"]) == 1
