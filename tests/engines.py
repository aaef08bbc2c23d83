"""Fixtures for tests that run on both engines: an address for each, a new database each time.

A test that takes `database_url` or `database_urls` runs twice, on SQLite and on PostgreSQL. One
PostgreSQL server serves a whole run of tests; it does not wait for the disk, so tests of durability
start their own. Where PostgreSQL cannot be had, the second run is skipped and says so.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.postgresql.server import PostgresMissing, PostgresServer, run_postgres

NewDatabase = Callable[[str], str]
"""Returns the address of the database with this name; the same name means the same database."""

_NUMBERS = itertools.count()
_HASTY = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "max_connections=200")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(run_postgres(settings=_HASTY))
        except PostgresMissing as error:
            pytest.skip(str(error))
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_urls(request: pytest.FixtureRequest, tmp_path: Path) -> NewDatabase:
    """Databases of one engine, by name."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path / name}.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made: dict[str, str] = {}

    def take(name: str) -> str:
        if name not in made:
            made[name] = server.create_database(f"{name}_{next(_NUMBERS)}")
        return made[name]

    return take


@pytest.fixture
def database_url(database_urls: NewDatabase) -> str:
    """One database."""
    return database_urls("main")
