"""An exchange is about the person who consented: at the request, the decision, the release."""

from typing import Any

from tests.unit.acts.exchange_world import (
    Law,
    ask,
    build_request,
    do,
    look,
    make_law,
    record_consent,
    release,
)
from tests.unit.acts.law_world import BUREAU, explain
from tests.unit.rest.ledger_world import Caller


async def state(caller: Caller, uid: str) -> Any:
    return (await look(caller, f"/exchanges/{uid}"))["state"]


async def test_exchange_is_for_the_person_who_consented(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    recorded = await record_consent(laboratory, law, quota=None)
    consent = recorded["uid"]
    body = build_request(law, consent, subject={"reference": "file-2026-9999"})
    # The laboratory recorded the consent, so its own node sees whose it is, before anything is
    # asked; a person who is met for the first time is not noted either.
    told = (await explain(laboratory, "exchange.request", body))["refusal"]
    refused = await laboratory.post("/exchanges", body, status=422)
    assert refused["code"] == told["code"] == "subject_mismatch"
    assert (refused["field"], refused["consent"]) == ("subject", consent)
    assert (await laboratory.get("/exchanges"))["items"] == []
    bureau_id = BUREAU.encode().ljust(32, b"\0")
    subjects = laboratory.agency.services.subjects
    assert await subjects.find_by_reference(bureau_id, "file-2026-9999") is None
    nobody = build_request(law, consent, subject=None)
    refused = await laboratory.post("/exchanges", nobody, status=422)
    assert (refused["code"], refused["field"]) == ("subject_missing", "subject")
    # A requester whose vault cannot open the consent is found out by the provider's node.
    await bureau.post(f"/consents/{consent}/envelope", recorded["envelope"], status=200)
    await laboratory.agency.services.materials.discard(bytes.fromhex(consent[2:]))
    asked = await do(laboratory, "/exchanges", body)
    refused = await release(bureau, asked, status=422)
    assert (refused["code"], refused["consent"]) == ("subject_mismatch", consent)
    assert refused["field"] == "request_envelope.body.subject"
    assert (await look(laboratory, f"/exchanges/{asked['uid']}"))["state"] == "approved"


async def test_approval_with_the_requests_envelope_is_for_the_person_who_consented(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    conditions = {"sharing": "conditional", "conditions": {"text": "Only for benefits."}}
    law = await make_law(bureau, supervisor, laboratory, dataset=conditions)
    recorded = await record_consent(laboratory, law, quota=None)
    consent = recorded["uid"]
    await bureau.post(f"/consents/{consent}/envelope", recorded["envelope"], status=200)
    await laboratory.agency.services.materials.discard(bytes.fromhex(consent[2:]))
    wrong = await ask(laboratory, law, consent, subject={"reference": "file-2026-9999"})
    path = f"/exchanges/{wrong['uid']}/decision"
    approval = {"decision": "approve", "officer": {"number": "12"}}
    shown = {"request_envelope": wrong["envelope"]}
    refused = await bureau.post(path, approval | shown, status=422)
    assert (refused["code"], refused["field"]) == (
        "subject_mismatch",
        "request_envelope.body.subject",
    )
    told = await explain(bureau, "exchange.decide", approval | shown, uid=wrong["uid"])
    assert told["refusal"]["code"] == "subject_mismatch"
    right = await ask(laboratory, law, consent)
    swapped = approval | {"request_envelope": right["envelope"]}
    assert (await bureau.post(path, swapped, status=409))["code"] == "request_mismatch"
    refusal = {"decision": "refuse", "reason": "error", "officer": {"number": "12"}}
    await do(bureau, path, refusal | shown)
    path = f"/exchanges/{right['uid']}/decision"
    await do(bureau, path, approval | {"request_envelope": right["envelope"]})
    assert await state(laboratory, right["uid"]) == "approved"
