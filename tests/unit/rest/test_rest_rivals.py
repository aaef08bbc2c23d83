"""One certificate, one live attestation: by whichever door the second one comes."""

from datetime import UTC, datetime
from typing import Any

from api.vault.checking import check_vault
from api.vault.claims import CERTIFICATE_ROLE
from api.vault.erasure import ErasureReason
from tests.unit.rest.ledger_world import Caller, FakeLedger
from tests.unit.rest.test_rest_certificates import count_live
from tests.unit.rest.test_rest_erasing import settle
from tests.unit.rest.test_rest_records import make_credential

TAKEN = "certificate_already_attested"


async def attest(issuer: Caller, uid: str, *, status: int = 202, key: str | None = None) -> Any:
    answer = await issuer.post(f"/credentials/{uid}/attest", {}, status=status, key=key)
    if status == 202:
        await issuer.agency.settle()
    return answer


async def seal(issuer: Caller, schema: str, *uids: str, status: int = 202) -> Any:
    body = {"schema_uid": schema, "members": list(uids)}
    answer = await issuer.post("/batches", body, status=status)
    if status == 202:
        await issuer.agency.settle()
    return answer


async def test_member_of_a_batch_supersedes_nothing(laboratory: Caller, schema: str) -> None:
    first = await make_credential(laboratory, schema, 1)
    await attest(laboratory, first["uid"])
    other = await make_credential(laboratory, schema, 2)
    second = await make_credential(laboratory, schema, 1, previous=first["uid"])
    refused = await seal(laboratory, schema, other["uid"], second["uid"], status=400)
    assert (refused["field"], refused["code"]) == ("members.1", "invalid_field")
    assert refused["next_step"] == "leave it out, and attest it by itself"
    assert (await laboratory.get("/batches"))["items"] == []
    await attest(laboratory, second["uid"])
    assert await count_live(laboratory) == {"active": 1, "superseded": 1}


async def test_opened_files_of_one_certificate_are_attested_once(
    laboratory: Caller, schema: str
) -> None:
    """Also where the vault keeps nothing of the files, and against what it keeps."""
    made = [await make_credential(laboratory, schema, 1) for _ in range(3)]
    for one in made[:2]:
        await laboratory.agency.services.vault.discard(bytes.fromhex(one["uid"][2:]))
    files = [one["credential"] for one in made]
    await laboratory.post("/attestations", {"credential": files[0]})
    await laboratory.agency.settle()
    for file in files[1:]:
        refused = await laboratory.post("/attestations", {"credential": file}, status=409)
        assert (refused["code"], refused["uid"]) == (TAKEN, made[0]["uid"])
    assert (await attest(laboratory, made[2]["uid"], status=409))["code"] == TAKEN
    assert (await seal(laboratory, schema, made[2]["uid"], status=409))["code"] == TAKEN
    assert await count_live(laboratory) == {"active": 1}
    superseding = {"credential": files[1], "previous": made[0]["uid"]}
    await laboratory.post("/attestations", superseding)
    await laboratory.agency.settle()
    assert await count_live(laboratory) == {"active": 1, "superseded": 1}
    # Nothing but its certificate is claimed: another one is free.
    free = await make_credential(laboratory, schema, 2)
    await laboratory.post("/attestations", {"credential": free["credential"]})


async def test_opened_file_meets_what_the_vault_attested(laboratory: Caller, schema: str) -> None:
    kept = await make_credential(laboratory, schema, 1)
    await attest(laboratory, kept["uid"])
    opened = await make_credential(laboratory, schema, 1)
    await laboratory.agency.services.vault.discard(bytes.fromhex(opened["uid"][2:]))
    file = {"credential": opened["credential"]}
    refused = await laboratory.post("/attestations", file, status=409)
    assert (refused["code"], refused["uid"]) == (TAKEN, kept["uid"])
    # The refused one has left nothing in anybody's way.
    revoked = {"state": "revoked", "reason": "error"}
    await laboratory.post(f"/attestations/{kept['uid']}/state", revoked)
    await laboratory.agency.settle()
    again = await make_credential(laboratory, schema, 1)
    await attest(laboratory, again["uid"])
    assert await count_live(laboratory) == {"active": 1, "revoked": 1}


async def test_claim_of_an_opened_file_outlives_the_epoch_of_its_key(
    laboratory: Caller, schema: str
) -> None:
    opened, kept = [await make_credential(laboratory, schema, 1) for _ in range(2)]
    vault = laboratory.agency.services.vault
    await vault.discard(bytes.fromhex(opened["uid"][2:]))
    await laboratory.post("/attestations", {"credential": opened["credential"]})
    await laboratory.agency.settle()
    erased = await make_credential(laboratory, schema, 9)
    keyring = laboratory.agency.services.maybe_keyring
    assert keyring is not None
    before = keyring.list_keys()
    await vault.erase(
        [bytes.fromhex(erased["uid"][2:])], reason=ErasureReason.HOLDER_REQUEST, now_s=1
    )
    assert set(before).isdisjoint(keyring.list_keys())
    assert (await attest(laboratory, kept["uid"], status=409))["code"] == TAKEN


