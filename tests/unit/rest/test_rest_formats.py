"""Credentials written in other formats and taken over from them, through REST."""

import json
from typing import Any

import pytest
from atesta_client.credentials import decode_credential
from atesta_client.formats.jose import IssuerKey, Token, compute_address, sign_token
from atesta_client.formats.sd_jwt import SdJwt, decode_sd_jwt, make_disclosure
from atesta_client.formats.sd_jwt_vc import import_sd_jwt_vc
from atesta_client.formats.vc_jwt import export_vc_jwt, import_vc_jwt
from atesta_client.holder_keys import HolderKey, HolderPublicKey

from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME
from contracts.codes import Reason, RecordState
from tests.unit.rest.ledger_world import START_S, Caller

DOCUMENT = {
    "certificate": "MO-0001",
    "name": "Chan Tai Man",
    "birth_date": "1990-01-01",
    "result": "negative",
}
FOREIGN = "0x" + "6d" * 32
FOREIGN_POINTERS = ["/iss", "/vct", "/iat", "/name", "/cnf"]
KEY = IssuerKey.from_key(HolderKey.generate(), "key-1")
JWK = KEY.public_key.to_field()["jwk"]
CLAIMS: dict[str, Any] = {"iss": "https://issuer.example", "vct": "https://kind.example", "iat": 1}


async def make(laboratory: Caller, schema: str, **more: Any) -> Any:
    body = {"schema_uid": schema, "document": DOCUMENT, **more}
    return await laboratory.post("/credentials", body, status=201)


@pytest.mark.parametrize(
    ("name", "media_type", "read"),
    [
        ("sd-jwt-vc", "application/dc+sd-jwt", import_sd_jwt_vc),
        ("vc-jwt", "application/vc+jwt", import_vc_jwt),
    ],
)
async def test_export_is_the_credential_signed_by_a_key_of_the_registry(
    laboratory: Caller, schema: str, name: str, media_type: str, read: Any
) -> None:
    holder = HolderKey.generate().public_key.to_field()
    made = await make(laboratory, schema, holder_key=holder)
    path = f"/credentials/{made['uid']}/export"
    told = await laboratory.post(path, {"format": name}, status=200)
    assert (told["media_type"], told["format"]) == (media_type, name)
    services = laboratory.agency.services
    address = bytes.fromhex(told["key_id"].removeprefix("0x"))
    head = await services.ledger.get_head()
    registered = await services.records.get_key(address, head.number)
    assert registered is not None
    assert "0x" + registered.agency.hex() == await laboratory.agency.get_id()

    def find_key(token: Token, _record: object) -> HolderPublicKey:
        key = token.find_key()
        assert key is not None
        assert compute_address(key) == address
        return key

    assert read(told["token"], find_key) == decode_credential(made["credential"])


async def test_export_of_what_the_format_cannot_say_names_the_field(
    bureau: Caller, laboratory: Caller
) -> None:
    schema = "0x" + "6e" * 32
    text = {"title": "Odd", "pointers": ["/status", "/id"], "reference": []}
    await bureau.post("/schemas", {"uid": schema, **text})
    await bureau.agency.settle()
    await laboratory.put(f"/schemas/{schema}/text", text)
    body = {"schema_uid": schema, "document": {"status": "secret-1", "id": "secret-2"}}
    made = await laboratory.post("/credentials", body, status=201)
    for name, field in (("sd-jwt-vc", "document/status"), ("vc-jwt", "document/id")):
        problem = await laboratory.post(
            f"/credentials/{made['uid']}/export", {"format": name}, status=422
        )
        assert (problem["code"], problem["field"]) == ("format_unmappable", field)
        assert "secret" not in json.dumps(problem)
    unknown = f"/credentials/0x{'99' * 32}/export"
    await laboratory.post(unknown, {"format": "vc-jwt"}, status=404)


async def register_foreign(bureau: Caller, laboratory: Caller) -> None:
    text = {"title": "Taken over", "pointers": FOREIGN_POINTERS, "reference": []}
    await bureau.post("/schemas", {"uid": FOREIGN, **text})
    await bureau.agency.settle()
    await laboratory.put(f"/schemas/{FOREIGN}/text", text)


def sign_foreign(claims: dict[str, Any], *, hidden: bool = False) -> str:
    name = make_disclosure("c2FsdA", "name", "Chan Tai Man")
    token = sign_token({**claims, "_sd": [name.digest]}, KEY, media_type="dc+sd-jwt")
    return SdJwt(token=token, disclosures=() if hidden else (name,)).encode()


def ask(token: str, **changes: Any) -> dict[str, Any]:
    body = {"schema_uid": FOREIGN, "format": "sd-jwt-vc", "token": token, "issuer_key": JWK}
    return body | changes


