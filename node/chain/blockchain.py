"""The chain as the rest of the node sees it.

A block takes one of three ways in. Our proposer *builds* it from candidates; another validator's
proposal is *validated*; both execute it and keep the result in memory under the block's hash. A
block that a quorum has sealed is *imported*: seals and header rules are checked, the kept result is
taken or the block executed now, and everything is written in one synchronous batch with the head
pointer. From then on it is final; there are no forks and no way back.

Execution changes nothing but that memory, so building and validating may be repeated and thrown
away freely. They and import belong to one worker thread; reading is safe from any thread at any
time, because every state and every block stays where it is once written.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import structlog

from consensus.block import Block
from consensus.errors import AheadOfClock, InvalidHeader
from consensus.header import BlockHeader, compute_block_hash
from consensus.header_rules import (
    HeaderRules,
    validate_proposed_header,
    validate_sealed_header,
)
from consensus.types import Address, Hash32
from consensus.votes import VoteTally
from node.chain.block_store import BlockId, BlockStore
from node.chain.calls import CallRunner
from node.chain.deadline import Deadline
from node.chain.errors import (
    ConflictingBlock,
    ExecutionDiverged,
    InvalidBlock,
    StateMissing,
    TooEarly,
    TransactionInvalid,
    UnknownParent,
)
from node.chain.evm.executor import EvmEngine
from node.chain.execution import ExecutionEngine
from node.chain.genesis import Genesis
from node.chain.head import WRITE_KIND, open_head
from node.chain.logs import find_logs
from node.chain.processing import BlockProcessor, ExecutedBlock
from node.chain.pruning import ARCHIVE, Retention
from node.chain.receipts import Receipt
from node.chain.results import (
    BuiltBlock,
    CallRequest,
    CallResult,
    FoundLog,
    ImportedBlock,
    LogFilter,
)
from node.chain.senders import TransactionDecoder
from node.chain.set_history import SetHistory
from node.chain.state_store import StateStore
from node.chain.state_view import StateView
from node.chain.transactions import Transaction
from node.chain.trie import compute_ordered_root
from node.chain.validators import ValidatorSource
from node.storage.kv import KeyValueStore, WriteBatch

_MAX_PENDING: Final = 8
"""Executed blocks kept in memory; a height has one per proposal that was validated."""

Listener = Callable[[ImportedBlock], None]


class Blockchain:
    """Final blocks and their state. Reads are thread-safe; one thread builds and imports."""

    def __init__(
        self,
        store: KeyValueStore,
        genesis: Genesis,
        *,
        clock: Callable[[], float],
        engine: ExecutionEngine,
        retain_blocks: int,
    ) -> None:
        """Use `open`, which also reads or makes block 0."""
        self._store = store
        self._genesis = genesis
        self._clock = clock
        self._rules = HeaderRules(config=genesis.qbft)
        self._blocks = BlockStore(store)
        self._states = StateStore(store)
        self._calls = CallRunner(
            engine, self._blocks, self._states, chain_id=genesis.chain_id, config=genesis.qbft
        )
        self._processor = BlockProcessor(
            engine, self._states, self._calls, genesis.header.gas_limit
        )
        self._validators = ValidatorSource(genesis.qbft, self._blocks, self._states, self._calls)
        self._pending: dict[Hash32, ExecutedBlock] = {}
        self._senders = TransactionDecoder()
        self._listeners: list[Listener] = []
        self._importing = threading.Lock()
        self._log = structlog.get_logger(__name__)
        self._retention = Retention(store, self._states, retain_blocks=retain_blocks)
        ask = self._validators.get_validators
        self.set_history = SetHistory(store, genesis, self._blocks, self._states, ask)
        """The proved changes of the validator set."""
        self._head = open_head(store, genesis, self._blocks, self._states)
        self.set_history.open(self._head, self._retention.floor)

    @classmethod
    def open(
        cls,
        store: KeyValueStore,
        genesis: Genesis,
        *,
        clock: Callable[[], float] = time.time,
        engine: ExecutionEngine | None = None,
        retain_blocks: int = ARCHIVE,
    ) -> "Blockchain":
        """Open the chain in `store`, writing genesis into an empty one.

        `clock` gives seconds since 1970; `retain_blocks` is how many states to keep, 0 for all.
        Raises StoreMismatch if the store belongs to another network or layout, StoreDamaged if
        its head is not whole.
        """
        return cls(
            store, genesis, clock=clock, engine=engine or EvmEngine(), retain_blocks=retain_blocks
        )

    def close(self) -> None:
        """End the threads; the store is the caller's to close."""
        self._senders.close()

    # -- reading --

    @property
    def head(self) -> BlockHeader:
        """The header of the last final block, seals included."""
        return self._head

    @property
    def genesis(self) -> Genesis:
        """The network's beginning."""
        return self._genesis

    def get_header(self, block_id: BlockId) -> BlockHeader | None:
        """Return a final header by height or hash, or None."""
        height = self._blocks.find_height(block_id)
        return None if height is None else self._blocks.get_header(height)

    def get_block_hash(self, number: int) -> Hash32 | None:
        """Return the hash of the final block at a height, or None."""
        return self._blocks.get_hash(number)

    def get_block(self, block_id: BlockId) -> Block | None:
        """Return a final block by height or hash, or None."""
        height = self._blocks.find_height(block_id)
        header = None if height is None else self._blocks.get_header(height)
        if height is None or header is None:
            return None
        transactions = self._blocks.get_transactions(height)
        if transactions is None:
            return None  # before the snapshot that this node started from, only headers are here
        return Block(header=header, transactions=transactions, withdrawals=())

    def get_receipts(self, block_id: BlockId) -> tuple[Receipt, ...] | None:
        """Return the receipts of a final block, or None."""
        height = self._blocks.find_height(block_id)
        return None if height is None else self._blocks.get_receipts(height)

    def get_transactions(self, block_id: BlockId) -> tuple[Transaction, ...] | None:
        """Return the decoded transactions of a final block, or None."""
        height = self._blocks.find_height(block_id)
        raws = None if height is None else self._blocks.get_transactions(height)
        return None if raws is None else self._senders.decode(raws)

    def find_transaction(self, tx_hash: bytes) -> tuple[Hash32, int] | None:
        """Return (block hash, index) of a final transaction, or None."""
        place = self._blocks.find_transaction(tx_hash)
        if place is None:
            return None
        block_hash = self._blocks.get_hash(place[0])
        assert block_hash is not None, "every final block has its hash"
        return block_hash, place[1]

    def get_logs(self, first: int, last: int, wanted: LogFilter) -> Iterator[FoundLog]:
        """Yield matching logs of the final blocks from `first` to `last`, in order."""
        return find_logs(self._blocks, first, last, wanted)

    def get_validators(self, parent: BlockHeader) -> tuple[Address, ...]:
        """Return the validators of height parent.number + 1, ascending."""
        if parent.number < self._retention.floor:
            known = self.set_history.find_validators(parent.number)
            if known is not None:
                return known
        return self._validators.get_validators(parent)

    def get_vote_tally(self, header: BlockHeader) -> VoteTally:
        """Return validators and open votes after a final block, in header-vote mode."""
        return self._validators.get_tally(header)

    @property
    def floor(self) -> int:
        """Height of the oldest block whose state is retained."""
        return self._retention.floor

    def state_at(self, header: BlockHeader) -> StateView:
        """Return the state after a final block; raises StateMissing if it is not retained."""
        self._retention.require(header)
        if not self._states.has_state(header.state_root):
            raise StateMissing(f"the state after block {header.number} is not retained here")
        return StateView(self._states, header.state_root)

    def call(self, request: CallRequest, header: BlockHeader, *, deadline: Deadline) -> CallResult:
        """Execute a message on the state after `header`; raises DeadlineExceeded, StateMissing."""
        self._retention.require(header)
        return self._calls.call(request, header, deadline=deadline)

    def estimate_gas(
        self, request: CallRequest, header: BlockHeader, *, deadline: Deadline
    ) -> CallResult:
        """Find a gas limit with which the message succeeds, in `gas_used`; or its error."""
        self._retention.require(header)
        return self._calls.estimate_gas(request, header, deadline=deadline)

    # -- the way of a block --

    def remember_transactions(self, transactions: Iterable[Transaction]) -> None:
        """Keep decoded transactions so that a block with them needs no recovery of senders."""
        self._senders.remember(transactions)

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
        """Execute candidates in order until the deadline or the gas limit; `parent` is the head.

        The block is valid whenever that happens, empty at worst. See `processing` for how time is
        shared out. Raises UnknownParent if the head has moved on.
        """
        self._require_head(parent)
        built, executed = self._processor.build(
            parent=parent,
            timestamp=timestamp,
            coinbase=coinbase,
            extra_data=extra_data,
            candidates=candidates,
            deadline=deadline,
            is_permitted=is_permitted,
        )
        self._keep(executed)
        return built

    def validate_block(self, block: Block, *, deadline: Deadline) -> None:
        """Check a proposal whole, but for seals. Raises InvalidBlock, DeadlineExceeded."""
        parent = self._head
        self._check_header(block, parent, is_sealed=False)
        block_hash = compute_block_hash(block.header)
        _check_body(block)
        if block_hash not in self._pending:
            self._keep(self._execute(block, block_hash, parent, deadline))

    def import_block(self, block: Block) -> ImportedBlock:
        """Make a sealed block final: check, execute (once), write, tell the listeners.

        A block that is final already is returned again, and nobody is told. Raises InvalidBlock
        (or one of its kinds), which is the sender's fault, or ExecutionDiverged, which is not.
        """
        with self._importing:
            header = block.header
            if header.number <= self._head.number:
                return self._find_imported(header)
            self._check_header(block, self._head, is_sealed=True)
            block_hash = compute_block_hash(header)
            # Seals and hash cover the header only; a body that does not fit is the sender's doing.
            _check_body(block)
            executed = self._pending.get(block_hash)
            if executed is None:
                executed = self._execute_sealed(block, block_hash)
            imported = self._write(block, executed)
        self._tell(imported)
        return imported

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` after every import, in the importing thread, once it is durable."""
        self._listeners.append(listener)

    # -- internals --

    def _require_head(self, parent: BlockHeader) -> None:
        if parent.number != self._head.number or parent.state_root != self._head.state_root:
            raise UnknownParent(f"block {parent.number} is not the head, {self._head.number}")

    def _check_header(self, block: Block, parent: BlockHeader, *, is_sealed: bool) -> None:
        header = block.header
        if header.number != parent.number + 1:
            raise UnknownParent(f"block {header.number} does not follow our head {parent.number}")
        if header.parent_beacon_block_root is None or block.withdrawals is None:
            raise InvalidBlock("the header or the body lacks fields of the Cancun rules")
        validate = validate_sealed_header if is_sealed else validate_proposed_header
        try:
            validate(
                header,
                parent,
                self._validators.get_validators(parent),
                now_s=self._clock(),
                rules=self._rules,
            )
        except AheadOfClock as error:
            raise TooEarly(str(error)) from error
        except InvalidHeader as error:
            raise InvalidBlock(str(error)) from error

    def _execute(
        self, block: Block, block_hash: Hash32, parent: BlockHeader, deadline: Deadline
    ) -> ExecutedBlock:
        try:
            transactions = self._senders.decode(block.transactions)
        except TransactionInvalid as error:
            raise InvalidBlock(f"a transaction does not decode: {error}") from error
        return self._processor.execute(block, block_hash, transactions, parent, deadline=deadline)

    def _execute_sealed(self, block: Block, block_hash: Hash32) -> ExecutedBlock:
        try:
            return self._execute(block, block_hash, self._head, Deadline.never())
        except InvalidBlock as error:
            raise ExecutionDiverged(
                f"a quorum sealed block {block.header.number} (0x{block_hash.hex()}), but here "
                f"{error}",
                next_step="Stop this node and compare its version and database with the others'",
            ) from error

    def _write(self, block: Block, executed: ExecutedBlock) -> ImportedBlock:
        header = block.header
        batch = WriteBatch()
        self._states.stage(executed.commit, batch, header.number)
        self._blocks.stage(
            block,
            executed.block_hash,
            executed.receipts,
            [transaction.hash for transaction in executed.transactions],
            batch,
        )
        self.set_history.stage(self._head, batch)
        floor = self._retention.stage(header.number, batch)
        self._store.write(batch, kind=WRITE_KIND)
        self._retention.adopt(floor)
        self._states.adopt(executed.commit)
        self._blocks.adopt(header, executed.block_hash, executed.receipts)
        self._head = header
        self._pending.clear()
        return ImportedBlock(
            block=block,
            block_hash=executed.block_hash,
            receipts=executed.receipts,
            transactions=executed.transactions,
        )

    def _find_imported(self, header: BlockHeader) -> ImportedBlock:
        block_hash = compute_block_hash(header)
        final = self.get_block(int(header.number))
        if final is None or self._blocks.get_hash(header.number) != block_hash:
            raise ConflictingBlock(
                f"block {header.number} is final here with another hash than 0x{block_hash.hex()}"
            )
        return ImportedBlock(
            block=final,
            block_hash=block_hash,
            receipts=self._blocks.get_receipts(header.number) or (),
            transactions=self._senders.decode(final.transactions),
        )

    def _tell(self, imported: ImportedBlock) -> None:
        for listener in self._listeners:
            try:
                listener(imported)
            except Exception:  # noqa: BLE001 - see below
                # The block is final whatever a listener makes of it; the others must hear of it.
                self._log.exception("block_listener_failed", number=imported.block.header.number)

    def _keep(self, executed: ExecutedBlock) -> None:
        self._pending[executed.block_hash] = executed
        while len(self._pending) > _MAX_PENDING:
            del self._pending[next(iter(self._pending))]


def _check_body(block: Block) -> None:
    """Raise InvalidBlock unless the transactions are those that the header commits to."""
    if compute_ordered_root(block.transactions) != block.header.transactions_root:
        raise InvalidBlock("the transactions are not those of the header")
