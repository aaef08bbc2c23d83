"""Exports to SD-JWT VC and to Verifiable Credentials 2.0, and the way back."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from atesta_client.canonical import dump_canonical
from atesta_client.credentials import (
    BatchPath,
    Credential,
    LedgerReference,
    RecordReference,
    encode_credential,
    make_credential,
    with_batch_path,
)
from atesta_client.errors import (
    DocumentRefused,
    FormatRefused,
    MaterialRefused,
    PresentationRefused,
    ReasonCode,
)
from atesta_client.formats.jose import IssuerKey, Token, compute_address, read_token, sign_token
from atesta_client.formats.sd_jwt import decode_sd_jwt, open_claims
from atesta_client.formats.sd_jwt_vc import export_sd_jwt_vc, import_sd_jwt_vc
from atesta_client.formats.showing import show_sd_jwt_vc, validate_shown
from atesta_client.formats.vc_jwt import export_vc_jwt, import_vc_jwt
from atesta_client.hashing import HashAlgorithm
from atesta_client.holder_keys import HolderKey, HolderPublicKey, KeyKind
from atesta_client.presentations import HolderCheck, Occasion
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_790_000_000
LEDGER = LedgerReference(chain_id=7777, genesis_hash=b"\x0a" * 32)
HOLDER = HolderKey.generate()
ISSUER = IssuerKey.from_key(HolderKey.generate(KeyKind.SECP256K1))
OCCASION = Occasion(verifier="0x" + "22" * 32, purpose="border-crossing", nonce="0x" + "33" * 32)
POINTERS = ("/nam/fn", "/nam/gn", "/dob", "/v/0/tg", "/v/1/tg", "/extra", "/cnf")
DOCUMENT: dict[str, Any] = {
    "nam": {"fn": "陳", "gn": "美玲"},
    "dob": "1988-03-02",
    "v": [{"tg": "840539006"}],
}
SCALARS = (
    st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda number: not 2**53 <= abs(number) < 1e21
    )
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def stream(seed: bytes) -> Callable[[int], bytes]:
    state = [seed]

    def draw(count: int) -> bytes:
        state[0] = hashlib.sha256(state[0]).digest()
        return hashlib.shake_256(state[0]).digest(count)

    return draw


def make(
    document: Any = None,
    pointers: tuple[str, ...] = POINTERS,
    *,
    key: HolderKey | None = HOLDER,
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
    valid_until_s: int = NOW + 86_400,
) -> Credential:
    return make_credential(
        DOCUMENT if document is None else document,
        schema=Schema(uid=b"\x07" * 32, pointers=pointers),
        issuer=b"\x11" * 32,
        ledger=LEDGER,
        random_bytes=stream(b"seed"),
        valid_until_s=valid_until_s,
        holder_key=None if key is None else key.public_key,
        algorithm=algorithm,
    )


def find_key(_token: Token, record: RecordReference) -> HolderPublicKey:
    assert record.issuer == b"\x11" * 32
    return ISSUER.public_key


def to_sd_jwt(credential: Credential, key: IssuerKey = ISSUER) -> str:
    return export_sd_jwt_vc(credential, key, now_s=NOW, random_bytes=stream(b"export"))


def from_sd_jwt(text: str) -> Credential:
    return import_sd_jwt_vc(text, find_key)


def to_vc(credential: Credential, key: IssuerKey = ISSUER) -> str:
    return export_vc_jwt(credential, key, now_s=NOW)


def from_vc(text: str) -> Credential:
    return import_vc_jwt(text, find_key)


FORMATS = pytest.mark.parametrize(("write", "read"), [(to_sd_jwt, from_sd_jwt), (to_vc, from_vc)])
Write = Callable[..., str]
Read = Callable[[str], Credential]


@FORMATS
@pytest.mark.parametrize("algorithm", HashAlgorithm)
@pytest.mark.parametrize("key", [HOLDER, None])
def test_export_is_read_back_byte_for_byte(
    write: Write, read: Read, algorithm: HashAlgorithm, key: HolderKey | None
) -> None:
    alone = make(key=key, algorithm=algorithm, valid_until_s=0)
    batch = BatchPath(uid=b"\x0b" * 32, index=1, count=3, path=(b"\x01" * 32, b"\x02" * 32))
    for credential in (alone, with_batch_path(make(key=key), batch)):
        assert encode_credential(read(write(credential))) == encode_credential(credential)


@FORMATS
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3),
    st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2),
    st.lists(SCALARS, max_size=3),
)
def test_any_document_survives_export_and_import(
    write: Write, read: Read, plain: dict[str, Any], split: dict[str, Any], rows: list[Any]
) -> None:
    document: dict[str, Any] = dict(plain)
    document |= {"s": split} if split else {}
    document |= {"r": [{"q": row} for row in rows]} if rows else {}
    if not document:
        return
    pointers = ("/a", "/b", "/c", "/s/x", "/s/y", "/r/0/q", "/r/1/q", "/r/2/q")
    credential = make(document, pointers, key=None)
    again = read(write(credential))
    assert dump_canonical(again.document) == dump_canonical(document)
    assert (again.record, again.salts) == (credential.record, credential.salts)


@FORMATS
def test_export_of_another_issuer_or_for_another_use_is_refused(write: Write, read: Read) -> None:
    with pytest.raises(FormatRefused) as refusal:
        read(write(make(), IssuerKey.from_key(HolderKey.generate(KeyKind.SECP256K1))))
    assert refusal.value.code is ReasonCode.ISSUER_SIGNATURE_INVALID
    text = write(make())
    claims = read_token(text.split("~")[0]).claims
    other = sign_token(claims, ISSUER, media_type="jwt") + text[len(text.split("~")[0]) :]
    with pytest.raises(FormatRefused, match="typ"):
        read(other)


@FORMATS
def test_claim_that_contradicts_its_record_is_refused_by_name(write: Write, read: Read) -> None:
    text = write(make())
    token, rest = text.split("~")[0], text[len(text.split("~")[0]) :]
    parts = read_token(token)
    for name in sorted(set(parts.claims) - {"_sd", "_sd_alg", "atesta", "credentialSubject"}):
        changed = dict(parts.claims)
        if name in {"iat", "validFrom"}:
            changed[name] = "when?"
        else:
            del changed[name]
        again = sign_token(changed, ISSUER, media_type=str(parts.header["typ"])) + rest
        with pytest.raises(MaterialRefused) as refusal:
            read(again)
        if name != "cnf":
            assert name in str(refusal.value)
    added = sign_token({**parts.claims, "added": 1}, ISSUER, media_type=str(parts.header["typ"]))
    with pytest.raises(FormatRefused) as refused:
        read(added + rest)
    assert refused.value.pointer == "/added"


@FORMATS
@pytest.mark.parametrize(
    ("document", "pointers", "named"),
    [
        ({"iss": "x"}, ("/iss",), ("/iss", "/iss")),
        ({"a": 1}, ("/a", "/exp"), ("/exp", None)),
        ({"id": "x"}, ("/id",), (None, "/id")),
        ({"a": {"type": "x"}}, ("/a/type",), (None, "/a/type")),
        ({"a": {"@id": "x"}}, ("/a",), (None, "/a/@id")),
        ({"a": None}, ("/a",), (None, "/a")),
        ({"name": "x"}, ("/name",), (None, None)),
        ({"sub": "x"}, ("/sub",), ("/sub", "/sub")),
        ({"a": {"exp": 1}}, ("/a",), (None, "/a/exp")),
        ({"x5u": "x"}, ("/x5u",), (None, "/x5u")),
        ({"a": [{"BitstringStatusList": 1}]}, ("/a",), (None, "/a/0/BitstringStatusList")),
        ({"issuer": "x", "validFrom": "y"}, ("/issuer", "/validFrom"), (None, None)),
        ({"name": {"x": 1}}, ("/name",), (None, "/name")),
        ({"a": ["x", "y"]}, ("/a/0", "/a/1"), ("/a/0", None)),
        ({"a": {"_sd": []}}, ("/a",), ("/a", "/a/_sd")),
        ({"a": [{"...": 1}]}, ("/a",), ("/a", "/a/0/...")),
        ({"a": {"_sd": 1}}, ("/a/_sd",), ("/a/_sd", "/a/_sd")),
        ("x", ("",), ("", "")),
        ([1], ("",), ("", "")),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_its_pointer(
    write: Write,
    read: Read,
    document: Any,
    pointers: tuple[str, ...],
    named: tuple[str | None, str | None],
) -> None:
    credential = make(document, pointers, key=None)
    expected = named[0] if write is to_sd_jwt else named[1]
    if expected is None:
        assert read(write(credential)) == credential
        return
    with pytest.raises(FormatRefused) as refusal:
        write(credential)
    assert (refusal.value.code, refusal.value.pointer) == (ReasonCode.FORMAT_UNMAPPABLE, expected)


def test_vc_refuses_an_end_of_validity_that_no_calendar_holds() -> None:
    with pytest.raises(FormatRefused) as refusal:
        to_vc(make(valid_until_s=253_402_300_800))
    assert refusal.value.pointer == "/validUntil"
    last = make(valid_until_s=253_402_300_799)
    assert from_vc(to_vc(last)) == last


def test_sd_jwt_vc_shows_as_many_digests_whatever_the_document_holds() -> None:
    bare = make({"dob": "1988-03-02"}, key=None)
    for credential in (make(), bare):
        claims = read_token(to_sd_jwt(credential).split("~")[0]).claims
        assert len(claims["_sd"]) == len({"nam", "dob", "v", "extra"}) + 1
        assert claims["_sd"] == sorted(claims["_sd"])
        assert "陳" not in json.dumps(claims, ensure_ascii=False)


def show(pointers: list[str], *, key: HolderKey | None = HOLDER, text: str | None = None) -> str:
    return show_sd_jwt_vc(
        text or to_sd_jwt(make()), pointers, occasion=OCCASION, now_s=NOW, key=key
    )


def check(text: str, **changes: Any) -> Any:
    arguments: dict[str, Any] = {"occasion": OCCASION, "now_s": NOW}
    return validate_shown(text, find_key, **(arguments | changes))


def test_shown_fields_are_proved_and_the_others_are_not_there() -> None:
    text = show(["/nam/fn", "/v/0/tg"])
    checked = check(text, required=["/nam/fn"])
    assert checked.holder is HolderCheck.PROVED
    assert set(checked.values) == {"/nam/fn", "/v/0/tg", "/cnf"}
    assert checked.values["/nam/fn"] == "陳"
    shown = decode_sd_jwt(text)
    assert "1988" not in str(shown.disclosures)
    assert "美玲" not in str(shown.disclosures)
    opened = open_claims(read_token(shown.token).claims, shown.disclosures)
    assert opened.claims["v"] == [{"tg": "840539006"}]
    with pytest.raises(FormatRefused, match="presentation"):
        from_sd_jwt(text)
    with pytest.raises(PresentationRefused) as refusal:
        check(text, required=["/dob"])
    assert refusal.value.code is ReasonCode.FIELD_MISSING


def test_shown_fields_need_the_holders_own_signature_for_this_occasion() -> None:
    text = show(["/dob"])
    with pytest.raises(PresentationRefused) as refusal:
        check(show(["/dob"], key=HolderKey.generate()))
    assert refusal.value.code is ReasonCode.HOLDER_SIGNATURE_INVALID
    stripped = text[: text.rindex("~") + 1]
    with pytest.raises(PresentationRefused) as refusal:
        check(stripped)
    assert refusal.value.code is ReasonCode.HOLDER_NOT_PROVED
    mixed = show(["/dob", "/nam/fn"])
    with pytest.raises(PresentationRefused) as refusal:
        check(mixed[: mixed.rindex("~") + 1] + text[text.rindex("~") + 1 :])
    assert refusal.value.code is ReasonCode.HOLDER_SIGNATURE_INVALID
    for occasion, code in (
        (replace(OCCASION, verifier="0x00"), ReasonCode.WRONG_VERIFIER),
        (replace(OCCASION, purpose="hotel"), ReasonCode.WRONG_PURPOSE),
        (replace(OCCASION, nonce="0x01"), ReasonCode.WRONG_NONCE),
    ):
        with pytest.raises(PresentationRefused) as refusal:
            check(text, occasion=occasion)
        assert refusal.value.code is code
    with pytest.raises(PresentationRefused) as refusal:
        check(text, now_s=NOW + 301)
    assert refusal.value.code is ReasonCode.PRESENTATION_STALE


def test_shown_document_without_a_key_is_not_checked() -> None:
    text = to_sd_jwt(make(key=None))
    checked = check(show(["/dob"], key=None, text=text))
    assert (checked.holder, checked.values) == (HolderCheck.NOT_CHECKED, {"/dob": "1988-03-02"})
    with pytest.raises(DocumentRefused) as refusal:
        show(["/extra"], key=None, text=text)
    assert refusal.value.pointer == "/extra"


def test_hidden_field_is_no_whole_credential() -> None:
    text = to_sd_jwt(make())
    whole = decode_sd_jwt(text)
    for left_out in whole.disclosures:
        rest = [shown for shown in whole.disclosures if shown is not left_out]
        with pytest.raises(FormatRefused):
            from_sd_jwt(whole.show(rest).encode())


def test_account_key_is_named_by_its_address() -> None:
    address = compute_address(ISSUER.public_key)
    assert address is not None
    assert ISSUER.key_id == "0x" + address.hex()
    token = read_token(to_vc(make()))
    assert token.header["kid"] == ISSUER.key_id
    found = token.find_key()
    assert found is not None
    assert compute_address(found) == address
    assert compute_address(HOLDER.public_key) is None
