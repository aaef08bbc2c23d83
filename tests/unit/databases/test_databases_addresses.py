"""Addresses of databases in a settings file: no passwords, no open wires, one for all."""

from pathlib import Path

import pytest
from sqlalchemy import inspect

from api.database_addresses import check_setting, read_address
from api.databases import open_database
from api.errors import InvalidField
from api.index import tables as index_tables
from api.migrations.migrating import OUTBOX_MIGRATIONS, VAULT_MIGRATIONS
from api.outbox import tables as outbox_tables
from api.rest import opening
from api.vault import tables as vault_tables
from node.daemon.api_service import make_rest_settings
from node.settings import parse_settings

SECRET = "Lotus-1999-secret"

# Imported for the tables that are made far from these three modules.
assert opening.open_services is not None


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://atesta:{SECRET}@localhost/atesta",
        f"postgresql://atesta@localhost/atesta?password={SECRET}",
        f"postgresql://atesta@db.agency.example/{SECRET}",
        f"postgresql://atesta@localhost,db.agency.example/{SECRET}?host=db.agency.example:5432",
        f"postgresql://atesta@/{SECRET}?host=10.0.0.7",
        f"postgresql://atesta@/{SECRET}?host=/run/postgresql,10.0.0.7:5432",
        f"postgresql://atesta@localhost/{SECRET}?hostaddr=10.0.0.7",
        f"postgresql://atesta@10.0.0.7/{SECRET}?sslmode=prefer",
        f"mysql://localhost/{SECRET}",
        SECRET,
    ],
)
def test_address_that_tells_or_sends_secrets_is_refused(address: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check_setting(address, field="api.vault_url")
    assert refused.value.field == "api.vault_url"
    assert SECRET not in f"{refused.value!r} {refused.value.next_step} {refused.value.__cause__!r}"


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////srv/agency/vault.sqlite",
        "postgresql://atesta@/atesta",
        "postgresql://atesta@localhost/atesta?passfile=/etc/atesta/pgpass",
        "postgresql+psycopg://atesta@[::1]/atesta",
        "postgresql://atesta@/atesta?host=/run/postgresql",
        "postgresql://atesta@db.agency.example/atesta?sslmode=verify-full&sslrootcert=/etc/ca.crt",
    ],
)
def test_address_that_keeps_secrets_is_taken(address: str) -> None:
    assert check_setting(address, field="api.vault_url") == address
    assert read_address(address).password is None


def test_one_setting_moves_all_databases_and_each_may_differ() -> None:
    shared, own = "postgresql://atesta@/atesta", "sqlite:////srv/agency/own.sqlite"
    folder = Path("/srv/agency")
    settings = parse_settings({"api": {"database_url": shared, "vault_url": own}}, folder=folder)
    rest = make_rest_settings(settings)
    assert (rest.index, rest.outbox, rest.vault, rest.index_replica) == (shared, shared, own, None)
    rest = make_rest_settings(parse_settings({}, folder=folder))
    assert [rest.index, rest.outbox, rest.vault] == [
        folder / "data" / f"{name}.sqlite" for name in ("index", "outbox", "vault")
    ]
    with pytest.raises(InvalidField) as refused:
        make_rest_settings(parse_settings({"api": {"index_read_url": SECRET}}, folder=folder))
    assert refused.value.field == "api.index_read_url"


def test_index_outbox_and_vault_may_share_one_database(database_url: str) -> None:
    """Their tables and their indexes have names of their own, and so have their versions."""
    lineages = (
        ("index", index_tables.METADATA, None),
        ("outbox", outbox_tables.METADATA, OUTBOX_MIGRATIONS),
        ("vault", vault_tables.METADATA, VAULT_MIGRATIONS),
    )
    for _ in range(2):
        opened = [
            open_database(database_url, metadata, migrations=migrations, name=name)
            for name, metadata, migrations in lineages
        ]
        there = set(opened[0].read_now(lambda c: inspect(c).get_table_names()))
        for database in opened:
            database.close()
    tables = [name for _, metadata, _ in lineages for name in metadata.tables]
    assert len(tables) == len(set(tables))
    assert there == {*tables, "outbox_version", "vault_version"}
