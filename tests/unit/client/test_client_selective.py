"""Any choice of fields: what is shown is proved, and nothing else can be told from the file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from atesta_client.credentials import Credential, LedgerReference, make_credential
from atesta_client.errors import MaterialRefused
from atesta_client.holder_keys import HolderKey
from atesta_client.pointers import Absent
from atesta_client.presentations import (
    HolderCheck,
    Occasion,
    Presentation,
    decode_presentation,
    encode_presentation,
    present,
    validate_presentation,
)
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_790_000_000
KEY = HolderKey.generate()
POINTERS = ("/name/family", "/name/given", "/born", "/number", "/doses/0/lot", "/doses/1/lot")
SCHEMA = Schema(uid=b"\x07" * 32, pointers=(*POINTERS, "/cnf"))
LEDGER = LedgerReference(chain_id=7777, genesis_hash=b"\x0a" * 32)
OCCASION = Occasion(verifier="0x" + "22" * 32, purpose="border-crossing", nonce="0x" + "33" * 32)
VALUES = st.from_regex(r"\Aq9-[a-z]{9,40}\Z")
BYTES = st.binary(min_size=32, max_size=32)


def build_document(values: Sequence[str | None]) -> dict[str, Any]:
    family, given_name, born, number, first, second = values
    document: dict[str, Any] = {}
    name = {"family": family, "given": given_name}
    if any(name.values()):
        document["name"] = {key: value for key, value in name.items() if value}
    document |= {key: value for key, value in (("born", born), ("number", number)) if value}
    doses = [{"lot": lot} for lot in (first, second if first else None) if lot]
    return {**document, "doses": doses} if doses else document


def make(document: dict[str, Any], seed: bytes, *, with_key: bool = True) -> Credential:
    drawn = iter(range(1 << 30))
    return make_credential(
        document,
        schema=SCHEMA,
        issuer=b"\x11" * 32,
        ledger=LEDGER,
        random_bytes=lambda size: b"".join(
            hashlib.sha256(seed + bytes([next(drawn) % 256])).digest()
            for _ in range(-(-size // 32))
        )[:size],
        holder_key=KEY.public_key if with_key else None,
    )


def show(credential: Credential, pointers: Sequence[str], *, key: HolderKey | None) -> Presentation:
    made = present(credential, pointers, occasion=OCCASION, now_s=NOW, key=key)
    return decode_presentation(encode_presentation(made))


DOCUMENTS = st.lists(VALUES | st.none(), min_size=6, max_size=6).map(build_document).filter(bool)
CHOICES = st.sets(st.sampled_from(POINTERS))


@given(DOCUMENTS, CHOICES, BYTES, st.booleans())
def test_any_choice_of_fields_is_proved_and_hides_the_others(
    document: dict[str, Any], chosen: set[str], seed: bytes, with_key: bool
) -> None:
    credential = make(document, seed, with_key=with_key)
    shown = show(credential, sorted(chosen), key=KEY if with_key else None)
    checked = validate_presentation(shown, occasion=OCCASION, now_s=NOW)
    assert checked.holder is (HolderCheck.PROVED if with_key else HolderCheck.NOT_CHECKED)
    assert set(checked.values) == chosen | {"/cnf"}
    text = encode_presentation(shown).decode()
    parts = dict(zip(SCHEMA.pointers, SCHEMA.split(credential.document), strict=True))
    for index, (pointer, value) in enumerate(parts.items()):
        if pointer in checked.values:
            assert checked.values[pointer] == value
            continue
        assert credential.salts[index].hex() not in text
        if not isinstance(value, Absent) and value not in [parts[other] for other in chosen]:
            assert value not in text


@given(CHOICES, st.lists(VALUES | st.none(), min_size=6, max_size=6), BYTES)
def test_size_of_a_presentation_does_not_tell_hidden_lengths(
    chosen: set[str], hidden: list[str | None], seed: bytes
) -> None:
    fixed = ["q9-" + "a" * 9] * 6
    mixed = [
        value if pointer in chosen else other
        for pointer, value, other in zip(POINTERS, fixed, hidden, strict=True)
    ]
    # The second dose stands only after a first one.
    mixed[4] = mixed[4] or "q9-z"
    sizes = []
    for values in (fixed, mixed):
        unsigned = replace(
            show(make(build_document(values), seed), sorted(chosen), key=KEY), signature=None
        )
        sizes.append(len(encode_presentation(unsigned)))
    assert sizes[0] == sizes[1]


@given(DOCUMENTS, CHOICES, st.sampled_from(POINTERS), BYTES, VALUES)
def test_no_other_value_passes_for_any_field(
    document: dict[str, Any], chosen: set[str], forged: str, seed: bytes, value: str
) -> None:
    credential = make(document, seed, with_key=False)
    members = json.loads(encode_presentation(show(credential, [*chosen, forged], key=None)))
    field = next(field for field in members["fields"] if field["pointer"] == forged)
    if field.get("value") == value:
        return
    field["value"] = value
    with pytest.raises(MaterialRefused):
        validate_presentation(decode_presentation(members), occasion=OCCASION, now_s=NOW)
