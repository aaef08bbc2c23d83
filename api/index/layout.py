"""The version of the index's tables, and what happens when it is not ours.

The index holds nothing that the chain does not hold. So it is not migrated: tables of another
version are dropped, and the index reads the chain again.
"""

from typing import Final

import structlog
from sqlalchemy import Connection, delete, insert, select

from api.index.law_tables import LAYOUT
from api.index.tables import CURSOR, METADATA

log = structlog.get_logger(__name__)

LAYOUT_VERSION: Final = 9
"""Raised with every change of a table, or of what an event means for one."""


def prepare_layout(connection: Connection) -> bool:
    """Make the tables those of this version; True if older ones were dropped for it."""
    version = get_layout(connection)
    if version == LAYOUT_VERSION:
        return False
    is_filled = connection.execute(select(CURSOR.c.id)).first() is not None
    if is_filled:
        log.warning("index of another version: read again from the chain", version=version or 1)
        clear_layout(connection)
    else:
        _note_version(connection)
    return is_filled


def clear_layout(connection: Connection) -> None:
    """Make all tables anew and empty, which costs the same however much they hold."""
    METADATA.drop_all(connection)
    METADATA.create_all(connection)
    _note_version(connection)


def get_layout(connection: Connection) -> int | None:
    """Return the version of the tables that are there; None for new ones."""
    version: int | None = connection.execute(select(LAYOUT.c.version)).scalar_one_or_none()
    return version


def _note_version(connection: Connection) -> None:
    connection.execute(delete(LAYOUT))
    connection.execute(insert(LAYOUT).values(id=1, version=LAYOUT_VERSION))
