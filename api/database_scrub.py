"""Clearing what deleted and changed rows leave behind in a database's files.

SQLite writes zeros over what is deleted (`secure_delete`), in its pages; older pages stand in the
write-ahead log until it is carried over and cut to nothing, which is done here. PostgreSQL leaves
dead rows in its pages until a vacuum, and their bytes until a full one, which writes the table anew
and locks it meanwhile: small databases get that, large ones a plain vacuum and a note. Its
write-ahead log goes in its own time; a checkpoint and a new segment hurry it on where the account
may ask for them.

None of this is what makes erased records unreadable, see `api.vault.erasure`; it leaves less to
look at. What the file system and the disk keep of freed blocks is out of reach from here.
"""

import time
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import Engine, PoolProxiedConnection

log = structlog.get_logger(__name__)

FULL_VACUUM_BYTES: Final = 256 * 1024 * 1024
"""Databases up to this size are written anew whole."""

_CHECKPOINT_TRIES: Final = 20
_PAUSE_S: Final = 0.05


def scrub(engine: Engine) -> tuple[str, ...]:
    """Clear the files of the database behind an engine; returns what could not be cleared."""
    connection = engine.raw_connection()
    try:
        if engine.dialect.name == "sqlite":
            return _scrub_sqlite(connection)
        return _scrub_postgresql(connection)
    finally:
        # Its settings were changed; nobody else may get it.
        connection.invalidate()


def _scrub_sqlite(connection: PoolProxiedConnection) -> tuple[str, ...]:
    cursor = connection.cursor()
    for _ in range(_CHECKPOINT_TRIES):
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
        if row is not None and not row[0]:
            return ()
        # A reader still needs the log; reads are short.
        time.sleep(_PAUSE_S)
    return ("the write-ahead log is in use and was not cut",)


def _scrub_postgresql(connection: PoolProxiedConnection) -> tuple[str, ...]:
    driver: Any = connection.driver_connection
    driver.rollback()
    driver.autocommit = True
    driver.execute("SET statement_timeout = 0")
    notes = []
    (size,) = driver.execute("SELECT pg_database_size(current_database())").fetchone()
    if size <= FULL_VACUUM_BYTES:
        driver.execute("VACUUM FULL")
    else:
        driver.execute("VACUUM")
        notes.append("the database is large: run VACUUM FULL in a quiet hour")
    for statement, what in (
        ("CHECKPOINT", "no checkpoint"),
        ("SELECT pg_switch_wal()", "no new segment of the write-ahead log"),
        ("CHECKPOINT", "no second checkpoint"),
    ):
        try:
            driver.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            notes.append(f"{what}: the database account may not ask for it")
    return tuple(notes)
