"""The disk of a simulated node, with the moments at which a crash leaves it different.

The sign state is kept by the real store: two files that are replaced one after the other, then a
copy in the database. A replaced file is whole or the old one, as renaming promises; what a crash in
between leaves is one copy newer than the next.
"""

from consensus.sign_state import SignRecord, decode_record, encode_record
from node.storage.kv import WriteBatch
from node.storage.memory import MemoryStore
from node.validator.errors import SignStateUnusable

CRASH_MOMENTS = ("before", "between", "late", "after")
"""Before anything is written, after the first file, after both files, after the database."""


class Crashed(Exception):
    """The node died in the middle of a duty; raised by its disk, caught by the node."""


class _Database(MemoryStore):
    """A store in memory that tells the disk before it writes."""

    def __init__(self, disk: "SimDisk") -> None:
        super().__init__()
        self._disk = disk

    def write(self, batch: WriteBatch, *, kind: str) -> None:
        """Apply the batch, unless the node dies first."""
        self._disk.reach("late")
        super().write(batch, kind=kind)


class SimDisk:
    """A `SignFileAccess` in memory, and the database beside it."""

    def __init__(self) -> None:
        self.crash_at: str | None = None
        self.database = _Database(self)
        self._files: list[bytes] = [b"", b""]

    def read(self) -> tuple[SignRecord, SignRecord]:
        if not all(self._files):
            raise SignStateUnusable("a file is missing")
        first, second = self.read_intact()
        return first, second

    def read_intact(self) -> tuple[SignRecord, ...]:
        return tuple(decode_record(data) for data in self._files if data)

    def write(self, record: SignRecord) -> None:
        data = encode_record(record)
        self.reach("before")
        self._files[0] = data
        self.reach("between")
        self._files[1] = data

    def reach(self, moment: str) -> None:
        """Die here if this is the moment that was chosen."""
        if self.crash_at == moment:
            self.crash_at = None
            raise Crashed
