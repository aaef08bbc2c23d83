"""How REST, explorer and index reach a chain: web3 in this process, or over HTTP to any node.

`connect_in_process` puts web3 directly on a dispatcher, without a socket or JSON text in between;
`connect_http` is web3's own HTTP provider. Both give a `LedgerConnection` of two views:

- `web3`, with web3's formatters, for contract calls and single reads;
- `raw`, for bulk work: JSON-ready results as they come, one or many per request. A block of 150
  transactions costs web3's formatters tens of milliseconds that an index cannot spare.

QBFT's extraData is longer than the 32 bytes web3 expects, so its proof-of-authority middleware is
installed; blocks read through `web3` carry it as `proofOfAuthorityData`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import aiohttp
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from api.errors import ApiError, UpstreamFault, UserFault, as_rpc_error
from api.jsonrpc.dispatcher import Dispatcher

HTTP_TIMEOUT_S = 30.0
"""How long one request to a node over HTTP may take."""

MAX_HTTP_BATCH = 500
"""Calls sent in one HTTP request; more are split."""

RawCall = tuple[str, Sequence[Any]]
"""A method name with its arguments."""


class RpcRefusal(UserFault):
    """The node answered with an error object; `rpc_code`, `reason` and `data` are its own."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        data = error.get("data")
        details = data if isinstance(data, dict) else {}
        super().__init__(
            str(error.get("message", "the node refused the call")),
            code=str(details.get("code", "node_refused")),
            field=details.get("field"),
            next_step=details.get("next_step"),
            status=422,
            rpc_code=int(error.get("code", 0)),
        )
        self.data: Any = data


class RawRpc(Protocol):
    """JSON-RPC without formatters: hex strings in, hex strings out."""

    async def call(self, method: str, *arguments: Any) -> Any:
        """Return the result; raises `RpcRefusal` or `UpstreamFault`."""

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        """Return the results in order; the first refusal is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerConnection:
    """A chain, in both views."""

    web3: AsyncWeb3[Any]
    raw: RawRpc
    close: Callable[[], Awaitable[None]]
    """Ends the HTTP session, if there is one."""


def connect_in_process(dispatcher: Dispatcher) -> LedgerConnection:
    """Return a connection to the node behind `dispatcher`."""
    provider = InProcessProvider(dispatcher)
    return LedgerConnection(
        web3=_build_web3(provider), raw=InProcessRpc(dispatcher), close=_do_nothing
    )


def connect_http(url: str, *, headers: Mapping[str, str] | None = None) -> LedgerConnection:
    """Return a connection to a node at `url`; `headers` may carry its token."""
    provider = AsyncHTTPProvider(
        url,
        request_kwargs={
            "timeout": aiohttp.ClientTimeout(total=HTTP_TIMEOUT_S),
            "headers": {"Content-Type": "application/json", **(headers or {})},
        },
    )
    return LedgerConnection(
        web3=_build_web3(provider), raw=ProviderRpc(provider), close=provider.disconnect
    )


class InProcessProvider(AsyncBaseProvider):
    """A web3 provider that hands requests to a dispatcher in the same event loop."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__()
        self._dispatcher = dispatcher

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the response object of one call."""
        response: dict[str, Any] = {"jsonrpc": "2.0", "id": 0}
        try:
            response["result"] = await self._dispatcher.call(method, make_plain(params))
        except ApiError as error:
            response["error"] = as_rpc_error(error)
        return cast("RPCResponse", response)

    async def make_batch_request(
        self, requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Return the response objects of many calls, in order."""
        made = (self.make_request(method, params) for method, params in requests)
        return list(await asyncio.gather(*made))

    async def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002 - web3's
        """Return True: there is nothing in between that could be cut."""
        return True


class InProcessRpc:
    """`RawRpc` on a dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def call(self, method: str, *arguments: Any) -> Any:
        """Return the result of one call."""
        try:
            return await self._dispatcher.call(method, list(arguments))
        except UpstreamFault:
            raise
        except ApiError as error:
            raise RpcRefusal(as_rpc_error(error)) from error

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        """Return the results of many calls, executed side by side."""
        return list(await asyncio.gather(*(self.call(method, *args) for method, args in calls)))


class ProviderRpc:
    """`RawRpc` on any web3 provider, formatters left out."""

    def __init__(self, provider: AsyncBaseProvider) -> None:
        self._provider = provider

    async def call(self, method: str, *arguments: Any) -> Any:
        """Return the result of one call."""
        with _UpstreamErrors():
            response = await self._provider.make_request(RPCEndpoint(method), list(arguments))
        return _read_result(response)

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        """Return the results of many calls, in as few requests as the limit allows."""
        results: list[Any] = []
        for start in range(0, len(calls), MAX_HTTP_BATCH):
            part = [
                (RPCEndpoint(method), list(arguments))
                for method, arguments in calls[start : start + MAX_HTTP_BATCH]
            ]
            with _UpstreamErrors():
                responses = await self._provider.make_batch_request(part)
            if not isinstance(responses, list):
                responses = [responses]
            if len(responses) != len(part):
                _read_result(responses[0])
                raise UpstreamFault("the node did not answer every call", code="node_unreachable")
            ordered = sorted(responses, key=lambda response: int(response.get("id") or 0))
            results.extend(_read_result(response) for response in ordered)
        return results


def make_plain(value: Any) -> Any:
    """Return arguments as JSON types: bytes as hex, mappings as dicts, sequences as lists."""
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, Mapping):
        return {key: make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    return value


class _UpstreamErrors:
    """Turns what a broken connection raises into `UpstreamFault`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, aiohttp.ClientError | TimeoutError | OSError | Web3Exception):
            raise UpstreamFault(
                "the ledger node cannot be reached",
                code="node_unreachable",
                next_step="check that the node runs; then try again",
            ) from error


def _build_web3(provider: AsyncBaseProvider) -> AsyncWeb3[Any]:
    web3: AsyncWeb3[Any] = AsyncWeb3(provider)
    web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return web3


def _read_result(response: Mapping[str, Any]) -> Any:
    error = response.get("error")
    if error is not None:
        raise RpcRefusal(error if isinstance(error, Mapping) else {"message": str(error)})
    return response.get("result")


async def _do_nothing() -> None:
    return None
