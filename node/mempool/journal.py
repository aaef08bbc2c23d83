"""An append-only file of acknowledged transactions.

The file is a magic line and then frames, one per group of transactions that one `fsync` covered:

    frame   = "ATJ1" || length u32 || crc32 u32 || body          (integers big-endian)
    body    = { length u32 || origin u8 || transaction }*

A frame is written only after the one before it is safe, so a crash can tear the last frame and no
other. Reading therefore forgives a bad end and refuses a bad middle: if a whole, correct frame
follows a bad one, the disk has lost something that was promised, and the operator must know.

Nothing is removed in place. When most of the file is dead, the living transactions are written
to a new file that takes the old one's name in a single step.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.folders import sync_folder
from node.mempool.refusals import JournalDamaged, JournalFailed
from node.storage.crashpoints import CrashPoints

_HEADER = b"atesta mempool journal 1\n"
_FRAME_MAGIC = b"ATJ1"
_FRAME = struct.Struct(">4sII")
_ITEM = struct.Struct(">IB")
_CRASH_KIND = "mempool"
_COMPACTION_CRASH_KIND = "mempool_compaction"

_NEXT_STEP = (
    "Restore the file from a backup, or move it away to give up the transactions that waited in it"
)

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Bound of one group; a length beyond it is not a length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """One journaled transaction."""

    raw: bytes
    """The transaction's canonical bytes."""
    acknowledged: bool
    """Whether this node answered for it; False for one that came from a peer."""


class Journal:
    """The open file. Not thread-safe: one thread at a time calls it."""

    def __init__(self, path: Path, crash_points: CrashPoints | None = None) -> None:
        self._path = path
        self._crash_points = crash_points or CrashPoints()
        self._descriptor = -1
        self._size = 0
        self._is_failed = False

    @property
    def size_bytes(self) -> int:
        """Return the length of the file, living and dead."""
        return self._size

    def open(self) -> tuple[JournalRecord, ...]:
        """Open or create the file and return what it holds, oldest first.

        Raises JournalDamaged when a frame that was once safe no longer is.
        """
        data = self._path.read_bytes() if self._path.exists() else b""
        records, good = _read_frames(data, self._path)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if good == 0:
            with self._crash_points.around(_CRASH_KIND) as is_torn:
                os.ftruncate(self._descriptor, 0)
                _write_all(self._descriptor, _HEADER[: len(_HEADER) // 2] if is_torn else _HEADER)
                os.fsync(self._descriptor)
            good = len(_HEADER)
        elif good < len(data):
            os.ftruncate(self._descriptor, good)
        os.lseek(self._descriptor, good, os.SEEK_SET)
        os.fsync(self._descriptor)
        sync_folder(self._path.parent)
        self._size = good
        return tuple(records)

    def append(self, records: Sequence[JournalRecord]) -> None:
        """Write one group and return once it is on disk.

        Raises JournalFailed; after that every further call raises it too, because a file whose
        `fsync` failed once has an unknown content.
        """
        frame = _encode_frame(records)
        with self._writing(), self._crash_points.around(_CRASH_KIND) as is_torn:
            _write_all(self._descriptor, frame[: len(frame) // 2] if is_torn else frame)
            os.fdatasync(self._descriptor)
        self._size += len(frame)

    def replace(self, records: Sequence[JournalRecord]) -> None:
        """Let the file hold exactly these records, in one step that a crash cannot halve.

        Raises JournalFailed; the old file stays in place then.
        """
        temporary = self._path.with_suffix(".new")
        with self._writing():
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            size = len(_HEADER)
            _write_all(descriptor, _HEADER)
            for group in split_groups(records):
                frame = _encode_frame(group)
                _write_all(descriptor, frame)
                size += len(frame)
            os.fsync(descriptor)
            with self._crash_points.around(_COMPACTION_CRASH_KIND):
                temporary.replace(self._path)
                sync_folder(self._path.parent)
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = size

    def close(self) -> None:
        """Close the file; nothing is pending, because every append is already on disk."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raise JournalFailed for a fault of the disk, now and ever after."""
        if self._is_failed:
            raise JournalFailed(
                "an earlier write failed", field=str(self._path), next_step="Restart the node"
            )
        try:
            yield
        except OSError as error:
            self._is_failed = True
            raise JournalFailed(
                f"cannot be written: {error.strerror}",
                field=str(self._path),
                next_step="Free or repair the disk, then restart the node",
            ) from error


def _encode_frame(records: Iterable[JournalRecord]) -> bytes:
    body = b"".join(
        _ITEM.pack(len(record.raw), record.acknowledged) + record.raw for record in records
    )
    assert len(body) <= MAX_FRAME_BYTES
    return _FRAME.pack(_FRAME_MAGIC, len(body), zlib.crc32(body)) + body


def split_groups(records: Sequence[JournalRecord]) -> Iterator[list[JournalRecord]]:
    """Yield parts of a group, each small enough for a frame of its own."""
    group: list[JournalRecord] = []
    size = 0
    for record in records:
        group.append(record)
        size += len(record.raw)
        if size > MAX_FRAME_BYTES // 8:
            yield group
            group, size = [], 0
    if group:
        yield group


def _read_frames(data: bytes, path: Path) -> tuple[list[JournalRecord], int]:
    """Return the records and the length of the good beginning."""
    if not data.startswith(_HEADER):
        if _HEADER.startswith(data):  # the crash came before the first line was complete
            return [], 0
        raise JournalDamaged(
            "is not a mempool journal, or its beginning is damaged",
            field=str(path),
            next_step=_NEXT_STEP,
        )
    records: list[JournalRecord] = []
    position = len(_HEADER)
    while position < len(data):
        body = _read_frame(data, position)
        if body is None:
            _check_torn_end(data, position, path)
            break
        records.extend(_read_items(body, path))
        position += _FRAME.size + len(body)
    return records, position


def _read_frame(data: bytes, position: int) -> bytes | None:
    if position + _FRAME.size > len(data):
        return None
    magic, length, checksum = _FRAME.unpack_from(data, position)
    start = position + _FRAME.size
    if magic != _FRAME_MAGIC or length > MAX_FRAME_BYTES or start + length > len(data):
        return None
    body = data[start : start + length]
    return body if zlib.crc32(body) == checksum else None


def _check_torn_end(data: bytes, position: int, path: Path) -> None:
    later = data.find(_FRAME_MAGIC, position + 1)
    while later >= 0:
        if _read_frame(data, later) is not None:
            raise JournalDamaged(
                f"is damaged at byte {position}, yet whole again at byte {later}",
                field=str(path),
                next_step=_NEXT_STEP,
            )
        later = data.find(_FRAME_MAGIC, later + 1)


def _read_items(body: bytes, path: Path) -> Iterator[JournalRecord]:
    position = 0
    while position < len(body):
        length, acknowledged = _ITEM.unpack_from(body, position)
        position += _ITEM.size
        if position + length > len(body):
            raise JournalDamaged(
                "holds a group of transactions with a right checksum and a wrong content",
                field=str(path),
                next_step=_NEXT_STEP,
            )
        yield JournalRecord(raw=body[position : position + length], acknowledged=bool(acknowledged))
        position += length


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
