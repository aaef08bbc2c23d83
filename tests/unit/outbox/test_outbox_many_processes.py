"""Several `atesta api` processes of one agency on PostgreSQL, killed while all are at work.

They share vault, outbox and index; one follows the chain, one tells the webhooks. Whoever leads
dies by SIGKILL, a fresh process takes its place, and nothing that was accepted is lost or sent
twice. With `--long` the index is read from a streaming replica as well.
"""

import asyncio
import base64
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.databases import open_database
from api.index import tables
from contracts.addresses import ATTESTATIONS, SCHEMAS, SCHEMAS_NAME
from contracts.codec import decode_log
from contracts.labels import encode_label
from contracts.testkeys import get_private_key
from node.keys import KdfStrength, KeyPurpose, import_key_file, write_secret_file
from scripts.postgresql.server import PostgresMissing, PostgresServer, make_postgres
from tests.unit.outbox.test_outbox_kill import SCHEMA, build_body, post, serve_ledger
from tests.unit.rest.ledger_world import FakeLedger

ROOT = Path(__file__).parents[3]
PROCESSES = 2
RECORDS = 60
PATIENCE_S = 120


@dataclass(slots=True)
class Process:
    """One `atesta api`."""

    url: str
    pid: int


@dataclass(slots=True)
class Receiver:
    """Takes what a webhook is told."""

    url: str = ""
    taken: list[str] = field(default_factory=list)
    """The message ids in the order in which they came."""


@pytest.fixture(params=["one server", pytest.param("replica", marks=pytest.mark.long)])
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """The server, and where lists are read: itself or a streaming replica."""
    with contextlib.ExitStack() as stack:
        try:
            primary = stack.enter_context(make_postgres(settings=("fsync=off",)))
        except PostgresMissing as error:
            pytest.skip(str(error))
        primary.initialise()
        primary.start()
        address = primary.create_database("agency")
        open_database(address, tables.METADATA, name="index").close()
        replica = primary
        if request.param == "replica":
            replica = stack.enter_context(make_postgres(settings=("fsync=off",)))
            replica.copy_from(primary)
            replica.start()
        yield primary, replica


def write_settings(folder: Path, primary: PostgresServer, replica: PostgresServer) -> Path:
    """Write the settings that all processes share."""
    write_secret_file(folder / "pass", b"a passphrase\n")
    import_key_file(
        folder / "account.json",
        "a passphrase",
        get_private_key(1, "account"),
        purpose=KeyPurpose.ACCOUNT,
        strength=KdfStrength.DEVELOPMENT,
    )
    lines = [
        "[api]",
        f'database_url = "{primary.build_url("agency")}"',
        'vault_key_file = "secrets/vault.key"',
        'account_key_files = ["account.json"]',
        'account_passphrase_file = "pass"',
    ]
    if replica is not primary:
        lines.append(f'index_read_url = "{replica.build_url("agency")}"')
    config = folder / "node.toml"
    config.write_text("\n".join([*lines, "[log]", 'level = "error"', ""]), encoding="utf-8")
    return config


@asynccontextmanager
async def run_api(config: Path, ledger_url: str) -> AsyncIterator[Process]:
    """Run `atesta api` as an operator does; it is killed at the end if it still lives."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.cli", "api", "--config", str(config)),
        *("--rpc-url", ledger_url, "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
        assert "ready at " in line, "the process ended before it served"
        yield Process(url=line.split()[-1], pid=process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def receive() -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        receiver.taken.append(request.headers["webhook-id"])
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    receiver.url = str(server.make_url("/hook"))
    try:
        yield receiver
    finally:
        await server.close()


async def find_leader(
    session: aiohttp.ClientSession, processes: list[Process], gone: set[int]
) -> Process:
    """Wait until exactly one living process says that it follows the chain."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            leaders = []
            for process in processes:
                if process.pid not in gone:
                    async with session.get(f"{process.url}/metrics") as response:
                        if "\natesta_index_leads 1\n" in await response.text():
                            leaders.append(process)
            if len(leaders) == 1:
                return leaders[0]
            await asyncio.sleep(0.1)


