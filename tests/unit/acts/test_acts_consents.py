"""Consents through REST: by a resident's own key, recorded by an agency, withdrawn, answered."""

from typing import Any

import pytest
from atesta_client.envelopes import open_envelope
from atesta_client.resident_keys import ResidentKey

from tests.engines import ON_BOTH_ENGINES
from tests.unit.acts.exchange_world import (
    PERSON,
    TAXPAYER,
    Law,
    ask,
    build_record,
    build_request,
    build_terms,
    do,
    look,
    make_law,
    record_consent,
    release,
)
from tests.unit.acts.law_world import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    LATER,
    explain,
    read,
    write_time,
)
from tests.unit.rest.ledger_world import START_S, Caller


@pytest.fixture
async def law(bureau: Caller, laboratory: Caller, commission: Caller, supervisor: Caller) -> Law:
    return await make_law(bureau, supervisor, laboratory, commission)


async def bind(bureau: Caller, key: ResidentKey) -> Any:
    """The bureau, which knows the taxpayer, says whose key it is."""
    return await do(
        bureau,
        "/key-bindings",
        {
            "holder": key.address,
            "subject": {"reference": TAXPAYER},
            "counterparty": LABORATORY,
            "valid_until": LATER,
        },
    )


async def give(bureau: Caller, law: Law, key: ResidentKey, **changes: Any) -> Any:
    """Let the resident consent at the bureau's counter page; returns what was accepted."""
    terms = build_terms(law, subject={"reference": TAXPAYER}, **changes)
    prepared = await bureau.post("/consents/prepared", terms | {"holder": key.address}, status=201)
    signed = {"uid": prepared["uid"], "signature": key.sign(prepared["typed_data"])}
    return await do(bureau, "/consents/signed", signed)


