"""Lists, single records and histories of the law's records through REST."""

from typing import Any

import pytest

from api.reading.table import COLLECTIONS
from tests.contracts import consent_harness, exchange_harness, mandate_harness
from tests.contracts.contract_harness import bureau, laboratory, uid_of
from tests.contracts.exchange_harness import GENERAL, OFFICER, REQUEST, RESPONSE
from tests.contracts.law_harness import (
    CONDITIONAL,
    CONSENT_BASIS,
    FORBIDDEN,
    INSTRUMENT,
    NOTICE,
    ORDINARY,
    PURPOSE,
    STATUTE_BASIS,
)
from tests.unit.reading.conftest import EXCHANGE, write_uid
from tests.unit.rest.ledger_world import Caller


async def refresh(reader: Caller) -> None:
    await reader.agency.services.index.catch_up()


async def list_uids(reader: Caller, path: str) -> list[str]:
    return [item["uid"] for item in (await reader.get(path))["items"]]


async def test_datasets_are_listed_filtered_and_read(stage: Any, reader: Caller) -> None:
    await refresh(reader)
    assert len(await list_uids(reader, "/datasets")) == 4
    assert await list_uids(reader, "/datasets?kind=not_shared") == [write_uid(FORBIDDEN)]
    record = await reader.get(f"/datasets/{write_uid(CONDITIONAL)}")
    assert (record["sharing"], record["state"], record["version"]) == ("conditional", "active", 1)
    assert record["fields"] is None, "this node was never given the text"


async def test_pages_follow_each_other_without_gap(stage: Any, reader: Caller) -> None:
    await refresh(reader)
    whole = await list_uids(reader, "/datasets")
    page = await reader.get("/datasets?limit=3")
    rest = await reader.get(f"/datasets?limit=3&cursor={page['next']}")
    assert [item["uid"] for item in page["items"] + rest["items"]] == whole
    assert rest["next"] is None


async def test_bases_and_instruments_name_their_scopes(stage: Any, reader: Caller) -> None:
    await refresh(reader)
    listed = await list_uids(reader, f"/bases?dataset={write_uid(ORDINARY)}&kind=consent")
    assert listed == [write_uid(CONSENT_BASIS)]
    basis = await reader.get(f"/bases/{listed[0]}")
    assert {scope["dataset"] for scope in basis["scopes"]} >= {write_uid(ORDINARY)}
    instrument = await reader.get(f"/instruments/{write_uid(INSTRUMENT)}")
    assert instrument["dataset"] == write_uid(ORDINARY)


async def test_exchange_is_told_with_its_progress(stage: Any, reader: Caller) -> None:
    exchange_harness.request_conditional(stage)
    exchange_harness.act(stage, bureau, "decide", True, 0, OFFICER)
    await refresh(reader)
    approved = await reader.get(f"/exchanges/{EXCHANGE}")
    assert approved["state"] == "approved"
    assert approved["progress"]["decided_by"] == write_uid(OFFICER)
    assert approved["progress"]["equal"] is None
    exchange_harness.act(stage, bureau, "release", REQUEST, RESPONSE)
    exchange_harness.act(stage, laboratory, "acknowledge", RESPONSE)
    await refresh(reader)
    received = await reader.get(f"/exchanges/{EXCHANGE}")
    assert (received["state"], received["progress"]["equal"]) == ("received", True)
    assert received["basis"] == write_uid(STATUTE_BASIS)
    history = await reader.get(f"/exchanges/{EXCHANGE}/history")
    assert [event["state"] for event in history["items"]] == [
        "requested",
        "approved",
        "released",
        "received",
    ]


async def test_exchanges_are_found_from_either_side(stage: Any, reader: Caller) -> None:
    exchange_harness.request(stage)
    await refresh(reader)
    parties = await reader.get(f"/exchanges/{EXCHANGE}")
    for party in (parties["requester"], parties["provider"]):
        assert await list_uids(reader, f"/exchanges?agency={party}") == [EXCHANGE]
    assert await list_uids(reader, "/exchanges?agency=gd-health-commission") == []
    assert await list_uids(reader, f"/exchanges?purpose={write_uid(PURPOSE)}&state=approved") == [
        EXCHANGE
    ]
    assert await list_uids(reader, f"/exchanges?dataset={write_uid(CONDITIONAL)}") == []


