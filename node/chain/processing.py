"""From a parent and transactions to an executed block: building proposals and checking others'.

A block is executed once per node. Whoever executes it first, as builder, as validator or while
syncing, leaves an `ExecutedBlock` under the block's hash, which is the same for every round and
every set of seals, and import takes it from there.

Time is shared out like this. A builder spends at most four fifths of its time on transactions and
leaves the rest for roots and encoding; one transaction gets at most half of that. A transaction
that is cut off after its half is given back for good: it would only do the same in the next block
and stand in the way of others. One that is cut off by the end of the block, having had less, waits.

Any proposer may move the gas limit by less than one part in 1,024 of the parent's. Ours moves it
towards the limit of genesis, so that a few proposers who push it away are outweighed by the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from consensus.block import Block
from consensus.header import (
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    BlockHeader,
    compute_block_hash,
)
from consensus.header_rules import GAS_LIMIT_DIVISOR
from consensus.types import Address, Hash32, Height
from node.chain.calls import CallRunner
from node.chain.deadline import Deadline
from node.chain.errors import (
    BlockFull,
    DeadlineExceeded,
    InvalidBlock,
    NonceGap,
    TransactionInvalid,
)
from node.chain.execution import ExecutionEngine, ExecutionSession
from node.chain.receipts import Receipt, encode_receipt, merge_blooms
from node.chain.results import BuiltBlock, DroppedTransaction, DropReason
from node.chain.state_store import StateCommit, StateStore
from node.chain.state_view import RootReader
from node.chain.transactions import Transaction
from node.chain.trie import compute_ordered_root

_EXECUTION_SHARE: Final = 0.8
_TRANSACTION_SHARE: Final = 0.5
_LEAST_GAS: Final = 21_000

MAX_BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Bytes of the transactions of a block built here: well within a message between nodes, whatever
the gas limit, since a proposal that peers refuse for its size would cost us our connections."""

