"""Deciding together in front of anvil: on the command line, through REST, and both mixed."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.requests import propose_proposal, vote_proposal
from typer.testing import CliRunner

from api.firewall.audit import running
from api.networks.guard import WrongNetwork, check_network
from api.web3_provider import connect_http
from contracts.addresses import AGENCY_REGISTRY_NAME, SCHEMAS_NAME
from contracts.codec import decode_output, encode_call
from contracts.deployment import Deployment, encode_deployment
from contracts.founding import list_creations
from contracts.genesis_spec import GovernanceSpec
from contracts.labels import encode_label
from contracts.testkeys import get_private_key
from node.chain.code_votes import compute_creation_subject
from node.cli.app import app
from node.errors import UserFault
from node.keys import KdfStrength, KeyPurpose, import_key_file, write_secret_file
from scripts.demos.anvil import Anvil, AnvilMissing, find_anvil, launch_anvil
from tests.integration.anvil_world import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    SPEC,
    deploy,
    get_account,
    make_settings,
    run_api,
)
from tests.integration.ledger_net import wait_until

try:
    find_anvil()
except AnvilMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = pytest.mark.processes

ORDINARY_S, GRAVE_S = 3_600, 86_400
EVERYBODY = (LABORATORY, BUREAU, COMMISSION)


@dataclass(frozen=True)
class World:
    """A ledger on anvil whose decisions wait, and what each agency needs to decide there."""

    anvil: Anvil
    deployment: Deployment
    folder: Path

    def config(self, agency: int) -> Path:
        return self.folder / str(agency) / "node.toml"

    def govern(self, agency: int, *words: str) -> Any:
        """Type `atesta governance …` at an agency."""
        line = ["governance", *words, "--config", str(self.config(agency))]
        return CliRunner().invoke(app, line)

    def decide(self, agency: int, *words: str) -> str:
        done = self.govern(agency, *words)
        assert done.exit_code == 0, (done.output, done.exception)
        output: str = done.output
        return output

    def ask(self, function: str, *args: Any) -> Any:
        call = {
            "to": "0x" + self.deployment.book.get_address(AGENCY_REGISTRY_NAME).hex(),
            "data": "0x" + encode_call(AGENCY_REGISTRY_NAME, function, args).hex(),
        }
        answer = self.anvil.call("eth_call", call, "latest")
        return decode_output(AGENCY_REGISTRY_NAME, function, bytes.fromhex(answer[2:]))

    def pass_time(self, seconds: int) -> None:
        self.anvil.call("evm_increaseTime", seconds)
        self.anvil.mine()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    waiting = GovernanceSpec(ordinary_delay_s=ORDINARY_S, grave_delay_s=GRAVE_S)
    spec = replace(SPEC, governance=waiting)
    anvil = launch_anvil(chain_id=spec.chain_id)
    folder = tmp_path_factory.mktemp("agencies")
    try:
        deployment = asyncio.run(deploy(anvil, spec))
        (folder / "contracts.json").write_text(encode_deployment(deployment), encoding="utf-8")
        for agency in EVERYBODY:
            make_folder(folder / str(agency), agency, anvil.url)
        yield World(anvil=anvil, deployment=deployment, folder=folder)
    finally:
        anvil.stop()


def make_folder(folder: Path, agency: int, url: str) -> None:
    """Give an agency its key and its settings: no node, but where the ledger is."""
    folder.mkdir()
    write_secret_file(folder / "pass", b"an officer's passphrase\n")
    import_key_file(
        folder / "account.json",
        "an officer's passphrase",
        get_private_key(agency, "account"),
        purpose=KeyPurpose.ACCOUNT,
        strength=KdfStrength.DEVELOPMENT,
    )
    (folder / "node.toml").write_text(
        '[node]\ndata_dir = "."\n[api]\naccount_key_files = ["account.json"]\n'
        'account_passphrase_file = "pass"\n'
        'vault_key_file = "secrets/vault.key"\n'
        f'[foreign]\nfinality = "latest"\nrpc_url = "{url}"\n'
        'contracts_file = "../contracts.json"\n',
        encoding="utf-8",
    )


def read_number(shown: str) -> str:
    return shown.splitlines()[0].split()[1].rstrip(",")


def test_officers_decide_on_another_network_and_pay_for_it(world: World) -> None:
    """Proposal, approvals, the time lock and the carrying out, all typed."""
    account = "0x" + get_account(BUREAU).address.hex()
    before = int(world.anvil.call("eth_getBalance", account, "latest"), 16)
    profile = hashlib.sha256(b"renamed").digest()
    words = ["agency=mo-health-bureau", f"profile_hash=0x{profile.hex()}"]
    assert "possible:  yes" in world.decide(LABORATORY, "dry-run", "set-profile", *words)
    number = read_number(world.decide(BUREAU, "propose", "set-profile", *words))
    assert int(world.anvil.call("eth_getBalance", account, "latest"), 16) < before
    assert "set-profile" in world.decide(COMMISSION, "list")
    for agency in EVERYBODY:
        shown = world.decide(agency, "vote", number, "--approve")
    assert f"proposal:  {number}, passed" in shown
    early = world.govern(BUREAU, "carry-out", number)
    assert early.exit_code != 0
    assert isinstance(early.exception, UserFault)
    assert "the registry refuses" in str(early.exception)
    world.pass_time(ORDINARY_S + 1)
    assert f"proposal:  {number}, executed" in world.decide(BUREAU, "carry-out", number)
    changed = world.ask("agency", encode_label("mo-health-bureau"))
    assert bytes(changed["profile_hash"]) == profile
    # Its validators make no blocks there, so nobody is warned of them.
    rules = world.decide(BUREAU, "rules")
    assert f"{GRAVE_S} s" in rules
    assert "warning" not in rules


def test_agency_stops_and_goes_on_by_command_on_another_network(world: World) -> None:
    agency = encode_label("gd-health-commission")
    world.decide(COMMISSION, "pause", "--days", "1")
    assert world.ask("is_paused", agency)
    world.decide(COMMISSION, "resume")
    assert not world.ask("is_paused", agency)


async def test_code_is_replaced_by_vote_and_the_api_goes_on(world: World, tmp_path: Path) -> None:
    """REST and the command line vote on one proposal; what is replaced is the schemas' code."""
    placement = world.deployment.placement
    old = placement.implementations[SCHEMAS_NAME]
    creations = list_creations(placement, world.deployment.salt, world.deployment.late_after_s)
    code = next(made.code for made in creations if made.address == old)
    (anybody, *_) = world.anvil.call("eth_accounts")
    made = world.anvil.call("eth_sendTransaction", {"from": anybody, "data": "0x" + code.hex()})
    wait_until(lambda: bool(world.anvil.call("eth_getTransactionReceipt", made)), "a block")
    receipt = world.anvil.call("eth_getTransactionReceipt", made)
    assert receipt["status"] == "0x1"
    fresh = receipt["contractAddress"]
    proxy = "0x" + placement.book.get_address(SCHEMAS_NAME).hex()
    async with AsyncExitStack() as stack:
        bureau, commission = [
            await stack.enter_async_context(
                run_api(
                    make_settings(world.anvil, tmp_path / str(agency), world.deployment),
                    [get_account(agency)],
                )
            )
            for agency in (BUREAU, COMMISSION)
        ]
        accepted = await bureau.send(
            propose_proposal(
                decision="upgrade",
                parameters={"proxy": proxy, "implementation": fresh},
                document={"title": "Next version", "text": "The same code once more."},
                # Anvil's clock is ahead of ours since a test moved it.
                expires=datetime.now(UTC) + timedelta(days=9),
            )
        )
        assert (await bureau.settle(accepted)).state == "reported"
        number = world.ask("proposal_count")
        await bureau.do(vote_proposal(number, approve=True))
        await commission.do(vote_proposal(number, approve=True))
        words = ("vote", str(number), "--approve")
        assert "passed" in await asyncio.to_thread(world.decide, LABORATORY, *words)
        await asyncio.to_thread(world.pass_time, GRAVE_S + 1)
        await bureau.do(requests.carry_out_proposal(number))
        shown = await bureau.send(requests.get_proposal(number))
        assert shown.state == "executed"
        connection = connect_http(world.anvil.url)
        try:
            found = await check_network(connection.raw, world.deployment)
        finally:
            await connection.close()
        assert found.upgraded == (SCHEMAS_NAME,)
        uid = "0x" + secrets.token_hex(32)
        done = await bureau.do(requests.create_schema(uid=uid, title="Next", pointers=["/a"]))
        assert done.state == "reported"
    # Started again, an API takes the replaced code for what it is.
    settings = make_settings(world.anvil, tmp_path / str(BUREAU), world.deployment)
    async with run_api(settings, [get_account(BUREAU)]) as bureau:
        status, page, _ = await bureau.ask("/v1/schemas")
        assert (status, uid in {item["uid"] for item in page["items"]}) == (200, True)


