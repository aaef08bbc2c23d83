"""Every family of methods, on a ledger in memory."""

import asyncio
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_typing import Hash32

from api.errors import (
    RPC_EXECUTION_REVERTED,
    RPC_INVALID_PARAMS,
    RPC_LIMIT_EXCEEDED,
    RPC_METHOD_NOT_ENABLED,
    RPC_METHOD_NOT_SUPPORTED,
    RPC_RESOURCE_NOT_FOUND,
    RPC_TRANSACTION_REJECTED,
    ApiError,
)
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.node_info import SIGNING_METHODS
from api.jsonrpc.state import PANIC_SELECTOR, REVERT_SELECTOR
from api.ports import CallResult, Evidence, LedgerLog, SyncStatus
from api.settings import RpcLimits
from consensus.header import compute_block_hash
from tests.unit.jsonrpc.fake_ledger import (
    REGISTRY,
    SENDER,
    VALIDATORS,
    FakeLedger,
    decode,
    sign,
)

SENDER_HEX = SENDER.address.lower()
REGISTRY_HEX = "0x" + REGISTRY.hex()
TOPIC = Hash32(keccak(b"Attested(bytes32)"))
OTHER_TOPIC = Hash32(keccak(b"something else"))


def log(*topics: Hash32, data: bytes = b"\x2a") -> LedgerLog:
    return LedgerLog(address=REGISTRY, topics=topics, data=data)


def hash_at(ledger: FakeLedger, height: int) -> str:
    return "0x" + compute_block_hash(ledger.blocks[height].header).hex()


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def rpc(ledger: FakeLedger) -> Dispatcher:
    return Dispatcher(ledger)


