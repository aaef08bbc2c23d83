"""`atesta tokens`: made once, listed without secrets, revoked; `atesta api`: a bad address."""

import stat
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.access.callers import Role
from api.access.limits import Quota
from api.access.token_usage import TokenUsage
from api.access.tokens import TokenStore, load_tokens
from api.process import ProcessSettings
from node.cli.app import app, run
from node.daemon import api_process
from node.daemon.api_process import run_api_process
from node.settings import load_settings


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
    assert (caller.name, caller.person) == ("lab-system", None)
    assert set(caller.roles) == {Role.ISSUER, Role.VERIFIER}
    listed = invoke("tokens", "list", "--file", str(file))
    assert "lab-system" in listed
    assert "issuer, verifier" in listed
    assert token not in listed
    expire = ("tokens", "expire", "lab-system", "--file", str(file))
    assert invoke(*expire, "--days", "7").startswith("lab-system ends at 20")
    assert invoke(*expire) == "lab-system has ended\n"
    told = invoke("tokens", "revoke", "lab-system", "--file", str(file))
    assert told == f"lab-system is revoked and no longer in {file}\n"
    assert TokenStore(file).find(token) is None


def test_token_may_say_who_acts_by_it(tmp_path: Path) -> None:
    file = str(tmp_path / "tokens.json")
    make = ("tokens", "new", "desk-3", "--role", "officer", "--file", file)
    token = invoke(*make, "--person", "staff-7").strip()
    caller = TokenStore(Path(file)).find(token)
    assert caller is not None
    assert caller.person == "staff-7"
    assert "staff-7" in invoke("tokens", "list", "--file", file)


def test_tokens_refuse_what_would_confuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "tokens.json")
    king = refuse(capsys, "tokens", "new", "x", "--role", "king", "--file", file)
    assert "--role" in king
    assert "did you mean" not in king
    near = refuse(capsys, "tokens", "new", "x", "--role", "oficer", "--file", file)
    assert "did you mean officer?" in " ".join(near.split())
    invoke("tokens", "new", "x", "--role", "reader", "--file", file)
    assert "NAME" in refuse(capsys, "tokens", "new", "x", "--role", "reader", "--file", file)
    assert "NAME" in refuse(capsys, "tokens", "revoke", "y", "--file", file)
    assert "NAME" in refuse(capsys, "tokens", "expire", "y", "--file", file)
    make = ("tokens", "new", "z", "--role", "reader", "--file", file, "--limit")
    assert "--limit.reads" in refuse(capsys, *make, "reads=many")
    assert "--limit" in refuse(capsys, *make, "reads")
    nobody = ("tokens", "new", "z", "--role", "reader", "--file", file, "--person", "")
    assert "--person" in refuse(capsys, *nobody)


def test_tokens_have_limits_an_end_and_a_day_of_last_use(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    make = ("tokens", "new", "lab", "--role", "reader", "--file", str(file))
    token = invoke(*make, "--limit", "reads=200/s", "--limit", "exports=5/h").strip()
    record = TokenStore(file).find_record(token)
    assert record is not None
    assert record.limits.reads == Quota(amount=200, window_s=1)
    assert record.created_at is not None
    TokenUsage(file, today=lambda: date(2026, 11, 22)).note(record.id)
    listed = invoke("tokens", "list", "--file", str(file))
    assert "reads=200/s, exports=5/h" in listed
    assert "2026-11-22" in listed
    assert "(ended)" not in listed
    invoke("tokens", "expire", "lab", "--days", "2", "--file", str(file))
    assert TokenStore(file).find(token) is not None
    invoke("tokens", "expire", "lab", "--file", str(file))
    assert TokenStore(file).find(token) is None
    assert len(load_tokens(file)) == 1
    assert "(ended)" in invoke("tokens", "list", "--file", str(file))


def test_api_refuses_an_address_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "node.toml"
    config.write_text("[api]\nport = 0\n")
    message = refuse(capsys, "api", "--config", str(config), "--rpc-url", "ftp://x")
    assert "rpc_url" in message


def test_api_without_an_address_names_option_and_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "node.toml"
    config.write_text("[api]\nport = 0\n")
    message = refuse(capsys, "api", "--config", str(config))
    assert "--rpc-url" in message
    assert "foreign.rpc_url" in message


def test_node_is_not_started_for_a_ledger_on_another_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "node.toml"
    config.write_text('[foreign]\ncontracts_file = "contracts.json"\n')
    message = refuse(capsys, "run", "--config", str(config))
    assert "foreign.contracts_file" in message
    assert "atesta api" in message


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [("a-token\n", 0o644, "mode 0644"), ("", 0o600, "no bearer token"), ("a\nb", 0o600, "no ")],
)
def test_api_takes_the_nodes_token_only_from_a_secret_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, mode: int, complaint: str
) -> None:
    config, token = tmp_path / "node.toml", tmp_path / "token"
    config.write_text("[api]\nport = 0\n")
    token.write_text(content)
    token.chmod(mode)
    arguments = ("--rpc-url", "ftp://x", "--rpc-token-file", str(token))
    message = refuse(capsys, "api", "--config", str(config), *arguments)
    assert "token" in message
    assert complaint in message
    assert "a-token" not in message


def test_api_takes_the_nodes_token_from_a_file_of_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, token = tmp_path / "node.toml", tmp_path / "token"
    config.write_text("[api]\nport = 0\n")
    token.write_text("a-token\n")
    token.chmod(0o600)
    started: list[ProcessSettings] = []
    monkeypatch.setattr(
        api_process, "run_process", lambda process, _accounts, on_ready: started.append(process)
    )
    run_api_process(load_settings(config), rpc_url="http://localhost:1", rpc_token_file=token)
    (process,) = started
    assert process.rpc_token == "a-token"
    assert "a-token" not in repr(process)
