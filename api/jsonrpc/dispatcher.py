"""The envelope of JSON-RPC 2.0: from a request to a response, whatever goes wrong in between.

`call` is for programs in the same process: arguments in, result out, `ApiError` raised. `handle`
takes what arrived from outside, one call or a batch, and never raises: each call of a batch fails
on its own. The calls of a batch are started in their order and run side by side, so that many
transactions sent together share one write to the disk.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from api.errors import (
    RPC_INVALID_REQUEST,
    RPC_METHOD_NOT_FOUND,
    ApiBug,
    ApiError,
    LimitExceeded,
    UserFault,
    as_rpc_error,
)
from api.jsonrpc.blocks import BlockMethods
from api.jsonrpc.context import RpcContext
from api.jsonrpc.filters import LogMethods
from api.jsonrpc.methods import RpcMethod, collect_methods
from api.jsonrpc.node_info import NodeMethods, build_refusals
from api.jsonrpc.params import Params
from api.jsonrpc.qbft import QbftMethods
from api.jsonrpc.state import StateMethods
from api.jsonrpc.transactions import TransactionMethods
from api.ports import LedgerNode
from api.settings import RpcLimits

log = structlog.get_logger(__name__)

Gate = Callable[[RpcMethod], None]
"""Raises `ApiError` if the caller may not use a method."""

SIDE_BY_SIDE: Final = 64
"""Calls of one batch in progress at the same time."""


class Dispatcher:
    """All methods over one node."""

    def __init__(
        self,
        node: LedgerNode,
        limits: RpcLimits | None = None,
        *,
        now_s: Callable[[], float] = time.monotonic,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self.limits = limits or RpcLimits()
        context = RpcContext(node=node, limits=self.limits, now_s=now_s, clock_s=clock_s)
        families = (
            BlockMethods(context),
            TransactionMethods(context),
            StateMethods(context),
            LogMethods(context),
            QbftMethods(context),
            NodeMethods(context),
        )
        methods = [method for family in families for method in collect_methods(family)]
        methods.extend(build_refusals())
        self._methods = {method.mark.name: method for method in methods}
        assert len(self._methods) == len(methods), "two methods share a name"

    @property
    def methods(self) -> Mapping[str, RpcMethod]:
        """The method table by wire name."""
        return self._methods

    async def call(self, name: str, arguments: Any, *, gate: Gate | None = None) -> Any:
        """Execute one method; raises `ApiError`."""
        method = self._methods.get(name)
        if method is None:
            raise UserFault(
                "this method does not exist",
                code="method_not_found",
                field="method",
                status=404,
                rpc_code=RPC_METHOD_NOT_FOUND,
            )
        if gate is not None:
            gate(method)
        return await method.handler(Params(arguments))

    async def handle(self, payload: Any, *, gate: Gate | None = None) -> Any:
        """Answer one call or a batch; returns None if nothing is to be answered (notifications)."""
        if not isinstance(payload, list):
            return await self._answer(payload, gate)
        if not payload:
            return _failure(None, _invalid_request("a batch holds at least one call"))
        if len(payload) > self.limits.max_batch:
            reason = f"a batch holds at most {self.limits.max_batch} calls"
            return _failure(None, LimitExceeded(reason, next_step="send smaller batches"))
        places = asyncio.Semaphore(SIDE_BY_SIDE)

        async def answer_in_turn(request: Any) -> dict[str, Any] | None:
            async with places:
                return await self._answer(request, gate)

        answers = await asyncio.gather(*(answer_in_turn(request) for request in payload))
        return [answer for answer in answers if answer is not None] or None

    async def _answer(self, request: Any, gate: Gate | None) -> dict[str, Any] | None:
        if not isinstance(request, dict):
            return _failure(None, _invalid_request("a call is an object"))
        call_id = request.get("id")
        if isinstance(call_id, bool) or not isinstance(call_id, int | str | float | None):
            return _failure(None, _invalid_request("an id is a string, a number or null"))
        name = request.get("method")
        if request.get("jsonrpc") != "2.0" or not isinstance(name, str):
            reason = 'a call has "jsonrpc": "2.0" and a method'
            return _failure(call_id, _invalid_request(reason))
        try:
            result = await self.call(name, request.get("params"), gate=gate)
        except ApiError as error:
            answer = _failure(call_id, error)
        except Exception:
            log.exception("json-rpc method failed", method=name)
            answer = _failure(call_id, ApiBug())
        else:
            answer = {"jsonrpc": "2.0", "id": call_id, "result": result}
        return answer if "id" in request else None


def _invalid_request(reason: str) -> UserFault:
    return UserFault(reason, code="invalid_request", rpc_code=RPC_INVALID_REQUEST)


def _failure(call_id: Any, error: ApiError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "error": as_rpc_error(error)}
