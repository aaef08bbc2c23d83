"""Row numbers after rows were put in with the numbers that they had elsewhere."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, func, select


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
