"""The account that signs for the agency.

The key itself stays with the daemon, which hands in callables. Nothing that reaches this process
from outside can make it sign anything but the ledger calls that REST builds, and tokens of
credentials that lie in this agency's vault. Neither can be taken for the other: a call is signed
over keccak-256 of its RLP, a token over SHA-256 of base64url text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from atesta_client.formats.jose import IssuerKey
from atesta_client.holder_keys import HolderKey, KeyKind
from cryptography.hazmat.primitives.asymmetric import ec
from eth_account import Account as EthAccount
from eth_hash.auto import keccak
from eth_typing import Address, Hash32
from eth_utils.address import to_checksum_address
from rlp.codec import decode as decode_rlp

from api.networks.fees import NO_FEES, Fees

SignTransaction = Callable[[Mapping[str, Any]], bytes]
"""Signs a transaction given with web3's member names; returns its canonical EIP-2718 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An agency's account for records."""

    address: Address
    """20 bytes; the registry lists it as one of the agency's keys."""
    sign: SignTransaction
    """Called on a worker thread; must be safe to call from several."""
    issuer_key: IssuerKey
    """Signs tokens of credentials with the same key (ES256K); its `key_id` is the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """A transaction ready to send."""

    raw: bytes
    hash: Hash32
    """keccak256 of `raw`."""


def build_account(private_key: bytes) -> Account:
    """Return an account that signs with a key held in this process."""
    signer = EthAccount.from_key(private_key)

    def sign(transaction: Mapping[str, Any]) -> bytes:
        return bytes(signer.sign_transaction(dict(transaction)).raw_transaction)

    secret = ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256K1())
    return Account(
        address=Address(bytes.fromhex(signer.address[2:])),
        sign=sign,
        issuer_key=IssuerKey.from_key(HolderKey(kind=KeyKind.SECP256K1, key=secret)),
    )


def sign_call(
    account: Account,
    *,
    chain_id: int,
    nonce: int,
    target: bytes,
    data: bytes,
    gas: int,
    fees: Fees = NO_FEES,
) -> SignedTransaction:
    """Sign a call to a contract (EIP-1559); on a ledger of ours it costs nothing."""
    raw = account.sign(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "to": to_checksum_address(target),
            "value": 0,
            "data": "0x" + data.hex(),
            "gas": gas,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
        }
    )
    return SignedTransaction(raw=raw, hash=Hash32(keccak(raw)))


def read_offer(raw: bytes) -> Fees:
    """Return what a transaction that `sign_call` made offers."""
    assert raw[:1] == b"\x02", "the outbox signs transactions of type 2"
    fields: Any = decode_rlp(raw[1:])  # type: ignore[no-untyped-call]
    return Fees(
        priority_fee=int.from_bytes(fields[2], "big"), max_fee=int.from_bytes(fields[3], "big")
    )
