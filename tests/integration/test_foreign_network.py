"""The API in front of anvil: the same acts, paid for, and nothing that is called final."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from atesta_client import requests
from atesta_client.answers import Verification
from atesta_client.credentials import decode_credential
from atesta_client.errors import RestProblem
from atesta_client.requests import Request
from eth_typing import Hash32

from api.networks.fees import GWEI, FeePolicy
from api.networks.guard import WrongNetwork
from contracts.deployment import Deployment
from contracts.testkeys import get_private_key
from contracts.typed_data import sign_digest
from scripts.demos.anvil import Anvil, AnvilMissing, find_anvil, launch_anvil
from tests.integration.anvil_world import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    SPEC,
    Api,
    deploy,
    get_account,
    make_settings,
    mine_now,
    run_api,
)

try:
    find_anvil()
except AnvilMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = pytest.mark.processes

POINTERS = ["/name", "/result"]


@dataclass(frozen=True)
class World:
    """An anvil with the ledger on it."""

    anvil: Anvil
    deployment: Deployment


@pytest.fixture(scope="module")
def founded() -> Iterator[World]:
    anvil = launch_anvil(chain_id=SPEC.chain_id)
    try:
        yield World(anvil=anvil, deployment=asyncio.run(deploy(anvil)))
    finally:
        anvil.stop()


@pytest.fixture
def world(founded: World) -> Iterator[World]:
    """The ledger as it was founded, whatever a test did to it."""
    snapshot = founded.anvil.call("evm_snapshot")
    mine_now(founded.anvil)
    yield founded
    founded.anvil.call("evm_setAutomine", True)
    founded.anvil.call("evm_revert", snapshot)


@pytest.fixture
async def bureau(world: World, tmp_path: Path) -> AsyncIterator[Api]:
    settings = make_settings(world.anvil, tmp_path / "bureau", world.deployment)
    async with run_api(settings, [get_account(BUREAU)]) as client:
        yield client


@pytest.fixture
async def laboratory(world: World, tmp_path: Path) -> AsyncIterator[Api]:
    settings = make_settings(world.anvil, tmp_path / "laboratory", world.deployment)
    async with run_api(settings, [get_account(LABORATORY)]) as client:
        yield client


async def agree_on_schema(bureau: Api, laboratory: Api) -> str:
    """Register a schema and accredit the laboratory; return the schema's uid."""
    uid = "0x" + secrets.token_hex(32)
    await bureau.do(requests.create_schema(uid=uid, title="Result", pointers=POINTERS))
    status = await laboratory.send(requests.get_status())
    assert status.agency is not None
    await bureau.do(requests.accredit(uid, status.agency))
    await laboratory.send(requests.put_schema_text(uid, title="Result", pointers=POINTERS))
    return uid


async def issue(laboratory: Api, schema: str) -> dict[str, Any]:
    """Attest a document; return its credential file."""
    made = await laboratory.send(
        requests.create_credential(
            schema_uid=schema, document={"name": "Maria Chan", "result": "negative"}
        )
    )
    assert made.credential is not None
    uid = "0x" + decode_credential(made.credential).record.uid.hex()
    await laboratory.do(requests.attest_credential(uid))
    return dict(made.credential)


async def test_acts_are_paid_reported_and_checked(
    world: World, bureau: Api, laboratory: Api, tmp_path: Path
) -> None:
    before = get_balance(world, LABORATORY)
    schema = await agree_on_schema(bureau, laboratory)
    credential = await issue(laboratory, schema)
    assert get_balance(world, LABORATORY) < before
    uid = "0x" + decode_credential(credential).record.uid.hex()
    settings = make_settings(world.anvil, tmp_path / "commission", world.deployment)
    async with run_api(settings, [get_account(COMMISSION)]) as commission:
        answer = await commission.send(requests.verify_credential(credential))
        assert answer.result == "valid"
        assert "network_reported" in [notice.code for notice in answer.notices]
        state, record, headers = await commission.ask(f"/v1/attestations/{uid}")
        assert (state, record["state"], record["final"]) == (200, "active", False)
        assert headers["Atesta-Finality"] == "as_reported"
        await laboratory.do(requests.change_state(uid, state="revoked", reason="error"))
        answer = await commission.send(requests.verify_credential(credential))
        assert (answer.result, answer.reasons[0].code) == ("not_valid", "state_revoked")
    # The same databases, after a restart.
    async with run_api(settings, [get_account(COMMISSION)]) as commission:
        _, page, _ = await commission.ask(f"/v1/attestations?schema={schema}")
        assert [item["state"] for item in page["items"]] == ["revoked"]
        assert page["items"][0]["final"] is False
        _, told, _ = await commission.ask(f"/v1/provenance/{uid}")
        assert {act["final"] for act in told["activities"]} == {False}


