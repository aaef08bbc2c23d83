"""Bringing a backup back, without what was erased since.

The erasure list counts before the backup: rows of erased records are not put in at all, and could
not be opened anyway, and what was ordered to be erased or restricted since is so again. Rows of the
living come back under the epochs of today: where the epoch that wraps them in the file was
destroyed, the wraps kept beside the keys take its place. All of it is one transaction, after the
file was read to its end once: whoever is killed meanwhile finds what was there before.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, func, insert, select

from api.database_rows import continue_row_numbers
from api.errors import UserFault
from api.imports.queries import forget_erased
from api.imports.tables import IMPORT_LINES
from api.vault import epochs
from api.vault.all_tables import LOGS, list_backup_tables
from api.vault.backup import PRIVATE, find_sealed, open_private
from api.vault.backup_file import BackupRefused, Batch, read_backup
from api.vault.ciphers import VaultDamaged
from api.vault.decisions import enter_decisions
from api.vault.erasure_journal import Erased
from api.vault.keyring import Keyring, Progress
from api.vault.sealed_tables import DELETED_TABLES, ERASED_LINE, SealedTable
from api.vault.tables import CLAIMS, ERASURE_ORDERS, ERASURES, RECORDS, RESTRICTIONS

_CHUNK: Final = 500
_DELETED: Final = {table.name for table in DELETED_TABLES}


class VaultNotEmpty(UserFault):
    """The database to restore into holds records."""

    def __init__(self) -> None:
        super().__init__(
            "the vault's database is not empty",
            code="vault_not_empty",
            next_step="restore into a new database, or have what is there replaced",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What came back and what did not."""

    rows: int
    """Rows put in."""
    erased: int
    """Rows of erased records, which stay away."""
    rewrapped: int
    """Rows of the living whose epoch was destroyed since."""
    lost: int
    """Rows whose key is gone although they are not on the erasure list: they were replaced since
    and the later version was not in this file, or the key folder is not whole."""
    present: int
    """Entries of logs that the database has and keeps; they are never replaced."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One row on its way back."""

    table: str
    values: dict[str, Any]


def restore_backup(
    keyring: Keyring, path: Path, *, replace: bool = False, progress: Progress | None = None
) -> RestoreReport:
    """Fill the vault's database from a backup; durable on return.

    Raises `BackupRefused`, `VaultNotEmpty` unless `replace`, `KeyFolderFault`, `UpstreamFault`;
    then the database is as it was.
    """
    vault_id, standing = keyring.header.vault_id, keyring.fingerprints
    with keyring.folder.locked():
        keyring.load()
        total = sum(
            len(batch.rows) for batch in read_backup(path, vault_id=vault_id, standing=standing)
        )
        returning = _Returning(keyring)

        def fill(connection: Connection) -> RestoreReport:
            _clear(connection, replace=replace)
            counts: Counter[str] = Counter()
            done = 0
            for batch in read_backup(path, vault_id=vault_id, standing=standing):
                taken = returning.take(batch, counts)
                lines = _leave_out_present(connection, batch, taken)
                counts["present"] += len(taken) - len(lines)
                if lines:
                    table = _find_table(batch.table)
                    connection.execute(insert(table), [line.values for line in lines])
                done += len(batch.rows)
                counts["rows"] += len(lines)
                if progress is not None:
                    progress(done, total)
            _enter_erasures(connection, keyring)
            continue_row_numbers(connection, list_backup_tables())
            return RestoreReport(
                rows=counts["rows"],
                erased=counts["erased"],
                rewrapped=counts["rewrapped"],
                lost=counts["lost"],
                present=counts["present"],
            )

        report = keyring.database.write_now(fill)
        keyring.load()
    return report


def count_present(keyring: Keyring, path: Path) -> int:
    """Count the entries of a backup's logs that the vault has, so that restoring leaves them out.

    Raises `BackupRefused`.
    """
    found = 0
    batches = read_backup(path, vault_id=keyring.header.vault_id, standing=keyring.fingerprints)
    for batch in batches:
        log = next((table for table in LOGS if table.name == batch.table), None)
        if log is not None and batch.rows:
            place = batch.columns.index("sequence")
            numbers = [row[place] for row in batch.rows]
            found += len(
                keyring.database.read_now(partial(_find_present, log=log, numbers=numbers))
            )
    return found


