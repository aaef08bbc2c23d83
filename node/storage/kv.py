"""The port to an ordered key-value store.

Everything durable in the chain goes through one `write`: a batch of puts and deletes that is on
disk whole or not at all when the call returns. Keys sort bytewise, so that a prefix is a table and
a big-endian number inside a key is an order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True, kw_only=True)
class WriteBatch:
    """Puts and deletes that belong together. A later entry for the same key wins."""

    entries: dict[bytes, bytes | None] = field(default_factory=dict)
    """Key to new value; None deletes."""

    def put(self, key: bytes, value: bytes) -> None:
        """Store `value` under `key`."""
        self.entries[key] = value

    def delete(self, key: bytes) -> None:
        """Remove `key`; removing what is not there is no error."""
        self.entries[key] = None

    @property
    def size_bytes(self) -> int:
        """Bytes of keys and values."""
        return sum(len(key) + len(value or b"") for key, value in self.entries.items())


class KeyValueReader(Protocol):
    """An ordered map of bytes to bytes, for reading from any thread; no key is empty."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None. Raises StoreDamaged."""
        ...

    def iterate(
        self, prefix: bytes, *, start: bytes = b"", reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) under `prefix`, ascending from `prefix + start`.

        With `reverse`, descending from the last key of the prefix down to `prefix + start`.
        The keys are whole, prefix included. Raises StoreDamaged.
        """
        ...


class KeyValueStore(KeyValueReader, Protocol):
    """An ordered map of bytes to bytes that one thread writes."""

    def write(self, batch: WriteBatch, *, kind: str) -> None:
        """Write the batch atomically and synchronously; it survives a power cut on return.

        `kind` names the write for crash points and errors. Raises StoreFull, StoreDamaged.
        """
        ...

    def close(self) -> None:
        """Release the store; closing twice is no error."""
        ...
