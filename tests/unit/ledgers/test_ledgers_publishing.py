"""Publishing on the shared ledger: the resident's act, kept and checked again; erased with it."""

from typing import Any

import pytest
from atesta_client.credentials import Credential, LedgerReference, decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.publishing import sign_publish_request, validate_publish_request

from api.erasing.eraser import Eraser
from api.rest.ledgers import read_reference
from tests.unit.ledgers.two_ledgers import (
    DOCUMENT,
    OWN_SCHEMA,
    SHARED,
    SHARED_SCHEMA,
    TwoLedgers,
    agree,
)
from tests.unit.rest.ledger_world import Caller

PUBLISH = "/ledgers/shared/publications"


@pytest.fixture
async def laboratory(world: TwoLedgers, laboratory: Caller, bureau: Caller) -> Caller:
    await agree(world, laboratory, bureau)
    return laboratory


async def issue(
    world: TwoLedgers, laboratory: Caller, key: HolderKey, certificate: str = "C-100"
) -> Credential:
    """Attest a credential on Macao's own ledger and return the holder's file."""
    body = {
        "schema_uid": OWN_SCHEMA,
        "document": DOCUMENT | {"certificate": certificate},
        "holder_key": key.public_key.to_field(),
    }
    made = await laboratory.post("/credentials", body, status=201)
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    await world.settle()
    kept = await laboratory.get(f"/credentials/{made['uid']}")
    return decode_credential(kept["credential"])


async def wish(world: TwoLedgers, credential: Credential, key: HolderKey) -> dict[str, Any]:
    """Return the body of the holder's request to publish."""
    target = await read_reference(world.get(world.laboratory, SHARED))
    token = sign_publish_request(credential, key, target=target, now_s=world.macao.now_s)
    return {
        "credential": "0x" + credential.record.uid.hex(),
        "request": token,
        "schema_uid": SHARED_SCHEMA,
    }


async def test_published_credential_stands_on_the_shared_ledger_and_names_its_request(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    credential = await issue(world, laboratory, key)
    accepted = await laboratory.post(PUBLISH, await wish(world, credential, key))
    await world.settle()
    kept = await laboratory.get(f"/ledgers/shared/credentials/{accepted['uid']}")
    published = decode_credential(kept["credential"])
    assert published.document == credential.document
    assert published.record.ledger != credential.record.ledger
    # Nothing links them: neither uid nor commitment nor any salt recurs.
    assert published.record.commitment != credential.record.commitment
    assert not set(published.salts) & set(credential.salts)
    record = await laboratory.get(f"/ledgers/shared/attestations/{accepted['uid']}")
    assert (record["state"], record["ledger"]) == ("active", SHARED)
    told = await laboratory.get(f"/ledgers/shared/publications/{accepted['uid']}")
    assert told["holds"] is True
    assert told["origin"] == "macao"
    assert told["credential"] == "0x" + credential.record.uid.hex()
    # Whoever has the request can check it, at any time.
    assert credential.holder_key is not None
    validate_publish_request(
        told["request"],
        credential.holder_key,
        record=credential.record,
        target=published.record.ledger,
        now_s=None,
    )
    listed = await laboratory.get("/ledgers/shared/credentials")
    assert [item["uid"] for item in listed["items"]] == [accepted["uid"]]
    own = await laboratory.get("/credentials")
    assert [item["uid"] for item in own["items"]] == ["0x" + credential.record.uid.hex()]


async def test_nobody_but_the_holder_publishes(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    credential = await issue(world, laboratory, key)
    good = await wish(world, credential, key)
    target = await read_reference(world.get(world.laboratory, SHARED))
    with pytest.raises(ValueError, match="only the key in the document"):
        sign_publish_request(credential, HolderKey.generate(), target=target, now_s=0)
    other = await issue(world, laboratory, HolderKey.generate(), "C-101")
    stolen = good | {"credential": "0x" + other.record.uid.hex()}
    problem = await laboratory.post(PUBLISH, stolen, status=422)
    assert problem["code"] == "holder_signature_invalid"
    assert problem["field"].startswith("request")
    elsewhere = LedgerReference(chain_id=1, genesis_hash=bytes(32))
    token = sign_publish_request(credential, key, target=elsewhere, now_s=world.macao.now_s)
    problem = await laboratory.post(PUBLISH, good | {"request": token}, status=422)
    assert "ledger to publish on" in problem["detail"]
    token = sign_publish_request(credential, key, target=target, now_s=world.macao.now_s - 90_000)
    problem = await laboratory.post(PUBLISH, good | {"request": token}, status=422)
    assert problem["code"] == "presentation_stale"
    assert (await laboratory.get("/ledgers/shared/credentials"))["items"] == []


async def test_request_counts_once_and_only_for_what_is_in_force(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    credential = await issue(world, laboratory, key)
    body = await wish(world, credential, key)
    first = await laboratory.post(PUBLISH, body, key="one")
    again = await laboratory.post(PUBLISH, body, key="one")
    assert again["uid"] == first["uid"]
    problem = await laboratory.post(PUBLISH, body, status=409)
    assert problem["code"] == "publish_request_used"
    await world.settle()
    uid = "0x" + credential.record.uid.hex()
    state = {"state": "revoked", "reason": "error"}
    await laboratory.post(f"/attestations/{uid}/state", state)
    await world.settle()
    problem = await laboratory.post(PUBLISH, await wish(world, credential, key), status=409)
    assert problem["code"] == "credential_not_in_force"


async def test_credential_is_not_attested_on_a_ledger_it_was_not_made_for(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    credential = await issue(world, laboratory, key)
    uid = "0x" + credential.record.uid.hex()
    problem = await laboratory.post(f"/ledgers/shared/credentials/{uid}/attest", {}, status=409)
    assert (problem["code"], problem["ledger"]) == ("ledger_wrong", "macao")
    sealed = {"schema_uid": OWN_SCHEMA, "members": [uid]}
    problem = await laboratory.post("/ledgers/shared/batches", sealed, status=409)
    assert problem["code"] == "ledger_wrong"


async def test_erasing_reaches_every_ledger_on_which_it_stands(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    credential = await issue(world, laboratory, key)
    accepted = await laboratory.post(PUBLISH, await wish(world, credential, key))
    await world.settle()
    uid = "0x" + credential.record.uid.hex()
    await laboratory.post(f"/credentials/{uid}/erase", {"reason": "holder_request"})
    eraser = Eraser(world.laboratory.services)
    for _ in range(6):
        await eraser.turn()
        await world.settle()
    for place, record in (("", uid), ("/ledgers/shared", accepted["uid"])):
        told = await laboratory.get(f"{place}/attestations/{record}")
        assert told["state"] == "erased", place
        problem = await laboratory.get(f"{place}/credentials/{record}", status=410)
        assert problem["code"] == "credential_erased"
