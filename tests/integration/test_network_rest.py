"""REST on real nodes: 200 writes with a death in the middle, and every kind of bad input."""

import asyncio
import hashlib
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.errors import RestProblem
from atesta_client.rest import AsyncClient, Client, Patience

from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, REGISTRY
from contracts.codec import encode_call
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from node.cli.devnet.rpc import RpcError
from tests.integration.ledger_net import LedgerNet

pytestmark = pytest.mark.processes

POINTERS = ("/holder/name", "/result", "/taken")
WRITES = 200
PATIENT = Patience(attempt_s=30, total_s=240, first_pause_s=0.2, longest_pause_s=1.0)
LABORATORY = encode_label(list_development_agencies(4)[0].label)


def make_schema(net: LedgerNet) -> str:
    """Register a schema by REST, let the laboratory issue under it, and give it the text."""
    agency = "0x" + LABORATORY.hex()
    with Client(net.node(2).url, patience=PATIENT) as bureau:
        accepted = bureau.send(requests.create_schema(title="Test result", pointers=POINTERS))
        bureau.follow(accepted)
        bureau.follow(bureau.send(requests.accredit(accepted.uid, agency)))
    with Client(net.node(1).url, patience=PATIENT) as laboratory:
        deadline = time.monotonic() + 120
        while True:
            try:
                laboratory.send(
                    requests.put_schema_text(accepted.uid, title="Test result", pointers=POINTERS)
                )
                break
            except RestProblem:  # its index has not seen the schema yet
                assert time.monotonic() < deadline
                time.sleep(0.3)
    return accepted.uid


def make_document(number: int) -> dict[str, Any]:
    return {
        "holder": {"name": f"Test Person {number}"},
        "result": "not detected",
        "taken": f"2026-11-{1 + number % 28:02d}",
    }


def count_records(net: LedgerNet, at: int) -> int:
    answer = net.call(ATTESTATIONS, ATTESTATIONS_NAME, "count", [LABORATORY], at=at)
    assert isinstance(answer, int)
    return answer


async def test_200_concurrent_writes_with_a_death_in_the_middle_are_200_records(
    net: LedgerNet,
) -> None:
    schema = await asyncio.to_thread(make_schema, net)
    before = await asyncio.to_thread(count_records, net, 2)
    answered = 0

    async def write(client: AsyncClient, number: int) -> str:
        nonlocal answered
        request = requests.attest_document(
            schema_uid=schema,
            document=make_document(number),
            idempotency_key=f"certificate-{number}",
        )
        accepted = await client.send(request)
        answered += 1
        operation = await client.follow(accepted, timeout_s=120)
        assert operation.state == "final"
        return accepted.uid

    async def kill_in_the_middle() -> None:
        while answered < WRITES // 4:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(net.kill, 1)
        assert answered < WRITES, "the kill came too late to prove anything"
        await asyncio.sleep(1)
        await asyncio.to_thread(net.start, 1)

    async with AsyncClient(net.node(1).url, patience=PATIENT) as client:
        writes = [write(client, number) for number in range(WRITES)]
        *uids, _ = await asyncio.gather(*writes, kill_in_the_middle())
    assert len(set(uids)) == WRITES
    assert await asyncio.to_thread(count_records, net, 2) - before == WRITES
    for uid in uids:
        attestation = await asyncio.to_thread(net.get_attestation, bytes.fromhex(str(uid)[2:]), 3)
        assert attestation["state"] == 1
    net.nonces.clear()
    await asyncio.to_thread(net.assert_one_chain)


def post(url: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        url,
        data=body,
        headers={"Content-Type": "application/json", "Idempotency-Key": "k" * 16, **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


UID = "0x" + hashlib.sha256(b"bad input").hexdigest()
GOOD: dict[str, Any] = {"schema_uid": UID, "commitment": "0x" + "5a" * 32}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (json.dumps({**GOOD, "colour": 1}).encode(), 400, "colour"),
        (json.dumps({**GOOD, "schema_uid": 7}).encode(), 400, "schema_uid"),
        (json.dumps({**GOOD, "uid": "0x12"}).encode(), 400, "uid"),
        (b'{"document": "' + b"x" * (9 * 1024 * 1024) + b'"}', 413, "body"),
    ],
    ids=["malformed", "unknown field", "wrong type", "short uid", "oversize"],
)
def test_bad_request_is_refused_and_changes_nothing(
    net: LedgerNet, body: bytes, status: int, field: str | None
) -> None:
    before = count_records(net, 1)
    code, problem = post(net.node(1).url + "/v1/attestations", body)
    assert code == status, problem
    assert problem["type"].startswith("urn:atesta:problem:")
    if field is not None:
        assert field in json.dumps(problem)
    assert count_records(net, 1) == before


def test_duplicate_uid_is_refused_by_the_ledger(net: LedgerNet) -> None:
    uid, raw = net.make_attestation()
    assert net.receipt(net.send(raw))["status"] == "0x1"
    _, again = net.make_attestation(uid=uid)
    before = count_records(net, 1)
    assert net.receipt(net.send(again))["status"] == "0x0"
    assert count_records(net, 1) == before


def test_foreign_agency_cannot_change_a_state(net: LedgerNet) -> None:
    net.nonces.clear()  # REST signs with the same accounts
    uid, raw = net.make_attestation(1)
    assert net.receipt(net.send(raw))["status"] == "0x1"
    revoke = encode_call(ATTESTATIONS_NAME, "set_state", [uid, 3, 1, int(time.time()) - 5])
    receipt = net.receipt(net.send(net.sign(2, ATTESTATIONS, revoke), 2), 2)
    assert receipt["status"] == "0x0"
    assert net.get_attestation(uid)["state"] == 1
    with Client(net.node(2).url, patience=PATIENT) as bureau:
        request = requests.change_state("0x" + uid.hex(), state="revoked", reason="error")
        with pytest.raises(RestProblem):
            bureau.send(request)


def test_unknown_account_and_wrong_nonce_are_refused_by_field(net: LedgerNet) -> None:
    with pytest.raises(RpcError, match="not an account of an active agency") as caught:
        net.send(net.sign(9, ATTESTATIONS, nonce=0))
    assert caught.value.data["field"] == "from"
    act = encode_call("agency_registry", "resume_own")
    with pytest.raises(RpcError, match="was used already") as caught:
        net.send(net.sign(1, REGISTRY, act, nonce=0))
    assert caught.value.data["field"] == "nonce"
    with pytest.raises(RpcError, match="another network") as caught:
        net.send(net.sign(1, ATTESTATIONS, nonce=10**6, chain_id=1))
    assert caught.value.data["field"] == "chainId"
