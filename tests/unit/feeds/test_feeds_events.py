"""Lists and streams of events: everything once, in order, and from where one stopped."""

import asyncio
import json
from typing import Any

from tests.contracts import exchange_harness
from tests.contracts.contract_harness import bureau, laboratory, uid_of
from tests.contracts.exchange_harness import REQUEST, RESPONSE
from tests.engines import ON_BOTH_ENGINES
from tests.unit.reading.conftest import EXCHANGE, reader, stage
from tests.unit.rest.ledger_world import Caller

__all__ = ["reader", "stage"]


def run_exchange(stage: Any) -> None:
    exchange_harness.request(stage)
    exchange_harness.act(stage, bureau, "release", REQUEST, RESPONSE)
    exchange_harness.act(stage, laboratory, "acknowledge", RESPONSE)


async def read_stream(reader: Caller, query: str, count: int, **headers: str) -> list[Any]:
    """Return the first events of a stream as id, kind and data."""
    found: list[Any] = []
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with reader.client.get(f"/v1/events/stream{query}", headers=sent) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        entry: dict[str, str] = {}
        async with asyncio.timeout(60):
            while len(found) < count:
                line = (await response.content.readline()).decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    entry[name] = value
                elif "data" in entry:
                    found.append((entry["id"], entry["event"], json.loads(entry["data"])))
                    entry = {}
    return found


@ON_BOTH_ENGINES
async def test_pages_of_events_meet_without_gap(stage: Any, reader: Caller) -> None:
    run_exchange(stage)
    await reader.agency.services.index.catch_up()
    whole = (await reader.get("/events?limit=500"))["items"]
    assert [event["kind"] for event in whole][-4:] == [
        "exchange.requested",
        *["exchange.state"] * 3,
    ]
    collected: list[Any] = []
    cursor = ""
    while len(collected) < len(whole):
        page = await reader.get(f"/events?limit=3{cursor}")
        collected += page["items"]
        cursor = f"&cursor={page['next']}"
    assert collected == whole
    end = await reader.get(f"/events?limit=3{cursor}")
    assert (end["items"], f"&cursor={end['next']}") == ([], cursor)


async def test_events_are_filtered_by_kind_record_and_party(stage: Any, reader: Caller) -> None:
    run_exchange(stage)
    await reader.agency.services.index.catch_up()
    assert len((await reader.get("/events?kinds=exchange"))["items"]) == 4
    assert len((await reader.get("/events?kinds=exchange.requested,dataset"))["items"]) == 5
    assert len((await reader.get(f"/events?uid={EXCHANGE}"))["items"]) == 4
    by_commission = "/events?kinds=exchange&agency=gd-health-commission"
    assert (await reader.get(by_commission))["items"] == []


async def test_stream_tells_what_is_new_and_resumes_after_the_last_id(
    stage: Any, reader: Caller
) -> None:
    run_exchange(stage)
    await reader.agency.services.index.catch_up()
    listed = (await reader.get("/events?kinds=exchange"))["items"]
    before = (await reader.get("/events?kinds=policy"))["next"]
    assert before is None
    first = await read_stream(reader, "?kinds=exchange", 2, Last_Event_ID="AAAAAAAAAAA")
    assert [data for _, _, data in first] == listed[:2]
    rest = await read_stream(reader, "?kinds=exchange", 2, Last_Event_ID=first[-1][0])
    assert [data for _, _, data in rest] == listed[2:]
    assert rest[0][1] == "exchange.state"


async def test_stream_without_a_cursor_begins_with_what_comes(stage: Any, reader: Caller) -> None:
    run_exchange(stage)
    await reader.agency.services.index.catch_up()
    waiting = asyncio.create_task(read_stream(reader, "?kinds=exchange", 1))
    await asyncio.sleep(0.3)
    exchange_harness.request(stage, uid_of(7777))
    await reader.agency.services.index.catch_up()
    ((_, kind, data),) = await waiting
    assert (kind, data["uid"]) == ("exchange.requested", "0x" + uid_of(7777).hex())


async def test_alerts_begin_at_eighty_and_at_a_hundred_percent(stage: Any, reader: Caller) -> None:
    exchange_harness.request_conditional(stage, due=stage.now + 1000)
    await reader.agency.services.index.catch_up()

    async def list_levels(query: str = "") -> list[tuple[str, int, bool]]:
        await reader.agency.services.index.catch_up()
        items = (await reader.get(f"/alerts{query}"))["items"]
        return [(item["uid"], item["level"], item["over"]) for item in items]

    assert await list_levels() == []
    stage.pass_time(810)
    assert await list_levels() == [(EXCHANGE, 80, False)]
    stage.pass_time(300)
    assert await list_levels() == [(EXCHANGE, 100, True)]
    assert await list_levels("?agency=gd-health-commission") == []
    exchange_harness.act(stage, bureau, "decide", True, 0, uid_of(5))
    assert await list_levels() == []


@ON_BOTH_ENGINES
async def test_pages_of_alerts_meet_without_gap(stage: Any, reader: Caller) -> None:
    due = stage.now + 1000
    # Several are due at once, so that the end of a page falls between them.
    for number, later in enumerate((40, 0, 20, 20, 20, 20, 0)):
        exchange_harness.request_conditional(stage, uid_of(7000 + number), due=due + later)
    stage.pass_time(1100)
    await reader.agency.services.index.catch_up()
    whole = (await reader.get("/alerts"))["items"]
    assert [alert["due"] for alert in whole] == sorted(alert["due"] for alert in whole)
    assert len({alert["uid"] for alert in whole}) == 7
    for limit in (1, 2, 3, 7):
        collected: list[Any] = []
        cursor = ""
        while True:
            page = await reader.get(f"/alerts?agency=mo-health-bureau&limit={limit}{cursor}")
            collected += page["items"]
            assert len(page["items"]) == limit or page["next"] is None
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert collected == whole


async def test_cursor_of_another_list_is_refused_by_alerts(stage: Any, reader: Caller) -> None:
    run_exchange(stage)
    await reader.agency.services.index.catch_up()
    refused = await reader.get("/alerts?cursor=AAAAAAAAAAE", status=400)
    assert refused["field"] == "cursor"