async def test_foreign_token_becomes_a_document_that_keeps_every_claim(
    bureau: Caller, laboratory: Caller
) -> None:
    await register_foreign(bureau, laboratory)
    holder = HolderKey.generate().public_key.to_field()
    token = sign_foreign({**CLAIMS, "exp": START_S + 900, "cnf": holder})
    made = await laboratory.post("/credentials/import", ask(token), status=201, key="once")
    again = await laboratory.post("/credentials/import", ask(token), status=201, key="once")
    assert again["uid"] == made["uid"]
    assert made["attested"] is False
    credential = decode_credential(made["credential"])
    assert credential.document == {**CLAIMS, "name": "Chan Tai Man", "cnf": holder}
    assert credential.record.valid_until_s == START_S + 900


async def test_foreign_token_is_refused_by_the_name_of_the_claim(
    bureau: Caller, laboratory: Caller
) -> None:
    await register_foreign(bureau, laboratory)
    cases = (
        (ask(sign_foreign({**CLAIMS, "status": {"x": 1}})), "format_unmappable", "token/status/x"),
        (ask(sign_foreign({**CLAIMS, "sub": "y"})), "format_unmappable", "token/sub"),
        (ask(sign_foreign(CLAIMS, hidden=True)), "format_unmappable", "token"),
        (ask(sign_foreign({**CLAIMS, "exp": 5})), "format_unmappable", "token/exp"),
        (ask(sign_foreign({**CLAIMS, "exp": 5e-1})), "format_unmappable", "token/exp"),
        (ask(sign_foreign({**CLAIMS, "nbf": 2**40})), "format_unmappable", "token/nbf"),
        (ask(sign_foreign({**CLAIMS, "cnf": {"kid": "x"}})), "holder_key_malformed", "token/cnf"),
        (ask(sign_foreign({**CLAIMS, "atesta": {}})), "file_malformed", "token"),
        (ask("nonsense"), "file_malformed", "token"),
        (ask(sign_foreign(CLAIMS), issuer_key={}), "holder_key_malformed", "issuer_key"),
    )
    for body, code, field in cases:
        problem = await laboratory.post("/credentials/import", body, status=422)
        assert (problem["code"], problem["field"]) == (code, field), problem
    other = HolderKey.generate().public_key.to_field()["jwk"]
    problem = await laboratory.post(
        "/credentials/import", ask(sign_foreign(CLAIMS), issuer_key=other), status=422
    )
    assert problem["code"] == "issuer_signature_invalid"


async def test_foreign_w3c_credential_is_taken_over_whole_or_not_at_all(
    bureau: Caller, laboratory: Caller
) -> None:
    pointers = ["/@context", "/type", "/issuer", "/credentialSubject/name"]
    text = {"title": "W3C", "pointers": pointers, "reference": []}
    await bureau.post("/schemas", {"uid": FOREIGN, **text})
    await bureau.agency.settle()
    await laboratory.put(f"/schemas/{FOREIGN}/text", text)
    claims: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "https://issuer.example",
        "credentialSubject": {"name": "Chan Tai Man"},
    }
    token = sign_token({**claims, "validUntil": "2090-01-01T00:00:00Z"}, KEY, media_type="vc+jwt")
    made = await laboratory.post("/credentials/import", ask(token, format="vc-jwt"), status=201)
    credential = decode_credential(made["credential"])
    assert credential.document == claims
    assert credential.record.valid_until_s == 3_786_912_000
    claims["credentialSubject"]["id"] = "did:example:1"
    token = sign_token(claims, KEY, media_type="vc+jwt")
    problem = await laboratory.post("/credentials/import", ask(token, format="vc-jwt"), status=422)
    assert problem["field"] == "token/credentialSubject/id"


async def forget(laboratory: Caller, uid: str) -> None:
    """Take a credential out of the vault, as an older backup does."""
    vault = laboratory.agency.services.vault
    await vault.discard(bytes.fromhex(uid.removeprefix("0x")))
    await laboratory.get(f"/credentials/{uid}", status=404)


