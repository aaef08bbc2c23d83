"""Where an index and an agency's databases are kept: a folder for either engine, or elsewhere."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.postgresql.server import keep_postgres

ENGINES: Final = ("sqlite", "postgresql")

_DATABASES: Final = ("index", "vault", "outbox")
_SETTINGS: Final = (
    "shared_buffers=4GB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    # What it had in memory when it was stopped it reads again when it is started.
    "shared_preload_libraries=pg_prewarm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Addresses of the databases, and what opens the vault."""

    index: str
    vault: str
    outbox: str
    key_file: Path
    """The vault's master key; made with the vault, its epochs' keys beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the databases are."""

    engine: str = ENGINES[0]
    folder: Path
    url: str | None = None
    """Address of an index in a database that somebody else runs; None for one in the folder."""

    @contextlib.contextmanager
    def open(self) -> Iterator[Stores]:
        """Give the addresses while the context lasts; what is there stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        key_file = self.folder / f"{self.engine}-vault.key"
        if self.engine == ENGINES[0]:
            index, vault, outbox = (f"sqlite:///{self.folder / name}.sqlite" for name in _DATABASES)
            yield Stores(index=self.url or index, vault=vault, outbox=outbox, key_file=key_file)
            return
        with keep_postgres(self.folder / "postgresql", settings=_SETTINGS) as server:
            index, vault, outbox = (
                server.build_url(name)
                if server.has_database(name)
                else server.create_database(name)
                for name in _DATABASES
            )
            yield Stores(index=self.url or index, vault=vault, outbox=outbox, key_file=key_file)