class _Returning:
    """Turns rows of a backup into rows of today."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._wraps = keyring.folder.find_wraps()
        self._away: set[bytes] = set()
        self._references: dict[bytes, bytes | None] = {}

    def take(self, batch: Batch, counts: Counter[str]) -> list[_Line]:
        """Return the rows that come back, and count those that do not."""
        table = _find_table(batch.table)
        if not {*batch.columns} <= {*table.columns.keys(), PRIVATE}:
            raise _build_newer()
        sealed = find_sealed(table)
        lines = []
        for row in batch.rows:
            values = dict(zip(batch.columns, row, strict=True))
            private = values.pop(PRIVATE, None)
            uid: bytes = values.get("uid") or b""
            is_followed = batch.table in _DELETED
            if is_followed and _is_erased(self._keyring.erasures.erased.get(uid), values):
                counts["erased"] += 1
                self._note_away(table, uid)
                continue
            if table is IMPORT_LINES and uid in self._keyring.erasures.erased:
                values.update(ERASED_LINE)
            if is_followed and sealed is None and uid in self._away:
                counts["lost"] += uid not in self._keyring.erasures.erased
                continue
            if sealed is not None and values["wrapped_key"] is not None:
                try:
                    counts["rewrapped"] += self._attach(sealed, values, private)
                except VaultDamaged:
                    counts["lost"] += 1
                    self._note_away(table, uid)
                    continue
            if table is RECORDS:
                self._references[uid] = values.get("reference")
            if table is CLAIMS:
                values["reference"] = self._references.get(uid)
                if values["reference"] is None:
                    counts["lost"] += 1
                    continue
            lines.append(_Line(table.name, values))
        return lines

    def _note_away(self, table: Table, uid: bytes) -> None:
        """Let what only points to a record stay away with it."""
        if table is RECORDS:
            self._away.add(uid)

    def _attach(self, sealed: SealedTable, values: dict[str, Any], private: bytes | None) -> bool:
        """Give a sealed row a wrap that opens; True if it is another than the file's."""
        identity = sealed.build_identity(_Row(values))  # type: ignore[arg-type]
        key = self._keyring.find_key(values["epoch"])
        moved = key is None
        if key is None:
            found = self._wraps.get(sealed.compute_place(identity))
            key = None if found is None else self._keyring.find_key(found.epoch)
            if found is None or key is None:
                raise VaultDamaged
            values.update(epoch=found.epoch, wrapped_key=found.wrapped_key)
        data_key = key.unwrap(values["wrapped_key"], identity)
        if private is not None:
            for name, value in zip(
                sealed.private, open_private(data_key, private, identity), strict=True
            ):
                values[name] = None if value is None else key.veil(value)
        return moved


class _Row:
    """Values by attribute, as a row of the database has them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _is_erased(entry: Erased | None, values: Mapping[str, Any]) -> bool:
    """Tell whether a row went with an erasure; what was kept for the uid later did not."""
    if entry is None:
        return False
    return int(values.get("created_s", 0)) <= entry.erased_s


def _find_table(name: str) -> Table:
    for table in list_backup_tables():
        if table.name == name:
            return table
    raise _build_newer()


def _build_newer() -> BackupRefused:
    return BackupRefused("this backup was written by a newer version of this program")


def _leave_out_present(connection: Connection, batch: Batch, lines: list[_Line]) -> list[_Line]:
    """Take out the entries of a log that the database has."""
    log = next((table for table in LOGS if table.name == batch.table), None)
    if log is None or not lines:
        return lines
    numbers = [line.values["sequence"] for line in lines]
    present = _find_present(connection, log=log, numbers=numbers)
    return [line for line in lines if line.values["sequence"] not in present]


def _find_present(connection: Connection, *, log: Table, numbers: Sequence[int]) -> set[int]:
    query = select(log.c.sequence).where(log.c.sequence.in_(numbers))
    return set(connection.execute(query).scalars())


def _clear(connection: Connection, *, replace: bool) -> None:
    tables = [table for table in list_backup_tables() if table not in LOGS]
    # Decisions are entered again from the erasure list, as they are into a new database.
    telling = [table for table in tables if table not in (ERASURE_ORDERS, RESTRICTIONS)]
    if not replace and any(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in telling
    ):
        raise VaultNotEmpty
    for table in reversed(tables):
        connection.execute(delete(table))
    connection.execute(delete(ERASURES))


def _enter_erasures(connection: Connection, keyring: Keyring) -> None:
    """Say in the database what the key folder says of epochs, erasures and decisions."""
    for number in keyring.list_keys():
        key = keyring.find_key(number)
        assert key is not None, "it was just listed"
        epochs.register(connection, number, key.created_s)
    epochs.mark_destroyed(connection, keyring.erasures.destroyed)
    rows = [
        {"uid": uid, "reason": entry.reason, "erased_s": entry.erased_s}
        for uid, entry in keyring.erasures.erased.items()
    ]
    for chunk in _chunks(rows):
        connection.execute(insert(ERASURES), chunk)
    forget_erased(connection)
    enter_decisions(connection, keyring.erasures)


def _chunks(rows: Sequence[dict[str, Any]]) -> Any:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
