"""Schemas, credentials, batches, agencies, operations and provenance over REST."""

import asyncio
import os
from typing import Any

import pytest
from atesta_client.credentials import decode_credential

from contracts.labels import format_identifier
from tests.unit.rest.conftest import POINTERS, SCHEMA
from tests.unit.rest.ledger_world import Caller, FakeLedger

TEXT = {"title": "Test result", "pointers": POINTERS, "reference": ["/certificate"]}


async def make_credential(
    issuer: Caller, schema: str, number: int, **members: Any
) -> dict[str, Any]:
    document = {"certificate": f"MO-{number:04}", "name": "Chan Tai Man", "result": "negative"}
    made: dict[str, Any] = await issuer.post(
        "/credentials", {"schema_uid": schema, "document": document} | members, status=201
    )
    return made


async def test_status_names_agency_and_ledger(laboratory: Caller, ledger: FakeLedger) -> None:
    status = await laboratory.get("/status")
    assert status["agency"] == await laboratory.agency.get_id()
    assert status["account"] == "0x" + laboratory.agency.account.address.hex()
    assert status["genesis_hash"] == "0x" + ledger.blocks[0].hash.hex()
    assert (status["block"], status["behind_s"], status["pending"]) == (0, 0, 0)


async def test_agencies_are_read_from_the_registry(laboratory: Caller, schema: str) -> None:
    page = await laboratory.get("/agencies?limit=3")
    assert len(page["items"]) == 3
    rest = await laboratory.get(f"/agencies?limit=3&cursor={page['next']}")
    assert len(rest["items"]) == 1
    assert rest["next"] is None
    own = await laboratory.agency.get_id()
    agency = await laboratory.get(f"/agencies/{own}")
    assert agency == page["items"][0]
    assert agency["status"] == "active"
    assert "issue" in agency["roles"]
    addresses = [key["address"] for key in agency["keys"]]
    assert "0x" + laboratory.agency.account.address.hex() in addresses
    assert agency["label"] == "mo-health-laboratory"
    assert await laboratory.get("/agencies/mo-health-laboratory") == agency
    missing = await laboratory.get("/agencies/0x" + "00" * 32, status=404)
    assert missing["code"] == "agency_not_found"
    missing = await laboratory.get("/agencies/mo-health-labratory", status=404)
    assert missing["next_step"].endswith("did you mean mo-health-laboratory?")
    assert (await laboratory.get("/agencies/%20", status=400))["field"] == "id"
    assert schema == SCHEMA


async def test_schema_is_registered_with_its_text(
    bureau: Caller, commission: Caller, schema: str
) -> None:
    found = await bureau.get(f"/schemas/{schema}")
    assert found["title"] == "Test result"
    assert found["pointers"] == POINTERS
    assert found["tree_size"] == len(POINTERS)
    assert len(found["accredited"]) == 1
    assert (await bureau.get("/schemas"))["items"] == [found]
    assert await commission.agency.services.index.get_block() == -1, "asked of the contract"
    assert (await commission.get(f"/schemas/{schema}"))["pointers"] is None
    wrongs: list[dict[str, Any]] = [
        {"pointers": POINTERS[::-1]},
        {"title": "Other"},
        {"reference": []},
    ]
    for wrong in wrongs:
        await commission.put(f"/schemas/{schema}/text", TEXT | wrong, status=400)
    kept = await commission.put(f"/schemas/{schema}/text", TEXT)
    assert kept["title"] == "Test result"
    duplicate = await bureau.post("/schemas", {"uid": schema, **TEXT}, status=409)
    assert duplicate["code"] == "uid_exists"
    overlapping = await bureau.post(
        "/schemas", {"title": "x", "pointers": ["/a", "/a/b"]}, status=422
    )
    assert (overlapping["code"], overlapping["field"]) == ("schema_invalid", "pointers")


