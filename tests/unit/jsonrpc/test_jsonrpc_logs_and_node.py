"""Logs, filters, consensus and the node itself, on a ledger in memory."""

from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_typing import Hash32

from api.errors import (
    RPC_LIMIT_EXCEEDED,
    RPC_METHOD_NOT_ENABLED,
    RPC_METHOD_NOT_SUPPORTED,
)
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.node_info import SIGNING_METHODS
from api.ports import Evidence, SyncStatus
from api.settings import RpcLimits
from tests.unit.jsonrpc.conftest import refuse
from tests.unit.jsonrpc.fake_ledger import (
    OTHER_TOPIC,
    REGISTRY_HEX,
    SENDER_HEX,
    TOPIC,
    VALIDATORS,
    FakeLedger,
    decode,
    hash_at,
    log,
    sign,
)


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
        id=Hash32(b"\x05" * 32),
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
            "id": "0x" + "05" * 32,
            "kind": "conflicting_proposals",
            "height": "0x4",
            "round": "0x0",
            "offender": "0x" + VALIDATORS[2].hex(),
            "details": {"first": "0x01"},
        }
    ]
    for bad in (0, True, "1", 10**6):
        assert (await refuse(rpc, "atesta_evidence", bad)).field == "params[0]"


async def test_evidence_is_exported_by_its_id(ledger: FakeLedger, rpc: Dispatcher) -> None:
    ledger.evidence_files[Hash32(b"\x05" * 32)] = {"format": "atesta-evidence"}
    exported = await rpc.call("atesta_exportEvidence", ["0x" + "05" * 32])
    assert exported == {"format": "atesta-evidence"}
    unknown = await refuse(rpc, "atesta_exportEvidence", "0x" + "06" * 32)
    assert (unknown.code, unknown.field) == ("evidence_not_found", "params[0]")


async def test_snapshot_is_written_of_a_block_or_the_head(
    ledger: FakeLedger, rpc: Dispatcher
) -> None:
    made = await rpc.call("atesta_exportSnapshot", ["0x0"])
    assert made == {"file": "ledger.snapshot", "number": "0x0"}
    head = hex(len(ledger.blocks) - 1)
    assert (await rpc.call("atesta_exportSnapshot", []))["number"] == head
    for wrong in ("0x99", "soon", True, 1.5):
        assert (await refuse(rpc, "atesta_exportSnapshot", wrong)).field == "params[0]"


async def test_surplus_arguments_are_refused(rpc: Dispatcher) -> None:
    error = await refuse(rpc, "eth_blockNumber", "latest")
    assert error.field == "params"


def test_fake_decodes_what_it_signs() -> None:
    for raw in (sign(3), sign(3, maxFeePerGas=1, maxPriorityFeePerGas=1)):
        decoded = decode(raw)
        assert (decoded.nonce, decoded.hash) == (3, keccak(raw))
        assert "0x" + decoded.sender.hex() == SENDER_HEX
