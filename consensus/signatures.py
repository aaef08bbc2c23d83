"""Signatures of validators: secp256k1 with recovery of the author.

A signature is 65 bytes `r || s || v` with v 0 or 1. It covers a 32-byte hash directly, without a
prefix. Nonces are deterministic (RFC 6979) and s is the lower of its two values, so signing a hash
again gives the same bytes: a restarted validator that repeats itself says nothing new. The author
is not named beside a signature but recovered from it, and is the keccak-256 address of the public
key as everywhere in Ethereum. As in Besu, a high s of somebody else is not refused; authors are
counted by address, so a second form of one signature gains nothing.
"""

from functools import lru_cache

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

from consensus.errors import InvalidMessage, OperatorFault
from consensus.types import Address, Hash32

SIGNATURE_BYTES = 65
SECRET_BYTES = 32

_REMEMBERED_AUTHORS = 8_192
"""Recovering costs 50 microseconds, and a commit seal is looked at again when its block is
imported, so recent results are remembered; the function is pure."""


class _OwnSignatures:
    """What this process has signed lately, whose author need not be recovered."""

    def __init__(self) -> None:
        self._authors: dict[tuple[bytes, bytes], Address] = {}

    def note(self, digest: bytes, signature: bytes, author: Address) -> None:
        if len(self._authors) >= _REMEMBERED_AUTHORS:
            self._authors.clear()
        self._authors[digest, signature] = author

    def find(self, digest: bytes, signature: bytes) -> Address | None:
        return self._authors.get((digest, signature))


_own_signatures = _OwnSignatures()


class ValidatorKey:
    """A validator's private key, able to sign hashes; its text form never shows the secret."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise OperatorFault(f"a validator key has {SECRET_BYTES} bytes, not {len(secret)}")
        try:
            self._key = PrivateKey(secret)
        except ValueError:
            raise OperatorFault("the validator key is not a number of the curve") from None
        self.address = compute_address(self._key.public_key)

    def __repr__(self) -> str:
        return f"ValidatorKey(0x{self.address.hex()})"

    def sign(self, digest: Hash32) -> bytes:
        """Return the 65-byte signature over `digest` itself."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        _own_signatures.note(digest, signature, self.address)
        return signature


@lru_cache(maxsize=_REMEMBERED_AUTHORS)
def recover_address(digest: Hash32, signature: bytes) -> Address:
    """Return the author of `signature` over `digest`; raises InvalidMessage."""
    own = _own_signatures.find(digest, signature)
    if own is not None:
        return own
    if len(signature) != SIGNATURE_BYTES:
        raise InvalidMessage(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    if signature[64] > 1:
        raise InvalidMessage(f"the recovery id of a signature is 0 or 1, not {signature[64]}")
    try:
        public_key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError as error:
        raise InvalidMessage(f"no author can be recovered: {error}") from None
    return compute_address(public_key)


def compute_address(public_key: PublicKey) -> Address:
    """Return the last 20 bytes of keccak-256 over the 64-byte public key."""
    return Address(keccak(public_key.format(compressed=False)[1:])[12:])
