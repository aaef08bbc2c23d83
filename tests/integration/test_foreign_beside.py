"""One API over its own node's ledger and another in front of anvil, on either engine.

The node is a real process of the agency, with the ledger of its jurisdiction inside. The ledger
that it shares with others lies on another network, which reports its blocks and asks a fee.
"""

import asyncio
import json
import secrets
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.answers import Import
from atesta_client.errors import RestProblem
from atesta_client.rest import Client, Patience
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from contracts.deployment import encode_deployment
from contracts.development import BUREAU, COMMISSION, build_development_spec
from contracts.genesis_spec import QbftSpec
from node.cli.app import app
from node.cli.devnet import DevnetNode, DevnetOptions
from scripts.demos.anvil import Anvil, AnvilMissing, find_anvil, launch_anvil
from scripts.demos.databases import set_in_api_table
from scripts.postgresql.server import PostgresServer
from tests.integration.anvil_world import deploy
from tests.integration.ledger_net import LedgerNet

try:
    find_anvil()
except AnvilMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = pytest.mark.processes

OWN, FOREIGN = "macao", "crossing"
QUICK = QbftSpec(block_period_ms=250, empty_block_period_s=0, request_timeout_s=1)
SPEC = build_development_spec(parties=(BUREAU, COMMISSION), chain_id=20_264)
PATIENT = Patience(attempt_s=30, total_s=120, first_pause_s=0.2, longest_pause_s=1.0)
ENGINES = ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)]
LINES = 40


@dataclass(frozen=True, kw_only=True)
class World:
    """The agency's node, and the network of the other ledger."""

    net: LedgerNet
    anvil: Anvil
    urls: tuple[str, ...]
    """Addresses of its databases; none on SQLite."""

    @property
    def node(self) -> DevnetNode:
        return self.net.node(1)

    def open_client(self) -> Client:
        return Client(self.node.url, patience=PATIENT, purpose="test")

    def read_page(self, path: str) -> str:
        """Return a page of the explorer."""
        with urllib.request.urlopen(f"{self.node.url}/explorer{path}", timeout=30) as answer:
            found: str = answer.read().decode()
            return found

    def tell(self, *words: str) -> str:
        """Run `atesta` about the ledger on the other network."""
        result = CliRunner().invoke(app, ["--ledger", FOREIGN, *words, "--url", self.node.url])
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture(params=ENGINES, scope="module")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("beside")
    urls: tuple[str, ...] = ()
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        name = f"beside_{secrets.token_hex(4)}"
        urls = tuple(server.create_database(f"{name}_{part}") for part in (OWN, FOREIGN))
    with ExitStack() as stack:
        anvil = launch_anvil(chain_id=SPEC.chain_id)
        stack.callback(anvil.stop)
        deployment = asyncio.run(deploy(anvil, SPEC))
        (folder / "deployment.json").write_text(encode_deployment(deployment))
        net = LedgerNet.make(folder / "net", DevnetOptions(parties=(BUREAU,), qbft=QUICK))
        stack.callback(net.stop)
        write_settings(net.node(1), anvil, folder / "deployment.json", urls)
        net.start(1)
        try:
            yield World(net=net, anvil=anvil, urls=urls)
        except BaseException:
            print(net.explain())  # noqa: T201 - read by whoever reads the failure
            raise


def write_settings(node: DevnetNode, anvil: Anvil, deployment: Path, urls: tuple[str, ...]) -> None:
    """Let the node's API serve the ledger on anvil as well."""
    block = anvil.call("eth_getBlockByNumber", "0x0", False)
    set_in_api_table(node, f'ledger_name = "{OWN}"')
    lines = [
        "[[api.ledgers]]",
        f"name = {json.dumps(FOREIGN)}",
        f"rpc_url = {json.dumps(anvil.url)}",
        f"genesis_hash = {json.dumps(block['hash'])}",
        f"contracts_file = {json.dumps(str(deployment))}",
        'finality = "latest"',
    ]
    if urls:
        set_in_api_table(node, f"database_url = {json.dumps(urls[0])}")
        lines.append(f"database_url = {json.dumps(urls[1])}")
    with node.settings_file.open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines) + "\n")


