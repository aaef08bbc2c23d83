"""The demonstration's documents: its own dozen, untidy test data, and files that cannot be used."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from atesta_client.schemas import Schema

from scripts.demos.d1 import OWN_DOCUMENTS, main
from scripts.demos.documents import (
    KINDS,
    NEEDED,
    POINTERS,
    REFERENCE,
    DocumentsUnusable,
    count_peculiarities,
    iterate_needles,
    load_documents,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "dcc" / "certificates.ndjson"


def write(path: Path, *certificates: Any) -> Path:
    lines = [json.dumps({"certificate": item, "country": "MO"}) for item in certificates]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make(identifier: str, holder: str, kind: str = "v") -> dict[str, Any]:
    return {"nam": {"fn": holder}, "dob": "1990-01-01", kind: [{"ci": identifier}]}


def test_own_documents_are_a_dozen_of_all_kinds_and_fit_the_schema() -> None:
    documents = load_documents(OWN_DOCUMENTS)
    assert len(documents) == 12
    assert {document.kind for document in documents} == set(KINDS)
    schema = Schema(uid=bytes(32), pointers=POINTERS)
    for document in documents:
        values = dict(zip(POINTERS, schema.split(document.certificate), strict=True))
        assert all(isinstance(values[pointer], str | int) for pointer in NEEDED[document.kind])
    found = count_peculiarities(documents, now=NOW)
    assert (found.repeated, found.sharing_identifier, found.past_clock) == (0, 0, 0)
    assert found.holders == 12


def test_no_policy_needs_a_personal_field() -> None:
    personal = {"/dob", "/meta", *(pointer for pointer in POINTERS if "/nam/" in pointer)}
    personal |= {pointer for pointer in POINTERS if pointer.endswith("/ci")}
    for needed in NEEDED.values():
        assert not personal & set(needed)
        assert set(needed) <= set(POINTERS)
    assert set(REFERENCE) <= set(POINTERS)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data, which is not in the clone")
def test_shared_documents_are_counted_as_they_are() -> None:
    documents = load_documents(SHARED)
    schema = Schema(uid=bytes(32), pointers=POINTERS)
    for document in documents:
        schema.split(document.certificate)
    found = count_peculiarities(documents, now=NOW)
    assert len(documents) == 77
    assert found.repeated == 1
    assert found.sharing_identifier == 17
    assert found.past_clock == 77


def test_peculiarities_tell_repeated_from_shared_identifier(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.ndjson",
        make("A", "Ana"),
        make("A", "Ana"),
        make("A", "Rui"),
        make("B", "Ana", "t"),
    )
    found = count_peculiarities(load_documents(path), now=NOW)
    assert (found.repeated, found.sharing_identifier, found.holders) == (1, 3, 2)


def test_needles_hold_each_value_once_and_labels_hold_none(tmp_path: Path) -> None:
    path = write(tmp_path / "d.ndjson", make("IDENTIFIER", "Ana"), make("IDENTIFIER", "Ana"))
    needles = list(iterate_needles(load_documents(path)))
    assert sorted(str(needle.value) for needle in needles) == ["1990-01-01", "Ana", "IDENTIFIER"]
    assert all(str(needle.value) not in needle.label for needle in needles)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no documents"),
        (b"{", "line 1"),
        (b'{"certificate": {}}\n', "line 1"),
        (b"[]\n", "line 1"),
        (b'{"certificate": {"v": [{}]}}\n{"certificate": 1}\n', "line 2"),
        (b"\xff\n", "UTF-8"),
    ],
)
def test_unusable_file_is_refused_with_its_line(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "d.ndjson"
    path.write_bytes(content)
    with pytest.raises(DocumentsUnusable, match=fault):
        load_documents(path)


def test_demo_with_a_bug_still_ends_with_its_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Path) -> None:
        raise LookupError("something nobody thought of")

    monkeypatch.setattr("scripts.demos.d1.load_documents", fail)
    assert main([]) == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last == "demo: failed: LookupError: something nobody thought of"


def test_demo_without_its_file_fails_with_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--documents", str(tmp_path / "nothing.ndjson")]) == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("demo: failed: ")
    assert "No such file" in last
