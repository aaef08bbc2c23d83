"""The record of reads: what is written, before what, for whom; and who may look into it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.access.callers import Role
from api.access.purposes import PURPOSE_WORDS
from api.access.reads import Gathering, Read, ReadBook, ReadFilter, Reading
from api.access.tokens import create_token, save_tokens
from api.errors import ApiBug, UpstreamFault
from api.settings import ApiSettings
from api.vault.witness import Opened
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller


async def make(caller: Caller, schema: str) -> str:
    body = {"schema_uid": schema, "document": {"certificate": "MO-1"}}
    made = await caller.post("/credentials", body, status=201)
    return str(made["uid"])


async def list_rows(where: Caller, **wanted: Any) -> list[Read]:
    """Return what stands in the record, oldest first."""
    rows = await where.agency.services.reads.get_page(ReadFilter(**wanted), limit=1000)
    return rows[::-1]


@asynccontextmanager
async def open_session(caller: Caller, **headers: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Speak to an agency without the header that the tests' callers send."""
    base = caller.client.make_url("/")
    async with aiohttp.ClientSession(base_url=base, headers=headers) as session:
        yield session


async def test_opening_a_document_is_recorded_with_who_when_and_what_for(
    laboratory: Caller, schema: str
) -> None:
    uid = await make(laboratory, schema)
    await laboratory.get(f"/credentials/{uid}", Atesta_Purpose="rights")
    made, opened = await list_rows(laboratory)
    assert (made.operation, made.purpose) == ("create_credential", "test")
    assert (opened.caller, opened.method) == ("local", "local")
    assert (opened.operation, opened.purpose) == ("get_credential", "rights")
    assert (opened.uid, opened.what) == (bytes.fromhex(uid[2:]), "credential")
    assert opened.read_s == laboratory.agency.ledger.now_s
    await laboratory.get("/credentials")
    await laboratory.get("/credentials/0x" + "00" * 32, status=404)
    assert len(await list_rows(laboratory)) == 2, "nothing was opened by these"


async def test_opening_without_purpose_is_refused_by_the_headers_name(
    laboratory: Caller, schema: str
) -> None:
    uid = await make(laboratory, schema)
    wrong = ("", "because", "record", "0x12", "0x" + "zz" * 32, "TEST", "service,test")
    async with open_session(laboratory) as session:
        for sent in (None, *wrong):
            headers = {} if sent is None else {"Atesta-Purpose": sent}
            async with session.get(f"/v1/credentials/{uid}", headers=headers) as response:
                told = await response.json()
                assert response.status == 422, sent
                assert told["field"] == "Atesta-Purpose"
                assert told["code"] == ("purpose_missing" if sent is None else "purpose_invalid")
                assert all(word in told["next_step"] for word in PURPOSE_WORDS)
        async with session.post(
            "/v1/credentials",
            json={"schema_uid": schema, "document": {"certificate": "MO-2"}},
            headers={"Idempotency-Key": "two"},
        ) as response:
            assert response.status == 201, "what is made in the request says itself what for"
    assert [row.purpose for row in await list_rows(laboratory)] == ["test", "issuing"]


