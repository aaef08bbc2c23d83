"""What an event tells: in words, in which state, who signed and who handed it in."""

from collections.abc import Iterator
from typing import Any

from api.feeds.kinds import KINDS, RECORD_KINDS
from api.index.events import EVENT_KINDS
from api.openapi.document import build_document
from api.reading.event_words import TIMES
from contracts.codec import encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.testkeys import get_address, get_private_key
from tests.contracts import consent_harness, exchange_harness
from tests.contracts.consent_harness import CONSENT, get_holder
from tests.contracts.contract_harness import COMMISSION, bureau, commission, laboratory, uid_of
from tests.contracts.exchange_harness import GENERAL
from tests.contracts.law_harness import build_domain, relay_args
from tests.unit.reading.conftest import SUPERVISOR, reader, stage, write_uid
from tests.unit.reading.test_reading_filters import world
from tests.unit.rest.ledger_world import Caller

__all__ = ["reader", "stage", "world"]

WORDED = {"alg", "assurance", "channel", "kind", "mode", "outcome", "reason", "roles"} | {
    "sensitivity",
    "sharing",
    "state",
    "basis_kind",
}
"""Members that are numbers on the chain, and words here."""


async def list_events(reader: Caller, query: str) -> list[Any]:
    await reader.agency.services.index.catch_up()
    return list((await reader.get(f"/events?limit=500&{query}"))["items"])


def iterate_members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from iterate_members(item)
    if isinstance(value, list):
        for item in value:
            yield from iterate_members(item)


async def test_events_tell_words_where_the_chain_has_numbers(world: Caller, stage: Any) -> None:
    exchange_harness.by_consent(stage)
    stage.do(bureau, "consents", "withdraw", [GENERAL, uid_of(9), stage.now, stage.now])
    answer = [GENERAL, 2, bytes(32), 0, stage.now]
    stage.do(laboratory, "consents", "answer_withdrawal", answer)
    events = await list_events(world, "")
    seen = {event["kind"] for event in events}
    assert len(seen) > 15
    assert seen <= set(EVENT_KINDS)
    for event in events:
        for name, value in iterate_members(event):
            where = f"{event['kind']}: {name}"
            if name in WORDED and value is not None:
                words = value if isinstance(value, list) else [value]
                assert all(isinstance(word, str) and not word.isdigit() for word in words), where
            if name in TIMES and value is not None:
                assert str(value).endswith("Z"), where
    (answered,) = [event for event in events if event["kind"] == "consent.withdrawal_answered"]
    assert (answered["state"], answered["details"]["outcome"]) == ("revoked", "deleted")
    (consent,) = [event for event in events if event["uid"] == write_uid(CONSENT)][:1]
    assert consent["details"]["terms"]["kind"] == "general"
    assert consent["details"]["provider"] == "mo-health-bureau"
    (key,) = {event["state"] for event in events if event["kind"] == "key_binding.bound"}
    assert key == "active"


async def test_event_tells_the_state_of_its_record_even_if_it_left_it_alone(
    stage: Any, reader: Caller
) -> None:
    exchange_harness.request_standing(stage)
    exchange_harness.act(stage, bureau, "begin_period", 3)
    events = await list_events(reader, "kinds=exchange")
    assert [(event["kind"], event["state"]) for event in events] == [
        ("exchange.requested", "requested"),
        ("exchange.state", "approved"),
        ("exchange.period", "approved"),
    ]
    assert events[-1]["details"]["state"] == "begun"


async def test_withdrawal_by_the_residents_key_is_told_as_the_residents(
    stage: Any, reader: Caller
) -> None:
    consent_harness.give(stage)
    stage.pass_time(5)
    args = consent_harness.withdraw_signed_args(stage, CONSENT)
    stage.do(commission, "consents", "withdraw_signed", args)
    given, withdrawn = await list_events(reader, "kinds=consent.given,consent.withdrawn")
    resident = {"who": "resident", "agency": None, "key": "0x" + get_holder(1).hex()}
    carrier = "0x" + get_address(3, "account").hex()
    assert withdrawn["signed_by"] == given["signed_by"] == resident
    assert withdrawn["submitted_by"] == {
        "who": "agency",
        "agency": "gd-health-commission",
        "key": carrier,
    }
    # Whoever is no agency has its acts submitted by the first one here.
    assert given["submitted_by"]["agency"] == "mo-health-laboratory"
    assert withdrawn["state"] == "revoked"
    provenance = await reader.get(f"/provenance/{write_uid(CONSENT)}")
    acts = {act["type"]: act["agent"] for act in provenance["activities"]}
    assert acts["consent.withdrawn"] == acts["consent.given"]


