"""The API in a process of its own: the same surfaces over HTTP, and a node that goes away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.app import Services, build_app
from api.assembly import ApiParts, serve_ledger
from api.errors import InvalidField
from api.jsonrpc.http import build_rpc_surface
from api.process import ProcessSettings, serve_process
from api.rest.opening import RestSettings
from api.server import serve
from api.settings import ApiSettings
from api.web3_provider import LedgerConnection, RawCall, RawRpc, RpcRefusal
from tests.unit.explorer.real_ledger import RealLedger, open_ledger

FREE_PORT = ApiSettings(port=0)


def make_rest_settings(folder: Path) -> RestSettings:
    return RestSettings(
        index=folder / "index.sqlite",
        outbox=folder / "outbox.sqlite",
        vault=folder / "vault.sqlite",
    )


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[RealLedger]:
    async with open_ledger(tmp_path) as opened:
        opened.mine()
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_process_serves_in_front_of_a_node_and_survives_its_absence(
    ledger: RealLedger, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    node = AsyncExitStack()
    rpc = build_app(Services(surfaces=(build_rpc_surface(ledger.dispatcher),)), FREE_PORT)
    rpc_url = await node.enter_async_context(serve(rpc, FREE_PORT))
    settings = ProcessSettings(
        rpc_url=rpc_url, server=FREE_PORT, rest=make_rest_settings(tmp_path / "api")
    )
    stop = asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    process = asyncio.create_task(serve_process(settings, (), stop=stop, on_ready=ready.set_result))
    url = await ready
    async with http.get(url + "/explorer/v1/status") as answer:
        assert (await answer.json())["head"]["number"] == 1
    async with http.get(url + "/v1/agencies") as answer:
        assert answer.status == 200
    async with http.get(url + "/ready") as answer:
        assert answer.status == 200
    async with http.post(url + "/", json={}) as answer:
        assert answer.status == 405  # JSON-RPC is left to the node

    await node.aclose()
    async with http.get(url + "/ready") as answer:
        assert answer.status == 503
        assert "node" in (await answer.json())["problems"]
    async with http.get(url + "/explorer/v1/status") as answer:
        assert answer.status == 503
        assert (await answer.json(content_type=None))["code"] == "node_unreachable"
    async with http.get(url + "/explorer") as answer:
        assert answer.status == 503
        assert "cannot be reached at the moment" in await answer.text()
    stop.set()
    await process


class ForeignNode:
    """A node of another network: it knows `eth_*` and nothing of ours."""

    def __init__(self, raw: RawRpc) -> None:
        self._raw = raw

    async def call(self, method: str, *arguments: Any) -> Any:
        if method.startswith(("atesta_", "qbft_")):
            raise RpcRefusal({"code": -32601, "message": "the method does not exist"})
        return await self._raw.call(method, *arguments)

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        return [await self.call(method, *arguments) for method, arguments in calls]


async def test_explorer_repeats_what_a_foreign_network_reports(
    ledger: RealLedger, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    own = ledger.connection
    parts = ApiParts(
        server=FREE_PORT,
        rest=make_rest_settings(tmp_path / "api"),
        connection=LedgerConnection(web3=own.web3, raw=ForeignNode(own.raw), close=own.close),
    )
    async with serve_ledger(parts) as running:
        async with http.get(running.url + "/explorer/v1/status") as answer:
            status = await answer.json()
            assert (status["finality"], status["peers"]) == (None, None)
        for path in ("/explorer", "/explorer/blocks/1", "/explorer/validators"):
            async with http.get(running.url + path) as answer:
                assert "its blocks stay as reported by that network" in await answer.text(), path


@pytest.mark.parametrize("url", ["", "localhost:8545", "ftp://node", "http://"])
def test_process_needs_the_address_of_a_node(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidField) as caught:
        ProcessSettings(rpc_url=url, server=FREE_PORT, rest=make_rest_settings(tmp_path))
    assert caught.value.field == "rpc_url"