async def refuse(rpc: Dispatcher, method: str, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await rpc.call(method, list(arguments))
    return caught.value


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


async def test_logs_match_address_topics_and_range(ledger: FakeLedger, rpc: Dispatcher) -> None:
    ledger.add_block([sign(0)], [[log(TOPIC, OTHER_TOPIC)]])
    ledger.add_block([sign(1)], [[log(OTHER_TOPIC)]])
    ledger.add_block([sign(2)], [[log(TOPIC), log(TOPIC, data=b"")]])

    async def find(**query: Any) -> list[tuple[str, str]]:
        logs = await rpc.call("eth_getLogs", [{"fromBlock": "earliest", **query}])
        return [(entry["blockNumber"], entry["logIndex"]) for entry in logs]

    topic, other = "0x" + TOPIC.hex(), "0x" + OTHER_TOPIC.hex()
    every = [("0x1", "0x0"), ("0x2", "0x0"), ("0x3", "0x0"), ("0x3", "0x1")]
    assert await find() == every
    assert await find(address=REGISTRY_HEX) == every
    assert await find(address=[SENDER_HEX]) == []
    assert await find(topics=[topic]) == [every[0], every[2], every[3]]
    assert await find(topics=[[topic, other]]) == every
    assert await find(topics=[None, other]) == [every[0]]
    assert await find(topics=[other, other]) == []
    assert await find(toBlock="0x2") == every[:2]
    assert await find(toBlock="0x999") == every
    entry = (await rpc.call("eth_getLogs", [{"blockHash": hash_at(ledger, 1)}]))[0]
    assert entry["transactionHash"] == "0x" + keccak(sign(0)).hex()
    assert entry["blockHash"] == hash_at(ledger, 1)


async def test_log_search_is_bounded(ledger: FakeLedger) -> None:
    ledger.add_block([sign(0)], [[log(TOPIC)] * 5])
    for _ in range(9):
        ledger.add_block()
    rpc = Dispatcher(ledger, RpcLimits(max_log_blocks=10, max_log_results=4))
    whole = await refuse(rpc, "eth_getLogs", {"fromBlock": "0x0"})
    assert whole.rpc_code == RPC_LIMIT_EXCEEDED
    many = await refuse(rpc, "eth_getLogs", {"fromBlock": "0x1"})
    assert many.rpc_code == RPC_LIMIT_EXCEEDED
    backwards = await refuse(rpc, "eth_getLogs", {"fromBlock": "0x5", "toBlock": "0x4"})
    assert backwards.field == "params[0].fromBlock"


async def test_filters_return_what_came_since(ledger: FakeLedger, rpc: Dispatcher) -> None:
    blocks = await rpc.call("eth_newBlockFilter", [])
    logs = await rpc.call("eth_newFilter", [{"address": REGISTRY_HEX}])
    waiting = await rpc.call("eth_newPendingTransactionFilter", [])
    assert await rpc.call("eth_getFilterChanges", [blocks]) == []

    sent = await rpc.call("eth_sendRawTransaction", ["0x" + sign(0).hex()])
    assert await rpc.call("eth_getFilterChanges", [waiting]) == [sent]
    ledger.add_block([sign(0)], [[log(TOPIC)]])
    ledger.add_block()
    assert await rpc.call("eth_getFilterChanges", [blocks]) == [
        hash_at(ledger, 1),
        hash_at(ledger, 2),
    ]
    assert len(await rpc.call("eth_getFilterChanges", [logs])) == 1
    assert await rpc.call("eth_getFilterChanges", [logs]) == []
    assert await rpc.call("eth_getFilterChanges", [waiting]) == []
    assert await rpc.call("eth_uninstallFilter", [logs]) is True
    assert await rpc.call("eth_uninstallFilter", [logs]) is False
    assert (await refuse(rpc, "eth_getFilterChanges", logs)).code == "unknown_filter"


async def test_filters_are_bounded_and_idle_ones_make_room(ledger: FakeLedger) -> None:
    now = [0.0]
    rpc = Dispatcher(ledger, RpcLimits(max_filters=2, filter_idle_s=10), now_s=lambda: now[0])
    first = await rpc.call("eth_newBlockFilter", [])
    second = await rpc.call("eth_newBlockFilter", [])
    assert (await refuse(rpc, "eth_newBlockFilter")).rpc_code == RPC_LIMIT_EXCEEDED
    now[0] = 11.0
    await rpc.call("eth_getFilterChanges", [second])
    await rpc.call("eth_newBlockFilter", [])
    assert (await refuse(rpc, "eth_getFilterChanges", first)).code == "unknown_filter"
    assert await rpc.call("eth_getFilterChanges", [second]) == []


async def test_finality_names_who_sealed(ledger: FakeLedger, rpc: Dispatcher) -> None:
    ledger.add_block(sealers=3)
    finality = await rpc.call("atesta_getFinality", ["latest"])
    assert finality["sealers"] == ["0x" + address.hex() for address in VALIDATORS[:3]]
    assert finality["quorum"] == "0x3"
    assert finality["final"] is True
    ledger.add_block(sealers=2)
    assert (await rpc.call("atesta_getFinality", ["latest"]))["final"] is False
    assert (await rpc.call("atesta_getFinality", ["earliest"]))["final"] is True
    assert await rpc.call("atesta_getFinality", ["0x99"]) is None


async def test_signer_metrics_count_proposals(ledger: FakeLedger, rpc: Dispatcher) -> None:
    for _ in range(6):
        ledger.add_block()
    metrics = {
        entry["address"]: (entry["proposedBlockCount"], entry["lastProposedBlockNumber"])
        for entry in await rpc.call("qbft_getSignerMetrics", ["0x1", "0x6"])
    }
    expected = {0: ("0x1", "0x4"), 1: ("0x2", "0x5"), 2: ("0x2", "0x6"), 3: ("0x1", "0x3")}
    assert metrics == {"0x" + VALIDATORS[place].hex(): counts for place, counts in expected.items()}


async def test_votes_are_closed_when_the_registry_decides(rpc: Dispatcher) -> None:
    for method, arguments in (
        ("qbft_proposeValidatorVote", [SENDER_HEX, True]),
        ("qbft_discardValidatorVote", [SENDER_HEX]),
        ("qbft_getPendingVotes", []),
    ):
        assert (await refuse(rpc, method, *arguments)).rpc_code == RPC_METHOD_NOT_ENABLED


async def test_votes_stand_until_discarded_in_header_vote_mode() -> None:
    rpc = Dispatcher(FakeLedger(contract_mode=False))
    assert await rpc.call("qbft_proposeValidatorVote", [SENDER_HEX, False]) is True
    assert await rpc.call("qbft_getPendingVotes", []) == {SENDER_HEX: False}
    assert await rpc.call("qbft_discardValidatorVote", [SENDER_HEX]) is True
    assert await rpc.call("qbft_getPendingVotes", []) == {}
    assert (await refuse(rpc, "qbft_proposeValidatorVote", SENDER_HEX)).field == "params[1]"


@pytest.mark.parametrize("method", SIGNING_METHODS)
async def test_node_never_signs(rpc: Dispatcher, method: str) -> None:
    error = await refuse(rpc, method, "whatever", {"x": 1})
    assert error.rpc_code == RPC_METHOD_NOT_SUPPORTED
    assert "never signs" in error.reason


async def test_node_tells_who_it_is(ledger: FakeLedger, rpc: Dispatcher) -> None:
    assert await rpc.call("net_version", []) == "20200510"
    assert await rpc.call("eth_chainId", []) == hex(20_200_510)
    assert await rpc.call("net_peerCount", []) == "0x1"
    assert await rpc.call("eth_accounts", []) == []
    assert await rpc.call("eth_syncing", []) is False
    ledger.sync = SyncStatus(starting_height=1, current_height=5, highest_height=9)
    assert (await rpc.call("eth_syncing", []))["highestBlock"] == "0x9"
    status = await rpc.call("atesta_status", [])
    assert status["head"]["number"] == "0x0"
    assert status["consensus"]["quorum"] == "0x3"
    assert status["validatorSetBy"] == "contract"
    empty = "0x" + keccak(b"").hex()
    assert await rpc.call("web3_sha3", ["0x"]) == empty


async def test_evidence_is_listed_up_to_its_limit(ledger: FakeLedger, rpc: Dispatcher) -> None:
    item = Evidence(
        kind="conflicting_proposals",
        height=4,
        round=0,
        offender=VALIDATORS[2],
        details=(("first", "0x01"),),
    )
    ledger.evidence = (item, item)
    listed = await rpc.call("atesta_evidence", [1])
    assert listed == [
        {
            "kind": "conflicting_proposals",
            "height": "0x4",
            "round": "0x0",
            "offender": "0x" + VALIDATORS[2].hex(),
            "details": {"first": "0x01"},
        }
    ]
    for bad in (0, True, "1", 10**6):
        assert (await refuse(rpc, "atesta_evidence", bad)).field == "params[0]"


async def test_surplus_arguments_are_refused(rpc: Dispatcher) -> None:
    error = await refuse(rpc, "eth_blockNumber", "latest")
    assert error.field == "params"


def test_fake_decodes_what_it_signs() -> None:
    for raw in (sign(3), sign(3, maxFeePerGas=1, maxPriorityFeePerGas=1)):
        decoded = decode(raw)
        assert (decoded.nonce, decoded.hash) == (3, keccak(raw))
        assert "0x" + decoded.sender.hex() == SENDER_HEX
