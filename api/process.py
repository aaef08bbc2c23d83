"""The API as a process of its own, in front of a node that it reaches by JSON-RPC.

`atesta api --rpc-url URL` calls `run_process`. REST, explorer and index are those of the node's own
process; only JSON-RPC is left to the node. Blocks of a node of ours are final. With a deployment
file the node is one of another network, and every answer says that it repeats what it was told;
that network is checked against the file before anything is read.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
import uvloop

from api.app import Readiness
from api.assembly import ApiParts, serve_ledger
from api.collector import spare_survivors
from api.errors import UpstreamFault
from api.networks.foreign import ForeignNetwork
from api.networks.reaching import FurtherLedger, check_rpc_url, reach
from api.outbox.account import Account
from api.rest.opening import RestSettings
from api.settings import ApiSettings
from api.web3_provider import LedgerConnection

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
    foreign: ForeignNetwork | None = None
    """Set where the node is not one of ours."""
    further: tuple[FurtherLedger, ...] = ()
    """Ledgers that it serves beside the node's."""

    def __post_init__(self) -> None:
        check_rpc_url(self.rpc_url, place="rpc_url")


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
    """Serve until `stop` is set. A node that is away is reported by `/ready`, not an error here.

    Raises WrongNetwork if another network answers than the deployment file is of.
    """
    connection, network = await reach(settings.rpc_url, settings.rpc_token, settings.foreign)
    try:
        parts = ApiParts(
            server=settings.server,
            rest=settings.rest,
            connection=connection,
            network=network,
            accounts=accounts,
            readiness=(_watch_node(connection),),
            ledger_name=settings.ledger_name,
            further=settings.further,
        )
        async with serve_ledger(parts) as running:
            log.info("api_serving", url=running.url)
            on_ready(running.url)
            with spare_survivors():
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