async def test_withdrawal_shows_every_recipient_and_its_answer(stage: Any, reader: Caller) -> None:
    exchange_harness.by_consent(stage)
    stage.pass_time(5)
    stage.do(bureau, "consents", "withdraw", [GENERAL, uid_of(9), stage.now, stage.now])
    await refresh(reader)
    consent = await reader.get(f"/consents/{write_uid(GENERAL)}")
    assert consent["state"] == "revoked"
    (answer,) = consent["standing"]["withdrawal"]["answers"]
    assert (answer["recipient"], answer["outcome"]) == (consent["recipient"], None)
    stage.do(laboratory, "consents", "answer_withdrawal", [GENERAL, 2, bytes(32), 0, stage.now])
    await refresh(reader)
    consent = await reader.get(f"/consents/{write_uid(GENERAL)}")
    (answer,) = consent["standing"]["withdrawal"]["answers"]
    assert (answer["outcome"], answer["late"], answer["overdue"]) == ("deleted", False, False)


async def test_residents_and_agencies_consents_are_told_apart(stage: Any, reader: Caller) -> None:
    consent_harness.give(stage)
    exchange_harness.by_consent(stage)
    await refresh(reader)
    given = await reader.get(f"/consents/{write_uid(consent_harness.CONSENT)}")
    recorded = await reader.get(f"/consents/{write_uid(GENERAL)}")
    assert (given["origin"]["given_by"], recorded["origin"]["given_by"]) == ("resident", "agency")
    assert given["notice_version"] == 1
    assert given["notice"] == write_uid(NOTICE)
    (binding,) = (await reader.get("/key-bindings"))["items"]
    assert binding["holder"] == given["origin"]["holder"]


async def test_succession_ends_offices_in_the_list(stage: Any, reader: Caller) -> None:
    mandate_harness.record(stage, mandate_harness.build_office())
    args = mandate_harness.succeed_args(stage, uid_of(6200))
    stage.do(bureau, "mandates", "succeed", args)
    await refresh(reader)
    office = await reader.get(f"/mandates/{write_uid(mandate_harness.MANDATE)}")
    assert office["ended"] is not None
    body = await reader.get(f"/bodies/{write_uid(mandate_harness.BODY)}")
    assert body["board"] >= 1
    listed = await list_uids(reader, f"/mandates?body={write_uid(mandate_harness.BODY)}")
    assert len(listed) == 2


async def test_periods_tell_both_sides_statements(stage: Any, reader: Caller) -> None:
    exchange_harness.request_standing(stage)
    exchange_harness.act(stage, bureau, "begin_period", 3)
    exchange_harness.act(stage, bureau, "state_period", 3, 2, uid_of(5))
    exchange_harness.act(stage, laboratory, "state_period", 3, 2, uid_of(6))
    await refresh(reader)
    (uid,) = await list_uids(reader, f"/periods?exchange={EXCHANGE}&state=mismatched")
    period = await reader.get(f"/periods/{uid}")
    assert period["stated_by_provider"] == {"count": 2, "root": write_uid(uid_of(5))}
    assert period["stated_by_requester"] == {"count": 2, "root": write_uid(uid_of(6))}
    told = (await reader.get(f"/periods/{uid}/history"))["items"]
    assert [event["state"] for event in told] == ["begun", "begun", "mismatched"]
    assert {(event["uid"], event["kind"], event["place"]) for event in told} == {
        (uid, "exchange.period", 3)
    }
    assert told[-1]["block"] == period["changed_block"]
    exchange_harness.act(stage, bureau, "begin_period", 4)
    await refresh(reader)
    assert (await reader.get(f"/periods/{uid}/history"))["items"] == told


async def test_unchanged_record_keeps_its_etag(stage: Any, reader: Caller) -> None:
    await refresh(reader)
    path = f"/datasets/{write_uid(ORDINARY)}"
    async with reader.client.get("/v1" + path) as response:
        etag = response.headers["ETag"]
    stage.pass_time()
    await refresh(reader)
    await reader.get(path, status=304, If_None_Match=etag)


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.path)
async def test_unknown_record_and_bad_filter_are_named(reader: Caller, collection: Any) -> None:
    await refresh(reader)
    missing = await reader.get(f"/{collection.path}/0x{'ab' * 32}", status=404)
    assert (missing["code"], missing["field"]) == ("record_not_found", "uid")
    missing = await reader.get(f"/{collection.path}/0x{'ab' * 32}/history", status=404)
    assert missing["code"] == "record_not_found"
    for query, field in (("state=odd", "state"), ("agency=not%20one", "agency"), ("odd=1", "odd")):
        refused = await reader.get(f"/{collection.path}?{query}", status=400)
        assert refused["field"] == field


async def test_record_of_another_kind_is_not_shown_as_this_one(stage: Any, reader: Caller) -> None:
    await refresh(reader)
    await reader.get(f"/consents/{write_uid(ORDINARY)}", status=404)