async def test_claim_of_an_opened_file_goes_when_its_record_is_erased(
    laboratory: Caller, schema: str
) -> None:
    opened, kept = [await make_credential(laboratory, schema, 1) for _ in range(2)]
    uid = bytes.fromhex(opened["uid"][2:])
    await laboratory.agency.services.vault.discard(uid)
    await laboratory.post("/attestations", {"credential": opened["credential"]})
    await laboratory.agency.settle()
    materials = laboratory.agency.services.materials
    assert await materials.list_held([uid], [CERTIFICATE_ROLE]) == ((uid, CERTIFICATE_ROLE),)
    keyring = laboratory.agency.services.maybe_keyring
    assert keyring is not None
    assert check_vault(keyring).is_whole
    await laboratory.post(f"/records/{opened['uid']}/erase", {"reason": "holder_request"})
    await settle(laboratory)
    assert await materials.list_held([uid], [CERTIFICATE_ROLE]) == ()
    await attest(laboratory, kept["uid"])
    assert await count_live(laboratory) == {"active": 1, "erased": 1}


async def test_credential_that_was_taken_back_stands_in_the_way_again(
    laboratory: Caller, schema: str
) -> None:
    """A vault that had lost a record had lost its claim."""
    lost, other = [await make_credential(laboratory, schema, 1) for _ in range(2)]
    await attest(laboratory, lost["uid"])
    path = f"/credentials/{lost['uid']}/export"
    token = (await laboratory.post(path, {"format": "sd-jwt-vc"}, status=200))["token"]
    await laboratory.agency.services.vault.discard(bytes.fromhex(lost["uid"][2:]))
    await laboratory.post("/credentials/import", {"token": token}, status=201)
    refused = await attest(laboratory, other["uid"], status=409)
    assert (refused["code"], refused["uid"]) == (TAKEN, lost["uid"])


async def test_bare_commitment_under_a_kept_uid_meets_its_rivals(
    laboratory: Caller, schema: str
) -> None:
    first, second = [await make_credential(laboratory, schema, 1) for _ in range(2)]
    await attest(laboratory, first["uid"])
    bare = {name: second[name] for name in ("schema_uid", "commitment", "uid")}
    refused = await laboratory.post("/attestations", bare, status=409)
    assert (refused["code"], refused["uid"]) == (TAKEN, first["uid"])
    strange = bare | {"commitment": first["commitment"]}
    assert (await laboratory.post("/attestations", strange, status=409))["code"] == "uid_exists"


async def test_record_that_failed_meets_those_that_came_after_it(
    laboratory: Caller, bureau: Caller, schema: str, ledger: FakeLedger
) -> None:
    first, second = [await make_credential(laboratory, schema, 1) for _ in range(2)]
    issuer = await laboratory.agency.get_id()
    accepted = await laboratory.post(f"/credentials/{first['uid']}/attest", {})
    path = f"/v1/schemas/{schema}/accreditations/{issuer}"
    async with bureau.client.delete(path, headers={"Idempotency-Key": "end-1"}) as response:
        assert response.status == 202
    await bureau.agency.settle()
    await laboratory.agency.settle()
    operation = await laboratory.get(f"/operations/{accepted['operation']}")
    assert operation["state"] == "failed"
    await bureau.post(f"/schemas/{schema}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    ledger.mine(1, period_s=120)
    await attest(laboratory, second["uid"])
    refused = await attest(laboratory, first["uid"], status=409)
    assert (refused["code"], refused["uid"]) == (TAKEN, second["uid"])
    assert await count_live(laboratory) == {"active": 1}


async def test_member_whose_time_is_over_stands_in_nobodys_way(
    laboratory: Caller, schema: str, ledger: FakeLedger
) -> None:
    end = datetime.fromtimestamp(ledger.now_s + 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = await make_credential(laboratory, schema, 1, valid_until=end)
    await seal(laboratory, schema, first["uid"])
    second = await make_credential(laboratory, schema, 1)
    assert (await attest(laboratory, second["uid"], status=409))["code"] == TAKEN
    ledger.mine(1, period_s=5000)
    await attest(laboratory, second["uid"])


async def test_refusal_by_a_member_says_how_to_revoke_it(laboratory: Caller, schema: str) -> None:
    other, first, second = [await make_credential(laboratory, schema, n) for n in (2, 1, 1)]
    batch = await seal(laboratory, schema, other["uid"], first["uid"])
    refused = await attest(laboratory, second["uid"], status=409)
    # Leaves stand in the order of their uids.
    place = sorted((other["uid"], first["uid"])).index(first["uid"])
    path = f"/v1/batches/{batch['uid']}/leaves/{place}/state"
    assert refused["next_step"] == f"use that member; or revoke it first: POST {path}"
    assert (refused["code"], refused["uid"]) == (TAKEN, first["uid"])
    revoked = {"state": "revoked", "reason": "error"}
    await laboratory.post(path.removeprefix("/v1"), revoked)
    await laboratory.agency.settle()
    await attest(laboratory, second["uid"])
    assert await count_live(laboratory) == {"active": 1}


async def test_members_file_is_not_attested_by_itself(laboratory: Caller, schema: str) -> None:
    made = await make_credential(laboratory, schema, 1)
    await seal(laboratory, schema, made["uid"])
    file = {"credential": made["credential"]}
    refused = await laboratory.post("/attestations", file, status=409)
    assert refused["code"] == "already_in_batch"
