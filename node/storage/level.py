"""The store of a running node: LevelDB, opened so that damage is noticed.

LevelDB forgives by default: a flipped bit in its log silently ends replay there, and everything
after it is gone without an error. `paranoid_checks` turns that into a refusal to open. A flipped
bit in a table it would even hand out as a value; so every read verifies checksums. A folder without
its CURRENT file it takes for a new one and empties; so that is refused before. What remains
unnoticed is a log that was cut off; the last blocks are then missing and are fetched again from
peers, and the sign state, which lives outside, keeps the validator from voting below heights that
it has already voted on.

Damage in a table shows only when something there is read, perhaps long after the start. Whoever
runs the node hands in `on_damage` to hear of it in whatever thread it happens, and stops the node.

Memory is bounded on purpose: LevelDB maps its table files, so the number of open tables counts as
memory of the process.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plyvel import _plyvel as plyvel

from node.storage.crashpoints import CrashPoints
from node.storage.errors import RAISE_HANDLES, StoreBusy, StoreDamaged, StoreError, StoreFull
from node.storage.kv import WriteBatch

_WRITE_BUFFER_BYTES = 8 * 1024 * 1024
_BLOCK_CACHE_BYTES = 16 * 1024 * 1024
_MAX_OPEN_FILES = 74
"""Ten for LevelDB itself and 64 tables of 2 MiB."""
_BLOOM_BITS = 10

_CURRENT_FILE = "CURRENT"
"""Names the manifest that names all tables."""
_TABLE_SUFFIX = ".ldb"
_FULL = ("No space left", "File too large", "Disk quota exceeded")
_SHORT_TABLE = "Invalid argument"
"""What reading beyond the end of a table file that was cut off is answered with."""

_RESTORE = (
    "Do not repair it: move the folder away, for a validator run `atesta keys resume`, and start "
    "the node again; it then fetches and verifies every block anew from its peers"
)


class LevelReader:
    """`KeyValueReader` on a database of plyvel, or on what it was at one moment."""

    def __init__(self, source: Any, tell: Callable[[Exception, str], StoreError]) -> None:
        self._source = source
        self._tell = tell

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None. Raises StoreDamaged."""
        try:
            value: bytes | None = self._source.get(key, verify_checksums=True)
        except plyvel.Error as error:
            raise self._tell(error, "read") from error
        return value

    def iterate(
        self, prefix: bytes, *, start: bytes = b"", reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) under `prefix` from `prefix + start` on, or down to it."""
        first = prefix + start
        try:
            with self._source.iterator(
                # Backwards, plyvel 1.5.1 drops the first entry that it meets if its key is `start`.
                start=None if reverse else first,
                stop=_next_prefix(prefix),
                reverse=reverse,
                verify_checksums=True,
            ) as entries:
                for key, value in entries:
                    if key < first:
                        return
                    yield key, value
        except plyvel.Error as error:
            raise self._tell(error, "read") from error


class LevelStore:
    """`KeyValueStore` on LevelDB. Reads from any thread; writes are synchronous."""

    def __init__(
        self,
        path: Path,
        *,
        crash_points: CrashPoints | None = None,
        on_damage: Callable[[StoreDamaged], None] = lambda _: None,
    ) -> None:
        """Open the store in the folder `path`, making it if it is missing.

        `on_damage` hears of damage that a later read or write finds, in the thread that finds it.
        Raises StoreBusy if another process has it open, StoreDamaged, or StoreError.
        """
        self._path = path
        self._crash_points = crash_points or CrashPoints()
        self._on_damage = on_damage
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._refuse_headless()
            self._db = plyvel.DB(
                str(path),
                create_if_missing=True,
                paranoid_checks=True,
                write_buffer_size=_WRITE_BUFFER_BYTES,
                lru_cache_size=_BLOCK_CACHE_BYTES,
                max_open_files=_MAX_OPEN_FILES,
                bloom_filter_bits=_BLOOM_BITS,
            )
        except (plyvel.Error, OSError) as error:
            raise self._explain(error, "open") from error
        self._now = LevelReader(self._db, self._tell)

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None. Raises StoreDamaged."""
        return self._now.get(key)

    def iterate(
        self, prefix: bytes, *, start: bytes = b"", reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) under `prefix` from `prefix + start` on, or down to it."""
        return self._now.iterate(prefix, start=start, reverse=reverse)

    @contextmanager
    def freeze(self) -> Iterator["LevelReader"]:
        """Give a view of the store as it is now, whatever is written while the context lasts.

        It keeps what is deleted meanwhile on the disk. The store must not be closed before it ends.
        """
        with self._db.snapshot() as source:
            yield LevelReader(source, self._tell)

    def write(self, batch: WriteBatch, *, kind: str) -> None:
        """Write the batch; it is on disk whole or not at all. Raises StoreFull, StoreDamaged."""
        try:
            with (
                self._crash_points.around(kind),
                self._db.write_batch(transaction=True, sync=True) as writer,
            ):
                for key, value in batch.entries.items():
                    if value is None:
                        writer.delete(key)
                    else:
                        writer.put(key, value)
        except plyvel.Error as error:
            raise self._tell(error, f"write ({kind})") from error

    def compact(self) -> None:
        """Rewrite all tables, so that overwritten values leave the disk."""
        self._db.compact_range()

    def close(self) -> None:
        """Release the store; closing twice is no error."""
        self._db.close()

    def _refuse_headless(self) -> None:
        if (self._path / _CURRENT_FILE).exists():
            return
        if any(self._path.glob(f"*{_TABLE_SUFFIX}")) or any(self._path.glob("*.log")):
            raise StoreDamaged(
                f"cannot open the database {self._path}: its file {_CURRENT_FILE} is missing",
                next_step=_RESTORE,
            )

    def _tell(self, error: Exception, action: str) -> StoreError:
        fault = self._explain(error, action)
        if isinstance(fault, StoreDamaged):
            self._on_damage(fault)
        return fault

    def _explain(self, error: Exception, action: str) -> StoreError:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)
        where = f"cannot {action} the database {self._path}: {text}"
        is_short = _SHORT_TABLE in text and _TABLE_SUFFIX in text
        if isinstance(error, plyvel.CorruptionError) or is_short:
            return StoreDamaged(where, next_step=_RESTORE)
        if "/LOCK: " in text:
            return StoreBusy(
                f"the database {self._path} is in use by another process",
                next_step="Stop the other node first; two nodes must never share a data folder",
            )
        if any(words in text for words in _FULL) or getattr(error, "errno", None) == errno.ENOSPC:
            return StoreFull(where, next_step="Free some space on the disk and start again")
        if "Too many open files" in text:
            return StoreError(where, next_step=RAISE_HANDLES)
        return StoreError(where)


def _next_prefix(prefix: bytes) -> bytes | None:
    """Return the first key after all keys with `prefix`; None if there is no end."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None
