"""AES-256-GCM and HKDF as the vault uses them.

Whatever is encrypted is bound to an identity that must be given again to decrypt: bytes that were
moved to another place, or put back from an earlier time, do not open. A nonce is random and stands
before its ciphertext; no key encrypts more than some ten thousand times, far below the bound of
NIST SP 800-38D for random nonces.
"""

import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.errors import ApiError

KEY_SIZE: Final = 32
"""Bytes of every key (AES-256)."""

NONCE_SIZE: Final = 12
"""Bytes of a nonce."""

TAG_SIZE: Final = 16
"""Bytes that authenticate a ciphertext."""

WRAPPED_SIZE: Final = NONCE_SIZE + KEY_SIZE + TAG_SIZE
"""Bytes of a key that is wrapped under another."""


class VaultDamaged(ApiError):
    """A record of the vault does not open: the key is another one, or the bytes were changed."""

    def __init__(self) -> None:
        super().__init__(
            "a record of the vault cannot be opened: it was changed, or its key is another",
            code="vault_damaged",
            next_step="the operator runs `atesta vault check`, and restores the vault if needed",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record as it is stored."""

    epoch: int | None
    """The erasure epoch whose key wraps the data key; None in rows of the first version."""
    wrapped_key: bytes
    """The data key under the epoch's key, with its nonce; 60 bytes."""
    ciphertext: bytes
    """The record under the data key, with its nonce."""


def make_key() -> bytes:
    """Return a new key."""
    return AESGCM.generate_key(bit_length=8 * KEY_SIZE)


def derive_key(secret: bytes, use: bytes) -> bytes:
    """Return the key of `secret` for one use; keys of different uses tell nothing of each other."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_SIZE, salt=None, info=use).derive(secret)


def encrypt(cipher: AESGCM, plain: bytes, identity: bytes) -> bytes:
    """Return nonce and ciphertext."""
    nonce = os.urandom(NONCE_SIZE)
    return nonce + cipher.encrypt(nonce, plain, identity)


def decrypt(cipher: AESGCM, stored: bytes, identity: bytes) -> bytes:
    """Return the plaintext; raises `VaultDamaged` unless key, identity and bytes are the same."""
    try:
        return cipher.decrypt(stored[:NONCE_SIZE], stored[NONCE_SIZE:], identity)
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged from error
