"""What an administrator types to change the keys and pins of the own agency, on a real network."""

import secrets

import pytest
from typer.testing import CliRunner

from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codes import Role
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from node.cli.app import app
from node.errors import UserFault
from node.keys import load_tls_identity
from node.settings import load_settings
from tests.integration.ledger_net import LedgerNet

pytestmark = pytest.mark.processes

NODE = 3
LABEL = list_development_agencies(4)[NODE - 1].label


def house(net: LedgerNet, *words: str, code: int = 0, typed: str | None = None) -> str:
    config = str(net.node(NODE).settings_file)
    result = CliRunner().invoke(app, ["house", *words, "--config", config], input=typed)
    assert result.exit_code == code, (result.output, result.exception)
    if isinstance(result.exception, UserFault):
        raise result.exception
    return result.output


def find_line(shown: str, what: str) -> str:
    return next(line for line in shown.splitlines() if what in line)


def test_administrator_adds_and_ends_a_key_without_a_vote(net: LedgerNet) -> None:
    address = "0x" + secrets.token_hex(20)
    assert "ISSUE" in house(net, "add-key", address, "--roles", "issue", "--days", "30")
    key = net.call(REGISTRY, AGENCY_REGISTRY_NAME, "key", [bytes.fromhex(address[2:])])
    assert (bytes(key["agency"]), key["roles"]) == (encode_label(LABEL), Role.ISSUE)
    line = find_line(house(net, "show"), address)
    assert "ISSUE" in line
    assert "until" in line
    house(net, "revoke-key", address)
    assert "ended" in find_line(house(net, "show"), address)


def test_new_key_has_the_roles_of_the_key_that_enters_it(net: LedgerNet) -> None:
    address = "0x" + secrets.token_hex(20)
    house(net, "add-key", address)
    shown = house(net, "show")
    own = find_line(shown, net.address(NODE))
    for role in ("ADMIN", "GOVERN", "ISSUE"):
        assert role in own
        assert role in find_line(shown, address)
    house(net, "revoke-key", address)


def test_key_that_signs_is_not_ended_by_itself(net: LedgerNet) -> None:
    with pytest.raises(UserFault, match="no key ends itself") as caught:
        house(net, "revoke-key", net.address(NODE), code=1)
    assert "api.account_key_files" in str(caught.value.next_step)


def test_keys_of_another_agency_are_shown_and_not_ended(net: LedgerNet) -> None:
    other = list_development_agencies(4)[0].label
    assert net.address(1) in house(net, "show", "--agency", other)
    with pytest.raises(UserFault, match="key: not yours"):
        house(net, "revoke-key", net.address(1), code=1)


def test_administrator_adds_and_withdraws_a_pin(net: LedgerNet) -> None:
    pin = "0x" + secrets.token_hex(32)
    house(net, "add-pin", pin)
    assert "now" in find_line(house(net, "show"), pin)
    house(net, "withdraw-pin", pin)
    assert "ended" in find_line(house(net, "show"), pin)


def test_pin_in_use_is_withdrawn_only_by_who_means_it(net: LedgerNet) -> None:
    network = load_settings(net.node(NODE).settings_file).network
    pin = "0x" + load_tls_identity(network.tls_key_file, network.tls_certificate_file).pin.hex()
    asked = house(net, "withdraw-pin", pin, code=1, typed="n\n")
    assert "cut this node off" in asked
    assert "now" in find_line(house(net, "show"), pin)
