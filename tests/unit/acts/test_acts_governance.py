"""Posts, proposals, votes and pauses through REST."""

from typing import Any

import pytest
from atesta_client.envelopes import open_envelope

from api.acts.governance import DecisionWord
from contracts.addresses import AGENCY_REGISTRY_NAME, POSTS_NAME
from contracts.codes import ProposalStatus
from contracts.decisions import DecisionKind
from contracts.labels import encode_label
from tests.unit.acts.law_world import BUREAU, DATASET, LABORATORY, LATER, explain, read, write_time
from tests.unit.rest.ledger_world import Caller

DUTIES = {"title": "Data officer", "text": "Decides on requests."}
RESOLUTION = {"number": "Despatch 12/2026"}


async def settle(caller: Caller, accepted: Any) -> None:
    await caller.agency.settle()
    operation = await caller.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)


async def test_post_is_held_and_handed_over_with_its_keys(bureau: Caller) -> None:
    post = await bureau.post("/posts", {"duties": DUTIES})
    await settle(bureau, post)
    uid = post["uid"]
    first = {"officer": {"name": "Chan"}, "resolution": RESOLUTION}
    appointed = await bureau.post(f"/posts/{uid}/terms", first)
    await settle(bureau, appointed)
    now_s = bureau.agency.ledger.now_s
    holder = await read(bureau, POSTS_NAME, "holder_at", uid, now_s)
    opened = open_envelope(appointed["envelope"]["officer"], kind="officer", commitment=holder)
    assert opened.body == first["officer"]
    key = {"address": "0x" + "77" * 20, "roles": ["decide"]}
    await settle(bureau, await bureau.post(f"/posts/{uid}/keys", {"key": key}))
    assert await read(bureau, POSTS_NAME, "keys_of", uid) == (bytes([0x77]) * 20,)
    taken = await bureau.post(f"/posts/{uid}/terms", first, status=422)
    assert taken["rule"] == "post: seat is taken"
    deputy = await bureau.post(f"/posts/{uid}/terms", first | {"seat": 1})
    await settle(bureau, deputy)
    successor = {
        "officer": {"name": "Lei"},
        "resolution": RESOLUTION,
        "keys": [{"address": "0x" + "88" * 20, "roles": ["decide"]}],
        "ends_deputies": True,
    }
    await settle(bureau, await bureau.post(f"/posts/{uid}/hand-over", successor))
    now_s = bureau.agency.ledger.now_s
    assert await read(bureau, POSTS_NAME, "holder_at", uid, now_s) != holder
    assert await read(bureau, POSTS_NAME, "deputies_at", uid, now_s) == ()
    assert await read(bureau, POSTS_NAME, "keys_of", uid) == (bytes([0x88]) * 20,)
    old = await read(bureau, AGENCY_REGISTRY_NAME, "key", "0x" + "77" * 20)
    assert 0 < old["valid_until"] <= now_s
    change = {"address": "0x" + "88" * 20}
    await settle(bureau, await bureau.post(f"/posts/{uid}/keys/end", change))
    await settle(bureau, await bureau.post(f"/posts/{uid}/abolish", {"resolution": RESOLUTION}))
    assert (await read(bureau, POSTS_NAME, "post", uid))["state"] == 3


async def test_post_is_changed_only_by_its_own_agency(bureau: Caller, laboratory: Caller) -> None:
    post = await bureau.post("/posts", {"duties": DUTIES})
    await settle(bureau, post)
    body = {"officer": {"name": "X"}, "resolution": RESOLUTION}
    refused = await laboratory.post(f"/posts/{post['uid']}/terms", body, status=403)
    assert refused["rule"] == "post: not yours"
    end = {"seat": 3, "resolution": RESOLUTION}
    refused = await bureau.post(f"/posts/{post['uid']}/terms/end", end, status=422)
    assert refused["rule"] == "post: seat is free"


