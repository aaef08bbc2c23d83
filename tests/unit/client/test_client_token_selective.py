"""Fields of an SD-JWT VC shown in any choice: what is shown is proved, the rest tells nothing."""

import json
import secrets
from typing import Any

from atesta_client.base64url import decode_base64url, encode_base64url
from atesta_client.credentials import Credential, LedgerReference, RecordReference, make_credential
from atesta_client.formats.jose import IssuerKey, Token
from atesta_client.formats.sd_jwt import decode_sd_jwt
from atesta_client.formats.sd_jwt_vc import export_sd_jwt_vc
from atesta_client.formats.showing import show_sd_jwt_vc, validate_shown
from atesta_client.holder_keys import HolderKey, HolderPublicKey, KeyKind
from atesta_client.presentations import Occasion
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_790_000_000
NAMES = ("a", "b", "c", "d", "e")
SCHEMA = Schema(uid=b"\x07" * 32, pointers=(*(f"/{name}" for name in NAMES), "/cnf"))
HOLDER = HolderKey.generate()
ISSUER = IssuerKey.from_key(HolderKey.generate(KeyKind.SECP256K1))
OCCASION = Occasion(verifier="0x" + "22" * 32, purpose="hotel", nonce="0x" + "33" * 32)
# A mark that nothing else in a token holds.
VALUES = st.text("xyz 陳", max_size=20).map(lambda text: f"§{text}")
DOCUMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1)


def make(document: dict[str, Any]) -> Credential:
    return make_credential(
        document,
        schema=SCHEMA,
        issuer=b"\x11" * 32,
        ledger=LedgerReference(chain_id=7777, genesis_hash=b"\x0a" * 32),
        random_bytes=secrets.token_bytes,
        holder_key=HOLDER.public_key,
    )


def show(credential: Credential, chosen: set[str]) -> str:
    whole = export_sd_jwt_vc(credential, ISSUER, now_s=NOW, random_bytes=secrets.token_bytes)
    pointers = sorted(f"/{name}" for name in chosen)
    return show_sd_jwt_vc(whole, pointers, occasion=OCCASION, now_s=NOW, key=HOLDER)


def find_key(_token: Token, _record: RecordReference) -> HolderPublicKey:
    return ISSUER.public_key


def read_everything(text: str) -> str:
    """Return all that a verifier can read in a token: every part, decoded."""
    shown = decode_sd_jwt(text)
    parts = [part for token in (shown.token, shown.key_binding or "") for part in token.split(".")]
    parts += [disclosure.encoded for disclosure in shown.disclosures]
    return text + "".join((decode_base64url(p) or b"").decode("utf-8", "replace") for p in parts)


@given(DOCUMENTS, st.sets(st.sampled_from(NAMES)))
def test_any_choice_of_a_tokens_fields_is_proved_and_hides_the_others(
    document: dict[str, Any], wanted: set[str]
) -> None:
    chosen = wanted & set(document)
    credential = make(document)
    text = show(credential, chosen)
    checked = validate_shown(text, find_key, occasion=OCCASION, now_s=NOW)
    assert {p: v for p, v in checked.values.items() if p != "/cnf"} == {
        f"/{name}": document[name] for name in chosen
    }
    readable = read_everything(text)
    for index, name in enumerate(NAMES):
        if name in chosen:
            continue
        assert encode_base64url(credential.salts[index]) not in readable
        if name in document and document[name] not in [document[other] for other in chosen]:
            assert json.dumps(document[name], ensure_ascii=False) not in readable


@given(DOCUMENTS, DOCUMENTS, st.sets(st.sampled_from(NAMES)))
def test_size_of_a_shown_token_does_not_tell_what_is_hidden(
    first: dict[str, Any], second: dict[str, Any], wanted: set[str]
) -> None:
    chosen = wanted & set(first)
    # The same shown, anything else hidden, or not there at all.
    other = {name: value for name, value in second.items() if name not in chosen}
    other |= {name: first[name] for name in chosen}
    shown = [decode_sd_jwt(show(make(document), chosen)) for document in (first, other or first)]
    assert len({len(token.shown) for token in shown}) == 1
    assert len({len(token.disclosures) for token in shown}) == 1
