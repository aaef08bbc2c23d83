"""What a caller puts into JSON-RPC, or into HTTP around it, is in no refusal, log line or metric.

Every method is asked with a person's name and with identity numbers, as text, as 32 bytes, as a
number and as a member's name, in every place of its parameters; and the server is sent what is no
JSON, no call and no HTTP. Only the `id` of a call comes back, because the protocol asks for it.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from api.app import Services, build_app
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import build_rpc_surface
from api.server import serve
from api.settings import ApiSettings
from tests.unit.canary_person import NUMBER, PASSPORT, PERSON, find_person, log_file
from tests.unit.jsonrpc.fake_ledger import FakeLedger

__all__ = ["log_file"]

PACKED: Final = "0x" + NUMBER.encode().rjust(32, b"\0").hex()
VALUES: Final[tuple[Any, ...]] = (
    PERSON,
    PASSPORT,
    NUMBER,
    int(NUMBER),
    PACKED,
    "0x" + NUMBER,
    {PERSON: PERSON},
    {"to": PACKED[:42], "data": PACKED, "from": PASSPORT, "topics": [PERSON, [NUMBER]]},
    {"fromBlock": "0x" + NUMBER, "toBlock": PERSON, "address": PERSON, "blockHash": PACKED},
    [PERSON, [NUMBER]],
)
MOST_PARAMETERS: Final = 3

METHODS: Final = sorted(Dispatcher(FakeLedger()).methods)


def list_requests(method: str) -> list[dict[str, Any]]:
    usual: tuple[Any, ...] = ("0x" + "11" * 20, "latest", False)
    listed = []
    for place in range(MOST_PARAMETERS):
        for value in VALUES:
            before = [usual[0] if place == 1 else "0x1"] if place else []
            params = [*before, *usual[1:place], value]
            listed.append({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    listed.append({"jsonrpc": "2.0", "id": 1, "method": method, "params": {PERSON: NUMBER}})
    listed.append({"jsonrpc": "2.0", "id": 1, "method": method, "params": PERSON})
    return listed


@pytest.mark.parametrize("method", METHODS)
async def test_no_method_repeats_its_parameters_in_a_refusal(method: str) -> None:
    dispatcher = Dispatcher(FakeLedger())
    answers = await asyncio.gather(*map(dispatcher.handle, list_requests(method)))
    refusals = [answer["error"] for answer in answers if "error" in answer]
    assert refusals, "something is refused"
    assert find_person(*(json.dumps(refusal).encode() for refusal in refusals)) == set()
    assert not [refusal for refusal in refusals if refusal["code"] == -32603], "no bug of ours"


async def test_no_envelope_repeats_what_is_wrong_with_it() -> None:
    dispatcher = Dispatcher(FakeLedger())
    for request in (
        {"jsonrpc": "2.0", "id": 1, "method": PERSON},
        {"jsonrpc": "2.0", "id": {PERSON: NUMBER}, "method": "eth_chainId"},
        {"jsonrpc": PERSON, "id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 1, "method": [PERSON]},
        PERSON,
        [PERSON, {PERSON: 1}],
        int(NUMBER),
    ):
        answer = await dispatcher.handle(request)
        assert "error" in json.dumps(answer)
        assert find_person(json.dumps(answer).encode()) == set()


@pytest.fixture
async def url(log_file: Path) -> AsyncIterator[str]:
    ledger = FakeLedger()
    assert log_file.parent.is_dir(), "logs go to the file"
    services = Services(
        surfaces=(build_rpc_surface(Dispatcher(ledger)),), metrics=(ledger.get_metrics,)
    )
    settings = ApiSettings(port=0)
    async with serve(build_app(services, settings), settings) as base:
        yield base


async def send_raw(url: str, data: bytes) -> bytes:
    """Send bytes as they are; return what comes back until the server closes, or says no more."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    answer = b""
    try:
        writer.write(data)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                while part := await reader.read(65_536):
                    answer += part
        return answer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