def list_tables(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = set(connection.execute(query).scalars())
    engine.dispose()
    return found


def write_lines(count: int) -> bytes:
    lines = [
        {"uid": "0x" + secrets.token_hex(32), "code": f"purpose-{number}", "title": "Entry"}
        for number in range(count)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def follow(client: Client, started: Import, *, until: str) -> Import:
    """Wait until lines of an import are final, or all of it is `done`."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        told = client.send(requests.get_import(started.id))
        if told.state == until or (until == "begun" and told.done):
            return told
        time.sleep(0.1)
    raise AssertionError(f"the import does not go on: {told}")


def count_purposes(client: Client) -> int:
    return len(list(client.list_all(requests.list_purposes(limit=200))))


def test_own_ledger_is_final_and_the_one_beside_is_as_reported(world: World) -> None:
    with world.open_client() as own:
        beside = own.ledger(FOREIGN)
        listed = {one.name: one for one in own.send(requests.list_ledgers()).items}
        assert set(listed) == {OWN, FOREIGN}
        assert listed[OWN].jurisdictions == ("MO",)
        assert listed[FOREIGN].jurisdictions == ("CN-GD", "MO")
        assert listed[FOREIGN].chain_id == SPEC.chain_id
        before = count_purposes(own), count_purposes(beside)
        purpose = requests.publish_purpose(code="entry", title="Entry")
        states = {}
        for client, name in ((own, OWN), (beside, FOREIGN)):
            accepted = client.send(replace(purpose, idempotency_key=secrets.token_hex(8)))
            states[name] = client.follow(accepted, timeout_s=60).state
        assert states == {OWN: "final", FOREIGN: "reported"}
        wait_for(own, before[0] + 1)
        wait_for(beside, before[1] + 1)
        # What the rule of ledgers says holds here as well.
        problem = refuse_exchange(own)
        assert problem.code == "ledger_wrong"
        assert f"/v1/ledgers/{FOREIGN}" in str(problem.next_step)
    page = world.read_page("")
    assert "became final" in page
    assert f" · {OWN} · Atesta" in page
    page = world.read_page(f"/ledgers/{FOREIGN}")
    assert "as reported by that network" in page
    assert "became final" not in page
    assert "Entry" in world.tell("list", "purposes")
    if world.urls:
        first, second = map(list_tables, world.urls)
        # All that the two ledgers share is in the one database: vault, imports, record of reads.
        assert {"records", "materials", "imports", "reads"} <= first
        assert not {"records", "materials", "imports", "reads"} & second
        assert {"operations", "law_records"} <= first & second


def wait_for(client: Client, wanted: int) -> None:
    """Wait until a ledger's index has so many purposes."""
    for _ in range(100):
        if (found := count_purposes(client)) == wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"{found} purposes instead of {wanted}")


def refuse_exchange(own: Client) -> Any:
    """Return the refusal of a crossing exchange on the own ledger."""
    uid = "0x" + "77" * 32
    later = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(RestProblem) as refused:
        own.send(
            requests.request_exchange(
                provider=COMMISSION.label,
                dataset=uid,
                fields=["/a"],
                purpose=uid,
                basis=uid,
                case="C-1",
                officer={"number": "1"},
                due=later,
                retention_until=later,
            )
        )
    return refused.value


def test_import_beside_goes_on_after_the_node_was_killed(world: World, tmp_path: Path) -> None:
    file = tmp_path / "purposes.ndjson"
    file.write_bytes(write_lines(LINES))
    with world.open_client() as own:
        beside = own.ledger(FOREIGN)
        before = count_purposes(own), count_purposes(beside)
        started = beside.send(
            requests.create_import(file.read_bytes(), act="purpose.publish", idempotency_key="k-1")
        )
        assert (started.ledger, started.lines) == (FOREIGN, LINES)
        follow(beside, started, until="begun")
        world.net.kill(1)
        world.net.start(1)
        told = follow(beside, started, until="done")
        assert (told.done, told.rejected) == (LINES, 0)
        wait_for(beside, before[1] + LINES)
        assert count_purposes(own) == before[0]
        assert list(own.list_all(requests.list_imports())) == []
    # The same at the shell, where a file is one import on each ledger.
    small = tmp_path / "more.ndjson"
    small.write_bytes(write_lines(2))
    for _ in range(2):
        assert "2 of 2 lines are on the ledger" in world.tell(
            "import", str(small), "--act", "purpose.publish"
        )
    listed = world.tell("list", "imports", "--json")
    assert len(listed.strip().splitlines()) == 2
