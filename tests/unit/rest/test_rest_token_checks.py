"""Tokens at `POST /v1/verify`: the same checks as for files, and who signed them."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from atesta_client.base64url import encode_base64url
from atesta_client.canonical import dump_canonical
from atesta_client.commitments import commit_document
from atesta_client.credentials import Credential, decode_credential
from atesta_client.formats.jose import IssuerKey, sign_token
from atesta_client.formats.sd_jwt import SdJwt, decode_sd_jwt, make_disclosure
from atesta_client.formats.sd_jwt_vc import build_claims, export_sd_jwt_vc
from atesta_client.formats.showing import show_sd_jwt_vc
from atesta_client.holder_keys import HolderKey, KeyKind
from atesta_client.presentations import Occasion

from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codes import Role
from tests.unit.rest.ledger_world import Caller, FakeLedger

PURPOSE = "border-crossing"
DOCUMENT = {
    "certificate": "MO-0001",
    "name": "Chan Tai Man",
    "birth_date": "1990-01-01",
    "result": "negative",
}
FOREIGN = IssuerKey.from_key(HolderKey.generate(), "key-1")


async def issue(laboratory: Caller, schema: str, **more: Any) -> Credential:
    body = {"schema_uid": schema, "document": DOCUMENT, **more}
    made = await laboratory.post("/credentials", body, status=201)
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    await laboratory.agency.settle()
    return decode_credential(made["credential"])


async def export(laboratory: Caller, credential: Credential, name: str = "sd-jwt-vc") -> str:
    path = f"/credentials/0x{credential.record.uid.hex()}/export"
    told = await laboratory.post(path, {"format": name}, status=200)
    token: str = told["token"]
    return token


async def show(
    verifier: Caller, token: str, key: HolderKey | None, pointers: Iterable[str] = ("/result",)
) -> str:
    challenge = await verifier.post("/verify/challenges", {"purpose": PURPOSE}, status=201)
    occasion = Occasion(
        verifier=challenge["verifier"], purpose=challenge["purpose"], nonce=challenge["nonce"]
    )
    now_s = verifier.agency.ledger.now_s
    return show_sd_jwt_vc(token, pointers, occasion=occasion, now_s=now_s, key=key)


async def verify(verifier: Caller, token: str, **more: Any) -> Any:
    return await verifier.post("/verify", {"token": token, **more}, status=200)


def list_codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


@pytest.mark.parametrize("name", ["sd-jwt-vc", "vc-jwt"])
async def test_whole_token_gets_the_answer_of_its_credential_file(
    commission: Caller, laboratory: Caller, schema: str, name: str
) -> None:
    credential = await issue(laboratory, schema)
    answer = await verify(commission, await export(laboratory, credential, name) + "\n")
    assert (answer["result"], answer["reasons"]) == ("valid", [])
    assert answer["holder_checked"] is False
    assert answer["disclosed"] == ["/certificate", "/name", "/birth_date", "/result"]
    assert answer["subject"]["uid"] == "0x" + credential.record.uid.hex()
    assert answer["notices"][0]["code"] == "holder_not_checked"
    assert "Chan" not in str(answer)
    state = {"state": "revoked", "reason": "error"}
    await laboratory.post(f"/attestations/0x{credential.record.uid.hex()}/state", state)
    await laboratory.agency.settle()
    answer = await verify(commission, await export(laboratory, credential, name))
    assert list_codes(answer) == ["state_revoked"]


async def test_shown_fields_are_checked_with_the_holders_signature_once(
    commission: Caller, bureau: Caller, laboratory: Caller, schema: str
) -> None:
    holder = HolderKey.generate()
    credential = await issue(laboratory, schema, holder_key=holder.public_key.to_field())
    token = await export(laboratory, credential)
    shown = await show(commission, token, holder)
    assert list_codes(await verify(bureau, shown)) == ["challenge_unknown"]
    answer = await verify(commission, shown)
    assert (answer["result"], answer["holder_checked"]) == ("valid", True)
    assert answer["disclosed"] == ["/result", "/cnf"]
    assert list_codes(await verify(commission, shown)) == ["challenge_replayed"]
    thief = await show(commission, token, HolderKey.generate())
    assert list_codes(await verify(commission, thief)) == ["holder_signature_invalid"]
    copied = decode_sd_jwt(shown)
    assert list_codes(await verify(commission, copied.shown)) == ["holder_not_proved"]
    assert list_codes(await verify(commission, token)) == ["holder_not_proved"]
    whole = await export(laboratory, credential, "vc-jwt")
    assert list_codes(await verify(commission, whole)) == ["holder_not_proved"]
    other = await verify(commission, await show(commission, token, holder), purpose="hotel")
    assert list_codes(other) == ["wrong_purpose"]


async def test_fields_without_a_holders_key_are_shown_unsigned(
    commission: Caller, laboratory: Caller, schema: str
) -> None:
    token = await export(laboratory, await issue(laboratory, schema))
    answer = await verify(commission, await show(commission, token, None, ["/result", "/name"]))
    assert (answer["result"], answer["holder_checked"]) == ("valid", False)
    assert answer["disclosed"] == ["/name", "/result"]


async def test_token_must_be_signed_by_a_key_that_the_registry_gives_its_issuer(
    commission: Caller, bureau: Caller, laboratory: Caller, schema: str
) -> None:
    credential = await issue(laboratory, schema)
    now_s = commission.agency.ledger.now_s

    def sign(key: IssuerKey, signed_s: int) -> str:
        random_bytes = secrets.token_bytes
        return export_sd_jwt_vc(credential, key, now_s=signed_s, random_bytes=random_bytes)

    async def find_key(caller: Caller) -> IssuerKey:
        services = caller.agency.services
        return services.issuer_keys[await services.identity.get_account(Role.ISSUE)]

    own = await find_key(laboratory)
    assert (await verify(commission, sign(own, now_s)))["result"] == "valid"
    for token in (
        sign(FOREIGN, now_s),
        sign(IssuerKey.from_key(HolderKey.generate(KeyKind.SECP256K1)), now_s),
        sign(await find_key(bureau), now_s),
        sign(own, now_s + 3600),
    ):
        answer = await verify(commission, token)
        assert list_codes(answer) == ["issuer_key_unknown"]
        assert answer["disclosed"] == []
    forged = sign(own, now_s).split(".")
    forged[2] = forged[2].replace(forged[2][:8], "AAAAAAAA")
    assert list_codes(await verify(commission, ".".join(forged))) == ["issuer_signature_invalid"]


async def test_ended_key_verifies_what_it_signed_and_makes_no_new_token(
    commission: Caller, laboratory: Caller, schema: str, ledger: FakeLedger
) -> None:
    credential = await issue(laboratory, schema)
    key = IssuerKey.from_key(HolderKey.generate(KeyKind.SECP256K1))
    account = bytes.fromhex(key.key_id.removeprefix("0x"))

    def sign(signed_s: int) -> str:
        random_bytes = secrets.token_bytes
        return export_sd_jwt_vc(credential, key, now_s=signed_s, random_bytes=random_bytes)

    def change(function: str, *args: Any) -> None:
        outcome = ledger.act(1, REGISTRY, AGENCY_REGISTRY_NAME, function, account, *args)
        assert outcome.succeeded, outcome.reason
        ledger.mine(period_s=600)

    change("add_own_key", int(Role.ISSUE), ledger.now_s, 0)
    in_time = sign(ledger.now_s)
    assert (await verify(commission, in_time))["result"] == "valid"
    change("revoke_own_key")
    assert (await verify(commission, in_time))["result"] == "valid"
    assert list_codes(await verify(commission, sign(ledger.now_s))) == ["issuer_key_unknown"]
    before = sign(ledger.now_s - 3600)
    assert list_codes(await verify(commission, before)) == ["issuer_key_unknown"]


async def test_token_names_what_was_changed_in_it(
    commission: Caller, laboratory: Caller, schema: str
) -> None:
    credential = await issue(laboratory, schema)
    services = laboratory.agency.services
    key = services.issuer_keys[await services.identity.get_account(Role.ISSUE)]
    now_s = commission.agency.ledger.now_s
    token = export_sd_jwt_vc(credential, key, now_s=now_s, random_bytes=secrets.token_bytes)
    whole = decode_sd_jwt(token)
    changed = [
        make_disclosure(d.salt, d.name, "positive") if d.name == "result" else d
        for d in whole.disclosures
    ]
    assert list_codes(await verify(commission, whole.show(changed).encode())) == ["file_malformed"]
    # Signed anew by the issuer's own key: only the commitment can tell.
    lie = replace(credential, document={**DOCUMENT, "result": "positive"})
    lie = replace(lie, record=replace(lie.record, commitment=compute_commitment(lie)))
    forged = export_sd_jwt_vc(lie, key, now_s=now_s, random_bytes=secrets.token_bytes)
    assert list_codes(await verify(commission, forged)) == ["record_mismatch"]
    other = replace(credential.record.ledger, chain_id=credential.record.ledger.chain_id + 1)
    elsewhere = replace(credential, record=replace(credential.record, ledger=other))
    token = export_sd_jwt_vc(elsewhere, key, now_s=now_s, random_bytes=secrets.token_bytes)
    assert list_codes(await verify(commission, token)) == ["ledger_other"]


def compute_commitment(credential: Credential) -> bytes:
    record = credential.record
    return commit_document(
        credential.document, record.schema, credential.salts, record.algorithm
    ).root


async def test_token_of_another_issuer_is_told_apart_from_a_forged_one(
    commission: Caller, laboratory: Caller, schema: str
) -> None:
    foreign = sign_token({"iss": "https://issuer.example"}, FOREIGN, media_type="dc+sd-jwt")
    for token in (
        SdJwt(token=foreign, disclosures=()).encode(),
        sign_token({"type": ["VerifiableCredential"]}, FOREIGN, media_type="vc+jwt"),
        sign_token({"vp": {}}, FOREIGN, media_type="vp+jwt"),
    ):
        answer = await verify(commission, token)
        assert (answer["result"], list_codes(answer)) == ("not_valid", ["token_foreign"])
        assert answer["subject"] is None
        assert "take it over" in answer["next_step"]
    credential = await issue(laboratory, schema)
    claims = build_claims(credential.record, issued_at_s=1, holder=None)
    wrong = sign_token(claims, FOREIGN, media_type="vc+jwt")
    answer = await verify(commission, wrong)
    assert (answer["result"], list_codes(answer)) == ("not_valid", ["file_malformed"])


async def test_garbage_is_answered_and_contradictory_requests_are_refused(
    commission: Caller,
) -> None:
    record = encode_base64url(dump_canonical({"atesta": {"ledger": 1}}))
    for token in ("", "x", "~", "a.b.c", f"{record}.{record}.{'A' * 86}", f"a.{record}.c~"):
        answer = await verify(commission, token)
        assert (answer["result"], list_codes(answer)) == ("not_valid", ["file_malformed"]), token
    problem = await commission.post("/verify", {"token": "x", "credential": {}}, status=400)
    assert problem["code"] == "invalid_field"
    assert problem["fields"] == ["credential", "presentation", "token"]
