"""Both connections to a chain: in this process and over HTTP, formatted and raw."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hexbytes import HexBytes
from web3 import Web3

from api.app import Services, build_app
from api.errors import RPC_METHOD_NOT_FOUND, RPC_TRANSACTION_REJECTED, UpstreamFault
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import build_rpc_surface
from api.server import serve
from api.settings import ApiSettings
from api.web3_provider import (
    LedgerConnection,
    RpcRefusal,
    connect_http,
    connect_in_process,
    make_plain,
)
from tests.unit.jsonrpc.fake_ledger import REGISTRY, SENDER, FakeLedger, sign

ADDRESS = Web3.to_checksum_address(REGISTRY)
SETTINGS = ApiSettings(port=0)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture(params=["in process", "http"])
async def connection(
    ledger: FakeLedger, request: pytest.FixtureRequest
) -> AsyncIterator[LedgerConnection]:
    dispatcher = Dispatcher(ledger)
    if request.param == "in process":
        yield connect_in_process(dispatcher)
        return
    app = build_app(Services(surfaces=(build_rpc_surface(dispatcher),)), SETTINGS)
    async with serve(app, SETTINGS) as url:
        connection = connect_http(url)
        yield connection
        await connection.close()


async def test_web3_reads_blocks_with_long_extra_data(
    ledger: FakeLedger, connection: LedgerConnection
) -> None:
    ledger.add_block([sign(0)])
    block = await connection.web3.eth.get_block("latest", full_transactions=True)
    assert block["number"] == 1
    assert len(block["proofOfAuthorityData"]) > 32
    assert await connection.web3.eth.get_balance(ADDRESS) == 7
    assert await connection.web3.is_connected()


async def test_web3_calls_contracts(connection: LedgerConnection) -> None:
    assert (
        await connection.web3.eth.call({"to": ADDRESS, "data": HexBytes("0x1234")}) == b"\x12\x34"
    )


async def test_raw_view_returns_results_as_they_came(
    ledger: FakeLedger, connection: LedgerConnection
) -> None:
    ledger.add_block()
    results = await connection.raw.batch(
        [("eth_blockNumber", []), ("eth_getCode", ["0x" + REGISTRY.hex(), "latest"])] * 600
    )
    assert results == ["0x1", "0x6000"] * 600
    assert await connection.raw.call("net_version") == "20200510"


async def test_raw_view_raises_what_the_node_refused(connection: LedgerConnection) -> None:
    with pytest.raises(RpcRefusal) as caught:
        await connection.raw.call("no_such_method")
    assert caught.value.rpc_code == RPC_METHOD_NOT_FOUND
    await connection.raw.call("eth_sendRawTransaction", "0x" + sign(1).hex())
    with pytest.raises(RpcRefusal) as caught:
        await connection.raw.batch(
            [("eth_blockNumber", []), ("eth_sendRawTransaction", ["0x7f00"])]
        )
    assert caught.value.rpc_code == RPC_TRANSACTION_REJECTED
    assert caught.value.field == "rlp"


async def test_unreachable_node_is_an_upstream_fault() -> None:
    connection = connect_http("http://127.0.0.1:9")
    with pytest.raises(UpstreamFault):
        await connection.raw.call("eth_blockNumber")
    with pytest.raises(UpstreamFault):
        await connection.raw.batch([("eth_blockNumber", [])])
    await connection.close()
    await asyncio.sleep(0)


def test_plain_arguments_are_json_types() -> None:
    plain: Any = make_plain([HexBytes("0x01"), {"a": (b"\x02", 3)}, SENDER.address, None, True])
    assert plain == ["0x01", {"a": ["0x02", 3]}, SENDER.address, None, True]
