"""The vault as the services have it: opened once, whatever number of ledgers the API serves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.access.reads import ReadBook
from api.databases import CommitWatch, Database, open_database
from api.migrations.migrating import VAULT_MIGRATIONS
from api.vault import tables
from api.vault.keyring import Keyring
from api.vault.materials import Materials
from api.vault.opening import VaultKeys, open_keyring
from api.vault.vault import Vault
from api.vault.witness import NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultParts:
    """An open vault; nothing of it opens a record before a reader is named."""

    vault: Vault
    materials: Materials
    keyring: Keyring
    reads: ReadBook


def open_vault_database(
    address: Path | str, keep: Callable[[Database], Database], watch: CommitWatch | None
) -> Database:
    """Open the vault's database; `keep` is told of it, to close it."""
    return keep(
        open_database(
            address,
            tables.METADATA,
            migrations=VAULT_MIGRATIONS,
            secure_delete=True,
            name="vault",
            watch=watch,
        )
    )


def open_vault_parts(
    database: Database, keys: VaultKeys, *, now: Callable[[], float], watch: CommitWatch | None
) -> VaultParts:
    """Open the vault in its database; raises `InvalidField` for an unusable key."""
    keyring = open_keyring(database, keys, now=now, watch=watch)
    return VaultParts(
        vault=Vault(keyring, NOBODY),
        materials=Materials(keyring, NOBODY),
        keyring=keyring,
        reads=ReadBook(database, now),
    )
