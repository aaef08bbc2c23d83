"""Deploying on a network that runs already: killed at every step, and refused where it must be."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_typing import Hash32

from api.errors import UpstreamFault
from api.networks.deploying import Deployer, DeploymentStopped, begin, check_founding, take_up
from api.networks.fees import GWEI, FeePolicy
from api.networks.guard import WrongNetwork, check_network
from api.outbox.account import build_account
from api.web3_provider import LedgerConnection, RpcRefusal, connect_http
from contracts.addresses import IMPLEMENTATION_SLOT
from contracts.codec import decode_output, encode_call
from contracts.codes import Role
from contracts.deployment import Deployment, DeploymentPlan, decode_deployment, encode_deployment
from contracts.development import build_development_spec
from contracts.testkeys import get_address, get_private_key, get_tls_pin
from node.cli.genesis_file import format_agency
from node.keys import KdfStrength, KeyPurpose, import_key_file, write_secret_file
from scripts.demos.anvil import Anvil, AnvilMissing, find_anvil, launch_anvil
from tests.integration.anvil_world import DEPLOYER, SPEC, deploy, fund

try:
    find_anvil()
except AnvilMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = pytest.mark.processes

POLICY = FeePolicy()


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def running() -> Iterator[Anvil]:
    anvil = launch_anvil(chain_id=SPEC.chain_id)
    yield anvil
    anvil.stop()


@pytest.fixture
def anvil(running: Anvil) -> Iterator[Anvil]:
    """An anvil on which nothing was deployed yet."""
    snapshot = running.call("evm_snapshot")
    fund(running)
    yield running
    running.call("evm_revert", snapshot)


@pytest.fixture
async def connection(anvil: Anvil) -> AsyncIterator[LedgerConnection]:
    opened = connect_http(anvil.url)
    yield opened
    await opened.close()


def make_deployer(connection: LedgerConnection, save: object = lambda _: None) -> Deployer:
    return Deployer(
        raw=connection.raw,
        account=DEPLOYER,
        policy=POLICY,
        save=save,  # type: ignore[arg-type]
        poll_s=0.01,
    )


async def test_deployment_killed_at_every_write_goes_on(connection: LedgerConnection) -> None:
    """It ends at every write of the file for six steps, once before and once after the write."""
    plan, deployment = await begin(connection.raw, SPEC, DEPLOYER, POLICY)
    kept = encode_deployment(deployment)
    attempts = 0
    last = len(plan.steps) - 1
    deadly = {0, 1, 20, 21, last - 1, last}

    def save_and_die(current: Deployment) -> None:
        nonlocal kept
        before = decode_deployment(kept).steps
        number = next(place for place, step in enumerate(current.steps) if step != before[place])
        is_deadly = number in deadly
        if not is_deadly or attempts % 2 == 0:
            kept = encode_deployment(current)
        if is_deadly:
            raise Killed

    while True:
        begun = decode_deployment(kept)
        assert await take_up(connection.raw, SPEC, DEPLOYER, begun) == plan
        attempts += 1
        try:
            done = await make_deployer(connection, save_and_die).carry_out(plan, begun)
        except Killed:
            continue
        break
    # Every step writes twice: before it is sent, and when it is done.
    assert attempts == 2 * 2 * len(deadly) + 1
    assert done.is_complete
    assert [len(step.attempts) for step in done.steps] == [1] * len(plan.steps)
    assert (await check_network(connection.raw, done)).upgraded == ()
    await check_founding(connection.raw, SPEC, done)


def test_command_killed_by_the_system_goes_on(anvil: Anvil, tmp_path: Path) -> None:
    """The whole program: founding documents, keystore, SIGKILL, and the same command again."""
    write_secret_file(tmp_path / "pass", b"the deployer's passphrase\n")
    import_key_file(
        tmp_path / "deployer.json",
        "the deployer's passphrase",
        b"\x5a" * 32,
        purpose=KeyPurpose.ACCOUNT,
        strength=KdfStrength.DEVELOPMENT,
    )
    rules = tmp_path / "rules.toml"
    rules.write_text(f"chain_id = {SPEC.chain_id}\n", encoding="utf-8")
    agency = tmp_path / "agency.toml"
    agency.write_text(
        format_agency(
            label="mo-health-bureau",
            jurisdiction="MO",
            roles=Role.ADMIN | Role.GOVERN,
            account=get_address(2, "account"),
            validator=get_address(2, "validator"),
            pin=Hash32(get_tls_pin(2)),
        ),
        encoding="utf-8",
    )
    out = tmp_path / "contracts.json"
    program = [sys.executable, "-m", "node.cli", "contracts"]
    where = ["--rpc-url", anvil.url]
    command = [
        *(*program, "deploy", str(rules), str(agency), *where, "--out", str(out)),
        *("--key-file", str(tmp_path / "deployer.json")),
        *("--passphrase-file", str(tmp_path / "pass")),
    ]
    anvil.call("evm_setAutomine", False)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 120
        while count_done(out) < 5:
            assert time.monotonic() < deadline
            anvil.mine()
            time.sleep(0.05)
        os.kill(first.pid, signal.SIGKILL)
    begun = count_done(out)
    anvil.call("evm_setAutomine", True)
    anvil.mine()
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert 5 <= begun < count_done(out)
    assert "gas" in second.stdout
    checked = subprocess.run(
        [*program, "verify", *where, "--contracts", str(out), str(rules), str(agency)],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    assert "21 contracts: as deployed" in checked.stdout
    assert "is as it must be" in checked.stdout


def count_done(path: Path) -> int:
    if not path.exists():
        return 0
    steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
    return sum(step["block"] is not None for step in steps)


async def test_deployment_pays_the_base_fee_and_founds_what_was_agreed(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    before = int(anvil.call("eth_getBalance", "0x" + DEPLOYER.address.hex(), "latest"), 16)
    done = await deploy(anvil)
    after = int(anvil.call("eth_getBalance", "0x" + DEPLOYER.address.hex(), "latest"), 16)
    block = anvil.call("eth_getBlockByNumber", hex(done.last_block), False)
    assert int(block["baseFeePerGas"], 16) > 0
    assert before - after > done.gas_used * int(block["baseFeePerGas"], 16)
    registry = done.book.get_address("agency_registry")

    def ask(function: str, *args: object) -> object:
        call = {
            "to": "0x" + registry.hex(),
            "data": "0x" + encode_call("agency_registry", function, args).hex(),
        }
        answer = anvil.call("eth_call", call, "latest")
        return decode_output("agency_registry", function, bytes.fromhex(answer[2:]))

    assert ask("is_founded") is True
    assert ask("agency_count") == len(SPEC.agencies)
    # The deployer has no part in what it founded.
    assert ask("may_send", DEPLOYER.address) is False


async def test_nobody_else_founds_while_it_is_open(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    plan, begun = await begin(connection.raw, SPEC, DEPLOYER, POLICY)
    stopped = 22

    def progress(done: int, _: Deployment) -> None:
        if done == stopped:
            raise Killed

    deployer = replace(make_deployer(connection), progress=progress)
    with pytest.raises(Killed):
        await deployer.carry_out(plan, begun)
    registry = "0x" + plan.placement.book.get_address("agency_registry").hex()
    data = "0x" + encode_call("agency_registry", "finish_founding").hex()
    other = "0x" + get_address(1, "account").hex()
    with pytest.raises(RpcRefusal, match="only for the founder"):
        await connection.raw.call("eth_call", {"from": other, "to": registry, "data": data})


async def test_deployment_is_refused_before_anything_is_sent(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    other_chain = replace(SPEC, chain_id=SPEC.chain_id + 1)
    with pytest.raises(DeploymentStopped, match="chain id is 20260, the founders agreed on 20261"):
        await begin(connection.raw, other_chain, DEPLOYER, POLICY)
    with pytest.raises(UpstreamFault, match="cannot pay"):
        await begin(connection.raw, SPEC, build_account(b"\x5b" * 32), POLICY)
    with pytest.raises(UpstreamFault, match="asks more for a transaction than"):
        await begin(connection.raw, SPEC, DEPLOYER, FeePolicy(max_fee=1))
    assert anvil.call("eth_getTransactionCount", "0x" + DEPLOYER.address.hex(), "latest") == "0x0"


async def test_deployment_is_taken_up_only_with_what_it_was_begun_with(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    _, begun = await begin(connection.raw, SPEC, DEPLOYER, POLICY)
    with pytest.raises(DeploymentStopped, match="another account"):
        await take_up(connection.raw, SPEC, build_account(get_private_key(1, "account")), begun)
    with pytest.raises(DeploymentStopped, match="other founding documents"):
        await take_up(connection.raw, build_development_spec(2), DEPLOYER, begun)
    with pytest.raises(WrongNetwork, match="chain id is 20260"):
        await take_up(connection.raw, SPEC, DEPLOYER, replace(begun, chain_id=1))
    wrong = replace(begun, genesis_hash=begun.salt)
    with pytest.raises(WrongNetwork, match="another block 0"):
        await take_up(connection.raw, SPEC, DEPLOYER, wrong)


async def test_deployment_stops_where_the_account_sent_something_else(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    plan, begun = await begin(connection.raw, SPEC, DEPLOYER, POLICY)
    await send_something(anvil, connection, plan)
    with pytest.raises(DeploymentStopped, match="sent something else in place of"):
        await make_deployer(connection).carry_out(plan, begun)


async def send_something(anvil: Anvil, connection: LedgerConnection, plan: DeploymentPlan) -> None:
    raw = DEPLOYER.sign(
        {
            "type": 2,
            "chainId": plan.chain_id,
            "nonce": plan.first_nonce,
            "to": "0x" + "00" * 19 + "01",
            "value": 0,
            "data": "0x",
            "gas": 30_000,
            "maxFeePerGas": 10 * GWEI,
            "maxPriorityFeePerGas": GWEI,
        }
    )
    await connection.raw.call("eth_sendRawTransaction", "0x" + raw.hex())
    await asyncio.sleep(0.05)


async def test_check_finds_other_code_and_leaves_what_a_vote_replaced(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    done = await deploy(anvil)
    proxy = "0x" + done.book.get_address("schemas").hex()
    implementation = "0x" + done.placement.implementations["schemas"].hex()
    for address, what in ((proxy, "other code"), (implementation, "other code")):
        snapshot = anvil.call("evm_snapshot")
        anvil.call("anvil_setCode", address, "0x6001")
        with pytest.raises(WrongNetwork, match=what):
            await check_network(connection.raw, done)
        anvil.call("evm_revert", snapshot)
    anvil.call("anvil_setCode", proxy, "0x")
    with pytest.raises(WrongNetwork, match=f"no code at {proxy}"):
        await check_network(connection.raw, done)


async def test_check_tells_what_a_vote_replaced(anvil: Anvil, connection: LedgerConnection) -> None:
    done = await deploy(anvil)
    proxy = "0x" + done.book.get_address("schemas").hex()
    other = done.placement.implementations["posts"]
    slot, word = f"0x{IMPLEMENTATION_SLOT:064x}", "0x" + bytes(12).hex() + other.hex()
    anvil.call("anvil_setStorageAt", proxy, slot, word)
    assert (await check_network(connection.raw, done)).upgraded == ("schemas",)
    unfinished = replace(done, steps=(*done.steps[:-1], replace(done.steps[-1], block=None)))
    with pytest.raises(WrongNetwork, match="founding is still open"):
        await check_network(connection.raw, unfinished)


async def test_founding_with_another_event_is_found(
    anvil: Anvil, connection: LedgerConnection
) -> None:
    done = await deploy(anvil)
    await check_founding(connection.raw, SPEC, done)
    with pytest.raises(DeploymentStopped, match="other founding documents"):
        await check_founding(connection.raw, build_development_spec(2), done)
    moved = replace(done.steps[-1], block=done.last_block - 1)
    with pytest.raises(DeploymentStopped, match="other events"):
        await check_founding(connection.raw, SPEC, replace(done, steps=(*done.steps[:-1], moved)))
