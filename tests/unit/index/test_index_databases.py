"""Grouped writes: durable, apart from each other, safe across processes."""

import asyncio
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    create_engine,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from api import databases
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


async def test_database_errors_of_every_kind_keep_values_to_themselves(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value of the wrong type, and one that is taken: their text is what a log would show."""

    def fail(connection: Connection) -> None:
        connection.execute(insert(COUNTER).values(id=1, value="名字 secret"))

    with pytest.raises(IntegrityError) as failed:
        await database.write(fail)
    assert "UNIQUE" in str(failed.value)
    assert "secret" not in "".join(traceback.format_exception_only(failed.value))
    options: list[dict[str, Any]] = []

    def note(_url: URL, **given: Any) -> Any:
        options.append(given)
        return sqlite

    sqlite = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    monkeypatch.setattr(databases, "create_engine", note)
    open_database("postgresql://atesta@localhost/api", METADATA).close()
    assert [given["hide_parameters"] for given in options] == [True]


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
