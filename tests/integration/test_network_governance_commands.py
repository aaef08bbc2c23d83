"""What an officer types to propose, vote and read, against real nodes."""

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from node.cli.app import app
from tests.integration.ledger_net import LedgerNet

pytestmark = pytest.mark.processes


def invoke(net: LedgerNet, number: int, *words: str) -> str:
    config = str(net.node(number).settings_file)
    result = CliRunner().invoke(app, ["governance", *words, "--config", config])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_officers_change_a_profile_by_vote_on_the_command_line(
    net: LedgerNet, tmp_path: Path
) -> None:
    label = list_development_agencies(4)[3].label
    profile = hashlib.sha256(b"renamed").digest()
    letter = tmp_path / "letter.txt"
    letter.write_text("the agency has a new name", encoding="utf-8")
    words = [f"agency={label}", f"profile_hash=0x{profile.hex()}"]
    shown = invoke(net, 2, "propose", "set-profile", *words, "--document", str(letter))
    number = shown.splitlines()[0].split()[1].rstrip(",")
    assert f"proposal:  {number}, open" in shown
    assert f"agency: {label}" in shown
    assert "set-profile" in invoke(net, 1, "list")

    assert "1 for, 0 against" in invoke(net, 1, "vote", number, "--approve")
    invoke(net, 2, "vote", number, "--approve")
    assert f"proposal:  {number}, executed" in invoke(net, 3, "vote", number, "--approve")
    changed = net.call(REGISTRY, AGENCY_REGISTRY_NAME, "agency", [encode_label(label)])
    assert bytes(changed["profile_hash"]) == profile

    config = str(net.node(4).settings_file)
    late = ["governance", "vote", number, "--reject", "--config", config]
    result = CliRunner().invoke(app, late)
    assert result.exit_code != 0
    assert "the registry refuses" in str(result.exception)


def test_officers_are_told_beforehand_what_would_happen(net: LedgerNet) -> None:
    label = list_development_agencies(4)[2].label
    foreseen = invoke(net, 1, "dry-run", "reinstate-agency", f"agency={label}")
    assert "possible:  no: agency: not suspended" in foreseen
    shown = invoke(net, 1, "dry-run", "suspend-agency", f"agency={label}")
    assert "possible:  yes" in shown
    # Guangdong's one validator leaves, and with it all but Macao's.
    assert "warning:   MO has " in shown
    assert "more than 50 %" in invoke(net, 1, "rules")


def test_agency_stops_and_goes_on_by_command(net: LedgerNet) -> None:
    agency = encode_label(list_development_agencies(4)[3].label)
    invoke(net, 4, "pause", "--days", "1")
    assert net.call(REGISTRY, AGENCY_REGISTRY_NAME, "is_paused", [agency])
    invoke(net, 4, "resume")
    assert not net.call(REGISTRY, AGENCY_REGISTRY_NAME, "is_paused", [agency])


def test_withdrawn_proposal_takes_no_votes(net: LedgerNet) -> None:
    label = list_development_agencies(4)[3].label
    shown = invoke(net, 3, "propose", "suspend-agency", f"agency={label}")
    number = shown.splitlines()[0].split()[1].rstrip(",")
    assert "withdrawn" in invoke(net, 3, "withdraw", number)
    config = str(net.node(1).settings_file)
    result = CliRunner().invoke(
        app, ["governance", "vote", number, "--approve", "--config", config]
    )
    assert "the registry refuses" in str(result.exception)
