"""The two files of the sign state.

They lie outside the database, because a database can lose its last synced writes without saying
so. Each holds one whole record (`consensus.sign_state`) with its number and checksum and is
replaced atomically: written beside, synced, renamed, folder synced. They are written one after the
other, so a crash leaves them equal or the first ahead by one, and never damaged; whatever else is
found was not left by a crash. What replaces a file is behind a port, so that the same rules run on
the disk of a simulator.
"""

import errno
import os
from pathlib import Path

from consensus.errors import LocalFault as ConsensusLocalFault
from consensus.sign_state import SignRecord, decode_record, encode_record
from node.folders import sync_folder
from node.storage.crashpoints import CrashPoints
from node.storage.errors import RAISE_HANDLES
from node.validator.errors import SignStateNotWritten, SignStateUnusable
from node.validator.ports import FileAccess

FILE_NAMES = ("first.record", "second.record")
"""In the order in which they are written."""

_TEMPORARY_SUFFIX = ".new"
_CRASH_KIND = "sign_state"
_NO_HANDLES = (errno.EMFILE, errno.ENFILE)
_FREE_DISK = "Free or repair the disk, then start the node again"


class SignFiles:
    """Reads and writes both files in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        crash_points: CrashPoints | None = None,
        access: FileAccess | None = None,
    ) -> None:
        """Use the files in `folder`; a simulator gives an `access` of its own."""
        self._folder = folder
        self._access = access or _SyncedFolder(folder, crash_points or CrashPoints())

    def exist(self) -> bool:
        """Whether at least one of the files is there."""
        return any(self._access.exists(name) for name in FILE_NAMES)

    def read(self) -> tuple[SignRecord, SignRecord]:
        """Return the records of both files; raises SignStateUnusable naming the file."""
        first, second = (self._read_one(name) for name in FILE_NAMES)
        return first, second

    def read_intact(self) -> tuple[SignRecord, ...]:
        """Return the records that can be read, for the resume procedure."""
        records = []
        for name in FILE_NAMES:
            try:
                records.append(self._read_one(name))
            except SignStateUnusable:
                continue
        return tuple(records)

    def write(self, record: SignRecord) -> None:
        """Replace both files, one after the other; durable on return.

        Raises SignStateNotWritten.
        """
        self.write_encoded(encode_record(record))

    def write_encoded(self, data: bytes) -> None:
        """Do the same with a record that is encoded already."""
        try:
            for name in FILE_NAMES:
                self._access.replace(name, data)
        except OSError as error:
            raise SignStateNotWritten(
                f"{self._folder} cannot be written ({error.strerror}), so nothing was sent",
                field="sign state",
                next_step=RAISE_HANDLES if error.errno in _NO_HANDLES else _FREE_DISK,
            ) from error

    def _read_one(self, name: str) -> SignRecord:
        path = self._folder / name
        try:
            return decode_record(self._access.read(name))
        except FileNotFoundError:
            raise SignStateUnusable(f"{path} is missing") from None
        except ConsensusLocalFault as fault:
            raise SignStateUnusable(f"{path} is damaged: {fault}") from None
        except OSError as error:
            raise SignStateUnusable(f"{path} cannot be read: {error.strerror}") from None


class _SyncedFolder:
    """A `FileAccess` to a folder on disk that waits for the disk."""

    def __init__(self, folder: Path, crash_points: CrashPoints) -> None:
        self._folder = folder
        self._crash_points = crash_points

    def exists(self, name: str) -> bool:
        return (self._folder / name).exists()

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def replace(self, name: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / (name + _TEMPORARY_SUFFIX)
        with self._crash_points.around(_CRASH_KIND) as is_torn:
            with temporary.open("wb") as file:
                file.write(data[: len(data) // 2] if is_torn else data)
                file.flush()
                os.fsync(file.fileno())
            if not is_torn:
                temporary.replace(self._folder / name)
                sync_folder(self._folder)
