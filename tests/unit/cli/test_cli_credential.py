"""`atesta credential`: export and import at a served agency, convert and present offline."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.credentials import decode_credential
from atesta_client.formats.jose import IssuerKey, sign_token
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, decode_presentation, validate_presentation
from atesta_client.rest import Client
from typer.testing import CliRunner

from node.cli.app import app, run
from tests.unit.client.served_world import serve_agencies

POINTERS = ["/iss", "/number", "/born", "/cnf"]


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_agencies(tmp_path_factory.mktemp("agencies"), ("bureau",)) as served:
        yield served["bureau"]


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["credential", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def write(path: Path, content: Any) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def make(url: str, key: HolderKey, pointers: list[str]) -> Any:
    with Client(url, purpose="test") as client:
        schema = client.complete(requests.create_schema(title="Proof", pointers=pointers)).uid
        return client.send(
            requests.create_credential(
                schema_uid=schema,
                document={"number": "7", "born": "1990-01-01"},
                holder_key=key.public_key,
            )
        )


def test_credential_is_exported_converted_and_presented(bureau: str, tmp_path: Path) -> None:
    key = HolderKey.generate()
    made = make(bureau, key, ["/number", "/born", "/cnf"])
    token, file, shown = (tmp_path / name for name in ("token", "credential", "shown"))
    said = invoke("export", made.uid, "--out", str(token), "--url", bureau)
    account = said.split()[-1]
    invoke("convert", str(token), "--out", str(file), "--account", account)
    assert decode_credential(file.read_bytes()) == decode_credential(made.credential)
    assert invoke("import", str(token), "--url", bureau).strip() == made.uid
    other = ["--out", str(tmp_path / "no"), "--account", "0x" + "00" * 20]
    with pytest.raises(SystemExit):
        run(["credential", "convert", str(token), *other])
    assert not (tmp_path / "no").exists()
    pem = write(tmp_path / "pem", key.to_pem().decode())
    occasion = Occasion(verifier="0x" + "22" * 32, purpose="hotel", nonce="0x" + "33" * 32)
    invoke(
        *("present", str(file), "/number", "--out", str(shown), "--key", pem),
        *("--verifier", occasion.verifier, "--purpose", "hotel", "--nonce", occasion.nonce),
    )
    checked = validate_presentation(
        decode_presentation(shown.read_bytes()), occasion=occasion, now_s=int(time.time())
    )
    assert set(checked.values) == {"/number", "/cnf"}
    assert "1990-" not in shown.read_text()


def test_token_of_another_issuer_is_imported(bureau: str, tmp_path: Path) -> None:
    made = make(bureau, HolderKey.generate(), POINTERS)
    issuer = IssuerKey.from_key(HolderKey.generate(), "key-1")
    claims = {"iss": "https://issuer.example", "number": "8"}
    token = write(tmp_path / "token", sign_token(claims, issuer, media_type="dc+sd-jwt") + "~\n")
    jwk = write(tmp_path / "jwk", issuer.public_key.to_field()["jwk"])
    arguments = ("import", token, "--schema", made.schema_uid, "--issuer-key", jwk, "--url", bureau)
    uid = invoke(*arguments).strip()
    with Client(bureau, purpose="test") as client:
        kept = client.send(requests.get_credential(uid))
    assert kept.credential is not None
    assert kept.credential["document"] == claims


def call(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def test_yes_or_no_is_registered_computed_and_read_by_command(bureau: str, tmp_path: Path) -> None:
    at = ("--url", bureau)
    rule = "/over_18=age_at_least(/born, 18)"
    schema = call(
        *("schema", "register", "Proof of age", "/number", "/born", "/over_18"),
        *("--predicate", rule, *at),
    ).strip()
    call("schema", "accredit", schema, "mo-health-bureau", *at)
    document = write(tmp_path / "document", {"number": "7", "born": "1990-01-01"})
    file, token = tmp_path / "file", tmp_path / "token"
    said = call("attest", document, "--schema", schema, "--out", str(file), *at)
    invoke("export", said.split(":")[0], "--out", str(token), *at)
    for shown in (file, token):
        answer = call("verify", str(shown), *at)
        assert answer.startswith("valid\n")
        assert "/over_18: yes on 20" in answer
        assert "says the issuer (/born is at least 18 years ago)" in answer
        assert "1990-" not in answer


@pytest.mark.parametrize(
    "words",
    ["/over_18", "/x=older(/born, 18)", "/x=age_at_least(/born)", "/x=age_at_least(/born, ten)"],
)
def test_yes_or_no_in_other_words_is_refused_with_the_form(bureau: str, words: str) -> None:
    arguments = ["schema", "register", "Proof", "/x", "/born", "--url", bureau, "--predicate"]
    with pytest.raises(SystemExit):
        run([*arguments, words])
