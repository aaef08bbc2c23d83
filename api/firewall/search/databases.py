"""Searching a database that a server keeps: every table of every schema, row by row.

What a PostgreSQL server keeps is read through it, as its clients read it: living rows, also those
that it keeps compressed or out of line. Deleted rows and the write-ahead log are in its files;
`find_files` says where these are, if this user may read them on this machine, and they are then
searched like any folder.

Nothing is planted into a server's tables. The controls come back from the server as the answers to
queries, as bytes and as texts: through the same connection and the same driver as the rows.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    Select,
    String,
    TableClause,
    column,
    func,
    inspect,
    literal,
    literal_column,
    select,
    table,
)

from api.databases import Database
from api.firewall.search.controls import Control
from api.firewall.search.searcher import Searcher

FIRST_OF_USERS: Final = 16_384
"""The server numbers its own tables below; they hold its manual, which is full of common words."""

_ROWS = 500
_SYSTEM: Final = ("information_schema", "pg_")
_FILES: Final = ("base", "pg_wal", "pg_tblspc")


def search_database(
    database: Database,
    store: str,
    searcher: Searcher,
    *,
    controls: Sequence[Control] = (),
    progress: Callable[[int], None] = lambda _rows: None,
) -> list[str]:
    """Search all rows and all controls; return the names of the controls that were not found.

    `progress` is told how many more rows were searched. Raises `UpstreamFault` if the database
    cannot be read.
    """

    def work(connection: Connection) -> None:
        for control in controls:
            for value in _iterate_echoes(connection, control.data):
                searcher.search(value, store=store, place="controls")
        for table_name, rows in _iterate_tables(connection):
            for values in rows:
                for name, value in values:
                    searcher.report.count(store, size=len(value))
                    searcher.search(value, store=store, place=f"{table_name}.{name}")
                progress(1)

    database.read_now(work)
    searcher.flush()
    found = {hit.label for hit in searcher.report.hits if hit.store == store}
    return [control.name for control in controls if control.label not in found]


def find_files(database: Database) -> Path | None:
    """Return the folder of a PostgreSQL server's files, if it can be read here; else None."""
    if database.url.get_backend_name() != "postgresql":
        return None
    try:
        folder = database.read_now(
            lambda c: c.execute(select(func.current_setting("data_directory"))).scalar_one()
        )
    except Exception:  # noqa: BLE001 - whoever may not ask cannot read them either
        return None
    try:
        return Path(folder) if (Path(folder) / "base").is_dir() else None
    except OSError:
        return None


def make_skip(database: Database) -> Callable[[Path], bool]:
    """Return what leaves out files of a server that are not of this database, or the server's own.

    The write-ahead log stays: it is one for all of a server's databases.
    """
    catalogue = table("pg_database", column("oid", Integer), column("datname", String))
    query = select(catalogue.c.oid).where(catalogue.c.datname == func.current_database())
    own = str(database.read_now(lambda c: c.execute(query).scalar_one()))

    def skip(path: Path) -> bool:
        if path.parts[0] not in _FILES:
            return True
        if path.parts[0] == "base" and len(path.parts) > 1:
            if path.parts[1] != own:
                return True
            number = path.name.split(".")[0].split("_")[0]
            return len(path.parts) > 2 and (not number.isdigit() or int(number) < FIRST_OF_USERS)
        return False

    return skip


def _iterate_echoes(connection: Connection, data: bytes) -> Iterator[bytes]:
    """Let the server say a value again, as bytes, and as a text if it is one."""
    yield bytes(connection.execute(select(literal(data, LargeBinary))).scalar_one())
    if b"\0" in data:
        return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    yield connection.execute(select(literal(text, String))).scalar_one().encode()


def _iterate_tables(
    connection: Connection,
) -> Iterator[tuple[str, Iterator[list[tuple[str, bytes]]]]]:
    """Yield the name of each table, and its rows: column and value of what can hold anything."""
    inspector = inspect(connection)
    for schema in inspector.get_schema_names():
        if schema.startswith(_SYSTEM):
            continue
        names = list(inspector.get_table_names(schema))
        with suppress(NotImplementedError):
            names += inspector.get_materialized_view_names(schema)
        for name in names:
            yield f"{schema}.{name}", _iterate_rows(connection, table(name, schema=schema))


def _iterate_rows(connection: Connection, one: TableClause) -> Iterator[list[tuple[str, bytes]]]:
    query: Select[Any] = select(literal_column("*")).select_from(one)
    result = connection.execution_options(yield_per=_ROWS).execute(query)
    names = list(result.keys())
    for row in result:
        values = zip(names, map(_write, row), strict=True)
        yield [(name, value) for name, value in values if value]


def _write(value: Any) -> bytes:
    """Return a value as the bytes or the text that it is."""
    if value is None or isinstance(value, bool):
        return b""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
    return str(value).encode("utf-8", "surrogatepass")
