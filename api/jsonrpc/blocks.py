"""Methods that read blocks, and where the chain stands."""

from typing import Any

from api.jsonrpc.context import RpcContext, hash_of
from api.jsonrpc.hexes import write_data, write_quantity
from api.jsonrpc.methods import rpc
from api.jsonrpc.params import BlockSelector, BlockTag, Params
from api.jsonrpc.shapes import (
    write_block,
    write_pending_block,
    write_pending_transaction,
    write_receipts,
)
from api.ports import PendingTransaction
from consensus.block import Block


class BlockMethods:
    """Blocks by height, tag or hash. What is not known is null, as Ethereum clients answer."""

    def __init__(self, context: RpcContext) -> None:
        self._context = context
        self._node = context.node

    @rpc("eth_chainId", "")
    async def chain_id(self, params: Params) -> str:
        """Return the EIP-155 chain id."""
        params.check_count(0)
        return write_quantity(self._node.identity.chain_id)

    @rpc("eth_blockNumber", "")
    async def block_number(self, params: Params) -> str:
        """Return the height of the last final block."""
        params.check_count(0)
        return write_quantity((await self._node.get_head()).number)

    @rpc("eth_getBlockByNumber", "block, full = false")
    async def block_by_number(self, params: Params) -> dict[str, Any] | None:
        """Return a block by height or tag; `latest`, `safe`, `finalized` are the last final one."""
        params.check_count(2)
        selector = params.block(0)
        full = params.flag(1, default=False)
        if selector.tag is BlockTag.PENDING:
            return await self._pending_block(full=full)
        return await self._block(selector, full=full)

    @rpc("eth_getBlockByHash", "hash, full = false")
    async def block_by_hash(self, params: Params) -> dict[str, Any] | None:
        """Return a block by its consensus hash."""
        params.check_count(2)
        selector = BlockSelector(hash=params.hash(0))
        return await self._block(selector, full=params.flag(1, default=False))

    @rpc("eth_getBlockReceipts", "block")
    async def block_receipts(self, params: Params) -> list[dict[str, Any]] | None:
        """Return all receipts of a block, in order."""
        params.check_count(1)
        selector = params.block(0)
        if selector.tag is BlockTag.PENDING:
            return None
        header = await self._context.find_header(selector)
        if header is None:
            return None
        block_hash = hash_of(header)
        block = await self._node.get_block(block_hash)
        receipts = await self._node.get_receipts(block_hash)
        if block is None or receipts is None:
            return None
        transactions = await self._node.get_transactions(block)
        return write_receipts(header, block_hash, transactions, receipts)

    @rpc("eth_getBlockTransactionCountByNumber", "block")
    async def count_by_number(self, params: Params) -> str | None:
        """Return how many transactions a block has."""
        params.check_count(1)
        selector = params.block(0)
        if selector.tag is BlockTag.PENDING:
            return write_quantity(len(await self._ready()))
        return await self._count(selector)

    @rpc("eth_getBlockTransactionCountByHash", "hash")
    async def count_by_hash(self, params: Params) -> str | None:
        """Return how many transactions a block has."""
        params.check_count(1)
        return await self._count(BlockSelector(hash=params.hash(0)))

    @rpc("eth_getUncleCountByBlockNumber", "block")
    async def uncles_by_number(self, params: Params) -> str | None:
        """Return 0x0: a QBFT chain has no uncles."""
        params.check_count(1)
        return "0x0" if await self._context.find_header(params.block(0)) else None

    @rpc("eth_getUncleCountByBlockHash", "hash")
    async def uncles_by_hash(self, params: Params) -> str | None:
        """Return 0x0: a QBFT chain has no uncles."""
        params.check_count(1)
        return "0x0" if await self._node.get_header(params.hash(0)) else None

    @rpc("eth_getUncleByBlockNumberAndIndex", "block, index")
    async def uncle_by_number(self, params: Params) -> None:
        """Return null: there are no uncles."""
        params.check_count(2)
        params.block(0)

    @rpc("eth_getUncleByBlockHashAndIndex", "hash, index")
    async def uncle_by_hash(self, params: Params) -> None:
        """Return null: there are no uncles."""
        params.check_count(2)
        params.hash(0)

    async def _find_block(self, selector: BlockSelector) -> Block | None:
        header = await self._context.find_header(selector)
        return None if header is None else await self._node.get_block(hash_of(header))

    async def _block(self, selector: BlockSelector, *, full: bool) -> dict[str, Any] | None:
        block = await self._find_block(selector)
        if block is None:
            return None
        transactions = await self._node.get_transactions(block) if full else None
        return write_block(block, hash_of(block.header), transactions)

    async def _count(self, selector: BlockSelector) -> str | None:
        block = await self._find_block(selector)
        return None if block is None else write_quantity(len(block.transactions))

    async def _ready(self) -> list[PendingTransaction]:
        return [pending for pending in await self._node.get_pending() if pending.ready]

    async def _pending_block(self, *, full: bool) -> dict[str, Any]:
        head = await self._node.get_head()
        ready = await self._ready()
        if full:
            written: list[Any] = [write_pending_transaction(pending) for pending in ready]
        else:
            written = [write_data(pending.transaction.hash) for pending in ready]
        timestamp = head.timestamp + int(self._node.identity.block_period_s)
        return write_pending_block(head, hash_of(head), timestamp, written)
