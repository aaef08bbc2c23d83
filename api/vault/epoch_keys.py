"""The key of one erasure epoch: it wraps the data keys of the records of a while.

Records that are made about the same time share an epoch, so that erasing one of them wraps few
others anew. Without its epoch's key no wrap opens, wherever a copy of it lies.

The fingerprints by which records are found again (`StandingSecrets`) are made with keys that stay.
Stored as they are, they would let whoever has those keys and an old copy of the database test
guesses about a record that was erased. They are therefore stored *veiled*: encrypted under the
epoch's key, the same each time, so that they can be searched for and die with the epoch.
"""

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.vault.ciphers import Sealed, decrypt, derive_key, encrypt, make_key
from api.vault.key_folder import EpochFile
from api.vault.keys import MasterKey

_WRAP: Final = b"atesta-epoch-wrap-2"
_EPOCH: Final = b"atesta-epoch-2"


class EpochKey:
    """An epoch's key, unwrapped in memory."""

    def __init__(self, *, number: int, created_s: int, secret: bytes) -> None:
        self.number = number
        self.created_s = created_s
        self._secret = secret
        self._cipher = AESGCM(secret)
        self._prefix = _WRAP + number.to_bytes(8, "big")
        # A block at a time is safe here: fingerprints look like chance, and none has equal halves.
        veil = algorithms.AES(derive_key(secret, b"atesta-epoch-veil-2"))
        self._veil = Cipher(veil, modes.ECB())  # noqa: S305 - of HMAC outputs, two blocks each

    def seal(self, plain: bytes, identity: bytes) -> Sealed:
        """Encrypt a record under a data key of its own; `identity` must be given to open it."""
        data_key = make_key()
        return Sealed(
            epoch=self.number,
            wrapped_key=self.wrap(data_key, identity),
            ciphertext=seal_record(data_key, plain, identity),
        )

    def wrap(self, data_key: bytes, identity: bytes) -> bytes:
        """Encrypt a data key."""
        return encrypt(self._cipher, data_key, self._prefix + identity)

    def unwrap(self, wrapped_key: bytes, identity: bytes) -> bytes:
        """Return a data key; raises `VaultDamaged`."""
        return decrypt(self._cipher, wrapped_key, self._prefix + identity)

    def veil(self, fingerprint: bytes) -> bytes:
        """Return a fingerprint as it is stored: 32 bytes, the same each time."""
        encryptor = self._veil.encryptor()
        return encryptor.update(fingerprint) + encryptor.finalize()

    def unveil(self, stored: bytes) -> bytes:
        """Return the fingerprint that was veiled."""
        decryptor = self._veil.decryptor()
        return decryptor.update(stored) + decryptor.finalize()

    def protect(self, master: MasterKey, vault_id: bytes) -> EpochFile:
        """Return the key as it is stored, under a master key."""
        return EpochFile(
            number=self.number,
            created_s=self.created_s,
            master_id=master.id,
            wrapped=master.wrap(self._secret, _build_use(vault_id, self.number)),
        )


def make_epoch_key(number: int, created_s: int) -> EpochKey:
    """Return a new key."""
    return EpochKey(number=number, created_s=created_s, secret=make_key())


def open_epoch_key(file: EpochFile, master: MasterKey, vault_id: bytes) -> EpochKey:
    """Unwrap a key from its file; raises `VaultDamaged`."""
    secret = master.unwrap(file.wrapped, _build_use(vault_id, file.number))
    return EpochKey(number=file.number, created_s=file.created_s, secret=secret)


def seal_record(data_key: bytes, plain: bytes, identity: bytes) -> bytes:
    """Encrypt a record under its data key."""
    return encrypt(AESGCM(data_key), plain, b"record" + identity)


def open_record(data_key: bytes, ciphertext: bytes, identity: bytes) -> bytes:
    """Decrypt a record; raises `VaultDamaged` unless it is exactly what was sealed."""
    return decrypt(AESGCM(data_key), ciphertext, b"record" + identity)


def _build_use(vault_id: bytes, number: int) -> bytes:
    return _EPOCH + vault_id + number.to_bytes(8, "big")
