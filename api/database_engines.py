"""What SQLite and PostgreSQL need so that both keep the same promises.

The promises are those of `api.databases`: a read sees one state of the database, a write sees all
that was committed before it and nobody writes between what it reads and what it stores, and a
commit that returned is on disk.

SQLite keeps them with a write-ahead log, `synchronous=FULL` and `BEGIN IMMEDIATE`. PostgreSQL keeps
them with a transaction's advisory lock for each database: whoever writes takes it first, so that
writers of all processes follow each other as they do in SQLite. A write runs at READ COMMITTED,
where each statement sees what was committed when it began; at any higher level the snapshot would
be taken before the lock is granted, and be stale. No write is ever refused for another one, so none
must be repeated. A read runs at REPEATABLE READ, read only: one snapshot, no lock.
(`docs/adr/0004-one-writer-at-a-time.md` weighs this against serializable transactions.)
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from api.errors import UpstreamFault

log = structlog.get_logger(__name__)

BUSY_TIMEOUT_S: Final = 30.0
"""How long a write waits for another process's transaction."""

PREPARE_TIMEOUT_S: Final = 600.0
"""How long an opening process waits for another one that makes or migrates the tables."""

STATEMENT_TIMEOUT_S: Final = 60.0
"""PostgreSQL gives up a statement after this long."""

STALL_TIMEOUT_S: Final = 60.0
"""PostgreSQL ends a transaction whose process has said nothing for so long, and frees its lock."""

CONNECT_TIMEOUT_S: Final = 10

DATABASE_FAULTS: Final = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What SQLAlchemy raises when a database is full, locked, away or not what it was."""

# Every question here is for a page of rows along an index. The server's defaults are for disks that
# turn: they make it read a table from its end rather than jump to fifty rows. And a plan that is
# made once for all values suits neither what a hundred records name nor what a hundred thousand do.
_PLANNING: Final = (
    ("random_page_cost", "1.1"),
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "off"),
)

_WRITES: Final = "atesta_writes"
_PREPARES: Final = "atesta_prepares"

# The values of a statement are documents and personal data; an error's text ends up in a log.
# Lists with their filters, pairs of them, periods and cursors are more statements than SQLAlchemy
# keeps by default (500), and to write one anew takes up to forty milliseconds.
_ENGINE_OPTIONS: Final[Mapping[str, Any]] = {"hide_parameters": True, "query_cache_size": 5_000}

# Classes of SQLSTATE whose messages speak of the server, never of a value.
_PLAIN_STATES: Final = ("08", "25", "28", "3D", "40", "53", "54", "55", "57", "58", "XX")

# A table or a right that somebody took away is the operator's matter, as it is in SQLite.
_SERVER_CHANGED: Final = (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """One database, opened for three uses over one pool of connections."""

    reads: Engine
    """A transaction sees one state."""
    writes: Engine
    """A transaction is alone among all processes that write."""
    prepares: Engine
    """As `writes`, for making and changing tables: without limits of time, rows unchecked."""

    def dispose(self) -> None:
        """Close all connections."""
        self.reads.dispose()


def open_engines(url: URL, *, name: str, secure_delete: bool = False) -> Engines:
    """Open a database; nothing is connected yet. `name` names the lock of its writers."""
    if url.get_backend_name() == "sqlite":
        engine = _open_sqlite(url, secure_delete=secure_delete)
        reads: Mapping[str, Any] = {}
    else:
        engine = _open_postgresql(url, name)
        reads = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return Engines(
        reads=engine.execution_options(**reads),
        writes=engine.execution_options(**{_WRITES: True}),
        prepares=engine.execution_options(**{_WRITES: True, _PREPARES: True}),
    )


def open_lock_engine(url: URL) -> Engine:
    """Open a PostgreSQL database for a lock that lasts as long as its connection does.

    The server asks after a silent client, so that one whose machine is gone does not keep the lock.
    """
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=_make_connect_arguments("lock"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        **_ENGINE_OPTIONS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.autocommit = True
        for setting, value in (
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ):
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))

    event.listen(engine, "handle_error", _redact, retval=True)
    return engine


def translate(error: Exception) -> UpstreamFault:
    """Say what failed without a value and without an address."""
    # The driver's message names tables and conditions, never values; the statement would.
    found = error.orig if isinstance(error, OperationalError | InterfaceError) else error
    return UpstreamFault(
        f"the agency's database failed: {found}",
        code="database_failed",
        next_step="try again later; if it persists, the operator checks disk and database",
    )


def wrap_error(error: psycopg.Error) -> DBAPIError:
    """Return what SQLAlchemy would raise, for what its connection was not asked to do itself."""
    error.args = (_describe(error),)
    kinds: tuple[tuple[tuple[type[psycopg.Error], ...], type[DBAPIError]], ...] = (
        ((psycopg.OperationalError, *_SERVER_CHANGED), OperationalError),
        ((psycopg.InterfaceError,), InterfaceError),
        ((psycopg.InternalError,), InternalError),
    )
    wrapper = next((kind for causes, kind in kinds if isinstance(error, causes)), DBAPIError)
    return wrapper(None, None, error, hide_parameters=True)


def compute_lock_key(name: str, use: str) -> int:
    """Return the number of an advisory lock: PostgreSQL names locks by signed 64-bit numbers."""
    digest = hashlib.sha256(f"atesta-lock-1:{use}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


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
        options = connection.get_execution_options()
        if options.get(_PREPARES, False):
            # SQLite changes a table by making it anew, which must not touch the rows that name it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(PREPARE_TIMEOUT_S * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES, False) else "BEGIN")

    return engine


def _open_postgresql(url: URL, name: str) -> Engine:
    lock = compute_lock_key(name, "write")
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=_make_connect_arguments(name),
        # A connection that died while it was idle is noticed before it is used.
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        pool_timeout=BUSY_TIMEOUT_S,
        isolation_level="READ COMMITTED",
        **_ENGINE_OPTIONS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.autocommit = True
        for setting, value in (
            ("statement_timeout", f"{int(STATEMENT_TIMEOUT_S)}s"),
            ("lock_timeout", f"{int(BUSY_TIMEOUT_S)}s"),
            ("idle_in_transaction_session_timeout", f"{int(STALL_TIMEOUT_S)}s"),
            *_PLANNING,
        ):
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        # Whatever the server's default is, a commit that returned must be on disk.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.autocommit = False

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_PREPARES, False):
            wait_s = int(PREPARE_TIMEOUT_S)
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{wait_s}s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        if options.get(_WRITES, False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")

    event.listen(engine, "handle_error", _redact, retval=True)
    return engine


def _make_connect_arguments(name: str) -> dict[str, Any]:
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": f"atesta {name}",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }


def _redact(context: ExceptionContext) -> Exception | None:
    """Take the values out of PostgreSQL's messages, which repeat those that it refuses."""
    original = context.original_exception
    if not isinstance(original, psycopg.Error):
        return None
    text = _describe(original)
    original.args = (text,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"(psycopg.{type(original).__name__}) {text}",)
    if isinstance(original, _SERVER_CHANGED):
        return OperationalError(None, None, original, hide_parameters=True)
    return None


def _describe(error: psycopg.Error) -> str:
    state, diag = error.sqlstate, error.diag
    if state is None:
        # The client's own words: the server is away, or the connection was lost.
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    if state.startswith(_PLAIN_STATES):
        return f"{diag.message_primary} ({state})"
    names = [name for name in (diag.table_name, diag.column_name, diag.constraint_name) if name]
    return " ".join([f"PostgreSQL refuses: {type(error).__name__} ({state})", *names])
