"""Grouped writes: durable, apart from each other, safe across processes."""

import asyncio
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from api.databases import Database, open_database
from api.errors import UpstreamFault

METADATA = MetaData()
COUNTER = Table(
    "counter", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer)
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, METADATA)
    database.write_now(lambda c: c.execute(insert(COUNTER).values(id=1, value=0)))
    yield database
    database.close()


def increment(connection: Connection) -> int:
    value = connection.execute(select(COUNTER.c.value)).scalar_one()
    connection.execute(update(COUNTER).values(value=value + 1))
    return int(value)


async def test_database_writes_are_serial_across_handles(
    database: Database, database_url: str
) -> None:
    other = open_database(database_url, METADATA)
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


@pytest.mark.parametrize(
    ("value", "said"), [(1, "(?i)unique"), ("名字 secret", "(?i)unique|InvalidTextRepresentation")]
)
async def test_database_errors_of_every_kind_keep_values_to_themselves(
    database: Database, value: object, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A value that is taken, and one of the wrong type: their text is what a log would show."""

    def fail(connection: Connection) -> None:
        statement = text("INSERT INTO counter (id, value) VALUES (1, :value)")
        connection.execute(statement, {"value": value})

    with pytest.raises(DBAPIError, match=said) as failed:
        await database.write(fail)
    shown = "".join(traceback.format_exception(failed.value)) + caplog.text
    assert "secret" not in shown
    assert "=(1)" not in shown


def test_database_hides_what_a_server_says_of_a_value(database_url: str) -> None:
    """PostgreSQL repeats the row that it refuses; none of it may reach a log."""
    metadata = MetaData()
    people = Table("people", metadata, Column("name", String(3), primary_key=True))
    database = open_database(database_url, metadata)
    is_postgresql = database_url.startswith("postgresql")
    database.write_now(lambda c: c.execute(insert(people).values(name="鄭家明")))
    refused = [{"name": "鄭家明"}, *([{"name": "secret of 鄭家明"}] if is_postgresql else [])]
    for row in refused:
        with pytest.raises(DBAPIError) as failed:
            database.write_now(partial(_insert, people, row))
        shown = "".join(traceback.format_exception(failed.value))
        assert "鄭家明" not in shown
        assert "secret" not in shown
    database.close()


def _insert(table: Table, row: dict[str, str], connection: Connection) -> None:
    connection.execute(insert(table).values(**row))


async def test_database_closed_takes_no_more(database: Database, database_url: str) -> None:
    writes = [asyncio.create_task(database.write(increment)) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    await asyncio.gather(*writes)
    with pytest.raises(UpstreamFault):
        await database.write(increment)
    again = open_database(database_url, METADATA)
    assert again.read_now(lambda c: c.execute(select(func.sum(COUNTER.c.value))).scalar_one()) == 20
    again.close()


def test_database_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(UpstreamFault):
        open_database(tmp_path / "folder.sqlite", METADATA)
