"""The REST clients against a small server that fails in the ways that real ones do."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from atesta_client import requests
from atesta_client.answers import Accepted, read_answer
from atesta_client.errors import (
    OperationFailed,
    RestAnswerMalformed,
    RestProblem,
    RestRefused,
    RestUnreachable,
)
from atesta_client.rest import AsyncClient, Client, Patience

UID = "0x" + "11" * 32
QUICK = Patience(attempt_s=2.0, total_s=5.0, first_pause_s=0.01, longest_pause_s=0.02)
ACCEPTED = {
    "operation": "op-1",
    "uid": UID,
    "transaction": UID,
    "state": "queued",
    "follow": "/v1/operations/op-1",
    "record": f"/v1/attestations/{UID}",
    "member_of_a_later_version": True,
}
STATUS = {
    "agency": UID,
    "account": "0x" + "22" * 20,
    "chain_id": 7777,
    "genesis_hash": UID,
    "block": 5,
    "block_time": "2026-11-22T08:00:00Z",
    "behind_s": 1,
    "indexed_block": 5,
    "pending": 0,
}


class Node:
    """Answers from a list, in turn, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[tuple[str, str, str | None, str]] = []
        self.purposes: list[str | None] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.purposes.append(request.headers.get("Atesta-Purpose"))
        self.asked.append(
            (request.method, request.path_qs, request.headers.get("Idempotency-Key"), body)
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "cut":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(answer, bytes):
            return web.Response(body=answer)
        status, data, *more = answer
        return web.json_response(data, status=status, headers=more[0] if more else None)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
async def client(node: Node) -> AsyncIterator[AsyncClient]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", node.handle)
    async with (
        TestServer(application) as server,
        AsyncClient(str(server.make_url("/")), token="secret", patience=QUICK) as client,
    ):
        yield client


async def test_client_reads_typed_answer_and_ignores_new_members(
    node: Node, client: AsyncClient
) -> None:
    node.answers = [(200, STATUS)]
    status = await client.send(requests.get_status())
    assert status.block == 5
    assert status.block_time == datetime(2026, 11, 22, 8, tzinfo=UTC)
    node.answers = [(202, ACCEPTED)]
    assert (await client.send(requests.attest_credential(UID))).operation == "op-1"


async def test_client_repeats_write_with_the_same_idempotency_key(
    node: Node, client: AsyncClient
) -> None:
    node.answers = ["cut", (503, {"title": "behind"}), (202, ACCEPTED)]
    await client.send(requests.attest_credential(UID))
    keys = {asked[2] for asked in node.asked}
    assert len(node.asked) == 3
    assert len(keys) == 1
    assert None not in keys


async def test_client_waits_as_long_as_it_is_asked_to_and_no_longer_than_it_may(
    node: Node, client: AsyncClient
) -> None:
    busy = (429, {"title": "busy", "code": "rate_limited"}, {"Retry-After": "1"})
    loop = asyncio.get_running_loop()
    started = loop.time()
    node.answers = [busy, (200, STATUS)]
    await client.send(requests.get_status())
    assert loop.time() - started >= 1
    # Nothing was done yet, so this holds for what must not be sent twice as well.
    asked = len(node.asked)
    node.answers = [(429, {"title": "busy"}, {"Retry-After": "0"}), (400, {"title": "no"})]
    with pytest.raises(RestProblem) as refused:
        await client.send(requests.verify_presentation({}))
    assert (refused.value.status, len(node.asked)) == (400, asked + 2)
    node.answers = [(429, {"title": "busy"}, {"Retry-After": "3600"})]
    asked = len(node.asked)
    with pytest.raises(RestProblem) as refused:
        await client.send(requests.get_status())
    assert refused.value.retry_after_s == 3600
    assert len(node.asked) == asked + 1, "an hour is more than the client's patience"
    for odd in ("Sun, 22 Nov 2026 08:00:00 GMT", "-1", "1e9", ""):
        node.answers = [(404, {"title": "x"}, {"Retry-After": odd})]
        with pytest.raises(RestProblem) as refused:
            await client.send(requests.get_status())
        assert refused.value.retry_after_s is None


async def test_client_says_the_purpose_of_the_request_before_its_own(
    node: Node, client: AsyncClient
) -> None:
    node.answers = [(200, STATUS)]
    await client.send(requests.get_status())
    await client.send(requests.get_status().for_purpose("rights"))
    assert node.purposes == [None, "rights"]
    async with AsyncClient(client.address, purpose="service") as named:
        await named.send(requests.get_status())
        await named.send(requests.get_status().for_purpose("rights"))
    assert node.purposes[2:] == ["service", "rights"]


async def test_client_never_repeats_verification_whose_nonce_is_used_up(
    node: Node, client: AsyncClient
) -> None:
    node.answers = ["cut"]
    with pytest.raises(RestUnreachable):
        await client.send(requests.verify_presentation({}))
    assert len(node.asked) == 1


async def test_client_raises_problem_with_its_members(node: Node, client: AsyncClient) -> None:
    problem = {"type": "urn:atesta:problem:uid_exists", "title": "uid exists", "code": "uid_exists"}
    node.answers = [(409, problem | {"detail": "a record with this uid exists already"})]
    with pytest.raises(RestProblem, match="exists already") as raised:
        await client.send(requests.attest_credential(UID))
    assert raised.value.status == 409
    assert raised.value.type == "urn:atesta:problem:uid_exists"
    assert raised.value.problem["code"] == "uid_exists"
    assert len(node.asked) == 1


async def test_client_gives_up_when_its_patience_ends(node: Node, client: AsyncClient) -> None:
    node.answers = [(503, {"title": "behind"})]
    client._patience = Patience(total_s=0.05, first_pause_s=0.01, longest_pause_s=0.02)
    with pytest.raises(RestProblem):
        await client.send(requests.get_status())
    assert len(node.asked) > 1


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        (200, []),
        (200, STATUS | {"block": "5"}),
        (200, STATUS | {"block": True}),
        (200, STATUS | {"block_time": "yesterday"}),
        (200, STATUS | {"block_time": "2026-11-22T08:00:00"}),
        (200, {"block": 5}),
    ],
)
async def test_client_refuses_answer_that_it_does_not_understand(
    node: Node, client: AsyncClient, answer: Any
) -> None:
    node.answers = [answer]
    with pytest.raises(RestAnswerMalformed):
        await client.send(requests.get_status())


