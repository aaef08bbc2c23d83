"""Bringing a vault of the first version under erasure epochs, in place.

There, data keys were wrapped under the master key itself. Their wraps are made anew under epochs, a
chunk in each transaction, so that a process killed on the way goes on where it was; ciphertexts
stay as they are. Copies of the old database stay readable for whoever has the master key of then:
`atesta vault rotate` and destroying that key end it.
"""

from functools import partial

from sqlalchemy import Connection, func, select

from api.vault import epochs
from api.vault.epoch_keys import EpochKey
from api.vault.keyring import Keyring, Progress
from api.vault.sealed_tables import SEALED_TABLES, SealedTable


def count_first_rows(connection: Connection) -> int:
    """Return how many rows are still wrapped under the master key itself."""
    return sum(
        connection.execute(
            select(func.count())
            .select_from(sealed.table)
            .where(sealed.table.c.epoch.is_(None), sealed.table.c.wrapped_key.is_not(None))
        ).scalar_one()
        for sealed in SEALED_TABLES
    )


def upgrade_rows(keyring: Keyring, progress: Progress | None = None) -> int:
    """Wrap all rows of the first version anew and return their number.

    Call it with the folder held. Raises `VaultDamaged` for a row that does not open; the rows
    before it stay done.
    """
    total = keyring.database.read_now(count_first_rows)
    done = 0
    for sealed in SEALED_TABLES:
        while done < total:
            key = keyring.take_key()
            moved = keyring.database.write_now(
                partial(_move, keyring=keyring, sealed=sealed, key=key)
            )
            if not moved:
                break
            keyring.note_rows(moved)
            done += moved
            if progress is not None:
                progress(done, total)
    return done


def _move(connection: Connection, *, keyring: Keyring, sealed: SealedTable, key: EpochKey) -> int:
    rows = epochs.take_rows(connection, sealed, None)
    moves = []
    for row in rows:
        identity = sealed.build_identity(row)
        data_key = keyring.unwrap(None, bytes(row.wrapped_key), identity)
        moves.append(
            epochs.Move(
                row=row,
                epoch=key.number,
                wrapped_key=key.wrap(data_key, identity),
                private=[None if p is None else key.veil(p) for p in sealed.read_private(row)],
            )
        )
    epochs.move_rows(connection, sealed, moves)
    return len(rows)
