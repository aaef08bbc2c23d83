"""Accounts of the state and their encoding."""

from typing import Final, NamedTuple

from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.errors import MalformedEncoding
from consensus.rlp_codec import encode_scalar, get_bytes, get_list, get_scalar
from consensus.types import Hash32
from node.chain.trie_nodes import EMPTY_ROOT
from node.storage.errors import StoreDamaged

EMPTY_CODE_HASH: Final = Hash32(keccak(b""))
"""The code hash of an account without code."""


class Account(NamedTuple):
    """One account. A named tuple rather than a dataclass: execution makes thousands a second."""

    nonce: int = 0
    """Transactions sent, or contracts created."""

    balance: int = 0
    """Wei."""

    storage_root: Hash32 = EMPTY_ROOT
    """Root of the trie of its storage."""

    code_hash: Hash32 = EMPTY_CODE_HASH
    """keccak-256 of its code."""

    @property
    def is_empty(self) -> bool:
        """Whether it counts as absent (EIP-161)."""
        return self.nonce == 0 and self.balance == 0 and self.code_hash == EMPTY_CODE_HASH


NO_ACCOUNT: Final = Account()
"""What an absent account reads as."""


def encode_account(account: Account) -> bytes:
    """Return the RLP that the account trie holds."""
    return rlp_codec.encode(
        [
            encode_scalar(account.nonce),
            encode_scalar(account.balance),
            account.storage_root,
            account.code_hash,
        ]
    )


def decode_account(data: bytes) -> Account:
    """Read an account; raises StoreDamaged."""
    try:
        nonce, balance, storage_root, code_hash = get_list(rlp_codec.decode(data), "account", 4)
        return Account(
            get_scalar(nonce, "nonce"),
            get_scalar(balance, "balance", 32),
            Hash32(get_bytes(storage_root, "storage root", 32)),
            Hash32(get_bytes(code_hash, "code hash", 32)),
        )
    except MalformedEncoding as error:
        raise StoreDamaged(f"a stored account does not decode: {error}") from error
