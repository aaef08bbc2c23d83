"""`atesta tokens`: made once, listed without secrets, revoked; `atesta api`: a bad address."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.auth import Role, TokenStore
from node.cli.app import app, run


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def refuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        run(list(arguments))
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_tokens_are_made_listed_and_revoked(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "tokens.json"
    make = ("tokens", "new", "lab-system", "--role", "issuer", "--role", "verifier")
    token = invoke(*make, "--file", str(file), "--days", "30").strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    caller = TokenStore(file).find(token)
    assert caller is not None
    assert caller.name == "lab-system"
    assert set(caller.roles) == {Role.ISSUER, Role.VERIFIER}
    listed = invoke("tokens", "list", "--file", str(file))
    assert "lab-system" in listed
    assert "issuer, verifier" in listed
    assert token not in listed
    invoke("tokens", "revoke", "lab-system", "--file", str(file))
    assert TokenStore(file).find(token) is None


def test_tokens_refuse_what_would_confuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "tokens.json")
    assert "--role" in refuse(capsys, "tokens", "new", "x", "--role", "king", "--file", file)
    invoke("tokens", "new", "x", "--role", "reader", "--file", file)
    assert "NAME" in refuse(capsys, "tokens", "new", "x", "--role", "reader", "--file", file)
    assert "NAME" in refuse(capsys, "tokens", "revoke", "y", "--file", file)


def test_api_refuses_an_address_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "node.toml"
    config.write_text("[api]\nport = 0\n")
    message = refuse(capsys, "api", "--config", str(config), "--rpc-url", "ftp://x")
    assert "rpc_url" in message
