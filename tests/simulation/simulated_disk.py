"""The disk of a simulated node, with the moments at which a crash leaves it different.

The sign state is kept by the real store and its real codec: two files that are replaced one after
the other, then a copy in the database. A replaced file is whole or the old one, as renaming after a
sync promises; what a crash in between leaves is one copy newer than the next. A write may take
time; a crash meanwhile leaves the copies that were done by then. A disk that *tears* breaks the
promise: it renames before the content has arrived, and a crash leaves part of the new bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consensus.sign_state import SignIdentity, make_floor
from consensus.types import Height
from node.storage.kv import WriteBatch
from node.storage.memory import MemoryStore
from node.validator.sign_files import FILE_NAMES, SignFiles
from node.validator.sign_store import DurableSignState
from tests.simulation.clockwork import Clockwork

CRASH_MOMENTS = ("before", "between", "late", "after")
"""Before anything is written, after the first file, after both files, after the database."""

TORN_MOMENTS = ("torn-first", "torn-second")
"""In the middle of a file, on a disk that tears."""

_FOLDER = Path("virtual")
_DATABASE = "database"
_STEPS = (*FILE_NAMES, _DATABASE)
_MOMENT_BEFORE = dict(zip(_STEPS, CRASH_MOMENTS, strict=False))
_MOMENT_IN = dict(zip(FILE_NAMES, TORN_MOMENTS, strict=True))


class Crashed(Exception):
    """The node died in the middle of a duty; raised by its disk, caught by the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """One copy that was written, or is being written."""

    step: str
    begun_ms: int
    done_ms: int
    new: bytes
    old: bytes | None


class _Database(MemoryStore):
    """A store in memory that tells the disk before it writes."""

    def __init__(self, disk: "SimDisk") -> None:
        super().__init__()
        self._disk = disk

    def write(self, batch: WriteBatch, *, kind: str) -> None:
        """Apply the batch, unless the node dies first."""
        ((key, new),) = batch.entries.items()
        assert new is not None, "a sign state is never deleted"
        self._disk.note(_DATABASE, new, self.get(key))
        super().write(batch, kind=kind)

    def put_back(self, old: bytes | None) -> None:
        """Make the last write not have been."""
        for key in tuple(self._values):
            if old is None:
                del self._values[key]
            else:
                self._values[key] = old


class SimDisk:
    """A `FileAccess` in memory, and the database beside it."""

    def __init__(self, clockwork: Clockwork) -> None:
        self.crash_at: str | None = None
        """One of the moments above: die there in the next write."""
        self.tears = False
        self.torn: set[str] = set()
        """Files that hold part of a record."""
        self.database = _Database(self)
        self._clockwork = clockwork
        self._files: dict[str, bytes] = {}
        self._written: list[_Written] = []
        self._begun_ms = self._step_ms = 0

    def create_sign_state(self, identity: SignIdentity) -> None:
        """Write the first record of a new key, as its maker does."""
        floor = make_floor(identity, number=0, height=Height(0))
        SignFiles(_FOLDER, access=self).write(floor)

    def open_sign_store(self, identity: SignIdentity) -> DurableSignState:
        return DurableSignState(_FOLDER, self.database, identity, access=self)

    def exists(self, name: str) -> bool:
        return name in self._files

    def read(self, name: str) -> bytes:
        if name not in self._files:
            raise FileNotFoundError(name)
        return self._files[name]

    def replace(self, name: str, data: bytes) -> None:
        self.note(name, data, self._files.get(name))
        self._files[name] = data
        self.torn.discard(name)

    @contextmanager
    def taking(self, start_ms: int, duration_ms: int) -> Iterator[None]:
        """Let the copies written inside take this time together."""
        now_ms = self._clockwork.now_ms
        self._written = [written for written in self._written if written.done_ms > now_ms]
        self._begun_ms, self._step_ms = start_ms, duration_ms // len(_STEPS)
        try:
            yield
        finally:
            self._step_ms = 0

    def note(self, step: str, new: bytes, old: bytes | None) -> None:
        """Note a write that begins, or die in it."""
        self.reach(_MOMENT_BEFORE[step])
        moment = _MOMENT_IN.get(step)
        if moment is not None and moment == self.crash_at:
            self._tear(step, new, old)
        self.reach(moment)
        if self._step_ms:
            done_ms = self._begun_ms + self._step_ms
            self._written.append(
                _Written(step=step, begun_ms=self._begun_ms, done_ms=done_ms, new=new, old=old)
            )
            self._begun_ms = done_ms

    def reach(self, moment: str | None) -> None:
        """Die here if this is the moment that was chosen."""
        if moment is not None and self.crash_at == moment:
            self.crash_at = None
            raise Crashed

    def crash(self) -> None:
        """Lose what has not arrived on the disk by now."""
        now_ms = self._clockwork.now_ms
        self.crash_at = None
        for written in reversed(self._written):
            if written.done_ms <= now_ms:
                continue
            if written.step == _DATABASE:
                self.database.put_back(written.old)
            elif self.tears and written.begun_ms <= now_ms:
                self._tear(written.step, written.new, written.old)
            else:
                assert written.old is not None, "the first record of a key takes no time"
                self._files[written.step] = written.old
        self._written.clear()

    def _tear(self, name: str, new: bytes, old: bytes | None) -> None:
        """Leave the beginning of the new bytes, with what was there before behind it, or not."""
        chance = self._clockwork.random
        arrived = chance.randrange(len(new))
        rest = (old or b"")[arrived:] if chance.random() < 0.5 else b""
        content = new[:arrived] + rest
        self._files[name] = content
        if content in (new, old):
            self.torn.discard(name)
        else:
            self.torn.add(name)
