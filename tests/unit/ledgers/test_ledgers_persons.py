"""One certificate, one person, several ledgers: what is judged on each, and what reaches all."""

from typing import Any

import pytest
from atesta_client.credentials import decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.publishing import sign_publish_request

from api.erasing.eraser import Eraser
from api.rest.ledgers import read_reference
from contracts.labels import encode_label
from tests.unit.ledgers.two_ledgers import DOCUMENT, FIELDS, MACAO, SHARED, TwoLedgers
from tests.unit.rest.ledger_world import Caller

SCHEMA = "0x" + "5c" * 32
"""The same uid on both ledgers, which nothing forbids."""
PUBLISH = "/ledgers/shared/publications"


@pytest.fixture
async def laboratory(world: TwoLedgers, laboratory: Caller, bureau: Caller) -> Caller:
    text = {"title": "Test result", "pointers": FIELDS, "reference": ["/certificate"]}
    for name in (MACAO, SHARED):
        place = f"/ledgers/{name}/schemas"
        await bureau.post(place, {"uid": SCHEMA, **text})
        await world.settle()
        issuer = {"agency": await world.laboratory.get_id()}
        await bureau.post(f"{place}/{SCHEMA}/accreditations", issuer)
        await world.settle()
        await laboratory.put(f"{place}/{SCHEMA}/text", text)
    return laboratory


async def make(laboratory: Caller, key: HolderKey) -> str:
    """Make a credential for Macao's own ledger; return its uid."""
    body = {"schema_uid": SCHEMA, "document": DOCUMENT, "holder_key": key.public_key.to_field()}
    return str((await laboratory.post("/credentials", body, status=201))["uid"])


async def wish(world: TwoLedgers, laboratory: Caller, uid: str, key: HolderKey) -> dict[str, Any]:
    """Return the body of the holder's request to publish."""
    kept = await laboratory.get(f"/credentials/{uid}")
    target = await read_reference(world.get(world.laboratory, SHARED))
    credential = decode_credential(kept["credential"])
    token = sign_publish_request(credential, key, target=target, now_s=world.macao.now_s)
    return {"credential": uid, "request": token, "schema_uid": SCHEMA}


async def publish(world: TwoLedgers, laboratory: Caller, key: HolderKey) -> tuple[str, str]:
    """Attest on Macao's own ledger and publish at once; return both uids."""
    own = await make(laboratory, key)
    await laboratory.post(f"/credentials/{own}/attest", {})
    await world.settle()
    published = await laboratory.post(PUBLISH, await wish(world, laboratory, own, key))
    await world.settle()
    return own, str(published["uid"])


async def test_same_certificate_is_attested_once_on_each_ledger(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    # The claim of the own ledger is seconds old, and no claim of the shared one.
    own, published = await publish(world, laboratory, key)
    again = await make(laboratory, key)
    problem = await laboratory.post(f"/credentials/{again}/attest", {}, status=409)
    assert (problem["code"], problem["uid"]) == ("certificate_already_attested", own)
    problem = await laboratory.post(PUBLISH, await wish(world, laboratory, own, key), status=409)
    assert (problem["code"], problem["uid"]) == ("certificate_already_attested", published)
    # Whoever was refused left nothing behind.
    listed = await laboratory.get("/ledgers/shared/credentials")
    assert [item["uid"] for item in listed["items"]] == [published]
    # Revoked on one, it may be attested there anew; the other one's stays what it is.
    revoked = {"state": "revoked", "reason": "error"}
    await laboratory.post(f"/ledgers/shared/attestations/{published}/state", revoked)
    await world.settle()
    await laboratory.post(PUBLISH, await wish(world, laboratory, own, key))
    await world.settle()
    problem = await laboratory.post(f"/credentials/{again}/attest", {}, status=409)
    assert problem["uid"] == own


async def test_erasing_a_person_takes_the_published_one_along(
    world: TwoLedgers, laboratory: Caller, key: HolderKey
) -> None:
    own, published = await publish(world, laboratory, key)
    person = {"records": [own]}
    plan = await laboratory.post("/persons/erasure-plan", person, status=200)
    assert {record["uid"] for record in plan["records"]} == {own, published}
    done = await laboratory.post("/persons/erase", person)
    assert done["erase"] == 2
    eraser = Eraser(world.laboratory.services)
    for _ in range(6):
        await eraser.turn()
        await world.settle()
    for place, uid in (("", own), ("/ledgers/shared", published)):
        assert (await laboratory.get(f"{place}/attestations/{uid}"))["state"] == "erased"
        await laboratory.get(f"{place}/credentials/{uid}", status=410)
    assert (await laboratory.get(f"/persons/erasures/{done['id']}"))["state"] == "erased"


async def test_person_is_found_with_agencies_of_every_ledger(
    world: TwoLedgers, laboratory: Caller
) -> None:
    counterparty = "0x" + encode_label("gd-health-commission").hex()
    known = {"reference": "file-2026-0042"}
    # The commission of Guangdong is on the shared ledger alone.
    made = await laboratory.post(
        "/ledgers/shared/subjects", known | {"counterparty": counterparty}, status=200
    )
    plan = await laboratory.post("/persons/erasure-plan", known, status=200)
    assert [record["kind"] for record in plan["records"]] == ["matching_record"]
    by_handle = {"handles": [made["handle"]]}
    assert plan == await laboratory.post("/persons/erasure-plan", by_handle, status=200)
    # What is on a ledger that is away is not passed over in silence.
    world.shared.is_down = True
    refused = await laboratory.post("/persons/erasure-plan", known, status=503)
    assert refused["code"] == "node_unreachable"
