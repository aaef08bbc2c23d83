"""Hostile files: whatever a stranger changes in one, it is read the same or refused with a reason.

A changed file may still be read, but it must never be accepted: the only file that passes the
check is one that means exactly what the issuer and the holder made.
"""

import copy
import json
from typing import Any

from atesta_client.credentials import LedgerReference, decode_credential, encode_credential
from atesta_client.credentials import make_credential as make
from atesta_client.errors import MaterialRefused
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import (
    Occasion,
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
OCCASION = Occasion(verifier="0x22", purpose="border", nonce="0x33")
CREDENTIAL = make(
    {"name": "陳美玲", "doses": [1, {"of": 2}], "born": None},
    schema=Schema(uid=b"\x07" * 32, pointers=("/name", "/doses", "/born", "/none", "/cnf")),
    issuer=b"\x11" * 32,
    ledger=LedgerReference(chain_id=7777, genesis_hash=b"\x0a" * 32),
    random_bytes=lambda count: bytes(number % 251 for number in range(count)),
    valid_until_s=NOW + 1000,
    holder_key=KEY.public_key,
)
PRESENTATION = present(CREDENTIAL, ["/doses", "/none"], occasion=OCCASION, now_s=NOW, key=KEY)
CREDENTIAL_FILE = json.loads(encode_credential(CREDENTIAL))
PRESENTATION_FILE = json.loads(encode_presentation(PRESENTATION))

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(["0x" + "00" * 32, "0x" + "0A" * 32, "sm3", "/name", "", "a.b.c", "/-"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=3),
)


def list_places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    places = [place]
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        places += list_places(member, (*place, name))
    return places


def change(file: Any, place: tuple[Any, ...], value: Any, *, remove: bool) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(file)
    holder = changed
    for name in place[:-1]:
        holder = holder[name]
    if remove:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return changed


def is_same(left: Any, right: Any) -> bool:
    # 1 and true are equal in Python and different in JSON.
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@given(st.sampled_from(list_places(CREDENTIAL_FILE)), VALUES, st.booleans())
def test_changed_credential_file_is_refused_or_names_another_record(
    place: tuple[Any, ...], value: Any, remove: bool
) -> None:
    changed = change(CREDENTIAL_FILE, place, value, remove=remove)
    try:
        credential = decode_credential(changed)
        credential.commit()
    except MaterialRefused:
        pass
    else:
        # What the commitment does not cover (issuer, uid, ledger, end) the ledger's record does.
        names = {"ledger", "issuer", "uid", "valid_until", "batch"}
        assert is_same(changed, CREDENTIAL_FILE) or place[0] in names


@given(st.sampled_from(list_places(PRESENTATION_FILE)), VALUES, st.booleans())
def test_changed_presentation_is_never_accepted(
    place: tuple[Any, ...], value: Any, remove: bool
) -> None:
    changed = change(PRESENTATION_FILE, place, value, remove=remove)
    try:
        presentation = decode_presentation(changed)
        validate_presentation(presentation, occasion=OCCASION, now_s=NOW, required=["/doses"])
    except MaterialRefused:
        pass
    else:
        assert is_same(changed, PRESENTATION_FILE)


@given(st.binary(max_size=60))
def test_random_bytes_are_refused(data: bytes) -> None:
    for decode in (decode_credential, decode_presentation):
        try:
            decode(data)
        except MaterialRefused:
            continue
        raise AssertionError("random bytes were accepted as a file")