async def test_withdrawal_at_an_agency_is_told_as_its_own(stage: Any, reader: Caller) -> None:
    exchange_harness.by_consent(stage)
    stage.pass_time(5)
    stage.do(bureau, "consents", "withdraw", [GENERAL, uid_of(9), stage.now, stage.now])
    (withdrawn,) = await list_events(reader, "kinds=consent.withdrawn")
    assert withdrawn["signed_by"] == withdrawn["submitted_by"]
    assert withdrawn["signed_by"]["agency"] == "mo-health-bureau"


async def test_act_that_another_account_carried_names_both(stage: Any, reader: Caller) -> None:
    call = encode_call("posts", "establish", [uid_of(8001), uid_of(8002), stage.now])
    key = get_private_key(2, "account")
    args = relay_args(build_domain(stage, "posts"), bureau, key, call)
    stage.do(commission, "posts", "relay", args)
    (established,) = await list_events(reader, "kinds=post.established")
    assert established["signed_by"]["agency"] == "mo-health-bureau"
    assert established["submitted_by"]["agency"] == "gd-health-commission"


async def test_votes_are_told_as_well(stage: Any, reader: Caller) -> None:
    payload = encode_payload(DecisionKind.SUSPEND_AGENCY, [COMMISSION])
    expires = stage.now + 3600
    args = [int(DecisionKind.SUSPEND_AGENCY), payload, uid_of(8020), expires]
    stage.do(bureau, "agency_registry", "propose", args)
    for voter in (bureau, laboratory, SUPERVISOR):
        stage.do(voter, "agency_registry", "vote", [1, True])
    proposed, *votes = await list_events(reader, "kinds=proposal")
    assert (proposed["kind"], proposed["state"]) == ("proposal.proposed", "open")
    assert proposed["details"]["kind"] == "suspend_agency"
    assert {vote["details"].get("approve") for vote in votes if "voted" in vote["kind"]} == {True}


async def test_kinds_that_there_are_not_are_refused_and_the_others_named(reader: Caller) -> None:
    for query, near in (
        ("kinds=consnt", "consent"),
        ("kinds=consent.withdrown", "consent.withdrawn"),
        ("kinds=exchange,", "exchange"),
        ("kinds=", "exchange"),
        (f"kinds={','.join(['consent'] * 33)}", None),
    ):
        refused = await reader.get(f"/events?{query}", status=400)
        assert refused["field"] == "kinds", query
        assert "consnt" not in refused["detail"]
        if near is not None:
            assert near in refused["detail"]
            assert refused["known"] == list(KINDS)
        await reader.get(f"/events/stream?{query}", status=400)
    async with reader.client.post(
        "/v1/webhooks", json={"url": "https://hooks.example.org/a", "kinds": ["consnt"]}
    ) as response:
        told = await response.json()
        assert (response.status, told["field"]) == (400, "kinds.0")
        assert "consent" in told["detail"]
    for kind in RECORD_KINDS:
        await reader.get(f"/events?kinds={kind}")


def test_kinds_are_listed_in_the_document() -> None:
    (kinds,) = [
        parameter
        for parameter in build_document()["paths"]["/events"]["get"]["parameters"]
        if parameter["name"] == "kinds"
    ]
    assert kinds["schema"]["items"]["enum"] == list(KINDS)
    assert (kinds["style"], kinds["explode"]) == ("form", False)


async def test_streams_are_counted_by_their_own_server(reader: Caller) -> None:
    streams = reader.agency.services.streams
    assert not streams.is_full
    async with reader.client.get("/v1/events/stream") as response:
        assert response.status == 200
        await response.content.readline()
        with streams.open():
            assert not streams.is_full
    openings = [streams.open() for _ in range(64)]
    for opening in openings:
        opening.__enter__()
    assert streams.is_full
    refused = await reader.get("/events/stream", status=413)
    assert "GET /v1/events" in refused["next_step"]
    for opening in openings:
        opening.__exit__(None, None, None)
