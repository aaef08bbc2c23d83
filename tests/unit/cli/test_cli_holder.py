"""From schema to answer by command, as docs/credentials.md walks: three agencies and a holder."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.app import app, run
from tests.unit.client.served_world import serve_agencies

RULE = "/over_18=age_at_least(/born, 18)"
FIELDS = ("/number", "/born", "/over_18", "/cnf")
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "credentials.md"


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    names = ("laboratory", "bureau", "commission")
    with serve_agencies(tmp_path_factory.mktemp("agencies"), names) as served:
        yield served


def call(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_walk_from_schema_to_answer(urls: dict[str, str], at: Path) -> None:
    owner, issuer, verifier = (
        ("--url", urls[name]) for name in ("bureau", "laboratory", "commission")
    )
    register = ("schema", "register", "Proof of age", *FIELDS, "--predicate", RULE)
    schema = call(*register, "--reference", "/number", *owner).strip()
    call("schema", "accredit", schema, "mo-health-laboratory", *owner)
    for other in (issuer, verifier):
        call("schema", "copy", schema, "--from", urls["bureau"], *other)
    call("credential", "key", "--out", "holder.pem", "--public", "holder.json")
    assert (at / "holder.pem").stat().st_mode & 0o777 == 0o600
    (at / "document.json").write_text('{"number": "7", "born": "1990-01-31"}')
    said = call(
        *("attest", "document.json", "--schema", schema, "--holder-key", "holder.json"),
        *("--out", "credential.json", *issuer),
    )
    uid = said.split(":")[0]
    call("credential", "export", uid, "--out", "token.txt", *issuer)
    call("credential", "get", uid, "--out", "again.json", *issuer)
    first, again = (
        json.loads((at / name).read_text()) for name in ("credential.json", "again.json")
    )
    assert first == again
    for number, whole in enumerate(("credential.json", "token.txt")):
        challenge, shown = f"challenge-{number}.json", f"shown-{number}"
        call("credential", "challenge", "bar", "--out", challenge, *verifier)
        present = ("credential", "present", whole, "/over_18", "--out", shown)
        told = call(*present, "--challenge", challenge, "--key", "holder.pem")
        assert told.startswith("fields shown: /over_18")
        assert "1990-" not in (at / shown).read_text()
        answer = call("verify", shown, *verifier)
        assert answer.startswith("valid\n")
        assert re.search(r"/over_18: yes on 20\d\d-\d\d-\d\d, says the issuer", answer)
        assert "was shown before" in call("verify", shown, *verifier, code=1)
        assert "did not sign" in call("verify", whole, *verifier, code=1)


def test_present_names_what_is_missing(at: Path) -> None:
    (at / "file").write_text("{}")
    (at / "challenge").write_text('{"verifier": "0x22", "purpose": "bar", "nonce": "0x33"}')
    present = ["credential", "present", "file", "/a", "--out", "shown"]
    for words in (
        [],
        ["--verifier", "0x22", "--purpose", "bar"],
        ["--challenge", "challenge", "--nonce", "0x33"],
    ):
        with pytest.raises(SystemExit):
            run([*present, *words])
    assert not (at / "shown").exists()


def test_attest_refuses_a_second_holders_key(at: Path) -> None:
    (at / "document").write_text('{"cnf": {}}')
    (at / "key").write_text("{}")
    with pytest.raises(SystemExit):
        run(["attest", "document", "--schema", "0x", "--holder-key", "key"])


def test_documentation_walks_with_commands_that_there_are() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    walk = text.split("```sh\n", 1)[1].split("```", 1)[0].replace("\\\n", " ")
    commands = re.findall(r"atesta ((?:schema|credential) [a-z]+|attest|verify)(.*)", walk)
    assert len(commands) == 10
    for words, rest in commands:
        listed = call(*words.split(), "--help")
        for option in re.findall(r"--[a-z-]+", rest.split(" #")[0]):
            assert option in listed, (words, option)
