"""Evidence from real processes: found by honest nodes, checked by somebody who has no node."""

import hashlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import encode_call
from contracts.codes import Role
from contracts.development import CHAIN_ID
from tests.integration.ledger_net import LedgerNet, wait_until
from tests.integration.test_network_abuse import start_byzantine

pytestmark = pytest.mark.processes

HONEST = (1, 2, 3)
TRAITOR = 4
FIRST_NONCE = 0


def find_evidence(net: LedgerNet, kind: str, number: int) -> list[dict[str, Any]]:
    return [item for item in net.rpc(number).call("atesta_evidence", 50) if item["kind"] == kind]


def run_atesta(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder of its own, as somebody elsewhere would."""
    return subprocess.run(
        [sys.executable, "-m", "node.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return bytes(response.read()).decode()


def assert_is_shown_and_proves_itself(
    net: LedgerNet, kind: str, folder: Path, *, since: int
) -> str:
    """Follow an act through RPC, metric, log, REST, file and verifier; returns the finding.

    Other tests use this network too; acts up to height `since` are theirs.
    """

    def find(number: int) -> list[dict[str, Any]]:
        return [act for act in find_evidence(net, kind, number) if int(act["height"], 16) > since]

    offender = net.address(TRAITOR, "validator")
    wait_until(
        lambda: all(find(number) for number in HONEST),
        "every honest node has evidence",
    )
    act = find(1)[-1]
    assert act["offender"] == offender
    node = net.node(1)
    (sample,) = [
        line
        for line in read(f"{node.url}/metrics").splitlines()
        if line.startswith("atesta_evidence_total{") and f'kind="{kind}"' in line
    ]
    assert float(sample.split()[-1]) >= 1
    logged = [
        event
        for line in (node.folder / "log.jsonl").read_text().splitlines()
        if (event := json.loads(line))["event"] == "evidence"
    ]
    assert act["id"] in {event["evidence"] for event in logged}
    listed = json.loads(read(f"{node.url}/v1/evidence?limit=500"))["items"]
    assert act["id"] in {item["id"] for item in listed}
    assert json.loads(read(f"{node.url}/v1/evidence/{act['id']}"))["kind"] == kind

    (folder / "genesis.json").write_bytes(net.devnet.genesis_file.read_bytes())
    made = run_atesta(
        folder, "evidence", "export", act["id"], "--url", node.url, "--out", "proof.json"
    )
    assert made.returncode == 0, made.stderr
    judged = run_atesta(folder, "evidence", "verify", "proof.json")
    assert judged.returncode == 0, judged.stderr
    assert offender in judged.stdout
    text = (folder / "proof.json").read_text()
    (folder / "forged.json").write_text(text.replace(offender, net.address(1, "validator")))
    refused = run_atesta(folder, "evidence", "verify", "forged.json")
    assert refused.returncode == 2
    assert refused.stderr.startswith("atesta: ")
    return judged.stdout


def test_validator_that_contradicts_itself_is_convicted_by_a_file(
    net: LedgerNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = net.height(1)
    net.kill(TRAITOR)
    monkeypatch.setenv("ATESTA_TEST_MISCHIEF", "contradict")
    start_byzantine(net, TRAITOR)
    finding = assert_is_shown_and_proves_itself(net, "conflicting_prepares", tmp_path, since=since)
    assert "signed two different prepare messages" in finding
    net.kill(TRAITOR)
    net.start(TRAITOR)
    net.assert_one_chain()


def test_proposer_that_lets_a_stranger_in_is_convicted_by_a_file(
    net: LedgerNet, tmp_path: Path
) -> None:
    stranger = Account.from_key(hashlib.sha256(b"a stranger to be accused").digest())
    wish = (stranger.address, Role.ISSUE, 0, 0)
    fields = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": FIRST_NONCE,
        "gas": 100_000,
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
        "to": REGISTRY,
        "value": 0,
        "data": encode_call(AGENCY_REGISTRY_NAME, "add_own_key", wish),
    }
    raw = "0x" + bytes(stranger.sign_transaction(fields).raw_transaction).hex()
    since = net.height(1)
    net.kill(TRAITOR)
    start_byzantine(net, TRAITOR)
    net.receipt(net.send(raw, TRAITOR), 1)
    finding = assert_is_shown_and_proves_itself(net, "unpermitted_sender", tmp_path, since=since)
    assert stranger.address.lower() in finding
    net.kill(TRAITOR)
    net.start(TRAITOR)
    net.assert_one_chain()
