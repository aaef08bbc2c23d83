"""Legal bases, instruments and stops through REST."""

from typing import Any

import pytest

from api.ledger import Reverted
from contracts.addresses import BASES_NAME
from contracts.labels import encode_label
from tests.unit.acts.law_world import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    LATER,
    LAW,
    PAST,
    build_basis,
    check_basis,
    explain,
    publish_purpose,
    read,
    register_dataset,
)
from tests.unit.rest.ledger_world import Caller


async def test_basis_is_entered_by_the_supervisor_with_its_law(
    bureau: Caller, supervisor: Caller
) -> None:
    dataset, purpose = await register_dataset(bureau), await publish_purpose(bureau)
    fields = await bureau.get(f"/texts/{await find_fields(bureau, dataset)}")
    await supervisor.put("/texts", {name: fields[name] for name in ("kind", "language", "body")})
    body = build_basis(dataset, purpose, from_jurisdiction="MO", must_notify=True)
    body["scopes"][0]["fields"] = ["/household", "/income_band"]
    accepted = await supervisor.post("/bases", body)
    await supervisor.agency.settle()
    record = await read(supervisor, BASES_NAME, "basis", accepted["uid"])
    assert (record["is_voted"], record["state"], record["terms"]["must_notify"]) == (False, 1, True)
    assert record["terms"]["from_jurisdiction"] == encode_label("MO")
    law = await supervisor.get(f"/texts/0x{record['terms']['law_hash'].hex()}")
    assert (law["kind"], law["body"]) == ("law", LAW)
    answer = await check_basis(supervisor, accepted["uid"], LABORATORY, dataset, 0b101, purpose)
    assert answer["must_notify"] is True
    with pytest.raises(Reverted, match="not for these fields"):
        await check_basis(supervisor, accepted["uid"], LABORATORY, dataset, 0b010, purpose)
    await supervisor.post(
        f"/bases/{accepted['uid']}/state", {"state": "suspended", "reason": "ended_by_law"}
    )
    await supervisor.agency.settle()
    with pytest.raises(Reverted, match="basis: not in force"):
        await check_basis(supervisor, accepted["uid"], LABORATORY, dataset, 0b101, purpose)


async def test_basis_without_a_supervisor_tells_what_to_vote_on(
    bureau: Caller, supervisor: Caller
) -> None:
    dataset, purpose = await register_dataset(bureau), await publish_purpose(bureau)
    body = build_basis(dataset, purpose)
    told = await explain(bureau, "basis.enter", body)
    assert told["refusal"]["rule"] == "basis: neither supervisor nor vote"
    assert told["refusal"]["status"] == 403
    assert len(told["facts"]["resolution"]) == 66
    body["uid"] = told["uid"]
    assert (await explain(bureau, "basis.enter", body))["facts"] == told["facts"]
    # The supervisor's key does it by its own decision.
    assert (await explain(supervisor, "basis.enter", body))["allowed"] is True


async def test_basis_names_an_unknown_field_by_its_place(
    bureau: Caller, supervisor: Caller
) -> None:
    dataset, purpose = await register_dataset(bureau), await publish_purpose(bureau)
    body = build_basis(dataset, purpose)
    body["scopes"][0]["fields"] = ["/income_band", "/shoe_size"]
    refused = await supervisor.post("/bases", body, status=409)
    assert (refused["code"], refused["field"]) == ("text_missing", "scopes.0.dataset")
    fields = await bureau.get(f"/texts/{refused['text']}")
    await supervisor.put("/texts", {name: fields[name] for name in ("kind", "language", "body")})
    refused = await supervisor.post("/bases", body, status=422)
    assert (refused["code"], refused["field"]) == ("field_unknown", "scopes.0.fields.1")
    assert "shoe" not in str(refused)


async def test_instrument_keeps_its_filing_in_the_vault(bureau: Caller, supervisor: Caller) -> None:
    dataset = await register_dataset(bureau)
    body = {
        "kind": "permit",
        "filing": {"number": "GBA-2026-17"},
        "assessment": {"title": "Assessment 17"},
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": dataset,
        "valid_from": PAST,
        "valid_until": LATER,
    }
    accepted = await supervisor.post("/instruments", body)
    await supervisor.agency.settle()
    record = await read(supervisor, BASES_NAME, "instrument", accepted["uid"])
    terms = record["terms"]
    assert (terms["kind"], terms["is_onward_allowed"]) == (3, False)
    uid = bytes.fromhex(accepted["uid"][2:])
    filing = await supervisor.agency.materials.find(uid, "filing")
    assert filing is not None
    assert (filing.commitment, filing.body) == (terms["filing"], body["filing"])
    assert await supervisor.get(f"/texts/0x{terms['assessment_hash'].hex()}")
    refused = await bureau.post("/instruments", body, status=403)
    assert refused["rule"] == "key: role missing"
    await supervisor.post(
        f"/instruments/{accepted['uid']}/state", {"state": "revoked", "reason": "security"}
    )
    await supervisor.agency.settle()
    record = await read(supervisor, BASES_NAME, "instrument", accepted["uid"])
    assert (record["state"], record["reason"]) == (3, 5)


async def test_instrument_refused_leaves_nothing_in_the_vault(
    bureau: Caller, supervisor: Caller
) -> None:
    uid = "0x" + "44" * 32
    body = {
        "uid": uid,
        "kind": "permit",
        "filing": {"number": "GBA-2026-17"},
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": await register_dataset(bureau),
        "valid_from": LATER,
        "valid_until": PAST,
    }
    refused = await supervisor.post("/instruments", body, status=422)
    assert refused["rule"] == "instrument: ends before it begins"
    assert await supervisor.agency.materials.get_all(bytes([0x44]) * 32) == {}


async def test_stop_of_each_kind_and_its_lifting(bureau: Caller, supervisor: Caller) -> None:
    dataset, purpose = await register_dataset(bureau), await publish_purpose(bureau)
    basis = (await supervisor.post("/bases", build_basis(dataset, purpose)))["uid"]
    await supervisor.agency.settle()
    decision: dict[str, Any] = {"until": LATER, "decision": {"number": "3/2026", "text": "Stop."}}
    rules: dict[str, Any] = {
        "stop: dataset stopped": {"dataset": dataset},
        "stop: pair stopped": {"pair": [LABORATORY, BUREAU]},
        "stop: basis stopped": {"basis": basis},
    }
    for rule, subject in rules.items():
        stop = (await supervisor.post("/stops", subject | decision))["uid"]
        await supervisor.agency.settle()
        with pytest.raises(Reverted, match=rule):
            await check_basis(supervisor, basis, LABORATORY, dataset, 1, purpose)
        await supervisor.post(f"/stops/{stop}/lift", {})
        await supervisor.agency.settle()
        assert await check_basis(supervisor, basis, LABORATORY, dataset, 1, purpose)
        again = await supervisor.post(f"/stops/{stop}/lift", {}, status=409)
        assert again["rule"] == "stop: already lifted"
    refused = await supervisor.post(
        "/stops", decision | {"dataset": dataset, "basis": basis}, status=400
    )
    assert refused["detail"] == "give exactly one of dataset, pair, basis"
    refused = await supervisor.post("/stops", decision | {"basis": "0x" + "09" * 32}, status=404)
    assert refused["code"] == "basis_not_found"


async def find_fields(caller: Caller, dataset: str) -> str:
    record = await read(caller, "catalogue", "dataset", dataset)
    return "0x" + str(record["terms"]["fields_hash"].hex())
