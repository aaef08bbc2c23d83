"""`atesta evidence verify` as a third party runs it: a file, a genesis file, and no node."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli.app import app, describe
from node.evidence.document import write_document
from node.evidence.errors import EvidenceRefused
from node.evidence.exporter import EvidenceExporter
from tests.unit.evidence.evidence_ledger import (
    CONTRACT_MODE,
    HEADER_VOTES,
    STRANGER,
    TRAITOR,
    EvidenceLedger,
    contradict,
)


def verify(file: Path, genesis: Path = CONTRACT_MODE) -> Result:
    arguments = ["evidence", "verify", "--genesis", str(genesis), str(file)]
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def contradiction_file(tmp_path: Path) -> Path:
    ledger = EvidenceLedger()
    ledger.mine()
    document = EvidenceExporter(ledger.chain).export_contradiction(contradict(2, "commits"))
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(write_document(document)))
    return file


def test_verify_says_who_contradicted_themselves_where(contradiction_file: Path) -> None:
    result = verify(contradiction_file)
    assert result.exit_code == 0, result.output
    assert "The evidence holds." in result.output
    assert f"Validator 0x{TRAITOR.address.hex()} of agency" in result.output
    assert "contradicted itself at height 2, round 0" in result.output
    assert "two different commit messages" in result.output


def test_verify_says_who_let_a_stranger_in(tmp_path: Path) -> None:
    ledger = EvidenceLedger()
    block = ledger.mine([ledger.intrude()])
    document = EvidenceExporter(ledger.chain).export_intrusion(
        block.block_hash, block.transactions[0].hash
    )
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(write_document(document)))
    result = verify(file)
    assert result.exit_code == 0, result.output
    assert "made block 1 of ledger" in result.output
    assert STRANGER.address.lower() in result.output


def test_verify_refuses_a_changed_file_and_names_the_member(contradiction_file: Path) -> None:
    text = contradiction_file.read_text()
    contradiction_file.write_text(text.replace('"height": 2', '"height": 3'))
    result = verify(contradiction_file)
    assert isinstance(result.exception, EvidenceRefused)
    line, code = describe(result.exception)
    assert code == 2
    assert line.startswith("parent.header: ")
    assert "holds" not in result.output


def test_verify_refuses_a_file_of_another_network(contradiction_file: Path) -> None:
    result = verify(contradiction_file, HEADER_VOTES)
    assert isinstance(result.exception, EvidenceRefused)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"{}"])
def test_verify_refuses_what_is_no_evidence_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "evidence.json"
    file.write_bytes(content)
    assert isinstance(verify(file).exception, EvidenceRefused)


def test_verify_names_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    result = verify(tmp_path / "none.json")
    assert result.exception is not None
    line, code = describe(result.exception)  # type: ignore[arg-type]
    assert code == 2
    assert "none.json: cannot be read" in line
