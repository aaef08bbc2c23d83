"""Checking the vault: every sealed row is opened, and every document held against its commitment.

A backup is checked by restoring it: into a database of its own beside the file, which holds no key
and is removed afterwards.
"""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from atesta_client.canonical import load_json
from atesta_client.credentials import decode_credential
from atesta_client.envelopes import decode_envelope
from atesta_client.errors import ClientError
from sqlalchemy import Row, func, select

from api.databases import open_database
from api.errors import ApiError
from api.migrations.migrating import VAULT_MIGRATIONS
from api.vault.all_tables import VAULT_METADATA
from api.vault.ciphers import Sealed
from api.vault.keyring import Keyring, Progress
from api.vault.restoring import RestoreReport, restore_backup
from api.vault.sealed_tables import SEALED_TABLES, SealedTable
from api.vault.tables import MATERIALS, RECORDS

_BATCH_ROWS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found."""

    rows: int
    """Sealed rows that were opened."""
    damaged: dict[str, int]
    """Rows by table that did not open or are not what was committed to."""

    @property
    def is_whole(self) -> bool:
        """Whether everything opened."""
        return not self.damaged


def check_vault(keyring: Keyring, progress: Progress | None = None) -> CheckReport:
    """Open everything that is sealed in the vault; changes nothing."""
    database = keyring.database
    total = sum(
        database.read_now(
            lambda c, s=sealed: c.execute(  # type: ignore[misc]
                select(func.count()).select_from(s.table).where(s.table.c.wrapped_key.is_not(None))
            ).scalar_one()
        )
        for sealed in SEALED_TABLES
    )
    done = 0
    damaged: Counter[str] = Counter()
    for sealed in SEALED_TABLES:
        after: tuple[Any, ...] | None = None
        while rows := database.read_now(_build_page(sealed, after)):
            for row in rows:
                if not _is_good(keyring, sealed, row):
                    damaged[sealed.name] += 1
            after = tuple(getattr(rows[-1], name) for name in sealed.keys)
            done += len(rows)
            if progress is not None:
                progress(done, total)
    return CheckReport(rows=done, damaged=dict(damaged))


def check_backup(
    keyring: Keyring, path: Path, progress: Progress | None = None
) -> tuple[RestoreReport, CheckReport]:
    """Restore a backup into a database of its own and open everything in it.

    Raises `BackupRefused` and what restoring raises; the vault is left alone.
    """
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.check-", dir=path.parent))
    database = None
    try:
        database = open_database(
            folder / "check.sqlite",
            VAULT_METADATA,
            migrations=replace(VAULT_MIGRATIONS, is_logged=False),
            name="check",
        )
        scratch = keyring.on(database)
        restored = restore_backup(scratch, path)
        return restored, check_vault(scratch, progress)
    finally:
        if database is not None:
            database.close()
        shutil.rmtree(folder, ignore_errors=True)


def _build_page(sealed: SealedTable, after: tuple[Any, ...] | None) -> Any:
    """Return the work that reads the next rows in the order of the table's keys."""
    columns = [sealed.table.c[name] for name in sealed.keys]
    query = (
        select(sealed.table)
        .where(sealed.table.c.wrapped_key.is_not(None))
        .order_by(*columns)
        .limit(_BATCH_ROWS)
    )
    if after is not None:
        query = query.where(_is_after(columns, after))
    return lambda connection: connection.execute(query).all()


def _is_after(columns: list[Any], after: tuple[Any, ...]) -> Any:
    first, *rest = columns
    condition = first > after[0]
    if rest:
        condition |= (first == after[0]) & _is_after(rest, after[1:])
    return condition


def _is_good(keyring: Keyring, sealed: SealedTable, row: Row[Any]) -> bool:
    parts = Sealed(
        epoch=row.epoch, wrapped_key=bytes(row.wrapped_key), ciphertext=bytes(row.ciphertext)
    )
    try:
        plain = keyring.open(parts, sealed.build_identity(row))
        if sealed.table is RECORDS:
            return decode_credential(plain).commit().root == bytes(row.commitment)
        if sealed.table is MATERIALS:
            return decode_envelope(load_json(plain)).commitment == bytes(row.commitment)
    except (ApiError, ClientError):
        return False
    return True
