"""The port to an execution engine.

An engine turns (a parent state, the environment of a block, transactions) into (receipts, gas
used, changes to the state). It computes no roots and writes nothing: the state trie is ours, so
that an engine in another language can take this one's place without touching the store. The one
engine so far is `node.chain.evm`.

A session executes one block. Transactions are applied in order; one that cannot be executed, or
that is cut off by its deadline, leaves no trace in the session, so a builder may go on with the
next one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from consensus.header import BlockHeader
from consensus.types import Address, Hash32
from node.chain.accounts import Account
from node.chain.deadline import Deadline
from node.chain.receipts import Receipt
from node.chain.results import CallRequest, CallResult
from node.chain.state_store import StateChanges
from node.chain.transactions import Transaction

GetBlockHash = Callable[[int], Hash32 | None]
"""Finds the hash of an earlier block by height, for BLOCKHASH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEnvironment:
    """What the opcodes of a block's transactions can see of it.

    Taken from the header before execution starts, and the same in building, validating, importing
    and calling; otherwise a contract that stores what it saw would split the chain.
    """

    chain_id: int
    number: int
    timestamp: int
    """Seconds."""

    coinbase: Address
    """Receiver of fees, as COINBASE reads it."""

    gas_limit: int
    base_fee: int
    """Wei per gas."""

    mix_hash: Hash32
    """What PREVRANDAO reads."""

    excess_blob_gas: int
    parent_beacon_block_root: Hash32
    """Stored by the beacon roots contract (EIP-4788), if genesis has it."""

    block_reward: int
    """Wei that the coinbase gets for the block."""

    get_block_hash: GetBlockHash
    """Hashes of the 256 blocks before."""


def make_environment(
    header: BlockHeader,
    *,
    chain_id: int,
    beneficiary: Address | None,
    block_reward: int,
    get_block_hash: GetBlockHash,
) -> BlockEnvironment:
    """Return the environment of the block with this header; only fields set before execution."""
    return BlockEnvironment(
        chain_id=chain_id,
        number=header.number,
        timestamp=header.timestamp,
        coinbase=header.coinbase if beneficiary is None else beneficiary,
        gas_limit=header.gas_limit,
        base_fee=header.base_fee_per_gas or 0,
        mix_hash=header.mix_hash,
        excess_blob_gas=header.excess_blob_gas or 0,
        parent_beacon_block_root=header.parent_beacon_block_root or Hash32(bytes(32)),
        block_reward=block_reward,
        get_block_hash=get_block_hash,
    )


class StateReader(Protocol):
    """The state before the block."""

    def get_account(self, address: Address) -> Account | None:
        """Return an account, or None."""
        ...

    def get_storage(self, storage_root: Hash32, address: Address, slot: int) -> int:
        """Return a slot below an account's storage root."""
        ...

    def get_code(self, code_hash: Hash32) -> bytes:
        """Return code by its hash."""
        ...


class ExecutionSession(Protocol):
    """The execution of one block."""

    @property
    def gas_used(self) -> int:
        """Gas of the transactions applied so far."""
        ...

    def apply(self, transaction: Transaction, *, deadline: Deadline) -> Receipt:
        """Execute the next transaction.

        Raises TransactionInvalid or DeadlineExceeded, having changed nothing.
        """
        ...

    def finish(self) -> StateChanges:
        """Return all changes, the block's own included; the session is over."""
        ...


class ExecutionEngine(Protocol):
    """Makes sessions and answers calls. Sessions of different threads do not meet."""

    def begin(self, environment: BlockEnvironment, reader: StateReader) -> ExecutionSession:
        """Start a block on the state that `reader` shows."""
        ...

    def call(
        self,
        request: CallRequest,
        environment: BlockEnvironment,
        reader: StateReader,
        *,
        gas: int,
        deadline: Deadline,
    ) -> CallResult:
        """Execute a message without a transaction; raises DeadlineExceeded."""
        ...
