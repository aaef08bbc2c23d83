"""Attesting: from document, credential file and commitment; states; what is refused."""

import os
from typing import Any

from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    ATTESTATIONS,
    ATTESTATIONS_NAME,
    REGISTRY,
)
from tests.engines import ON_BOTH_ENGINES
from tests.unit.rest.ledger_world import START_S, Caller, FakeLedger

DOCUMENT = {
    "certificate": "MO-0001",
    "name": "Chan Tai Man",
    "birth_date": "1990-01-01",
    "result": "negative",
}


def make_document(number: int = 1, **changes: Any) -> dict[str, Any]:
    return DOCUMENT | {"certificate": f"MO-{number:04}"} | changes


async def test_attestation_from_document_becomes_final(laboratory: Caller, schema: str) -> None:
    accepted = await laboratory.post(
        "/attestations", {"schema_uid": schema, "document": make_document()}
    )
    assert accepted["state"] == "queued"
    missing = await laboratory.get(f"/attestations/{accepted['uid']}", status=404)
    assert accepted["operation"] in missing["next_step"]
    await laboratory.agency.settle()
    operation = await laboratory.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)
    by_hash = await laboratory.get(f"/operations/{accepted['transaction']}")
    assert by_hash == operation
    record = await laboratory.get(accepted["record"].removeprefix("/v1"))
    assert record["state"] == "active"
    assert record["issuer"] == await laboratory.agency.get_id()
    assert record["unopened"] is False
    credential = await laboratory.get(f"/credentials/{accepted['uid']}")
    assert credential["commitment"] == record["commitment"]
    assert credential["attested"] is True


async def test_attestation_from_credential_file_keeps_nothing(
    laboratory: Caller, schema: str
) -> None:
    made = await laboratory.post(
        "/credentials", {"schema_uid": schema, "document": make_document()}, status=201
    )
    assert made["attested"] is False
    accepted = await laboratory.post("/attestations", {"credential": made["credential"]})
    assert accepted["uid"] == made["uid"]
    await laboratory.agency.settle()
    record = await laboratory.get(f"/attestations/{made['uid']}")
    assert record["commitment"] == made["commitment"]
    tampered = dict(made["credential"], document=make_document(result="positive"))
    problem = await laboratory.post("/attestations", {"credential": tampered}, status=422)
    assert problem["code"] == "commitment_mismatch"


async def test_attestation_from_bare_commitment_is_marked_unopened(
    laboratory: Caller, schema: str
) -> None:
    body = {"schema_uid": schema, "commitment": "0x" + os.urandom(32).hex()}
    accepted = await laboratory.post("/attestations", body)
    assert accepted["unopened"] is True
    await laboratory.agency.settle()
    assert (await laboratory.get(f"/attestations/{accepted['uid']}"))["unopened"] is True
    text = "0x" + b"Chan Tai Man, born 1990-01-01   ".hex()
    problem = await laboratory.post("/attestations", body | {"commitment": text}, status=400)
    assert (problem["code"], problem["field"]) == ("invalid_field", "commitment")


