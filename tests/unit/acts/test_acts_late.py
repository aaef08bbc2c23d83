"""Every kind of act is posted late once: refused without a second officer, marked with one."""

import re
from typing import Any

import pytest
from atesta_client.resident_keys import ResidentKey

from api.acts.calls import has_function
from api.acts.table import ACTS
from contracts.testkeys import get_address
from tests.unit.acts.exchange_world import (
    TAXPAYER,
    Law,
    ask,
    build_request,
    do,
    look,
    make_law,
    record_consent,
    release,
)
from tests.unit.acts.law_world import (
    ACT_LIST,
    BUREAU,
    COMMISSION,
    LABORATORY,
    LATER,
    PAST,
    build_basis,
    make_uid,
    publish_purpose,
    read,
    register_dataset,
    write_time,
)
from tests.unit.acts.test_acts_consents import give
from tests.unit.acts.test_acts_mandates import build_office
from tests.unit.acts.test_acts_policies import AGREEMENT
from tests.unit.rest.ledger_world import Caller

LATE_BY_S = 80 * 3600
LATE = {"reason": "outage", "officer": {"name": "Lei", "number": "4712"}}
OFFICER = {"name": "Wong", "number": "12"}
ENDED = {"state": "revoked", "reason": "error"}
SIGNED_BY_RESIDENTS = {"consent.give", "consent.withdraw_signed"}
"""Their event time is in what the resident's own key signed, so no agency dates them back."""

LATE_ACTS = {
    act.name: re.compile("/v1" + re.sub(r"{\w+}", "[^/]+", act.path) + r"\Z")
    for act in ACTS.values()
    if has_function(act.contract, "act_late") and act.name not in SIGNED_BY_RESIDENTS
}


