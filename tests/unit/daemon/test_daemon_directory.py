"""Whom the node trusts: pins in their interval, active agencies, invites, never itself."""

from eth_typing import Address, Hash32

from contracts.codes import ALL_ROLES
from node.chain.registry import Agency, Pin, RegistryTables
from node.daemon.directory import RegistryDirectory
from node.network import PeerAddress, TrustedPeer

HEALTH = b"health".ljust(32, b"\x00")
LAB = b"lab".ljust(32, b"\x00")
OWN = Hash32(b"\x09" * 32)
VALIDATOR = Address(b"\x11" * 20)
ACCOUNT = Address(b"\x22" * 20)


def make_pin(number: int, agency: bytes, valid_from: int = 0, valid_until: int = 0) -> Pin:
    return Pin(
        fingerprint=Hash32(bytes([number]) * 32),
        agency_id=agency,
        valid_from=valid_from,
        valid_until=valid_until,
    )


def make_tables(*pins: Pin, lab_is_active: bool = True) -> RegistryTables:
    agencies = {
        HEALTH: Agency(agency_id=HEALTH, jurisdiction=b"", is_active=True, roles=ALL_ROLES),
        LAB: Agency(agency_id=LAB, jurisdiction=b"", is_active=lab_is_active, roles=ALL_ROLES),
    }
    return RegistryTables(
        agencies=agencies,
        validators={VALIDATOR: HEALTH},
        keys={HEALTH: frozenset({ACCOUNT})},
        pins=pins,
    )


def test_directory_trusts_pins_within_their_interval() -> None:
    directory = RegistryDirectory(invited=(), own_pin=OWN)
    tables = make_tables(make_pin(1, HEALTH, 100, 200), make_pin(2, HEALTH, 200))
    for moment, expected in ((99, set()), (100, {1}), (199, {1}), (200, {2})):
        directory.update(tables, timestamp_s=moment)
        assert {pin[0] for pin in directory.get_trusted_peers()} == expected


def test_directory_names_the_agency_and_takes_any_signer() -> None:
    directory = RegistryDirectory(invited=(), own_pin=OWN)
    assert directory.update(make_tables(make_pin(1, HEALTH)), timestamp_s=1)
    assert not directory.update(make_tables(make_pin(1, HEALTH)), timestamp_s=2)
    (peer,) = directory.get_trusted_peers().values()
    assert peer.label == "health"
    assert peer.signers is None, "a node joins before its validator is voted in"


def test_directory_leaves_out_itself_and_strangers() -> None:
    directory = RegistryDirectory(invited=(), own_pin=OWN)
    directory.update(make_tables(make_pin(9, HEALTH), make_pin(3, b"?" * 32)), timestamp_s=1)
    assert directory.get_trusted_peers() == {}


def test_directory_drops_a_suspended_agency_unless_it_validates() -> None:
    directory = RegistryDirectory(invited=(), own_pin=OWN)
    pins = (make_pin(1, HEALTH), make_pin(2, LAB))
    directory.update(make_tables(*pins), timestamp_s=1)
    assert len(directory.get_trusted_peers()) == 2
    directory.update(make_tables(*pins, lab_is_active=False), timestamp_s=1)
    assert {pin[0] for pin in directory.get_trusted_peers()} == {1}


def test_directory_keeps_invites_and_their_addresses() -> None:
    address = PeerAddress(host="127.0.0.1", port=30_400)
    invite = TrustedPeer(pin=Hash32(b"\x01" * 32), label="invite", addresses=(address,))
    directory = RegistryDirectory(invited=(invite,), own_pin=OWN)
    assert directory.get_trusted_peers() == {invite.pin: invite}
    directory.update(make_tables(make_pin(1, HEALTH)), timestamp_s=1)
    (peer,) = directory.get_trusted_peers().values()
    assert (peer.label, peer.addresses) == ("health", (address,))
    directory.update(make_tables(), timestamp_s=1)
    assert directory.get_trusted_peers() == {invite.pin: invite}


def test_directory_lets_a_withdrawal_overrule_an_invite() -> None:
    invite = TrustedPeer(pin=Hash32(b"\x02" * 32), label="invite")
    directory = RegistryDirectory(invited=(invite,), own_pin=OWN)
    pins = (make_pin(1, HEALTH), make_pin(2, LAB, 0, 500))
    directory.update(make_tables(*pins), timestamp_s=499)
    assert invite.pin in directory.get_trusted_peers()
    assert directory.update(make_tables(*pins), timestamp_s=500)
    assert invite.pin not in directory.get_trusted_peers()


def test_directory_falls_back_on_invites_when_no_quorum_could_meet() -> None:
    invite = TrustedPeer(pin=Hash32(b"\x01" * 32), label="invite")
    directory = RegistryDirectory(invited=(invite,), own_pin=OWN)
    directory.update(make_tables(make_pin(1, HEALTH, 0, 500)), timestamp_s=500)
    assert directory.get_trusted_peers() == {invite.pin: invite}
