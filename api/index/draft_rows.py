"""Many rows of a table in few statements, on any engine.

Rows that are inserted together have the same columns. Rows that are changed together change the
same columns, so changes are sorted by which columns they are of.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, Table, Update, bindparam, delete, update

from api.database_rows import insert_many

Row = dict[str, Any]


class UidRows:
    """Rows of a table whose key is `uid`, that events add and change."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._new: dict[bytes, Row] = {}
        self._changes: dict[bytes, Row] = defaultdict(dict)

    def add(self, row: Row) -> None:
        """Add a row."""
        self._new[row["uid"]] = row

    def change(self, uid: bytes, **values: Any) -> None:
        """Change a row, if there is one when all is written."""
        new = self._new.get(uid)
        (self._changes[uid] if new is None else new).update(values)

    def write(self, connection: Connection) -> None:
        """Write what was added, then what was changed."""
        insert_many(connection, self._table, list(self._new.values()))
        changed = [({"uid": uid}, values) for uid, values in self._changes.items()]
        update_rows(connection, self._table, changed)


def update_rows(
    connection: Connection,
    table: Table,
    changes: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> None:
    """Change rows: pairs of key columns and new values. No two are of one row."""
    sorted_by_columns: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Row]] = defaultdict(list)
    for key, values in changes:
        parameters = {f"key_{name}": value for name, value in key.items()}
        parameters |= {f"new_{name}": value for name, value in values.items()}
        sorted_by_columns[tuple(sorted(key)), tuple(sorted(values))].append(parameters)
    for (key_columns, columns), rows in sorted_by_columns.items():
        connection.execute(_build_update(table, key_columns, columns), rows)


def delete_rows(connection: Connection, table: Table, keys: Sequence[Mapping[str, Any]]) -> None:
    """Delete the rows with these primary keys, where there are any; further columns do no harm."""
    if keys:
        names = [column.name for column in table.primary_key]
        rows = [{f"key_{name}": key[name] for name in names} for key in keys]
        connection.execute(_build_delete(table), rows)


# Made once: building a statement anew costs more than executing it does.


@cache
def _build_update(table: Table, key_columns: tuple[str, ...], columns: tuple[str, ...]) -> Update:
    statement = update(table).values({name: bindparam(f"new_{name}") for name in columns})
    return statement.where(*(table.c[name] == bindparam(f"key_{name}") for name in key_columns))


@cache
def _build_delete(table: Table) -> Delete:
    return delete(table).where(
        *(column == bindparam(f"key_{column.name}") for column in table.primary_key)
    )
