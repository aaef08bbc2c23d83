"""The chain as the rest of the node sees it."""

from collections.abc import Callable, Iterable, Sequence

from consensus.block import Block
from consensus.header import BlockHeader
from consensus.types import Address, Hash32
from node.chain.accounts import Account
from node.chain.deadline import Deadline
from node.chain.genesis import Genesis
from node.chain.receipts import Receipt
from node.chain.results import (
    AccountProof,
    BuiltBlock,
    CallRequest,
    CallResult,
    FoundLog,
    ImportedBlock,
    LogFilter,
)
from node.chain.transactions import Transaction
from node.storage.kv import KeyValueStore

BlockId = int | bytes
"""A height, or a block hash."""


class StateView:
    """The state after one block, read only."""

    def get_account(self, address: Address) -> Account | None:
        """Return the account, or None if it does not exist."""
        raise NotImplementedError

    def get_code(self, address: Address) -> bytes:
        """Return the code, empty for none."""
        raise NotImplementedError

    def get_storage(self, address: Address, slot: int) -> int:
        """Return the value of a slot, 0 if never written."""
        raise NotImplementedError

    def prove(self, address: Address, slots: Sequence[int] = ()) -> AccountProof:
        """Prove the account and the slots against the block's state root."""
        raise NotImplementedError


class Blockchain:
    """Final blocks and their state. Reads are thread-safe; one thread builds and imports."""

    @classmethod
    def open(cls, store: KeyValueStore, genesis: Genesis) -> "Blockchain":
        """Open the chain in `store`, writing genesis into an empty one; raises StoreMismatch."""
        raise NotImplementedError

    @property
    def head(self) -> BlockHeader:
        """The header of the last final block, seals included."""
        raise NotImplementedError

    @property
    def genesis(self) -> Genesis:
        """The network's beginning."""
        raise NotImplementedError

    def get_header(self, block_id: BlockId) -> BlockHeader | None:
        """Return a final header by height or hash, or None."""
        raise NotImplementedError

    def get_block_hash(self, number: int) -> Hash32 | None:
        """Return the hash of the final block at a height, or None."""
        raise NotImplementedError

    def get_block(self, block_id: BlockId) -> Block | None:
        """Return a final block by height or hash, or None."""
        raise NotImplementedError

    def get_receipts(self, block_id: BlockId) -> tuple[Receipt, ...] | None:
        """Return the receipts of a final block, or None."""
        raise NotImplementedError

    def get_transactions(self, block_id: BlockId) -> tuple[Transaction, ...] | None:
        """Return the decoded transactions of a final block, or None."""
        raise NotImplementedError

    def find_transaction(self, tx_hash: Hash32) -> tuple[Hash32, int] | None:
        """Return (block hash, index) of a final transaction, or None."""
        raise NotImplementedError

    def get_logs(self, first: int, last: int, wanted: LogFilter) -> Iterable[FoundLog]:
        """Yield matching logs of the final blocks from `first` to `last`, in order."""
        raise NotImplementedError

    def get_validators(self, parent: BlockHeader) -> tuple[Address, ...]:
        """Return the validators of height parent.number + 1, ascending."""
        raise NotImplementedError

    def build_block(
        self,
        *,
        parent: BlockHeader,
        timestamp: int,
        coinbase: Address,
        extra_data: bytes,
        candidates: Iterable[Transaction],
        deadline: Deadline,
        is_permitted: Callable[[Transaction], bool],
    ) -> BuiltBlock:
        """Execute candidates in order until the deadline or the gas limit; `parent` is the head."""
        raise NotImplementedError

    def validate_block(self, block: Block, *, deadline: Deadline) -> None:
        """Check a proposal whole, but for seals. Raises InvalidBlock, DeadlineExceeded."""
        raise NotImplementedError

    def import_block(self, block: Block) -> ImportedBlock:
        """Make a sealed block final: check, execute (once), write, tell the listeners.

        A block that is final already is returned again. Raises InvalidBlock, UnknownParent,
        ConflictingBlock.
        """
        raise NotImplementedError

    def state_at(self, header: BlockHeader) -> StateView:
        """Return the state after a final block; raises StateMissing if it is not retained."""
        raise NotImplementedError

    def call(self, request: CallRequest, header: BlockHeader, *, deadline: Deadline) -> CallResult:
        """Execute a message on the state after `header`; nothing is kept."""
        raise NotImplementedError

    def estimate_gas(
        self, request: CallRequest, header: BlockHeader, *, deadline: Deadline
    ) -> CallResult:
        """Find the least gas with which the message succeeds, in `gas_used`; or its error."""
        raise NotImplementedError

    def subscribe(self, listener: Callable[[ImportedBlock], None]) -> None:
        """Call `listener` after every import, in the importing thread, once it is durable."""
        raise NotImplementedError

    def remember_transactions(self, transactions: Iterable[Transaction]) -> None:
        """Keep decoded transactions so that a block with them needs no recovery of senders."""
        raise NotImplementedError
