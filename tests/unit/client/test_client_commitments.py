"""Commitments against a second implementation, and against vectors that it wrote."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from atesta_client.commitments import (
    BatchRecord,
    commit_document,
    compute_batch_leaf,
    compute_field_leaf,
    draw_salts,
)
from atesta_client.errors import DocumentRefused, ReasonCode
from atesta_client.hashing import HashAlgorithm
from atesta_client.pointers import ABSENT
from atesta_client.schemas import Schema
from hypothesis import given
from hypothesis import strategies as st

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "commitments.json").read_text(encoding="utf-8")
)
HASHES = {1: lambda data: hashlib.sha256(data).digest()}
if "sm3" in hashlib.algorithms_available:
    HASHES[2] = lambda data: hashlib.new("sm3", data).digest()


def second_root(leaves: list[bytes], tag: int) -> bytes:
    """RFC 6962, 2.1, word for word: split at the largest power of two below n."""
    if not leaves:
        return HASHES[tag](b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = second_root(leaves[:split], tag), second_root(leaves[split:], tag)
    return HASHES[tag](b"\x01" + left + right)


def second_leaf(tag: int, schema: bytes, index: int, salt: bytes, canonical: str) -> bytes:
    """Join the leaf's bytes by hand from its canonical text."""
    parts = [b"\x00", b"atesta-field-1", bytes([tag]), schema, index.to_bytes(4, "big"), salt]
    return HASHES[tag](b"".join(parts) + canonical.encode())


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("case", VECTORS["documents"], ids=lambda case: str(case["name"]))
def test_document_commitment_matches_vector(case: dict[str, Any]) -> None:
    schema = Schema(uid=from_hex(case["schema_uid"]), pointers=tuple(case["pointers"]))
    salts = [from_hex(salt) for salt in case["salts"]]
    algorithm = HashAlgorithm(case["alg"])
    commitment = commit_document(case["document"], schema, salts, algorithm)
    assert commitment.root == from_hex(case["commitment"])
    assert list(commitment.tree.levels[0]) == [from_hex(leaf) for leaf in case["leaves"]]


@pytest.mark.parametrize("case", VECTORS["documents"], ids=lambda case: str(case["name"]))
def test_vector_agrees_with_second_implementation(case: dict[str, Any]) -> None:
    if case["alg"] not in HASHES:
        pytest.skip("this Python's OpenSSL has no SM3 for the second implementation")
    leaves = [
        second_leaf(
            case["alg"],
            from_hex(case["schema_uid"]),
            index,
            from_hex(salt),
            case["canonical"][index],
        )
        for index, salt in enumerate(case["salts"])
    ]
    assert leaves == [from_hex(leaf) for leaf in case["leaves"]]
    assert second_root(leaves, case["alg"]) == from_hex(case["commitment"])


@pytest.mark.parametrize("case", VECTORS["batch_leaves"], ids=lambda case: str(case["name"]))
def test_batch_leaf_matches_vector(case: dict[str, Any]) -> None:
    record = BatchRecord(
        algorithm=HashAlgorithm(case["alg"]),
        chain_id=case["chain_id"],
        issuer=from_hex(case["issuer"]),
        schema_uid=from_hex(case["schema_uid"]),
        uid=from_hex(case["uid"]),
        commitment=from_hex(case["commitment"]),
        valid_until_s=case["valid_until"],
    )
    assert compute_batch_leaf(record) == from_hex(case["leaf"])
    if case["alg"] in HASHES:
        joined = (
            b"\x00atesta-record-1"
            + bytes([case["alg"]])
            + case["chain_id"].to_bytes(32, "big")
            + b"".join(
                from_hex(case[name]) for name in ("issuer", "schema_uid", "uid", "commitment")
            )
            + case["valid_until"].to_bytes(8, "big")
        )
        assert HASHES[case["alg"]](joined) == from_hex(case["leaf"])


SCHEMA = Schema(uid=b"\x07" * 32, pointers=("/name", "/born", "/doses", "/cnf"))


@given(
    name=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    doses=st.lists(st.integers(0, 9), max_size=4),
    seed=st.binary(min_size=1, max_size=8),
    changed=st.integers(0, 3),
)
def test_commitment_changes_with_every_field_and_salt(
    name: str, doses: list[int], seed: bytes, changed: int
) -> None:
    def stream(count: int) -> bytes:
        return hashlib.shake_256(seed).digest(count)

    document = {"name": name, "born": "1990-01-01", "doses": doses}
    salts = draw_salts(SCHEMA.size, stream)
    root = commit_document(document, SCHEMA, salts).root
    other_salts = list(salts)
    other_salts[changed] = bytes(byte ^ 1 for byte in salts[changed])
    assert commit_document(document, SCHEMA, other_salts).root != root
    assert commit_document({**document, "name": name + "x"}, SCHEMA, salts).root != root
    assert commit_document({**document, "cnf": None}, SCHEMA, salts).root != root
    assert commit_document(document, SCHEMA, salts, HashAlgorithm.SM3).root != root


def test_absent_leaf_differs_from_null_leaf() -> None:
    def leaf(value: Any) -> bytes:
        return compute_field_leaf(schema=SCHEMA, index=3, value=value, salt=b"\x01" * 32)

    assert leaf(ABSENT) != leaf(None)
    assert len({leaf(ABSENT), leaf(None), leaf(False), leaf(0), leaf(""), leaf([]), leaf({})}) == 7


def test_member_order_and_number_spelling_do_not_change_commitment() -> None:
    salts = [bytes([place]) * 32 for place in range(4)]
    schema = Schema(uid=b"\x07" * 32, pointers=("/a", "/b", "/c", "/d"))
    first = json.loads('{"a": {"x": 1, "y": 2.0}, "b": 1e2, "c": "\\u00e9", "d": [1]}')
    second = json.loads('{"d": [1.0], "c": "é", "b": 100, "a": {"y": 2, "x": 1.0}}')
    assert commit_document(first, schema, salts).root == commit_document(second, schema, salts).root


def test_commitment_refuses_wrong_number_or_length_of_salts() -> None:
    for salts in ([b"\x00" * 32] * 3, [b"\x00" * 31] * 4):
        with pytest.raises(ValueError, match="4 salts of 32 bytes"):
            commit_document({}, SCHEMA, salts)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"name": "A", "hobby": "chess"}, "/hobby"),
        ({"name": "A", "extra": {"deep": [{"er": 1}]}}, "/extra/deep/0/er"),
        ({"name": "A", "empty": {}}, "/empty"),
        ({"name": "A", "empty": []}, "/empty"),
        ("text", ""),
        ({}, ""),
    ],
)
def test_commitment_refuses_field_outside_schema(document: Any, pointer: str) -> None:
    with pytest.raises(DocumentRefused) as refusal:
        commit_document(document, SCHEMA, [b"\x00" * 32] * 4)
    assert refusal.value.code is ReasonCode.FIELD_OUTSIDE_SCHEMA
    assert refusal.value.pointer == pointer