def get_balance(world: World, agency: int) -> int:
    address = "0x" + get_account(agency).address.hex()
    return int(world.anvil.call("eth_getBalance", address, "latest"), 16)


async def test_nothing_is_called_final_and_the_explorer_says_why(world: World, bureau: Api) -> None:
    operation = await bureau.do(create_schema())
    assert operation.state == "reported"
    for state, count in (("reported", 1), ("final", 1), ("failed", 0)):
        _, page, _ = await bureau.ask(f"/v1/operations?state={state}")
        assert [item["state"] for item in page["items"]] == ["reported"] * count
    _, status, _ = await bureau.ask("/v1/status")
    assert status["finality"]["kind"] == "as_reported"
    assert status["finality"]["block_tag"] == "latest"
    assert status["finality"]["statement"].startswith("as reported by that network")
    async with aiohttp.ClientSession() as session:
        for path in ("/explorer", f"/explorer/blocks/{operation.block}", "/explorer/validators"):
            async with session.get(bureau.url + path) as answer:
                text = await answer.text()
                assert answer.status == 200
                assert "as reported by that network" in text, path
                assert "became final" not in text, path
        async with session.post(bureau.url + "/", json={}) as answer:
            assert answer.status == 405  # JSON-RPC is left to that network's node


def create_schema() -> Request[Any]:
    uid = "0x" + secrets.token_hex(32)
    return requests.create_schema(uid=uid, title="Another", pointers=POINTERS)


async def test_act_signed_elsewhere_counts_on_this_deployment_alone(
    world: World, laboratory: Api
) -> None:
    """The typed data name the contract's address here and the deployment's own salt."""
    purpose = requests.publish_purpose(code="entry", title="Entry")
    prepared = await laboratory.send(
        requests.create_prepared_act(purpose, signer="0x" + get_account(BUREAU).address.hex())
    )
    domain = prepared.typed_data["domain"]
    assert domain["verifyingContract"].lower() == (
        "0x" + world.deployment.book.get_address("catalogue").hex()
    )
    assert domain["salt"] == "0x" + world.deployment.salt.hex()
    digest = Hash32(bytes.fromhex(prepared.digest[2:]))
    signature = sign_digest(digest, get_private_key(BUREAU, "account"))
    handed = requests.create_signed_act(prepared=prepared.id, signature="0x" + signature.hex())
    operation = await laboratory.do(handed)
    assert operation.state == "reported"
    _, record, _ = await laboratory.ask(f"/v1/purposes/{prepared.uid}")
    assert record["owner"] == "mo-health-bureau"


async def test_what_the_network_may_take_back_is_not_settled(world: World, tmp_path: Path) -> None:
    """Read up to `finalized`, an act is settled when its block is, two blocks later here."""
    settings = make_settings(world.anvil, tmp_path, world.deployment, tag="finalized")
    world.anvil.mine(2)
    async with run_api(settings, [get_account(BUREAU)]) as bureau:
        accepted = await bureau.send(create_schema())
        await wait_mined(world, accepted.transaction)
        await asyncio.sleep(1.2)
        operation = await bureau.send(requests.get_operation(accepted.operation))
        assert operation.state == "submitted"
        status, _, _ = await bureau.ask(f"/explorer/v1/transactions/{accepted.transaction}")
        assert status == 200
        world.anvil.mine(2)
        operation = await bureau.settle(accepted)
        assert operation.state == "reported"


async def wait_mined(world: World, transaction: str) -> None:
    while world.anvil.call("eth_getTransactionReceipt", transaction) is None:
        await asyncio.sleep(0.02)


async def test_index_stops_when_the_network_takes_blocks_back(world: World, bureau: Api) -> None:
    operation = await bureau.do(create_schema())
    await wait_indexed(bureau, operation.block or 0)
    world.anvil.call("anvil_reorg", 1, [])
    world.anvil.mine(2)
    for _ in range(200):
        status, problem, _ = await bureau.ask("/v1/schemas")
        if status != 200:
            break
        await asyncio.sleep(0.05)
    assert (status, problem["code"]) == (503, "index_mismatch")
    assert "does not follow the block before it" in problem["detail"]
    assert "foreign.finality" in problem["next_step"]
    status, ready, _ = await bureau.ask("/ready")
    assert (status, list(ready["problems"])) == (503, ["index"])


async def wait_indexed(client: Api, block: int) -> None:
    for _ in range(200):
        if (await client.send(requests.get_status())).indexed_block >= block:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the index does not follow")


