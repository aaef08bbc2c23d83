"""Files of the network: invite, address book, frame tap. And settings."""

import json
import random
from pathlib import Path

import pytest
from eth_typing import Address, Hash32
from hypothesis import given
from hypothesis import strategies as st

from consensus.types import Height
from node.errors import UserFault
from node.keys import create_tls_identity
from node.network import Checkpoint, NetworkSettings, PeerAddress
from node.network.address_book import AddressBook
from node.network.invite import Invite, InviteInvalid, decode_invite, encode_invite, load_invite
from node.network.tap import RECEIVED, SENT, FrameTap, read_tap

GENESIS = Hash32(b"\x11" * 32)


@pytest.fixture(scope="module")
def invite(tmp_path_factory: pytest.TempPathFactory) -> Invite:
    folder = tmp_path_factory.mktemp("invite")
    tls = create_tls_identity(folder / "tls.key", folder / "tls.crt")
    return Invite(
        chain_id=7,
        genesis_hash=GENESIS,
        address=PeerAddress(host="10.1.2.3", port=30_400),
        certificate=tls.certificate,
        pin=tls.pin,
        validator=Address(b"\x22" * 20),
        checkpoint=Checkpoint(number=Height(99), block_hash=Hash32(b"\x33" * 32)),
    )


def test_invite_survives_its_file(invite: Invite, tmp_path: Path) -> None:
    path = tmp_path / "invite.json"
    path.write_text(encode_invite(invite))
    assert load_invite(path, chain_id=7, genesis_hash=GENESIS) == invite
    trusted = invite.as_trusted_peer()
    assert trusted.addresses == (invite.address,)
    assert trusted.signers == frozenset((invite.validator,))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("atesta_invite", 2, "atesta_invite: is not an invite of version 1"),
        ("chain_id", "7", "chain_id: is not a whole number"),
        ("chain_id", True, "chain_id: is not a whole number"),
        ("genesis_hash", "0x11", "genesis_hash: is not 32 bytes"),
        ("genesis_hash", None, "genesis_hash: is not 32 bytes"),
        ("address", "10.1.2.3", "address: is not host:port"),
        ("address", "10.1.2.3:0", "address: has no port"),
        ("address", "10.1.2.3:99999", "address: has no port"),
        ("certificate", "not a certificate", "certificate: is not a PEM"),
        ("certificate", 5, "certificate: is not a PEM"),
        ("pin", "00" * 32, "pin: is not the pin of the certificate"),
        ("validator", "0x12zz", "validator: is not 20 bytes"),
        ("checkpoint", {"number": 1}, "checkpoint: is not {number, hash}"),
        ("checkpoint", {"number": -1, "hash": "0x" + "33" * 32}, "checkpoint.number"),
        ("checkpoint", {"number": 1, "hash": "0x"}, "checkpoint.hash"),
        ("extra", 1, "extra: is not a field"),
    ],
)
def test_invite_error_names_the_field(
    invite: Invite, field: str, value: object, named: str
) -> None:
    document = {**json.loads(encode_invite(invite)), field: value}
    with pytest.raises(InviteInvalid) as caught:
        decode_invite(json.dumps(document))
    assert named in str(caught.value)


@pytest.mark.parametrize("name", ["address", "pin", "checkpoint", "validator", "certificate"])
def test_invite_without_a_field_names_it(invite: Invite, name: str) -> None:
    document = json.loads(encode_invite(invite))
    del document[name]
    with pytest.raises(InviteInvalid, match=f"{name}: is missing"):
        decode_invite(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_invite_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(InviteInvalid):
        decode_invite(text)


def test_invite_of_another_chain_names_file_and_field(invite: Invite, tmp_path: Path) -> None:
    path = tmp_path / "theirs.json"
    path.write_text(encode_invite(invite))
    with pytest.raises(InviteInvalid, match=r"theirs\.json: chain_id: is 7, but .* is 8"):
        load_invite(path, chain_id=8, genesis_hash=GENESIS)
    with pytest.raises(InviteInvalid, match=r"theirs\.json: genesis_hash: is 0x1111"):
        load_invite(path, chain_id=7, genesis_hash=Hash32(bytes(32)))
    with pytest.raises(InviteInvalid, match=r"missing\.json: cannot be read"):
        load_invite(tmp_path / "missing.json", chain_id=7, genesis_hash=GENESIS)


@given(host=st.sampled_from(["127.0.0.1", "node.example", "::1", "2001:db8::7"]))
def test_address_reads_back_as_it_is_written(host: str) -> None:
    from node.network.invite import parse_address

    address = PeerAddress(host=host, port=1234)
    assert parse_address(str(address), "address") == address


def test_address_book_survives_a_restart_and_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    book = AddressBook(base_s=1, max_s=2, rng=random.Random(1))
    pin, address = b"\x01" * 32, PeerAddress(host="10.0.0.9", port=9)
    book.learn(pin, address)
    book.save(path)
    again = AddressBook(base_s=1, max_s=2, rng=random.Random(1))
    again.load(path)
    assert again.get_addresses(pin) == (address,)
    for damaged in ("{", "[]", '{"zz": 1}', '{"00": [["h"]]}'):
        path.write_text(damaged)
        AddressBook(base_s=1, max_s=2, rng=random.Random(1)).load(path)


def test_tap_keeps_every_body_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tap"
    bodies = [b"", b"plain\nlines\n", bytes(range(256))]
    tap = FrameTap(path)
    for body in bodies:
        tap.write(SENT, b"\xab" * 32, body)
    tap.write(RECEIVED, b"\xcd" * 32, b"last")
    tap.close()
    records = list(read_tap(path))
    assert [record.body for record in records] == [*bodies, b"last"]
    assert {record.peer for record in records} == {"ab" * 8, "cd" * 8}
    whole = path.read_bytes()
    assert bodies[2] in whole
    path.write_bytes(whole[:-3])
    assert [record.body for record in read_tap(path)] == bodies


def test_settings_refuse_a_tap_outside_loopback(tmp_path: Path) -> None:
    NetworkSettings(tap=tmp_path / "tap")
    with pytest.raises(UserFault, match=r"network\.tap"):
        NetworkSettings(host="0.0.0.0", tap=tmp_path / "tap")


@pytest.mark.parametrize(
    ("field", "value"), [("port", 70_000), ("silence_s", 1.0), ("client", "x" * 65)]
)
def test_settings_error_names_the_key(field: str, value: object) -> None:
    with pytest.raises(UserFault, match=rf"network\.{field}"):
        NetworkSettings(**{field: value})  # type: ignore[arg-type]
