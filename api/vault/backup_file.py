"""The file of a backup: rows of tables, encrypted, of no engine.

    file   = magic ‖ uint32 length ‖ header ‖ frames
    header = JSON: format, the vault's id, a nonce, the time
    frame  = uint32 length ‖ AES-256-GCM(MessagePack [table, columns, rows])
    last frame = [end mark, number of rows of each table]

The key is derived from the vault's standing secrets and the nonce. Each frame is bound to the
header and to its place, and the last one counts all rows, so that nothing can be changed, exchanged
or cut off unnoticed.
"""

import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import msgpack
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.durable_files import sync_folder
from api.errors import UserFault
from api.vault.ciphers import VaultDamaged, decrypt, encrypt
from api.vault.keys import StandingSecrets

_pack: Callable[..., bytes] = msgpack.dumps
_unpack: Callable[..., Any] = msgpack.loads

_MAGIC: Final = b"atesta vault backup\n"
_FORMAT: Final = 2
_NONCE_SIZE: Final = 32
_LENGTH_SIZE: Final = 4
_MAX_FRAME: Final = 256 * 1024 * 1024
_END: Final = ""


class BackupRefused(UserFault):
    """A file is no backup of this vault, or not a whole one."""

    def __init__(self, reason: str, *, next_step: str | None = None) -> None:
        super().__init__(reason, code="backup_refused", field="backup", next_step=next_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupHeader:
    """What stands in the clear."""

    vault_id: bytes
    nonce: bytes
    created_s: int
    raw: bytes
    """The header's bytes, which every frame is bound to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of one table."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class BackupWriter:
    """Writes a backup beside its name and renames it when it is whole and on disk."""

    def __init__(
        self, path: Path, *, vault_id: bytes, standing: StandingSecrets, created_s: int
    ) -> None:
        """Begin the file; raises `BackupRefused` if there is one already."""
        if path.exists():
            raise BackupRefused("the file exists and is not overwritten")
        self._path = path
        self._temporary = path.with_name(path.name + ".part")
        header = _make_header(vault_id, created_s)
        self._frames = _Frames(header, standing)
        self._counts: Counter[str] = Counter()
        try:
            handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise BackupRefused(f"the file cannot be written: {error.strerror}") from error
        self._file = os.fdopen(handle, "wb")
        self._write(_MAGIC + len(header.raw).to_bytes(_LENGTH_SIZE, "big") + header.raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish()
            return
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def add(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows."""
        self._counts[table] += len(rows)
        self._write(self._frames.seal([table, list(columns), [list(row) for row in rows]]))

    def _finish(self) -> None:
        self._write(self._frames.seal([_END, dict(self._counts)]))
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise BackupRefused(f"the file cannot be written: {error.strerror}") from error

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise BackupRefused(f"the file cannot be written: {error.strerror}") from error


def read_backup(path: Path, *, vault_id: bytes, standing: StandingSecrets) -> Iterator[Batch]:
    """Yield a backup's rows, each frame checked before it is yielded; raises `BackupRefused`.

    Only the end tells that the file is whole: read it to the end before acting on it.
    """
    try:
        with path.open("rb") as file:
            header = read_header(file)
            if header.vault_id != vault_id:
                raise BackupRefused("this is a backup of another vault")
            yield from _read_frames(file, _Frames(header, standing))
    except OSError as error:
        raise BackupRefused(f"the file cannot be read: {error.strerror}") from error


def read_header(file: IO[bytes]) -> BackupHeader:
    """Read what stands in the clear; raises `BackupRefused`."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise BackupRefused("this file is no backup of a vault")
    raw = file.read(int.from_bytes(file.read(_LENGTH_SIZE), "big"))
    try:
        body = json.loads(raw)
        if body["format"] != _FORMAT:
            raise BackupRefused("this backup was written by another version of this program")
        return BackupHeader(
            vault_id=bytes.fromhex(body["vault"]),
            nonce=bytes.fromhex(body["nonce"]),
            created_s=body["created_s"],
            raw=raw,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _build_damage() from error


class _Frames:
    """Seals and opens the frames of one file in order."""

    def __init__(self, header: BackupHeader, standing: StandingSecrets) -> None:
        self._cipher = AESGCM(standing.derive_backup_key(header.nonce))
        self._bound = hashlib.sha256(header.raw).digest()
        self._next = 0

    def seal(self, content: Any) -> bytes:
        data = encrypt(self._cipher, _pack(content), self._take_place())
        return len(data).to_bytes(_LENGTH_SIZE, "big") + data

    def open(self, data: bytes) -> Any:
        return _unpack(decrypt(self._cipher, data, self._take_place()))

    def _take_place(self) -> bytes:
        self._next += 1
        return self._bound + self._next.to_bytes(8, "big")


def _read_frames(file: IO[bytes], frames: _Frames) -> Iterator[Batch]:
    counts: Counter[str] = Counter()
    while True:
        size = int.from_bytes(file.read(_LENGTH_SIZE), "big")
        data = file.read(size) if 0 < size <= _MAX_FRAME else b""
        if not data or len(data) != size:
            raise _build_damage()
        try:
            content = frames.open(data)
        except VaultDamaged as error:
            raise _build_damage() from error
        if content[0] == _END:
            if content[1] != dict(counts) or file.read(1):
                raise _build_damage()
            return
        table, columns, rows = content
        counts[table] += len(rows)
        yield Batch(table=table, columns=tuple(columns), rows=tuple(tuple(row) for row in rows))


def _make_header(vault_id: bytes, created_s: int) -> BackupHeader:
    nonce = secrets.token_bytes(_NONCE_SIZE)
    body = {
        "format": _FORMAT,
        "vault": vault_id.hex(),
        "nonce": nonce.hex(),
        "created_s": created_s,
    }
    return BackupHeader(
        vault_id=vault_id, nonce=nonce, created_s=created_s, raw=json.dumps(body).encode()
    )


def _build_damage() -> BackupRefused:
    return BackupRefused(
        "the backup is damaged or not whole", next_step="use another copy, or an older backup"
    )
