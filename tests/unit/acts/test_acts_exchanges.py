"""Exchanges through REST: asked, released, confirmed, voided, found again."""

from pathlib import Path
from typing import Any

import pytest
from atesta_client.envelopes import open_envelope

from api.acts.consent_terms import recall_consent
from tests.engines import ON_BOTH_ENGINES
from tests.unit.acts.exchange_world import (
    DATA,
    PERSON,
    Law,
    ask,
    build_request,
    do,
    look,
    record_consent,
    release,
    share_texts,
)
from tests.unit.acts.law_world import BUREAU, LABORATORY, LATER, explain, read, write_time
from tests.unit.acts.test_acts_signing import prepare, sign
from tests.unit.rest.ledger_world import Caller


async def state(caller: Caller, uid: str) -> Any:
    return (await look(caller, f"/exchanges/{uid}"))["state"]


@ON_BOTH_ENGINES
async def test_exchange_once_from_request_to_receipt(
    bureau: Caller, laboratory: Caller, law: Law, consent: str
) -> None:
    asked = await ask(laboratory, law, consent)
    assert await state(laboratory, asked["uid"]) == "approved"
    record = await read(laboratory, "exchanges", "exchange", asked["uid"])
    request = open_envelope(
        asked["envelope"],
        kind="exchange-request",
        commitment=record["request"]["request_commitment"],
    )
    assert "file-2026-0042" not in str(request.body)
    released = await release(bureau, asked)
    acknowledged = await do(
        laboratory,
        f"/exchanges/{asked['uid']}/acknowledgement",
        {"response_envelope": released["envelope"]},
    )
    assert acknowledged["envelope"]["outcome"] == "received"
    assert await state(laboratory, asked["uid"]) == "received"
    assert released["envelope"]["body"]["data"] == DATA
    kept = await laboratory.agency.materials.find(bytes.fromhex(asked["uid"][2:]), "received")
    assert kept is not None
    assert kept.body["data"] == DATA


