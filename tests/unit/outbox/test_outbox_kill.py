"""What was accepted survives kill -9, and a retry repeats nothing."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.errors import ApiError, as_rpc_error
from contracts.addresses import ATTESTATIONS, SCHEMAS, SCHEMAS_NAME
from contracts.codec import decode_log
from contracts.labels import encode_label
from tests.engines import MOSTLY_SQLITE, NewDatabase
from tests.unit.rest.ledger_world import FakeLedger

RECORDS = 200
SCHEMA = bytes([0x5C]) * 32


@asynccontextmanager
async def serve_ledger(ledger: FakeLedger) -> AsyncIterator[str]:
    """Serve the fake ledger's JSON-RPC, and make a block twice a second."""

    async def answer(call: dict[str, Any]) -> dict[str, Any]:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            return head | {"result": await ledger.call(call["method"], *call["params"])}
        except ApiError as error:
            return head | {"error": as_rpc_error(error)}

    async def handle(request: web.Request) -> web.Response:
        calls = await request.json()
        if isinstance(calls, list):
            return web.json_response([await answer(call) for call in calls])
        return web.json_response(await answer(calls))

    async def mine() -> None:
        while True:
            await asyncio.sleep(0.5)
            ledger.mine(period_s=max(1, int(time.time()) - ledger.now_s))

    app = web.Application()
    app.router.add_post("/", handle)
    server = TestServer(app)
    await server.start_server()
    task = asyncio.create_task(mine())
    try:
        yield str(server.make_url("/"))
    finally:
        task.cancel()
        await server.close()


@asynccontextmanager
async def run_server(
    ledger_url: str, folder: Path, *, urls: NewDatabase
) -> AsyncIterator[tuple[str, int]]:
    """Run the REST process; kills it with SIGKILL at the end if it still lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.unit.outbox.outbox_server",
        ledger_url,
        str(folder),
        *(urls(name) for name in ("index", "outbox", "vault")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    try:
        while not (line := (await process.stdout.readline()).decode()).startswith("http"):
            assert line, "the server ended before it served"
        drain = asyncio.create_task(process.stdout.read())
        yield line.strip(), process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await drain


def build_body(number: int) -> dict[str, str]:
    commitment = "0x" + os.urandom(32).hex()
    return {"schema_uid": "0x" + SCHEMA.hex(), "commitment": commitment, "key": f"record-{number}"}


async def post(session: aiohttp.ClientSession, url: str, body: dict[str, str]) -> Any:
    """Return the accepted operation; None if the connection broke."""
    members = {name: value for name, value in body.items() if name != "key"}
    try:
        async with session.post(
            f"{url}/v1/attestations", json=members, headers={"Idempotency-Key": body["key"]}
        ) as response:
            answer = await response.json()
            assert response.status == 202, answer
            return answer
    except (aiohttp.ClientError, OSError):
        return None


@pytest.mark.processes
@MOSTLY_SQLITE
async def test_outbox_survives_kill_in_the_middle_of_200_posts(
    tmp_path: Path, database_urls: NewDatabase
) -> None:
    ledger = FakeLedger()
    ledger.now_s = ledger.state.timestamp = int(time.time()) - 10
    pointers = bytes(31) + b"\x01"
    now_s = ledger.now_s
    ledger.act(
        2, SCHEMAS, SCHEMAS_NAME, "register", SCHEMA, pointers, pointers, 1, now_s, bytes(32)
    )
    laboratory = encode_label("mo-health-laboratory")
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "accredit", SCHEMA, laboratory, now_s)
    bodies = [build_body(number) for number in range(RECORDS)]
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        serve_ledger(ledger) as ledger_url,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        async with run_server(ledger_url, tmp_path, urls=database_urls) as (url, pid):
            posts = [asyncio.create_task(post(session, url, body)) for body in bodies]
            while sum(task.done() for task in posts) < RECORDS // 4:
                await asyncio.sleep(0.01)
            os.kill(pid, signal.SIGKILL)
            first = await asyncio.gather(*posts)
        accepted = [answer for answer in first if answer is not None]
        assert 0 < len(accepted) < RECORDS
        async with run_server(ledger_url, tmp_path, urls=database_urls) as (url, _):
            second = await asyncio.gather(*(post(session, url, body) for body in bodies))
            for before, after in zip(first, second, strict=True):
                assert after is not None
                if before is not None:
                    assert after["operation"] == before["operation"]
                    assert after["uid"] == before["uid"]
            async with asyncio.timeout(60):
                while True:
                    async with session.get(f"{url}/v1/status") as response:
                        if (await response.json())["pending"] == 0:
                            break
                    await asyncio.sleep(0.2)
    attested = [
        decode_log("attestations", [bytes.fromhex(t[2:]) for t in log["topics"]], data)
        for block in ledger.blocks
        for log in block.logs
        if log["address"] == "0x" + ATTESTATIONS.hex()
        for data in [bytes.fromhex(log["data"][2:])]
    ]
    assert len(attested) == RECORDS
    assert {"0x" + event.args["commitment"].hex() for event in attested} == {
        body["commitment"] for body in bodies
    }
    assert {"0x" + event.args["uid"].hex() for event in attested} == {
        answer["uid"] for answer in second
    }