async def test_schema_accreditation_has_a_history(
    bureau: Caller, laboratory: Caller, schema: str
) -> None:
    issuer = await laboratory.agency.get_id()
    again = await bureau.post(f"/schemas/{schema}/accreditations", {"agency": issuer}, status=409)
    assert again["code"] == "already_accredited"
    foreign = await laboratory.post(
        f"/schemas/{schema}/accreditations", {"agency": issuer}, status=403
    )
    assert foreign["code"] in {"foreign_record", "account_role_missing"}
    async with bureau.client.delete(
        f"/v1/schemas/{schema}/accreditations/{issuer}", headers={"Idempotency-Key": "end"}
    ) as response:
        assert response.status == 202
    await bureau.agency.settle()
    (ended,) = (await bureau.get(f"/schemas/{schema}/accreditations"))["items"]
    assert ended["until_block"] > ended["since_block"]
    assert (await bureau.get(f"/schemas/{schema}"))["accredited"] == []


async def test_agency_of_an_accreditation_is_named_by_its_label(
    bureau: Caller, laboratory: Caller, schema: str
) -> None:
    issuer = await laboratory.agency.get_id()
    label = format_identifier(bytes.fromhex(issuer[2:]))
    path = f"/schemas/{schema}/accreditations"
    again = await bureau.post(path, {"agency": label}, status=409)
    assert again["code"] == "already_accredited"
    mistyped = await bureau.post(path, {"agency": label + "s"}, status=422)
    assert (mistyped["code"], mistyped["field"]) == ("agency_not_found", "agency")
    for agency, status in (("no label", 400), (label + "s", 422), (label, 202)):
        async with bureau.client.delete(
            f"/v1{path}/{agency}", headers={"Idempotency-Key": f"end {status}".replace(" ", "-")}
        ) as response:
            assert response.status == status, await response.text()
    await bureau.agency.settle()
    assert (await bureau.get(f"/schemas/{schema}"))["accredited"] == []


async def test_schema_state_is_changed_by_its_owner(
    bureau: Caller, laboratory: Caller, schema: str
) -> None:
    body = {"state": "revoked", "reason": "ended_by_law"}
    await laboratory.post(f"/schemas/{schema}/state", body, status=403)
    await bureau.post(f"/schemas/{schema}/state", body)
    await bureau.agency.settle()
    assert (await bureau.get(f"/schemas/{schema}"))["state"] == "revoked"
    made = await make_credential(laboratory, schema, 1)
    problem = await laboratory.post(f"/credentials/{made['uid']}/attest", {}, status=409)
    assert problem["code"] == "schema_not_in_force"


async def test_credential_leaves_no_trace_on_the_ledger(
    laboratory: Caller, schema: str, ledger: FakeLedger
) -> None:
    sent = ledger.sent
    made = await make_credential(laboratory, schema, 1)
    assert decode_credential(made["credential"]).commit().root.hex() == made["commitment"][2:]
    assert await laboratory.get(f"/credentials/{made['uid']}") == made
    (listed,) = (await laboratory.get("/credentials"))["items"]
    assert listed == made | {"credential": None}
    await laboratory.agency.settle()
    assert ledger.sent == sent
    assert (await laboratory.get("/status"))["pending"] == 0


async def test_credential_retry_returns_the_first(laboratory: Caller, schema: str) -> None:
    body = {"schema_uid": schema, "document": {"certificate": "MO-1"}}
    first = await laboratory.post("/credentials", body, status=201, key="same")
    second = await laboratory.post("/credentials", body, status=201, key="same")
    assert first == second
    other = await laboratory.post(
        "/credentials", body | {"document": {"certificate": "MO-2"}}, status=409, key="same"
    )
    assert other["code"] == "idempotency_key_reused"
    taken = await laboratory.post("/credentials", body | {"uid": first["uid"]}, status=409)
    assert taken["code"] == "uid_exists"


async def test_credential_attested_twice_is_noticed_by_its_issuer(
    laboratory: Caller, schema: str
) -> None:
    first = await make_credential(laboratory, schema, 1)
    second = await make_credential(laboratory, schema, 1)
    await laboratory.post(f"/credentials/{first['uid']}/attest", {}, key="carry")
    # Noticed before the first is final, and after.
    for _ in range(2):
        problem = await laboratory.post(f"/credentials/{second['uid']}/attest", {}, status=409)
        assert problem["code"] == "certificate_already_attested"
        assert problem["uid"] == first["uid"]
        await laboratory.agency.settle()
    again = await laboratory.post(f"/credentials/{first['uid']}/attest", {}, status=409)
    assert again["code"] == "uid_exists"
    retry = await laboratory.post(f"/credentials/{first['uid']}/attest", {}, key="carry")
    assert retry["state"] == "final"


