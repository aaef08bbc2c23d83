"""Work that one of several API processes does for all: whoever holds its lock leads.

Processes that share a database may all answer requests, but the chain is followed, and receivers
are told, by one of them. The lock is the engine's own, so it goes when its holder goes, however
that ends: in PostgreSQL an advisory lock of a connection kept for it, in SQLite a lock on a file
beside the database. Who does not lead asks again twice a second and so takes over.

Nothing rests on there being only one leader: a process that was stopped and wakes, or whose
connection was cut without its knowledge, may work beside the next one for a moment. What the work
stores must state what it starts from, as the index does with its cursor.
"""

import asyncio
import contextlib
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection, Engine

from api.background import run_beside
from api.database_engines import DATABASE_FAULTS, compute_lock_key, open_lock_engine
from api.databases import Database

log = structlog.get_logger(__name__)

ASK_S: Final = 0.5
"""Pause between two looks at the lock, for who leads and for who would."""


class _Lock(Protocol):
    """The engine's lock; called on a worker thread, one call at a time."""

    def hold(self) -> bool:
        """Tell whether this process has it, taking it if it is free."""
        ...

    def release(self) -> None:
        """Give it up."""
        ...


class Leadership:
    """One kind of work on one database."""

    def __init__(self, database: Database, work: str) -> None:
        """Ask for nothing yet; processes of the same database and `work` are rivals."""
        self._lock = _make_lock(database, work)
        self._guard = threading.Lock()
        self._work = work
        self._is_leader = False
        self._has_ended = False

    @property
    def is_leader(self) -> bool:
        """Whether this process did the work when it last looked."""
        return self._is_leader

    def is_taken(self) -> bool:
        """Whether some process leads now; asked by one that does not mean to."""
        with self._guard:
            is_free = self._lock.hold()
            self._lock.release()
        return not is_free

    @contextlib.asynccontextmanager
    async def run(
        self, duty: Callable[[], AbstractAsyncContextManager[None]]
    ) -> AsyncIterator[None]:
        """Do the work whenever this process leads, for as long as the context lasts."""
        self._has_ended = False
        try:
            async with run_beside(self._loop(duty), f"lead {self._work}"):
                yield
        finally:
            await asyncio.to_thread(self._release)

    async def _loop(self, duty: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        while True:
            try:
                if await asyncio.to_thread(self._hold):
                    await self._lead(duty)
            except Exception:
                log.exception("leading failed", label=self._work)
            await asyncio.sleep(ASK_S)

    async def _lead(self, duty: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self._is_leader = True
        log.info("leads", label=self._work)
        try:
            async with duty():
                # The lock tells nobody that it is lost, so it is looked at.
                while await asyncio.to_thread(self._hold):  # noqa: ASYNC110
                    await asyncio.sleep(ASK_S)
        finally:
            self._is_leader = False
        log.warning("no longer leads", label=self._work)

    def _hold(self) -> bool:
        # A look that was under way when the work ended must not take the lock afterwards.
        with self._guard:
            return not self._has_ended and self._lock.hold()

    def _release(self) -> None:
        with self._guard:
            self._has_ended = True
            self._lock.release()


class _FileLock:
    """A lock on a file beside an SQLite database; the system drops it with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def hold(self) -> bool:
        """Take the lock, or see that it is ours."""
        if self._handle is not None:
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Close the file, and with it the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class _ServerLock:
    """An advisory lock of PostgreSQL; the server drops it with the connection."""

    def __init__(self, engine: Engine, key: int) -> None:
        self._engine = engine
        self._key = key
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Take the lock, or see that the connection which has it lives."""
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
                return True
            connection = self._engine.connect()
            if connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({self._key})").scalar_one():
                self._connection = connection
                return True
            connection.close()
        except DATABASE_FAULTS:
            self.release()
        return False

    def release(self) -> None:
        """Close the connection, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*DATABASE_FAULTS):
                connection.close()
        self._engine.dispose()


class _OwnLock:
    """For a database that no other process can open."""

    def hold(self) -> bool:
        """Nobody else asks."""
        return True

    def release(self) -> None:
        """Nothing is held."""


def _make_lock(database: Database, work: str) -> _Lock:
    url = database.url
    if url.get_backend_name() != "sqlite":
        return _ServerLock(open_lock_engine(url), compute_lock_key(work, "lead"))
    if url.database in {None, "", ":memory:"}:
        return _OwnLock()
    return _FileLock(Path(f"{url.database}.{work}.lock"))
