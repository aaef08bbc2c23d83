"""Envelopes open only what was committed to; statements name every difference."""

import hashlib
from dataclasses import replace

import pytest
from atesta_client.envelopes import (
    EnvelopeKind,
    decode_envelope,
    encode_envelope,
    open_envelope,
    seal_envelope,
)
from atesta_client.errors import CredentialRefused
from atesta_client.statements import (
    Difference,
    DifferenceKind,
    compare_deliveries,
    compute_delivery_leaf,
    make_statement,
)
from atesta_client.trees import compute_root_from_path
from hypothesis import given
from hypothesis import strategies as st

SALT = bytes(range(32))
BODIES = st.dictionaries(st.text(max_size=5), st.integers(0, 99) | st.text(max_size=5), max_size=4)


def draw_salt(size: int) -> bytes:
    return SALT[:size]


def test_commitment_is_the_hash_of_the_documented_bytes() -> None:
    envelope = seal_envelope(EnvelopeKind.CASE, {"number": "2026/17"}, draw_salt)
    written = b"\x00atesta-envelope-1\x01\x04case" + SALT + b'{"number":"2026/17"}'
    assert envelope.commitment == hashlib.sha256(written).digest()


@given(body=BODIES)
def test_envelope_survives_its_file(body: dict[str, int | str]) -> None:
    envelope = seal_envelope(EnvelopeKind.REQUEST, body, draw_salt)
    assert decode_envelope(encode_envelope(envelope)) == envelope
    opened = open_envelope(
        encode_envelope(envelope), kind=EnvelopeKind.REQUEST, commitment=envelope.commitment
    )
    assert opened == envelope


@pytest.mark.parametrize(
    "changes",
    [{"body": {"a": 2}}, {"salt": bytes(32)}, {"kind": "officer"}],
    ids=["body", "salt", "kind"],
)
def test_another_envelope_does_not_open_the_commitment(changes: dict[str, object]) -> None:
    envelope = seal_envelope(EnvelopeKind.CASE, {"a": 1}, draw_salt)
    other = replace(envelope, **changes)  # type: ignore[arg-type]
    with pytest.raises(CredentialRefused):
        open_envelope(
            encode_envelope(other), kind=EnvelopeKind.CASE, commitment=envelope.commitment
        )


@pytest.mark.parametrize("member", ["type", "version", "kind", "alg", "salt", "body"])
def test_malformed_member_is_named(member: str) -> None:
    value = encode_envelope(seal_envelope(EnvelopeKind.CASE, {}, draw_salt))
    with pytest.raises(CredentialRefused, match=member if member != "alg" else "alg"):
        decode_envelope(value | {member: None})


COMMITMENTS = [hashlib.sha256(bytes([number])).digest() for number in range(40)]


def test_statement_proves_each_of_its_leaves() -> None:
    statement = make_statement(exchange=SALT, period=3, commitments=COMMITMENTS)
    for place, commitment in enumerate(COMMITMENTS):
        leaf = compute_delivery_leaf(exchange=SALT, period=3, commitment=commitment)
        path = statement.tree.compute_path(place)
        assert (
            compute_root_from_path(leaf=leaf, index=place, size=statement.count, path=path)
            == statement.root
        )


@pytest.mark.parametrize("changes", [{"exchange": bytes(32)}, {"period": 4}])
def test_root_depends_on_exchange_and_period(changes: dict[str, object]) -> None:
    fields = {"exchange": SALT, "period": 3, "commitments": COMMITMENTS}
    one, other = make_statement(**fields), make_statement(**(fields | changes))  # type: ignore[arg-type]
    assert one.root != other.root


@given(
    sent=st.lists(st.sampled_from(COMMITMENTS), unique=True, max_size=30),
    data=st.data(),
)
def test_every_lost_record_is_named_and_none_invented(
    sent: list[bytes], data: st.DataObject
) -> None:
    lost = set(data.draw(st.lists(st.sampled_from(sent), unique=True) if sent else st.just([])))
    received = [commitment for commitment in sent if commitment not in lost]
    found = compare_deliveries(sent, received)
    assert [sent[entry.provider_index or 0] for entry in found] == [
        commitment for commitment in sent if commitment in lost
    ]
    assert all(entry.kind is DifferenceKind.MISSING for entry in found)


def test_altered_and_missing_record_are_told_apart() -> None:
    received = [*COMMITMENTS]
    received[7] = bytes(32)
    del received[20]
    assert compare_deliveries(COMMITMENTS, received) == (
        Difference(kind=DifferenceKind.ALTERED, provider_index=7, requester_index=7),
        Difference(kind=DifferenceKind.MISSING, provider_index=20, requester_index=None),
    )
