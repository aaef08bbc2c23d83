"""Opening a vault: its keys and its database are brought to one state before anything is served.

In this order, each step able to be repeated after a crash: make the key folder of a new vault, or
see that all its places are there; finish a change of the master key; level its places; bring rows
of the first version under epochs; apply the erasure list; give rows of an older database their
wraps, and back what was decided of them since; finish what erasures have left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Connection, insert, select

from api.databases import CommitWatch, Database
from api.errors import InvalidField
from api.vault import epochs
from api.vault.decisions import level_decisions
from api.vault.erasure import finish, reattach, settle
from api.vault.key_folder import FolderHeader, KeyFolder, KeyFolderFault
from api.vault.keyring import STANDING_USE, EpochLimits, Keyring, Progress
from api.vault.keys import MasterKey, load_master_key
from api.vault.rotation import finish_master_change
from api.vault.tables import VAULT
from api.vault.upgrade import upgrade_rows

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultKeys:
    """Where a vault's keys are."""

    key_file: Path
    """The master key."""
    folders: tuple[Path, ...] = ()
    """Places of the key folder, the first one counting; none: beside the key's file."""
    limits: EpochLimits = field(default_factory=EpochLimits)

    @property
    def places(self) -> tuple[Path, ...]:
        """Places of the key folder."""
        return self.folders or (self.key_file.with_suffix(".epochs"),)


def open_keyring(
    database: Database,
    keys: VaultKeys,
    *,
    now: Callable[[], float] = time.time,
    watch: CommitWatch | None = None,
    progress: Progress | None = None,
) -> Keyring:
    """Open the keys of a vault's database, or make them for a new one.

    `progress` is told of rows of the first version that are wrapped anew. Raises `InvalidField` for
    a master key that is missing or another vault's, `KeyFolderFault`, `VaultDamaged` and
    `UpstreamFault`; nothing is made then for a vault that exists.
    """
    folder = KeyFolder(keys.places, watch=watch)
    if _is_beginning(folder, database.read_now(_read_vault)):
        folder.make_places()
    with folder.locked():
        known = database.read_now(_read_vault)
        _require_places(folder, known)
        finish_master_change(keys.key_file, folder)
        header = folder.read_header()
        is_new = header is None and known.vault_id is None
        master = load_master_key(keys.key_file, create=is_new)
        if header is None:
            header = _make_header(folder, master, known)
        _check(header, master, known)
        folder.mend(master.id)
        vault_id = header.vault_id
        database.write_now(lambda c: _enter(c, vault_id, folder))
        keyring = Keyring(
            database=database,
            folder=folder,
            read_master=partial(load_master_key, keys.key_file),
            limits=keys.limits,
            now=now,
        )
        keyring.load()
        upgraded = upgrade_rows(keyring, progress)
        settled = settle(keyring)
        attached = reattach(keyring)
        decided = level_decisions(keyring)
        if upgraded or settled or attached or decided:
            log.info(
                "vault brought up",
                rewrapped=upgraded,
                erased=settled,
                attached=attached,
                decided=decided,
            )
        keyring.take_key()
    finish(keyring)
    return keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the database says of itself."""

    vault_id: bytes | None
    has_epochs: bool


def _read_vault(connection: Connection) -> _Known:
    stored = connection.execute(select(VAULT.c.master_key)).scalar_one_or_none()
    return _Known(
        vault_id=None if stored is None else bytes(stored),
        has_epochs=bool(epochs.list_epochs(connection)),
    )


def _is_beginning(folder: KeyFolder, known: _Known) -> bool:
    """Tell whether nothing was ever sealed under an epoch, so that no place can be away."""
    return not known.has_epochs and not folder.has_epochs()


def _require_places(folder: KeyFolder, known: _Known) -> None:
    """Make sure that every place is there once there are keys to be destroyed again."""
    folder.require_one_vault()
    if not _is_beginning(folder, known):
        folder.require_places()


def _make_header(folder: KeyFolder, master: MasterKey, known: _Known) -> FolderHeader:
    if known.has_epochs or folder.read_epochs():
        raise KeyFolderFault("the folder of the vault's keys is missing or incomplete")
    if known.vault_id is not None and known.vault_id != master.id:
        raise _build_foreign_fault()
    header = FolderHeader(
        vault_id=master.id,
        master_id=master.id,
        standing=master.wrap(master.make_standing().encode(), STANDING_USE),
    )
    folder.write_header(header)
    return header


def _check(header: FolderHeader, master: MasterKey, known: _Known) -> None:
    if header.master_id != master.id:
        raise _build_foreign_fault()
    if known.vault_id is not None and known.vault_id != header.vault_id:
        raise InvalidField("api.vault_keys_dir", "the keys in this folder are of another vault")


def _build_foreign_fault() -> InvalidField:
    return InvalidField(
        "api.vault_key_file",
        "this vault was made with another master key",
        next_step="put the vault's key file in place, or make it again from its shares",
    )


def _enter(connection: Connection, vault_id: bytes, folder: KeyFolder) -> None:
    """Note in the database whose it is, and the epochs that it does not know."""
    if connection.execute(select(VAULT.c.id)).scalar_one_or_none() is None:
        connection.execute(insert(VAULT).values(id=1, master_key=vault_id))
    destroyed = folder.read_erasures().destroyed
    for number, file in folder.read_epochs().items():
        if number not in destroyed:
            epochs.register(connection, number, file.created_s)
