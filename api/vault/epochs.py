"""The erasure epochs as the database knows them: which take new records, which are ending.

The keys are in the key folder; here stands only what a transaction that stores a sealed row must
be sure of, that the epoch under which it was sealed still takes new rows. Transactions that write
follow each other (`api.databases`), so no row can slip under a key whose living are being moved
away.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from api.vault.sealed_tables import SealedTable
from api.vault.tables import CLAIMS, EPOCHS, RECORDS

CHUNK_ROWS: Final = 500
"""Rows that are wrapped anew in one transaction."""


class EpochState(StrEnum):
    """Where an epoch is in its life."""

    OPEN = "open"
    CLOSING = "closing"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One line of the table."""

    number: int
    state: EpochState
    successor: int | None
    """Where the living go, once it closes."""
    created_s: int


class EpochClosed(Exception):
    """The epoch does not take new rows any more; seal under another and try again."""


def list_epochs(connection: Connection) -> dict[int, Epoch]:
    """Return all epochs by number."""
    rows = connection.execute(select(EPOCHS).order_by(EPOCHS.c.epoch))
    return {
        row.epoch: Epoch(
            number=row.epoch,
            state=EpochState(row.state),
            successor=row.successor,
            created_s=row.created_s,
        )
        for row in rows
    }


def confirm_open(connection: Connection, number: int) -> None:
    """Make sure that an epoch takes rows until this transaction ends; raises `EpochClosed`."""
    state = connection.execute(
        select(EPOCHS.c.state).where(EPOCHS.c.epoch == number)
    ).scalar_one_or_none()
    if state != EpochState.OPEN:
        raise EpochClosed


def register(connection: Connection, number: int, created_s: int) -> None:
    """Enter a new epoch; nothing happens if it is there."""
    known = connection.execute(
        select(EPOCHS.c.epoch).where(EPOCHS.c.epoch == number)
    ).scalar_one_or_none()
    if known is None:
        connection.execute(
            insert(EPOCHS).values(epoch=number, state=EpochState.OPEN, created_s=created_s)
        )


def close(connection: Connection, successors: Mapping[int, int]) -> None:
    """Let epochs take nothing new and name the successors of their living."""
    for number, successor in successors.items():
        connection.execute(
            update(EPOCHS)
            .where(EPOCHS.c.epoch == number, EPOCHS.c.state == EpochState.OPEN)
            .values(state=EpochState.CLOSING, successor=successor)
        )


def mark_destroyed(connection: Connection, numbers: Collection[int]) -> None:
    """Note that the keys of epochs are gone."""
    for number in numbers:
        register(connection, number, 0)
        connection.execute(
            update(EPOCHS).where(EPOCHS.c.epoch == number).values(state=EpochState.DESTROYED)
        )


def get_newest(connection: Connection) -> int:
    """Return the number of the last epoch that was begun; 0 if none was."""
    return connection.execute(select(func.max(EPOCHS.c.epoch))).scalar_one() or 0


def count_rows(connection: Connection, tables: Iterable[SealedTable], number: int) -> int:
    """Return how many sealed rows an epoch has."""
    return sum(
        connection.execute(
            select(func.count()).select_from(sealed.table).where(sealed.table.c.epoch == number)
        ).scalar_one()
        for sealed in tables
    )


def iterate_rows(
    connection: Connection, sealed: SealedTable, number: int | None
) -> Iterator[Row[Any]]:
    """Yield the sealed rows of an epoch, without their ciphertexts; None for the first version."""
    yield from connection.execute(_select_rows(sealed, number))


def take_rows(
    connection: Connection, sealed: SealedTable, number: int | None
) -> Sequence[Row[Any]]:
    """Return the next rows of an epoch to wrap anew, at most `CHUNK_ROWS`."""
    return connection.execute(_select_rows(sealed, number).limit(CHUNK_ROWS)).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A row on its way under another epoch."""

    row: Row[Any]
    epoch: int
    wrapped_key: bytes
    private: Sequence[bytes | None]
    """The row's fingerprints, veiled under that epoch."""


def move_rows(connection: Connection, sealed: SealedTable, moves: Sequence[Move]) -> None:
    """Put rows, with their fingerprints, under other epochs."""
    if not moves:
        return
    columns = sealed.table.c
    connection.execute(
        update(sealed.table)
        .where(*(columns[key] == bindparam(f"at_{key}") for key in sealed.keys))
        .values({name: bindparam(f"new_{name}") for name in _list_moved(sealed)}),
        [_bind(sealed, move) for move in moves],
    )
    if sealed.table is not RECORDS:
        return
    # A claim repeats the fingerprint of its record.
    place = sealed.private.index("reference")
    claimed = [
        {"at_uid": move.row.uid, "new_reference": move.private[place]}
        for move in moves
        if move.private[place] is not None
    ]
    if claimed:
        connection.execute(
            update(CLAIMS)
            .where(CLAIMS.c.uid == bindparam("at_uid"))
            .values(reference=bindparam("new_reference")),
            claimed,
        )


def _list_moved(sealed: SealedTable) -> tuple[str, ...]:
    return ("epoch", "wrapped_key", *sealed.private)


def _bind(sealed: SealedTable, move: Move) -> dict[str, Any]:
    values = (move.epoch, move.wrapped_key, *move.private)
    return {
        **{f"at_{key}": getattr(move.row, key) for key in sealed.keys},
        **{f"new_{n}": v for n, v in zip(_list_moved(sealed), values, strict=True)},
    }


def _select_rows(sealed: SealedTable, number: int | None) -> Any:
    columns = sealed.table.c
    is_mine = columns.epoch.is_(None) if number is None else columns.epoch == number
    return select(*sealed.row_columns).where(and_(is_mine, columns.wrapped_key.is_not(None)))
