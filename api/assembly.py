"""The whole API put together: one connection to a ledger, every surface, one server.

The node's process calls `serve_ledger` with a connection to its own dispatcher, `api.process` with
one over HTTP. Everything above the connection is the same in both. Started last and stopped first
is the server, so that no request meets a part that is not there.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from api.app import MetricSource, Readiness, Services, Surface, build_app
from api.databases import CommitWatch
from api.erasing.eraser import run_erasures
from api.errors import UpstreamFault
from api.explorer.services import open_explorers
from api.explorer.surface import build_explorers
from api.imports.worker import run_imports
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import build_rpc_surface
from api.networks.network import OURS, Network
from api.networks.reaching import FurtherLedger, ReachedLedger, reach_all
from api.openapi.surface import build_documentation_surface
from api.outbox.account import Account
from api.ports import Metric
from api.rest.app import build_ledger_surfaces, build_rest_surface
from api.rest.opening import LedgerPlace, RestSettings, open_services
from api.rest.services import RestServices
from api.retention.daily import run_retention
from api.server import serve
from api.settings import ApiSettings
from api.vault.metrics import measure_vault
from api.web3_provider import LedgerConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What one API server is made of."""

    server: ApiSettings
    rest: RestSettings
    connection: LedgerConnection
    """The ledger, in process or over HTTP; it stays the caller's to close."""
    network: Network = OURS
    """What is known of the network behind the connection."""
    accounts: Sequence[Account] = ()
    """The agency's accounts, which the outbox signs with."""
    dispatcher: Dispatcher | None = None
    """Set where this server answers JSON-RPC itself."""
    readiness: tuple[Readiness, ...] = ()
    """Conditions besides the index's."""
    metrics: tuple[MetricSource, ...] = ()
    ledger_name: str | None = field(default=None)
    """The ledger's name in page titles; None takes its chain number."""
    further: tuple[FurtherLedger, ...] = ()
    """Ledgers that it serves beside the one behind the connection."""
    watch: CommitWatch | None = None
    """Told of every commit of the API's databases; tests only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningApi:
    """The API while it serves."""

    url: str
    """Its address, with the port actually bound."""
    services: RestServices
    """REST's services; tell `services.index` of new blocks and it need not ask for them."""


@asynccontextmanager
async def serve_ledger(parts: ApiParts) -> AsyncIterator[RunningApi]:
    """Serve all surfaces until the block is left.

    Raises the `ApiError` that names the setting for an occupied port, unreadable TLS or token
    files, an unusable vault key, or a database that cannot be opened; then nothing stays open.
    """
    async with AsyncExitStack() as stack:
        reached = await stack.enter_async_context(reach_all(parts.further, parts.connection.raw))
        services = open_services(
            parts.rest,
            raw=parts.connection.raw,
            network=parts.network,
            accounts=parts.accounts,
            further=[_place(one) for one in reached],
            watch=parts.watch,
        )
        stack.callback(services.close)
        app = build_app(
            Services(
                surfaces=build_surfaces(parts, services),
                readiness=(*parts.readiness, _watch_index(services)),
                metrics=(
                    *parts.metrics,
                    _measure_index(services),
                    _measure_vault(services),
                    *_list_sources(services),
                ),
            ),
            parts.server,
        )
        for one in services.ledgers:
            await stack.enter_async_context(one.run())
            await stack.enter_async_context(run_imports(one))
        await stack.enter_async_context(run_erasures(services))
        await stack.enter_async_context(run_retention(services, parts.rest.retention_job))
        url = await stack.enter_async_context(serve(app, parts.server))
        yield RunningApi(url=url, services=services)


def build_surfaces(parts: ApiParts, services: RestServices) -> tuple[Surface, ...]:
    """Return every surface over the same services."""
    own, *further = build_explorers(open_explorers(services, ledger_name=parts.ledger_name))
    surfaces = (
        *build_ledger_surfaces(services),
        build_rest_surface(services),
        build_documentation_surface(),
        *further,
        own,
    )
    if parts.dispatcher is None:
        return surfaces
    return (build_rpc_surface(parts.dispatcher), *surfaces)


def _place(reached: ReachedLedger) -> LedgerPlace:
    ledger = reached.ledger
    return LedgerPlace(
        name=ledger.name,
        raw=reached.connection.raw,
        network=reached.network,
        accounts=ledger.accounts,
        index=ledger.index,
        outbox=ledger.outbox,
    )


def _measure_vault(services: RestServices) -> MetricSource:
    async def measure() -> tuple[Metric, ...]:
        try:
            return await measure_vault(services.maybe_keyring)
        except UpstreamFault:
            return ()

    return measure


def _measure_index(services: RestServices) -> MetricSource:
    async def measure() -> tuple[Metric, ...]:
        # One ledger alone keeps the names without labels that it always had.
        has_several = len(services.ledgers) > 1
        found: list[Metric] = []
        for one in services.ledgers:
            labels = (("ledger", one.ledger_name),) if has_several else ()
            found += await _measure_one(one, labels)
        return tuple(found)

    return measure


async def _measure_one(
    services: RestServices, labels: tuple[tuple[str, str], ...]
) -> tuple[Metric, ...]:
    try:
        block = await services.index.get_block()
    except UpstreamFault:
        return ()
    return (
        Metric(
            name="index_block",
            kind="gauge",
            help="The last block that lists and filters see.",
            value=block,
            labels=labels,
        ),
        Metric(
            name="index_leads",
            kind="gauge",
            help="1 in the process that follows the chain for all that share the index.",
            value=int(services.index_lead.is_leader),
            labels=labels,
        ),
    )


def _list_sources(services: RestServices) -> tuple[MetricSource, ...]:
    reads = services.maybe_reads
    if reads is None:
        return ()

    async def tell() -> tuple[Metric, ...]:
        return reads.samples()

    return (tell,)


def _watch_index(services: RestServices) -> Readiness:
    async def check() -> str | None:
        mismatch = services.index.mismatch
        if mismatch is not None:
            return mismatch.reason
        try:
            await services.index.get_block()
        except UpstreamFault as error:
            return error.reason
        return None

    return Readiness(name="index", check=check)
