"""Streams that break and go on, lists to their end, messages to webhooks."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from atesta_client import requests, webhooks
from atesta_client.answers import LawEvent
from atesta_client.errors import RestAnswerMalformed, RestProblem, RestUnreachable, WebhookRefused
from atesta_client.rest import AsyncClient, Patience
from atesta_client.streaming import MAX_EVENT_SIZE, StreamedEvent, read_events
from hypothesis import given
from hypothesis import strategies as st

from api.feeds.signing import make_secret, sign

QUICK = Patience(attempt_s=2.0, total_s=2.0, first_pause_s=0.01, longest_pause_s=0.02)


def make_event(number: int) -> dict[str, Any]:
    return {
        "kind": "exchange.requested",
        "uid": "0x" + f"{number:064x}",
        "agency": "mo-health-bureau",
        "signed_by": {"who": "agency", "agency": "mo-health-bureau", "key": "0x" + "22" * 20},
        "submitted_by": None,
        "related": None,
        "place": None,
        "state": "requested",
        "reason": None,
        "event_time": None,
        "key": None,
        "block": number,
        "block_time": "2026-11-22T08:00:00Z",
        "transaction": "0x" + "11" * 32,
        "details": {"gained": "later"},
        "cursor": f"c{number}",
    }


def write_event(number: int) -> bytes:
    text = json.dumps(make_event(number))
    return f"id: c{number}\nevent: exchange.requested\ndata: {text}\n\n".encode()


class Source:
    """Streams three events in all, and breaks off after each."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.refusals: list[int] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        last = request.headers.get("Last-Event-ID")
        self.asked.append((request.query_string, last))
        if self.refusals:
            return web.json_response({"title": "no"}, status=self.refusals.pop(0))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        number = 1 if last is None else int(last.removeprefix("c")) + 1
        await response.write(b"retry: 2000\n\n: alive\n\n" + write_event(number))
        # Cut in the middle of the next event.
        await response.write(write_event(number + 1)[:40])
        assert request.transport is not None
        request.transport.close()
        return response


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def client(source: Source) -> AsyncIterator[AsyncClient]:
    application = web.Application()
    application.router.add_get("/v1/events/stream", source.handle)
    async with (
        TestServer(application) as server,
        AsyncClient(str(server.make_url("/")), patience=QUICK) as client,
    ):
        yield client


async def take(client: AsyncClient, count: int, cursor: str | None = None) -> list[LawEvent]:
    found: list[LawEvent] = []
    async with asyncio.timeout(60):
        wanted = requests.stream_events(kinds=["exchange", "consent.withdrawn"], cursor=cursor)
        async for event in client.stream(wanted):
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_stream_goes_on_behind_the_last_event_after_each_break(
    source: Source, client: AsyncClient
) -> None:
    source.refusals = [503]
    found = await take(client, 3)
    assert [event.cursor for event in found] == ["c1", "c2", "c3"]
    query = "kinds=exchange,consent.withdrawn"
    assert source.asked == [(query, last) for last in (None, None, "c1", "c2")]


async def test_stream_begins_behind_a_cursor(source: Source, client: AsyncClient) -> None:
    assert [event.block for event in await take(client, 2, "c7")] == [8, 9]


async def test_stream_that_is_refused_says_so(source: Source, client: AsyncClient) -> None:
    source.refusals = [403]
    with pytest.raises(RestProblem) as refused:
        await take(client, 1)
    assert refused.value.status == 403


async def test_stream_gives_up_when_patience_ends() -> None:
    patience = Patience(total_s=0.05, first_pause_s=0.01)
    async with AsyncClient("http://127.0.0.1:1", patience=patience) as client:
        with pytest.raises(RestUnreachable):
            await take(client, 1)


async def read_pieces(*pieces: bytes) -> list[StreamedEvent]:
    async def give() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [event async for event in read_events(give())]