async def test_proposal_is_rehearsed_voted_and_carried_out(
    laboratory: Caller, bureau: Caller, commission: Caller, supervisor: Caller
) -> None:
    body = {
        "decision": "suspend_agency",
        "parameters": {"agency": LABORATORY},
        "document": {"title": "Suspension", "text": "Its key was lost."},
        "expires": LATER,
    }
    told = await explain(bureau, "proposal.propose", body)
    assert told["allowed"] is True
    assert told["facts"]["could_be_carried_out"] is True
    await settle(bureau, await bureau.post("/proposals", body))
    place = await read(bureau, AGENCY_REGISTRY_NAME, "proposal_count")
    for caller in (bureau, commission, supervisor):
        await settle(caller, await caller.post(f"/proposals/{place}/vote", {"approve": True}))
    again = await bureau.post(f"/proposals/{place}/vote", {"approve": True}, status=409)
    assert again["rule"] == "proposal: not open"
    proposal = await read(bureau, AGENCY_REGISTRY_NAME, "proposal", place)
    assert proposal["status"] == ProposalStatus.EXECUTED
    agency = await read(bureau, AGENCY_REGISTRY_NAME, "agency", encode_label(LABORATORY))
    assert agency["status"] == 2


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "parameters.agency"),
        ({"agency": LABORATORY, "colour": "red"}, "parameters.colour"),
        ({"agency": 7}, "parameters.agency"),
        ({"agency": "no label at all"}, "parameters.agency"),
        ({"agency": None}, "parameters.agency"),
        ({"agency": ["x"]}, "parameters.agency"),
    ],
)
async def test_proposal_names_the_parameter_at_fault(
    bureau: Caller, parameters: Any, field: str
) -> None:
    body = {
        "decision": "suspend_agency",
        "parameters": parameters,
        "document": {"title": "x"},
        "expires": LATER,
    }
    assert (await bureau.post("/proposals", body, status=400))["field"] == field


async def test_proposal_to_admit_an_agency_reads_roles_and_times(bureau: Caller) -> None:
    parameters = {
        "agency": "mo-new-bureau",
        "jurisdiction": "MO",
        "profile_hash": "0x" + "12" * 32,
        "roles": ["admin", "govern", "exchange"],
    }
    body = {
        "decision": "admit_agency",
        "parameters": parameters,
        "document": {"title": "Admission"},
        "expires": LATER,
    }
    assert (await explain(bureau, "proposal.propose", body))["facts"]["could_be_carried_out"]
    body["parameters"] = parameters | {"roles": ["king"]}
    told = await explain(bureau, "proposal.propose", body)
    assert told["refusal"]["field"] == "parameters.roles"


async def test_pauses_of_ones_own_and_by_the_supervisor(bureau: Caller, supervisor: Caller) -> None:
    await settle(bureau, await bureau.post("/pauses/own", {}))
    bureau_id = encode_label(BUREAU)
    assert await read(bureau, AGENCY_REGISTRY_NAME, "is_paused", bureau_id)
    refused = await bureau.post("/datasets", DATASET, status=422)
    assert refused["rule"] == "agency: paused"
    await settle(bureau, await bureau.post("/pauses/own/end", {}))
    assert not await read(bureau, AGENCY_REGISTRY_NAME, "is_paused", bureau_id)
    until = write_time(bureau.agency.ledger.now_s + 86_400)
    body = {"agency": BUREAU, "until": until, "decision": {"number": "4/2026"}}
    await settle(supervisor, await supervisor.post("/pauses", body))
    assert await read(bureau, AGENCY_REGISTRY_NAME, "is_paused", bureau_id)
    await settle(supervisor, await supervisor.post("/pauses/end", {"agency": BUREAU}))
    assert not await read(bureau, AGENCY_REGISTRY_NAME, "is_paused", bureau_id)


def test_decision_words_are_all_decisions() -> None:
    assert [word.name for word in DecisionWord] == [kind.name for kind in DecisionKind]
