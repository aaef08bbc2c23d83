"""`explain` of acts with handlers of their own: the same refusals, and no trace."""

from typing import Any

import pytest

from tests.unit.acts.law_world import explain
from tests.unit.rest.ledger_world import Caller

POINTERS = ["/certificate", "/result"]
DOCUMENT = {"certificate": "MO-1", "result": "negative"}


@pytest.fixture
async def schema(bureau: Caller, laboratory: Caller) -> str:
    text = {"title": "Result", "pointers": POINTERS, "reference": ["/certificate"]}
    made = await bureau.post("/schemas", text)
    await bureau.agency.settle()
    path = f"/schemas/{made['uid']}/accreditations"
    await bureau.post(path, {"agency": await laboratory.agency.get_id()})
    await bureau.agency.settle()
    await laboratory.put(f"/schemas/{made['uid']}/text", text)
    return str(made["uid"])


async def test_rehearsal_of_an_attestation_leaves_no_trace(laboratory: Caller, schema: str) -> None:
    body = {"schema_uid": schema, "document": DOCUMENT}
    told = await explain(laboratory, "attestation.create", body)
    assert (told["allowed"], told["refusal"]) == (True, None)
    assert (await laboratory.get("/credentials"))["items"] == []
    assert (await laboratory.get("/operations"))["items"] == []
    # The certificate was not claimed by the rehearsal, so it is attested now.
    await laboratory.post("/attestations", body)
    await laboratory.agency.settle()
    told = await explain(laboratory, "attestation.create", body)
    refused = await laboratory.post("/attestations", body, status=409)
    assert told["refusal"]["code"] == refused["code"] == "certificate_already_attested"


async def test_rehearsal_of_a_credential_and_a_batch_claims_nothing(
    laboratory: Caller, schema: str
) -> None:
    made = await laboratory.post(
        "/credentials", {"schema_uid": schema, "document": DOCUMENT}, status=201
    )
    told = await explain(laboratory, "credential.attest", {}, uid=made["uid"])
    assert (told["allowed"], told["uid"]) == (True, made["uid"])
    batch = {"schema_uid": schema, "members": [made["uid"]]}
    assert (await explain(laboratory, "batch.create", batch))["allowed"] is True
    assert (await laboratory.get(f"/credentials/{made['uid']}"))["batch"] is None
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})


@pytest.mark.parametrize(
    ("act", "path", "body", "rule"),
    [
        ("attestation.state", {}, {"state": "revoked", "reason": "error"}, "attestation: unknown"),
        ("batch.state", {}, {"state": "revoked", "reason": "error"}, "attestation: unknown"),
        (
            "batch.leaf_state",
            {"index": "1"},
            {"state": "revoked", "reason": "error"},
            "attestation: unknown",
        ),
        ("schema.state", {}, {"state": "revoked", "reason": "error"}, "schema: unknown"),
        ("accreditation.create", {}, {"agency": "mo-health-bureau"}, "schema: unknown"),
        ("accreditation.withdraw", {"agency": "mo-health-bureau"}, {}, "schema: unknown"),
    ],
)
async def test_rehearsal_answers_with_the_rule(
    bureau: Caller, act: str, path: dict[str, str], body: Any, rule: str
) -> None:
    told = await explain(bureau, act, body, uid="0x" + "05" * 32, **path)
    assert told["refusal"]["rule"] == rule
    assert told["allowed"] is False
    missing = await explain(bureau, act, body)
    assert missing["refusal"]["field"] == "path.uid"


async def test_rehearsal_of_a_schema(bureau: Caller) -> None:
    told = await explain(bureau, "schema.create", {"title": "Result", "pointers": POINTERS})
    assert told["allowed"] is True
    told = await explain(bureau, "schema.create", {"title": "Result", "pointers": ["/a", "/a"]})
    assert told["refusal"]["field"] == "pointers"
    assert (await bureau.get("/operations"))["items"] == []


async def test_every_act_is_listed(bureau: Caller) -> None:
    items = (await bureau.get("/acts"))["items"]
    names = [item["act"] for item in items]
    assert len(names) == len(set(names))
    assert {"attestation.create", "schema.state", "exchange.request", "basis.enter"} <= set(names)
    for item in items:
        told = await explain(bureau, item["act"], {"no such member": 1})
        assert told["allowed"] is False