async def test_exchange_leaves_no_private_text_on_the_chain_or_in_the_log(
    bureau: Caller, laboratory: Caller, law: Law, consent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = await ask(laboratory, law, consent, message={"text": "Application of November"})
    await release(bureau, asked)
    private = ("file-2026-0042", "HS-2026-000417", "clerk-4711", "Application of", "F-12")
    handle = asked["envelope"]["body"]["subject"]["handle"]
    written = "".join(capsys.readouterr())
    assert "/v1/exchanges/{uid}/release" in written
    ledger = bureau.agency.ledger
    chain = str([block.logs for block in ledger.blocks])
    assert law.dataset[2:] in chain
    for text in (*private, handle[2:]):
        assert text not in written
        assert text not in chain
        assert text.encode().hex() not in chain


async def test_exchange_signed_on_the_requesters_own_device(
    bureau: Caller, laboratory: Caller, commission: Caller, law: Law, consent: str
) -> None:
    """The commission carries what the laboratory signs; the laboratory is the requester."""
    await share_texts(bureau, law.dataset, commission)
    handle = (await laboratory.post("/subjects", PERSON | {"counterparty": BUREAU}, status=200))[
        "handle"
    ]
    prepared = await prepare(
        commission, 1, "exchange.request", build_request(law, consent, subject={"handle": handle})
    )
    signed = {"prepared": prepared["id"], "signature": sign(prepared, 1)}
    await do(commission, "/signed-acts", signed)
    found = await look(laboratory, f"/exchanges/{prepared['uid']}")
    assert (found["requester"], found["state"]) == (LABORATORY, "approved")
    # The commission's vault has no opening of the consent, so the bureau needs it by itself.
    assert (await release(bureau, prepared, status=409))["code"] == "subject_unopened"
    await bureau.post(
        f"/consents/{consent}/envelope", await find_envelope(laboratory, consent), status=200
    )
    await release(bureau, prepared)


async def find_envelope(caller: Caller, consent: str) -> Any:
    return await recall_consent(caller.agency.unrecorded, bytes.fromhex(consent[2:]))


async def test_exchange_altered_on_the_way_is_disputed(
    bureau: Caller, laboratory: Caller, law: Law, consent: str
) -> None:
    asked = await ask(laboratory, law, consent)
    arrived = (await release(bureau, asked))["envelope"]
    arrived["body"]["data"]["income_band"] = "A"
    path = f"/exchanges/{asked['uid']}/acknowledgement"
    told = await do(laboratory, path, {"response_envelope": arrived})
    assert told["envelope"]["outcome"] == "disputed"
    assert told["envelope"]["released"] != told["envelope"]["received"]
    assert await state(laboratory, asked["uid"]) == "disputed"
    # Another delivery settles it, and needs no further quota.
    again = await release(bureau, asked)
    await do(laboratory, path, {"response_envelope": again["envelope"]})
    assert await state(laboratory, asked["uid"]) == "received"


async def test_exchange_tells_what_the_law_asks(laboratory: Caller, law: Law, consent: str) -> None:
    told = await laboratory.post(
        "/explain",
        {"act": "exchange.request", "body": build_request(law, consent)},
        status=200,
    )
    assert told["allowed"] is True
    assert told["facts"] == {
        "basis_kind": "consent",
        "sharing": "unconditional",
        "sensitivity": "ordinary",
        "must_notify": False,
        "is_crossing": False,
    }


async def test_exchange_quota_is_used_once_and_comes_back_with_a_void(
    bureau: Caller, laboratory: Caller, law: Law, consent: str
) -> None:
    asked = await ask(laboratory, law, consent)
    first = await release(bureau, asked)
    again = await release(bureau, asked)
    assert again["envelope"] == first["envelope"]
    refused = await laboratory.post("/exchanges", build_request(law, consent), status=422)
    assert (refused["rule"], refused["field"]) == ("consent: quota used up", "consents")
    path = f"/exchanges/{asked['uid']}/void"
    await do(laboratory, path, {"reason": "error"})
    twice = await laboratory.post(path, {"reason": "error"}, status=409)
    assert twice["rule"] == "exchange: void already signed"
    await do(bureau, path, {"reason": "error"})
    assert await state(bureau, asked["uid"]) == "void"
    assert (await ask(laboratory, law, consent))["uid"]


async def test_exchange_due_time_comes_from_a_profile_with_its_calendar(
    bureau: Caller, laboratory: Caller, law: Law, consent: str
) -> None:
    deadline = {"profile": "mo-request-decision", "started": "2026-11-23T01:00:00Z"}
    body = build_request(law, consent, due=None, deadline=deadline)
    told = (await explain(laboratory, "exchange.request", body))["facts"]["deadline"]
    assert (told["calendar"], told["calendar_version"], told["profile_version"]) == ("macao", 1, 1)
    assert told["due"].startswith("2026-12-0")
    asked = await do(laboratory, "/exchanges", body)
    record = await read(bureau, "exchanges", "exchange", asked["uid"])
    assert write_time(record["request"]["due"]) == told["due"]
    assert asked["envelope"]["body"]["deadline"] == told
    unknown = body | {"deadline": {"profile": "nowhere"}}
    refused = await laboratory.post("/exchanges", unknown, status=404)
    assert refused["code"] == "profile_unknown"
    both = await laboratory.post("/exchanges", body | {"due": LATER}, status=400)
    assert both["detail"] == "give exactly one of due, deadline"


async def test_exchanges_of_a_case_and_of_a_person_are_found_again(
    laboratory: Caller, law: Law, tmp_path: Path
) -> None:
    consent = (await record_consent(laboratory, law, quota=5))["uid"]
    first = await ask(laboratory, law, consent, case="C-1")
    await ask(laboratory, law, consent, case="C-2")
    second = await ask(laboratory, law, consent, case="C-1")
    materials = laboratory.agency.materials
    uids = [bytes.fromhex(asked["uid"][2:]) for asked in (first, second)]
    assert await materials.list_by_reference("case", "C-1") == tuple(uids)
    handle = first["envelope"]["body"]["subject"]["handle"]
    assert len(await materials.list_by_reference("subject", handle[2:])) == 4
    again = build_request(law, consent)
    one = await laboratory.post("/exchanges", again, key="one")
    assert await laboratory.post("/exchanges", again, key="one") == one
    # What a thief of the database sees.
    for file in (tmp_path / "laboratory").glob("vault.sqlite*"):
        assert b"C-1" not in file.read_bytes()
        assert bytes.fromhex(handle[2:]) not in file.read_bytes()
