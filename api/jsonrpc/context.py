"""What all families of methods share: the node, the limits, and finding the block that is meant."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from eth_typing import Hash32

from api.errors import NotFound
from api.jsonrpc.params import BlockSelector, BlockTag
from api.ports import LedgerNode
from api.settings import RpcLimits
from consensus.header import BlockHeader, compute_block_hash
from consensus.types import Height


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcContext:
    """The surroundings of every method."""

    node: LedgerNode
    limits: RpcLimits
    now_s: Callable[[], float]
    """A monotonic clock in seconds, for the age of filters."""
    clock_s: Callable[[], float]
    """The wall clock in seconds since 1970, by which a block in progress would be stamped."""

    async def find_header(self, selector: BlockSelector) -> BlockHeader | None:
        """Return the final header a caller means, or None if there is none.

        `latest`, `safe` and `finalized` are one block: a QBFT head is final. State that is asked
        for at `pending` is the state at the head, because a block in progress has none to show.
        """
        if selector.hash is not None:
            return await self.node.get_header(selector.hash)
        if selector.number is not None:
            return await self.node.get_header(selector.number)
        if selector.tag is BlockTag.EARLIEST:
            return await self.node.get_header(0)
        return await self.node.get_head()

    async def get_header(self, selector: BlockSelector, field: str) -> BlockHeader:
        """Return the final header a caller means; raises `NotFound` that names `field`."""
        header = await self.find_header(selector)
        if header is None:
            raise NotFound("this node has no such final block", field=field, code="unknown_block")
        return header

    async def get_call_header(self, selector: BlockSelector, field: str) -> BlockHeader:
        """Return the header in whose block a call runs; raises `NotFound` that names `field`.

        At `pending` the call runs on the head's state in the block that would come next, stamped
        now, as in Besu: what depends on the time is judged as a transaction sent now would be,
        however long the chain has stood still. The header is never sealed and has no hash.
        """
        header = await self.get_header(selector, field)
        if selector.tag is not BlockTag.PENDING:
            return header
        return replace(
            header,
            parent_hash=hash_of(header),
            number=Height(header.number + 1),
            timestamp=max(int(self.clock_s()), header.timestamp + 1),
        )

    async def get_height(self, selector: BlockSelector, field: str) -> int:
        """Return the height a caller means; a height above the head is allowed here."""
        if selector.number is not None:
            return selector.number
        return (await self.get_header(selector, field)).number


def hash_of(header: BlockHeader) -> Hash32:
    """Return the consensus hash of a header."""
    return compute_block_hash(header)
