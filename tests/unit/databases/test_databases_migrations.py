"""Tables brought from any earlier version to this one, on both engines, with every row."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    Connection,
    MetaData,
    Row,
    Table,
    delete,
    insert,
    inspect,
    select,
)

# Every module with tables of its own is imported behind this one.
from api.databases import Database, open_database
from api.migrations.migrating import (
    DatabaseNewer,
    Migrations,
)
from tests.unit.databases.lineages import (
    OUTBOX,
    VAULT,
    Lineage,
    fill_first_version,
    open_migrated,
    run_on,
)


@pytest.fixture(params=[VAULT, OUTBOX], ids=["vault", "outbox"])
def lineage(request: pytest.FixtureRequest) -> Lineage:
    given: Lineage = request.param
    return given


def read_row(table: Table) -> Callable[[Connection], Row[Any]]:
    return lambda connection: connection.execute(select(table)).one()


def test_migrations_keep_every_row_of_the_first_version(
    database_url: str, lineage: Lineage
) -> None:
    fill_first_version(database_url, lineage)
    database = open_migrated(database_url, lineage)
    for name, given in lineage.rows.items():
        row = database.read_now(read_row(lineage.metadata.tables[name]))
        expected = {**given, **lineage.found.get(name, {})}
        assert {key: row._mapping[key] for key in expected} == expected, name
    database.close()


def test_migrations_lead_to_the_tables_of_the_code(database_url: str, lineage: Lineage) -> None:
    """A table that was changed without a step would be missed only by those who upgrade."""
    open_migrated(database_url, lineage).close()

    def compare(connection: Connection) -> Any:
        options = {
            "version_table": lineage.migrations.version_table,
            "compare_type": True,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, lineage.metadata)

    assert run_on(database_url, compare) == []


def test_migrations_take_over_a_database_from_before_them(
    database_url: str, lineage: Lineage
) -> None:
    """Its tables were made without a version, and some came later than others."""
    fill_first_version(database_url, lineage)
    version = lineage.migrations.version_table
    last = list(lineage.rows)[-1]
    run_on(database_url, lambda c: c.exec_driver_sql(f"DROP TABLE {version}"))
    run_on(database_url, lambda c: c.exec_driver_sql(f"DROP TABLE {last}"))
    database = open_migrated(database_url, lineage)
    first = next(iter(lineage.rows))
    assert database.read_now(lambda c: len(c.execute(select(lineage.metadata.tables[first])).all()))
    assert not database.read_now(
        lambda c: len(c.execute(select(lineage.metadata.tables[last])).all())
    )
    database.close()


def test_migrations_refuse_a_database_that_is_newer(database_url: str, lineage: Lineage) -> None:
    open_migrated(database_url, lineage).close()
    version = lineage.migrations.version_table
    run_on(database_url, lambda c: c.exec_driver_sql(f"UPDATE {version} SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer, match="newer version") as refused:
        open_migrated(database_url, lineage)
    assert refused.value.code == "database_newer"
    assert "restore the backup" in str(refused.value.next_step)
    number = run_on(
        database_url, lambda c: c.exec_driver_sql(f"SELECT version_num FROM {version}").scalar()
    )
    assert number == "9999"


def test_process_of_an_older_version_writes_nothing_into_newer_tables(
    database_url: str, lineage: Lineage
) -> None:
    database = open_migrated(database_url, lineage)
    table = lineage.metadata.tables[next(iter(lineage.rows))]
    stored = lineage.rows[table.name]
    database.write_now(lambda c: c.execute(insert(table).values(stored)))
    version = lineage.migrations.version_table
    run_on(database_url, lambda c: c.exec_driver_sql(f"UPDATE {version} SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer) as refused:
        database.write_now(lambda c: c.execute(delete(table)))
    assert refused.value.next_step is not None
    assert database.read_now(lambda c: len(c.execute(select(table)).all())) == 1
    database.close()


def test_migrations_run_once_however_many_open(database_url: str, lineage: Lineage) -> None:
    barrier, opened, failures = threading.Barrier(4), [], []

    def start() -> None:
        barrier.wait(timeout=60)
        try:
            opened.append(open_migrated(database_url, lineage))
        except BaseException as error:  # noqa: BLE001 - counted below
            failures.append(error)

    with structlog.testing.capture_logs() as logs:
        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for database in opened:
        database.close()
    assert failures == []
    assert [entry["before"] for entry in logs if entry["event"] == "database migrated"] == [None]


def write_step(folder: Path, number: int, body: str) -> None:
    before = None if number == 1 else f"{number - 1:04}"
    (folder / f"{number:04}_step.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = '{number:04}'\ndown_revision = {before!r}\n"
        f"def upgrade():\n    {body}\n"
    )


FIRST_STEP = (
    "op.create_table('people', sa.Column('id', sa.Integer, primary_key=True), "
    "sa.Column('name', sa.Text)); "
    "op.create_table('cards', sa.Column('id', sa.Integer, primary_key=True), "
    "sa.Column('person', sa.Integer, sa.ForeignKey('people.id')))"
)
"""Two tables, one of which names the other."""


@pytest.fixture
def own(tmp_path: Path) -> Migrations:
    folder = tmp_path / "versions"
    folder.mkdir()
    write_step(folder, 1, FIRST_STEP)
    return Migrations(name="people", folder=folder)


def open_own(url: str, own: Migrations) -> Database:
    fresh = Migrations(name=own.name, folder=own.folder)
    return open_database(url, MetaData(), migrations=fresh, name="people")


def test_migration_that_fails_leaves_the_version_of_before(
    database_url: str, own: Migrations
) -> None:
    open_own(database_url, own).close()
    write_step(own.folder, 2, "op.add_column('people', sa.Column('age', sa.Integer))")
    write_step(own.folder, 3, "raise RuntimeError('half way')")
    with pytest.raises(RuntimeError, match="half way"):
        open_own(database_url, own)
    columns = run_on(database_url, lambda c: inspect(c).get_columns("people"))
    assert [column["name"] for column in columns] == ["id", "name"]
    write_step(own.folder, 3, "op.add_column('people', sa.Column('size', sa.Integer))")
    open_own(database_url, own).close()
    columns = run_on(database_url, lambda c: inspect(c).get_columns("people"))
    assert [column["name"] for column in columns] == ["id", "name", "age", "size"]


def test_migration_may_make_a_table_anew_that_others_name(
    database_url: str, own: Migrations
) -> None:
    database = open_own(database_url, own)
    database.write_now(lambda c: c.exec_driver_sql("INSERT INTO people VALUES (1, 'Lei Ka Man')"))
    database.write_now(lambda c: c.exec_driver_sql("INSERT INTO cards VALUES (1, 1)"))
    database.close()
    write_step(
        own.folder,
        2,
        "exec(\"with op.batch_alter_table('people', recreate='auto') as people:\\n"
        " people.alter_column('name', nullable=False, existing_type=sa.Text)\")",
    )
    database = open_own(database_url, own)
    names = database.read_now(
        lambda c: c.exec_driver_sql(
            "SELECT people.name FROM cards JOIN people ON people.id = cards.person"
        ).all()
    )
    assert [row.name for row in names] == ["Lei Ka Man"]
    with pytest.raises(Exception, match=r"(?i)foreign"):
        database.write_now(lambda c: c.exec_driver_sql("INSERT INTO cards VALUES (2, 7)"))
    database.close()