def test_agencies_resolve_on_code_and_on_each_only_once(world: World, tmp_path: Path) -> None:
    creation = tmp_path / "code.hex"
    creation.write_text("0x6001600c60003960016000f300", encoding="ascii")
    named = CliRunner().invoke(app, ["governance", "code", "--create", str(creation)])
    subject = named.stdout.strip().splitlines()[0]
    expected = compute_creation_subject(bytes.fromhex(creation.read_text()[2:]))
    assert subject == "0x" + expected.hex()
    number = read_number(world.decide(LABORATORY, "propose", "resolve", f"subject={subject}"))
    for agency in EVERYBODY:
        shown = world.decide(agency, "vote", number, "--approve")
    if "passed" in shown:
        world.pass_time(GRAVE_S + 1)
        shown = world.decide(BUREAU, "carry-out", number)
    assert f"proposal:  {number}, executed" in shown
    assert world.ask("resolved_at", expected) > 0
    again = world.decide(LABORATORY, "dry-run", "resolve", f"subject={subject}")
    assert "possible:  no: resolution: already taken" in again


def test_vote_on_the_wrong_network_is_not_sent(world: World) -> None:
    """The deployment file is compared with the network before anything is signed."""
    other = launch_anvil(chain_id=SPEC.chain_id)
    try:
        config = world.config(BUREAU)
        written = config.read_text(encoding="utf-8")
        config.write_text(written.replace(world.anvil.url, other.url), encoding="utf-8")
        refused = world.govern(BUREAU, "vote", "1", "--approve")
        assert isinstance(refused.exception, WrongNetwork)
        assert int(other.call("eth_blockNumber"), 16) == 0
        config.write_text(written, encoding="utf-8")
    finally:
        other.stop()


