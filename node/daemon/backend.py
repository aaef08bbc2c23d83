"""The node as the API sees it: `api.ports.LedgerNode` over chain, mempool and network.

Reads of the chain may touch the disk and executing a call computes for as long as its deadline
allows, so both run in threads of their own; the event loop, whose timers consensus depends on, only
waits for them. The mempool lives on the loop and is asked there.

The rest of the daemon is given as plain functions, so that this module knows neither the
consensus engine nor the network beyond what they report.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from eth_typing import Address, Hash32

from api.errors import (
    LimitExceeded,
    MethodNotEnabled,
    NotFound,
    TransactionRefused,
    UpstreamFault,
)
from api.ports import (
    Account,
    AccountProof,
    BlockRef,
    CallRequest,
    CallResult,
    ConsensusStatus,
    Evidence,
    LedgerReceipt,
    LedgerTransaction,
    MempoolStatus,
    Metric,
    NodeIdentity,
    PeerStatus,
    PendingTransaction,
    StorageProof,
    SyncStatus,
    TransactionLocation,
    Vote,
)
from consensus.block import Block
from consensus.extra_data import decode_extra_data
from consensus.header import BlockHeader, compute_commit_hash
from consensus.signatures import recover_address
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.errors import DeadlineExceeded, StateMissing
from node.chain.results import CallResult as ChainCallResult
from node.daemon.backend_sources import BackendSources, VoteControl
from node.daemon.ledger_values import (
    to_account,
    to_chain_request,
    to_ledger_receipt,
    to_ledger_transaction,
)
from node.daemon.recent import Recent
from node.errors import OperationalFault
from node.mempool import Mempool, MempoolRefusal

__all__ = ["BackendSources", "LedgerBackend"]

T = TypeVar("T")

_READ_THREADS: Final = 4
_CALL_THREADS: Final = 2
_REMEMBERED_SETS: Final = 1_024
_REMEMBERED_BLOCKS: Final = 16
"""Callers follow their transactions one by one, so the last blocks are asked for many times."""


class LedgerBackend:
    """Implements `api.ports.LedgerNode`. Close it after the API has stopped."""

    def __init__(
        self,
        *,
        chain: Blockchain,
        mempool: Mempool,
        identity: NodeIdentity,
        sources: BackendSources,
    ) -> None:
        self._chain = chain
        self._mempool = mempool
        self._identity = identity
        self._sources = sources
        self._readers = ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="api-read")
        self._callers = ThreadPoolExecutor(_CALL_THREADS, thread_name_prefix="api-call")
        self._validator_sets = Recent[tuple[Address, ...]](_REMEMBERED_SETS)
        self._blocks = Recent[Block](_REMEMBERED_BLOCKS)
        self._transactions = Recent[tuple[LedgerTransaction, ...]](_REMEMBERED_BLOCKS)
        self._receipts = Recent[tuple[LedgerReceipt, ...]](_REMEMBERED_BLOCKS)

    def close(self) -> None:
        """Give the threads back; a call that still computes ends with its deadline."""
        if self._sources.snapshots is not None:
            self._sources.snapshots.close()
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._callers.shutdown(wait=False, cancel_futures=True)

    @property
    def identity(self) -> NodeIdentity:
        """What never changes while the node runs."""
        return self._identity

    async def get_head(self) -> BlockHeader:
        """Return the last final header."""
        return self._chain.head

    async def get_header(self, ref: BlockRef) -> BlockHeader | None:
        """Return a final header by height or hash."""
        return await self._read(lambda: self._chain.get_header(ref))

    async def get_headers(self, first: int, last: int) -> tuple[BlockHeader, ...]:
        """Return the final headers of heights `first` to `last` inclusive, as far as they exist."""

        def read() -> tuple[BlockHeader, ...]:
            stop = min(last, self._chain.head.number)
            found = (self._chain.get_header(height) for height in range(first, stop + 1))
            return tuple(header for header in found if header is not None)

        return await self._read(read)

    async def get_block(self, ref: BlockRef) -> Block | None:
        """Return a final block by height or hash."""
        if isinstance(ref, int):
            return await self._read(lambda: self._chain.get_block(ref))
        known = self._blocks.get(ref)
        if known is not None:
            return known
        block = await self._read(lambda: self._chain.get_block(ref))
        if block is not None:
            self._blocks.put(ref, block)
        return block

    async def get_transactions(self, block: Block) -> tuple[LedgerTransaction, ...]:
        """Return the block's transactions decoded, senders recovered, in order."""
        # Blocks are final, so the root names the transactions; an equal root is an equal list.
        root = block.header.transactions_root
        known = self._transactions.get(root)
        if known is not None:
            return known

        def read() -> tuple[LedgerTransaction, ...]:
            decoded = self._chain.get_transactions(block.header.number)
            assert decoded is not None, "the block came from this chain"
            return tuple(to_ledger_transaction(transaction) for transaction in decoded)

        transactions = await self._read(read)
        self._transactions.put(root, transactions)
        return transactions

    async def get_receipts(self, block_hash: Hash32) -> tuple[LedgerReceipt, ...] | None:
        """Return the receipts of a final block in order; None if the block is not known."""
        known = self._receipts.get(block_hash)
        if known is not None:
            return known

        def read() -> tuple[LedgerReceipt, ...] | None:
            receipts = self._chain.get_receipts(block_hash)
            return None if receipts is None else tuple(map(to_ledger_receipt, receipts))

        found = await self._read(read)
        if found is not None:
            self._receipts.put(block_hash, found)
        return found

    async def find_transaction(self, transaction_hash: Hash32) -> TransactionLocation | None:
        """Return where a final transaction is."""
        found = await self._read(lambda: self._chain.find_transaction(transaction_hash))
        return None if found is None else TransactionLocation(block_hash=found[0], index=found[1])

    async def get_validators(self, header: BlockHeader) -> tuple[Address, ...]:
        """Return the validators entitled to seal `header`, ascending; for genesis the first set."""
        known = self._validator_sets.get(header.parent_hash)
        if known is not None:
            return known

        def read() -> tuple[Address, ...]:
            parent = header if header.number == 0 else self._chain.get_header(header.number - 1)
            if parent is None:
                raise StateMissing(f"the block before {header.number} is not kept here")
            return self._chain.get_validators(parent)

        validators = await self._read(read)
        self._validator_sets.put(header.parent_hash, validators)
        return validators

    async def get_sealers(self, header: BlockHeader) -> tuple[Address, ...]:
        """Return who sealed `header`, recovered from its seals, ascending; none for genesis."""
        if header.number == 0:
            return ()

        def recover() -> tuple[Address, ...]:
            digest = compute_commit_hash(header)
            seals = decode_extra_data(header.extra_data).seals
            return tuple(sorted(recover_address(digest, seal) for seal in seals))

        return await self._read(recover)

    async def get_account(self, address: Address, header: BlockHeader) -> Account:
        """Return the account in the state after `header`."""
        account = await self._read(lambda: self._chain.state_at(header).get_account(address))
        return to_account(account)

    async def get_code(self, address: Address, header: BlockHeader) -> bytes:
        """Return the account's code in the state after `header`."""
        return await self._read(lambda: self._chain.state_at(header).get_code(address))

    async def get_storage(self, address: Address, slot: int, header: BlockHeader) -> int:
        """Return one storage word in the state after `header`."""
        return await self._read(lambda: self._chain.state_at(header).get_storage(address, slot))

    async def prove(
        self, address: Address, slots: tuple[int, ...], header: BlockHeader
    ) -> AccountProof:
        """Return account and storage proofs against `header.state_root`."""
        proof = await self._read(lambda: self._chain.state_at(header).prove(address, slots))
        return AccountProof(
            address=proof.address,
            account=to_account(proof.account),
            nodes=proof.proof,
            storage=tuple(
                StorageProof(slot=item.slot, value=item.value, nodes=item.proof)
                for item in proof.storage
            ),
        )

    async def call(
        self, request: CallRequest, header: BlockHeader, *, timeout_s: float
    ) -> CallResult:
        """Execute on the state after `header`; raises `LimitExceeded` after `timeout_s`."""
        asked = to_chain_request(request)
        return await self._execute(
            lambda: self._chain.call(asked, header, deadline=Deadline.after(timeout_s))
        )

    async def estimate_gas(
        self, request: CallRequest, header: BlockHeader, *, timeout_s: float
    ) -> CallResult:
        """Find the least gas limit that suffices, as `gas_used`; or why none does."""
        asked = to_chain_request(request)
        return await self._execute(
            lambda: self._chain.estimate_gas(asked, header, deadline=Deadline.after(timeout_s))
        )

    async def send_transaction(self, raw: bytes) -> Hash32:
        """Take a signed transaction, durably, before returning its hash."""
        try:
            transaction = await self._mempool.add(raw)
        except MempoolRefusal as refusal:
            raise TransactionRefused(
                refusal.reason,
                field=refusal.field,
                code=refusal.code,
                next_step=refusal.next_step,
            ) from refusal
        except OperationalFault as fault:
            raise _unavailable(fault) from fault
        return transaction.hash

    async def find_pending(self, transaction_hash: Hash32) -> PendingTransaction | None:
        """Return an acknowledged transaction that is not final."""
        transaction = self._mempool.get(transaction_hash)
        if transaction is None:
            return None
        return PendingTransaction(
            transaction=to_ledger_transaction(transaction),
            ready=self._mempool.is_ready(transaction),
        )

    async def get_pending(self) -> tuple[PendingTransaction, ...]:
        """Return all waiting transactions, by sender and nonce."""
        next_nonces: dict[Address, int] = {}
        waiting = []
        for transaction in self._mempool.get_all():
            if transaction.sender not in next_nonces:
                next_nonces[transaction.sender] = self._mempool.next_nonce(transaction.sender)
            waiting.append(
                PendingTransaction(
                    transaction=to_ledger_transaction(transaction),
                    ready=transaction.nonce < next_nonces[transaction.sender],
                )
            )
        return tuple(waiting)

    async def get_next_nonce(self, address: Address) -> int:
        """Return the nonce after all final and all waiting, gapless transactions of `address`."""
        return self._mempool.next_nonce(address)

    async def get_mempool_status(self) -> MempoolStatus:
        """Return counts and bytes."""
        status = self._mempool.get_status()
        return MempoolStatus(
            pending=status.pending, queued=status.queued, size_bytes=status.size_bytes
        )

    async def get_sync_status(self) -> SyncStatus | None:
        """Return the progress of catching up; None when level with the peers."""
        return self._sources.get_sync()

    async def get_peers(self) -> tuple[PeerStatus, ...]:
        """Return the connected peers."""
        return tuple(self._sources.get_peers())

    async def get_consensus_status(self) -> ConsensusStatus:
        """Return where consensus stands."""
        return self._sources.get_consensus()

    async def get_evidence(self, *, limit: int) -> tuple[Evidence, ...]:
        """Return the newest evidence of misbehaviour first."""
        return tuple(self._sources.get_evidence(limit))

    async def export_evidence(self, evidence_id: Hash32) -> Mapping[str, Any] | None:
        """Return the file that proves an act to a third party, as JSON values; None if unknown."""
        return await self._read(lambda: self._sources.export_evidence(evidence_id))

    async def export_snapshot(self, height: int) -> Mapping[str, Any]:
        """Write a snapshot beside the chain; raises `MethodNotEnabled` where none is written."""
        if self._sources.snapshots is None:
            raise MethodNotEnabled("this node writes no snapshots")
        return await self._sources.snapshots.export(height)

    async def get_metrics(self) -> tuple[Metric, ...]:
        """Return the samples of all parts of the node."""
        head = self._chain.head
        pool = self._mempool.get_status()
        gauges = (
            ("head_number", "Height of the last final block.", head.number),
            ("head_timestamp_seconds", "Time of the last final block.", head.timestamp),
            ("mempool_pending", "Transactions ready for a block.", pool.pending),
            ("mempool_queued", "Transactions that wait for a nonce.", pool.queued),
            ("mempool_bytes", "Bytes of all waiting transactions.", pool.size_bytes),
            ("mempool_journal_bytes", "Size of the mempool's journal.", pool.journal_bytes),
        )
        own = tuple(
            Metric(name=name, kind="gauge", help=text, value=value) for name, text, value in gauges
        )
        return (*own, *self._sources.get_metrics())

    async def get_votes(self) -> tuple[Vote, ...]:
        """Return this node's standing votes; raises `MethodNotEnabled` in contract mode."""
        return tuple(self._get_vote_control().get_votes())

    async def propose_vote(self, vote: Vote) -> None:
        """Vote in coming proposals; raises `MethodNotEnabled` in contract mode."""
        self._get_vote_control().propose(vote)

    async def discard_vote(self, recipient: Address) -> None:
        """Withdraw a standing vote; raises `MethodNotEnabled` in contract mode."""
        self._get_vote_control().discard(recipient)

    def _get_vote_control(self) -> VoteControl:
        if self._sources.votes is None:
            raise MethodNotEnabled(
                "validators are chosen by the registry contract on this chain",
                next_step="propose a change of validators in the agency registry",
            )
        return self._sources.votes

    async def _read(self, function: Callable[[], T]) -> T:
        with _node_faults():
            return await asyncio.get_running_loop().run_in_executor(self._readers, function)

    async def _execute(self, function: Callable[[], ChainCallResult]) -> CallResult:
        with _node_faults():
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._callers, function)
        return CallResult(
            output=result.output,
            gas_used=result.gas_used,
            error=result.error,
            is_revert=result.is_revert,
        )


@contextmanager
def _node_faults() -> Iterator[None]:
    """Put the chain's refusals into the API's words."""
    try:
        yield
    except DeadlineExceeded as error:
        raise LimitExceeded(
            "the call took longer than it may",
            next_step="ask for less in one call, or run it on a node of your own",
        ) from error
    except StateMissing as error:
        raise NotFound(error.message, code="state_missing") from error
    except OperationalFault as fault:
        raise _unavailable(fault) from fault


def _unavailable(fault: OperationalFault) -> UpstreamFault:
    return UpstreamFault(fault.message, code="node_unavailable", next_step=fault.next_step)