_REASONS: Final = {
    "chainId": DropReason.WRONG_CHAIN,
    "nonce": DropReason.NONCE_USED,
    "value": DropReason.CANNOT_PAY,
    "maxFeePerGas": DropReason.CANNOT_PAY,
    "gas": DropReason.TOO_LITTLE_GAS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedBlock:
    """What execution made of a block."""

    block_hash: Hash32
    transactions: tuple[Transaction, ...]
    receipts: tuple[Receipt, ...]
    commit: StateCommit
    """The state after it, not written yet."""


class BlockProcessor:
    """Executes blocks on top of final ones. One thread at a time."""

    def __init__(
        self,
        engine: ExecutionEngine,
        state_store: StateStore,
        calls: CallRunner,
        gas_target: int,
    ) -> None:
        """Use one engine for everything; blocks built here approach the gas limit `gas_target`."""
        self._engine = engine
        self._states = state_store
        self._calls = calls
        self._gas_target = gas_target

    def build(
        self,
        *,
        parent: BlockHeader,
        timestamp: int,
        coinbase: Address,
        extra_data: bytes,
        candidates: Iterable[Transaction],
        deadline: Deadline,
        is_permitted: Callable[[Transaction], bool],
    ) -> tuple[BuiltBlock, ExecutedBlock]:
        """Execute candidates in order until time or gas is used up, and make the block."""
        draft = replace(
            _draft_header(parent, timestamp, coinbase, extra_data),
            gas_limit=_approach(parent.gas_limit, self._gas_target),
        )
        session = self._begin(draft, parent)
        selection = _Selection(session, draft.gas_limit, deadline, is_permitted)
        selection.run(candidates)
        draft = replace(
            draft, transactions_root=compute_ordered_root(item.raw for item in selection.included)
        )
        header, commit = self._seal_results(draft, parent, session, selection.receipts)
        block = Block(
            header=header,
            transactions=tuple(transaction.raw for transaction in selection.included),
            withdrawals=(),
        )
        executed = ExecutedBlock(
            block_hash=compute_block_hash(header),
            transactions=tuple(selection.included),
            receipts=tuple(selection.receipts),
            commit=commit,
        )
        return BuiltBlock(block=block, dropped=tuple(selection.dropped)), executed

    def execute(
        self,
        block: Block,
        block_hash: Hash32,
        transactions: Sequence[Transaction],
        parent: BlockHeader,
        *,
        deadline: Deadline,
    ) -> ExecutedBlock:
        """Execute a given block and compare what it claims.

        The header rules and the body against its root are checked before.

        Raises InvalidBlock naming the first difference, or DeadlineExceeded.
        """
        header = block.header
        session = self._begin(header, parent)
        receipts = []
        for index, transaction in enumerate(transactions):
            try:
                receipts.append(session.apply(transaction, deadline=deadline))
            except TransactionInvalid as error:
                raise InvalidBlock(f"transaction {index}: {error}") from error
        computed, commit = self._seal_results(header, parent, session, receipts)
        for field in (
            "gas_used",
            "receipts_root",
            "logs_bloom",
            "state_root",
        ):
            if getattr(computed, field) != getattr(header, field):
                raise InvalidBlock(
                    f"is {_show(getattr(header, field))} where execution gives "
                    f"{_show(getattr(computed, field))}",
                    field=field,
                )
        return ExecutedBlock(
            block_hash=block_hash,
            transactions=tuple(transactions),
            receipts=tuple(receipts),
            commit=commit,
        )

    def _begin(self, header: BlockHeader, parent: BlockHeader) -> ExecutionSession:
        return self._engine.begin(
            self._calls.get_environment(header), RootReader(self._states, parent.state_root)
        )

    def _seal_results(
        self,
        header: BlockHeader,
        parent: BlockHeader,
        session: ExecutionSession,
        receipts: Sequence[Receipt],
    ) -> tuple[BlockHeader, StateCommit]:
        """Return the header with what execution computed, and the state to write."""
        commit = self._states.prepare(parent.state_root, session.finish())
        computed = replace(
            header,
            state_root=commit.root,
            receipts_root=compute_ordered_root(encode_receipt(receipt) for receipt in receipts),
            logs_bloom=merge_blooms(receipt.logs_bloom for receipt in receipts),
            gas_used=session.gas_used,
        )
        return computed, commit


class _Selection:
    """Chooses among candidates while executing them."""

    def __init__(
        self,
        session: ExecutionSession,
        gas_limit: int,
        deadline: Deadline,
        is_permitted: Callable[[Transaction], bool],
    ) -> None:
        self._session = session
        self._gas_limit = gas_limit
        self._is_permitted = is_permitted
        budget_s = deadline.remaining_s
        self._end = replace(deadline, monotonic_end=deadline.clock() + budget_s * _EXECUTION_SHARE)
        self._share_s = budget_s * _EXECUTION_SHARE * _TRANSACTION_SHARE
        self._size_bytes = 0
        self.included: list[Transaction] = []
        self.receipts: list[Receipt] = []
        self.dropped: list[DroppedTransaction] = []

    def run(self, candidates: Iterable[Transaction]) -> None:
        """Go through the candidates in order."""
        for transaction in candidates:
            if self._end.is_over or self._gas_limit - self._session.gas_used < _LEAST_GAS:
                return
            if transaction.gas > self._gas_limit:
                self._drop(transaction, DropReason.TOO_MUCH_GAS)
            elif not self._is_permitted(transaction):
                self._drop(transaction, DropReason.NOT_PERMITTED)
            elif self._size_bytes + len(transaction.raw) <= MAX_BLOCK_BYTES:
                self._try(transaction)

    def _try(self, transaction: Transaction) -> None:
        own_end = self._end.clock() + self._share_s
        is_own = own_end < self._end.monotonic_end
        deadline = replace(self._end, monotonic_end=own_end) if is_own else self._end
        try:
            receipt = self._session.apply(transaction, deadline=deadline)
        except (NonceGap, BlockFull):
            return  # for a later block
        except TransactionInvalid as error:
            self._drop(transaction, _REASONS.get(error.field or "", DropReason.NOT_EXECUTABLE))
        except DeadlineExceeded:
            if is_own:
                self._drop(transaction, DropReason.TOO_SLOW)
        else:
            self._size_bytes += len(transaction.raw)
            self.included.append(transaction)
            self.receipts.append(receipt)

    def _drop(self, transaction: Transaction, reason: DropReason) -> None:
        self.dropped.append(DroppedTransaction(transaction=transaction, reason=reason))


def _draft_header(
    parent: BlockHeader, timestamp: int, coinbase: Address, extra_data: bytes
) -> BlockHeader:
    """Return the header as far as it is known before execution: all that opcodes can see."""
    return BlockHeader(
        parent_hash=compute_block_hash(parent),
        coinbase=coinbase,
        state_root=parent.state_root,
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        number=Height(parent.number + 1),
        gas_limit=parent.gas_limit,
        gas_used=0,
        timestamp=timestamp,
        extra_data=extra_data,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
    )


def _approach(gas_limit: int, target: int) -> int:
    """Return the gas limit nearest to `target` that may follow `gas_limit`."""
    step = max(0, gas_limit // GAS_LIMIT_DIVISOR - 1)
    return max(gas_limit - step, min(gas_limit + step, target))


def _show(value: bytes | int) -> str:
    if isinstance(value, int):
        return str(value)
    return f"0x{value[:32].hex()}" + ("..." if len(value) > 32 else "")
