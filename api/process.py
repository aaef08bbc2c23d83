"""The API as a process of its own, in front of a node that it reaches by JSON-RPC.

`atesta api --rpc-url URL` calls `run_process`. REST, explorer and index are those of the node's own
process; only JSON-RPC is left to the node. Finality is what that node reports: blocks of an Atesta
node are final, and for another network the explorer says that it repeats what it was told.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog
import uvloop

from api.app import Readiness
from api.assembly import ApiParts, serve_ledger
from api.errors import InvalidField, UpstreamFault
from api.outbox.account import Account
from api.rest.services import RestSettings
from api.settings import ApiSettings
from api.web3_provider import LedgerConnection, connect_http

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """An API process."""

    rpc_url: str
    """JSON-RPC of the node in front of which it stands, http or https."""
    rpc_token: str | None = field(default=None, repr=False)
    """Bearer token for that node, if it asks for one."""
    server: ApiSettings
    rest: RestSettings
    ledger_name: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.rpc_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidField("rpc_url", "expected an http or https address")


def run_process(
    settings: ProcessSettings,
    accounts: Sequence[Account] = (),
    *,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is told the address. Raises `ApiError` at start."""

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        await serve_process(settings, accounts, stop=stop, on_ready=on_ready)

    uvloop.run(serve())


async def serve_process(
    settings: ProcessSettings,
    accounts: Sequence[Account],
    *,
    stop: asyncio.Event,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until `stop` is set. A node that is away is reported by `/ready`, not an error here."""
    connection = connect_http(settings.rpc_url, headers=_build_headers(settings.rpc_token))
    try:
        parts = ApiParts(
            server=settings.server,
            rest=settings.rest,
            connection=connection,
            accounts=accounts,
            readiness=(_watch_node(connection),),
            ledger_name=settings.ledger_name,
        )
        async with serve_ledger(parts) as running:
            log.info("api_serving", url=running.url)
            on_ready(running.url)
            await stop.wait()
    finally:
        await connection.close()


def _watch_node(connection: LedgerConnection) -> Readiness:
    async def check() -> str | None:
        try:
            await connection.raw.call("eth_blockNumber")
        except UpstreamFault as error:
            return error.reason
        return None

    return Readiness(name="node", check=check)


def _build_headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}
