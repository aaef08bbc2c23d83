"""A key-value store that forgets: for tests, scratch states and the making of genesis."""

from collections.abc import Iterator

from node.storage.crashpoints import CrashPoints
from node.storage.kv import WriteBatch


class MemoryStore:
    """`KeyValueStore` in a dictionary."""

    def __init__(self, crash_points: CrashPoints | None = None) -> None:
        """Start empty. Writes are numbered like those of a store on disk."""
        self._values: dict[bytes, bytes] = {}
        self._crash_points = crash_points or CrashPoints()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None."""
        return self._values.get(key)

    def iterate(
        self, prefix: bytes, *, start: bytes = b"", reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) under `prefix` from `prefix + start` on, or down to it."""
        first = prefix + start
        keys = sorted(key for key in self._values if key.startswith(prefix) and key >= first)
        for key in reversed(keys) if reverse else keys:
            value = self._values.get(key)
            if value is not None:
                yield key, value

    def write(self, batch: WriteBatch, *, kind: str) -> None:
        """Apply the batch."""
        with self._crash_points.around(kind):
            for key, value in batch.entries.items():
                if value is None:
                    self._values.pop(key, None)
                else:
                    self._values[key] = value

    def close(self) -> None:
        """Nothing to release."""
