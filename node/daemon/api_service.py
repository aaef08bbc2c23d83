"""The API inside the node's process: JSON-RPC, REST and explorer over one backend.

REST and explorer do not see the backend: they speak web3 to the JSON-RPC dispatcher, in process,
so that they run unchanged beside the node or in front of another network.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.app import Readiness, Services, Surface, build_app
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import build_rpc_surface
from api.outbox.account import build_account
from api.ports import LedgerNode
from api.rest.app import build_rest
from api.rest.services import RestServices, RestSettings, open_services
from api.server import serve
from api.settings import ApiSettings as ServerSettings
from api.verification.policies import VerificationSettings
from api.web3_provider import connect_in_process
from node.keys import SigningKey
from node.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningApi:
    """The API while it serves."""

    url: str
    """Its address, with the port actually bound."""
    services: RestServices
    """REST's services; its index is told of new blocks."""


@asynccontextmanager
async def run_api(
    settings: Settings, node: LedgerNode, accounts: tuple[SigningKey, ...]
) -> AsyncIterator[RunningApi]:
    """Serve the API until the block is left.

    Raises the `ApiError` that names the setting for an occupied port, unreadable TLS files, an
    unusable vault key or a database that cannot be opened.
    """
    server = _make_server_settings(settings)
    dispatcher = Dispatcher(node, server.rpc)
    connection = connect_in_process(dispatcher)
    services = open_services(
        _make_rest_settings(settings),
        raw=connection.raw,
        accounts=tuple(build_account(key.reveal_secret()) for key in accounts),
    )
    try:
        app = build_app(
            Services(
                surfaces=_build_surfaces(dispatcher, services),
                readiness=_build_readiness(node, services, settings.api.max_lag_s),
                metrics=(node.get_metrics,),
            ),
            server,
        )
        async with serve(app, server) as url:  # the REST application runs the services
            yield RunningApi(url=url, services=services)
    finally:
        services.close()
        await connection.close()


def _make_server_settings(settings: Settings) -> ServerSettings:
    api = settings.api
    return ServerSettings(
        host=api.host,
        port=api.port,
        tls_certificate=api.tls_certificate,
        tls_key=api.tls_key,
        token_file=api.token_file,
        max_body_bytes=api.max_body_bytes,
    )


def _make_rest_settings(settings: Settings) -> RestSettings:
    api, folder = settings.api, settings.node.data_dir

    def place(url: str | None, name: str) -> Path | str:
        return folder / name if url is None else url

    return RestSettings(
        index=place(api.index_url, "index.sqlite"),
        outbox=place(api.outbox_url, "outbox.sqlite"),
        vault=place(api.vault_url, "vault.sqlite"),
        vault_key_file=api.vault_key_file,
        verification=VerificationSettings(max_lag_s=api.max_lag_s),
    )


def _build_surfaces(dispatcher: Dispatcher, services: RestServices) -> tuple[Surface, ...]:
    return (
        build_rpc_surface(dispatcher),
        Surface(name="rest", prefix="/v1", app=build_rest(services)),
    )


def _build_readiness(
    node: LedgerNode, services: RestServices, max_lag_s: int
) -> tuple[Readiness, ...]:
    async def check_sync() -> str | None:
        sync = await node.get_sync_status()
        if sync is None:
            return None
        return f"catching up: block {sync.current_height} of {sync.highest_height}"

    async def check_head() -> str | None:
        behind_s = services.now() - (await node.get_head()).timestamp
        return None if behind_s <= max_lag_s else f"the last final block is {behind_s:.0f} s old"

    async def check_index() -> str | None:
        mismatch = services.index.mismatch
        return None if mismatch is None else mismatch.reason

    return (
        Readiness(name="sync", check=check_sync),
        Readiness(name="head", check=check_head),
        Readiness(name="index", check=check_index),
    )
