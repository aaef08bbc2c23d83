"""The command line as an operator meets it: help, one-line errors with a field, exit codes."""

from pathlib import Path

import pytest
from atesta_client.errors import RestProblem
from typer.testing import CliRunner

from node.cli.app import app, describe, run
from node.errors import LocalFault, OperationalFault, UserFault

COMMANDS = ["init", "genesis", "invite", "run", "status", "keys", "devnet", "attest", "verify"]


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def refuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, int]:
    with pytest.raises(SystemExit) as stopped:
        run(list(arguments))
    assert isinstance(stopped.value.code, int)
    return capsys.readouterr().err, stopped.value.code


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return path


def test_command_line_lists_every_command() -> None:
    output = invoke("--help")
    assert all(command in output for command in COMMANDS)


@pytest.mark.parametrize(
    "command",
    [
        *COMMANDS[:5],
        *(f"keys {name}" for name in ("new", "list", "show", "bind", "tls", "resume")),
        *(f"devnet {name}" for name in ("up", "down", "status")),
        *COMMANDS[-2:],
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    output = invoke(*command.split(), "--help")
    assert "Usage" in output
    assert len(output.splitlines()) > 5


def test_unknown_option_is_a_user_fault(capsys: pytest.CaptureFixture[str]) -> None:
    error, code = refuse(capsys, "run", "--nothing")
    assert code == 2
    assert "--nothing" in error


def test_run_names_the_settings_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "node.toml"
    config.write_text("[api]\nprot = 1\n")
    error, code = refuse(capsys, "run", "--config", str(config))
    assert code == 2
    assert error.startswith("atesta: api.prot: is an unknown key")
    assert len(error.strip().splitlines()) == 1


def test_keys_new_show_and_list(tmp_path: Path, passphrase_file: Path) -> None:
    file = tmp_path / "keys" / "clerk.json"
    address = invoke("keys", "new", str(file), "--passphrase-file", str(passphrase_file)).strip()
    assert f"address: {address}" in invoke("keys", "show", str(file))
    pin = invoke("keys", "tls", str(file.parent / "tls.key"), str(file.parent / "tls.crt"))
    listed = invoke("keys", "list", str(file.parent))
    # They are there to be copied, so nothing of them is cut off.
    assert address in listed
    assert pin.split()[1] in listed


def test_keys_new_never_overwrites(
    tmp_path: Path, passphrase_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "clerk.json"
    file.write_text("precious")
    arguments = ("keys", "new", str(file), "--passphrase-file", str(passphrase_file))
    error, code = refuse(capsys, *arguments)
    assert code == 2
    assert "not overwritten" in error
    assert file.read_text() == "precious"


def test_keys_new_validator_needs_its_network(
    tmp_path: Path, passphrase_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("keys", "new", str(tmp_path / "k"), "--passphrase-file", str(passphrase_file))
    error, code = refuse(capsys, *arguments, "--purpose", "validator")
    assert code == 2
    assert error.startswith("atesta: --genesis: ")


def test_devnet_status_without_a_devnet_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error, code = refuse(capsys, "devnet", "status", "--dir", str(tmp_path))
    assert code == 2
    assert "atesta devnet up" in error


def test_status_of_no_node_is_an_operational_fault(capsys: pytest.CaptureFixture[str]) -> None:
    error, code = refuse(capsys, "status", "--url", "http://127.0.0.1:9")
    assert code == 3
    assert "no node answers" in error


def test_attest_refuses_a_document_with_two_readings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "document.json"
    file.write_text('{"name": "x", "name": "y"}')
    error, code = refuse(capsys, "attest", str(file), "--schema", "0x" + 64 * "1")
    assert code == 2
    assert "exactly one reading" in error


def test_devnet_touches_no_folder_that_holds_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "genesis.json").write_text("{}")
    error, code = refuse(capsys, "devnet", "up", "--dir", str(tmp_path))
    assert code == 2
    assert "is not empty and holds no devnet" in error
    assert (tmp_path / "genesis.json").read_text() == "{}"


def test_verify_names_a_file_that_is_not_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "credential.json"
    file.write_text("{")
    error, code = refuse(capsys, "verify", str(file))
    assert code == 2
    assert "credential.json: is not a document with exactly one reading" in error


@pytest.mark.parametrize(
    ("error", "code"),
    [(UserFault("x"), 2), (OperationalFault("x"), 3), (LocalFault("x"), 70), (KeyError("x"), 70)],
)
def test_exit_code_says_who_must_act(error: Exception, code: int) -> None:
    assert describe(error)[1] == code


def test_refusal_of_a_node_names_the_field_and_the_next_step() -> None:
    problem = {
        "title": "invalid field",
        "detail": "not accredited",
        "field": "schema",
        "next_step": "ask the schema's owner",
    }
    line, code = describe(RestProblem(422, problem))
    assert code == 2
    assert line == "schema: not accredited. Ask the schema's owner"


def test_operations_document_names_every_command_of_rest() -> None:
    document = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    for command in (
        "acts",
        "explain",
        "act",
        "prepare",
        "submit",
        "import",
        "list",
        "show",
        "case",
    ):
        assert f"`atesta {command} " in document
        assert "Usage" in invoke(command, "--help")
    for command in ("register", "accredit", "withdraw", "text"):
        assert "Usage" in invoke("schema", command, "--help")
