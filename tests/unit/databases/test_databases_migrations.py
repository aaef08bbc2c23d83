"""Tables brought from any earlier version to this one, on both engines, with every row."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
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
    create_engine,
    delete,
    insert,
    inspect,
    select,
)

# Every module with tables of its own is imported behind this one.
from api.databases import Database, open_database
from api.migrations.migrating import (
    OUTBOX_MIGRATIONS,
    VAULT_MIGRATIONS,
    DatabaseNewer,
    Migrations,
    migrate,
)
from api.outbox import tables as outbox_tables
from api.rest import opening
from api.vault import tables as vault_tables

assert opening.open_services is not None


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """A database with the rows of its first version."""

    migrations: Migrations
    metadata: MetaData
    rows: dict[str, dict[str, Any]]
    """One row of each of the first version's tables, parents first."""
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What later versions make of these rows, where it is not what they were."""


VAULT = Lineage(
    migrations=VAULT_MIGRATIONS,
    metadata=vault_tables.METADATA,
    rows={
        "vault": {"id": 1, "master_key": b"\1" * 8},
        "records": {
            "uid": b"\2" * 32,
            "schema_uid": b"\3" * 32,
            "version": 1,
            "algorithm": 1,
            "commitment": b"\4" * 32,
            "valid_until_s": 0,
            "previous": None,
            "reference": b"\5" * 32,
            "created_s": 1_700_000_000,
            "idempotency_key": "key-1",
            "body_fingerprint": b"\6" * 32,
            "wrapped_key": b"\7" * 60,
            "ciphertext": b"\x08" * 100,
        },
        "claims": {
            "schema_uid": b"\3" * 32,
            "reference": b"\5" * 32,
            "uid": b"\2" * 32,
            "claimed_s": 1_700_000_001,
        },
        "members": {
            "uid": b"\2" * 32,
            "batch": b"\x09" * 32,
            "place": 3,
            "size": 8,
            "path": b"\x0a" * 96,
        },
        "materials": {
            "uid": b"\x0b" * 32,
            "role": "case",
            "commitment": b"\x0c" * 32,
            "reference": None,
            "created_s": 1_700_000_002,
            "wrapped_key": b"\x0d" * 60,
            "ciphertext": b"\x0e" * 70,
        },
        "imports": {
            "id": "im-1",
            "act": "attestation.create",
            "idempotency_key": "key-2",
            "body_fingerprint": b"\x0f" * 32,
            "state": "running",
            "lines": 1,
            "created_s": 1_700_000_003,
        },
        "import_lines": {
            "import_id": "im-1",
            "line": 1,
            "state": "waiting",
            "uid": b"\x10" * 32,
            "weight": 90_000,
            "is_single": False,
            "wrapped_key": b"\x11" * 60,
            "ciphertext": b"\x12" * 80,
        },
    },
    found={
        # 0002: wrapped anew by `api.vault.upgrade`, which has the keys.
        "records": {"epoch": None},
        "materials": {"epoch": None, "version": None},
        "import_lines": {"epoch": None},
    },
)

OUTBOX = Lineage(
    migrations=OUTBOX_MIGRATIONS,
    metadata=outbox_tables.METADATA,
    rows={
        "operations": {
            "sequence": 1,
            "id": "op-1",
            "idempotency_key": "key-1",
            "body_fingerprint": b"\1" * 32,
            "kind": "attestation.create",
            "uid": b"\2" * 32,
            "claim": "attestation:02",
            "account": b"\3" * 20,
            "nonce": 7,
            "target": b"\4" * 20,
            "data": b"\5" * 200,
            "gas": 1_000_000,
            "raw": b"\6" * 300,
            "transaction_hash": b"\7" * 32,
            "state": "queued",
            "unopened": True,
            "record": "/v1/attestations/0x02",
            "created_s": 1_700_000_000,
        },
        "attempts": {"operation": 1, "nonce": 6, "transaction_hash": b"\x08" * 32},
        "accounts": {"address": b"\3" * 20, "next_nonce": 8},
        "webhooks": {
            "id": "wh-1",
            "url": "https://receiver.example/events",
            "kinds": "[]",
            "secret": b"\x09" * 40,
            "position": 1 << 40,
            "failures": 0,
            "next_try_s": 0,
            "delivered": 3,
            "created_s": 1_700_000_001,
            "is_active": True,
        },
        "public_texts": {
            "hash": b"\x0a" * 32,
            "kind": "notice",
            "language": "zh-Hant",
            "body": '{"title":"告示"}',
            "stored_s": 1_700_000_002,
        },
        "schema_texts": {
            "uid": b"\x0b" * 32,
            "document_hash": b"\x0c" * 32,
            "title": "健康碼",
            "pointers": '["/name"]',
            "reference": "[]",
            "stored_s": 1_700_000_003,
        },
        "prepared_acts": {
            "id": "act-1",
            "act": "consent.record",
            "uid": b"\x0d" * 32,
            "contract": "consents",
            "call": b"\x0e" * 100,
            "signer": b"\x0f" * 20,
            "nonce": 2**53 - 1,
            "deadline_s": 1_700_000_100,
            "event_time_s": 1_700_000_004,
            "record": "/v1/consents/0x0d",
            "gas": 1_000_000,
            "unopened": False,
            "texts": "[]",
            "created_s": 1_700_000_004,
        },
        "challenges": {
            "nonce": b"\x10" * 32,
            "purpose": "counter",
            "issued_s": 1_700_000_005,
            "expires_s": 1_700_000_305,
        },
    },
    # 0002: a schema of before asks nothing.
    found={"schema_texts": {"predicates": None}},
)


@pytest.fixture(params=[VAULT, OUTBOX], ids=["vault", "outbox"])
def lineage(request: pytest.FixtureRequest) -> Lineage:
    given: Lineage = request.param
    return given


def run_on(url: str, work: Callable[[Connection], Any]) -> Any:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def fill_first_version(url: str, lineage: Lineage) -> None:
    """Make the first version's tables and put the rows in."""

    def fill(connection: Connection) -> None:
        assert migrate(connection, lineage.migrations, upto="0001") == ["0001"]
        tables = MetaData()
        tables.reflect(connection)
        assert set(lineage.rows) | {lineage.migrations.version_table} == set(tables.tables)
        for name, row in lineage.rows.items():
            connection.execute(insert(tables.tables[name]).values(**row))

    run_on(url, fill)


def open_migrated(url: str, lineage: Lineage) -> Database:
    name = lineage.migrations.name
    return open_database(url, lineage.metadata, migrations=lineage.migrations, name=name)


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