async def test_offer_that_became_too_low_is_raised_on_the_same_nonce(
    world: World, tmp_path: Path
) -> None:
    fees = FeePolicy(max_fee=1_000 * GWEI, priority_fee=GWEI, replace_after_s=0)
    settings = make_settings(world.anvil, tmp_path, world.deployment, fees=fees)
    async with run_api(settings, [get_account(BUREAU)]) as bureau:
        world.anvil.call("evm_setAutomine", False)
        accepted = await bureau.send(create_schema())
        world.anvil.call("anvil_setNextBlockBaseFeePerGas", hex(200 * GWEI))
        world.anvil.mine()  # too dear for the offer, and the next block asks as much
        operation = await bureau.send(requests.get_operation(accepted.operation))
        for _ in range(200):
            operation = await bureau.send(requests.get_operation(accepted.operation))
            if operation.transaction != accepted.transaction and operation.state == "submitted":
                break
            await asyncio.sleep(0.05)
        assert operation.transaction != accepted.transaction
        world.anvil.mine()
        settled = await bureau.settle(accepted)
        assert (settled.state, settled.nonce) == ("reported", operation.nonce)
        # Both hashes lead to the operation.
        for transaction in (accepted.transaction, operation.transaction):
            found = await bureau.send(requests.get_operation(transaction))
            assert found.id == accepted.operation
        receipt = world.anvil.call("eth_getTransactionReceipt", operation.transaction)
        assert int(receipt["effectiveGasPrice"], 16) > 100 * GWEI


async def test_nothing_is_promised_that_cannot_be_paid(world: World, tmp_path: Path) -> None:
    fees = FeePolicy(max_fee=1)
    settings = make_settings(world.anvil, tmp_path / "mean", world.deployment, fees=fees)
    async with run_api(settings, [get_account(BUREAU)]) as bureau:
        with pytest.raises(RestProblem) as refused:
            await bureau.send(create_schema())
        assert (refused.value.status, refused.value.code) == (503, "fee_too_high")
    world.anvil.call("anvil_setBalance", "0x" + get_account(BUREAU).address.hex(), "0x1")
    settings = make_settings(world.anvil, tmp_path / "poor", world.deployment)
    async with run_api(settings, [get_account(BUREAU)]) as bureau:
        with pytest.raises(RestProblem) as refused:
            await bureau.send(create_schema())
        assert (refused.value.status, refused.value.code) == (503, "account_unfunded")
        status = await bureau.send(requests.get_status())
        assert status.pending == 0
    world.anvil.fund(get_account(BUREAU).address)


async def test_check_cannot_say_when_the_network_stands_still(
    world: World, bureau: Api, laboratory: Api, tmp_path: Path
) -> None:
    credential = await issue(laboratory, await agree_on_schema(bureau, laboratory))
    settings = make_settings(world.anvil, tmp_path / "c", world.deployment, max_lag_s=10)
    async with run_api(settings, [get_account(COMMISSION)]) as commission:
        answer = await wait_for_result(commission, credential, "cannot_say")
        assert answer.reasons[0].code == "node_behind"
        mine_now(world.anvil)
        await wait_for_result(commission, credential, "valid")


async def wait_for_result(api: Api, credential: dict[str, Any], result: str) -> Verification:
    """Check until the answer is this one."""
    for _ in range(120):
        answer = await api.send(requests.verify_credential(credential))
        if answer.result == result:
            return answer
        await asyncio.sleep(0.25)
    raise AssertionError(f"it stays {answer.result}")


async def test_other_chain_and_other_code_are_refused_at_the_start(
    world: World, tmp_path: Path
) -> None:
    other = replace(world.deployment, chain_id=world.deployment.chain_id + 1)
    with pytest.raises(WrongNetwork, match="the network's chain id is"):
        async with run_api(make_settings(world.anvil, tmp_path / "a", other)):
            pass
    proxy = "0x" + world.deployment.book.get_address("consents").hex()
    world.anvil.call("anvil_setCode", proxy, "0x6001")
    with pytest.raises(WrongNetwork, match="other code than was deployed"):
        async with run_api(make_settings(world.anvil, tmp_path / "b", world.deployment)):
            pass


async def test_network_that_comes_back_as_another_one_is_not_believed(tmp_path: Path) -> None:
    """An API that lost its network checks again what answers at the address."""
    anvil = launch_anvil(chain_id=SPEC.chain_id)
    try:
        deployment = await deploy(anvil)
        settings = make_settings(anvil, tmp_path, deployment)
        async with run_api(settings, [get_account(BUREAU)]) as bureau:
            assert (await bureau.ask("/ready"))[0] == 200
            anvil.stop()
            status, ready, _ = await bureau.ask("/ready")
            assert (status, "node" in ready["problems"]) == (503, True)
            anvil = launch_anvil(chain_id=SPEC.chain_id, port=anvil.port)
            for _ in range(200):
                status, problem, _ = await bureau.ask("/v1/status")
                if problem.get("code") == "wrong_network":
                    break
                await asyncio.sleep(0.05)
            assert (status, problem["code"]) == (503, "wrong_network")
    finally:
        anvil.stop()
