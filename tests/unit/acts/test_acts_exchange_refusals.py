"""What is refused of exchanges, by the ledger's law and by the provider's own checks."""

from typing import Any

import pytest
from atesta_client.envelopes import open_envelope

from tests.unit.acts.exchange_world import (
    Law,
    ask,
    build_request,
    do,
    look,
    make_law,
    record_consent,
    release,
    share_texts,
)
from tests.unit.acts.law_world import (
    ACT_LIST,
    BUREAU,
    COMMISSION,
    LATER,
    LAW,
    PAST,
    explain,
    publish_purpose,
    read,
    register_dataset,
    write_time,
)
from tests.unit.rest.ledger_world import Caller


@pytest.fixture
async def asked(laboratory: Caller, law: Law, consent: str) -> Any:
    """The laboratory's request, which is approved at once."""
    return await ask(laboratory, law, consent)


async def state(caller: Caller, uid: str) -> Any:
    return (await look(caller, f"/exchanges/{uid}"))["state"]


async def test_exchange_asked_by_nobody_is_refused(laboratory: Caller, law: Law) -> None:
    refused = await laboratory.post("/exchanges", build_request(law, officer={}), status=400)
    assert (refused["code"], refused["field"]) == ("invalid_field", "officer")


async def test_exchange_needs_the_opening_of_the_consents_person(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    handle = "0x" + "06" * 32
    uid = (await record_consent(laboratory, law, quota=None, subject={"handle": handle}))["uid"]
    await laboratory.agency.services.materials.discard(bytes.fromhex(uid[2:]))
    asked = await ask(laboratory, law, uid, subject={"handle": handle})
    refused = await release(bureau, asked, status=409)
    assert (refused["code"], refused["consent"]) == ("subject_unopened", uid)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            {"income_band": "B", "year": 2025, "household": 3},
            ("field_not_asked", "response/household", "/household"),
        ),
        (
            {"income_band": "B", "year": 2025, "name": "Example Person"},
            ("field_not_asked", "response", None),
        ),
        ({"income_band": "B"}, ("field_not_released", "response/year", "/year")),
        ({}, ("field_not_released", "response/income_band", "/income_band")),
    ],
)
async def test_exchange_releases_exactly_the_fields_asked(
    bureau: Caller, asked: Any, data: Any, told: Any
) -> None:
    refused = await release(bureau, asked, data, status=422)
    assert (refused["code"], refused["field"], refused.get("pointer")) == told
    assert "Example Person" not in str(refused)
    assert "name" not in refused["detail"]
    kept = await bureau.agency.materials.get_all(bytes.fromhex(asked["uid"][2:]))
    assert kept == {}


async def test_exchange_takes_only_the_envelope_that_was_committed_to(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    consent = (await record_consent(laboratory, law, quota=5))["uid"]
    one, other = await ask(laboratory, law, consent), await ask(laboratory, law, consent)
    swapped = one | {"envelope": other["envelope"]}
    assert (await release(bureau, swapped, status=409))["code"] == "request_mismatch"
    broken = one | {"envelope": one["envelope"] | {"salt": "0x00"}}
    assert (await release(bureau, broken, status=400))["code"] == "envelope_malformed"
    foreign = await release(laboratory, one, status=403)
    assert foreign["rule"] == "exchange: not yours"
    unknown = one | {"uid": "0x" + "77" * 32}
    assert (await release(bureau, unknown, status=404))["code"] == "exchange_not_found"
    path = f"/exchanges/{one['uid']}/acknowledgement"
    early = await laboratory.post(path, {"response_envelope": one["envelope"]}, status=400)
    assert early["field"] == "response_envelope.kind"


async def test_exchange_refusals_name_rule_field_law_and_next_step(
    bureau: Caller, laboratory: Caller, commission: Caller, law: Law, consent: str
) -> None:
    await laboratory.put("/texts", {"kind": "law", "language": None, "body": LAW})
    await share_texts(bureau, law.dataset, commission)
    other = await publish_purpose(bureau)
    general = {"general": consent}
    cases: list[tuple[Caller, dict[str, Any], str, str]] = [
        (laboratory, {"consents": {}}, "consent: missing", "consents"),
        (laboratory, {"fields": ["/household"]}, "consent: not for these fields", "fields"),
        (laboratory, {"purpose": other}, "basis: not for this purpose", "purpose"),
        (laboratory, {"consents": {"general": law.basis}}, "consent: unknown", "consents"),
        (
            laboratory,
            {"consents": general | {"sensitive": consent}},
            "exchange: not sensitive",
            "consents.sensitive",
        ),
        (laboratory, {"instrument": law.basis}, "exchange: no instrument needed", "instrument"),
        (laboratory, {"onward_of": law.basis}, "onward: unknown exchange", "onward_of"),
        (laboratory, {"due": PAST}, "exchange: due time passed", "due"),
        (laboratory, {"mode": "standing"}, "exchange: end missing", "valid_until"),
        (laboratory, {"valid_until": LATER}, "exchange: has no periods", "mode"),
        (laboratory, {"provider": COMMISSION}, "dataset: not the provider's", "provider"),
        (commission, {}, "basis: not for these parties", "basis"),
    ]
    for caller, changes, rule, field in cases:
        person = {} if caller is laboratory else {"subject": {"handle": law.basis}}
        body = build_request(law, consent, **(person | changes))
        refusal = (await explain(caller, "exchange.request", body))["refusal"]
        assert (refusal["rule"], refusal["field"]) == (rule, field)
        assert refusal["next_step"]
        assert refusal["code"] not in {"refused_by_ledger", "invalid_field"}
        if caller is laboratory:
            assert refusal["legal_reference"]["text"] == LAW


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"retention_until": "1900-01-01T00:00:00Z"}, 400, ("invalid_field", "retention_until")),
        ({"due": "0001-01-01T00:00:00+14:00"}, 400, ("invalid_field", "due")),
        ({"officer": {"number": 2**60}}, 400, ("invalid_field", "officer")),
        ({"subject": {"reference": " "}}, 400, ("invalid_field", "subject.reference")),
        ({"fields": []}, 400, ("invalid_field", "fields")),
        (
            {"due": None, "deadline": {"profile": "nowhere"}},
            404,
            ("profile_unknown", "deadline.profile"),
        ),
        (
            {
                "due": None,
                "deadline": {"profile": "mo-request-decision", "started": "2031-01-02T01:00:00Z"},
            },
            422,
            ("calendar_ends", "deadline.started"),
        ),
    ],
)
async def test_exchange_request_names_the_field_at_fault(
    laboratory: Caller, law: Law, changes: Any, status: int, told: tuple[str, str]
) -> None:
    refused = await laboratory.post("/exchanges", build_request(law, **changes), status=status)
    assert (refused["code"], refused["field"]) == told