async def test_batch_members_prove_and_change_one_by_one(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    made = [await make_credential(laboratory, schema, number) for number in range(5)]
    uids = [credential["uid"] for credential in made]
    accepted = await laboratory.post("/batches", {"schema_uid": schema, "members": uids})
    await laboratory.agency.settle()
    batch = await laboratory.get(f"/batches/{accepted['uid']}")
    assert (batch["count"], batch["state"], batch["changed_leaves"]) == (5, "active", 0)
    files = [(await laboratory.get(f"/credentials/{uid}"))["credential"] for uid in uids]
    places = [file["batch"]["index"] for file in files]
    assert sorted(places) == list(range(5))
    for file in files:
        answer = await commission.post("/verify", {"credential": file}, status=200)
        assert (answer["result"], answer["subject"]["batch"]) == ("valid", accepted["uid"])
    single = await laboratory.post(f"/credentials/{uids[0]}/attest", {}, status=409)
    assert single["code"] == "already_in_batch"
    same = await make_credential(laboratory, schema, 3)
    problem = await laboratory.post(f"/credentials/{same['uid']}/attest", {}, status=409)
    assert problem["code"] == "certificate_already_attested"
    leaf = f"/batches/{accepted['uid']}/leaves/{places[3]}"
    await laboratory.post(f"{leaf}/state", {"state": "revoked", "reason": "error"})
    await laboratory.agency.settle()
    assert (await laboratory.get(leaf))["state"] == "revoked"
    results = [
        (await commission.post("/verify", {"credential": file}, status=200))["result"]
        for file in files
    ]
    assert results == ["valid", "valid", "valid", "not_valid", "valid"]
    await laboratory.post(f"/credentials/{same['uid']}/attest", {})
    (listed,) = (await laboratory.get("/batches"))["items"]
    assert listed["changed_leaves"] == 1
    history = await laboratory.get(f"/batches/{accepted['uid']}/history")
    assert [event["index"] for event in history["items"]] == [None, places[3]]
    await laboratory.post(
        f"/batches/{accepted['uid']}/state", {"state": "suspended", "reason": "security"}
    )
    await laboratory.agency.settle()
    answer = await commission.post("/verify", {"credential": files[0]}, status=200)
    assert answer["reasons"][0]["code"] == "state_suspended"
    missing = await laboratory.get(f"/batches/{accepted['uid']}/leaves/5", status=404)
    assert missing["code"] == "leaf_not_found"


async def test_batch_members_stand_in_the_order_of_their_random_uids(
    laboratory: Caller, schema: str
) -> None:
    """A place is public once a member's state changes; it must say nothing of the caller's list."""
    made = [await make_credential(laboratory, schema, number) for number in range(6)]
    listed = sorted((one["uid"] for one in made), reverse=True)
    await laboratory.post("/batches", {"schema_uid": schema, "members": listed})
    files = [(await laboratory.get(f"/credentials/{uid}"))["credential"] for uid in listed]
    assert [file["batch"]["index"] for file in files] == [5, 4, 3, 2, 1, 0]


async def test_batch_of_a_bare_root_is_marked_unopened(laboratory: Caller, schema: str) -> None:
    body = {"schema_uid": schema, "root": "0x" + os.urandom(32).hex(), "count": 1000}
    accepted = await laboratory.post("/batches", body)
    await laboratory.agency.settle()
    batch = await laboratory.get(f"/batches/{accepted['uid']}")
    assert (batch["unopened"], batch["count"]) == (True, 1000)
    assert (await laboratory.get("/batches"))["items"] == [batch]
    await laboratory.post("/batches", body | {"members": []}, status=400)


async def test_lists_are_refused_once_the_index_does_not_fit(
    bureau: Caller, ledger: FakeLedger, schema: str
) -> None:
    ledger.mine()
    ledger.blocks[-1].parent_hash = bytes(32)
    index = bureau.agency.services.index
    async with index.run(), asyncio.timeout(60):
        while index.mismatch is None:
            await asyncio.sleep(0.01)
    problem = await bureau.get("/schemas", status=503)
    assert problem["code"] == "index_mismatch"
    assert schema == SCHEMA


async def test_batch_refused_by_the_ledger_frees_its_members(
    laboratory: Caller, bureau: Caller, schema: str
) -> None:
    made = [await make_credential(laboratory, schema, number) for number in range(3)]
    uids = [credential["uid"] for credential in made]
    body = {"schema_uid": schema, "members": uids}
    for members in ([uids[0], uids[0]], [uids[0], "0x" + "00" * 32]):
        problem = await laboratory.post("/batches", body | {"members": members}, status=400)
        assert problem["field"].startswith("members")
    issuer = await laboratory.agency.get_id()
    async with bureau.client.delete(
        f"/v1/schemas/{schema}/accreditations/{issuer}", headers={"Idempotency-Key": "end"}
    ) as response:
        assert response.status == 202
    await bureau.agency.settle()
    refused = await laboratory.post("/batches", body, status=422)
    assert refused["code"] == "not_accredited"
    await bureau.post(f"/schemas/{schema}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    found = await laboratory.get(f"/credentials/{uids[0]}")
    assert (found["batch"], found["attested"]) == (None, False)
    await laboratory.post(f"/credentials/{uids[0]}/attest", {})
    await laboratory.post("/batches", body, status=400)
    await laboratory.post("/batches", body | {"members": uids[1:]})


async def test_provenance_tells_who_did_what(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    first = await make_credential(laboratory, schema, 1)
    await laboratory.post(f"/credentials/{first['uid']}/attest", {})
    await laboratory.agency.settle()
    second = await make_credential(laboratory, schema, 1, previous=first["uid"])
    await laboratory.post(f"/credentials/{second['uid']}/attest", {})
    await laboratory.agency.settle()
    await laboratory.post(
        f"/attestations/{second['uid']}/state", {"state": "revoked", "reason": "holder_request"}
    )
    await laboratory.agency.settle()
    await commission.agency.services.index.catch_up()
    told = await commission.get(f"/provenance/{first['uid']}")
    assert [entity["id"] for entity in told["entities"]] == [first["uid"], second["uid"], schema]
    assert told["entities"][0]["revised_by"] == second["uid"]
    assert told["entities"][1]["derived_from"] == first["uid"]
    acts = [(act["type"], act["state"], act["reason"]) for act in told["activities"]]
    assert acts == [
        ("attestation.created", "active", None),
        ("attestation.created", "active", None),
        ("attestation.state", "superseded", "superseded"),
        ("attestation.state", "revoked", "holder_request"),
    ]
    assert told["activities"][2]["invalidated"] == [first["uid"]]
    assert all(act["final"] for act in told["activities"])
    issuer = await laboratory.agency.get_id()
    assert {agent["id"] for agent in told["agents"]} >= {issuer}
    assert "Chan" not in str(told)
    by_schema = await commission.get(f"/provenance/{schema}")
    assert [act["type"] for act in by_schema["activities"]] == [
        "schema.registered",
        "accreditation.given",
    ]
    await commission.get("/provenance/0x" + "00" * 32, status=404)


async def test_operations_are_listed_newest_first(bureau: Caller, schema: str) -> None:
    page = await bureau.get("/operations?limit=1")
    assert page["items"][0]["kind"] == "accreditation.create"
    rest = await bureau.get(f"/operations?cursor={page['next']}")
    assert [item["kind"] for item in rest["items"]] == ["schema.create"]
    assert (await bureau.get("/operations?state=failed"))["items"] == []
    assert len((await bureau.get(f"/operations?uid={schema}"))["items"]) == 2


@pytest.mark.parametrize("path", ["/operations/op-0", "/operations/0x12"])
async def test_operation_unknown_is_not_found(bureau: Caller, path: str) -> None:
    assert (await bureau.get(path, status=404))["code"] == "operation_not_found"