@pytest.mark.parametrize("name", ["sd-jwt-vc", "vc-jwt"])
async def test_own_export_comes_back_as_the_credential_that_it_was(
    laboratory: Caller, bureau: Caller, schema: str, name: str
) -> None:
    holder = HolderKey.generate().public_key.to_field()
    made = await make(laboratory, schema, holder_key=holder)
    path = f"/credentials/{made['uid']}/export"
    token = (await laboratory.post(path, {"format": name}, status=200))["token"]
    same = await laboratory.post("/credentials/import", {"token": token}, status=201)
    assert same["credential"] == made["credential"]
    await forget(laboratory, made["uid"])
    body = {"token": token}
    kept = await laboratory.post("/credentials/import", body, status=201, key="once")
    assert kept["credential"] == made["credential"]
    again = await laboratory.post("/credentials/import", body, status=201, key="once")
    assert again["credential"] == made["credential"]
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    problem = await bureau.post("/credentials/import", body, status=422)
    assert (problem["code"], problem["field"]) == ("format_unmappable", "token/atesta/issuer")
    problem = await laboratory.post(
        "/credentials/import", {"token": token, "schema_uid": schema}, status=400
    )
    assert problem["field"] == "schema_uid"
    problem = await laboratory.post("/credentials/import", {"token": token[:-40]}, status=422)
    assert problem["code"] in {"file_malformed", "format_unmappable", "issuer_signature_invalid"}


async def test_own_export_of_a_batch_comes_back_with_its_path(
    laboratory: Caller, schema: str
) -> None:
    made = [
        await make(laboratory, schema, document={**DOCUMENT, "certificate": f"MO-{n}"})
        for n in range(3)
    ]
    members = [member["uid"] for member in made]
    await laboratory.post("/batches", {"schema_uid": schema, "members": members})
    await laboratory.agency.settle()
    before = await laboratory.get(f"/credentials/{members[1]}")
    assert before["batch"] is not None
    path = f"/credentials/{members[1]}/export"
    token = (await laboratory.post(path, {"format": "sd-jwt-vc"}, status=200))["token"]
    vault = laboratory.agency.services.vault
    await vault.unseal_batch(bytes.fromhex(before["batch"][2:]))
    await forget(laboratory, members[1])
    kept = await laboratory.post("/credentials/import", {"token": token}, status=201)
    assert kept["credential"] == before["credential"]


async def test_own_export_in_part_or_signed_by_another_is_refused(
    laboratory: Caller, schema: str
) -> None:
    made = await make(laboratory, schema)
    credential = decode_credential(made["credential"])
    path = f"/credentials/{made['uid']}/export"
    token = (await laboratory.post(path, {"format": "sd-jwt-vc"}, status=200))["token"]
    whole = decode_sd_jwt(token)
    part = whole.show(d for d in whole.disclosures if d.name != "name").encode()
    problem = await laboratory.post("/credentials/import", {"token": part}, status=422)
    assert (problem["code"], problem["field"]) == ("format_unmappable", "token/name")
    forged = export_vc_jwt(credential, KEY, now_s=START_S)
    problem = await laboratory.post("/credentials/import", {"token": forged}, status=422)
    assert (problem["code"], problem["field"]) == ("issuer_signature_invalid", "token")


async def test_what_was_erased_does_not_come_back_by_its_export(
    laboratory: Caller, schema: str
) -> None:
    made = await make(laboratory, schema)
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    await laboratory.agency.settle()
    path = f"/credentials/{made['uid']}"
    token = (await laboratory.post(f"{path}/export", {"format": "vc-jwt"}, status=200))["token"]
    await laboratory.post(f"{path}/erase", {"reason": "holder_request"}, status=202)
    problem = await laboratory.post("/credentials/import", {"token": token}, status=410)
    assert problem["code"] == "credential_erased"


async def test_what_the_ledger_calls_erased_does_not_come_back_into_an_empty_vault(
    laboratory: Caller, schema: str
) -> None:
    made = await make(laboratory, schema)
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    await laboratory.agency.settle()
    path = f"/credentials/{made['uid']}"
    token = (await laboratory.post(f"{path}/export", {"format": "vc-jwt"}, status=200))["token"]
    uid = bytes.fromhex(made["uid"][2:])
    outcome = laboratory.agency.ledger.act(
        1,
        ATTESTATIONS,
        ATTESTATIONS_NAME,
        "set_state",
        uid,
        int(RecordState.ERASED),
        int(Reason.LAW),
        laboratory.agency.ledger.now_s,
    )
    assert outcome.succeeded, outcome.reason
    await forget(laboratory, made["uid"])
    problem = await laboratory.post("/credentials/import", {"token": token}, status=410)
    assert (problem["code"], problem["field"]) == ("credential_erased", "token/atesta/uid")


async def test_foreign_token_needs_schema_and_key(laboratory: Caller) -> None:
    for left_out in ("schema_uid", "issuer_key"):
        body = {
            name: value for name, value in ask(sign_foreign(CLAIMS)).items() if name != left_out
        }
        problem = await laboratory.post("/credentials/import", body, status=400)
        assert problem["field"] == left_out
    problem = await laboratory.post(
        "/credentials/import", ask(sign_foreign(CLAIMS), format="vc-jwt"), status=400
    )
    assert problem["field"] == "format"
