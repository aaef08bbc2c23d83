"""The API's own databases: one way to open them, read from them and write to them.

SQLAlchemy Core over SQLite by default, over PostgreSQL where its address is given; nothing here or
above is written for one dialect. What each engine needs so that several processes that read, decide
and write never act on a stale read, and a commit survives a power cut, is in
`api.database_engines`; how the tables come from one version of the code to the next, in
`api.migrations`.

A commit waits for the disk, which costs milliseconds whatever it holds. `Database.write` therefore
gathers the writes that arrive while a commit is under way and commits them together, each inside
its own savepoint: one that fails takes nothing of its neighbours with it, and none is answered
before all of it is on disk. What must survive a crash can thus be tried at every commit: a
`CommitWatch` handed in is told of each, and a test's watch kills the process there.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import URL

from api.database_addresses import read_address
from api.database_engines import DATABASE_FAULTS, Engines, open_engines, translate
from api.database_scrub import scrub
from api.errors import UpstreamFault
from api.migrations.migrating import Migrations, migrate, require_version

MAX_GROUP: Final = 256
"""Most writes that share one commit."""

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
"""Something done inside a transaction; it may run again on another connection only if it failed."""


class CommitWatch(Protocol):
    """Port to whoever numbers the durable writes of this process; tests only."""

    def around(self, kind: str) -> AbstractContextManager[object]:
        """Enclose one durable write of `kind`."""
        ...


class Unwatched:
    """The `CommitWatch` of every operation."""

    def around(self, _kind: str) -> AbstractContextManager[object]:
        """Do nothing."""
        return nullcontext()


class Database:
    """One database of the agency: concurrent reads, grouped durable writes."""

    def __init__(
        self,
        engines: Engines,
        *,
        name: str = "database",
        migrations: Migrations | None = None,
        watch: CommitWatch | None = None,
    ) -> None:
        """Write on a thread of its own; `watch` is told of each commit under `name`.

        With `migrations`, nothing is written once another process has migrated the tables further.
        """
        self._engines = engines
        self._migrations = migrations
        self._name = name
        self._watch: CommitWatch = watch or Unwatched()
        self._jobs: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._closed = False
        self._writer = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._writer.start()

    @property
    def url(self) -> URL:
        """Its address; never to be shown, for it may hold a secret."""
        return self._engines.reads.url

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on a snapshot of the committed state; raises `UpstreamFault` if it cannot."""
        return await asyncio.to_thread(self.read_now, work)

    def read_now(self, work: Work[Result]) -> Result:
        """Do the same on the calling thread."""
        try:
            with self._engines.reads.connect() as connection, connection.begin():
                return work(connection)
        except DATABASE_FAULTS as error:
            raise translate(error) from error

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a durable transaction and return when it is on disk.

        What `work` raises is raised here, and then nothing of it was stored. A database that is
        full, locked for too long or out of reach raises `UpstreamFault`.
        """
        return await asyncio.wrap_future(self._submit(work))

    def write_now(self, work: Work[Result]) -> Result:
        """Do the same from a thread without an event loop."""
        return self._submit(work).result()

    def scrub_now(self) -> tuple[str, ...]:
        """Clear what deleted and changed rows left in the files; returns what could not be cleared.

        Raises `UpstreamFault` if nothing could be done.
        """
        try:
            return scrub(self._engines.reads)
        except DATABASE_FAULTS as error:
            raise translate(error) from error

    def close(self) -> None:
        """Finish the writes that were accepted, then let go of the database."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._writer.join()
        self._engines.dispose()

    def _submit(self, work: Work[Result]) -> Future[Result]:
        if self._closed:
            raise UpstreamFault("this server is stopping", code="stopping")
        future: Future[Result] = Future()
        self._jobs.put((work, future))
        return future

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            group = [job]
            stop = False
            while len(group) < MAX_GROUP and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    stop = True
                    break
                group.append(following)
            self._commit([entry for entry in group if entry[1].set_running_or_notify_cancel()])
            if stop:
                return

    def _commit(self, group: list[tuple[Work[Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        refused: list[tuple[Future[Any], BaseException]] = []
        try:
            with (
                self._watch.around(self._name),
                self._engines.writes.connect() as connection,
                connection.begin(),
            ):
                if self._migrations is not None:
                    require_version(connection, self._migrations)
                for work, future in group:
                    try:
                        with connection.begin_nested():
                            value = work(connection)
                        done.append((future, value))
                    except DATABASE_FAULTS:
                        raise
                    except Exception as error:  # noqa: BLE001 - handed to whoever waits
                        refused.append((future, error))
        except DATABASE_FAULTS as error:
            self._fail(group, translate(error))
            return
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self._fail(group, error)
            return
        for future, fault in refused:
            future.set_exception(fault)
        for future, value in done:
            future.set_result(value)

    @staticmethod
    def _fail(group: list[tuple[Work[Any], Future[Any]]], error: Exception) -> None:
        for _, future in group:
            future.set_exception(error)


def open_database(
    address: Path | str,
    metadata: MetaData,
    *,
    migrations: Migrations | None = None,
    secure_delete: bool = False,
    name: str = "database",
    watch: CommitWatch | None = None,
) -> Database:
    """Open (and make, if new) the database at a file path or an SQLAlchemy address.

    With `migrations` the tables are brought to this version of the code, whatever version they
    have; without, those of `metadata` are made that are missing. Of several processes that open it
    at once, one does so. `secure_delete` overwrites deleted content with zeros where the engine
    offers it; `watch` is told of each commit under `name`, this one included. Raises `InvalidField`
    for an address that is none, `DatabaseNewer`, and `UpstreamFault` if it cannot be opened.
    """
    engines = open_engines(read_address(address), name=name, secure_delete=secure_delete)
    watched: CommitWatch = watch or Unwatched()
    try:
        with watched.around(name):
            _prepare(engines, metadata, migrations)
    except DATABASE_FAULTS as error:
        engines.dispose()
        raise translate(error) from error
    except BaseException:
        engines.dispose()
        raise
    return Database(engines, name=name, migrations=migrations, watch=watched)


def open_replica(address: Path | str, *, name: str) -> Database:
    """Open a copy of a database that somebody else keeps; nothing is made and nothing written.

    It need not be there yet: each read says what is wrong with it. Raises `InvalidField`.
    """
    return Database(open_engines(read_address(address), name=name), name=name)


def _prepare(engines: Engines, metadata: MetaData, migrations: Migrations | None) -> None:
    with engines.prepares.connect() as connection:
        with connection.begin():
            if migrations is None:
                metadata.create_all(connection)
            elif migrate(connection, migrations) and connection.dialect.name == "sqlite":
                _check_references(connection)
        # Its settings are those of preparing; nobody else may get it.
        connection.invalidate()


def _check_references(connection: Connection) -> None:
    """Do what SQLite leaves out while tables are made anew."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    assert broken is None, "a migration left rows that name what is not there"
