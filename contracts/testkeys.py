"""Published test keys, for development ledgers on one machine only.

Everybody knows these keys, because they are computed from the sentence below. The committed
genesis.json uses them, so that a development ledger starts without ceremony; a node refuses them on
any address but loopback, for which `is_published` and `is_published_tls_scalar` exist.

Agencies are numbered from 1 to 10. Each has a validator key and three accounts (secp256k1) and a
TLS key (P-256).
"""

from functools import cache
from typing import Final, Literal

from coincurve import PrivateKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_typing import Address
from eth_utils.crypto import keccak

AGENCIES: Final = 10
"""How many agencies have published keys; they are numbered 1 to 10."""

Purpose = Literal["validator", "account", "clerk", "deployer"]
PURPOSES: Final[tuple[Purpose, ...]] = ("validator", "account", "clerk", "deployer")
"""`account` is the agency's main account with all of its roles, `clerk` issues only, `deployer`
deploys only; `validator` signs blocks and is no account."""

SEED: Final = b"Atesta published test keys: anyone can sign with these"

# Orders of the two curves' groups (SEC 2: secp256k1 and secp256r1).
SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def get_private_key(number: int, purpose: Purpose) -> bytes:
    """Return the published secp256k1 key of an agency, 32 bytes big-endian."""
    return _derive(number, purpose, SECP256K1_ORDER).to_bytes(32, "big")


@cache
def get_address(number: int, purpose: Purpose) -> Address:
    """Return the address of a published key."""
    public_key = PrivateKey(get_private_key(number, purpose)).public_key.format(compressed=False)
    return Address(keccak(public_key[1:])[12:])


def get_tls_scalar(number: int) -> int:
    """Return the published P-256 private scalar of an agency's node."""
    return _derive(number, "tls", P256_ORDER)


@cache
def get_tls_pin(number: int) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo of an agency's node, 32 bytes."""
    key = ec.derive_private_key(get_tls_scalar(number), ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    return digest.finalize()


def is_published(address: bytes) -> bool:
    """Tell whether the private key of an address is published here."""
    return bytes(address) in _get_published_addresses()


def is_published_pin(pin: bytes) -> bool:
    """Tell whether the private key of a TLS pin is published here."""
    return bytes(pin) in _get_published_pins()


def is_published_tls_scalar(scalar: int) -> bool:
    """Tell whether a P-256 private scalar is published here."""
    return any(scalar == get_tls_scalar(number) for number in _get_numbers())


@cache
def _get_published_addresses() -> frozenset[bytes]:
    return frozenset(
        bytes(get_address(number, purpose)) for number in _get_numbers() for purpose in PURPOSES
    )


@cache
def _get_published_pins() -> frozenset[bytes]:
    return frozenset(get_tls_pin(number) for number in _get_numbers())


def _get_numbers() -> range:
    return range(1, AGENCIES + 1)


def _derive(number: int, purpose: str, order: int) -> int:
    if number not in _get_numbers():
        raise ValueError(f"published test keys are numbered 1 to {AGENCIES}, not {number}")
    digest = keccak(SEED + b"|" + str(number).encode() + b"|" + purpose.encode())
    return int.from_bytes(digest, "big") % (order - 1) + 1
