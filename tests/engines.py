"""Fixtures for tests that run on both engines: an address for each, a new database each time.

With `pytest --postgresql`, the agencies of all other tests keep their data in PostgreSQL as well; a
test marked `ON_BOTH_ENGINES` does both in every run, and each package of the API has one.

A test that takes `database_url` or `database_urls` runs twice, on SQLite and on PostgreSQL. One
PostgreSQL server serves a whole run of tests; it does not wait for the disk, so tests of durability
start their own. Where PostgreSQL cannot be had, the second run is skipped and says so.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url

from scripts.postgresql.server import PostgresMissing, PostgresServer, run_postgres

MOSTLY_SQLITE: Final = pytest.mark.parametrize(
    "database_urls", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
"""For slow tests whose parts run on both engines elsewhere: PostgreSQL with `--long` only."""

ON_BOTH_ENGINES: Final = pytest.mark.parametrize(
    "agencies_engine", ["sqlite", "postgresql"], indirect=True
)
"""For tests of agencies that say nothing of where they keep their data."""

NewDatabase = Callable[[str], str]
"""Returns the address of the database with this name; the same name means the same database."""

_HASTY = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "max_connections=200")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(run_postgres(settings=_HASTY))
        except PostgresMissing as error:
            pytest.skip(str(error))
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePool:
    """Databases of one server, emptied after each test: a new one costs hundreds of files."""

    server: PostgresServer
    free: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def take(self) -> str:
        """Return the address of an empty database."""
        if self.free:
            return self.free.pop()
        return self.server.create_database(f"test_{next(self.numbers)}")

    def give_back(self, url: str) -> None:
        """Empty a database, whatever is still connected to it."""
        name = make_url(url).database
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            others = f"datname = '{name}' AND pid <> pg_backend_pid()"
            for statement in (
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}",
                f'ALTER DATABASE "{name}" RESET ALL',
                "DROP SCHEMA public CASCADE",
                "CREATE SCHEMA public",
            ):
                connection.exec_driver_sql(statement)
        self.free.append(url)


_DEFAULT: dict[str, DatabasePool] = {}
_PLACED: dict[tuple[Path, str], str] = {}


def place_database(folder: Path, name: str) -> Path | str:
    """Return where an agency keeps a database: a file, or for `--postgresql` one of its own."""
    pool = _DEFAULT.get("pool")
    if pool is None:
        return folder / f"{name}.sqlite"
    if (folder, name) not in _PLACED:
        _PLACED[folder, name] = pool.take()
    return _PLACED[folder, name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgresql", action="store_true", help="keep the agencies' data in PostgreSQL"
    )


@pytest.fixture
def agencies_engine(request: pytest.FixtureRequest) -> str:
    """Where agencies keep their data that are given no addresses: `sqlite` or `postgresql`."""
    is_server = bool(request.config.getoption("--postgresql"))
    return str(getattr(request, "param", "postgresql" if is_server else "sqlite"))


@pytest.fixture(autouse=True)
def _default_engine(request: pytest.FixtureRequest, agencies_engine: str) -> Iterator[None]:
    if agencies_engine == "sqlite":
        yield
        return
    pool: DatabasePool = request.getfixturevalue("postgres_pool")
    _DEFAULT["pool"] = pool
    yield
    del _DEFAULT["pool"]
    for url in _PLACED.values():
        pool.give_back(url)
    _PLACED.clear()


@pytest.fixture(scope="session")
def postgres_pool(postgres_server: PostgresServer) -> DatabasePool:
    return DatabasePool(server=postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Databases of one engine, by name."""
    if request.param == "sqlite":
        yield lambda name: f"sqlite:///{tmp_path / name}.sqlite"
        return
    pool: DatabasePool = request.getfixturevalue("postgres_pool")
    made: dict[str, str] = {}

    def take(name: str) -> str:
        if name not in made:
            made[name] = pool.take()
        return made[name]

    yield take
    for url in made.values():
        pool.give_back(url)


@pytest.fixture
def database_url(database_urls: NewDatabase) -> str:
    """One database."""
    return database_urls("main")
