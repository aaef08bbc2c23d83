"""Grouped writes: durable, apart from each other, safe across processes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, insert, select, update

from api.databases import Database, open_database
from api.errors import UpstreamFault

METADATA = MetaData()
COUNTER = Table(
    "counter", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer)
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "test.sqlite", METADATA)
    database.write_now(lambda c: c.execute(insert(COUNTER).values(id=1, value=0)))
    yield database
    database.close()


def increment(connection: Connection) -> int:
    value = connection.execute(select(COUNTER.c.value)).scalar_one()
    connection.execute(update(COUNTER).values(value=value + 1))
    return int(value)


async def test_database_writes_are_serial_across_handles(
    database: Database, tmp_path: Path
) -> None:
    other = open_database(tmp_path / "test.sqlite", METADATA)
    values = await asyncio.gather(
        *((database if number % 2 else other).write(increment) for number in range(100))
    )
    assert sorted(values) == list(range(100))
    other.close()


async def test_database_write_that_fails_takes_nothing_with_it(database: Database) -> None:
    def fail(connection: Connection) -> None:
        increment(connection)
        raise KeyError("ours")

    outcomes = await asyncio.gather(
        *(database.write(fail if number % 3 == 0 else increment) for number in range(30)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, KeyError) for outcome in outcomes) == 10
    assert await database.read(lambda c: c.execute(select(COUNTER.c.value)).scalar_one()) == 20


async def test_database_that_fails_says_so_without_values(database: Database) -> None:
    with pytest.raises(UpstreamFault) as failed:
        await database.write(lambda c: c.exec_driver_sql("INSERT INTO missing VALUES ('secret')"))
    assert failed.value.code == "database_failed"
    assert "secret" not in failed.value.reason
    assert await database.write(increment) == 0


async def test_database_closed_takes_no_more(database: Database, tmp_path: Path) -> None:
    writes = [asyncio.create_task(database.write(increment)) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    await asyncio.gather(*writes)
    with pytest.raises(UpstreamFault):
        await database.write(increment)
    again = open_database(tmp_path / "test.sqlite", METADATA)
    assert again.read_now(lambda c: c.execute(select(func.sum(COUNTER.c.value))).scalar_one()) == 20
    again.close()


def test_database_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(UpstreamFault):
        open_database(tmp_path / "folder.sqlite", METADATA)
