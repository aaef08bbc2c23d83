"""Credential files, disclosures and presentations, as resident, verifier and copyist use them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from atesta_client.commitments import compute_batch_leaf
from atesta_client.credentials import (
    BatchPath,
    Credential,
    LedgerReference,
    decode_credential,
    encode_credential,
    make_credential,
    with_batch_path,
)
from atesta_client.errors import (
    CredentialRefused,
    DocumentRefused,
    MaterialRefused,
    PresentationRefused,
    ProofRefused,
    ReasonCode,
)
from atesta_client.hashing import HashAlgorithm
from atesta_client.holder_keys import (
    HolderKey,
    HolderPublicKey,
    KeyKind,
    sign_claims,
    verify_claims,
)
from atesta_client.pointers import ABSENT
from atesta_client.presentations import (
    HolderCheck,
    Occasion,
    Presentation,
    decode_presentation,
    encode_presentation,
    present,
    sign_presentation,
    validate_presentation,
)
from atesta_client.schemas import Schema
from atesta_client.trees import build_tree

NOW = 1_790_000_000
SCHEMA = Schema(
    uid=b"\x07" * 32, pointers=("/nam/fn", "/nam/gn", "/dob", "/v/0/tg", "/v/0/dt", "/cnf")
)
LEDGER = LedgerReference(chain_id=7777, genesis_hash=b"\x0a" * 32)
DOCUMENT: dict[str, Any] = {
    "nam": {"fn": "陳", "gn": "美玲"},
    "dob": "1988-03-02",
    "v": [{"tg": "840539006", "dt": "2026-05-01"}],
}
OCCASION = Occasion(verifier="0x" + "22" * 32, purpose="border-crossing", nonce="0x" + "33" * 32)
KEY = HolderKey.generate()


def stream(seed: bytes) -> Callable[[int], bytes]:
    state = [seed]

    def draw(count: int) -> bytes:
        state[0] = hashlib.sha256(state[0]).digest()
        return hashlib.shake_256(state[0]).digest(count)

    return draw


def make(
    key: HolderKey | None = KEY, algorithm: HashAlgorithm = HashAlgorithm.SHA_256
) -> Credential:
    return make_credential(
        DOCUMENT,
        schema=SCHEMA,
        issuer=b"\x11" * 32,
        ledger=LEDGER,
        random_bytes=stream(b"seed"),
        valid_until_s=NOW + 86_400,
        holder_key=None if key is None else key.public_key,
        algorithm=algorithm,
    )


def show(credential: Credential | None = None, key: HolderKey | None = KEY) -> Presentation:
    return present(
        credential or make(), ["/v/0/tg", "/v/0/dt"], occasion=OCCASION, now_s=NOW, key=key
    )


def check(presentation: Presentation, **changes: Any) -> Any:
    arguments: dict[str, Any] = {"occasion": OCCASION, "now_s": NOW, "required": ["/v/0/tg"]}
    return validate_presentation(presentation, **(arguments | changes))


@pytest.mark.parametrize("algorithm", HashAlgorithm)
@pytest.mark.parametrize("kind", KeyKind)
def test_credential_and_presentation_survive_their_files(
    algorithm: HashAlgorithm, kind: KeyKind
) -> None:
    key = HolderKey.generate(kind)
    credential = make(key, algorithm)
    assert decode_credential(encode_credential(credential)) == credential
    presentation = show(credential, key)
    again = decode_presentation(encode_presentation(presentation))
    assert again == presentation
    checked = check(again)
    assert checked.holder is HolderCheck.PROVED
    assert checked.signed_at_s == NOW
    assert checked.values["/v/0/dt"] == "2026-05-01"
    assert set(checked.values) == {"/v/0/tg", "/v/0/dt", "/cnf"}


def test_presentation_holds_nothing_of_fields_not_shown() -> None:
    text = encode_presentation(show()).decode()
    credential = make()
    for hidden in ("陳", "美玲", "1988-03-02"):
        assert hidden not in text
    for index in (0, 1, 2):
        assert credential.salts[index].hex() not in text


def test_credential_file_names_changed_field_or_salt() -> None:
    members = json.loads(encode_credential(make()))
    members["document"]["dob"] = "1999-03-02"
    with pytest.raises(CredentialRefused) as refusal:
        decode_credential(members).commit()
    assert refusal.value.code is ReasonCode.COMMITMENT_MISMATCH
    members = json.loads(encode_credential(make()))
    members["salts"][0] = "0x" + "00" * 32
    with pytest.raises(CredentialRefused):
        decode_credential(members).commit()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"extra": 1}, ReasonCode.FILE_MALFORMED),
        ({"version": 2}, ReasonCode.VERSION_UNSUPPORTED),
        ({"type": "other"}, ReasonCode.FILE_MALFORMED),
        ({"uid": "0x00"}, ReasonCode.FILE_MALFORMED),
        ({"uid": "0x" + "AA" * 32}, ReasonCode.FILE_MALFORMED),
        ({"algorithm": "md5"}, ReasonCode.FILE_MALFORMED),
        ({"valid_until": -1}, ReasonCode.FILE_MALFORMED),
        ({"valid_until": True}, ReasonCode.FILE_MALFORMED),
        ({"salts": []}, ReasonCode.SALT_MALFORMED),
        ({"salts": ["0x00"] * 6}, ReasonCode.FILE_MALFORMED),
        ({"ledger": []}, ReasonCode.FILE_MALFORMED),
        ({"schema": {"uid": "0x" + "07" * 32, "pointers": [1]}}, ReasonCode.SCHEMA_INVALID),
        ({"schema": {"uid": "0x" + "07" * 32, "pointers": ["x"]}}, ReasonCode.POINTER_MALFORMED),
    ],
)
def test_malformed_credential_file_is_refused(change: dict[str, Any], code: ReasonCode) -> None:
    with pytest.raises(MaterialRefused) as refusal:
        decode_credential(json.loads(encode_credential(make())) | change)
    assert refusal.value.code is code


def test_credential_refuses_document_that_brings_its_own_holder_key() -> None:
    with pytest.raises(DocumentRefused):
        make_credential(
            {**DOCUMENT, "cnf": {}},
            schema=SCHEMA,
            issuer=b"\x11" * 32,
            ledger=LEDGER,
            random_bytes=stream(b"x"),
            holder_key=KEY.public_key,
        )


def test_changed_field_and_wrong_salt_are_refused_with_their_pointer() -> None:
    presentation = show()
    shown = next(field for field in presentation.fields if field.pointer == "/v/0/dt")
    others = tuple(field for field in presentation.fields if field is not shown)
    for forged in (replace(shown, value="2026-06-01"), replace(shown, salt=b"\x00" * 32)):
        with pytest.raises(ProofRefused) as refusal:
            check(replace(presentation, fields=(*others, forged)))
        assert refusal.value.code is ReasonCode.FIELD_MISMATCH
        assert refusal.value.pointer == "/v/0/dt"
        assert "2026" not in str(refusal.value)


def test_field_outside_schema_or_at_other_place_or_twice_is_refused() -> None:
    presentation = show()
    field = presentation.fields[0]
    for forged, code in (
        (replace(field, pointer="/v/0/secret"), ReasonCode.FIELD_OUTSIDE_SCHEMA),
        (replace(field, index=field.index + 1), ReasonCode.FIELD_OUTSIDE_SCHEMA),
        (field, ReasonCode.FILE_MALFORMED),
    ):
        with pytest.raises(ProofRefused) as refusal:
            check(replace(presentation, fields=(*presentation.fields, forged)))
        assert refusal.value.code is code


def test_required_field_that_is_hidden_or_absent_is_refused() -> None:
    with pytest.raises(PresentationRefused) as refusal:
        check(show(), required=["/dob"])
    assert refusal.value.code is ReasonCode.FIELD_MISSING


def test_copied_file_without_holder_key_is_refused() -> None:
    thief = HolderKey.generate()
    with pytest.raises(PresentationRefused) as refusal:
        check(show(key=thief))
    assert refusal.value.code is ReasonCode.HOLDER_SIGNATURE_INVALID
    with pytest.raises(PresentationRefused) as refusal:
        check(replace(show(), signature=None))
    assert refusal.value.code is ReasonCode.HOLDER_NOT_PROVED


def test_leaving_out_holder_key_field_is_refused() -> None:
    presentation = show()
    fields = tuple(field for field in presentation.fields if field.pointer != "/cnf")
    with pytest.raises(PresentationRefused) as refusal:
        check(replace(presentation, fields=fields, signature=None))
    assert refusal.value.code is ReasonCode.HOLDER_NOT_PROVED


def test_document_without_holder_key_is_not_checked() -> None:
    presentation = show(make(None), None)
    checked = check(presentation)
    assert checked.holder is HolderCheck.NOT_CHECKED
    assert checked.values["/cnf"] is ABSENT


@pytest.mark.parametrize(
    ("occasion", "code"),
    [
        (replace(OCCASION, verifier="0x" + "44" * 32), ReasonCode.WRONG_VERIFIER),
        (replace(OCCASION, purpose="hotel"), ReasonCode.WRONG_PURPOSE),
        (replace(OCCASION, nonce="0x" + "55" * 32), ReasonCode.WRONG_NONCE),
    ],
)
def test_presentation_for_other_occasion_is_refused(occasion: Occasion, code: ReasonCode) -> None:
    with pytest.raises(PresentationRefused) as refusal:
        check(show(), occasion=occasion)
    assert refusal.value.code is code


@pytest.mark.parametrize("now_s", [NOW + 301, NOW - 61])
def test_presentation_outside_its_time_is_refused(now_s: int) -> None:
    with pytest.raises(PresentationRefused) as refusal:
        check(show(), now_s=now_s)
    assert refusal.value.code is ReasonCode.PRESENTATION_STALE


def test_signature_does_not_cover_fields_added_later() -> None:
    presentation = show()
    more = present(make(), ["/dob"], occasion=OCCASION, now_s=NOW, key=KEY)
    mixed = replace(more, signature=presentation.signature)
    with pytest.raises(PresentationRefused) as refusal:
        check(mixed, required=[])
    assert refusal.value.code is ReasonCode.HOLDER_SIGNATURE_INVALID
    resigned = sign_presentation(mixed, KEY, occasion=OCCASION, now_s=NOW)
    assert check(resigned, required=["/dob"]).holder is HolderCheck.PROVED


@pytest.mark.parametrize("signature", ["", "a.b", "a.b.c", "....", "x" * 20_000, "e30.e30.e30"])
def test_malformed_signature_is_refused(signature: str) -> None:
    with pytest.raises(PresentationRefused) as refusal:
        check(replace(show(), signature=signature))
    assert refusal.value.code is ReasonCode.HOLDER_SIGNATURE_INVALID


def test_signature_for_another_use_or_algorithm_is_refused() -> None:
    claims = {"aud": "somebody"}
    for key in (KEY, HolderKey.generate(KeyKind.SECP256K1)):
        token = sign_claims(claims, key, media_type="one+jwt")
        assert verify_claims(token, key.public_key, media_type="one+jwt") == claims
        with pytest.raises(PresentationRefused, match="header"):
            verify_claims(token, key.public_key, media_type="other+jwt")


def test_second_spelling_of_the_same_signature_is_refused() -> None:
    token = sign_claims({"aud": "somebody"}, KEY, media_type="one+jwt")
    # 64 bytes are 85.3 characters: the last one has four bits that mean nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    for spelling in (other, token + "=", token + "==", token.replace(".", ". ", 1)):
        with pytest.raises(PresentationRefused):
            verify_claims(spelling, KEY.public_key, media_type="one+jwt")


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"jwk": {}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC", "crv": "P-999", "x": "A" * 43, "y": "A" * 43}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "d": "A" * 43}},
    ],
)
def test_malformed_holder_key_is_refused(value: Any) -> None:
    with pytest.raises(CredentialRefused) as refusal:
        HolderPublicKey.from_field(value)
    assert refusal.value.code is ReasonCode.HOLDER_KEY_MALFORMED


def test_holder_key_survives_pem_with_and_without_passphrase() -> None:
    for kind in KeyKind:
        key = HolderKey.generate(kind)
        for passphrase in (None, b"correct horse"):
            again = HolderKey.from_pem(key.to_pem(passphrase), passphrase)
            assert again.public_key.to_field() == key.public_key.to_field()
    with pytest.raises(CredentialRefused):
        HolderKey.from_pem(KEY.to_pem(b"right"), b"wrong")


def test_batch_path_leads_to_root_and_refuses_other_count() -> None:
    credential = make()
    leaf = compute_batch_leaf(credential.record.get_batch_record())
    tree = build_tree([b"\x01" * 32, leaf, b"\x02" * 32])
    batch = BatchPath(uid=b"\x0b" * 32, index=1, count=3, path=tree.compute_path(1))
    carried = decode_credential(encode_credential(with_batch_path(credential, batch)))
    assert carried.record.compute_batch_root() == tree.root
    changed = replace(carried.record, valid_until_s=carried.record.valid_until_s + 1)
    assert changed.compute_batch_root() != tree.root
    wrong = replace(carried.record, batch=replace(batch, count=1))
    with pytest.raises(ProofRefused) as refusal:
        wrong.compute_batch_root()
    assert refusal.value.code is ReasonCode.BATCH_PATH_MISMATCH
