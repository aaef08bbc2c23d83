"""A write that was accepted, and that its block refuses because something changed in between."""

from tests.unit.acts.exchange_world import ask, build_request, do, make_law, record_consent
from tests.unit.rest.ledger_world import Caller


async def test_refusal_in_the_block_is_told_like_one_at_once(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    consent = (await record_consent(laboratory, law, quota=9))["uid"]
    await ask(laboratory, law, consent, case="C-1")
    accepted = await laboratory.post("/exchanges", build_request(law, consent))
    await do(bureau, f"/consents/{consent}/withdrawal", {"form": {"form": "F-13"}})
    await laboratory.agency.settle()
    operation = await laboratory.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("failed", "consent: withdrawn")
    at_once = await laboratory.post("/exchanges", build_request(law, consent), status=422)
    told = operation["refusal"]
    for member in ("code", "rule", "detail", "field", "next_step", "status"):
        assert told[member] == at_once[member], member
    assert told["legal_reference"] == at_once["legal_reference"]
    assert {"hash", "laws"} <= told["legal_reference"].keys()
    listed = (await laboratory.get("/operations?state=failed"))["items"]
    assert [item["refusal"] for item in listed] == [None]


async def test_operation_that_did_not_fail_has_no_refusal(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    accepted = await record_consent(laboratory, law)
    operation = await laboratory.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["refusal"]) == ("final", None)