async def test_client_follows_write_until_final(node: Node, client: AsyncClient) -> None:
    operation = {
        "id": "op-1",
        "kind": "attestation.create",
        "uid": UID,
        "account": "0x" + "22" * 20,
        "nonce": 1,
        "transaction": UID,
        "created": "2026-11-22T08:00:00Z",
        "unopened": False,
        "record": f"/v1/attestations/{UID}",
    }
    node.answers = [
        (202, ACCEPTED),
        (200, operation | {"state": "submitted"}),
        (200, operation | {"state": "final", "block": 9}),
    ]
    accepted = await client.send(requests.attest_credential(UID))
    assert (await client.follow(accepted, interval_s=0.01)).block == 9
    node.answers = [(200, operation | {"state": "failed", "error": "attestations: uid exists"})]
    with pytest.raises(OperationFailed, match="uid exists") as failed:
        await client.follow(accepted)
    assert (failed.value.operation, failed.value.kind) == ("op-1", "attestation.create")
    assert (failed.value.rule, failed.value.code) == ("attestations: uid exists", "")
    refusal = {
        "code": "consent_withdrawn",
        "rule": "consent: withdrawn",
        "detail": "The resident has withdrawn this consent.",
        "field": "consents",
        "next_step": "Stop; answer the withdrawal in time.",
        "legal_reference": {"laws": [{"jurisdiction": "MO", "law": "L", "article": "A"}]},
    }
    told = {"state": "failed", "error": "consent: withdrawn", "refusal": refusal}
    node.answers = [(200, operation | told)]
    with pytest.raises(RestRefused, match="has withdrawn") as refused:
        await client.follow(accepted)
    error = refused.value
    assert (error.code, error.rule, error.field) == (
        "consent_withdrawn",
        "consent: withdrawn",
        "consents",
    )
    assert error.next_step == "Stop; answer the withdrawal in time."
    assert error.legal_reference == refusal["legal_reference"]
    assert error.fields == ("consents",)


def test_client_that_blocks_tells_a_refusal_in_the_block_as_well() -> None:
    refusal = {"code": "consent_withdrawn", "next_step": "Stop."}
    failed = OperationFailed("op-1", "exchange.request", "consent: withdrawn", refusal)

    async def refuse(*_args: Any, **_options: Any) -> None:
        raise failed

    blocking = Client("http://127.0.0.1:1").open()
    try:
        blocking._client.follow = refuse  # type: ignore[method-assign, assignment]
        with pytest.raises(OperationFailed) as told:
            blocking.follow(read_answer(Accepted, ACCEPTED))
        assert (told.value.code, told.value.next_step) == ("consent_withdrawn", "Stop.")
    finally:
        blocking.close()


async def test_request_leaves_out_what_was_not_given(node: Node, client: AsyncClient) -> None:
    node.answers = [(202, ACCEPTED)]
    await client.send(
        requests.attest_document(
            schema_uid=UID, document={"a": None}, valid_until=datetime(2027, 1, 1, tzinfo=UTC)
        )
    )
    body = json.loads(node.asked[0][3])
    assert body == {
        "schema_uid": UID,
        "document": {"a": None},
        "valid_until": "2027-01-01T00:00:00Z",
    }
    node.answers = [(200, {"items": [], "next": None})]
    await client.send(requests.list_attestations(issuer=UID, cursor="c", limit=7))
    assert node.asked[-1][1] == f"/v1/attestations?issuer={UID}&cursor=c&limit=7"


def test_request_refuses_time_without_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        requests.attest_credential(UID, event_time=datetime(2027, 1, 1))  # noqa: DTZ001


@pytest.fixture
def served(node: Node) -> Iterator[str]:
    """Serve the node from a thread of its own, for the blocking client."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", node.handle)
    loop = asyncio.new_event_loop()
    server = TestServer(application)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start_server(), loop).result(10)
    yield str(server.make_url("/"))
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_blocking_client_sends_the_same_requests(node: Node, served: str) -> None:
    node.answers = [(200, STATUS)]
    with Client(served, patience=QUICK) as client:
        assert client.send(requests.get_status()).chain_id == 7777


def test_blocking_client_names_node_that_does_not_answer() -> None:
    patience = Patience(total_s=0.1, first_pause_s=0.01)
    with (
        Client("http://127.0.0.1:1", patience=patience) as client,
        pytest.raises(RestUnreachable, match=r"127\.0\.0\.1:1 does not answer"),
    ):
        client.send(requests.get_status())