async def test_consent_by_the_residents_own_key_carries_an_exchange(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    key = ResidentKey.generate()
    await bind(bureau, key)
    given = await give(bureau, law, key)
    record = await read(laboratory, "consents", "consent", given["uid"])
    assert "0x" + record["origin"]["holder"].hex() == key.address
    assert record["origin"]["is_by_beneficiary"] is False
    subject = open_envelope(
        given["envelope"]["subject"], kind="subject", commitment=record["terms"]["subject"]
    )
    full = open_envelope(
        given["envelope"]["record"], kind="consent-record", commitment=record["terms"]["record"]
    )
    assert full.body["record_id"] == given["uid"]
    assert full.body["pii_principal_id"] == subject.body["handle"]
    assert TAXPAYER not in str(given["envelope"])
    # The laboratory takes the envelope, and says who the handle is here.
    kept = await laboratory.post(
        f"/consents/{given['uid']}/envelope", given["envelope"], status=200
    )
    assert (kept["handle"], kept["reference"]) == (subject.body["handle"], None)
    matched = {"handle": kept["handle"], "counterparty": BUREAU} | PERSON
    await laboratory.post("/subjects/match", matched, status=200)
    asked = await ask(laboratory, law, given["uid"])
    released = await release(bureau, asked)
    told = await do(
        laboratory,
        f"/exchanges/{asked['uid']}/acknowledgement",
        {"response_envelope": released["envelope"]},
    )
    assert told["envelope"]["outcome"] == "received"


async def test_consent_key_gives_one_consent_and_withdraws_it(bureau: Caller, law: Law) -> None:
    key = ResidentKey.generate()
    await bind(bureau, key)
    given = await give(bureau, law, key)
    terms = build_terms(law, subject={"reference": TAXPAYER}) | {"holder": key.address}
    refused = await bureau.post("/consents/prepared", terms, status=409)
    assert refused["rule"] == "binding: key already used"
    path = f"/consents/{given['uid']}/withdrawal"
    prepared = await bureau.post(f"{path}/prepared", {}, status=201)
    other = ResidentKey.generate().sign(prepared["typed_data"])
    signed = {
        "declared_at": prepared["moment"],
        "nonce": prepared["nonce"],
        "deadline": prepared["deadline"],
    }
    refused = await bureau.post(f"{path}/signed", signed | {"signature": other}, status=403)
    assert refused["rule"] == "signature: not the signer's"
    signature = key.sign(prepared["typed_data"])
    await do(bureau, f"{path}/signed", signed | {"signature": signature})
    read_back = await look(bureau, f"/consents/{given['uid']}")
    assert (read_back["state"], read_back["standing"]["withdrawal"]["agency"]) == ("revoked", None)


async def test_consent_signed_elsewhere_is_handed_in_with_its_message(
    bureau: Caller, commission: Caller, law: Law
) -> None:
    key = ResidentKey.generate()
    await bind(bureau, key)
    terms = build_terms(law, subject={"reference": TAXPAYER}) | {"holder": key.address}
    prepared = await bureau.post("/consents/prepared", terms, status=201)
    signed = {"uid": prepared["uid"], "signature": key.sign(prepared["typed_data"])}
    refused = await commission.post("/consents/signed", signed, status=404)
    assert refused["code"] == "consent_not_prepared"
    message = prepared["typed_data"]["message"]
    whole = signed | {"holder": key.address, "message": message}
    changed = whole | {"message": message | {"quota": "9"}}
    refused = await commission.post("/consents/signed", changed, status=403)
    assert refused["rule"] == "signature: not the signer's"
    for fault, field in (
        ({"uid": "0x" + "01" * 32}, "message.uid"),
        ({"kind": "256"}, "message.kind"),
        ({"notice": "0x12"}, "message.notice"),
    ):
        refused = await commission.post(
            "/consents/signed", whole | {"message": message | fault}, status=400
        )
        assert refused["field"] == field
    await do(commission, "/consents/signed", whole)
    assert (await look(bureau, f"/consents/{prepared['uid']}"))["state"] == "active"


async def test_consent_is_not_prepared_for_a_key_that_may_not_give_it(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    key = ResidentKey.generate()
    terms = build_terms(law, subject={"reference": TAXPAYER}) | {"holder": key.address}
    refused = await bureau.post("/consents/prepared", terms, status=422)
    assert refused["rule"] == "binding: key not bound"
    own = {
        "holder": key.address,
        "subject": PERSON,
        "counterparty": BUREAU,
        "valid_until": LATER,
    }
    await do(laboratory, "/key-bindings", own)
    refused = await bureau.post("/consents/prepared", terms, status=403)
    assert refused["rule"] == "binding: by the beneficiary"
    bound = ResidentKey.generate()
    await bind(bureau, bound)
    another = terms | {"holder": bound.address, "subject": {"reference": "taxpayer-78"}}
    refused = await bureau.post("/consents/prepared", another, status=422)
    assert refused["code"] == "subject_mismatch"
    bundled = terms | {"holder": bound.address, "dataset": law.purpose}
    assert (await bureau.post("/consents/prepared", bundled, status=404))["field"] == "dataset"


async def test_consent_recorded_by_its_beneficiary_waits_for_confirmation(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    recorded = await record_consent(laboratory, law)
    uid = recorded["uid"]
    origin = (await look(bureau, f"/consents/{uid}"))["origin"]
    assert (origin["by_beneficiary"], origin["channel"]) == (True, "counter")
    kept = await laboratory.agency.materials.get_all(bytes.fromhex(uid[2:]))
    assert {role.split("-")[0] for role in kept} == {"subject", "record", "clerk", "form", "answer"}
    await do(bureau, f"/consents/{uid}/confirmation-demand", {})
    refused = await laboratory.post("/exchanges", build_request(law, uid), status=422)
    assert refused["rule"] == "consent: confirmation demanded"
    own = {"confirmation": {"call": "by ourselves"}}
    refused = await laboratory.post(f"/consents/{uid}/confirmation", own, status=403)
    assert refused["rule"] == "confirmation: by the beneficiary"
    await do(bureau, f"/consents/{uid}/confirmation", {"confirmation": {"call": "17"}})
    assert (await ask(laboratory, law, uid))["uid"]


async def test_consent_record_again_with_the_same_key_returns_the_same_envelope(
    laboratory: Caller, law: Law
) -> None:
    body = build_record(law)
    first = await laboratory.post("/consents", body, key="one")
    assert await laboratory.post("/consents", body, key="one") == first
    assert first["envelope"]["uid"] == first["uid"]


async def test_consent_withdrawn_binds_and_is_answered(
    bureau: Caller, laboratory: Caller, commission: Caller, supervisor: Caller, law: Law
) -> None:
    uid = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, uid)
    await release(bureau, asked)
    path = f"/consents/{uid}/withdrawal"
    stranger = await commission.post(path, {"form": {"form": "F-13"}}, status=403)
    assert stranger["rule"] == "consent: not yours"
    early = await laboratory.post(f"{path}/answer", {"outcome": "deleted"}, status=422)
    assert early["rule"] == "withdrawal: not declared"
    declared = bureau.agency.ledger.blocks[-1].time_s
    await do(bureau, path, {"form": {"form": "F-13"}})
    refused = await release(bureau, asked, status=422)
    assert refused["rule"] == "consent: withdrawn"
    without = {"outcome": "retained"}
    assert (await laboratory.post(f"{path}/answer", without, status=400))["code"] == "invalid_field"
    wrong = {"outcome": "retained", "basis": "0x" + "09" * 32, "until": LATER}
    refused = await laboratory.post(f"{path}/answer", wrong, status=422)
    assert refused["rule"] == "withdrawal: retained without a basis"
    kept = {"outcome": "retained", "basis": law.basis, "until": LATER}
    await do(laboratory, f"{path}/answer", kept)
    await do(laboratory, f"{path}/answer", {"outcome": "deleted"})
    standing = (await look(supervisor, f"/consents/{uid}"))["standing"]["withdrawal"]
    assert standing["answers"][0]["outcome"] == "deleted"
    assert declared >= START_S


@ON_BOTH_ENGINES
async def test_consent_withdrawn_earlier_lists_the_releases_since(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    uid = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, uid)
    declared = bureau.agency.ledger.blocks[-1].time_s
    await release(bureau, asked)
    moment = {"declared_at": write_time(declared), "form": {"form": "F-13"}}
    await do(laboratory, f"/consents/{uid}/withdrawal", moment)
    withdrawn = (await look(laboratory, f"/consents/{uid}"))["standing"]["withdrawal"]
    assert withdrawn["releases_to_remedy"] == 1


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"fields": ["/shoe_size"]}, 422, ("field_unknown", "fields.0")),
        ({"subject": {}}, 400, ("invalid_field", "subject.reference")),
        ({"response_s": 0}, 400, ("invalid_field", "response_s")),
        ({"recipient": BUREAU}, 422, ("consent_recipient_is_the_provider", None)),
        ({"provider": COMMISSION}, 422, ("dataset_not_the_providers", None)),
        ({"quota": 0}, 400, ("invalid_field", "quota")),
    ],
)
async def test_consent_faults_are_named(
    laboratory: Caller, law: Law, changes: Any, status: int, told: tuple[str, str | None]
) -> None:
    body = build_record(law, **({"subject": {"handle": "0x" + "05" * 32}} | changes))
    refused = await laboratory.post("/consents", body, status=status)
    assert refused["code"] == told[0]
    if told[1] is not None:
        assert refused["field"] == told[1]


