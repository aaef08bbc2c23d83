"""A retry is told what the first call was told; what a refused act kept is forgotten."""

from typing import Any

from atesta_client.envelopes import decode_envelope

from tests.unit.acts.exchange_world import (
    DATA,
    Law,
    ask,
    build_request,
    do,
    make_law,
    record_consent,
    release,
)
from tests.unit.acts.law_world import ACT_LIST, LATER, PAST, make_uid, read
from tests.unit.rest.ledger_world import Caller

CONDITIONAL = {
    "sharing": "conditional",
    "conditions": {"text": "Only for housing."},
}
OFFICER = {"name": "Lei", "number": "12"}
TERM = {"officer": OFFICER, "resolution": {"number": "D-12"}}


async def settle_all(*callers: Caller) -> None:
    for caller in callers:
        await caller.agency.settle()


async def act_twice(caller: Caller, path: str, body: Any) -> dict[str, Any]:
    """Act, repeat it before and after its block, and see that all three answers are one."""
    key = f"twice-{path}"
    first = await caller.post(path, body, key=key)
    again = await caller.post(path, body, key=key)
    await caller.agency.settle()
    later = await caller.post(path, body, key=key)
    assert first["envelope"] is not None
    assert first["envelope"] == again["envelope"] == later["envelope"]
    assert later["operation"] == first["operation"]
    assert later["state"] == "final"
    answer: dict[str, Any] = first
    return answer


async def find_roles(caller: Caller, uid: str) -> dict[str, bytes]:
    """The commitments that an agency's vault holds for a record, by role; answers without key."""
    kept = await caller.agency.materials.get_all(bytes.fromhex(uid[2:]))
    return {role.split("-")[0]: envelope.commitment for role, envelope in kept.items()}


async def test_retried_decision_tells_the_officer_of_the_first(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, dataset=CONDITIONAL, kind="statute")
    asked = await ask(laboratory, law)
    body = {"decision": "approve", "officer": OFFICER}
    told = await act_twice(bureau, f"/exchanges/{asked['uid']}/decision", body)
    record = await read(bureau, "exchanges", "exchange", asked["uid"])
    opened = decode_envelope(told["envelope"]["decision_officer"])
    assert opened.commitment == record["decided_by"]


