"""The hash algorithms of commitments and their one-byte tags.

A commitment names its algorithm by a tag that is hashed into every leaf, so that a leaf made under
one algorithm can never be taken for a leaf made under another. SHA-256 is the default; SM3
(GB/T 32905-2016) is there for agencies whose rules ask for it. Both give 32 bytes.
"""

import hashlib
from collections.abc import Callable
from enum import IntEnum

from cryptography.hazmat.primitives import hashes

from atesta_client.errors import CredentialRefused, ReasonCode

DIGEST_SIZE = 32
"""Length in bytes of every digest, salt, uid and root."""


class HashAlgorithm(IntEnum):
    """A hash algorithm; the number is the tag on the chain and in every leaf."""

    SHA_256 = 1
    SM3 = 2

    @property
    def label(self) -> str:
        """The name in files and interfaces: ``sha-256`` or ``sm3``."""
        return "sha-256" if self is HashAlgorithm.SHA_256 else "sm3"

    @property
    def tag(self) -> bytes:
        """The tag as the one byte that enters every leaf."""
        return bytes((self.value,))

    @classmethod
    def from_label(cls, label: str) -> "HashAlgorithm":
        """Return the algorithm of that name; raise :class:`CredentialRefused` for another name."""
        for algorithm in cls:
            if algorithm.label == label:
                return algorithm
        known = ", ".join(algorithm.label for algorithm in cls)
        raise CredentialRefused(
            ReasonCode.FILE_MALFORMED, f"unknown hash algorithm {label!r}; known are {known}"
        )


def get_hash(algorithm: HashAlgorithm) -> Callable[[bytes], bytes]:
    """Return the algorithm as a plain function from bytes to a digest of 32 bytes."""
    if algorithm is HashAlgorithm.SHA_256:
        return _compute_sha_256
    return _compute_sm3


def _compute_sha_256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _compute_sm3(data: bytes) -> bytes:
    # Not hashlib: its SM3 exists only where the system's OpenSSL was built with it.
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()
