"""The master key and what is derived from it.

One file of 32 random bytes opens the vault. HKDF derives an independent key for each use, so that
a fingerprint never tells anything of the key that wraps. Wrapping keys one by one is what makes
later rotation and erasure cheap: only the small wrapped keys are written again, not the documents.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.errors import ApiError, InvalidField

KEY_SIZE: Final = 32
"""Bytes of the master key and of each data key (AES-256)."""

_NONCE_SIZE: Final = 12
_MAX_OPEN_MODE: Final = 0o077


class VaultDamaged(ApiError):
    """A record of the vault does not open: the key is another one, or the bytes were changed."""

    def __init__(self) -> None:
        super().__init__(
            "a record of the vault cannot be opened: it was changed, or the master key is another",
            code="vault_damaged",
            next_step="the operator restores vault and master key from the same backup",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record as it is stored."""

    wrapped_key: bytes
    """The data key under the master key, with its nonce."""
    ciphertext: bytes
    """The record under the data key, with its nonce."""


class MasterKey:
    """The key of one vault."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == KEY_SIZE, "a master key is 32 bytes"
        self._wrapping = AESGCM(_derive(secret, b"atesta-vault-wrap-1"))
        self._reference_key = _derive(secret, b"atesta-vault-reference-1")
        self._body_key = _derive(secret, b"atesta-vault-body-1")
        self.id = _derive(secret, b"atesta-vault-id-1")[:8]
        """Names the key without telling anything of it."""

    def seal(self, plain: bytes, identity: bytes) -> Sealed:
        """Encrypt a record; `identity` must be given again to open it."""
        data_key = AESGCM.generate_key(bit_length=8 * KEY_SIZE)
        return Sealed(
            wrapped_key=_encrypt(self._wrapping, data_key, b"key" + identity),
            ciphertext=_encrypt(AESGCM(data_key), plain, b"record" + identity),
        )

    def open(self, sealed: Sealed, identity: bytes) -> bytes:
        """Decrypt a record; raises `VaultDamaged` unless it is exactly what was sealed."""
        data_key = _decrypt(self._wrapping, sealed.wrapped_key, b"key" + identity)
        return _decrypt(AESGCM(data_key), sealed.ciphertext, b"record" + identity)

    def compute_reference(self, schema_uid: bytes, values: bytes) -> bytes:
        """Return the keyed fingerprint of what names one certificate; 32 bytes."""
        return hmac.digest(self._reference_key, schema_uid + values, hashlib.sha256)

    def compute_body_fingerprint(self, body: bytes) -> bytes:
        """Return the keyed fingerprint of a request body; 32 bytes."""
        return hmac.digest(self._body_key, body, hashlib.sha256)


def load_master_key(path: Path, *, create: bool = False) -> MasterKey:
    """Read the master key's file, or make it (owner-readable only) if `create` and it is missing.

    Raises `InvalidField` if it is missing, is not 32 bytes, or others may read it.
    """
    if create and not path.exists():
        _create(path)
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes()
    except OSError as error:
        raise InvalidField("vault.key_file", "the vault's key file cannot be read") from error
    if mode & _MAX_OPEN_MODE:
        raise InvalidField(
            "vault.key_file",
            "other users may read the vault's key file",
            next_step="chmod 600 the file; make a new vault if somebody may have copied it",
        )
    if len(secret) != KEY_SIZE:
        raise InvalidField("vault.key_file", f"the vault's key file is not {KEY_SIZE} bytes")
    return MasterKey(secret)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(KEY_SIZE))
        file.flush()
        os.fsync(file.fileno())
    try:
        # Linking fails where another process was first; its key is then the vault's.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _derive(secret: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_SIZE, salt=None, info=use).derive(secret)


def _encrypt(cipher: AESGCM, plain: bytes, identity: bytes) -> bytes:
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + cipher.encrypt(nonce, plain, identity)


def _decrypt(cipher: AESGCM, stored: bytes, identity: bytes) -> bytes:
    try:
        return cipher.decrypt(stored[:_NONCE_SIZE], stored[_NONCE_SIZE:], identity)
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged from error
