"""The engines that a benchmark of the databases is run on."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from scripts.postgresql.server import PostgresMissing, run_postgres


def list_engines(
    name: str, folder: Path, stack: ExitStack, *, url: str | None
) -> Iterator[tuple[str, str]]:
    """Yield each engine with the address of a new database `name`: SQLite, then PostgreSQL.

    With `url`, that alone. The server ends with `stack`; where there is none, standard error says
    so.
    """
    if url is not None:
        yield "given", url
        return
    yield "SQLite", f"sqlite:///{folder / name}.sqlite"
    try:
        server = stack.enter_context(run_postgres())
    except PostgresMissing as error:
        sys.stderr.write(f"without PostgreSQL: {error}\n")
        return
    yield "PostgreSQL", server.create_database(name)
