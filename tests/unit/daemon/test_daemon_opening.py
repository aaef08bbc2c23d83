"""What a node opens first: keys and genesis that belong together, nothing published outside."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.testkeys import get_address, get_tls_pin
from node.chain.registry import RegistryTables
from node.cli.devnet import Devnet, DevnetNode, DevnetOptions, make_devnet
from node.daemon.opening import (
    make_network_settings,
    open_identity,
    refuse_published_members,
)
from node.errors import UserFault
from node.settings import Settings, load_settings


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Devnet:
    return make_devnet(tmp_path_factory.mktemp("opening") / "net", DevnetOptions(agencies=2))


@pytest.fixture
def node(devnet: Devnet) -> DevnetNode:
    return devnet.get_node(1)


@pytest.fixture
def settings(node: DevnetNode) -> Settings:
    return load_settings(node.settings_file)


def listen_everywhere(settings: Settings) -> Settings:
    return replace(settings, network=replace(settings.network, host="0.0.0.0"))


def test_identity_of_a_devnet_node(settings: Settings) -> None:
    identity = open_identity(settings)
    assert identity.validator_address == get_address(1, "validator")
    assert [account.address for account in identity.accounts] == [get_address(1, "account")]
    assert identity.tls.pin == get_tls_pin(1)
    assert identity.as_peer.signer.address == get_address(1, "validator")
    (invite,) = identity.invites
    assert invite.pin == get_tls_pin(2)


def test_identity_of_an_observer_signs_handshakes_with_its_account(settings: Settings) -> None:
    observer = replace(settings, validator=replace(settings.validator, key_file=None))
    identity = open_identity(observer)
    assert identity.validator_address is None
    assert identity.as_peer.signer.address == get_address(1, "account")


def test_observer_without_an_account_is_told_what_is_missing(settings: Settings) -> None:
    observer = replace(
        settings,
        validator=replace(settings.validator, key_file=None),
        api=replace(settings.api, account_key_files=()),
    )
    identity = open_identity(observer)
    with pytest.raises(UserFault, match=r"api\.account_key_files"):
        _ = identity.as_peer


def test_published_keys_are_refused_beyond_loopback(settings: Settings) -> None:
    with pytest.raises(UserFault, match="published test key"):
        open_identity(listen_everywhere(settings))


def test_network_of_published_members_is_refused_beyond_loopback(settings: Settings) -> None:
    tables = RegistryTables(validators={get_address(3, "validator"): bytes(32)})
    refuse_published_members(settings, tables)
    with pytest.raises(UserFault, match="published test keys"):
        refuse_published_members(listen_everywhere(settings), tables)
    refuse_published_members(listen_everywhere(settings), RegistryTables())


def test_network_settings_take_the_newest_checkpoint(settings: Settings, node: DevnetNode) -> None:
    identity = open_identity(settings)
    network = make_network_settings(settings, identity.invites)
    assert network.checkpoint is None, "block 0 is no checkpoint beyond the genesis itself"
    assert network.port == node.network_port
    newer = replace(
        identity.invites[0],
        checkpoint=replace(identity.invites[0].checkpoint, number=7),  # type: ignore[arg-type]
    )
    network = make_network_settings(settings, (*identity.invites, newer))
    assert network.checkpoint == newer.checkpoint


def test_advertised_address_is_checked(settings: Settings, tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text('[network]\nadvertised_address = "ledger.example:30400"\n')
    network = make_network_settings(load_settings(config), ())
    assert network.advertised is not None
    assert str(network.advertised) == "ledger.example:30400"
