"""Copying an outbox to another database, for a change of engine and for a backup.

The outbox holds more than writes under way: the public texts that this agency was handed, the texts
of schemas, its webhooks with their secrets and cursors, and the idempotency keys by which a write
that is sent again is known. None of it can be read from the chain. An outbox that was copied to
another engine goes on there as if nothing had happened, under the same identifiers.

A copy is of one moment and is there as a whole or not at all. Whatever serves from the old place
afterwards is not in it; `is_served` says whether something does. An old copy that is put back loses
nothing of the ledger: nonces are never taken below the chain's, and what it thinks is under way is
settled by the receipts that it finds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.engine import make_url

from api.database_rows import continue_row_numbers, insert_many
from api.databases import Database, open_database
from api.errors import InvalidField
from api.leadership import Leadership
from api.migrations.migrating import OUTBOX_MIGRATIONS
from api.outbox.all_tables import OUTBOX_METADATA
from api.outbox.tables import LEADING

BATCH_ROWS: Final = 500
"""Rows that are read, and written, together."""

Progress = Callable[[int, int], None]
"""Is told how many rows of how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySummary:
    """What was copied."""

    rows: int
    """Of all tables together."""
    is_served: bool
    """Whether some process served from the source: then the copy is of a moment that is past."""


def copy_outbox(
    source: Path | str,
    target: Path | str,
    *,
    is_live: bool = False,
    progress: Progress | None = None,
) -> CopySummary:
    """Copy all rows of the outbox at `source` to `target`, which must hold none.

    Both are file paths or SQLAlchemy addresses. `is_live` allows a source from which an API serves.
    Raises `InvalidField`, `UpstreamFault`, and `DatabaseNewer` if one is of a later version.
    """
    if is_missing(source):
        raise InvalidField("source", "there is no outbox here", next_step="look at api.outbox_url")
    opened = _open(source)
    try:
        is_served = Leadership(opened, LEADING).is_taken()
        if is_served and not is_live:
            raise InvalidField(
                "source",
                "an API serves from it, and what it takes from now on would not be in the copy",
                next_step="stop the node and every `atesta api`; for a backup, say --live",
            )
        if isinstance(target, Path):
            _make_private(target)
        copied = _open(target)
        try:
            rows = _copy(opened, copied, progress)
        finally:
            copied.close()
    finally:
        opened.close()
    return CopySummary(rows=rows, is_served=is_served)


def is_missing(place: Path | str) -> bool:
    """Whether a place names a file that is not there, where opening it would make an empty one."""
    if isinstance(place, Path):
        return not place.exists()
    url = make_url(place)
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def _open(place: Path | str) -> Database:
    migrations = replace(OUTBOX_MIGRATIONS, is_logged=False)
    return open_database(place, OUTBOX_METADATA, migrations=migrations, name="outbox")


def _make_private(path: Path) -> None:
    """Make the file of a copy such that its owner alone reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _copy(source: Database, target: Database, progress: Progress | None) -> int:
    tables = OUTBOX_METADATA.sorted_tables

    def write(into: Connection) -> int:
        if any(_count(into, table) for table in tables):
            raise InvalidField(
                "target",
                "it holds an outbox already",
                next_step="name an empty database, or a file that does not exist",
            )

        def read(from_: Connection) -> int:
            total = sum(_count(from_, table) for table in tables)
            done = 0
            for table in tables:
                for rows in _iterate(from_, table):
                    insert_many(into, table, rows)
                    done += len(rows)
                    if progress is not None:
                        progress(done, total)
            return done

        done = source.read_now(read)
        continue_row_numbers(into, tables)
        return done

    return target.write_now(write)


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _iterate(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    query = select(table).order_by(*table.primary_key.columns)
    streamed = query.execution_options(stream_results=True, yield_per=BATCH_ROWS)
    for batch in connection.execute(streamed).mappings().partitions():
        yield [{str(name): value for name, value in row.items()} for row in batch]