def make_ledger() -> FakeLedger:
    """A ledger on which the laboratory may attest."""
    ledger = FakeLedger()
    ledger.now_s = ledger.state.timestamp = int(time.time()) - 10
    pointers, now_s = bytes(31) + b"\x01", ledger.now_s
    ledger.act(
        2, SCHEMAS, SCHEMAS_NAME, "register", SCHEMA, pointers, pointers, 1, now_s, bytes(32)
    )
    laboratory = encode_label("mo-health-laboratory")
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "accredit", SCHEMA, laboratory, now_s)
    return ledger


def list_attested(ledger: FakeLedger) -> list[str]:
    """Return the commitment of every attestation on the chain, in order."""
    return [
        "0x" + decode_log("attestations", topics, data).args["commitment"].hex()
        for block in ledger.blocks
        for log in block.logs
        if log["address"] == "0x" + ATTESTATIONS.hex()
        for topics in [[bytes.fromhex(topic[2:]) for topic in log["topics"]]]
        for data in [bytes.fromhex(log["data"][2:])]
    ]


async def wait_for(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await is_so():
            await asyncio.sleep(0.1)


@pytest.mark.processes
@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.long)])
async def test_processes_that_lead_are_killed_and_nothing_is_lost_or_sent_twice(
    tmp_path: Path, servers: tuple[PostgresServer, PostgresServer], kills: int
) -> None:
    config = write_settings(tmp_path, *servers)
    ledger = make_ledger()
    bodies = [build_body(number) for number in range(RECORDS)]
    gone: set[int] = set()
    async with (
        serve_ledger(ledger) as ledger_url,
        receive() as receiver,
        aiohttp.ClientSession() as session,
        AsyncExitStack() as stack,
    ):
        processes = [
            await stack.enter_async_context(run_api(config, ledger_url)) for _ in range(PROCESSES)
        ]
        leader = await find_leader(session, processes, gone)
        hook = {"url": receiver.url, "kinds": ["attestation"]}
        async with session.post(f"{leader.url}/v1/webhooks", json=hook) as response:
            assert response.status == 201, await response.text()

        async def hand_in(place: int, body: dict[str, str]) -> Any:
            """Hand a record to one process; while its answer is lost, to the next one."""
            for turn in range(2 * PROCESSES):
                living = [process for process in processes if process.pid not in gone]
                answer = await post(session, living[(place + turn) % len(living)].url, body)
                if answer is not None:
                    return answer
            raise AssertionError("no process took it")

        share = RECORDS // (kills + 1)
        answers: list[Any] = []
        for kill in range(kills + 1):
            part = bodies[kill * share : (kill + 1) * share]
            tasks = [asyncio.create_task(hand_in(place, body)) for place, body in enumerate(part)]
            if kill < kills:
                leader = await find_leader(session, processes, gone)
                while sum(task.done() for task in tasks) < share // 3:
                    await asyncio.sleep(0.01)
                os.kill(leader.pid, signal.SIGKILL)
                gone.add(leader.pid)
            answers += await asyncio.gather(*tasks)
            if kill < kills:
                processes.append(await stack.enter_async_context(run_api(config, ledger_url)))
        last = await find_leader(session, processes, gone)

        async def is_settled() -> bool:
            async with session.get(f"{last.url}/v1/status") as response:
                status = await response.json()
            return bool(status["pending"] == 0)

        async def is_listed_everywhere() -> bool:
            for process in processes:
                if process.pid in gone:
                    continue
                async with session.get(f"{process.url}/v1/attestations?limit=200") as response:
                    page = await response.json()
                    assert response.status == 200, page
                if len(page["items"]) != RECORDS:
                    return False
            return True

        async def is_told() -> bool:
            return len(set(receiver.taken)) >= RECORDS

        await wait_for(is_settled)
        await wait_for(is_listed_everywhere)
        await wait_for(is_told)
    assert len({answer["operation"] for answer in answers}) == RECORDS
    attested = list_attested(ledger)
    assert len(attested) == RECORDS
    assert set(attested) == {body["commitment"] for body in bodies}
    # A receiver is told at least once: only what was under way at a kill may come again.
    once = list(dict.fromkeys(receiver.taken))
    assert len(once) == RECORDS
    assert len(receiver.taken) <= RECORDS + kills
    places = [base64.urlsafe_b64decode(name.removeprefix("evt_") + "=") for name in once]
    assert places == sorted(places)
