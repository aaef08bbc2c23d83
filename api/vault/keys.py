"""The master key: the root of the vault's keys, and a file of 32 random bytes.

It opens no record itself. It wraps the keys of the erasure epochs (`api.vault.keyring`) and the
vault's standing secrets, so that a new master key means writing some small files again and nothing
else. HKDF derives an independent key for each use.

    master key ──wraps──► standing secrets: fingerprints, secrets that no erasure concerns
               └─wraps──► epoch keys ──wrap──► data keys, one a record and version ──► records

Vaults of the first version wrapped data keys under the master key itself; `open_first` still reads
those, for the one time that they are wrapped anew (`api.vault.upgrade`).
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.durable_files import sync_folder
from api.errors import InvalidField
from api.vault.ciphers import KEY_SIZE, decrypt, derive_key, encrypt, make_key

MASTER_ID_SIZE: Final = 8
"""Bytes of a master key's id."""

_MAX_OPEN_MODE: Final = 0o077


class MasterKey:
    """The root key of one vault."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == KEY_SIZE, "a master key is 32 bytes"
        self._secret = secret
        self._root = AESGCM(derive_key(secret, b"atesta-vault-root-2"))
        self._first = AESGCM(derive_key(secret, b"atesta-vault-wrap-1"))
        self.id = derive_key(secret, b"atesta-vault-id-1")[:MASTER_ID_SIZE]
        """Names the key without telling anything of it."""

    def wrap(self, secret: bytes, use: bytes) -> bytes:
        """Encrypt a key of the next level; `use` must be given again to open it."""
        return encrypt(self._root, secret, use)

    def unwrap(self, wrapped: bytes, use: bytes) -> bytes:
        """Decrypt a key of the next level; raises `VaultDamaged`."""
        return decrypt(self._root, wrapped, use)

    def open_first(self, wrapped_key: bytes, identity: bytes) -> bytes:
        """Return the data key of a record of the first version; raises `VaultDamaged`."""
        return decrypt(self._first, wrapped_key, b"key" + identity)

    def seal_first(self, identity: bytes) -> tuple[bytes, bytes]:
        """Return a data key and its wrap as the first version made it; for tests of upgrades."""
        data_key = make_key()
        return data_key, encrypt(self._first, data_key, b"key" + identity)

    def reveal_secret(self) -> bytes:
        """Return the 32 bytes, to split them into shares or to write them to the key's file."""
        return self._secret

    def make_standing(self) -> "StandingSecrets":
        """Return the standing secrets of a vault whose first master key this is.

        The fingerprints are those that the vault's first version made, so that an upgraded vault
        finds again what it had.
        """
        return StandingSecrets(
            reference=derive_key(self._secret, b"atesta-vault-reference-1"),
            body=derive_key(self._secret, b"atesta-vault-body-1"),
            sealing=make_key(),
        )


class StandingSecrets:
    """The keys that stay the same for as long as the vault lives, whatever its master key is.

    Fingerprints must be found again after a rotation; secrets of webhooks and the encryption of
    backups concern no record that could be erased.
    """

    def __init__(self, *, reference: bytes, body: bytes, sealing: bytes) -> None:
        assert len(reference) == len(body) == len(sealing) == KEY_SIZE, "32 bytes each"
        self._parts = reference, body, sealing
        self._sealing = AESGCM(derive_key(sealing, b"atesta-vault-secrets-2"))

    def compute_reference(self, schema_uid: bytes, values: bytes) -> bytes:
        """Return the keyed fingerprint of what names one certificate; 32 bytes."""
        return hmac.digest(self._parts[0], schema_uid + values, hashlib.sha256)

    def compute_body_fingerprint(self, body: bytes) -> bytes:
        """Return the keyed fingerprint of a request body; 32 bytes."""
        return hmac.digest(self._parts[1], body, hashlib.sha256)

    def seal(self, plain: bytes, identity: bytes) -> bytes:
        """Encrypt a secret that is no record."""
        return encrypt(self._sealing, plain, identity)

    def open(self, sealed: bytes, identity: bytes) -> bytes:
        """Decrypt a secret; raises `VaultDamaged`."""
        return decrypt(self._sealing, sealed, identity)

    def derive_backup_key(self, nonce: bytes) -> bytes:
        """Return the key of one backup file, which holds the nonce in the clear; 32 bytes."""
        return derive_key(self._parts[2], b"atesta-vault-backup-2" + nonce)

    def encode(self) -> bytes:
        """Return the three keys, to wrap them; 96 bytes."""
        return b"".join(self._parts)


def decode_standing(data: bytes) -> StandingSecrets:
    """Read what `encode` wrote."""
    assert len(data) == 3 * KEY_SIZE, "three keys, authenticated by their wrap"
    return StandingSecrets(
        reference=data[:KEY_SIZE],
        body=data[KEY_SIZE : 2 * KEY_SIZE],
        sealing=data[2 * KEY_SIZE :],
    )


def load_master_key(path: Path, *, create: bool = False) -> MasterKey:
    """Read the master key's file, or make it (owner-readable only) if `create` and it is missing.

    Raises `InvalidField` if it is missing, is not 32 bytes, or others may read it.
    """
    if create and not path.exists():
        write_master_key(path, MasterKey(os.urandom(KEY_SIZE)))
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes()
    except OSError as error:
        raise InvalidField(
            "api.vault_key_file",
            "the vault's key file cannot be read",
            next_step="put it in place, or make it again: atesta vault recover-key SHARE…",
        ) from error
    if mode & _MAX_OPEN_MODE:
        raise InvalidField(
            "api.vault_key_file",
            "other users may read the vault's key file",
            next_step="chmod 600 the file; make a new vault if somebody may have copied it",
        )
    if len(secret) != KEY_SIZE:
        raise InvalidField("api.vault_key_file", f"the vault's key file is not {KEY_SIZE} bytes")
    return MasterKey(secret)


def write_master_key(path: Path, key: MasterKey) -> bool:
    """Write a master key's file, durably and whole; False, and nothing is changed, if it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.reveal_secret())
        file.flush()
        os.fsync(file.fileno())
    try:
        # Linking fails where another process was first; its key is then the vault's.
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    sync_folder(path.parent)
    return True
