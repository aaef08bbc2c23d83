"""Methods that send transactions and follow them to finality, and the pool they wait in."""

from collections import defaultdict
from typing import Any

from eth_typing import Hash32

from api.access.callers import Role
from api.errors import LimitExceeded
from api.jsonrpc.context import RpcContext, hash_of
from api.jsonrpc.hexes import write_data, write_quantity
from api.jsonrpc.methods import rpc
from api.jsonrpc.params import BlockSelector, BlockTag, Params
from api.jsonrpc.shapes import write_pending_transaction, write_receipts, write_transaction
from api.ports import TransactionLocation


class TransactionMethods:
    """Sending and reading transactions."""

    def __init__(self, context: RpcContext) -> None:
        self._context = context
        self._node = context.node

    @rpc("eth_sendRawTransaction", "data", role=Role.WRITER)
    async def send_raw(self, params: Params) -> str:
        """Take a signed transaction.

        The hash is returned only after it is safely on disk; a refusal says which field is
        at fault and stores nothing.
        """
        params.check_count(1)
        raw = params.data(0)
        most = self._context.limits.max_transaction_bytes
        if len(raw) > most:
            raise LimitExceeded(f"a transaction has at most {most} bytes", field="params[0]")
        return write_data(await self._node.send_transaction(raw))

    @rpc("eth_getTransactionByHash", "hash")
    async def by_hash(self, params: Params) -> dict[str, Any] | None:
        """Return a transaction, final or waiting; a waiting one has null for its block."""
        params.check_count(1)
        transaction_hash = params.hash(0)
        location = await self._node.find_transaction(transaction_hash)
        if location is not None:
            return await self._at(location)
        pending = await self._node.find_pending(transaction_hash)
        if pending is not None:
            return write_pending_transaction(pending)
        # It may have become final between the two questions.
        location = await self._node.find_transaction(transaction_hash)
        return None if location is None else await self._at(location)

    @rpc("eth_getTransactionByBlockHashAndIndex", "hash, index")
    async def by_block_hash(self, params: Params) -> dict[str, Any] | None:
        """Return a transaction by its place in a block."""
        params.check_count(2)
        return await self._by_place(BlockSelector(hash=params.hash(0)), params.quantity(1))

    @rpc("eth_getTransactionByBlockNumberAndIndex", "block, index")
    async def by_block_number(self, params: Params) -> dict[str, Any] | None:
        """Return a transaction by its place in a block."""
        params.check_count(2)
        return await self._by_place(params.block(0), params.quantity(1))

    @rpc("eth_getRawTransactionByHash", "hash")
    async def raw_by_hash(self, params: Params) -> str | None:
        """Return the signed bytes of a transaction, final or waiting."""
        params.check_count(1)
        transaction_hash = params.hash(0)
        location = await self._node.find_transaction(transaction_hash)
        if location is not None:
            block = await self._node.get_block(location.block_hash)
            assert block is not None, "the node located a transaction in a block it does not have"
            return write_data(block.transactions[location.index])
        pending = await self._node.find_pending(transaction_hash)
        return None if pending is None else write_data(pending.transaction.raw)

    @rpc("eth_getTransactionReceipt", "hash")
    async def receipt(self, params: Params) -> dict[str, Any] | None:
        """Return the outcome of a final transaction; null while it waits."""
        params.check_count(1)
        return await self._receipt(params.hash(0))

    @rpc("eth_getTransactionCount", "address, block = latest")
    async def count(self, params: Params) -> str:
        """Return the account's next nonce; at `pending` after what waits in the pool."""
        params.check_count(2)
        address = params.address(0)
        selector = params.block(1)
        if selector.tag is BlockTag.PENDING:
            return write_quantity(await self._node.get_next_nonce(address))
        header = await self._context.get_header(selector, "params[1]")
        return write_quantity((await self._node.get_account(address, header)).nonce)

    @rpc("txpool_status", "")
    async def pool_status(self, params: Params) -> dict[str, str]:
        """Return how many transactions wait, ready and for an earlier nonce."""
        params.check_count(0)
        status = await self._node.get_mempool_status()
        return {"pending": write_quantity(status.pending), "queued": write_quantity(status.queued)}

    @rpc("txpool_content", "")
    async def pool_content(self, params: Params) -> dict[str, Any]:
        """Return the waiting transactions by sender and nonce."""
        params.check_count(0)
        ready: dict[str, dict[str, Any]] = defaultdict(dict)
        queued: dict[str, dict[str, Any]] = defaultdict(dict)
        for pending in await self._node.get_pending():
            group = ready if pending.ready else queued
            sender = write_data(pending.transaction.sender)
            group[sender][str(pending.transaction.nonce)] = write_pending_transaction(pending)
        return {"pending": ready, "queued": queued}

    async def _by_place(self, selector: BlockSelector, index: int) -> dict[str, Any] | None:
        if selector.tag is BlockTag.PENDING:
            return None
        header = await self._context.find_header(selector)
        if header is None:
            return None
        return await self._at(TransactionLocation(block_hash=hash_of(header), index=index))

    async def _at(self, location: TransactionLocation) -> dict[str, Any] | None:
        block = await self._node.get_block(location.block_hash)
        if block is None or location.index >= len(block.transactions):
            return None
        transactions = await self._node.get_transactions(block)
        return write_transaction(
            transactions[location.index], block.header, location.block_hash, location.index
        )

    async def _receipt(self, transaction_hash: Hash32) -> dict[str, Any] | None:
        location = await self._node.find_transaction(transaction_hash)
        if location is None:
            return None
        block = await self._node.get_block(location.block_hash)
        receipts = await self._node.get_receipts(location.block_hash)
        assert block is not None, "the node located a transaction in a block it does not have"
        assert receipts is not None, "a final block has its receipts"
        transactions = await self._node.get_transactions(block)
        written = write_receipts(
            block.header, location.block_hash, transactions, receipts, only=location.index
        )
        return written[0]
