"""Where a made-up ledger's index is kept: a folder for either engine, or a database elsewhere."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.postgresql.server import keep_postgres

ENGINES: Final = ("sqlite", "postgresql")

_DATABASE: Final = "index"
_SETTINGS: Final = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the index is."""

    engine: str = ENGINES[0]
    folder: Path
    url: str | None = None
    """Address of a database that somebody else runs; None for one in the folder."""

    @contextlib.contextmanager
    def open(self) -> Iterator[str]:
        """Give the address of the index while the context lasts; what is there stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.url is not None:
            yield self.url
        elif self.engine == ENGINES[0]:
            yield f"sqlite:///{self.folder / 'index.sqlite'}"
        else:
            with keep_postgres(self.folder / "postgresql", settings=_SETTINGS) as server:
                if server.has_database(_DATABASE):
                    yield server.build_url(_DATABASE)
                else:
                    yield server.create_database(_DATABASE)
