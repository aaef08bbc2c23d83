"""Writing a backup of the vault: one file, whatever the engine, while the vault goes on serving.

It holds the rows of one moment. Keys are not in it: wraps of data keys are, under the epochs' keys,
which stay in the key folder, so that a record which is erased later is dead in this file too. The
fingerprints of what is inside a record would outlive it, for whoever has the vault's keys; in the
file they are therefore sealed under the record's own data key.

Not in it are the tables that the key folder decides: the epochs and the erasure list.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgpack
from sqlalchemy import Connection, Row, Table, func, select

from api.vault.all_tables import check_tables, list_backup_tables
from api.vault.backup_file import BackupWriter
from api.vault.ciphers import VaultDamaged
from api.vault.epoch_keys import EpochKey, open_record, seal_record
from api.vault.keyring import Keyring, Progress
from api.vault.sealed_tables import SEALED_TABLES, SealedTable
from api.vault.tables import CLAIMS

BATCH_ROWS: Final = 500
"""Rows that are read, and written, together."""

PRIVATE: Final = "_private"
"""The column of a backup that holds a sealed row's fingerprints."""

_PRIVATE_IDENTITY: Final = b"backup"

_pack: Callable[..., bytes] = msgpack.dumps
_unpack: Callable[..., Any] = msgpack.loads


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSummary:
    """What a backup holds."""

    rows: int
    size_bytes: int
    damaged: int
    """Sealed rows whose wrap did not open; they are in the file as they are."""


def find_sealed(table: Table) -> SealedTable | None:
    """Return how the rows of a table are sealed; None for one with plain rows."""
    return next((sealed for sealed in SEALED_TABLES if sealed.table is table), None)


def write_backup(keyring: Keyring, path: Path, progress: Progress | None = None) -> BackupSummary:
    """Write the vault as it is now to a new file, durably and whole.

    Raises `BackupRefused` for a file that exists or cannot be written, `UpstreamFault`.
    """
    # What a record's row says and which keys there are must be of one time; keys that are
    # destroyed meanwhile are used on from memory, for rows that are dead then in this file as well.
    keys = {number: keyring.find_key(number) for number in keyring.list_keys()}
    writer = BackupWriter(
        path,
        vault_id=keyring.header.vault_id,
        standing=keyring.fingerprints,
        created_s=keyring.now_s(),
    )

    def copy(connection: Connection) -> tuple[int, int]:
        check_tables(connection)
        total = sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in list_backup_tables()
        )
        done = damaged = 0
        for table in list_backup_tables():
            for columns, rows, failed in _iterate(connection, table, keyring, keys):
                writer.add(table.name, columns, rows)
                done += len(rows)
                damaged += failed
                if progress is not None:
                    progress(done, total)
        return done, damaged

    with writer:
        done, damaged = keyring.database.read_now(copy)
    return BackupSummary(rows=done, size_bytes=path.stat().st_size, damaged=damaged)


def open_private(data_key: bytes, sealed: bytes, identity: bytes) -> list[Any]:
    """Return a row's fingerprints, in the order of its table's entry; raises `VaultDamaged`."""
    values: list[Any] = _unpack(open_record(data_key, sealed, _PRIVATE_IDENTITY + identity))
    return values


def _iterate(
    connection: Connection,
    table: Table,
    keyring: Keyring,
    keys: dict[int, EpochKey | None],
) -> Iterator[tuple[Sequence[str], list[list[Any]], int]]:
    """Yield columns, rows and the number of damaged ones, a batch at a time."""
    sealed = find_sealed(table)
    left_out = {"reference"} if table is CLAIMS else set(sealed.private if sealed else ())
    columns = [column.name for column in table.columns if column.name not in left_out]
    query = select(table).order_by(*table.primary_key.columns)
    streamed = query.execution_options(stream_results=True, yield_per=BATCH_ROWS)
    for batch in connection.execute(streamed).partitions():
        rows, failed = [], 0
        for row in batch:
            values = [getattr(row, name) for name in columns]
            if sealed is not None:
                try:
                    values.append(_seal_private(row, sealed, keyring, keys))
                except VaultDamaged:
                    values.append(None)
                    failed += 1
            rows.append(values)
        yield [*columns, PRIVATE] if sealed else columns, rows, failed


def _seal_private(
    row: Row[Any],
    sealed: SealedTable,
    keyring: Keyring,
    keys: dict[int, EpochKey | None],
) -> bytes | None:
    if row.wrapped_key is None or not sealed.private:
        return None
    identity = sealed.build_identity(row)
    key = keys.get(row.epoch)
    if key is None:
        # It was begun after this backup.
        key = keyring.find_key(row.epoch)
    if key is None:
        raise VaultDamaged
    data_key = key.unwrap(bytes(row.wrapped_key), identity)
    values = [None if p is None else key.unveil(p) for p in sealed.read_private(row)]
    return seal_record(data_key, _pack(values), _PRIVATE_IDENTITY + identity)