async def test_retried_release_tells_its_own_delivery_and_not_a_later_one(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    path = f"/exchanges/{asked['uid']}/release"
    body = {"request_envelope": asked["envelope"], "response": DATA}
    first = await bureau.post(path, body, key="first")
    await settle_all(bureau)
    other = {"request_envelope": asked["envelope"], "response": DATA | {"income_band": "C"}}
    second = await do(bureau, path, other)
    again = await bureau.post(path, body, key="first")
    assert again["envelope"] == first["envelope"] != second["envelope"]


async def test_retried_acknowledgement_tells_what_was_equal_then(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    arrived = (await release(bureau, asked))["envelope"]
    arrived["body"]["data"]["income_band"] = "A"
    path = f"/exchanges/{asked['uid']}/acknowledgement"
    told = await act_twice(laboratory, path, {"response_envelope": arrived})
    assert told["envelope"]["outcome"] == "disputed"
    # Another delivery and its receipt change nothing of what the first call was told.
    again = await release(bureau, asked)
    await do(laboratory, path, {"response_envelope": again["envelope"]})
    key = f"twice-{path}"
    repeated = await laboratory.post(path, {"response_envelope": arrived}, key=key)
    assert repeated["envelope"] == told["envelope"]


async def test_retried_statement_tells_count_and_root(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, kind="statute")
    changes = {"mode": "standing", "valid_until": LATER}
    asked = await do(laboratory, "/exchanges", build_request(law, **changes))
    path = f"/exchanges/{asked['uid']}/periods/202611"
    await do(bureau, path, {})
    told = await act_twice(bureau, f"{path}/statement", {"deliveries": [make_uid(), make_uid()]})
    assert told["envelope"]["count"] == 2


async def test_retried_appointment_and_hand_over_tell_their_officers(bureau: Caller) -> None:
    post = (await do(bureau, "/posts", {"duties": {"title": "Data officer"}}))["uid"]
    told = await act_twice(bureau, f"/posts/{post}/terms", TERM)
    holder = await read(bureau, "posts", "holder_at", post, bureau.agency.ledger.now_s)
    assert decode_envelope(told["envelope"]["officer"]).commitment == holder
    bureau.agency.ledger.mine(1, period_s=10)
    next_term = TERM | {"officer": {"name": "Wong", "number": "13"}}
    handed = await act_twice(bureau, f"/posts/{post}/hand-over", next_term)
    assert decode_envelope(handed["envelope"]["officer"]).body == next_term["officer"]


async def test_retried_succession_tells_the_mandates_of_the_new_board(bureau: Caller) -> None:
    act_list = (await bureau.put("/texts", ACT_LIST))["hash"]
    office = {"grantee": {"name": "Chan"}, "act_list": act_list, "acts": ["sign-contract"]}
    body = {"register_name": "mo-associations", "number": "0042"}
    first = office | {"kind": "office", "body": body, "valid_from": PAST}
    await do(bureau, "/mandates", {"mandates": [first]})
    elected = {"body": body, "effective": LATER, "resolution": {"minutes": "M-12"}}
    told = await act_twice(bureau, "/mandates/successions", elected | {"offices": [office, office]})
    assert len(told["envelope"]["mandates"]) == 2


async def test_prepared_act_is_read_again_with_its_envelope(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, dataset=CONDITIONAL, kind="statute")
    asked = await ask(laboratory, law)
    body = {
        "act": "exchange.decide",
        "path": {"uid": asked["uid"]},
        "body": {"decision": "approve", "officer": OFFICER},
        "signer": "0x" + bureau.agency.services.outbox.accounts[0].hex(),
    }
    prepared = await bureau.post("/prepared-acts", body, status=201)
    assert prepared["envelope"] is not None
    again = await bureau.get(f"/prepared-acts/{prepared['id']}")
    assert again["envelope"] == prepared["envelope"]


async def test_release_that_the_ledger_refuses_leaves_nothing_in_the_vault(
    bureau: Caller, laboratory: Caller, supervisor: Caller, law: Law
) -> None:
    """The supervisor's stop is in the block before the release, which passed its trial."""
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    before = await find_roles(bureau, asked["uid"])
    body = {"request_envelope": asked["envelope"], "response": DATA}
    accepted = await bureau.post(f"/exchanges/{asked['uid']}/release", body, key="refused")
    assert {"request", "response", "answer"} <= (await find_roles(bureau, asked["uid"])).keys()
    await stop(supervisor, law)
    await settle_all(bureau)
    operation = await bureau.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("failed", "stop: dataset stopped")
    assert await find_roles(bureau, asked["uid"]) == before
    again = await bureau.post(f"/exchanges/{asked['uid']}/release", body, key="refused")
    assert again["envelope"] is None


async def test_refused_second_delivery_leaves_the_first_whole(
    bureau: Caller, laboratory: Caller, supervisor: Caller, law: Law
) -> None:
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    delivered = await release(bureau, asked)
    before = await find_roles(bureau, asked["uid"])
    body = {"request_envelope": asked["envelope"], "response": DATA | {"income_band": "C"}}
    path = f"/exchanges/{asked['uid']}/release"
    await bureau.post(path, body)
    assert "response_2" in await find_roles(bureau, asked["uid"])
    await stop(supervisor, law)
    await settle_all(bureau)
    after = await find_roles(bureau, asked["uid"])
    assert "response_2" not in after
    assert after == before
    assert after["response"] == decode_envelope(delivered["envelope"]).commitment


async def test_act_under_way_is_not_done_a_second_time(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    """Its envelope would take the place of the one whose commitment is on its way."""
    law = await make_law(bureau, supervisor, laboratory, dataset=CONDITIONAL, kind="statute")
    asked = await ask(laboratory, law)
    path = f"/exchanges/{asked['uid']}/decision"
    body = {"decision": "approve", "officer": OFFICER}
    first = await bureau.post(path, body)
    refused = await bureau.post(path, body, status=409)
    assert (refused["code"], first["operation"] in refused["next_step"]) == ("act_under_way", True)
    await settle_all(bureau)
    assert (await bureau.post(path, body, status=409))["rule"] == "exchange: already decided"
    record = await read(bureau, "exchanges", "exchange", asked["uid"])
    assert (await find_roles(bureau, asked["uid"]))["decision_officer"] == record["decided_by"]


async def stop(supervisor: Caller, law: Law) -> None:
    body = {"dataset": law.dataset, "until": LATER, "decision": {"text": "Stopped."}}
    await do(supervisor, "/stops", body)