async def test_exchange_on_an_expired_basis_is_refused_at_request_and_at_release(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    ledger = bureau.agency.ledger
    ending = write_time(ledger.now_s + 60)
    law = await make_law(bureau, supervisor, laboratory, kind="statute", valid_until=ending)
    asked = await ask(laboratory, law)
    ledger.mine(period_s=100)
    refused = await release(bureau, asked, status=422)
    assert (refused["rule"], refused["field"]) == ("basis: expired", "basis")
    assert refused["legal_reference"]["hash"].startswith("0x")
    refused = await laboratory.post("/exchanges", build_request(law), status=422)
    assert refused["rule"] == "basis: expired"


async def test_exchange_of_a_dataset_that_is_not_shared_names_the_law(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, kind="statute")
    closed = await register_dataset(bureau, sharing="not_shared", legal_reference=LAW)
    await share_texts(bureau, closed, laboratory)
    reference = {"kind": "legal_reference", "language": "en", "body": LAW}
    await laboratory.put("/texts", reference)
    refused = await laboratory.post("/exchanges", build_request(law, dataset=closed), status=422)
    assert (refused["rule"], refused["field"]) == ("dataset: not shared", "dataset")
    assert refused["legal_reference"]["text"] == LAW


async def test_exchange_is_decided_by_the_providers_data_officer(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(
        bureau,
        supervisor,
        laboratory,
        dataset={"sharing": "conditional", "conditions": {"text": "Only for benefits."}},
        kind="statute",
    )
    asked = await ask(laboratory, law)
    path = f"/exchanges/{asked['uid']}/decision"
    approve = {"decision": "approve", "officer": {"number": "12"}}
    own = await laboratory.post(path, approve, status=403)
    assert own["rule"] == "exchange: own request"
    refused = await release(bureau, asked, status=422)
    assert refused["rule"] == "exchange: not approved"
    without = await bureau.post(path, approve | {"decision": "refuse"}, status=400)
    assert without["detail"] == "a refusal needs a reason, an approval has none"
    decided = await do(bureau, path, approve)
    record = await read(bureau, "exchanges", "exchange", asked["uid"])
    officer = open_envelope(
        decided["envelope"]["decision_officer"], kind="officer", commitment=record["decided_by"]
    )
    assert officer.body == {"number": "12"}
    await release(bureau, asked)
    second = await ask(laboratory, law)
    refuse = {"decision": "refuse", "reason": "ended_by_law", "explanation": "Not needed."}
    await do(bureau, f"/exchanges/{second['uid']}/decision", approve | refuse)
    assert await state(laboratory, second["uid"]) == "refused"
    third = await ask(laboratory, law)
    await do(laboratory, f"/exchanges/{third['uid']}/cancellation", {})
    late = await bureau.post(f"/exchanges/{third['uid']}/decision", approve, status=409)
    assert late["rule"] == "exchange: already decided"


async def test_exchange_across_a_border_needs_instrument_and_consents_of_their_own(
    bureau: Caller, commission: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(
        bureau,
        supervisor,
        commission,
        dataset={"sensitivity": "sensitive"},
        sensitivity="sensitive",
        recipient=COMMISSION,
    )
    uids = {}
    for kind in ("general", "sensitive", "cross_border"):
        recorded = await record_consent(commission, law, kind=kind, recipient=COMMISSION)
        uids[kind] = recorded["uid"]
    instrument = {
        "kind": "contract",
        "filing": {"number": "GBA-2026-17"},
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": law.dataset,
        "valid_from": PAST,
    }
    filed = (await do(supervisor, "/instruments", instrument))["uid"]
    cases: list[tuple[dict[str, Any], str, str | None]] = [
        ({"instrument": None}, "instrument: missing", "instrument"),
        ({"consents": {"general": uids["general"]}}, "consent: missing", None),
        (
            {"consents": uids | {"sensitive": uids["general"]}},
            "consent: not of this kind",
            None,
        ),
    ]
    whole = build_request(law, instrument=filed, consents=uids)
    for changes, rule, field in cases:
        refusal = (await explain(commission, "exchange.request", whole | changes))["refusal"]
        assert refusal["rule"] == rule
        assert field is None or refusal["field"] == field
    told = await explain(commission, "exchange.request", whole)
    assert told["facts"]["is_crossing"] is True
    assert told["facts"]["sensitivity"] == "sensitive"
    asked = await do(commission, "/exchanges", whole)
    await release(bureau, asked)
    # The laboratory asks the commission for what it received: the instrument does not allow it.
    onward = build_request(law, onward_of=asked["uid"], provider=COMMISSION)
    await share_texts(bureau, law.dataset, laboratory)
    refusal = (await explain(laboratory, "exchange.request", onward))["refusal"]
    assert refusal["status"] == 422


async def test_exchange_by_a_mandate_ends_with_the_office_and_survives_with_the_power(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, kind="statute")
    act_list = (await laboratory.put("/texts", ACT_LIST))["hash"]
    common: dict[str, Any] = {
        "act_list": act_list,
        "acts": ["file-return"],
        "limit": 500,
        "valid_from": PAST,
    }
    body = {"register_name": "mo-associations", "number": "0042"}
    person: dict[str, Any] = {"grantee": {"name": "Example Person"}}
    office = common | person | {"kind": "office", "body": body}
    power = common | person | {"kind": "power", "body": body, "grantor": {"name": "Association"}}
    uids = [
        entry["uid"]
        for entry in (await do(laboratory, "/mandates", {"mandates": [office, power]}))["envelope"][
            "mandates"
        ]
    ]

    async def refusal_of(uid: str, **changes: Any) -> Any:
        mandate = {"uid": uid, "acts": ["file-return"], "amount": 100} | changes
        told = await explain(laboratory, "exchange.request", build_request(law, mandate=mandate))
        return None if told["allowed"] else (told["refusal"]["rule"], told["refusal"]["field"])

    assert await refusal_of(uids[0]) is None
    assert await refusal_of(uids[1]) is None
    over = await refusal_of(uids[0], amount=501)
    assert over == ("mandate: over the limit", "mandate.amount")
    scope = await refusal_of(uids[0], acts=["sign-contract"])
    assert scope == ("mandate: out of scope", "mandate.acts")
    succession: dict[str, Any] = {
        "body": body,
        "effective": write_time(laboratory.agency.ledger.now_s + 2),
        "resolution": {"minutes": "M-12"},
        "offices": [person | {"act_list": act_list, "acts": ["sign-contract"]}],
    }
    await do(laboratory, "/mandates/successions", succession)
    laboratory.agency.ledger.mine(5)
    ended = await refusal_of(uids[0])
    assert ended is not None
    assert ended[0] == "mandate: office ended"
    assert await refusal_of(uids[1]) is None
    unknown = {"uid": law.basis, "acts": ["file-return"]}
    refused = await laboratory.post("/exchanges", build_request(law, mandate=unknown), status=404)
    assert (refused["code"], refused["field"]) == ("mandate_not_found", "mandate.uid")


# The test's own client, which has nothing else to do.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_exchange_releases_no_more_than_a_vault_reads_again(
    bureau: Caller, asked: Any
) -> None:
    data = {"income_band": "B" * (1 << 19), "year": ["0" * (1 << 18), "1" * (1 << 18)]}
    refused = await release(bureau, asked, data, status=413)
    assert (refused["code"], refused["field"]) == ("limit_exceeded", "response")
    assert await bureau.agency.materials.get_all(bytes.fromhex(asked["uid"][2:])) == {}
    operations = await look(bureau, "/operations")
    assert "exchange.release" not in {entry["kind"] for entry in operations["items"]}
