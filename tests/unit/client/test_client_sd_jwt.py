"""SD-JWT against the examples of RFC 9901, and what the RFC has a reader refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
from atesta_client.errors import FormatRefused, ReasonCode
from atesta_client.formats.jose import read_token, verify_token
from atesta_client.formats.sd_jwt import (
    Disclosure,
    SdJwt,
    compute_digest,
    decode_sd_jwt,
    make_disclosure,
    open_claims,
)
from atesta_client.holder_keys import HolderKey, HolderPublicKey, verify_claims

VECTOR = json.loads(
    (Path(__file__).parents[2] / "vectors/sd_jwt/rfc9901.json").read_text(encoding="utf-8")
)
ISSUER = HolderPublicKey.from_field({"jwk": VECTOR["issuer_jwk"]})
WHOLE = "~".join([VECTOR["token"], *VECTOR["disclosures"], ""])
SHOWN = "~".join(
    [VECTOR["token"], *(VECTOR["disclosures"][i] for i in VECTOR["shown"]), VECTOR["key_binding"]]
)
TYPES = ("example+sd-jwt",)


def test_rfc_9901_issuance_is_read_as_the_rfc_prints_it() -> None:
    whole = decode_sd_jwt(WHOLE)
    assert [disclosure.digest for disclosure in whole.disclosures] == VECTOR["digests"]
    token = read_token(whole.token)
    verify_token(token, ISSUER, media_types=TYPES)
    opened = open_claims(token.claims, whole.disclosures)
    assert opened.hidden == []
    assert opened.claims.pop("cnf")["jwk"]["crv"] == "P-256"
    assert opened.claims == {
        "given_name": "John",
        "family_name": "Doe",
        "email": "johndoe@example.com",
        "phone_number": "+1-202-555-0101",
        "phone_number_verified": True,
        "address": {
            "street_address": "123 Main St",
            "locality": "Anytown",
            "region": "Anystate",
            "country": "US",
        },
        "birthdate": "1940-01-01",
        "updated_at": 1570000000,
        "nationalities": ["US", "DE"],
        "iss": "https://issuer.example.com",
        "iat": 1683000000,
        "exp": 1883000000,
        "sub": "user_42",
    }
    assert whole.encode() == WHOLE


def test_rfc_9901_presentation_and_key_binding_hold() -> None:
    shown = decode_sd_jwt(SHOWN)
    claims = read_token(shown.token).claims
    opened = open_claims(claims, shown.disclosures)
    assert opened.claims["nationalities"] == ["US"]
    assert "email" not in opened.claims
    assert len(opened.hidden) == 6
    assert shown.key_binding is not None
    holder = HolderPublicKey.from_field(claims["cnf"])
    bound = verify_claims(shown.key_binding, holder, media_type="kb+jwt")
    assert bound["sd_hash"] == compute_digest(shown.shown)
    assert bound["nonce"] == "1234567890"


def test_rfc_9901_token_of_another_key_or_type_is_refused() -> None:
    token = read_token(VECTOR["token"])
    with pytest.raises(FormatRefused) as refusal:
        verify_token(token, HolderKey.generate().public_key, media_types=TYPES)
    assert refusal.value.code is ReasonCode.ISSUER_SIGNATURE_INVALID
    with pytest.raises(FormatRefused, match="typ"):
        verify_token(token, ISSUER, media_types=("dc+sd-jwt",))


A = make_disclosure("salt-a", "a", 1)
NAMELESS = make_disclosure("salt-b", None, 1)
NAMED_SD = make_disclosure("salt-c", "_sd", 1)


@pytest.mark.parametrize(
    ("payload", "disclosures"),
    [
        ({"_sd": [A.digest, A.digest]}, [A]),
        ({"_sd": [A.digest], "x": {"_sd": [A.digest]}}, [A]),
        ({"_sd": [A.digest], "x": [{"...": A.digest}]}, [A]),
        ({"_sd": []}, [A]),
        ({"_sd": [A.digest]}, [A, make_disclosure("salt-a", "a", 1)]),
        ({"_sd": [A.digest], "a": 2}, [A]),
        ({"_sd": [NAMELESS.digest]}, [NAMELESS]),
        ({"x": [{"...": A.digest}]}, [A]),
        ({"_sd": [NAMED_SD.digest]}, [NAMED_SD]),
        ({"_sd": "x"}, []),
        ({"_sd": [1]}, []),
        ({"x": {"...": A.digest}}, []),
        ({"x": [{"...": A.digest, "y": 1}]}, []),
        ({"_sd_alg": "sha-512", "_sd": []}, []),
    ],
)
def test_claims_that_rfc_9901_rejects_are_refused(
    payload: dict[str, Any], disclosures: list[Disclosure]
) -> None:
    with pytest.raises(FormatRefused):
        open_claims(payload, disclosures)


def test_disclosures_within_disclosures_are_opened_in_place() -> None:
    inner = make_disclosure("s1", "street", "x")
    outer = make_disclosure("s2", "address", {"_sd": [inner.digest, "decoy"]})
    opened = open_claims({"_sd": [outer.digest], "n": [{"...": "decoy2"}, 7]}, [inner, outer])
    assert opened.claims == {"address": {"street": "x"}, "n": [7]}
    assert set(opened.places) == {"/address", "/address/street"}
    assert sorted(opened.hidden) == ["/address", "/n"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        "a~b~",
        f"{VECTOR['token']}~{VECTOR['disclosures'][0]}=~",
        f"{VECTOR['token']}~WzFd~",
        f"{VECTOR['token']}~WzEsMiwzXQ~",
        "x" * 2_000_000 + "~",
    ],
)
def test_malformed_sd_jwt_is_refused(text: str) -> None:
    with pytest.raises(FormatRefused) as refusal:
        read_token(decode_sd_jwt(text).token)
    assert refusal.value.code is ReasonCode.FILE_MALFORMED


def test_sd_jwt_ends_with_a_tilde_or_a_key_binding() -> None:
    assert SdJwt(token="t", disclosures=(A,)).encode() == f"t~{A.encoded}~"
    assert SdJwt(token="t", disclosures=(), key_binding="k").encode() == "t~k"
