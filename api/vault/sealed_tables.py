"""Which tables of the vault hold sealed rows, and what belongs to a record that is erased.

Wrapping anew, rotating, backing up, checking and erasing must find every sealed row there is. They
ask here. A table that seals has the columns `epoch`, `wrapped_key` and `ciphertext` and an entry in
`SEALED_TABLES`; a table with rows of a record, sealed or not, stands in `DELETED_TABLES` as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Column, Row, Table

from api.imports.tables import IMPORT_LINES
from api.vault.tables import CLAIMS, MATERIALS, MEMBERS, RECORDS, RESTRICTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTable:
    """One table with sealed rows."""

    table: Table
    keys: tuple[str, ...]
    """Columns that name a row."""
    parts: tuple[str, ...]
    """Columns that `build_identity` needs."""
    build_identity: Callable[[Row[Any]], bytes]
    """Returns what is authenticated with the row."""
    private: tuple[str, ...] = ()
    """Columns that are fingerprints of what is inside, veiled under the epoch's key."""

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def row_columns(self) -> tuple[Column[Any], ...]:
        """Columns to read for wrapping anew: what names, identifies, wraps, and is veiled."""
        names = dict.fromkeys((*self.keys, *self.parts, "epoch", "wrapped_key", *self.private))
        return tuple(self.table.c[name] for name in names)

    def read_private(self, row: Row[Any]) -> tuple[bytes | None, ...]:
        """Return a row's fingerprints as they are stored."""
        found = (getattr(row, name) for name in self.private)
        return tuple(None if value is None else bytes(value) for value in found)

    def compute_place(self, identity: bytes) -> bytes:
        """Return what names a sealed row in the wraps kept beside the keys; 16 bytes."""
        return sha256(self.name.encode() + b"\0" + identity).digest()[:16]


def build_record_identity(uid: bytes, schema_uid: bytes, version: int) -> bytes:
    """Return what is authenticated with a credential."""
    return uid + schema_uid + version.to_bytes(4, "big")


def build_material_identity(uid: bytes, role: str, version: int | None) -> bytes:
    """Return what is authenticated with an envelope; `version` is None for the first kind."""
    suffix = b"" if version is None else b"\0" + version.to_bytes(4, "big")
    return b"material" + uid + role.encode() + suffix


def build_line_identity(import_id: str, line: int) -> bytes:
    """Return what is authenticated with a line of an import, which has one version only."""
    return f"import:{import_id}:{line}".encode()


SEALED_TABLES: Final = (
    SealedTable(
        table=RECORDS,
        keys=("uid",),
        parts=("uid", "schema_uid", "version"),
        build_identity=lambda row: build_record_identity(
            bytes(row.uid), bytes(row.schema_uid), row.version
        ),
        private=("reference", "body_fingerprint"),
    ),
    SealedTable(
        table=MATERIALS,
        keys=("uid", "role"),
        parts=("uid", "role", "version"),
        build_identity=lambda row: build_material_identity(bytes(row.uid), row.role, row.version),
        private=("reference",),
    ),
    SealedTable(
        table=IMPORT_LINES,
        keys=("import_id", "line"),
        parts=("import_id", "line"),
        build_identity=lambda row: build_line_identity(row.import_id, row.line),
    ),
)
"""Every table with sealed rows."""

DELETED_TABLES: Final = (CLAIMS, MEMBERS, MATERIALS, RECORDS, RESTRICTIONS)
"""Tables whose rows go when the record that their `uid` names is erased, in that order.

Lines of imports stay, because imports are counted by their lines.
"""

ERASED_LINE: Final = {
    "state": "rejected",
    "code": "erased",
    "reason": "the record was erased",
    "epoch": None,
    "wrapped_key": None,
    "ciphertext": None,
}
"""What becomes of a waiting line of an import whose record is erased."""
