"""What a caller may give in place of the interface's own texts and JSON."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.credentials import (
    Credential,
    LedgerReference,
    decode_credential,
    encode_credential,
    make_credential,
)
from atesta_client.envelopes import decode_envelope, encode_envelope, seal_envelope
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, decode_presentation, present
from atesta_client.requests.encoding import encode_value
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

UID = bytes(range(32))
TEXT = "0x" + UID.hex()
KEY = HolderKey.generate()


def body_of(request: requests.Request[Any]) -> dict[str, Any]:
    assert isinstance(request.body, dict)
    return request.body


@pytest.fixture
def credential() -> Credential:
    return make_credential(
        {"name": "Example Person", "note": None},
        schema=Schema(uid=UID, pointers=("/name", "/note", "/cnf")),
        issuer=bytes(32),
        ledger=LedgerReference(chain_id=1, genesis_hash=bytes(32)),
        random_bytes=lambda size: b"\x07" * size,
        holder_key=KEY.public_key,
    )


def test_uid_goes_as_bytes_or_as_text() -> None:
    assert (
        requests.get_exchange(UID).path == requests.get_exchange(TEXT).path == f"/exchanges/{TEXT}"
    )
    by_bytes = requests.list_exchanges(dataset=UID, agency="mo-health-bureau")
    assert by_bytes.query == {"dataset": TEXT, "agency": "mo-health-bureau"}
    stop = requests.order_stop(
        until=datetime(2027, 1, 1, tzinfo=UTC), decision={}, pair=[UID, "mo-health-bureau"]
    )
    assert body_of(stop)["pair"] == [TEXT, "mo-health-bureau"]


def test_credential_and_presentation_go_as_objects_or_as_files(credential: Credential) -> None:
    sent = body_of(requests.verify_credential(credential))["credential"]
    assert encode_credential(decode_credential(sent)) == encode_credential(credential)
    assert body_of(requests.attest_credential_file(sent))["credential"] == sent
    occasion = Occasion(verifier="0x22", purpose="check", nonce="n" * 32)
    shown = present(credential, ["/name"], occasion=occasion, now_s=1_790_000_000, key=KEY)
    sent = body_of(requests.verify_presentation(shown))["presentation"]
    assert decode_presentation(sent) == shown


def test_envelope_and_holder_key_go_as_objects_or_as_files() -> None:
    envelope = seal_envelope("case", {"number": "7"}, lambda size: b"\x01" * size)
    release = requests.release_exchange(UID, request_envelope=envelope, response={"a": None})
    assert decode_envelope(body_of(release)["request_envelope"]) == envelope
    same = requests.release_exchange(
        UID, request_envelope=encode_envelope(envelope), response={"a": None}
    )
    assert body_of(same) == body_of(release)
    made = requests.create_credential(schema_uid=UID, document={}, holder_key=KEY.public_key)
    assert body_of(made)["holder_key"] == KEY.public_key.to_field()


def test_null_is_kept_inside_documents_and_dropped_from_parts() -> None:
    asked = requests.create_key_binding(
        holder="0x" + "22" * 20,
        subject=requests.SubjectItem(reference="file-7"),
        valid_until=datetime(2027, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))),
    )
    assert body_of(asked) == {
        "holder": "0x" + "22" * 20,
        "subject": {"reference": "file-7"},
        "valid_until": "2027-01-01T00:00:00Z",
    }
    attested = requests.attest_document(schema_uid=UID, document={"note": None})
    assert body_of(attested)["document"] == {"note": None}


@given(st.text(min_size=1, max_size=40).filter(lambda text: text not in {".", ".."}))
def test_part_of_a_path_never_becomes_two(text: str) -> None:
    assert requests.get_case(text).path.count("/") == 2
    assert "?" not in requests.get_case(text).path


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_part_of_a_path_that_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="part of a path"):
        requests.get_case(text)


def test_time_without_zone_is_refused_everywhere() -> None:
    with pytest.raises(ValueError, match="zone"):
        encode_value([{"at": datetime(2027, 1, 1)}])  # noqa: DTZ001
