"""Databases with the rows of their first version, and how tests make, change and open them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, MetaData, create_engine, insert

# Every module with tables of its own is imported behind this one.
from api.databases import Database, open_database
from api.migrations.migrating import OUTBOX_MIGRATIONS, VAULT_MIGRATIONS, Migrations, migrate
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