async def test_consent_explained_leaves_nothing_behind(laboratory: Caller, law: Law) -> None:
    told = await explain(laboratory, "consent.record", build_record(law))
    assert (told["allowed"], told["facts"]) == (True, {"by_beneficiary": True})
    assert await laboratory.agency.materials.get_all(bytes.fromhex(told["uid"][2:])) == {}
    bureau_id = BUREAU.encode().ljust(32, b"\0")
    subjects = laboratory.agency.services.subjects
    assert await subjects.find_by_reference(bureau_id, PERSON["reference"]) is None


async def test_subject_handles_are_matched_on_both_sides(
    bureau: Caller, laboratory: Caller
) -> None:
    first = {"reference": TAXPAYER, "counterparty": LABORATORY}
    made = await bureau.post("/subjects", first, status=200)
    assert await bureau.post("/subjects", first, status=200) == made
    other = await bureau.post("/subjects", first | {"counterparty": COMMISSION}, status=200)
    assert other["handle"] != made["handle"]
    unknown = await laboratory.post("/subjects/find", {"handle": made["handle"]}, status=404)
    assert unknown["code"] == "subject_not_found"
    received = {"handle": made["handle"], "counterparty": BUREAU} | PERSON
    await laboratory.post("/subjects/match", received, status=200)
    found = await laboratory.post("/subjects/find", {"handle": made["handle"]}, status=200)
    assert found["reference"] == PERSON["reference"]
    # A second handle for the same person takes two officers.
    second = received | {"handle": "0x" + "07" * 32}
    refused = await laboratory.post("/subjects/match", second, status=409)
    assert (refused["code"], refused["field"]) == ("subject_conflict", "reference")
    own = {"counterparty": BUREAU} | PERSON
    assert (await laboratory.post("/subjects", own, status=200))["handle"] == made["handle"]
    taken = received | {"reference": "somebody-else"}
    refused = await laboratory.post("/subjects/match", taken, status=409)
    assert refused["field"] == "handle"
    own_agency = await laboratory.post(
        "/subjects", PERSON | {"counterparty": LABORATORY}, status=400
    )
    assert own_agency["field"] == "counterparty"


async def test_consent_envelope_of_another_consent_is_refused(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    one = await record_consent(laboratory, law)
    other = await record_consent(laboratory, law)
    envelope = other["envelope"] | {"uid": one["uid"]}
    path = f"/consents/{one['uid']}/envelope"
    assert (await bureau.post(path, envelope, status=409))["code"] == "commitment_mismatch"
    assert (await bureau.post(path, other["envelope"], status=400))["field"] == "uid"
    form = {"subject": other["envelope"]["record"]}
    assert (await bureau.post(path, form, status=400))["code"] == "envelope_malformed"
    kept = await bureau.post(path, one["envelope"], status=200)
    assert kept["uid"] == one["uid"]
