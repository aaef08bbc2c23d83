"""A network that takes blocks back: above its tag the API follows, below it the API stops."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from typer.testing import CliRunner

from api.finality import Tag
from api.outbox import outbox, taken_back
from contracts.deployment import Deployment, encode_deployment
from node.cli.app import app
from scripts.demos.anvil import Anvil, AnvilMissing, find_anvil, launch_anvil
from tests.integration.anvil_world import (
    BUREAU,
    SPEC,
    Api,
    deploy,
    get_account,
    make_settings,
    mine_now,
)
from tests.integration.anvil_world import run_api as serve

try:
    find_anvil()
except AnvilMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = pytest.mark.processes

TRIES = 400


@pytest.fixture(scope="module")
def founded() -> Iterator[tuple[Anvil, Deployment]]:
    anvil = launch_anvil(chain_id=SPEC.chain_id)
    try:
        yield anvil, asyncio.run(deploy(anvil))
    finally:
        anvil.stop()


@pytest.fixture
def world(
    founded: tuple[Anvil, Deployment], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Anvil, Deployment]]:
    """The ledger as it was founded; what is lost is looked for and sent again without delay."""
    monkeypatch.setattr(outbox, "RESEND_S", 1)
    monkeypatch.setattr(taken_back, "LOOK_S", 0)
    anvil, _ = founded
    snapshot = anvil.call("evm_snapshot")
    mine_now(anvil)
    yield founded
    anvil.call("evm_setAutomine", True)
    anvil.call("evm_revert", snapshot)


def create_schema() -> tuple[str, Any]:
    uid = "0x" + secrets.token_hex(32)
    return uid, requests.create_schema(uid=uid, title="Result", pointers=["/result"])


async def wait_mined(anvil: Anvil, transaction: str) -> int:
    """Wait until a block holds a transaction; return its number."""
    for _ in range(TRIES):
        receipt = anvil.call("eth_getTransactionReceipt", transaction)
        if receipt is not None:
            return int(receipt["blockNumber"], 16)
        await asyncio.sleep(0.02)
    raise AssertionError("no block holds it")


async def ask_until(api: Api, path: str, is_so: Any) -> Any:
    """Ask until the answer is as it must be; return it."""
    for _ in range(TRIES):
        status, answer, _ = await api.ask(path)
        if is_so(status, answer):
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} stays {status}: {answer}")


async def list_schemas(api: Api, count: int) -> list[str]:
    page = await ask_until(
        api, "/v1/schemas", lambda status, page: status == 200 and len(page["items"]) >= count
    )
    return sorted(item["uid"] for item in page["items"])


@pytest.mark.parametrize("tag", ["safe", "finalized"])
async def test_blocks_taken_back_above_the_tag_are_followed(
    world: tuple[Anvil, Deployment], tmp_path: Path, tag: Tag
) -> None:
    """What was not reported yet is sent again; nothing stops, and nothing comes twice."""
    anvil, deployment = world
    anvil.mine(3)
    async with serve(
        make_settings(anvil, tmp_path, deployment, tag=tag), [get_account(BUREAU)]
    ) as bureau:
        first, request = create_schema()
        accepted = await bureau.send(request)
        await wait_mined(anvil, accepted.transaction)
        anvil.mine(3)
        assert (await bureau.settle(accepted)).state == "reported"
        second, request = create_schema()
        accepted = await bureau.send(request)
        await wait_mined(anvil, accepted.transaction)
        anvil.call("anvil_reorg", 1, [])
        assert anvil.call("eth_getTransactionReceipt", accepted.transaction) is None
        assert await list_schemas(bureau, 1) == [first]
        assert (await bureau.ask("/ready"))[0] == 200
        block = await wait_mined(anvil, accepted.transaction)
        anvil.mine(3)
        operation = await bureau.settle(accepted)
        assert (operation.state, operation.block) == ("reported", block)
        assert operation.transaction == accepted.transaction
        assert await list_schemas(bureau, 2) == sorted([first, second])


@pytest.mark.parametrize(("tag", "depth"), [("latest", 1), ("safe", 4), ("finalized", 5)])
async def test_blocks_taken_back_below_the_tag_stop_the_index_and_are_written_again(
    world: tuple[Anvil, Deployment], tmp_path: Path, tag: Tag, depth: int
) -> None:
    """Lists say no more, the promise is kept, and a rebuilt index holds what the network holds."""
    anvil, deployment = world
    anvil.mine(3)
    settings = make_settings(anvil, tmp_path, deployment, tag=tag)
    async with serve(settings, [get_account(BUREAU)]) as bureau:
        uid, request = create_schema()
        accepted = await bureau.send(request)
        first_block = await wait_mined(anvil, accepted.transaction)
        anvil.mine(depth - 1)
        assert (await bureau.settle(accepted)).state == "reported"
        assert await list_schemas(bureau, 1) == [uid]
        head = int(anvil.call("eth_blockNumber"), 16)
        assert head - first_block == depth - 1
        anvil.call("anvil_reorg", depth, [])
        assert anvil.call("eth_getTransactionReceipt", accepted.transaction) is None
        anvil.mine(2)
        problem = await ask_until(bureau, "/v1/schemas", lambda status, _: status == 503)
        assert problem["code"] == "index_mismatch"
        assert "foreign.finality" in problem["next_step"]
        ready = await ask_until(bureau, "/ready", lambda status, _: status == 503)
        assert list(ready["problems"]) == ["index"]
        # The same bytes are in a block again: once, and the operation says in which.
        second_block = await wait_mined(anvil, accepted.transaction)
        anvil.mine(3)
        operation = await ask_until(
            bureau,
            f"/v1/operations/{accepted.operation}",
            lambda _, told: (told["state"], told["block"]) == ("reported", second_block),
        )
        assert operation["transaction"] == accepted.transaction
        # Still nothing of the two chains is mixed: lists stay shut until the operator acts.
        assert (await bureau.ask("/v1/schemas"))[0] == 503
        done = await asyncio.to_thread(rebuild, anvil, deployment, tmp_path, tag)
        assert done.exit_code == 0, (done.output, done.exception)
        assert "The index has all blocks up to" in done.output
        page = await ask_until(bureau, "/v1/schemas", lambda status, _: status == 200)
        assert [item["uid"] for item in page["items"]] == [uid]
        assert (await bureau.ask("/ready"))[0] == 200
        assert await list_all(bureau, uid) == [second_block]


async def list_all(api: Api, uid: str) -> list[int]:
    """Return the blocks of all events of a record."""
    _, page, _ = await api.ask(f"/v1/events?uid={uid}")
    return [item["block"] for item in page["items"] if item["uid"] == uid]


def rebuild(anvil: Anvil, deployment: Deployment, folder: Path, tag: Tag) -> Any:
    """Do what the operator does: the settings name the network, the command the rest."""
    contracts = folder / "contracts.json"
    contracts.write_text(encode_deployment(deployment), encoding="utf-8")
    config = folder / "node.toml"
    config.write_text(
        f'[node]\ndata_dir = "."\n[foreign]\nfinality = "{tag}"\nrpc_url = "{anvil.url}"\n'
        'contracts_file = "contracts.json"\n',
        encoding="utf-8",
    )
    return CliRunner().invoke(app, ["index", "rebuild", "--config", str(config)])


async def test_network_set_back_to_an_older_block_stops_the_index_at_once(
    world: tuple[Anvil, Deployment], tmp_path: Path
) -> None:
    """It need not make new blocks: an index ahead of its network says so, and a write waits."""
    anvil, deployment = world
    settings = make_settings(anvil, tmp_path, deployment, tag="latest")
    async with serve(settings, [get_account(BUREAU)]) as bureau:
        before = anvil.call("evm_snapshot")
        uid, request = create_schema()
        accepted = await bureau.send(request)
        assert (await bureau.settle(accepted)).state == "reported"
        assert await list_schemas(bureau, 1) == [uid]
        anvil.call("evm_setAutomine", False)
        anvil.call("evm_revert", before)
        problem = await ask_until(bureau, "/v1/schemas", lambda status, _: status == 503)
        assert "ahead of the ledger node" in problem["detail"]
        # A node that is merely behind has taken nothing back, so the write is left as it is.
        operation = await bureau.send(requests.get_operation(accepted.operation))
        assert operation.state == "reported"
        anvil.call("evm_setAutomine", True)
        anvil.mine(3)
        await wait_mined(anvil, accepted.transaction)
