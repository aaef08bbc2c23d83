"""Blocks, transactions, state, calls and fees, on a ledger in memory."""

import asyncio
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from api.errors import (
    RPC_EXECUTION_REVERTED,
    RPC_INVALID_PARAMS,
    RPC_LIMIT_EXCEEDED,
    RPC_RESOURCE_NOT_FOUND,
    RPC_TRANSACTION_REJECTED,
)
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.state import PANIC_SELECTOR, REVERT_SELECTOR
from api.ports import CallResult
from api.settings import RpcLimits
from tests.unit.jsonrpc.conftest import refuse
from tests.unit.jsonrpc.fake_ledger import (
    OTHER_TOPIC,
    REGISTRY,
    REGISTRY_HEX,
    SENDER_HEX,
    TOPIC,
    FakeLedger,
    hash_at,
    log,
    sign,
)


async def test_block_has_the_consensus_hash_and_every_member_of_besu(
    ledger: FakeLedger, rpc: Dispatcher
) -> None:
    ledger.add_block([sign(0)])
    block = await rpc.call("eth_getBlockByNumber", ["0x1", False])
    assert block["hash"] == hash_at(ledger, 1)
    assert block["parentHash"] == hash_at(ledger, 0)
    assert block["transactions"] == ["0x" + keccak(sign(0)).hex()]
    assert block["extraData"] == "0x" + ledger.blocks[1].header.extra_data.hex()
    assert block["totalDifficulty"] == "0x2"
    assert set(block) == {
        "number", "hash", "mixHash", "parentHash", "nonce", "sha3Uncles", "logsBloom",
        "transactionsRoot", "stateRoot", "receiptsRoot", "miner", "difficulty",
        "totalDifficulty", "extraData", "baseFeePerGas", "size", "gasLimit", "gasUsed",
        "timestamp", "uncles", "transactions", "withdrawalsRoot", "withdrawals", "blobGasUsed",
        "excessBlobGas", "parentBeaconBlockRoot",
    }  # fmt: skip
    assert await rpc.call("eth_getBlockByHash", [block["hash"], False]) == block


@pytest.mark.parametrize("tag", ["latest", "safe", "finalized"])
async def test_every_tag_of_the_end_is_the_final_head(
    ledger: FakeLedger, rpc: Dispatcher, tag: str
) -> None:
    ledger.add_block()
    ledger.add_block()
    block = await rpc.call("eth_getBlockByNumber", [tag, False])
    assert block["number"] == "0x2"


async def test_pending_block_lists_what_waits_and_has_no_hash(
    ledger: FakeLedger, rpc: Dispatcher
) -> None:
    ledger.add_block()
    waiting = await rpc.call("eth_sendRawTransaction", ["0x" + sign(0).hex()])
    await rpc.call("eth_sendRawTransaction", ["0x" + sign(5).hex()])
    block = await rpc.call("eth_getBlockByNumber", ["pending", False])
    assert block["number"] == "0x2"
    assert block["hash"] is None
    assert block["transactions"] == [waiting]
    full = await rpc.call("eth_getBlockByNumber", ["pending", True])
    assert full["transactions"][0]["blockHash"] is None


async def test_unknown_blocks_are_null(rpc: Dispatcher) -> None:
    assert await rpc.call("eth_getBlockByNumber", ["0x63", True]) is None
    assert await rpc.call("eth_getBlockByHash", ["0x" + "11" * 32, False]) is None
    assert await rpc.call("eth_getBlockReceipts", ["0x63"]) is None
    assert await rpc.call("eth_getTransactionByHash", ["0x" + "11" * 32]) is None
    assert await rpc.call("eth_getTransactionReceipt", ["0x" + "11" * 32]) is None


async def test_transaction_is_pending_then_final(ledger: FakeLedger, rpc: Dispatcher) -> None:
    raw = sign(0)
    transaction_hash = await rpc.call("eth_sendRawTransaction", ["0x" + raw.hex()])
    pending = await rpc.call("eth_getTransactionByHash", [transaction_hash])
    assert pending["blockNumber"] is None
    assert await rpc.call("eth_getTransactionReceipt", [transaction_hash]) is None
    assert await rpc.call("eth_getTransactionCount", [SENDER_HEX, "latest"]) == "0x0"
    assert await rpc.call("eth_getTransactionCount", [SENDER_HEX, "pending"]) == "0x1"

    ledger.add_block([raw])
    final = await rpc.call("eth_getTransactionByHash", [transaction_hash])
    assert final["blockNumber"] == "0x1"
    assert final["from"] == SENDER_HEX
    assert final["input"] == "0x0102"
    assert await rpc.call("eth_getTransactionCount", [SENDER_HEX]) == "0x1"
    assert await rpc.call("eth_getRawTransactionByHash", [transaction_hash]) == "0x" + raw.hex()
    by_place = await rpc.call("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x0"])
    assert by_place == final
    by_hash = await rpc.call("eth_getTransactionByBlockHashAndIndex", [final["blockHash"], "0x0"])
    assert by_hash == final
    beyond = await rpc.call("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x1"])
    assert beyond is None


