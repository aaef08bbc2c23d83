"""The API's own databases: one way to open them, read from them and write to them.

SQLAlchemy Core over SQLite by default; nothing here or above is written for one dialect, so that
a PostgreSQL address can take SQLite's place. What SQLite needs is set in one spot: write-ahead log,
`synchronous=FULL` so that a commit survives a power cut, and `BEGIN IMMEDIATE` so that several
processes that read, decide and write never act on a stale read.

A commit waits for the disk, which costs milliseconds whatever it holds. `Database.write` therefore
gathers the writes that arrive while a commit is under way and commits them together, each inside
its own savepoint: one that fails takes nothing of its neighbours with it, and none is answered
before all of it is on disk. What must survive a crash can thus be tried at every commit: a
`CommitWatch` handed in is told of each, and a test's watch kills the process there.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from api.errors import UpstreamFault

MAX_GROUP: Final = 256
"""Most writes that share one commit."""

BUSY_TIMEOUT_S: Final = 30.0
"""How long a write waits for another process's transaction."""

_WRITES: Final = "atesta_writes"

# The values of a statement are documents and personal data; an error's text ends up in a log.
_ENGINE_OPTIONS: Final[Mapping[str, Any]] = {"hide_parameters": True}

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
        self, engine: Engine, *, name: str = "database", watch: CommitWatch | None = None
    ) -> None:
        """Write on a thread of its own; `watch` is told of each commit under `name`."""
        self._engine = engine
        self._name = name
        self._watch: CommitWatch = watch or Unwatched()
        self._jobs: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._closed = False
        self._writer = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._writer.start()

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on a snapshot of the committed state; raises `UpstreamFault` if it cannot."""
        return await asyncio.to_thread(self.read_now, work)

    def read_now(self, work: Work[Result]) -> Result:
        """Do the same on the calling thread."""
        try:
            with self._engine.connect() as connection, connection.begin():
                return work(connection)
        except OperationalError as error:
            raise _translate(error) from error

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a durable transaction and return when it is on disk.

        What `work` raises is raised here, and then nothing of it was stored. A database that is
        full, locked for too long or out of reach raises `UpstreamFault`.
        """
        return await asyncio.wrap_future(self._submit(work))

    def write_now(self, work: Work[Result]) -> Result:
        """Do the same from a thread without an event loop."""
        return self._submit(work).result()

    def close(self) -> None:
        """Finish the writes that were accepted, then let go of the database."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._writer.join()
        self._engine.dispose()

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
                self._engine.connect().execution_options(**{_WRITES: True}) as connection,
                connection.begin(),
            ):
                for work, future in group:
                    try:
                        with connection.begin_nested():
                            value = work(connection)
                        done.append((future, value))
                    except OperationalError:
                        raise
                    except Exception as error:  # noqa: BLE001 - handed to whoever waits
                        refused.append((future, error))
        except OperationalError as error:
            self._fail(group, _translate(error))
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
    secure_delete: bool = False,
    name: str = "database",
    watch: CommitWatch | None = None,
) -> Database:
    """Open (and make, if new) the database at a file path or an SQLAlchemy address.

    `secure_delete` overwrites deleted content with zeros where the engine offers it; `watch` is
    told of each commit under `name`. Raises `UpstreamFault` if the database cannot be opened.
    """
    url = make_url(address) if isinstance(address, str) else _build_url(address)
    if url.get_backend_name() == "sqlite":
        engine = _open_sqlite(url, secure_delete=secure_delete)
    else:
        engine = create_engine(url, pool_pre_ping=True, **_ENGINE_OPTIONS)
    database = Database(engine, name=name, watch=watch)
    try:
        database.write_now(metadata.create_all)
    except BaseException:
        database.close()
        raise
    return database


def _build_url(path: Path) -> URL:
    path.parent.mkdir(parents=True, exist_ok=True)
    return URL.create("sqlite", database=str(path))


def _open_sqlite(url: URL, *, secure_delete: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        **_ENGINE_OPTIONS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions on its own: they would be deferred ones.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if secure_delete:
            cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _translate(error: OperationalError) -> UpstreamFault:
    # The driver's message names tables and conditions, never values; the statement would.
    return UpstreamFault(
        f"the agency's database failed: {error.orig}",
        code="database_failed",
        next_step="try again later; if it persists, the operator checks disk and database",
    )
