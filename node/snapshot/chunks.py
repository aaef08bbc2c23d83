"""The snapshot file as a stream of chunks, each bound to all before it.

    file   = magic (16 bytes), version (1 byte), chunk*, end chunk
    chunk  = kind (1 byte), length (4 bytes, big-endian), payload, digest (32 bytes)
    digest = SHA-256(digest of the chunk before ‖ kind ‖ length ‖ payload)

The first chunk's predecessor is the digest of magic and version. So a damaged byte is found in the
chunk that it is in, a chunk cannot be left out, doubled or moved, and the last digest, the *seal*,
names the file. Checksums find accidents; they prove nothing about who made the file.
"""

import hashlib
import os
from collections.abc import Callable
from enum import IntEnum
from typing import BinaryIO, Final

from node.snapshot.errors import SnapshotRefused

MAGIC: Final = b"atesta-snapshot\n"
VERSION: Final = 1
MAX_PAYLOAD_BYTES: Final = 64 * 1024 * 1024
"""Far above what a writer makes; a block's body is the largest payload."""

_LENGTH_BYTES: Final = 4
_DIGEST_BYTES: Final = 32

Progress = Callable[[int], None]
"""Told how many bytes of the file are done."""


class ChunkKind(IntEnum):
    """What a chunk holds, in the order of the file."""

    MANIFEST = 1
    """Which network and block; exactly one."""
    SET_CHANGE = 2
    """A change of the validator set, oldest first."""
    HEADERS = 3
    """Headers before the block; exactly one."""
    STATE = 4
    """Parts of the state in the order of the walk."""
    END = 5
    """How many parts the state has; exactly one."""


class ChunkWriter:
    """Writes a snapshot to a file that is open for writing."""

    def __init__(self, file: BinaryIO) -> None:
        """Write magic and version."""
        self._file = file
        start = MAGIC + bytes((VERSION,))
        file.write(start)
        self.size_bytes = len(start)
        self.digest = hashlib.sha256(start).digest()
        """The digest of the last chunk; of the end chunk, the seal of the file."""

    def write(self, kind: ChunkKind, payload: bytes) -> None:
        """Append a chunk."""
        assert len(payload) <= MAX_PAYLOAD_BYTES, "writers cut before that"
        content = bytes((kind,)) + len(payload).to_bytes(_LENGTH_BYTES, "big") + payload
        self.digest = hashlib.sha256(self.digest + content).digest()
        self._file.write(content + self.digest)
        self.size_bytes += len(content) + _DIGEST_BYTES

    def finish(self) -> None:
        """Have everything on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())


class ChunkReader:
    """Reads a snapshot chunk by chunk; every method may raise SnapshotRefused."""

    def __init__(self, file: BinaryIO, progress: Progress = lambda _: None) -> None:
        """Check magic and version."""
        self._file = file
        self._progress = progress
        start = file.read(len(MAGIC) + 1)
        if start[: len(MAGIC)] != MAGIC:
            raise SnapshotRefused("file", "is not a snapshot")
        if start[len(MAGIC) :] != bytes((VERSION,)):
            raise SnapshotRefused(
                "version",
                f"is {start[-1] if len(start) > len(MAGIC) else 'missing'}, this program reads "
                f"{VERSION}",
                next_step="Use a program of the same age as the one that made it",
            )
        self.digest = hashlib.sha256(start).digest()
        self.size_bytes = len(start)
        self.number = 0
        """Chunks read so far."""

    def read(self) -> tuple[ChunkKind, bytes]:
        """Return the next chunk."""
        where = f"chunk {self.number + 1}"
        head = self._take(1 + _LENGTH_BYTES, where)
        length = int.from_bytes(head[1:], "big")
        if length > MAX_PAYLOAD_BYTES:
            raise SnapshotRefused(where, f"claims {length} bytes, more than any chunk has")
        payload = self._take(length, where)
        digest = self._take(_DIGEST_BYTES, where)
        if digest != hashlib.sha256(self.digest + head + payload).digest():
            raise SnapshotRefused(
                where, "its checksum does not fit", next_step="The file is damaged: copy it again"
            )
        try:
            kind = ChunkKind(head[0])
        except ValueError:
            raise SnapshotRefused(where, f"is of the unknown kind {head[0]}") from None
        self.digest = digest
        self.number += 1
        self._progress(self.size_bytes)
        return kind, payload

    def expect(self, kind: ChunkKind) -> bytes:
        """Return the payload of the next chunk, which must be of this kind."""
        found, payload = self.read()
        if found is not kind:
            raise SnapshotRefused(
                f"chunk {self.number}", f"is {found.name} where {kind.name} belongs"
            )
        return payload

    def finish(self) -> None:
        """Refuse anything behind the end chunk."""
        if self._file.read(1):
            raise SnapshotRefused("file", "goes on behind its end")

    def _take(self, length: int, where: str) -> bytes:
        data = self._file.read(length)
        if len(data) != length:
            raise SnapshotRefused(
                where, "the file ends within it", next_step="It is cut short: copy it again"
            )
        self.size_bytes += length
        return data
