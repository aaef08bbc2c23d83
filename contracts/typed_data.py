"""Typed messages that people and devices sign for the ledger's contracts (EIP-712).

A signature is made over a domain and a message. The domain names this ledger (chain id and
deployment salt) and one contract (its address), so that a signature serves nowhere else. The
message is shown by the signer's device field by field. An act is a call of the contract itself,
signed by an agency's key and submitted by any account with `relay`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from coincurve import PrivateKey
from eth_abi.abi import encode
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

NAME: Final = "Atesta"
VERSION: Final = "1"
DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,"
    "address verifyingContract,bytes32 salt)"
)
ACT_TYPE: Final = "Act(bytes call,uint256 nonce,uint256 deadline)"
CONSENT_TYPE: Final = (
    "Consent(bytes32 uid,bytes32 provider,bytes32 recipient,bytes32 dataset,uint256 fields,"
    "bytes32 purpose,uint8 kind,bytes32 notice,uint256 validFrom,uint256 validUntil,uint256 quota,"
    "uint256 responseTime,bytes32 subject,bytes32 record,uint256 eventTime,uint256 nonce,"
    "uint256 deadline)"
)
"""What a resident's key signs for `consents.give`."""
WITHDRAWAL_TYPE: Final = "Withdrawal(bytes32 uid,uint256 declaredAt,uint256 nonce,uint256 deadline)"
"""What the same key signs for `consents.withdraw_signed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where a signature counts."""

    chain_id: int
    contract: Address
    """The proxy that checks the signature."""
    salt: Hash32
    """The deployment salt; `eip712Domain()` of the contract answers it."""


def hash_act(domain: Domain, *, call: bytes, nonce: int, deadline_s: int) -> Hash32:
    """Compute what the author of an act signs, 32 bytes; `call` is the contract's call data."""
    return hash_message(domain, ACT_TYPE, [call, nonce, deadline_s])


def hash_message(domain: Domain, message_type: str, values: Sequence[Any]) -> Hash32:
    """Compute the EIP-712 digest of a flat message, 32 bytes.

    `message_type` is the type as EIP-712 writes it, `Name(type field,...)`; `values` are in its
    order, bytes of any length for `bytes`.
    """
    separator = _hash_struct(
        DOMAIN_TYPE, [NAME, VERSION, domain.chain_id, domain.contract, domain.salt]
    )
    return Hash32(keccak(b"\x19\x01" + separator + _hash_struct(message_type, values)))


def sign_digest(digest: Hash32, private_key: bytes) -> bytes:
    """Sign a digest with a secp256k1 key: r, s (the lower one) and v, 65 bytes."""
    signature = PrivateKey(private_key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def _hash_struct(struct_type: str, values: Sequence[Any]) -> bytes:
    fields = struct_type[struct_type.index("(") + 1 : -1].split(",")
    types, words = ["bytes32"], [keccak(text=struct_type)]
    for field, value in zip(fields, values, strict=True):
        abi_type = field.split(" ")[0]
        if abi_type in {"bytes", "string"}:
            # Whatever has no fixed size goes in as its hash.
            types.append("bytes32")
            words.append(keccak(text=value) if abi_type == "string" else keccak(value))
        else:
            types.append(abi_type)
            words.append(value)
    return keccak(encode(types, words))