async def test_attestation_states_follow_the_issuer(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    accepted = await laboratory.post(
        "/attestations", {"schema_uid": schema, "document": make_document()}
    )
    await laboratory.agency.settle()
    path = f"/attestations/{accepted['uid']}"
    foreign = await commission.post(
        f"{path}/state", {"state": "revoked", "reason": "error"}, status=403
    )
    assert (foreign["code"], foreign["field"]) == ("foreign_record", "uid")
    for state, reason in (
        ("suspended", "security"),
        ("active", "error"),
        ("revoked", "holder_request"),
    ):
        await laboratory.post(f"{path}/state", {"state": state, "reason": reason})
        await laboratory.agency.settle()
        record = await laboratory.get(path)
        assert (record["state"], record["reason"]) == (state, reason)
    problem = await laboratory.post(
        f"{path}/state", {"state": "active", "reason": "error"}, status=409
    )
    assert problem["code"] == "state_final"
    history = await laboratory.get(f"{path}/history")
    assert [event["state"] for event in history["items"]] == [
        "active",
        "suspended",
        "active",
        "revoked",
    ]
    await commission.agency.services.index.catch_up()
    assert (await commission.get(path))["unopened"] is None


async def test_attestation_supersedes_by_previous(laboratory: Caller, schema: str) -> None:
    first = await laboratory.post(
        "/attestations", {"schema_uid": schema, "document": make_document()}
    )
    await laboratory.agency.settle()
    again = {"schema_uid": schema, "document": make_document(result="positive")}
    problem = await laboratory.post("/attestations", again, status=409)
    assert problem["code"] == "certificate_already_attested"
    assert problem["uid"] == first["uid"]
    second = await laboratory.post("/attestations", again | {"previous": first["uid"]})
    await laboratory.agency.settle()
    old = await laboratory.get(f"/attestations/{first['uid']}")
    assert (old["state"], old["superseded_by"]) == ("superseded", second["uid"])
    third = await laboratory.post("/attestations", again, status=409)
    assert third["uid"] == second["uid"]
    await laboratory.post(
        f"/attestations/{second['uid']}/state", {"state": "revoked", "reason": "error"}
    )
    await laboratory.agency.settle()
    await laboratory.post("/attestations", again)


async def test_attestation_refusals_change_nothing(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    accepted = await laboratory.post(
        "/attestations", {"schema_uid": schema, "document": make_document()}
    )
    await laboratory.agency.settle()
    before = await laboratory.get("/status")
    bare = {"schema_uid": schema, "commitment": "0x" + os.urandom(32).hex()}
    duplicate = await laboratory.post("/attestations", bare | {"uid": accepted["uid"]}, status=409)
    assert (duplicate["code"], duplicate["field"]) == ("uid_exists", "uid")
    unaccredited = await commission.post("/attestations", bare, status=422)
    assert (unaccredited["code"], unaccredited["field"]) == ("not_accredited", "schema_uid")
    outside = await laboratory.post(
        "/attestations",
        {"schema_uid": schema, "document": make_document(2) | {"telephone": "62112233"}},
        status=422,
    )
    assert (outside["code"], outside["field"]) == ("field_outside_schema", "document/telephone")
    assert "62112233" not in str(outside)
    unknown = await laboratory.post(
        "/attestations/0x" + "ab" * 32 + "/state",
        {"state": "revoked", "reason": "error"},
        status=404,
    )
    assert unknown["code"] == "record_not_found"
    late = await laboratory.post(
        "/attestations", bare | {"valid_until": "2001-01-01T00:00:00Z"}, status=400
    )
    assert late["field"] == "valid_until"
    future = await laboratory.post(
        "/attestations", bare | {"event_time": "2101-01-01T00:00:00Z"}, status=400
    )
    assert future["field"] == "event_time"
    foreign_schema = {"schema_uid": "0x" + "ee" * 32, "document": make_document(3)}
    assert (await laboratory.post("/attestations", foreign_schema, status=404))["field"] == (
        "schema_uid"
    )
    refused = await laboratory.post(
        "/attestations",
        {"schema_uid": schema, "document": make_document(3), "previous": "0x" + "ee" * 32},
        status=422,
    )
    assert (refused["code"], refused["field"]) == ("previous_not_found", "previous")
    assert len((await laboratory.get("/credentials"))["items"]) == 1
    after = await laboratory.get("/status")
    assert (before["block"], before["pending"]) == (after["block"], after["pending"])


@ON_BOTH_ENGINES
async def test_attestation_list_filters_and_pages(
    laboratory: Caller, bureau: Caller, schema: str
) -> None:
    uids = []
    for number in range(5):
        accepted = await laboratory.post(
            "/attestations", {"schema_uid": schema, "document": make_document(number)}
        )
        uids.append(accepted["uid"])
        await laboratory.agency.settle()
    await laboratory.post(f"/attestations/{uids[0]}/state", {"state": "revoked", "reason": "error"})
    await laboratory.agency.settle()
    seen: list[str] = []
    query = "?limit=2"
    while True:
        page = await laboratory.get(f"/attestations{query}")
        seen += [item["uid"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert seen == uids[::-1]
    revoked = await laboratory.get("/attestations?state=revoked")
    assert [item["uid"] for item in revoked["items"]] == [uids[0]]
    third = await laboratory.get(f"/attestations/{uids[2]}")
    time = third["block_time"]
    since = await laboratory.get(f"/attestations?from={time}")
    assert [item["uid"] for item in since["items"]] == uids[:1:-1]
    until = await laboratory.get(f"/attestations?until={time}")
    assert [item["uid"] for item in until["items"]] == uids[1::-1]
    issuer = await laboratory.agency.get_id()
    own = await laboratory.get(f"/attestations?issuer={issuer}&schema={schema}")
    assert len(own["items"]) == 5
    foreign = await laboratory.get(f"/attestations?issuer={await bureau.agency.get_id()}")
    assert foreign["items"] == []
    nobody = await laboratory.get("/attestations?issuer=0x" + "00" * 32, status=422)
    assert (nobody["code"], nobody["field"]) == ("agency_not_found", "issuer")


async def test_attestation_etag_answers_not_modified(laboratory: Caller, schema: str) -> None:
    accepted = await laboratory.post(
        "/attestations", {"schema_uid": schema, "document": make_document()}
    )
    await laboratory.agency.settle()
    path = f"/attestations/{accepted['uid']}"
    async with laboratory.client.get("/v1" + path) as response:
        etag = response.headers["ETag"]
    await laboratory.agency.settle()
    assert await laboratory.get(path, status=304, If_None_Match=etag) is None
    await laboratory.post(f"{path}/state", {"state": "suspended", "reason": "security"})
    await laboratory.agency.settle()
    assert (await laboratory.get(path, If_None_Match=etag))["state"] == "suspended"


async def test_attestation_is_taken_while_no_block_is_made(
    laboratory: Caller, schema: str, ledger: FakeLedger
) -> None:
    # The last block's clock is far behind; the dry run must not call the present "the future".
    ledger.now_s += 3_600
    accepted = await laboratory.post(
        "/attestations", {"schema_uid": schema, "document": make_document()}
    )
    await laboratory.agency.settle()
    operation = await laboratory.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)


async def test_attestation_key_is_bound_to_the_path(laboratory: Caller, schema: str) -> None:
    uids = []
    for number in range(2):
        body = {"schema_uid": schema, "document": make_document(number)}
        uids.append((await laboratory.post("/credentials", body, status=201))["uid"])
    await laboratory.post(f"/credentials/{uids[0]}/attest", {}, key="one")
    problem = await laboratory.post(f"/credentials/{uids[1]}/attest", {}, key="one", status=409)
    assert problem["code"] == "idempotency_key_reused"


async def test_attestation_of_an_end_beyond_the_calendar_is_read_by_everybody(
    laboratory: Caller, ledger: FakeLedger, schema: str
) -> None:
    """The contracts take ends of millions of years; one such record must not close the lists."""
    far, uid = 2**48 - 1, os.urandom(32)
    args = (uid, bytes.fromhex(schema[2:]), os.urandom(32), 1, far, START_S, bytes(32))
    assert ledger.act(1, ATTESTATIONS, ATTESTATIONS_NAME, "attest", *args).succeeded
    own = (os.urandom(20), 1, 0, far)
    assert ledger.act(1, REGISTRY, AGENCY_REGISTRY_NAME, "add_own_key", *own).succeeded
    await laboratory.agency.settle()
    end = "9999-12-31T23:59:59Z"
    listed = await laboratory.get("/attestations")
    assert end in [item["valid_until"] for item in listed["items"]]
    record = await laboratory.get("/attestations/0x" + uid.hex())
    assert record["valid_until"] == end
    await laboratory.get("/agencies")
    agency = await laboratory.get("/agencies/" + await laboratory.agency.get_id())
    assert end in [key["valid_until"] for key in agency["keys"]]
