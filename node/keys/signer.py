"""A secp256k1 key that signs 32-byte digests, and the recovery of who signed.

Signatures are 65 bytes `r || s || v` with `v` 0 or 1, deterministic (RFC 6979) and with low `s`,
as QBFT seals and Ethereum transactions want them. The key signs digests only; what a digest means
is the caller's business, and every use begins its digest with its own domain.
"""

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from node.errors import UserFault

SIGNATURE_BYTES = 65
_SECRET_BYTES = 32
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class SigningKey:
    """A private key in memory. Its text form shows the address, never the secret."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """Take a secret of 32 bytes, 1 to the curve order minus 1.

        Raises UserFault for any other.
        """
        if len(secret) != _SECRET_BYTES or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise UserFault("is not a secp256k1 private key", field="secret")
        self._key = PrivateKey(secret)
        self.address: Address = _compute_address(self._key.public_key)

    def __repr__(self) -> str:
        return f"SigningKey(0x{self.address.hex()})"

    def sign_digest(self, digest: Hash32) -> bytes:
        """Return `r || s || v`, 65 bytes, over the 32-byte digest itself."""
        assert len(digest) == _SECRET_BYTES
        return self._key.sign_recoverable(digest, hasher=None)

    def reveal_secret(self) -> bytes:
        """Return the secret, for a library that must hold it itself (32 bytes)."""
        return self._key.secret


def recover_signer(digest: Hash32, signature: bytes) -> Address | None:
    """Return the address whose key signed the digest, or None if the signature is not valid."""
    if len(signature) != SIGNATURE_BYTES or signature[64] > 1:
        return None
    try:
        return _compute_address(
            PublicKey.from_signature_and_message(signature, digest, hasher=None)
        )
    except ValueError:
        return None


def _compute_address(key: PublicKey) -> Address:
    return Address(keccak(key.format(compressed=False)[1:])[12:])