async def test_typed_transaction_shows_its_caps_and_pays_the_lower(
    ledger: FakeLedger, rpc: Dispatcher
) -> None:
    raw = sign(0, maxFeePerGas=9, maxPriorityFeePerGas=4)
    ledger.add_block([raw])
    shown = await rpc.call("eth_getTransactionByHash", ["0x" + keccak(raw).hex()])
    assert shown["type"] == "0x2"
    assert (shown["maxFeePerGas"], shown["maxPriorityFeePerGas"]) == ("0x9", "0x4")
    assert shown["gasPrice"] == "0x4"
    assert shown["yParity"] == shown["v"]
    assert shown["accessList"] == []


async def test_receipts_number_logs_through_the_block(ledger: FakeLedger, rpc: Dispatcher) -> None:
    raws = [sign(0), sign(1)]
    ledger.add_block(raws, [[log(TOPIC), log(OTHER_TOPIC)], [log(TOPIC)]])
    receipts = await rpc.call("eth_getBlockReceipts", ["latest"])
    indexes = [entry["logIndex"] for receipt in receipts for entry in receipt["logs"]]
    assert indexes == ["0x0", "0x1", "0x2"]
    second = await rpc.call("eth_getTransactionReceipt", ["0x" + keccak(raws[1]).hex()])
    assert second == receipts[1]
    assert second["cumulativeGasUsed"] == hex(42_000)
    assert second["effectiveGasPrice"] == "0x0"
    assert second["contractAddress"] is None


async def test_refused_transaction_names_its_field(ledger: FakeLedger, rpc: Dispatcher) -> None:
    ledger.add_block([sign(0)])
    error = await refuse(rpc, "eth_sendRawTransaction", "0x" + sign(0).hex())
    assert error.rpc_code == RPC_TRANSACTION_REJECTED
    assert error.field == "nonce"
    assert ledger.pending == {}
    error = await refuse(rpc, "eth_sendRawTransaction", "0x" + "ff" * 200_000)
    assert error.rpc_code == RPC_LIMIT_EXCEEDED


async def test_pool_is_shown_by_sender_and_nonce(ledger: FakeLedger, rpc: Dispatcher) -> None:
    await rpc.call("eth_sendRawTransaction", ["0x" + sign(0).hex()])
    await rpc.call("eth_sendRawTransaction", ["0x" + sign(4).hex()])
    assert await rpc.call("txpool_status", []) == {"pending": "0x1", "queued": "0x1"}
    content = await rpc.call("txpool_content", [])
    assert list(content["pending"][SENDER_HEX]) == ["0"]
    assert list(content["queued"][SENDER_HEX]) == ["4"]


async def test_state_is_read_at_a_block(ledger: FakeLedger, rpc: Dispatcher) -> None:
    ledger.storage[REGISTRY, 3] = 0xBEEF
    assert await rpc.call("eth_getBalance", [SENDER_HEX, "latest"]) == "0x7"
    assert await rpc.call("eth_getCode", [REGISTRY_HEX]) == "0x6000"
    word = "0x" + "00" * 30 + "beef"
    assert await rpc.call("eth_getStorageAt", [REGISTRY_HEX, "0x3"]) == word
    assert await rpc.call("eth_getStorageAt", [REGISTRY_HEX, "0x" + "00" * 31 + "03"]) == word
    by_hash = {"blockHash": hash_at(ledger, 0), "requireCanonical": True}
    assert await rpc.call("eth_getBalance", [SENDER_HEX, by_hash]) == "0x7"
    error = await refuse(rpc, "eth_getBalance", SENDER_HEX, "0x99")
    assert error.rpc_code == RPC_RESOURCE_NOT_FOUND
    assert error.field == "params[1]"


