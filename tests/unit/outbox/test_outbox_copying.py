"""An outbox that moves to another database goes on there; a copy is whole or not there."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, inspect, select

from api.databases import Database, open_database
from api.errors import InvalidField
from api.leadership import Leadership
from api.migrations.migrating import OUTBOX_MIGRATIONS
from api.outbox import copying
from api.outbox.all_tables import OUTBOX_METADATA
from api.outbox.copying import copy_outbox
from api.outbox.tables import LEADING, OPERATIONS
from tests.engines import NewDatabase
from tests.unit.databases.lineages import OUTBOX


def open_outbox(place: Path | str) -> Database:
    return open_database(place, OUTBOX_METADATA, migrations=OUTBOX_MIGRATIONS, name="outbox")


def fill(place: Path | str) -> None:
    """Put one row into each table that the tests of migrations know."""
    database = open_outbox(place)

    def write(connection: Connection) -> None:
        for name, row in OUTBOX.rows.items():
            connection.execute(OUTBOX_METADATA.tables[name].insert().values(**row))

    database.write_now(write)
    database.close()


def read_all(place: Path | str) -> dict[str, list[Any]]:
    database = open_outbox(place)

    def read(connection: Connection) -> dict[str, list[Any]]:
        return {table.name: read_rows(connection, table) for table in OUTBOX_METADATA.sorted_tables}

    found = database.read_now(read)
    database.close()
    return found


def read_rows(connection: Connection, table: Table) -> list[Any]:
    return [tuple(row) for row in connection.execute(select(table))]


def test_outbox_has_no_table_that_a_copy_would_leave_out(tmp_path: Path) -> None:
    database = open_outbox(tmp_path / "outbox.sqlite")
    made = database.read_now(lambda connection: set(inspect(connection).get_table_names()))
    database.close()
    assert made - {OUTBOX_MIGRATIONS.version_table} == set(OUTBOX_METADATA.tables)


def test_outbox_moves_to_another_database_and_back(
    database_urls: NewDatabase, tmp_path: Path
) -> None:
    before, between, after = tmp_path / "old.sqlite", database_urls("outbox"), tmp_path
    fill(before)
    told: list[tuple[int, int]] = []
    rows = sum(len(found) for found in read_all(before).values())
    copied = copy_outbox(before, between, progress=lambda done, of: told.append((done, of)))
    assert copied.rows == rows >= len(OUTBOX.rows)
    assert not copied.is_served
    assert told[-1] == (rows, rows)
    copy_outbox(between, after / "back.sqlite")
    assert read_all(before) == read_all(between) == read_all(after / "back.sqlite")


def test_outbox_that_moved_numbers_its_next_operation_above_all_others(
    database_urls: NewDatabase, tmp_path: Path
) -> None:
    fill(tmp_path / "old.sqlite")
    copy_outbox(tmp_path / "old.sqlite", database_urls("outbox"))
    row = OUTBOX.rows["operations"] | {
        "id": "op-2",
        "idempotency_key": "key-2",
        "claim": None,
        "nonce": 8,
        "transaction_hash": bytes(32),
    }
    del row["sequence"]
    database = open_outbox(database_urls("outbox"))
    database.write_now(lambda connection: connection.execute(OPERATIONS.insert().values(**row)))
    numbers = select(OPERATIONS.c.sequence).order_by(OPERATIONS.c.sequence)
    found = database.read_now(lambda connection: list(connection.execute(numbers).scalars()))
    database.close()
    assert found == [1, 2]


def test_outbox_is_not_copied_over_another(tmp_path: Path) -> None:
    places = [tmp_path / "one.sqlite", tmp_path / "two.sqlite"]
    for place in places:
        fill(place)
    before = read_all(places[1])
    with pytest.raises(InvalidField) as caught:
        copy_outbox(*places)
    assert caught.value.field == "target"
    assert read_all(places[1]) == before


def test_outbox_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "data" / "outbox.sqlite"
    for source in (missing, f"sqlite:///{missing}"):
        with pytest.raises(InvalidField, match="no outbox"):
            copy_outbox(source, tmp_path / "copy.sqlite")
    assert not missing.exists()
    assert not (tmp_path / "copy.sqlite").exists()


def test_outbox_copy_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "outbox.sqlite")

    def fail(*_given: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(copying, "continue_row_numbers", fail)
        with pytest.raises(OSError):  # noqa: PT011 - made by the test
            copy_outbox(tmp_path / "outbox.sqlite", tmp_path / "copy.sqlite")
    assert not any(read_all(tmp_path / "copy.sqlite").values())
    copy_outbox(tmp_path / "outbox.sqlite", tmp_path / "copy.sqlite")


def test_outbox_in_use_is_copied_only_as_a_backup(
    database_urls: NewDatabase, tmp_path: Path
) -> None:
    fill(database_urls("outbox"))
    served = open_outbox(database_urls("outbox"))
    leadership = Leadership(served, LEADING)
    assert leadership._lock.hold()
    with pytest.raises(InvalidField, match="serves from it") as caught:
        copy_outbox(database_urls("outbox"), tmp_path / "copy.sqlite")
    assert "--live" in str(caught.value.next_step)
    copied = copy_outbox(database_urls("outbox"), tmp_path / "copy.sqlite", is_live=True)
    assert copied.is_served
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o077 == 0
    leadership._lock.release()
    served.close()
    assert read_all(tmp_path / "copy.sqlite") == read_all(database_urls("outbox"))
