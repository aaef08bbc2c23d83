"""Commands that speak to a node's REST interface, at served agencies of one ledger."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.rest import Client, Patience
from eth_account import Account as EthAccount
from typer.testing import CliRunner

from contracts.testkeys import get_address, get_private_key
from node.cli import rest_calls
from node.cli.app import app, run
from tests.unit.client.served_world import NUMBERS, serve_agencies

DATASET = {
    "title": "Income bands",
    "fields": [{"pointer": "/income_band", "title": "Income band"}],
    "sharing": "unconditional",
}


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serve_agencies(tmp_path_factory.mktemp("agencies"), ("laboratory", "bureau")) as served:
        yield served


@pytest.fixture
def bureau(urls: dict[str, str]) -> str:
    return urls["bureau"]


def invoke(url: str, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments, "--url", url])
    assert result.exit_code == code, result.output
    return result.stdout


def refuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, int]:
    with pytest.raises(SystemExit) as stopped:
        run(list(arguments))
    assert isinstance(stopped.value.code, int)
    return capsys.readouterr().err, stopped.value.code


def write(folder: Path, content: Any) -> str:
    file = folder / "content.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def register(url: str, folder: Path) -> str:
    return invoke(url, "act", "dataset.register", write(folder, DATASET)).split(":")[0]


def test_acts_are_listed_with_path_and_roles(bureau: str) -> None:
    listed = invoke(bureau, "acts", "statement")
    assert "statement.make" in listed
    assert "uid= period=" in listed
    assert "dataset" not in listed
    (first,) = invoke(bureau, "acts", "statement.make", "--json").splitlines()
    assert json.loads(first)["path"] == "/v1/exchanges/{uid}/periods/{period}/statement"


def test_act_is_done_listed_and_shown(bureau: str, tmp_path: Path) -> None:
    uid = register(bureau, tmp_path)
    state = write(tmp_path, {"state": "suspended", "reason": "error"})
    done = invoke(bureau, "act", "dataset.state", state, "--path", f"uid={uid}")
    assert "final in block" in done
    assert uid in invoke(bureau, "list", "datasets", "state=suspended")
    assert uid not in invoke(bureau, "list", "datasets", "state=active")
    listed = invoke(bureau, "list", "datasets", "--json", "--limit", "1")
    assert json.loads(listed)["uid"] == uid
    shown = invoke(bureau, "show", uid)
    assert "title: Income bands" in shown
    assert "state: suspended" in shown
    acts = [line for line in shown.splitlines() if line.startswith("20")]
    assert len(acts) == 2, shown
    assert all("mo-health-bureau" in line for line in acts), acts
    events = invoke(bureau, "events", "--uid", uid, "--kind", "dataset").splitlines()
    assert len(events) == 2
    assert [line.split()[3] for line in events] == ["active", "suspended"]
    assert all("mo-health-bureau" in line for line in events)
    told = json.loads(invoke(bureau, "events", "--uid", uid, "--json").splitlines()[-1])
    assert (told["state"], told["signed_by"]) == ("suspended", "mo-health-bureau")
    assert told["details"]["reason"] == "error"
    cursor = events[0].split()[-1]
    assert invoke(bureau, "events", "--uid", uid, "--after", cursor).splitlines() == events[1:]


def test_events_follow_goes_on_with_what_comes(
    bureau: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = register(bureau, tmp_path)
    while not (listed := invoke(bureau, "events", "--uid", uid)):
        time.sleep(0.05)  # what is final is in the index a moment later
    (known,) = listed.splitlines()
    asked: list[str | None] = []

    def stream(_client: Client, wanted: requests.Subscription[Any]) -> Iterator[Any]:
        asked.append(wanted.last_id)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Client, "stream", stream)
    invoke(bureau, "events", "--follow", "--after", known.split()[-1])
    assert asked == [known.split()[-1]]


def test_explain_says_why_not(
    bureau: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "allowed" in invoke(bureau, "explain", "dataset.register", write(tmp_path, DATASET))
    uid = "0x" + "77" * 32
    state = write(tmp_path, {"state": "suspended", "reason": "error"})
    arguments = ("explain", "dataset.state", state, "--path", f"uid={uid}")
    told = invoke(bureau, *arguments, code=1)
    assert told.startswith("refused")
    assert "rule: " in told
    assert "next step: " in told
    refused, code = refuse(capsys, "act", *arguments[1:], "--url", bureau)
    assert code == 2
    assert "(rule: " in refused


def test_act_that_is_none_or_lacks_its_path_is_named(
    bureau: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error, code = refuse(capsys, "act", "dataset.registr", "--url", bureau)
    assert code == 2
    assert error.startswith("atesta: dataset.registr: is no act")
    assert "dataset.register" in error
    error, code = refuse(capsys, "act", "stop.lift", "--url", bureau)
    assert code == 2
    assert error.startswith("atesta: --path: the path of stop.lift has the parts: uid")
    error, code = refuse(capsys, "act", "stop.lift", "--path", "uid", "--url", bureau)
    assert "takes name=value" in error
    error, code = refuse(capsys, "list", "everything", "--url", bureau)
    assert code == 2
    assert "exchanges" in error
    assert "did you mean" not in error


def test_near_names_are_proposed(bureau: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, meant in (
        (("act", "dataset.registr"), "dataset.register"),
        (("acts", "exchnge"), "exchange"),
        (("acts", "dataset.registr"), "dataset.register"),
        (("list", "exchnges"), "exchanges"),
        (("list", "basis"), "bases"),
        (("list", "exchanges", "stat=requested"), "state"),
        (("list", "exchanges", "state=requestet"), "requested"),
        (("list", "exchanges", "agency=mo-health-bureu"), "mo-health-bureau"),
        (("list", "schemas", "owner=mo-health-bureu"), "mo-health-bureau"),
    ):
        error, code = refuse(capsys, *arguments, "--url", bureau)
        assert code == 2
        assert f"did you mean {meant}?" in " ".join(error.split()), arguments


def test_list_takes_its_limit_as_an_option(bureau: str, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("limit=3", "cursor=abc"):
        error, code = refuse(capsys, "list", "exchanges", word, "--url", bureau)
        assert code == 2
        assert error.startswith(f"atesta: {word.split('=')[0]}: is no filter; --limit says")


def test_agencies_are_called_by_label_in_lists_and_records(bureau: str) -> None:
    uid = invoke(bureau, "schema", "register", "Permit", "/name").strip()
    identifier = "0x" + b"mo-health-bureau".ljust(32, b"\0").hex()
    shown = invoke(bureau, "show", uid)
    assert f"owner: {identifier} (mo-health-bureau)" in shown
    assert f"uid: {uid}\n" in shown
    for owner in ("mo-health-bureau", identifier):
        listed = invoke(bureau, "list", "schemas", f"owner={owner}").splitlines()
        assert "owner" in listed[0].split()
        (row,) = [line for line in listed if uid in line]
        assert "mo-health-bureau" in row
    assert invoke(bureau, "list", "schemas", "owner=mo-health-laboratory") == "nothing fits\n"
    assert invoke(bureau, "list", "stops") == "there are none yet\n"


def test_schema_is_registered_and_an_issuer_accredited(urls: dict[str, str]) -> None:
    bureau, laboratory = urls["bureau"], urls["laboratory"]
    uid = invoke(bureau, "schema", "register", "Permit", "/name", "/plate").strip()
    with Client(laboratory) as client:
        agency = str(client.send(requests.get_status()).agency)
    assert "may attest" in invoke(bureau, "schema", "accredit", uid, agency)
    with Client(laboratory) as client:
        assert client.send(requests.get_schema(uid)).accredited == (agency,)
    assert "2 fields" in invoke(laboratory, "schema", "text", uid, "Permit", "/name", "/plate")
    assert "no more" in invoke(bureau, "schema", "withdraw", uid, agency)


def test_agencies_are_listed_by_the_label_that_accredits_them(urls: dict[str, str]) -> None:
    bureau = urls["bureau"]
    listed = [line.split() for line in invoke(bureau, "list", "agencies").splitlines()]
    assert listed[0][:4] == ["label", "jurisdiction", "status", "id"]
    by_label = {row[0]: row for row in listed[1:]}
    assert by_label["mo-health-laboratory"][1:3] == ["MO", "active"]
    uid = invoke(bureau, "schema", "register", "Licence", "/name", "/plate").strip()
    invoke(bureau, "schema", "accredit", uid, "mo-health-laboratory")
    with Client(bureau) as client:
        (accredited,) = client.send(requests.get_schema(uid)).accredited
    assert accredited == by_label["mo-health-laboratory"][3]
    invoke(bureau, "schema", "withdraw", uid, "mo-health-laboratory")
    with Client(bureau) as client:
        assert client.send(requests.get_schema(uid)).accredited == ()


def test_mandate_is_asked_at_a_dates_beginning_in_utc(
    bureau: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("mandate", "0x" + "11" * 32, "sign", "--at")
    for wrong in ("2020-13-01", "yesterday", "20200101", "2020-01-01T08:00:00"):
        error, code = refuse(capsys, *arguments, wrong, "--url", bureau)
        assert code == 2
        assert error.startswith("atesta: --at: is no date such as 2026-11-22"), (wrong, error)
    asked = []

    def send(_client: Client, wanted: requests.Request[Any]) -> dict[str, Any]:
        asked.append(dict(wanted.query or {})["at"])
        return {"covered": True}

    monkeypatch.setattr(Client, "send", send)
    for at in ("2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T08:00:00+08:00"):
        invoke(bureau, *arguments, at)
    assert len(set(asked)) == 1, asked
    assert str(asked[0]).startswith("2020-01-01T00:00:00"), asked


def test_import_goes_on_names_what_is_wrong_and_does_nothing_twice(
    bureau: str, tmp_path: Path
) -> None:
    lines = [DATASET | {"title": f"Dataset {number}"} for number in range(5)]
    lines.insert(2, {"title": "No fields"})
    file = tmp_path / "datasets.ndjson"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    rejects = tmp_path / "rejects.csv"
    arguments = ("import", str(file), "--act", "dataset.register")
    told = invoke(bureau, *arguments, "--rejects", str(rejects), code=1)
    assert "5 of 6 lines are on the ledger" in told
    assert "1 lines were rejected" in told
    with rejects.open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert [(row["line"], row["field"]) for row in rows] == [("3", "fields")]
    assert invoke(bureau, *arguments, code=1) == told
    other = invoke(bureau, *arguments, "--again", code=1)
    assert other.split(":")[0] != told.split(":")[0]


def test_act_is_prepared_signed_elsewhere_and_submitted(bureau: str, tmp_path: Path) -> None:
    number = NUMBERS["bureau"]
    out = tmp_path / "message.json"
    signer = "0x" + get_address(number, "account").hex()
    prepared = invoke(
        bureau,
        *("prepare", "dataset.register", write(tmp_path, DATASET)),
        *("--signer", signer, "--out", str(out)),
    )
    name = prepared.split(":")[0]
    signed = EthAccount.sign_typed_data(
        get_private_key(number, "account"), full_message=json.loads(out.read_text())
    )
    uid = prepared.split("record: ")[1].split()[0]
    assert uid in invoke(bureau, "submit", name, "0x" + signed.signature.hex())
    assert uid in invoke(bureau, "list", "datasets")


def test_case_without_exchanges_is_shown(bureau: str, capsys: pytest.CaptureFixture[str]) -> None:
    error, code = refuse(capsys, "case", "none", "--purpose", "test", "--url", bureau)
    assert code == 2
    assert error.startswith("atesta: case: ")


def test_reads_are_listed_and_written_whole(
    bureau: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(bureau) as client:
        asked = requests.create_subject(reference="file-1", counterparty="mo-health-laboratory")
        known = client.send(asked.for_purpose("service"))
    listed = invoke(bureau, "reads", "--purpose", "service")
    assert "create_subject" in listed
    assert "subject_match" in listed
    assert "file-1" not in listed
    (line,) = invoke(bureau, "reads", "--handle", known.handle, "--json").splitlines()
    assert json.loads(line)["caller"] == "local"
    out = tmp_path / "reads.ndjson"
    written = invoke(bureau, "reads", "--out", str(out))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert written.startswith(f"{len(lines)} openings")
    assert {"create_subject", "list_reads", "list_subject_reads"} <= {
        line["operation"] for line in lines
    }
    error, code = refuse(capsys, "reads", "--out", str(out), "--url", bureau)
    assert (code, "already exists" in error) == (2, True)
    error, code = refuse(
        capsys, "reads", "--handle", known.handle, "--caller", "x", "--url", bureau
    )
    assert (code, "--handle" in error) == (2, True)


def test_node_that_does_not_answer_is_an_operational_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_client(url: str, _token_file: Path | None, **_: object) -> Client:
        return Client(url, patience=Patience(total_s=0.0))

    monkeypatch.setattr("node.cli.act_commands.open_client", open_client)
    error, code = refuse(capsys, "acts", "--url", "http://127.0.0.1:1")
    assert code == 3
    assert "does not answer" in error


def test_members_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    rest_calls.print_members(
        {
            "a": 1,
            "none": None,
            "list": ["x", "y"],
            "empty": [],
            "inner": {"is": True},
            "of": [{"b": 0}],
        }
    )
    assert capsys.readouterr().out.splitlines() == [
        "a: 1",
        "list: x, y",
        "inner:",
        "  is: yes",
        "of:",
        "  b: 0",
    ]
