"""Recognition policies through REST: two sides, one agreement."""

from typing import Any

import pytest

from api.ledger import Reverted
from contracts.addresses import POLICIES_NAME
from contracts.labels import encode_label
from tests.unit.acts.law_world import LABORATORY, PAST, explain, read
from tests.unit.rest.ledger_world import Caller

AGREEMENT = {"title": "Agreement 1/2026", "text": "Both sides recognise test results."}


@pytest.fixture
async def policy(bureau: Caller) -> Any:
    """A policy that Macao has proposed; its schema is the bureau's."""
    schema = await bureau.post("/schemas", {"title": "Result", "pointers": ["/result"]})
    await bureau.agency.settle()
    proposed = await bureau.post(
        "/policies",
        {
            "from_jurisdiction": "MO",
            "to_jurisdiction": "CN-GD",
            "schema_uid": schema["uid"],
            "issuers": [LABORATORY],
            "max_age_s": 3600,
            "assurance": "substantial",
            "valid_from": PAST,
            "agreement": AGREEMENT,
        },
    )
    await bureau.agency.settle()
    return proposed


async def check(caller: Caller, uid: str, assurance: int = 2) -> Any:
    issued_at = caller.agency.ledger.now_s - 10
    return await read(
        caller, POLICIES_NAME, "check", uid, encode_label(LABORATORY), issued_at, assurance
    )


async def test_policy_is_in_force_when_both_sides_have_signed(
    bureau: Caller, commission: Caller, policy: Any
) -> None:
    record = await read(bureau, POLICIES_NAME, "policy", policy["uid"])
    agreement_hash = "0x" + record["terms"]["document_hash"].hex()
    assert (await bureau.get(f"/texts/{agreement_hash}"))["body"] == AGREEMENT
    with pytest.raises(Reverted, match="not signed by both sides"):
        await check(bureau, policy["uid"])
    path = f"/policies/{policy['uid']}/signature"
    own = await bureau.post(path, {"agreement_hash": agreement_hash}, status=422)
    assert own["rule"] == "policy: signed by your side"
    other = await commission.post(path, {"agreement_hash": "0x" + "01" * 32}, status=422)
    assert other["rule"] == "policy: another document"
    await commission.post(path, {"agreement_hash": agreement_hash})
    await commission.agency.settle()
    assert await check(bureau, policy["uid"])
    with pytest.raises(Reverted, match="assurance too low"):
        await check(bureau, policy["uid"], 1)
    for caller, change, rule in (
        (commission, "suspension", "policy: suspended"),
        (commission, "reinstatement", None),
        (bureau, "end", "policy: ended"),
    ):
        await caller.post(f"/policies/{policy['uid']}/{change}", {"reason": "security"})
        await caller.agency.settle()
        if rule is None:
            assert await check(bureau, policy["uid"])
        else:
            with pytest.raises(Reverted, match=rule):
                await check(bureau, policy["uid"])


async def test_policy_agreement_is_given_once(bureau: Caller) -> None:
    body = {
        "from_jurisdiction": "MO",
        "to_jurisdiction": "CN-GD",
        "schema_uid": "0x" + "01" * 32,
        "assurance": "low",
        "valid_from": PAST,
    }
    told = await explain(bureau, "policy.propose", body)
    assert told["refusal"]["detail"] == "give exactly one of agreement, agreement_hash"
    told = await explain(bureau, "policy.propose", body | {"agreement_hash": "0x" + "02" * 32})
    assert told["refusal"]["rule"] == "policy: unknown schema"