@pytest.fixture
def done_late(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """From now on every act that is posted was captured days ago; the names of those done so."""
    done: set[str] = set()
    post = Caller.post

    async def post_late(
        self: Caller, path: str, body: Any, *, status: int = 202, key: str | None = None
    ) -> Any:
        names = [name for name, pattern in LATE_ACTS.items() if pattern.match("/v1" + path)]
        if status != 202 or not names:
            return await post(self, path, body, status=status, key=key)
        captured = write_time(self.agency.ledger.now_s - LATE_BY_S)
        refused = await post(self, path, body | {"event_time": captured}, status=422)
        assert refused["rule"] == "late: second officer missing", path
        done.update(names)
        return await post(self, path, body | {"event_time": captured, "late": LATE}, key=key)

    monkeypatch.setattr(Caller, "post", post_late)
    return done


async def test_every_act_is_posted_late_with_a_second_officer(
    bureau: Caller,
    laboratory: Caller,
    commission: Caller,
    supervisor: Caller,
    done_late: set[str],
) -> None:
    law = await make_law(bureau, supervisor, laboratory, commission)
    await end_the_catalogue(bureau, supervisor)
    await tell_of_mandates(bureau)
    await tell_of_policies(bureau, commission)
    await tell_of_posts(bureau)
    await tell_of_consents(bureau, laboratory, commission, law)
    await tell_of_exchanges(bureau, laboratory, supervisor)
    assert done_late == LATE_ACTS.keys()
    # Whatever was done so is marked for good: each entry names who answered for it.
    agency = await bureau.agency.get_id()
    for contract in ("catalogue", "consents", "exchanges", "mandates", "posts"):
        count = await read(bureau, contract, "count", agency)
        assert count > 0
        for sequence in (1, count):
            assert any(await read(bureau, contract, "late_officer", agency, sequence))
    history = await look(bureau, f"/datasets/{law.dataset}/history")
    assert "late" in str(history)


async def end_the_catalogue(bureau: Caller, supervisor: Caller) -> None:
    dataset, purpose = await register_dataset(bureau), await publish_purpose(bureau)
    basis = (await do(supervisor, "/bases", build_basis(dataset, purpose)))["uid"]
    notice = {"title": "N", "language": "en", "text": "We ask."}
    notice_uid = (await do(bureau, "/notices", notice))["uid"]
    filed = {
        "kind": "permit",
        "filing": {"number": "17"},
        "assessment": {"title": "Assessment"},
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": dataset,
        "valid_from": PAST,
    }
    instrument = (await do(supervisor, "/instruments", filed))["uid"]
    order = {"dataset": dataset, "until": LATER, "decision": {"text": "Stopped."}}
    stop = (await do(supervisor, "/stops", order))["uid"]
    await do(supervisor, f"/stops/{stop}/lift", {})
    await do(supervisor, f"/instruments/{instrument}/state", ENDED)
    await do(supervisor, f"/bases/{basis}/state", ENDED)
    for path in (f"/datasets/{dataset}", f"/purposes/{purpose}", f"/notices/{notice_uid}"):
        await do(bureau, f"{path}/state", ENDED)


async def tell_of_mandates(bureau: Caller) -> None:
    act_list = (await bureau.put("/texts", ACT_LIST))["hash"]
    office = build_office(act_list)
    await do(bureau, "/mandates", {"mandates": [office]})
    board = {
        "body": office["body"],
        "effective": LATER,
        "resolution": {"minutes": "M-12"},
        "offices": [{"grantee": OFFICER, "act_list": act_list, "acts": ["sign-contract"]}],
    }
    await do(bureau, "/mandates/successions", board)
    await do(bureau, f"/mandates/{office['uid']}/end", {"reason": "error"})


async def tell_of_policies(bureau: Caller, commission: Caller) -> None:
    schema = await bureau.post("/schemas", {"title": "Result", "pointers": ["/result"]})
    await bureau.agency.settle()
    proposed = {
        "from_jurisdiction": "MO",
        "to_jurisdiction": "CN-GD",
        "schema_uid": schema["uid"],
        "assurance": "substantial",
        "valid_from": PAST,
        "agreement": AGREEMENT,
    }
    policy = (await do(bureau, "/policies", proposed))["uid"]
    record = await read(bureau, "policies", "policy", policy)
    signed = {"agreement_hash": "0x" + record["terms"]["document_hash"].hex()}
    await do(commission, f"/policies/{policy}/signature", signed)
    for change in ("suspension", "reinstatement", "end"):
        await do(commission, f"/policies/{policy}/{change}", {"reason": "security"})


async def tell_of_posts(bureau: Caller) -> None:
    term = {"officer": OFFICER, "resolution": {"number": "D-12"}}
    post = (await do(bureau, "/posts", {"duties": {"title": "Data officer"}}))["uid"]
    await do(bureau, f"/posts/{post}/terms", term)
    given = {"address": "0x" + "77" * 20, "roles": ["decide"]}
    await do(bureau, f"/posts/{post}/keys", {"key": given})
    await do(bureau, f"/posts/{post}/keys/end", {"address": given["address"]})
    clerk = {"address": "0x" + get_address(2, "clerk").hex()}
    await do(bureau, f"/posts/{post}/keys/assign", clerk)
    await do(bureau, f"/posts/{post}/hand-over", term | {"officer": {"name": "Ho"}})
    await do(bureau, f"/posts/{post}/terms/end", {"resolution": {"number": "D-13"}})
    await do(bureau, f"/posts/{post}/abolish", {"resolution": {"number": "D-14"}})


async def tell_of_consents(
    bureau: Caller, laboratory: Caller, commission: Caller, law: Law
) -> None:
    key = ResidentKey.generate()
    bound = {"holder": key.address, "subject": {"reference": TAXPAYER}}
    bound |= {"counterparty": LABORATORY, "valid_until": LATER}
    await do(bureau, "/key-bindings", bound)
    await give(bureau, law, key)
    uid = (await record_consent(laboratory, law))["uid"]
    await do(bureau, f"/consents/{uid}/confirmation-demand", {})
    await do(commission, f"/consents/{uid}/confirmation", {"confirmation": {"call": "12"}})
    asked = await ask(laboratory, law, uid)
    released = await release(bureau, asked)
    arrived = {"response_envelope": released["envelope"]}
    await do(laboratory, f"/exchanges/{asked['uid']}/acknowledgement", arrived)
    await do(laboratory, f"/exchanges/{asked['uid']}/void", {"reason": "error"})
    await do(bureau, f"/consents/{uid}/withdrawal", {"form": {"form": "F-13"}})
    await do(laboratory, f"/consents/{uid}/withdrawal/answer", {"outcome": "deleted"})


async def tell_of_exchanges(bureau: Caller, laboratory: Caller, supervisor: Caller) -> None:
    conditions = {"sharing": "conditional", "conditions": {"text": "Only for housing."}}
    law = await make_law(bureau, supervisor, laboratory, dataset=conditions, kind="statute")
    asked = [await ask(laboratory, law) for _ in range(2)]
    await do(laboratory, f"/exchanges/{asked[0]['uid']}/cancellation", {})
    decided = {"decision": "approve", "officer": OFFICER}
    await do(bureau, f"/exchanges/{asked[1]['uid']}/decision", decided)
    standing = build_request(law, mode="standing", subject=None, valid_until=LATER)
    uid = (await do(laboratory, "/exchanges", standing))["uid"]
    await do(bureau, f"/exchanges/{uid}/decision", decided)
    period = f"/exchanges/{uid}/periods/202611"
    await do(bureau, period, {})
    for caller in (bureau, laboratory):
        await do(caller, f"{period}/statement", {"deliveries": [make_uid()]})
    await do(bureau, f"{period}/leaves", {"index": 0})
    await do(laboratory, f"/exchanges/{uid}/end", {"reason": "ended_by_law"})


async def test_who_did_an_act_does_not_answer_for_its_lateness(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, kind="statute")
    captured = write_time(laboratory.agency.ledger.now_s - LATE_BY_S)
    body = build_request(law) | {"event_time": captured}
    same = {"reason": "paper", "officer": body["officer"]}
    refused = await laboratory.post("/exchanges", body | {"late": same}, status=400)
    assert refused["field"] == "late.officer"
    await do(laboratory, "/exchanges", body | {"late": LATE})
