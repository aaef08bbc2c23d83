"""Yes/no fields through REST: registered, computed, refused, shown alone, read by a verifier."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from atesta_client.credentials import (
    Credential,
    LedgerReference,
    decode_credential,
    encode_credential,
    make_credential,
)
from atesta_client.formats.showing import show_sd_jwt_vc
from atesta_client.holder_keys import HolderKey
from atesta_client.predicate_definitions import format_predicate
from atesta_client.predicates import AgeAtLeast, OneOf
from atesta_client.presentations import Occasion, format_presentation, present
from atesta_client.schemas import Schema

from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME
from tests.unit.rest.ledger_world import START_S, Caller

UID = "0x" + "7e" * 32
POINTERS = ["/number", "/born", "/place", "/over_18", "/local", "/cnf"]
ADULT = AgeAtLeast(pointer="/over_18", source="/born", years=18)
LOCAL = OneOf(pointer="/local", source="/place", values=frozenset({"MO", "ZH"}))
TEXT: dict[str, Any] = {
    "title": "Proof of age",
    "pointers": POINTERS,
    "reference": ["/number"],
    "predicates": [format_predicate(ADULT), format_predicate(LOCAL)],
}
DOCUMENT = {"number": "7", "born": "1990-01-31", "place": "MO"}
TODAY = datetime.fromtimestamp(START_S, UTC).date().isoformat()


@pytest.fixture
async def asked(bureau: Caller, laboratory: Caller, commission: Caller) -> str:
    await bureau.post("/schemas", {"uid": UID, **TEXT})
    await bureau.agency.settle()
    issuer = await laboratory.agency.get_id()
    await bureau.post(f"/schemas/{UID}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    for caller in (laboratory, commission):
        await caller.agency.services.index.catch_up()
    await laboratory.put(f"/schemas/{UID}/text", TEXT)
    return UID


async def make(laboratory: Caller, document: dict[str, Any], **more: Any) -> Any:
    body = {"schema_uid": UID, "document": document, **more}
    return await laboratory.post("/credentials", body, status=201)


async def attest(laboratory: Caller, uid: str) -> None:
    await laboratory.post(f"/credentials/{uid}/attest", {})
    await laboratory.agency.settle()


async def ask(verifier: Caller) -> Occasion:
    made = await verifier.post("/verify/challenges", {"purpose": "bar"}, status=201)
    return Occasion(verifier=made["verifier"], purpose="bar", nonce=made["nonce"])


def list_codes(answer: Any) -> list[tuple[str, str | None]]:
    return [(reason["code"], reason["field"]) for reason in answer["reasons"]]


async def test_questions_are_part_of_what_the_ledger_has_a_hash_of(
    bureau: Caller, commission: Caller, asked: str
) -> None:
    told = await bureau.get(f"/schemas/{asked}")
    assert [p["pointer"] for p in told["predicates"]] == ["/over_18", "/local"]
    assert (await bureau.get("/schemas"))["items"][0]["predicates"] == told["predicates"]
    assert (await commission.get(f"/schemas/{asked}"))["predicates"] == []
    for predicates in ([], [format_predicate(ADULT)], [dict(TEXT["predicates"][0], years=21)]):
        body = {**TEXT, "predicates": predicates}
        problem = await commission.put(f"/schemas/{asked}/text", body, status=400)
        assert (problem["code"], problem["field"]) == ("invalid_field", "title")
    kept = await commission.put(f"/schemas/{asked}/text", TEXT)
    assert kept["predicates"] == told["predicates"]


async def test_question_that_no_field_can_answer_is_not_registered(bureau: Caller) -> None:
    good = TEXT["predicates"][0]
    for predicate, status, code, field in (
        (dict(good, pointer="/older"), 422, "schema_invalid", "predicates"),
        (dict(good, source="/birth"), 422, "schema_invalid", "predicates"),
        (dict(good, limit=5), 400, "invalid_field", "predicates.0.limit"),
        (dict(good, years=0), 400, "invalid_field", "predicates.0.years"),
        (dict(good, kind="below"), 400, "invalid_field", "predicates.0.years"),
        (dict(good, kind="older"), 400, "invalid_field", "predicates.0.kind"),
    ):
        body = {"uid": UID, **TEXT, "predicates": [predicate]}
        problem = await bureau.post("/schemas", body, status=status)
        assert (problem["code"], problem["field"]) == (code, field)


async def test_issuing_computes_the_answers(laboratory: Caller, asked: str) -> None:
    made = await make(laboratory, DOCUMENT)
    assert made["credential"]["document"] == {
        **DOCUMENT,
        "over_18": {"on": TODAY, "value": True},
        "local": {"on": TODAY, "value": True},
    }
    given = {**DOCUMENT, "number": "8", "over_18": {"on": "2000-01-01", "value": False}}
    made = await make(laboratory, given)
    assert made["credential"]["document"]["over_18"] == given["over_18"]
    accepted = await laboratory.post(
        "/attestations", {"schema_uid": asked, "document": {**DOCUMENT, "number": "9"}}
    )
    told = await laboratory.get(f"/credentials/{accepted['uid']}")
    assert told["credential"]["document"]["over_18"]["value"] is True


async def test_document_that_contradicts_its_answers_is_refused_by_the_field(
    laboratory: Caller, asked: str
) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"over_18": {"on": TODAY, "value": False}}, "document/over_18"),
        ({"over_18": True}, "document/over_18"),
        ({"over_18": {"on": "2200-01-01", "value": True}}, "document/over_18"),
        ({"born": "31.1.1990"}, "document/over_18"),
        ({"place": "GD", "local": {"on": TODAY, "value": True}}, "document/local"),
        ({"place": None}, "document/local"),
    )
    for change, field in cases:
        body = {"schema_uid": asked, "document": DOCUMENT | change}
        for path in ("/credentials", "/attestations"):
            problem = await laboratory.post(path, body, status=422)
            assert (problem["code"], problem["field"]) == ("document_malformed", field)
            assert "1990-" not in json.dumps(problem)


async def test_answer_is_shown_alone_and_read_with_its_day_and_question(
    bureau: Caller, commission: Caller, laboratory: Caller, asked: str
) -> None:
    key = HolderKey.generate()
    made = await make(laboratory, DOCUMENT, holder_key=key.public_key.to_field())
    await attest(laboratory, made["uid"])
    credential = decode_credential(made["credential"])
    now_s = commission.agency.ledger.now_s
    path = f"/credentials/{made['uid']}/export"
    token = (await laboratory.post(path, {"format": "sd-jwt-vc"}, status=200))["token"]
    said = {
        "field": "/over_18",
        "value": True,
        "on": TODAY,
        "rule": "/born is at least 18 years ago",
    }
    for verifier, expected in ((commission, []), (bureau, [said])):
        occasion = await ask(verifier)
        shown = present(credential, ["/over_18"], occasion=occasion, now_s=now_s, key=key)
        body = format_presentation(shown)
        assert "1990-" not in json.dumps(body)
        answer = await verifier.post("/verify", {"presentation": body}, status=200)
        assert (answer["result"], answer["predicates"]) == ("valid", expected)
        occasion = await ask(verifier)
        text = show_sd_jwt_vc(token, ["/over_18"], occasion=occasion, now_s=now_s, key=key)
        answer = await verifier.post("/verify", {"token": text}, status=200)
        assert (answer["result"], answer["predicates"]) == ("valid", expected)


def forge(answers: dict[str, Any], issuer: str, genesis_hash: bytes, chain_id: int) -> Credential:
    """Make a credential as an issuer would whose program does not compute what it is asked."""
    return make_credential(
        DOCUMENT | answers,
        schema=Schema(uid=bytes.fromhex(UID[2:]), pointers=tuple(POINTERS)),
        issuer=bytes.fromhex(issuer[2:]),
        ledger=LedgerReference(chain_id=chain_id, genesis_hash=genesis_hash),
        random_bytes=secrets.token_bytes,
    )


async def test_file_made_elsewhere_is_attested_only_with_right_answers(
    bureau: Caller, laboratory: Caller, asked: str
) -> None:
    ledger = laboratory.agency.services.ledger
    place = (await ledger.get_genesis_hash(), await ledger.get_chain_id())
    issuer = await laboratory.agency.get_id()
    right = {"over_18": {"on": TODAY, "value": True}, "local": {"on": TODAY, "value": True}}
    for answers, field, code in (
        ({}, "credential/document/over_18", "field_missing"),
        (
            {**right, "local": {"on": TODAY, "value": False}},
            "credential/document/local",
            "document_malformed",
        ),
    ):
        file = json.loads(encode_credential(forge(answers, issuer, *place)))
        problem = await laboratory.post("/attestations", {"credential": file}, status=422)
        assert (problem["code"], problem["field"]) == (code, field)
    file = json.loads(encode_credential(forge(right, issuer, *place)))
    await laboratory.post("/attestations", {"credential": file})
    await laboratory.agency.settle()
    answer = await bureau.post("/verify", {"credential": file}, status=200)
    assert (answer["result"], len(answer["predicates"])) == ("valid", 2)


async def test_wrong_answer_of_a_careless_issuer_does_not_stand(
    bureau: Caller, laboratory: Caller, asked: str
) -> None:
    ledger = laboratory.agency.services.ledger
    place = (await ledger.get_genesis_hash(), await ledger.get_chain_id())
    cases: tuple[tuple[Any, str], ...] = (
        ({"on": "2026-01-01", "value": False}, "predicate_contradicted"),
        ({"on": "2222-01-01", "value": True}, "predicate_malformed"),
        (True, "predicate_malformed"),
    )
    for answer, code in cases:
        credential = forge({"over_18": answer}, await laboratory.agency.get_id(), *place)
        record = credential.record
        words = (record.uid, record.schema.uid, record.commitment, 1, 0, START_S, bytes(32))
        outcome = laboratory.agency.ledger.act(1, ATTESTATIONS, ATTESTATIONS_NAME, "attest", *words)
        assert outcome.succeeded, outcome.reason
        file = json.loads(encode_credential(credential))
        told = await bureau.post("/verify", {"credential": file}, status=200)
        assert (told["result"], list_codes(told)) == ("not_valid", [(code, "/over_18")])
        assert told["predicates"] == []
