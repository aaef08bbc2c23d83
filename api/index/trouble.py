"""Why the index stands still, kept beside its rows, so that every process that serves them says so.

One process follows the chain and notices that index and chain do not belong together; the others
only read. A read replica receives the note with the rows.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, insert, select

from api.index.tables import METADATA

TROUBLE: Final = Table(
    "trouble",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("next_step", Text),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What whoever follows the chain has found."""

    reason: str
    next_step: str | None


def get_trouble(connection: Connection) -> Trouble | None:
    """Return why the index stands still; None while it follows."""
    row = connection.execute(select(TROUBLE)).one_or_none()
    return None if row is None else Trouble(reason=row.reason, next_step=row.next_step)


def put_trouble(connection: Connection, trouble: Trouble | None) -> None:
    """Note why the index stands still, or that it follows again."""
    connection.execute(delete(TROUBLE))
    if trouble is not None:
        connection.execute(
            insert(TROUBLE).values(id=1, reason=trouble.reason, next_step=trouble.next_step)
        )