@given(cuts=st.lists(st.integers(0, 60)), line_end=st.sampled_from(["\n", "\r\n", "\r"]))
async def test_events_are_the_same_however_the_network_cuts_them(
    cuts: list[int], line_end: str
) -> None:
    lines = ["id: 1", "data: é", "data:  two", "", ": alive", "", "event: x", "data", "", "end"]
    whole = line_end.join(lines).encode()
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[a:b] for a, b in itertools.pairwise(places)]
    assert await read_pieces(*pieces) == [
        StreamedEvent(id="1", kind="message", data="é\n two"),
        StreamedEvent(id=None, kind="x", data=""),
    ]


@pytest.mark.parametrize("piece", [b"data: \xff\n\n", b"data: " + b"x" * (MAX_EVENT_SIZE + 1)])
async def test_events_beyond_measure_are_refused(piece: bytes) -> None:
    with pytest.raises(RestAnswerMalformed):
        await read_pieces(piece)


async def test_list_is_read_to_its_end() -> None:
    webhook: dict[str, Any] = {
        "url": "https://example.org",
        "kinds": [],
        "agency": None,
        "state": "active",
        "delivered": 0,
        "failures": 0,
        "last_error": None,
        "next_try": None,
        "created": "2026-11-22T08:00:00Z",
    }
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.query_string)
        place = int(request.query.get("cursor", "0"))
        items = [webhook | {"id": f"w{place + step}"} for step in range(2)]
        return web.json_response({"items": items, "next": str(place + 2) if place < 4 else None})

    application = web.Application()
    application.router.add_get("/v1/webhooks", handle)
    async with TestServer(application) as server, AsyncClient(str(server.make_url("/"))) as client:
        found = [item.id async for item in client.list_all(requests.list_webhooks())]
    assert found == [f"w{number}" for number in range(6)]
    assert asked == ["", "cursor=2", "cursor=4"]


NOW_S = 1_790_000_000
BODY = json.dumps(make_event(1)).encode()
SECRET = make_secret()


def sign_message(secret: str = SECRET, timestamp_s: int = NOW_S) -> dict[str, str]:
    """Sign as the node does."""
    signature = sign(secret, message_id="evt_c1", timestamp_s=timestamp_s, body=BODY)
    return {
        "Webhook-Id": "evt_c1",
        "Webhook-Timestamp": str(timestamp_s),
        "Webhook-Signature": signature,
    }


def test_webhook_of_the_node_is_verified_and_read() -> None:
    event = webhooks.verify(SECRET, sign_message(), BODY, now_s=NOW_S + 60)
    assert event.kind == "exchange.requested"
    # While a secret is changed, a message has a signature by each.
    both = sign_message()
    both["Webhook-Signature"] = "v1,AAAA v9,x " + both["Webhook-Signature"]
    assert webhooks.verify(SECRET, both, BODY, now_s=NOW_S).block == 1


@pytest.mark.parametrize(
    ("headers", "body", "because"),
    [
        (sign_message(make_secret()), BODY, "no signature"),
        (sign_message(), BODY + b" ", "no signature"),
        (sign_message(timestamp_s=NOW_S - 301), BODY, "300 seconds"),
        (sign_message(timestamp_s=NOW_S + 301), BODY, "300 seconds"),
        (sign_message() | {"Webhook-Id": "evt_c2"}, BODY, "no signature"),
        (sign_message() | {"Webhook-Timestamp": "soon"}, BODY, "no time"),
        (sign_message() | {"Webhook-Signature": ""}, BODY, "webhook-signature is missing"),
        (sign_message() | {"Webhook-Signature": "v1,#"}, BODY, "no signature"),
        ({}, BODY, "webhook-id is missing"),
    ],
)
def test_webhook_message_that_is_not_the_nodes_is_refused(
    headers: dict[str, str], body: bytes, because: str
) -> None:
    with pytest.raises(WebhookRefused, match=because):
        webhooks.verify(SECRET, headers, body, now_s=NOW_S)


def test_webhook_secret_that_is_none_is_a_mistake_of_the_receiver() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        webhooks.verify("whsec_", sign_message(), BODY, now_s=NOW_S)
