"""All tables of the vault's database, whichever part of the API they belong to.

A table is known once its module is imported. A backup must know all of them, also in a process that
uses nothing but the vault; so each module with tables in `api.vault.tables.METADATA` is named here,
and a database that has another table is not backed up as if it were whole.
"""

from typing import Final

from sqlalchemy import Connection, MetaData, Table, inspect

from api.access import read_table
from api.errors import ApiBug
from api.imports import tables as import_tables
from api.index import law_tables as index_law_tables
from api.index import trouble as index_trouble
from api.migrations.migrating import OUTBOX_MIGRATIONS, VAULT_MIGRATIONS
from api.outbox.all_tables import OUTBOX_METADATA
from api.vault import tables
from api.vault.tables import CLAIMS, EPOCHS, ERASURES, MEMBERS, VAULT

VAULT_METADATA: Final[MetaData] = tables.METADATA
"""All of them."""

assert import_tables.IMPORTS.metadata is VAULT_METADATA, "its tables are in the vault's database"
assert read_table.READS.metadata is VAULT_METADATA, "its table is in the vault's database"

_DECIDED_ELSEWHERE: Final = frozenset((VAULT, EPOCHS, ERASURES))
"""What the key folder says."""


LOGS: Final = (read_table.READS,)
"""Tables that only grow. Restoring adds what they lack and takes nothing from them."""


def list_backup_tables() -> tuple[Table, ...]:
    """Return the tables of a backup; those that follow a record come after it."""
    apart = {*_DECIDED_ELSEWHERE, MEMBERS, CLAIMS}
    return (*(t for t in VAULT_METADATA.sorted_tables if t not in apart), MEMBERS, CLAIMS)


def check_tables(connection: Connection) -> None:
    """Raise `ApiBug` if the database has a table that is not named here.

    Index and outbox may share it (`api.database_url`); their tables are no part of the vault.
    """
    found = set(inspect(connection).get_table_names())
    known = {
        *VAULT_METADATA.tables,
        *OUTBOX_METADATA.tables,
        *index_law_tables.LAW_RECORDS.metadata.tables,
        index_trouble.TROUBLE.name,
        VAULT_MIGRATIONS.version_table,
        OUTBOX_MIGRATIONS.version_table,
    }
    unknown = found - known
    if unknown:
        raise ApiBug(f"tables of the vault that no module here knows: {', '.join(sorted(unknown))}")
