"""What the chain answers: built and imported blocks, calls, logs, accounts and proofs."""

from dataclasses import dataclass
from enum import StrEnum

from consensus.block import Block
from consensus.types import Address, Hash32
from node.chain.accounts import Account
from node.chain.receipts import Log, Receipt
from node.chain.transactions import AccessList, Transaction

ZERO_ADDRESS = Address(bytes(20))


class DropReason(StrEnum):
    """Why a builder gave a candidate back for good. Others are only left for a later block."""

    NONCE_USED = "its nonce was used before"
    NOT_PERMITTED = "its sender is not permitted"
    TOO_SLOW = "it alone takes longer than a block may"
    CANNOT_PAY = "its sender cannot pay for it"
    TOO_MUCH_GAS = "it asks for more gas than a block has"
    TOO_LITTLE_GAS = "its gas does not cover its own bytes"
    WRONG_CHAIN = "it is signed for another chain"
    NOT_EXECUTABLE = "it breaks a rule of execution"


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedTransaction:
    """A candidate that will never be included as it is; the mempool forgets it."""

    transaction: Transaction
    reason: DropReason


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBlock:
    """A proposal."""

    block: Block
    """The block, executed, with the given extraData and no seals."""

    dropped: tuple[DroppedTransaction, ...]
    """Candidates to forget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBlock:
    """A final block with what it did."""

    block: Block
    """The sealed block."""

    block_hash: Hash32
    """Its name, computed once."""

    receipts: tuple[Receipt, ...]
    """One per transaction, in order."""

    transactions: tuple[Transaction, ...]
    """The decoded transactions, in order."""

    @property
    def senders(self) -> tuple[Address, ...]:
        """The sender of each transaction."""
        return tuple(transaction.sender for transaction in self.transactions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A message to execute without a transaction: a read, or a rehearsal."""

    to: Address | None
    """The account called; None rehearses a deployment."""

    data: bytes = b""
    """Call data, or init code."""

    sender: Address = ZERO_ADDRESS
    """The account that calls; it needs no signature here."""

    value: int = 0
    """Wei sent along; the sender must own it."""

    gas: int | None = None
    """Gas limit; None takes the chain's own limit for calls."""

    gas_price: int = 0
    """What GASPRICE reads; nothing is charged."""

    access_list: AccessList = ()
    """Declared accesses, which change the gas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """The outcome of a call."""

    output: bytes
    """Return data, or revert data."""

    gas_used: int
    """Gas that a transaction doing the same would use, refunds taken off."""

    error: str | None
    """None on success; else what happened, with the decoded reason of a revert."""

    is_revert: bool = False
    """Whether `error` is a REVERT, whose data is in `output`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageProof:
    """Proof of one storage slot against the account's storage root."""

    slot: int
    """Which slot."""

    value: int
    """What it holds; 0 if it was never written."""

    proof: tuple[bytes, ...]
    """RLP of the trie nodes from the root down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProof:
    """Proof of an account against a block's state root, in the shape of eth_getProof (EIP-1186)."""

    address: Address
    account: Account
    proof: tuple[bytes, ...]
    """RLP of the trie nodes from the state root down; proves absence as well."""

    storage: tuple[StorageProof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which logs a reader wants. Empty means any."""

    addresses: frozenset[Address] = frozenset()
    """Contracts."""

    topics: tuple[frozenset[Hash32], ...] = ()
    """By position: the topic there must be one of the set; an empty set matches any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLog:
    """A log with its place in the chain, which is also its only order."""

    log: Log
    block_number: int
    block_hash: Hash32
    transaction_hash: Hash32
    transaction_index: int
    log_index: int
    """Position among all logs of the block."""