async def test_proof_has_the_shape_of_eip_1186(ledger: FakeLedger, rpc: Dispatcher) -> None:
    ledger.storage[REGISTRY, 3] = 5
    proof = await rpc.call("eth_getProof", [REGISTRY_HEX, ["0x3"], "latest"])
    assert proof["storageProof"] == [{"key": "0x" + "00" * 31 + "03", "value": "0x5", "proof": []}]
    assert proof["accountProof"] == ["0xc0"]
    error = await refuse(rpc, "eth_getProof", REGISTRY_HEX, ["0x3"] * 2_000, "latest")
    assert error.rpc_code == RPC_LIMIT_EXCEEDED


async def test_call_caps_gas_and_returns_output(ledger: FakeLedger, rpc: Dispatcher) -> None:
    seen = []

    def remember(request: Any) -> CallResult:
        seen.append(request)
        return CallResult(output=b"\x09", gas_used=1, error=None)

    ledger.answer_call = remember
    call = {"to": REGISTRY_HEX, "data": "0xabcd", "gas": hex(10**12)}
    assert await rpc.call("eth_call", [call, "latest"]) == "0x09"
    assert seen[0].gas == rpc.limits.call_gas
    assert seen[0].data == b"\xab\xcd"
    assert seen[0].sender == bytes(20)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (
            REVERT_SELECTOR + encode(["string"], ["attestations: not the issuer"]),
            "execution reverted: attestations: not the issuer",
        ),
        (PANIC_SELECTOR + encode(["uint256"], [0x11]), "execution reverted: panic 0x11"),
        (REVERT_SELECTOR + b"\xff", "execution reverted"),
        (b"", "execution reverted"),
    ],
)
async def test_revert_carries_reason_and_payload(
    ledger: FakeLedger, rpc: Dispatcher, payload: bytes, message: str
) -> None:
    ledger.answer_call = lambda _: CallResult(
        output=payload, gas_used=1, error="reverted", is_revert=True
    )
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": REGISTRY_HEX}]}
    for method in ("eth_call", "eth_estimateGas"):
        answer = await rpc.handle({**request, "method": method})
        assert answer["error"] == {
            "code": RPC_EXECUTION_REVERTED,
            "message": message,
            "data": "0x" + payload.hex(),
        }


async def test_call_that_runs_out_of_gas_is_not_called_a_revert(
    ledger: FakeLedger, rpc: Dispatcher
) -> None:
    ledger.answer_call = lambda _: CallResult(output=b"", gas_used=9, error="out of gas")
    error = await refuse(rpc, "eth_call", {"to": REGISTRY_HEX})
    assert error.reason == "out of gas"
    assert error.rpc_code != RPC_EXECUTION_REVERTED


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"to": "0x12"}, "params[0].to"),
        ({"data": "0x123"}, "params[0].data"),
        ({"data": "0x01", "input": "0x02"}, "params[0].input"),
        ({"value": 5}, "params[0].value"),
        ({"value": "0x05"}, "params[0].value"),
        ({"surprise": "0x0"}, "params[0]"),
        ("0x", "params[0]"),
    ],
)
async def test_bad_call_names_its_member(rpc: Dispatcher, call: Any, field: str) -> None:
    error = await refuse(rpc, "eth_call", call)
    assert (error.rpc_code, error.field) == (RPC_INVALID_PARAMS, field)


async def test_calls_beyond_the_queue_are_told_to_come_back() -> None:
    gate = asyncio.Event()

    class Slow(FakeLedger):
        async def call(self, *_: Any, **__: Any) -> CallResult:
            await gate.wait()
            return CallResult(output=b"", gas_used=0, error=None)

    slow = Dispatcher(Slow(), RpcLimits(max_concurrent_calls=2, max_waiting_calls=5))
    calls = [asyncio.create_task(slow.call("eth_call", [{}])) for _ in range(2 + 5)]
    await asyncio.sleep(0.05)
    error = await refuse(slow, "eth_call", {})
    assert error.rpc_code == RPC_LIMIT_EXCEEDED
    gate.set()
    assert await asyncio.gather(*calls) == ["0x"] * 7


async def test_fees_are_zero(ledger: FakeLedger, rpc: Dispatcher) -> None:
    for _ in range(3):
        ledger.add_block([sign(0)])
    assert await rpc.call("eth_gasPrice", []) == "0x0"
    assert await rpc.call("eth_maxPriorityFeePerGas", []) == "0x0"
    history = await rpc.call("eth_feeHistory", ["0x2", "latest", [50, 90]])
    assert history["oldestBlock"] == "0x2"
    assert history["baseFeePerGas"] == ["0x0"] * 3
    assert history["reward"] == [["0x0", "0x0"]] * 2
    assert history["gasUsedRatio"] == [pytest.approx(21_000 / 30_000_000)] * 2
