"""`atesta ledgers` and `atesta --ledger`, at a served agency."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from node.cli.app import app, run
from tests.unit.client.served_world import serve_agencies


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_agencies(tmp_path_factory.mktemp("agency"), ("bureau",)) as served:
        yield served["bureau"]


def test_ledgers_are_listed_with_their_members(url: str) -> None:
    table = CliRunner().invoke(app, ["ledgers", "--url", url])
    assert table.exit_code == 0, table.output
    assert "own (own)" in table.stdout
    assert "CN-GD, MO" in table.stdout
    told = CliRunner().invoke(app, ["ledgers", "--json", "--url", url])
    assert json.loads(told.stdout)["chain_id"] == 20_260


def test_named_ledger_is_asked_and_an_unknown_one_refused(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = CliRunner().invoke(app, ["--ledger", "own", "list", "agencies", "--url", url])
    assert listed.exit_code == 0, listed.output
    assert "mo-health-bureau" in listed.stdout
    with pytest.raises(SystemExit) as stopped:
        run(["--ledger", "guangdong", "list", "agencies", "--url", url])
    assert stopped.value.code == 2
    assert "GET /v1/ledgers" in capsys.readouterr().err


def test_ledger_may_be_named_by_the_environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATESTA_LEDGER", "elsewhere")
    assert CliRunner().invoke(app, ["list", "agencies", "--url", url]).exit_code != 0
