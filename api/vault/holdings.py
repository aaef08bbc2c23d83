"""What the vault holds, without opening any of it: per record its credential and its materials.

Retention and erasure decide by kind and age. Both stand beside the ciphertext, in the clear.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, select

from api.databases import Database
from api.vault.tables import MATERIALS, RECORDS

_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One sealed thing: a credential, or one material of a record."""

    uid: bytes
    """The record."""
    schema_uid: bytes | None
    """Of a credential; None for a material."""
    role: str | None
    """Of a material; None for a credential."""
    created_s: int
    valid_until_s: int
    """0 for none."""


def iterate_holdings(database: Database) -> Iterator[Holding]:
    """Yield everything in the vault, a part of each table at a time."""
    for table in (RECORDS, MATERIALS):
        last = 0
        while True:

            def load(
                connection: Connection, table: Table = table, last: int = last
            ) -> list[Row[Any]]:
                query = _select(table).where(table.c.sequence > last).order_by(table.c.sequence)
                return list(connection.execute(query.limit(_CHUNK)))

            rows = database.read_now(load)
            if not rows:
                break
            yield from map(_read, rows)
            last = rows[-1].sequence


def list_holdings(connection: Connection, uids: Collection[bytes]) -> dict[bytes, list[Holding]]:
    """Return what is held of these records; those of which nothing is are left out."""
    wanted = list(dict.fromkeys(uids))
    found: dict[bytes, list[Holding]] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for table in (RECORDS, MATERIALS):
            for row in connection.execute(_select(table).where(table.c.uid.in_(chunk))):
                found.setdefault(bytes(row.uid), []).append(_read(row))
    return found


def _select(table: Table) -> Select[Any]:
    names = ("sequence", "uid", "created_s", "schema_uid", "valid_until_s", "role")
    return select(*(table.c[name] for name in names if name in table.c))


def _read(row: Row[Any]) -> Holding:
    is_credential = hasattr(row, "schema_uid")
    return Holding(
        uid=bytes(row.uid),
        schema_uid=bytes(row.schema_uid) if is_credential else None,
        role=None if is_credential else row.role,
        created_s=row.created_s,
        valid_until_s=row.valid_until_s if is_credential else 0,
    )
