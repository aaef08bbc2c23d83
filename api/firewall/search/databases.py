"""Searching a database that a server keeps: every table of every schema, row by row.

What a PostgreSQL server keeps is read through it, as its clients read it: living rows, also those
that it keeps compressed or out of line. Deleted rows and the write-ahead log are in its files;
`find_files` says where these are, if this user may read them on this machine, and they are then
searched like any folder.

Nothing is planted into a server's tables. The controls are rows of one more table that the server
makes for the query alone: as bytes and as texts, behind a page of empty rows, read by the same
lines through the same connection and driver as all others.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    String,
    column,
    func,
    inspect,
    literal_column,
    select,
    table,
    values,
)

from api.databases import Database
from api.firewall.search.controls import Control
from api.firewall.search.searcher import Searcher

FIRST_OF_USERS: Final = 16_384
"""The server numbers its own tables below; they hold its manual, which is full of common words."""

CONTROLS: Final = "controls"
"""Name of the table that a server makes of them."""

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
    """Search all rows and all controls; return each control not found, with its column.

    `progress` is told how many more rows were searched. Raises `UpstreamFault` if the database
    cannot be read.
    """

    def work(connection: Connection) -> None:
        for table_name, rows in _iterate_tables(connection, controls):
            for row in rows:
                for name, value in row:
                    if table_name != CONTROLS:
                        searcher.report.count(store, size=len(value))
                    searcher.search(value, store=store, place=f"{table_name}.{name}")
                progress(1)

    database.read_now(work)
    searcher.flush()
    found = {(hit.place, hit.label) for hit in searcher.report.hits if hit.store == store}
    return [
        f"{control.name}, as {name}"
        for control in controls
        for name, value in _write_control(control).items()
        if value is not None and (f"{CONTROLS}.{name}", control.label) not in found
    ]


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


def _iterate_tables(
    connection: Connection, controls: Sequence[Control]
) -> Iterator[tuple[str, Iterator[list[tuple[str, bytes]]]]]:
    """Yield the name of each table, and its rows: column and value of what can hold anything.

    The last table is that of the controls.
    """
    inspector = inspect(connection)
    for schema in inspector.get_schema_names():
        if schema.startswith(_SYSTEM):
            continue
        names = list(inspector.get_table_names(schema))
        with suppress(NotImplementedError):
            names += inspector.get_materialized_view_names(schema)
        for name in names:
            yield f"{schema}.{name}", _iterate_rows(connection, table(name, schema=schema))
    yield CONTROLS, _iterate_rows(connection, _make_table(controls))


def _make_table(controls: Sequence[Control]) -> FromClause:
    """Return a table of the controls behind more empty rows than are read at once."""
    rows: list[tuple[bytes, str | None]] = [(b"", "")] * (_ROWS + 1)
    rows += [tuple(_write_control(control).values()) for control in controls]
    columns = (column("bytes", LargeBinary), column("text", String))
    return values(*columns, name=CONTROLS).data(rows).cte(CONTROLS)


def _write_control(control: Control) -> dict[str, Any]:
    """Return a control as bytes, and as a text if it is one that a server takes."""
    text = None
    if b"\0" not in control.data:
        with suppress(UnicodeDecodeError):
            text = control.data.decode()
    return {"bytes": control.data, "text": text}


def _iterate_rows(connection: Connection, one: FromClause) -> Iterator[list[tuple[str, bytes]]]:
    query: Select[Any] = select(literal_column("*")).select_from(one)
    result = connection.execution_options(yield_per=_ROWS).execute(query)
    names = list(result.keys())
    for row in result:
        written = zip(names, map(_write, row), strict=True)
        yield [(name, value) for name, value in written if value]


def _write(value: Any) -> bytes:
    """Return a value as the bytes or the text that it is."""
    if value is None or isinstance(value, bool):
        return b""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
    return str(value).encode("utf-8", "surrogatepass")