HOST: Final = b"Host: x\r\nConnection: close\r\n"
SILENCE_S: Final = 2.0
RAW: Final = {
    "method": f"{PERSON.upper()} / HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "version": b"GET / HTTP/" + NUMBER.encode() + b"\r\n" + HOST + b"\r\n",
    "no line": PERSON.encode() + b"\r\n\r\n",
    "long path": b"GET /" + PERSON.encode() * 2_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "path": b"GET /v1/" + PASSPORT.encode() + b"\x01 HTTP/1.1\r\n" + HOST + b"\r\n",
    "header name": b"GET / HTTP/1.1\r\n" + PERSON.encode() + b" (" + b": x\r\n\r\n",
    "header value": b"GET / HTTP/1.1\r\nX: \x00" + PERSON.encode() + b"\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nX: " + PERSON.encode() * 2_000 + b"\r\n\r\n",
    "length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + PERSON.encode() + b"\r\n\r\n",
    "chunk": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + PERSON.encode()
    + b"\r\n",
    "coding": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PERSON)
    + PERSON.encode(),
    "charset": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Type: application/json; charset=%s\r\n" % PERSON.encode()
    + b"Content-Length: 2\r\n\r\n{}",
    "upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: "
    b"websocket\r\nSec-WebSocket-Key: " + PERSON.encode() + b"\r\n\r\n",
    "expect": b"GET /v1 HTTP/1.1\r\n" + HOST + b"Expect: " + PERSON.encode() + b"\r\n\r\n",
    "host": b"GET / HTTP/1.1\r\nConnection: close\r\nHost: " + PERSON.encode() + b"@[\r\n\r\n",
    "address": b"GET http://" + PERSON.encode() + b":99999/" + NUMBER.encode() + b" HTTP/1.1\r\n"
    + HOST
    + b"\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RAW))
async def test_what_is_no_request_is_answered_without_it(
    name: str, url: str, log_file: Path
) -> None:
    answer = await send_raw(url, RAW[name])
    assert answer[:10] in {b"HTTP/1.0 4", b"HTTP/1.1 4"}, answer[:80]
    assert find_person(answer, *log_file.read_bytes().splitlines()) == set()


HEADERS: Final = (
    *("Authorization", "Accept", "Accept-Language", "Atesta-Ledger", "Atesta-Purpose", "Baggage"),
    *("Content-Language", "Cookie", "From", "Forwarded", "Idempotency-Key", "If-Match"),
    *("If-None-Match", "Last-Event-ID", "Origin", "Range", "Referer", "Traceparent", "User-Agent"),
    *("Via", "X-Correlation-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-HTTP-Method-Override"),
    *("X-Real-Ip", "X-Request-Id"),
)
JSON: Final = {"Content-Type": "application/json"}


async def test_headers_paths_and_bodies_come_back_nowhere(url: str, log_file: Path) -> None:
    told: list[bytes] = []
    bodies = (
        b'{"name": "' + PERSON.encode(),
        PERSON.encode("utf-16"),
        b'"\xff' + PERSON.encode() + b'"',
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": PERSON}).encode(),
        b"[" * 2_000 + NUMBER.encode(),
        b'{"a": 1e' + NUMBER.encode() + b"}",
    )
    async with aiohttp.ClientSession() as http:
        for header in HEADERS:
            for value in (PERSON, PASSPORT, f"Bearer {NUMBER}", f'"{NUMBER}"; a={PERSON}'):
                async with http.post(url, data=b"{}", headers=JSON | {header: value}) as answer:
                    told += [await answer.read(), str(dict(answer.headers)).encode()]
        for path in (
            PERSON,
            f"v1/{NUMBER}",
            f"explorer/search?q={PASSPORT}",
            quote("/../" + PERSON),
        ):
            for method in ("GET", "POST", "DELETE", "OPTIONS", "TRACE"):
                async with http.request(method, f"{url}/{path}") as answer:
                    told += [await answer.read(), str(dict(answer.headers)).encode()]
        for body in bodies:
            async with http.post(url, data=body, headers={"Content-Type": PERSON}) as answer:
                told.append(await answer.read())
            async with http.post(url, json=json.loads("{}"), params={PERSON: NUMBER}) as answer:
                told.append(await answer.read())
            async with http.post(url, data=body, headers=JSON) as answer:
                told.append(await answer.read())
        async with http.get(f"{url}/metrics") as answer:
            metrics = await answer.read()
    lines = log_file.read_bytes().splitlines()
    assert len(lines) > 4 * len(HEADERS)
    assert metrics.startswith(b"# HELP")
    assert find_person(metrics, *lines) == set()
    assert [answer for answer in told if find_person(answer)] == []


def test_person_would_be_found() -> None:
    for text in (PERSON, f"no method {PERSON.lower()}", f"params[0]: {NUMBER}", f"x={PASSPORT}"):
        assert find_person(json.dumps({"message": text}).encode())
    assert find_person(json.dumps({"data": PACKED}).encode()) == {"number"}
