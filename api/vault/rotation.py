"""A new master key, while the vault goes on serving.

The new key is written beside the old one's file as `NAME.next`; then every file of the key folder
is wrapped under it; then it takes the old one's name, and the old one is written over. Each file of
the folder names the master key that it is under, so that a process killed on the way knows both and
the next one goes on. Running processes hold the epochs' keys in memory and notice nothing; when
they look at the folder next they read the new master key.

The records' data keys follow by renewing their epochs, one at a time (`api.vault.erasure`): then
not even who has the old master key and an old copy of the folder reads what was stored before.
"""

import os
from pathlib import Path
from typing import Final

import structlog

from api.durable_files import sync_folder
from api.vault.ciphers import KEY_SIZE
from api.vault.epoch_keys import open_epoch_key
from api.vault.erasure import ErasureReport, renew_epochs
from api.vault.key_folder import (
    WATCH_KIND,
    FolderHeader,
    KeyFolder,
    KeyFolderFault,
    destroy_file,
)
from api.vault.keyring import STANDING_USE, Keyring, Progress
from api.vault.keys import MasterKey, load_master_key, write_master_key

log = structlog.get_logger(__name__)

_NEXT: Final = ".next"
_OLD: Final = ".old"


def change_master_key(keyring: Keyring, key_file: Path) -> MasterKey:
    """Put the vault under a new master key and return it; the old one is destroyed.

    Shares of the old key are worth nothing for the vault from then on. Raises `KeyFolderFault`; the
    next opening, or the next call, then goes on.
    """
    with keyring.folder.locked():
        keyring.folder.require_places()
        finish_master_change(key_file, keyring.folder)
        with keyring.folder.watch.around(WATCH_KIND):
            write_master_key(_beside(key_file, _NEXT), MasterKey(os.urandom(KEY_SIZE)))
        finish_master_change(key_file, keyring.folder)
        keyring.load()
    log.info("master key changed")
    return keyring.master


def rotate(keyring: Keyring, key_file: Path, progress: Progress | None = None) -> ErasureReport:
    """Change the master key, and move every record to an epoch under a new key.

    Stopped on the way, it may be called again: what is new by then is made new once more.
    """
    change_master_key(keyring, key_file)
    return renew_epochs(keyring, keyring.list_keys(), progress)


def finish_master_change(key_file: Path, folder: KeyFolder) -> bool:
    """Go on with a change of the master key that has begun; False if none has.

    Call it with the folder held.
    """
    waiting, old_file = _beside(key_file, _NEXT), _beside(key_file, _OLD)
    if waiting.exists():
        new = load_master_key(waiting)
        # Without the old file the change was past its point of no return.
        old = load_master_key(key_file)
        _wrap_all(folder, old, new)
        try:
            with folder.watch.around(WATCH_KIND):
                old_file.unlink(missing_ok=True)
                os.link(key_file, old_file)
                waiting.replace(key_file)
                sync_folder(key_file.parent)
        except OSError as error:
            raise KeyFolderFault("the master key's file cannot be replaced") from error
    elif not old_file.exists():
        return False
    with folder.watch.around(WATCH_KIND):
        destroy_file(old_file)
    return True


def _wrap_all(folder: KeyFolder, old: MasterKey, new: MasterKey) -> None:
    """Put every file of the folder under the new key; those that are stay as they are."""
    header = folder.read_header()
    assert header is not None, "a vault with a master key has a header"
    masters = {master.id: master for master in (old, new)}
    for _, file in sorted(folder.read_epochs().items()):
        if file.master_id != new.id:
            key = open_epoch_key(file, masters[file.master_id], header.vault_id)
            folder.write_epoch(key.protect(new, header.vault_id))
    if header.master_id != new.id:
        standing = masters[header.master_id].unwrap(header.standing, STANDING_USE)
        folder.write_header(
            FolderHeader(
                vault_id=header.vault_id,
                master_id=new.id,
                standing=new.wrap(standing, STANDING_USE),
            )
        )


def _beside(key_file: Path, suffix: str) -> Path:
    return key_file.with_name(key_file.name + suffix)
