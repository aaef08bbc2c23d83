"""The databases of a demonstration: SQLite files in each node's folder, or a PostgreSQL server.

The stories are the same on both; the one difference is a line in each node's settings
(`api.database_url`). The PostgreSQL server is the demonstration's own, each agency has a database
of its own in it, and it ends with the story.

What is searched at the end lies in the nodes' folders. So what PostgreSQL keeps is brought there
first: every row of every table, and the server's own files, in which deleted rows and the
write-ahead log would still be found.
"""

import argparse
import contextlib
import re
import shutil
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, MetaData, create_engine, select

from node.cli.devnet import DevnetNode
from scripts.postgresql.server import PostgresServer, make_postgres

ENGINES: Final = ("sqlite", "postgresql")

_SETTINGS: Final = ("max_connections=400", "log_min_messages=warning", "wal_recycle=off")

_FIRST_OF_OURS: Final = 16_384
"""PostgreSQL numbers its own tables below; they hold its manual, which is full of common words."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a story be told on another engine."""
    parser.add_argument(
        "--database",
        choices=ENGINES,
        default=ENGINES[0],
        help="where agencies keep vault, outbox and index (default: SQLite files)",
    )
    parser.add_argument("--keep", action="store_true", help="leave the nodes running at the end")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse what cannot be kept."""
    if options.keep and options.network != "own":
        parser.error("--keep works with nodes of one's own only: anvil ends with the story")
    if options.keep and options.database != ENGINES[0]:
        parser.error("--keep works with SQLite only: the PostgreSQL server ends with the story")


class DemoDatabases:
    """Where the agencies of one demonstration keep their data; use it with ``with``."""

    def __init__(self, engine: str = ENGINES[0]) -> None:
        """Choose an engine; nothing runs before ``with``."""
        self._engine = engine
        self._stack = contextlib.ExitStack()
        self._server: PostgresServer | None = None
        self._urls: dict[Path, str] = {}
        """Addresses by the folder of the node."""

    def __enter__(self) -> Self:
        if self._engine != ENGINES[0]:
            server = self._stack.enter_context(make_postgres(settings=_SETTINGS))
            server.initialise()
            server.empty_log()
            server.start()
            self._server = server
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def note(self) -> str | None:
        """What is to be said about it; None for what everybody expects."""
        if self._server is None:
            return None
        return (
            "Vault, outbox and index of every agency are in PostgreSQL: one line of its settings, "
            "api.database_url."
        )

    def make(self, name: str) -> str | None:
        """Make a database and return its address; None where there are files instead."""
        return None if self._server is None else self._server.create_database(name, unlogged=True)

    def give(self, node: DevnetNode, name: str | None = None) -> None:
        """Let a node that is not started yet keep its data here, in a database of its name."""
        url = self.make(name or node.name)
        if url is None:
            return
        self._urls[node.folder] = url
        set_in_api_table(node, f'database_url = "{url}"')

    def bring_back(self, node: DevnetNode) -> None:
        """Write all that a stopped node keeps here into its folder, so that it can be searched."""
        if self._server is None:
            return
        engine = create_engine(self._urls[node.folder], isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("CHECKPOINT")
                _copy_rows(connection, str(node.folder / "postgresql-rows.sqlite"))
                files = connection.exec_driver_sql(
                    "SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()"
                ).scalar_one()
        finally:
            engine.dispose()
        # The write-ahead log is one for all agencies; searching it once is enough.
        is_first = node.folder == next(iter(self._urls))
        for name in (files, "pg_wal") if is_first else (files,):
            target = node.folder / "postgresql-files" / name
            shutil.copytree(
                self._server.data / name, target, dirs_exist_ok=True, ignore=_ignore_its_own
            )


def set_in_api_table(node: DevnetNode, line: str) -> None:
    """Add a line to the ``[api]`` table of a node's settings."""
    path = node.settings_file
    lines = path.read_text(encoding="utf-8").split("\n")
    lines.insert(lines.index("[api]") + 1, line)
    path.write_text("\n".join(lines), encoding="utf-8")


def _ignore_its_own(folder: str, names: list[str]) -> list[str]:
    if Path(folder).name == "pg_wal":
        return []
    numbers = {name: re.match(r"\d+", name) for name in names}
    return [
        name
        for name, number in numbers.items()
        if number is None or int(number.group()) < _FIRST_OF_OURS
    ]


def _copy_rows(connection: Connection, path: str) -> None:
    tables = MetaData()
    tables.reflect(connection)
    with contextlib.closing(sqlite3.connect(path)) as copy:
        for table in tables.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            marks = ", ".join("?" for _ in table.columns)
            copy.execute(f'CREATE TABLE "{table.name}" ({columns})')
            rows = [tuple(map(_plain, row)) for row in connection.execute(select(table))]
            copy.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', rows)  # noqa: S608
        copy.commit()


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
