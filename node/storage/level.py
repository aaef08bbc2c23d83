"""The store of a running node: LevelDB, opened so that damage is noticed.

LevelDB forgives by default: a flipped bit in its log silently ends replay there, and everything
after it is gone without an error. `paranoid_checks` turns that into a refusal to open. What it
cannot notice is a log that was cut off at a record boundary; the last blocks are then missing and
are fetched again from peers, and the sign state, which lives outside, keeps the validator from
voting below heights that it has already voted on.

Memory is bounded on purpose: LevelDB maps its table files, so the number of open tables counts as
memory of the process.
"""

import errno
from collections.abc import Iterator
from pathlib import Path

from plyvel import _plyvel as plyvel

from node.storage.crashpoints import CrashPoints
from node.storage.errors import StoreBusy, StoreDamaged, StoreError, StoreFull
from node.storage.kv import WriteBatch

_WRITE_BUFFER_BYTES = 8 * 1024 * 1024
_BLOCK_CACHE_BYTES = 16 * 1024 * 1024
_MAX_OPEN_FILES = 74
"""Ten for LevelDB itself and 64 tables of 2 MiB."""
_BLOOM_BITS = 10

_RESTORE = (
    "Do not repair it: move the folder away and start the node again; it then fetches and verifies "
    "every block anew from its peers"
)


class LevelStore:
    """`KeyValueStore` on LevelDB. Reads from any thread; writes are synchronous."""

    def __init__(self, path: Path, *, crash_points: CrashPoints | None = None) -> None:
        """Open the store in the folder `path`, making it if it is missing.

        Raises StoreBusy if another process has it open, StoreDamaged, or StoreError.
        """
        self._path = path
        self._crash_points = crash_points or CrashPoints()
        try:
            path.mkdir(parents=True, exist_ok=True)
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

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None. Raises StoreDamaged."""
        try:
            value: bytes | None = self._db.get(key)
        except plyvel.Error as error:
            raise self._explain(error, "read") from error
        return value

    def iterate(
        self, prefix: bytes, *, start: bytes = b"", reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) under `prefix` from `prefix + start` on, or down to it."""
        try:
            with self._db.iterator(
                start=prefix + start, stop=_next_prefix(prefix), reverse=reverse
            ) as entries:
                yield from entries
        except plyvel.Error as error:
            raise self._explain(error, "read") from error

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
            raise self._explain(error, f"write ({kind})") from error

    def compact(self) -> None:
        """Rewrite all tables, so that overwritten values leave the disk."""
        self._db.compact_range()

    def close(self) -> None:
        """Release the store; closing twice is no error."""
        self._db.close()

    def _explain(self, error: Exception, action: str) -> StoreError:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)
        where = f"cannot {action} the database {self._path}: {text}"
        if isinstance(error, plyvel.CorruptionError):
            return StoreDamaged(where, next_step=_RESTORE)
        if "/LOCK: " in text:
            return StoreBusy(
                f"the database {self._path} is in use by another process",
                next_step="Stop the other node first; two nodes must never share a data folder",
            )
        if "No space left" in text or getattr(error, "errno", None) == errno.ENOSPC:
            return StoreFull(where, next_step="Free some space on the disk and start again")
        return StoreError(where)


def _next_prefix(prefix: bytes) -> bytes | None:
    """Return the first key after all keys with `prefix`; None if there is no end."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None
