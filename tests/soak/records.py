"""What the load was promised, on disk before it is counted.

A record is acknowledged when REST answered with a 2xx or `eth_sendRawTransaction` with a hash.
Until then it is open: it is tried again, with the same idempotency key or the same signed bytes.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

Door = Literal["rest", "rpc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One acknowledged attestation."""

    key: str
    """The load's own name of it; its idempotency key in REST."""
    door: Door
    node: int
    """That acknowledged it."""
    uid: str
    transaction: str
    operation: str | None = None
    """The operation's identifier in REST."""


class RecordBook:
    """All that was acknowledged, and what is still open. Use it as a context."""

    def __init__(self, path: Path) -> None:
        """Begin a new book in a file."""
        self._file = path.open("x", encoding="utf-8")
        self._records: list[Record] = []
        self.open: dict[str, str] = {}
        """Keys of what is being tried, each with the last trouble."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(self._records)

    def count(self, door: Door | None = None) -> int:
        """Return how many records were acknowledged, at one door or at both."""
        return sum(door in {None, record.door} for record in self._records)

    def begin(self, key: str) -> None:
        """Note that a record is tried."""
        self.open[key] = "no answer yet"

    def note_trouble(self, key: str, trouble: str) -> None:
        """Note why a try was not acknowledged."""
        self.open[key] = trouble

    def acknowledge(self, record: Record) -> None:
        """Keep a record; it is on disk when this returns."""
        self._file.write(json.dumps(asdict(record)) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._records.append(record)
        del self.open[record.key]