async def test_audit_of_another_network_names_its_signer_by_the_address_book(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault's values are searched on that network's chain, and the report names the ledger."""
    folder = world.config(BUREAU).parent
    settings = make_settings(world.anvil, folder, world.deployment)
    async with run_api(settings, [get_account(BUREAU)]) as bureau:
        schema = "0x" + secrets.token_hex(32)
        await bureau.do(requests.create_schema(uid=schema, title="Result", pointers=["/name"]))
        await bureau.send(
            requests.create_credential(schema_uid=schema, document={"name": "Maria Chan Tai Man"})
        )
    # A hundred years of birth dates are hashed in half a minute; the unit tests do that.
    brief = partial(running.run_audit, first_birth=datetime.now(UTC).date() - timedelta(days=9))
    monkeypatch.setattr(running, "run_audit", brief)
    out = tmp_path / "report.json"
    privacy = [
        *("audit", "privacy", "--config", str(world.config(BUREAU)), "--out", str(out)),
        *("--rpc", f"network={world.anvil.url}", "--no-own"),
        *("--pattern-limit", "10", "--sweep-limit", "10"),
    ]
    done = await asyncio.to_thread(CliRunner().invoke, app, privacy)
    assert done.exit_code == 0, (done.output, done.exception)
    report = json.loads(out.read_text(encoding="utf-8"))
    registry = world.deployment.book.get_address(AGENCY_REGISTRY_NAME)
    assert report["ledger"]["registry"] == "0x" + registry.hex()
    assert report["needles"]["values"] > 0
    verify = ["audit", "verify", str(out), "--url", world.anvil.url]
    contracts = ["--contracts", str(world.folder / "contracts.json")]
    told = CliRunner().invoke(app, [*verify, *contracts])
    assert "a key of mo-health-bureau" in told.output, (told.output, told.exception)
    lost = CliRunner().invoke(app, verify)
    assert isinstance(lost.exception, UserFault)
    assert "no ledger" in str(lost.exception)
