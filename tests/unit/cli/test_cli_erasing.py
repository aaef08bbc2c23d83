"""Commands that erase, merge persons and check reports of pruning."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.rest import Client
from eth_typing import Hash32
from typer.testing import CliRunner

from api.retention.classes import load_plan
from api.retention.pruning import Findings, PruneReport
from api.retention.report import RETENTION_REPORT
from contracts.testkeys import get_private_key
from node.cli.app import app, run
from node.keys import SigningKey
from tests.unit.client.served_world import serve_agencies

REFERENCE = "file-2026-0042"


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serve_agencies(tmp_path_factory.mktemp("agencies"), ("laboratory", "bureau")) as served:
        yield served


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def refuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        run(list(arguments))
    return capsys.readouterr().err


def open_case(url: str, number: str) -> None:
    """Keep a case file, and a person's handle, in the agency's vault."""
    with Client(url, purpose="test") as client:
        client.send(requests.create_subject(reference=REFERENCE, counterparty="mo-health-bureau"))
        client.send(
            requests.create_case(
                number=number, procedure="housing", purpose="0x" + "07" * 32, needs=[]
            )
        )


def test_person_is_foreseen_erased_and_not_found_again(
    urls: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = urls["laboratory"]
    open_case(url, "HS-1")
    named = ("erase-person", "--reference", REFERENCE, "--url", url)
    foreseen = invoke(*named, "--dry-run")
    assert "matching_record" in foreseen
    assert "to erase: 1, kept for storage only: 0" in foreseen
    told = json.loads(invoke(*named, "--dry-run", "--json"))
    (record,) = told["records"]
    assert (record["outcome"], record["until"]) == ("erase", None)
    done = invoke(*named, "--yes", "--wait", "0")
    assert "erased: 0 of 1" in done or "erased: 1 of 1" in done
    assert "nothing" in refuse(capsys, *named, "--yes")
    wrong = refuse(capsys, *named, "--reason", "because", "--yes")
    assert "--reason" in wrong
    again = invoke("erase", record["uid"], "--reason", "holder_request", "--yes", "--url", url)
    assert "erased" in again
    missing = refuse(capsys, "erase", "0x" + "09" * 32, "--reason", "error", "--yes", "--url", url)
    assert "uid" in missing


def test_merge_is_proposed_and_decided_by_two(
    urls: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = urls["laboratory"]
    handle = "0x" + "17" * 32
    proposed = invoke(
        "merges", "propose", handle, "--reference", "file-7",
        "--counterparty", "mo-health-bureau", "--reason", "same document", "--url", url,
    )  # fmt: skip
    uid = proposed.splitlines()[0].split(": ")[1]
    assert "state: proposed" in proposed
    assert uid in invoke("merges", "list", "--url", url)
    # Without tokens everybody is nobody, and nobody decides what they proposed.
    assert "another officer" in refuse(capsys, "merges", "approve", uid, "--url", url)
    assert "another officer" in refuse(capsys, "merges", "refuse", uid, "--url", url)


def write_report(folder: Path, **changes: Any) -> Path:
    key = SigningKey(get_private_key(1, "account"))
    findings = Findings(
        due=(), restricted=(), kept=7, uncovered={"role key_binding": 2}, reads_until_s=5, reads=3
    )
    report = PruneReport(
        is_dry_run=False,
        pruned_s=1_800_000_000,
        plan=load_plan(),
        findings=findings,
        ordered=0,
        erased=0,
    )

    def sign(data: bytes) -> bytes:
        return key.sign_digest(Hash32(sha256(data).digest()))[:64]

    path = folder / "report.json"
    signed = RETENTION_REPORT.sign(report.encode(), key.address, sign)
    path.write_text(json.dumps(signed | changes))
    return path


def test_report_of_pruning_is_checked_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = invoke("vault", "verify-report", str(write_report(tmp_path)))
    assert "not changed since" in told
    assert "lines of the record of reads: 3" in told
    assert "no class: 2 of role key_binding" in told
    refused = refuse(capsys, "vault", "verify-report", str(write_report(tmp_path, kept=8)))
    assert "signature" in refused
