"""The envelope: single calls, batches, notifications and everything malformed."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import (
    RPC_INTERNAL_ERROR,
    RPC_INVALID_PARAMS,
    RPC_INVALID_REQUEST,
    RPC_LIMIT_EXCEEDED,
    RPC_METHOD_NOT_FOUND,
    InvalidField,
)
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import serialise
from api.jsonrpc.params import BlockSelector, read_block, read_data, read_quantity
from api.settings import RpcLimits
from tests.unit.jsonrpc.fake_ledger import FakeLedger, sign


def call(method: str, *arguments: Any, call_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": list(arguments)}


@pytest.fixture
def rpc() -> Dispatcher:
    return Dispatcher(FakeLedger(), RpcLimits(max_batch=5))


@pytest.mark.parametrize("call_id", [0, "abc", None, 1.5])
async def test_answer_carries_the_id_of_its_call(rpc: Dispatcher, call_id: Any) -> None:
    answer = await rpc.handle(call("eth_blockNumber", call_id=call_id))
    assert answer == {"jsonrpc": "2.0", "id": call_id, "result": "0x0"}


async def test_batch_answers_each_call_on_its_own(rpc: Dispatcher) -> None:
    batch = [call("eth_blockNumber"), call("nonsense", call_id=2), call("net_version", call_id=3)]
    first, second, third = await rpc.handle(batch)
    assert first["result"] == "0x0"
    assert second["error"]["code"] == RPC_METHOD_NOT_FOUND
    assert (third["id"], third["result"]) == (3, "20200510")


async def test_batch_sends_transactions_in_their_order(rpc: Dispatcher) -> None:
    batch = [
        call("eth_sendRawTransaction", "0x" + sign(nonce).hex(), call_id=nonce)
        for nonce in range(5)
    ]
    answers = await rpc.handle(batch)
    assert all("result" in answer for answer in answers)
    assert (await rpc.call("txpool_status", []))["pending"] == "0x5"


async def test_notifications_get_no_answer(rpc: Dispatcher) -> None:
    notification = {"jsonrpc": "2.0", "method": "eth_blockNumber"}
    assert await rpc.handle(notification) is None
    assert await rpc.handle([notification, notification]) is None
    answers = await rpc.handle([notification, call("eth_blockNumber")])
    assert len(answers) == 1


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "text",
        3,
        None,
        {},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "1.0", "id": 1, "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "id": {}, "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "id": True, "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "id": 1, "method": 7},
    ],
)
async def test_what_is_no_call_is_an_invalid_request(rpc: Dispatcher, payload: Any) -> None:
    answer = await rpc.handle(payload)
    assert answer["error"]["code"] == RPC_INVALID_REQUEST


async def test_named_arguments_are_refused(rpc: Dispatcher) -> None:
    answer = await rpc.handle(
        {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": {"a": 1}}
    )
    assert answer["error"]["code"] == RPC_INVALID_PARAMS
    told = answer["error"]["data"]
    assert (told["code"], told["field"]) == ("invalid_field", "params")
    assert told["next_step"]


async def test_oversize_batch_is_refused_whole(rpc: Dispatcher) -> None:
    answer = await rpc.handle([call("eth_blockNumber")] * 6)
    assert answer["error"]["code"] == RPC_LIMIT_EXCEEDED


async def test_our_own_failure_tells_nothing_about_itself() -> None:
    ledger = FakeLedger()

    async def fail() -> Any:
        raise RuntimeError("secret detail")

    ledger.get_head = fail  # type: ignore[method-assign]
    answer = await Dispatcher(ledger).handle(call("eth_blockNumber"))
    assert answer["error"]["code"] == RPC_INTERNAL_ERROR
    assert "secret" not in orjson.dumps(answer).decode()


def test_answer_larger_than_the_limit_becomes_an_error() -> None:
    small = {"jsonrpc": "2.0", "id": 1, "result": "x"}
    large = {"jsonrpc": "2.0", "id": 2, "result": "x" * 1_000}
    answers = orjson.loads(serialise([small, large, small], 300))
    assert [("result" in answer) for answer in answers] == [True, False, True]
    assert answers[1]["error"]["code"] == RPC_LIMIT_EXCEEDED
    assert orjson.loads(serialise(large, 300))["id"] == 2


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_quantity_reads_what_hex_writes(value: int) -> None:
    assert read_quantity(hex(value), "x") == value


@given(st.binary(max_size=100))
def test_data_reads_what_hex_writes(value: bytes) -> None:
    assert read_data("0x" + value.hex(), "x") == value
    assert read_data("0x" + value.hex().upper(), "x") == value


@pytest.mark.parametrize(
    "text", ["", "0x", "0x01", "01", "0xg", "0x1\n", " 0x1", "-0x1", "0x" + "1" * 65, 1, None, 1.0]
)
def test_quantity_refuses_other_spellings(text: Any) -> None:
    with pytest.raises(InvalidField):
        read_quantity(text, "x")


@pytest.mark.parametrize("text", ["", "0", "0x1", "0x0g", "0x 1", "0x01\n", 1, None, [], b"0x01"])
def test_data_refuses_other_spellings(text: Any) -> None:
    with pytest.raises(InvalidField):
        read_data(text, "x")


@pytest.mark.parametrize("value", ["newest", "0x01", 5, True, {}, {"blockHash": "0x1"}, [], "1"])
def test_block_selector_refuses_what_is_none(value: Any) -> None:
    with pytest.raises(InvalidField):
        read_block(value, "x")


def test_block_selector_tells_height_from_hash() -> None:
    assert read_block("0x1f", "x") == BlockSelector(number=31)
    assert read_block("0x" + "11" * 32, "x").hash == b"\x11" * 32
    assert read_block({"blockNumber": "0x2"}, "x") == BlockSelector(number=2)
