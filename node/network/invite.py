"""The invite: the file with which a new node finds the network and knows it for the right one.

`atesta invite` writes it on a running node, and the joining node names it in
`network.bootstrap_peers`. It is a JSON document with nothing secret in it, but it is a root of
trust: who joins with a forged one trusts the forger's node. It travels the way the genesis file
does, between officials who know each other, and the text it prints can be compared aloud.

    {"atesta_invite": 1, "chain_id": 7, "genesis_hash": "0x…", "address": "host:port",
     "certificate": "<PEM>", "pin": "…", "validator": "0x…",
     "checkpoint": {"number": 9, "hash": "0x…"}}

The checkpoint is a recent final block: a history without it is refused, so that old keys, stolen
after they were replaced, cannot show a new node another past.
"""

import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_typing import Address, Hash32

from consensus.types import Height
from node.errors import UserFault
from node.keys.tls import compute_pin
from node.network.ports import Checkpoint, PeerAddress, TrustedPeer

FORMAT = 1
_FIELDS = (
    "atesta_invite",
    "chain_id",
    "genesis_hash",
    "address",
    "certificate",
    "pin",
    "validator",
    "checkpoint",
)
_MAX_BYTES = 16 * 1024


class InviteInvalid(UserFault):
    """An invite that cannot be used; `field` names the part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """What a joining node must know of one running node."""

    chain_id: int
    """Chain id of the network's genesis."""

    genesis_hash: Hash32
    """Block hash of the network's genesis."""

    address: PeerAddress
    """Where the inviting node can be called."""

    certificate: bytes
    """Its TLS certificate, DER."""

    pin: Hash32
    """SHA-256 of the certificate's public key."""

    validator: Address
    """The validator (or account) address that signs its handshake."""

    checkpoint: Checkpoint
    """A recent final block."""

    def as_trusted_peer(self) -> TrustedPeer:
        """Return the directory entry that this invite stands for."""
        return TrustedPeer(
            pin=self.pin,
            label="invite",
            signers=frozenset((self.validator,)),
            addresses=(self.address,),
        )


def encode_invite(invite: Invite) -> str:
    """Return the file's text."""
    document = {
        "atesta_invite": FORMAT,
        "chain_id": invite.chain_id,
        "genesis_hash": "0x" + invite.genesis_hash.hex(),
        "address": str(invite.address),
        "certificate": ssl.DER_cert_to_PEM_cert(invite.certificate),
        "pin": invite.pin.hex(),
        "validator": "0x" + invite.validator.hex(),
        "checkpoint": {
            "number": invite.checkpoint.number,
            "hash": "0x" + invite.checkpoint.block_hash.hex(),
        },
    }
    return json.dumps(document, indent=2) + "\n"


def decode_invite(text: str) -> Invite:
    """Decode and check an invite by itself. Raises InviteInvalid, naming the field."""
    if len(text) > _MAX_BYTES:
        raise InviteInvalid("is too large to be an invite")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InviteInvalid("is not JSON", next_step="Ask for the file again") from error
    if not isinstance(document, dict):
        raise InviteInvalid("is not a JSON object")
    if document.get("atesta_invite") != FORMAT:
        raise InviteInvalid(f"is not an invite of version {FORMAT}", field="atesta_invite")
    for name in _FIELDS:
        if name not in document:
            raise InviteInvalid("is missing", field=name)
    for name in document:
        if name not in _FIELDS:
            raise InviteInvalid("is not a field of an invite", field=str(name))
    checkpoint = document["checkpoint"]
    if not isinstance(checkpoint, dict) or checkpoint.keys() != {"number", "hash"}:
        raise InviteInvalid("is not {number, hash}", field="checkpoint")
    certificate = _parse_certificate(document["certificate"])
    invite = Invite(
        chain_id=_parse_number(document["chain_id"], "chain_id"),
        genesis_hash=Hash32(_parse_hex(document["genesis_hash"], "genesis_hash", 32)),
        address=parse_address(document["address"], "address"),
        certificate=certificate,
        pin=Hash32(_parse_hex(document["pin"], "pin", 32)),
        validator=Address(_parse_hex(document["validator"], "validator", 20)),
        checkpoint=Checkpoint(
            number=Height(_parse_number(checkpoint["number"], "checkpoint.number")),
            block_hash=Hash32(_parse_hex(checkpoint["hash"], "checkpoint.hash", 32)),
        ),
    )
    if _compute_pin(certificate) != invite.pin:
        raise InviteInvalid("is not the pin of the certificate", field="pin")
    return invite


def load_invite(path: Path, *, chain_id: int, genesis_hash: Hash32) -> Invite:
    """Read an invite for this node's chain. Raises InviteInvalid, naming file and field."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InviteInvalid(f"cannot be read: {error}", field=str(path)) from error
    try:
        invite = decode_invite(text)
        _validate_chain(invite, chain_id, genesis_hash)
    except InviteInvalid as error:
        where = f"{path}: {error.field}" if error.field else str(path)
        raise InviteInvalid(error.message, field=where, next_step=error.next_step) from error
    return invite


def parse_address(value: object, name: str) -> PeerAddress:
    """Parse `host:port` or `[v6]:port`. Raises InviteInvalid, naming the field."""
    host, _, port = str(value).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not isinstance(value, str) or not host or not port.isascii() or not port.isdecimal():
        raise InviteInvalid("is not host:port", field=name)
    if not 0 < int(port[:6]) <= 65_535:
        raise InviteInvalid("has no port from 1 to 65535", field=name)
    return PeerAddress(host=host, port=int(port))


def _validate_chain(invite: Invite, chain_id: int, genesis_hash: Hash32) -> None:
    advice = "Use the genesis file that belongs to this invite"
    if invite.chain_id != chain_id:
        raise InviteInvalid(
            f"is {invite.chain_id}, but this node's chain is {chain_id}",
            field="chain_id",
            next_step=advice,
        )
    if invite.genesis_hash != genesis_hash:
        raise InviteInvalid(
            f"is 0x{invite.genesis_hash.hex()}, but this node's genesis is 0x{genesis_hash.hex()}",
            field="genesis_hash",
            next_step=advice,
        )


def _parse_number(value: Any, name: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise InviteInvalid("is not a whole number from 0", field=name)
    return value


def _parse_hex(value: Any, name: str, size: int) -> bytes:
    text = value.removeprefix("0x") if isinstance(value, str) else ""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != size or len(text) != 2 * size:
        raise InviteInvalid(f"is not {size} bytes in hex", field=name)
    return data


def _parse_certificate(value: Any) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(value.strip())
    except (ValueError, AttributeError):
        raise InviteInvalid("is not a PEM certificate", field="certificate") from None


def _compute_pin(certificate: bytes) -> Hash32:
    try:
        return compute_pin(certificate)
    except UserFault as error:
        raise InviteInvalid(error.message, field="certificate") from None
