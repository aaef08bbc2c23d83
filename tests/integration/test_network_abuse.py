"""Those who may speak and misuse it: a flood of slow calls, a proposer who lets strangers in."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME
from contracts.codec import encode_call
from contracts.development import CHAIN_ID
from node.cli.devnet.processes import PID_FILE, find_pid
from node.cli.devnet.rpc import RpcError
from tests.integration.ledger_net import NO_UID, SCHEMA, LedgerNet, wait_until

pytestmark = pytest.mark.processes

PAIRING = (0x08).to_bytes(20, "big")
GAS_CAP = 3_000_000
MAX_DELAY_S = 15.0
RECORDS = 15
# Init code that loops for ever: JUMPDEST PUSH1 0 JUMP
ENDLESS = bytes.fromhex("5b600056")
SLOW_PAIRS = 2
ENDLESS_PAIRS = 60
FITTING_CALLS = 40
G1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
G2 = b"".join(
    number.to_bytes(32, "big")
    for number in (
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
    )
)


def test_flood_of_slow_calls_hardly_delays_records(net: LedgerNet) -> None:
    """One account sends pairing checks and endless loops at the cap; others' records go on."""
    quiet = [measure_record(net) for _ in range(3)]
    stop = threading.Event()
    sent = [0]

    def flood() -> None:
        while not stop.is_set():
            # First what fits into a block and is slow, then what never fits.
            pairs = SLOW_PAIRS if sent[0] < FITTING_CALLS else ENDLESS_PAIRS
            raw = (
                net.sign(2, PAIRING, (G1 + G2) * pairs, purpose="deployer", gas=GAS_CAP)
                if sent[0] % 2 == 0
                else net.sign(2, None, ENDLESS, purpose="deployer", gas=GAS_CAP)
            )
            try:
                net.send(raw, 1 + sent[0] % 4)
            except RpcError:
                net.nonces.pop((2, "deployer"), None)
                time.sleep(0.5)
                continue
            sent[0] += 1
            time.sleep(0.05)

    flooding = threading.Thread(target=flood, daemon=True)
    flooding.start()
    try:
        wait_until(lambda: sent[0] >= 4, "the flood has begun")
        delays = []
        for _ in range(RECORDS):
            delays.append(measure_record(net))
            time.sleep(0.3)
    finally:
        stop.set()
        flooding.join(timeout=60)
    print(  # noqa: T201
        f"quiet {max(quiet):.1f} s, flooded {max(delays):.1f} s, {sent[0]} slow calls"
    )
    assert max(delays) < max(quiet) + MAX_DELAY_S
    net.assert_one_chain()


def measure_record(net: LedgerNet) -> float:
    uid, raw = net.make_attestation(1)
    began = time.monotonic()
    receipt = net.receipt(net.send(raw, 1), 1)
    took = time.monotonic() - began
    assert receipt["status"] == "0x1"
    assert net.get_attestation(uid)["state"] == 1
    return took


def test_byzantine_proposer_that_lets_a_stranger_in_changes_no_record(net: LedgerNet) -> None:
    stranger = Account.from_key(hashlib.sha256(b"stranger").digest())
    uid = hashlib.sha256(b"a stranger's record").digest()
    now = int(time.time()) - 5
    arguments: list[Any] = [uid, SCHEMA, bytes([7]) * 32, 1, 0, now, NO_UID]
    fields = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": 0,
        "gas": 500_000,
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
        "to": ATTESTATIONS,
        "value": 0,
        "data": encode_call(ATTESTATIONS_NAME, "attest", arguments),
    }
    raw = "0x" + bytes(stranger.sign_transaction(fields).raw_transaction).hex()
    with pytest.raises(RpcError, match="not an account of an active agency"):
        net.send(raw, 1)

    net.kill(4)
    start_byzantine(net, 4)
    transaction_hash = net.send(raw, 4)
    receipt = net.receipt(transaction_hash, 1)
    assert receipt["status"] == "0x0", "the contract itself refuses the stranger"
    assert receipt["logs"] == []
    assert net.get_attestation(uid)["state"] == 0
    proposer = net.address(4, "validator")
    block = net.rpc(1).call("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert block["miner"] == proposer
    for honest in (1, 2, 3):
        evidence = net.rpc(honest).call("atesta_evidence", 10)
        assert any(
            item["kind"] == "unpermitted_sender" and item["offender"] == proposer
            for item in evidence
        )
    net.kill(4)
    net.start(4)
    net.assert_one_chain()


def start_byzantine(net: LedgerNet, number: int) -> None:
    node = net.node(number)
    script = Path(__file__).with_name("byzantine_node.py")
    with (node.folder / "console.log").open("ab") as console:
        process = subprocess.Popen(
            [sys.executable, str(script), "--config", str(node.settings_file)],
            stdout=console,
            stderr=console,
            env=dict(os.environ),
        )
    process.returncode = 0  # it is ended by its pid file like any node, not through this object
    (node.folder / PID_FILE).write_text(f"{process.pid}\n")
    wait_until(lambda: find_pid(node) is not None, "the byzantine node runs")
    net.wait_height(net.height(1), [number])
