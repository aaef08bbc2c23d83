"""Logs, and filters that a caller polls for what came since the last time.

A filter is a place in the chain, kept in memory: after a restart it is unknown, and the caller
installs it again, as with every Ethereum client. Their number is bounded; the one unused longest
makes room once it has been idle for a while, so that no caller can push out another's live one.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from eth_typing import Hash32

from api.errors import LimitExceeded, NotFound
from api.jsonrpc.context import RpcContext, hash_of
from api.jsonrpc.hexes import write_data
from api.jsonrpc.log_query import LogQuery, find_logs, find_logs_between, read_log_query
from api.jsonrpc.methods import rpc
from api.jsonrpc.params import BlockTag, Params


@dataclass(slots=True, kw_only=True)
class _Filter:
    """One installed filter; `query` None means blocks, `seen` not None means waiting ones."""

    next_height: int
    used_s: float
    query: LogQuery | None = None
    seen: frozenset[Hash32] | None = None


class LogMethods:
    """Logs and filters."""

    def __init__(self, context: RpcContext) -> None:
        self._context = context
        self._node = context.node
        self._filters: OrderedDict[str, _Filter] = OrderedDict()

    @rpc("eth_getLogs", "filter")
    async def logs(self, params: Params) -> list[dict[str, Any]]:
        """Return the logs of a range of blocks, or of one block, that match address and topics."""
        params.check_count(1)
        query = read_log_query(params.raw(0), "params[0]")
        return await find_logs(self._context, query, "params[0]")

    @rpc("eth_newFilter", "filter")
    async def new_filter(self, params: Params) -> str:
        """Install a filter for logs."""
        params.check_count(1)
        query = read_log_query(params.raw(0), "params[0]")
        head = await self._node.get_head()
        start = head.number + 1
        if query.first.number is not None:
            start = query.first.number
        elif query.first.tag is BlockTag.EARLIEST:
            start = 0
        return self._install(_Filter(next_height=start, used_s=self._context.now_s(), query=query))

    @rpc("eth_newBlockFilter", "")
    async def new_block_filter(self, params: Params) -> str:
        """Install a filter for the hashes of new final blocks."""
        params.check_count(0)
        head = await self._node.get_head()
        return self._install(_Filter(next_height=head.number + 1, used_s=self._context.now_s()))

    @rpc("eth_newPendingTransactionFilter", "")
    async def new_pending_filter(self, params: Params) -> str:
        """Install a filter for the hashes of newly waiting transactions."""
        params.check_count(0)
        seen = await self._pending_hashes()
        return self._install(_Filter(next_height=0, used_s=self._context.now_s(), seen=seen))

    @rpc("eth_getFilterChanges", "filter id")
    async def changes(self, params: Params) -> list[Any]:
        """Return what came since the last poll of this filter."""
        params.check_count(1)
        installed = self._get(params)
        if installed.seen is not None:
            now = await self._pending_hashes()
            new = now - installed.seen
            installed.seen = now
            return [write_data(transaction_hash) for transaction_hash in sorted(new)]
        head = await self._node.get_head()
        first = installed.next_height
        last = min(head.number, first + self._context.limits.max_log_blocks - 1)
        if last < first:
            return []
        # Claimed before the first wait: two polls at once must not both get the same blocks.
        installed.next_height = last + 1
        try:
            return await self._read_changes(installed.query, first, last)
        except BaseException:
            installed.next_height = first
            raise

    @rpc("eth_getFilterLogs", "filter id")
    async def filter_logs(self, params: Params) -> list[dict[str, Any]]:
        """Return all logs that an installed filter matches."""
        params.check_count(1)
        installed = self._get(params)
        if installed.query is None:
            raise NotFound("this filter is not one for logs", field="params[0]")
        return await find_logs(self._context, installed.query, "params[0]")

    @rpc("eth_uninstallFilter", "filter id")
    async def uninstall(self, params: Params) -> bool:
        """Remove a filter; false if it is not known."""
        params.check_count(1)
        return self._filters.pop(str(params.raw(0)), None) is not None

    async def _read_changes(self, query: LogQuery | None, first: int, last: int) -> list[Any]:
        if query is None:
            headers = await self._node.get_headers(first, last)
            return [write_data(hash_of(header)) for header in headers]
        if query.last.number is not None:
            last = min(last, query.last.number)
        return await find_logs_between(self._context, query, first, last)

    async def _pending_hashes(self) -> frozenset[Hash32]:
        return frozenset(pending.transaction.hash for pending in await self._node.get_pending())

    def _get(self, params: Params) -> _Filter:
        name = str(params.raw(0))
        installed = self._filters.get(name)
        if installed is None:
            raise NotFound("filter not found", field="params[0]", code="unknown_filter")
        installed.used_s = self._context.now_s()
        self._filters.move_to_end(name)
        return installed

    def _install(self, new: _Filter) -> str:
        limits = self._context.limits
        while self._filters:
            oldest = next(iter(self._filters.values()))
            if new.used_s - oldest.used_s < limits.filter_idle_s:
                break
            self._filters.popitem(last=False)
        if len(self._filters) >= limits.max_filters:
            raise LimitExceeded(
                "this node holds as many filters as it may",
                next_step="uninstall filters that are not polled, or use eth_getLogs",
            )
        name = "0x" + secrets.token_hex(16)
        self._filters[name] = new
        return name
