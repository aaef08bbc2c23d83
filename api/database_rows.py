"""Many rows put into a table at once, and the row numbers that follow them.

Rows go to PostgreSQL by COPY, which costs server and client a fraction of what one INSERT for each
row does; a few rows, and all of SQLite's, by one INSERT that is executed for each.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Table, func, insert, select

from api.database_engines import wrap_error

_COPY_FROM: Final = 8
"""Rows from which COPY is worth its own exchange of messages."""


def insert_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns, of bytes, text, numbers and truth values.

    Raises what an INSERT raises.
    """
    if connection.dialect.name == "postgresql" and len(rows) >= _COPY_FROM:
        _copy(connection, table, rows)
    elif rows:
        connection.execute(insert(table), rows)


def continue_row_numbers(connection: Connection, tables: Iterable[Table]) -> None:
    """Let every table number its next row above those that it has.

    SQLite does so by itself; PostgreSQL counts apart from the rows.
    """
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        column = table.autoincrement_column
        if column is None:
            continue
        counter = connection.execute(
            select(func.pg_get_serial_sequence(table.name, column.name))
        ).scalar_one_or_none()
        if counter is not None:
            last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(counter, last, False)))


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(rows[0])
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(quote(column) for column in columns)})"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[column] for column in columns])
    except psycopg.Error as error:
        raise wrap_error(error) from None
