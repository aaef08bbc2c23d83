"""One certificate, one live attestation: also where the signature is made elsewhere."""

import secrets
from typing import Any

from tests.unit.acts.test_acts_rehearsal import DOCUMENT, schema
from tests.unit.acts.test_acts_signing import prepare, sign
from tests.unit.rest.ledger_world import Caller

__all__ = ["schema"]

TAKEN = "certificate_already_attested"
PARTS = ("contract", "call", "nonce", "deadline", "signer")


async def make(issuer: Caller, schema: str) -> Any:
    return await issuer.post(
        "/credentials", {"schema_uid": schema, "document": DOCUMENT}, status=201
    )


async def prepare_attesting(issuer: Caller, uid: str) -> Any:
    return await prepare(issuer, 1, "credential.attest", {}, path={"uid": uid})


async def hand_in(issuer: Caller, prepared: Any, *, raw: bool = False, status: int = 202) -> Any:
    """Hand in a prepared act by its id, or as a call that came from elsewhere."""
    body = {name: prepared[name] for name in PARTS} if raw else {"prepared": prepared["id"]}
    signed = body | {"signature": sign(prepared, 1)}
    answer = await issuer.post("/signed-acts", signed, status=status)
    if status == 202:
        await issuer.agency.settle()
    return answer


async def test_of_two_prepared_attestations_one_is_carried(laboratory: Caller, schema: str) -> None:
    made = [await make(laboratory, schema) for _ in range(2)]
    prepared = [await prepare_attesting(laboratory, one["uid"]) for one in made]
    await hand_in(laboratory, prepared[0])
    for raw in (False, True):
        refused = await hand_in(laboratory, prepared[1], raw=raw, status=409)
        assert (refused["code"], refused["uid"]) == (TAKEN, made[0]["uid"])
    page = await laboratory.get("/attestations")
    assert [item["state"] for item in page["items"]] == ["active"]


async def test_signed_attestation_stands_in_the_way_of_a_direct_one(
    laboratory: Caller, schema: str
) -> None:
    for raw in (False, True):
        document = DOCUMENT | {"certificate": f"MO-{raw}"}
        body = {"schema_uid": schema, "document": document}
        made = [await laboratory.post("/credentials", body, status=201) for _ in range(2)]
        prepared = await prepare_attesting(laboratory, made[0]["uid"])
        await hand_in(laboratory, prepared, raw=raw)
        path = f"/credentials/{made[1]['uid']}/attest"
        refused = await laboratory.post(path, {}, status=409)
        assert (refused["code"], refused["uid"]) == (TAKEN, made[0]["uid"])
        assert (await laboratory.get(f"/attestations/{made[0]['uid']}"))["unopened"] is False


async def test_signed_attestation_that_is_refused_claims_nothing(
    laboratory: Caller, schema: str
) -> None:
    made = [await make(laboratory, schema) for _ in range(2)]
    prepared = await prepare_attesting(laboratory, made[0]["uid"])
    body = {"prepared": prepared["id"], "signature": sign(prepared, 2)}
    refused = await laboratory.post("/signed-acts", body, status=403)
    assert refused["rule"] == "signature: not the signer's"
    await laboratory.post(f"/credentials/{made[1]['uid']}/attest", {})


async def test_signed_attestation_may_supersede(laboratory: Caller, schema: str) -> None:
    first = await make(laboratory, schema)
    await hand_in(laboratory, await prepare_attesting(laboratory, first["uid"]))
    body = {"schema_uid": schema, "document": DOCUMENT, "previous": first["uid"]}
    second = await laboratory.post("/credentials", body, status=201)
    await hand_in(laboratory, await prepare_attesting(laboratory, second["uid"]), raw=True)
    page = await laboratory.get("/attestations")
    assert [item["state"] for item in page["items"]] == ["active", "superseded"]


async def test_file_that_is_not_kept_is_not_prepared(laboratory: Caller, schema: str) -> None:
    """Its certificate would be known while preparing only, and not when the signature comes."""
    made = await make(laboratory, schema)
    await laboratory.agency.services.vault.discard(bytes.fromhex(made["uid"][2:]))
    request = {
        "act": "attestation.create",
        "body": {"credential": made["credential"]},
        "signer": (await laboratory.get("/status"))["account"],
    }
    refused = await laboratory.post("/prepared-acts", request, status=400)
    assert refused["field"] == "credential"
    assert "make the credential first" in refused["next_step"]
    await laboratory.post("/attestations", request["body"])


async def test_bare_commitment_signed_elsewhere_stays_marked(
    laboratory: Caller, bureau: Caller, schema: str
) -> None:
    commitment = "0x" + secrets.token_hex(32)
    body = {"schema_uid": schema, "commitment": commitment}
    prepared = await prepare(bureau, 1, "attestation.create", body)
    accepted = await hand_in(laboratory, prepared, raw=True)
    assert accepted["unopened"] is True
    record = await laboratory.get(f"/attestations/{accepted['uid']}")
    assert (record["commitment"], record["unopened"]) == (commitment, True)
