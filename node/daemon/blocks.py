"""What consensus asks of chain and mempool: build a block, judge one, make one final.

Each of them computes in the worker thread. Building takes the mempool's candidates in fair order
and reports back what they took; permission is asked once more for every transaction, because a key
can end between admission and block.
"""

from eth_typing import Address

from consensus.block import Block
from consensus.header import BlockHeader
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.registry import RegistryView
from node.chain.results import ImportedBlock
from node.chain.transactions import Transaction
from node.daemon.worker import Worker
from node.mempool import Gate, Mempool


class ChainBlocks:
    """The block factory of this node."""

    def __init__(
        self,
        *,
        chain: Blockchain,
        mempool: Mempool,
        registry: RegistryView,
        worker: Worker,
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate
        self._chain = chain
        self._mempool = mempool
        self._registry = registry
        self._worker = worker

    async def build(
        self,
        *,
        parent: BlockHeader,
        timestamp: int,
        coinbase: Address,
        extra_data: bytes,
        budget_s: float,
    ) -> Block:
        """Build on the head with what waits; stop adding transactions after `budget_s` seconds."""
        run = self._mempool.candidates()
        built = await self._worker.run(
            lambda: self._chain.build_block(
                parent=parent,
                timestamp=timestamp,
                coinbase=coinbase,
                extra_data=extra_data,
                candidates=run,
                deadline=Deadline.after(budget_s),
                is_permitted=self._is_permitted,
            )
        )
        self._mempool.finish_build(
            run,
            given_up=[dropped.transaction.hash for dropped in built.dropped],
            budget_s=budget_s,
        )
        return built.block

    async def validate(self, block: Block, *, budget_s: float) -> None:
        """Execute a proposed block; raises InvalidBlock, or DeadlineExceeded after `budget_s`."""
        # The time that the block waits for the worker counts: the others wait for our vote.
        deadline = Deadline.after(budget_s)
        await self._worker.run(lambda: self._chain.validate_block(block, deadline=deadline))

    async def import_block(self, block: Block) -> ImportedBlock:
        """Make a sealed block final. There is no deadline: a quorum has decided."""
        return await self._worker.run(lambda: self._chain.import_block(block))

    async def get_validators(self, parent: BlockHeader) -> tuple[Address, ...]:
        """Return the validators of the height after `parent`, ascending."""
        return await self._worker.run(lambda: self._chain.get_validators(parent))

    def has_transactions(self) -> bool:
        """Tell whether a block built now would hold a transaction."""
        return self._mempool.has_candidates()

    def _is_permitted(self, transaction: Transaction) -> bool:
        if transaction.to is None and not self._registry.may_deploy(transaction.sender):
            return False
        if self._gate is not None and not self._gate.may_go(transaction):
            return False
        return self._registry.may_send(transaction.sender)
