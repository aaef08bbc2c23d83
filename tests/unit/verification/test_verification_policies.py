"""What an agency's policy adds to a check, and how findings are weighed."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from atesta_client.credentials import (
    Credential,
    LedgerReference,
    decode_credential,
    encode_credential,
    make_credential,
)
from atesta_client.errors import MaterialRefused, ReasonCode
from atesta_client.presentations import Occasion, format_presentation, present
from atesta_client.schemas import Schema

from api.verification.answer import Answer
from api.verification.findings import find_refusal, get_finding, list_codes
from api.verification.policies import RecognitionPolicy, VerificationSettings
from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, SCHEMAS, SCHEMAS_NAME
from contracts.development import CHAIN_ID
from contracts.labels import encode_label
from tests.unit.rest.ledger_world import START_S, Agency, FakeLedger

SCHEMA = Schema(uid=bytes([0x5C]) * 32, pointers=("/certificate", "/name", "/result"))
LABORATORY = encode_label("mo-health-laboratory")

POLICIES = (
    RecognitionPolicy(purpose="plain"),
    RecognitionPolicy(purpose="fields", required=("/result", "/name")),
    RecognitionPolicy(purpose="recent", max_age_s=3600),
    RecognitionPolicy(purpose="issuer", issuers=frozenset({bytes(32)})),
    RecognitionPolicy(purpose="schema", schemas=frozenset({bytes(32)})),
    RecognitionPolicy(purpose="holder", needs_holder=True),
)


@pytest.fixture
def ledger() -> FakeLedger:
    ledger = FakeLedger()
    uid, hashed = SCHEMA.uid, SCHEMA.pointers_hash
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "register", uid, hashed, hashed, 3, START_S, bytes(32))
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "accredit", uid, LABORATORY, START_S)
    return ledger


@pytest.fixture
def credential(ledger: FakeLedger) -> Credential:
    made = make_credential(
        {"certificate": "MO-1", "result": "negative"},
        schema=SCHEMA,
        issuer=LABORATORY,
        ledger=LedgerReference(chain_id=CHAIN_ID, genesis_hash=ledger.blocks[0].hash),
        random_bytes=secrets.token_bytes,
    )
    record = made.record
    outcome = ledger.act(
        1,
        ATTESTATIONS,
        ATTESTATIONS_NAME,
        "attest",
        record.uid,
        SCHEMA.uid,
        record.commitment,
        1,
        0,
        START_S,
        bytes(32),
    )
    assert outcome.succeeded, outcome.reason
    return made


@pytest.fixture
async def agency(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Agency]:
    agency = Agency(ledger, tmp_path, 3, verification=VerificationSettings(policies=POLICIES))
    yield agency
    agency.services.close()


async def check(
    agency: Agency, credential: Credential, purpose: str | None, *fields: str
) -> Answer:
    """Present these fields, unsigned: the document has no holder's key."""
    presentation = present(
        credential, fields, occasion=Occasion(verifier="", purpose="", nonce=""), now_s=0
    )
    return await agency.services.verifier.verify_presentation(
        format_presentation(presentation), purpose=purpose
    )


@pytest.mark.parametrize(
    ("purpose", "fields", "codes"),
    [
        ("plain", (), []),
        ("fields", ("/result",), ["field_missing"]),
        ("fields", ("/result", "/name"), ["field_missing"]),
        ("recent", (), []),
        ("issuer", (), ["policy_issuer"]),
        ("schema", (), ["policy_schema"]),
        ("holder", (), ["policy_holder"]),
    ],
)
async def test_verification_policy_asks_for_more(
    agency: Agency,
    credential: Credential,
    purpose: str,
    fields: tuple[str, ...],
    codes: list[str],
) -> None:
    answer = await check(agency, credential, purpose, *fields)
    assert [finding.code for finding in answer.reasons] == codes
    assert answer.result == ("not_valid" if codes else "valid")
    assert answer.policy == purpose


async def test_verification_policy_limits_the_age(
    agency: Agency, credential: Credential, ledger: FakeLedger
) -> None:
    ledger.mine(period_s=3601)
    answer = await check(agency, credential, "recent")
    assert [finding.code for finding in answer.reasons] == ["policy_age"]


async def test_verification_without_policy_is_noticed(
    agency: Agency, credential: Credential
) -> None:
    for purpose in (None, "other"):
        answer = await check(agency, credential, purpose)
        assert answer.result == "valid"
        assert [f.code for f in answer.notices] == [
            "holder_not_checked",
            "recognition_none",
            "policy_none",
        ]


async def test_verification_behind_keeps_lasting_reasons(
    agency: Agency, credential: Credential, ledger: FakeLedger
) -> None:
    ledger.act(
        1, ATTESTATIONS, ATTESTATIONS_NAME, "set_state", credential.record.uid, 2, 1, START_S
    )
    ledger.now_s += 601
    suspended = await check(agency, credential, "plain")
    assert suspended.result == "cannot_say"
    assert [f.code for f in suspended.reasons] == ["node_behind", "state_suspended"]
    ledger.now_s -= 601
    ledger.act(
        1, ATTESTATIONS, ATTESTATIONS_NAME, "set_state", credential.record.uid, 3, 1, START_S
    )
    ledger.now_s += 601
    revoked = await check(agency, credential, "plain")
    assert revoked.result == "not_valid"


async def test_verification_compares_every_field_with_the_ledger(
    agency: Agency, credential: Credential
) -> None:
    file = decode_credential(encode_credential(credential))
    changed: tuple[tuple[dict[str, Any], str], ...] = (
        ({"issuer": "0x" + "01" * 32}, "not_valid"),
        ({"valid_until": START_S * 2}, "not_valid"),
        ({"uid": "0x" + "02" * 32}, "not_valid"),
        # Of a ledger that is not held here nothing can be said.
        ({"ledger": {"chain_id": 1, "genesis_hash": "0x" + "03" * 32}}, "cannot_say"),
    )
    for changes, result in changed:
        members = json.loads(encode_credential(file)) | changes
        answer = await agency.services.verifier.verify_credential(members, purpose=None)
        assert answer.result == result, changes
        assert answer.record is None


def test_verification_findings_are_all_worded() -> None:
    for code in list_codes():
        finding = (
            find_refusal(MaterialRefused(ReasonCode(code), "a field was changed"))
            if code in set(ReasonCode)
            else get_finding(code)
        )
        assert finding.text.endswith(".")
        assert finding.next_step.endswith(".")
        assert finding.text[0].isupper()
