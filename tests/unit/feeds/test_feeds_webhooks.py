"""Webhooks: signed, in order, again until taken, from where they stopped."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import inspect

from api.feeds.delivery import FIRST_PAUSE_S, GIVE_UP_AFTER_S
from tests.contracts import exchange_harness
from tests.contracts.contract_harness import uid_of
from tests.engines import ON_BOTH_ENGINES
from tests.unit.reading.conftest import reader, stage
from tests.unit.rest.ledger_world import Caller

__all__ = ["reader", "stage"]


@dataclass(slots=True)
class Receiver:
    url: str = ""
    status: int = 204
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tries: int = 0


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()

    async def take(request: web.Request) -> web.Response:
        receiver.tries += 1
        if receiver.status < 300:
            receiver.taken.append((dict(request.headers), await request.read()))
        headers = {"Location": "/elsewhere"} if receiver.status == 302 else {}
        return web.Response(status=receiver.status, headers=headers)

    app = web.Application()
    app.router.add_post("/hook", take)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    receiver.url = str(server.make_url("/hook"))
    yield receiver
    await server.close()


async def make_webhook(reader: Caller, url: str, **members: Any) -> dict[str, Any]:
    async with reader.client.post("/v1/webhooks", json={"url": url} | members) as response:
        made: dict[str, Any] = await response.json()
        assert response.status == 201, made
        return made


async def turn(reader: Caller) -> int:
    await reader.agency.services.index.catch_up()
    async with aiohttp.ClientSession() as session:
        return await reader.agency.services.deliverer.turn(session)


@ON_BOTH_ENGINES
async def test_events_arrive_signed_and_in_order(
    stage: Any, reader: Caller, receiver: Receiver
) -> None:
    await reader.agency.services.index.catch_up()
    made = await make_webhook(reader, receiver.url, kinds=["exchange"])
    for number in (1, 2, 3):
        exchange_harness.request(stage, uid_of(7000 + number))
    assert await turn(reader) == 6
    assert await turn(reader) == 0
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    for headers, body in receiver.taken:
        lowered = {name.lower(): value for name, value in headers.items()}
        signed = f"{lowered['webhook-id']}.{lowered['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert lowered["webhook-signature"] == f"v1,{digest}"
    listed = (await reader.get("/events?kinds=exchange"))["items"]
    assert [json.loads(body) for _, body in receiver.taken] == listed
    state = await reader.get(f"/webhooks/{made['id']}")
    assert (state["state"], state["delivered"]) == ("active", 6)
    assert "secret" not in state


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_event_that_is_not_taken_is_sent_again_later(
    stage: Any, reader: Caller, receiver: Receiver, status: int
) -> None:
    await reader.agency.services.index.catch_up()
    made = await make_webhook(reader, receiver.url)
    exchange_harness.request(stage)
    receiver.status = status
    assert await turn(reader) == 0
    assert await turn(reader) == 0
    assert receiver.tries == 1, "it waits before it tries again"
    waits = await reader.get(f"/webhooks/{made['id']}")
    assert (waits["state"], waits["failures"]) == ("retrying", 1)
    assert str(status) in waits["last_error"]
    stage.pass_time(FIRST_PAUSE_S + 1)
    receiver.status = 200
    assert await turn(reader) == 2
    assert (await reader.get(f"/webhooks/{made['id']}"))["failures"] == 0


async def test_receiver_is_given_up_and_resumes_without_a_gap(
    stage: Any, reader: Caller, receiver: Receiver
) -> None:
    await reader.agency.services.index.catch_up()
    made = await make_webhook(reader, receiver.url)
    exchange_harness.request(stage)
    receiver.status = 503
    waited = 0
    while (await reader.get(f"/webhooks/{made['id']}"))["state"] != "given_up":
        await turn(reader)
        stage.pass_time(3_601)
        waited += 3_601
        assert waited < 2 * GIVE_UP_AFTER_S
    tries = receiver.tries
    await turn(reader)
    assert receiver.tries == tries
    receiver.status = 200
    async with reader.client.post(f"/v1/webhooks/{made['id']}/resume") as response:
        assert (await response.json())["state"] == "active"
    assert await turn(reader) == 2


async def test_webhook_is_listed_and_removed(reader: Caller, receiver: Receiver) -> None:
    made = await make_webhook(reader, receiver.url)
    assert [item["id"] for item in (await reader.get("/webhooks"))["items"]] == [made["id"]]
    async with reader.client.delete(f"/v1/webhooks/{made['id']}") as response:
        assert response.status == 200
    missing = await reader.get(f"/webhooks/{made['id']}", status=404)
    assert missing["code"] == "webhook_not_found"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/x",
        "ftp://127.0.0.1/x",
        "https://user:word@hooks.example.org/x",
        "no address",
        "https://",
    ],
)
async def test_address_that_would_show_secrets_is_refused(reader: Caller, url: str) -> None:
    async with reader.client.post("/v1/webhooks", json={"url": url}) as response:
        problem = await response.json()
    assert (response.status, problem["field"]) == (400, "url")


async def test_secret_is_sealed_in_the_database(reader: Caller, receiver: Receiver) -> None:
    made = await make_webhook(reader, receiver.url)
    secret = made["secret"].encode()
    databases = reader.agency.services.databases
    (outbox,) = (
        one for one in databases if one.read_now(lambda c: inspect(c).has_table("webhooks"))
    )
    rows = outbox.read_now(lambda c: c.exec_driver_sql("SELECT secret FROM webhooks").all())
    assert len(rows) == 1
    assert secret not in bytes(rows[0][0])
