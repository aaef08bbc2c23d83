"""Bringing one database to the version of this code, in the transaction of the caller.

The caller holds the database's write lock, so that of several processes that start at once one
migrates and the others find it done. A step that fails takes all of them back with it: the database
stays at the version that it had. A database that a newer version of the code has written is left
alone, because what this one does not know it cannot keep.
"""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import structlog
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Select, String, Table, select

from api.errors import UpstreamFault

log = structlog.get_logger(__name__)

_FOLDER: Final = Path(__file__).parent

# Alembic's `op` is one for the whole process; a process may open several databases at once.
_ALEMBIC: Final = threading.Lock()


class DatabaseNewer(UpstreamFault):
    """A newer version of the code has changed the tables of this database."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the {name} was written by a newer version of this program",
            code="database_newer",
            next_step="start that version; to go back to this one, restore the backup of before",
        )


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """The numbered steps of one database."""

    name: str
    """What the database is called in messages, and in the name of its version table."""
    folder: Path
    """Where the steps are."""
    is_logged: bool = True
    """Whether taking steps is written to the log; not for a copy that lasts a moment."""

    @property
    def version_table(self) -> str:
        """The table that holds the number of the last step; databases may share a server's one."""
        return f"{self.name}_version"

    @cached_property
    def scripts(self) -> ScriptDirectory:
        """The steps as Alembic reads them."""
        return ScriptDirectory(str(_FOLDER), version_locations=[str(self.folder)])

    @cached_property
    def last(self) -> str | None:
        """The number of the last step that this code knows."""
        return self.scripts.get_current_head()

    @cached_property
    def select_version(self) -> Select[Any]:
        """Asks for the number of the last step that was taken."""
        number: Column[str] = Column("version_num", String)
        return select(Table(self.version_table, MetaData(), number).c.version_num)


VAULT_MIGRATIONS: Final = Migrations(name="vault", folder=_FOLDER / "vault" / "versions")
OUTBOX_MIGRATIONS: Final = Migrations(name="outbox", folder=_FOLDER / "outbox" / "versions")


def require_version(connection: Connection, migrations: Migrations) -> None:
    """Raise `DatabaseNewer` if another process has taken steps since this one opened the database.

    A program of an older version that still runs must not write into tables that it does not know.
    """
    if connection.execute(migrations.select_version).scalar_one_or_none() != migrations.last:
        raise DatabaseNewer(migrations.name)


def migrate(connection: Connection, migrations: Migrations, *, upto: str = "head") -> list[str]:
    """Run the steps that the database lacks and return their numbers, oldest first.

    `upto` stops after that step. The database's write lock must be held. Raises `DatabaseNewer`,
    and whatever a step raises; the caller's transaction must then not be committed.
    """
    with _ALEMBIC:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrations.version_table}
        )
        current = context.get_current_revision()
        scripts = migrations.scripts
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise DatabaseNewer(migrations.name)
        steps = list(scripts.iterate_revisions(upto, current or "base"))[::-1]
        with Operations.context(context):
            for step in steps:
                step.module.upgrade()
                context.stamp(scripts, step.revision)
    done = [step.revision for step in steps]
    if done and migrations.is_logged:
        log.info("database migrated", database=migrations.name, before=current, steps=done)
    return done