async def test_nothing_is_handed_out_before_the_record_is_on_disk(
    laboratory: Caller, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = await make(laboratory, schema)
    reached, released = asyncio.Event(), asyncio.Event()
    write = ReadBook.write

    async def wait(book: ReadBook, reading: Reading, opened: Any) -> None:
        reached.set()
        await released.wait()
        await write(book, reading, opened)

    monkeypatch.setattr(ReadBook, "write", wait)
    answer = asyncio.create_task(laboratory.get(f"/credentials/{uid}"))
    await reached.wait()
    done, _ = await asyncio.wait([answer], timeout=0.1)
    assert not done
    assert [row.operation for row in await list_rows(laboratory)] == ["create_credential"]
    released.set()
    assert (await answer)["credential"] is not None
    assert len(await list_rows(laboratory)) == 2


async def test_record_that_cannot_be_written_hands_out_nothing(
    laboratory: Caller, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = await make(laboratory, schema)

    async def fail(*_: Any) -> None:
        raise UpstreamFault("the agency's database failed", code="database_failed")

    monkeypatch.setattr(ReadBook, "write", fail)
    told = await laboratory.get(f"/credentials/{uid}", status=503)
    assert told["code"] == "database_failed"
    assert "MO-1" not in str(told)


async def test_services_outside_a_request_open_nothing(laboratory: Caller, schema: str) -> None:
    uid = bytes.fromhex((await make(laboratory, schema))[2:])
    services = laboratory.agency.services
    with pytest.raises(ApiBug, match="without naming a reader"):
        await services.vault.open(uid)
    reading = Reading(caller="x", method="local", operation="x", purpose="test", request_id="1")
    async with services.read_as(reading) as named:
        assert await named.vault.open(uid) is not None
        assert await named.vault.open(uid) is not None
    with pytest.raises(ApiBug, match="after its reading"):
        await named.vault.open(uid)
    rows = await list_rows(laboratory, caller="x")
    assert [row.uid for row in rows] == [uid], "once, however often it was looked at"


async def test_what_a_failing_request_opened_is_recorded_too(
    laboratory: Caller, schema: str
) -> None:
    uid = bytes.fromhex((await make(laboratory, schema))[2:])
    reading = Reading(caller="x", method="local", operation="x", purpose="test", request_id="1")

    async def open_and_fail() -> None:
        async with laboratory.agency.services.read_as(reading) as named:
            await named.vault.open(uid)
            raise LookupError

    with pytest.raises(LookupError):
        await open_and_fail()
    assert len(await list_rows(laboratory, caller="x")) == 1


def test_gathering_keeps_the_order_and_each_thing_once() -> None:
    gathering = Gathering("audit")
    one, two = Opened(b"1" * 32, "credential"), Opened(b"1" * 32, "case")
    gathering.note([one, two])
    gathering.note([one])
    assert gathering.close() == (one, two)
    gathering.note([])
    with pytest.raises(ApiBug):
        gathering.note([one])


async def test_auditor_lists_filters_and_pages_and_is_recorded(
    laboratory: Caller, schema: str
) -> None:
    uid = await make(laboratory, schema)
    for _ in range(3):
        await laboratory.get(f"/credentials/{uid}", Atesta_Purpose="service")
    first = await laboratory.get("/reads?limit=2&what=credential", Atesta_Purpose="audit")
    assert [item["purpose"] for item in first["items"]] == ["service", "service"]
    rest = await laboratory.get(f"/reads?what=credential&cursor={first['next']}")
    assert [item["purpose"] for item in rest["items"]] == ["service", "test"]
    assert rest["next"] is None
    numbers = [item["number"] for item in first["items"] + rest["items"]]
    assert numbers == sorted(numbers, reverse=True)
    by = {
        f"record={uid}": 4,
        "record=0x" + "00" * 32: 2,
        "caller=local&what=credential": 4,
        "caller=nobody-here": 0,
        "purpose=service": 3,
        "operation=create_credential": 1,
        "from=2001-01-01T00:00:00Z&what=credential": 4,
        "until=2001-01-01T00:00:00Z": 0,
    }
    for query, count in by.items():
        found = (await laboratory.get(f"/reads?{query}"))["items"]
        assert len(found) == count, query
    looks = await list_rows(laboratory, what="reads")
    assert len(looks) == 2 + len(by)
    assert looks[0].purpose == "audit"
    assert looks[2].uid == bytes.fromhex(uid[2:])
    for query in (
        "caller=",
        "caller=%00",
        "caller=a%0Ab",
        "purpose=because",
        "operation=A",
        "what=Ü",
        "record=1",
        "limit=0",
    ):
        refused = await laboratory.get(f"/reads?{query}", status=400)
        assert refused["field"] == query.partition("=")[0]


async def test_record_names_the_caller_and_never_the_token(
    ledger: FakeLedger, tmp_path: Path
) -> None:
    token, record = create_token("counter-3", [Role.ISSUER, Role.AUDITOR])
    save_tokens(tmp_path / "tokens.json", [record])
    agency = Agency(ledger, tmp_path / "laboratory-2", 1)
    caller = await open_caller(agency, ApiSettings(token_file=tmp_path / "tokens.json"))
    headers = {"Authorization": f"Bearer {token}", "Atesta-Purpose": "service"}
    async with open_session(caller, **headers) as session, session.get("/v1/reads") as response:
        assert response.status == 200
        request_id = response.headers["X-Request-Id"]
    (row,) = await list_rows(caller)
    assert (row.caller, row.method, row.request_id) == ("counter-3", "token", request_id)
    content = (tmp_path / "laboratory-2" / "vault.sqlite").read_bytes()
    log = (tmp_path / "laboratory-2" / "vault.sqlite-wal").read_bytes()
    assert b"counter-3" in content + log
    assert token.encode() not in content + log
    assert record.digest not in content + log
    await caller.client.close()
    agency.services.close()
