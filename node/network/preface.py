"""The few bytes that two nodes exchange in the clear before TLS, and why.

The registry lists pins, hashes of public keys. TLS, as Python offers it, authenticates against
certificates that are known beforehand, not against hashes. So both sides first show their
certificate in the clear:

    preface = magic(8) ‖ length(2, big-endian) ‖ body
    body    = msgpack [chain id, genesis hash, certificate, refusal]

Each side computes the pin of the other's certificate, looks it up in its directory, and only then
starts TLS with exactly this one certificate as its only trust anchor. Nothing in the preface is
believed: whoever shows another's certificate cannot finish the TLS handshake, and whoever changes
a preface on the way achieves no more than by cutting the wire. What is given away is which
certificate calls which, to someone who sees the addresses anyway. (docs/adr/0002)

The caller speaks first. The answer names a refusal, so that both operators read the true reason in
their own log; it is a hint, sent in the clear, and only explains a connection that ends anyway.
"""

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack

from node.errors import PeerFault
from node.keys.tls import MAX_CERTIFICATE_BYTES

MAGIC = b"ATESTA\x00\x01"
_LENGTH_BYTES = 2
_MAX_BYTES = MAX_CERTIFICATE_BYTES + 256

_pack: Callable[..., bytes] = msgpack.dumps
_unpack: Callable[..., Any] = msgpack.loads


class Refusal(enum.IntEnum):
    """Why the called side will not go on."""

    NONE = 0
    """It goes on to TLS."""
    OTHER_CHAIN = 1
    """Chain id or genesis hash differ."""
    UNKNOWN_PIN = 2
    """The caller's pin is not admitted at the called node's head."""
    CERTIFICATE = 3
    """The certificate is expired or not one that nodes use."""
    BANNED = 4
    """The caller was dropped for misbehaviour and must wait."""
    BUSY = 5
    """Too many connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preface:
    """What one side shows before TLS."""

    chain_id: int
    """Chain id of its genesis."""

    genesis_hash: bytes
    """Block hash of its genesis."""

    certificate: bytes
    """Its certificate, DER."""

    refusal: Refusal = Refusal.NONE
    """Only in the answer: why it will not go on."""


def encode_preface(preface: Preface) -> bytes:
    """Return the bytes to send."""
    body = _pack(
        [preface.chain_id, preface.genesis_hash, preface.certificate, int(preface.refusal)],
        use_bin_type=True,
    )
    return MAGIC + len(body).to_bytes(_LENGTH_BYTES, "big") + body


def decode_preface(body: bytes) -> Preface:
    """Decode what follows magic and length. Raises PeerFault."""
    try:
        values = _unpack(body, use_list=False, max_array_len=4, max_map_len=0, max_ext_len=0)
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException):
        raise PeerFault("its preface is not msgpack") from None
    match values:
        case (int(chain_id), bytes(genesis_hash), bytes(certificate), int(refusal)) if (
            chain_id >= 0 and len(genesis_hash) == 32 and refusal in list(Refusal)
        ):
            return Preface(
                chain_id=chain_id,
                genesis_hash=genesis_hash,
                certificate=certificate,
                refusal=Refusal(refusal),
            )
        case _:
            raise PeerFault("its preface has not the four known fields")


async def read_preface(reader: asyncio.StreamReader) -> Preface:
    """Read the other side's preface.

    Raises PeerFault for anything else; asyncio.IncompleteReadError if the connection ends.
    """
    head = await reader.readexactly(len(MAGIC) + _LENGTH_BYTES)
    if not head.startswith(MAGIC):
        raise PeerFault("it does not speak the protocol of Atesta nodes (version 1)")
    length = int.from_bytes(head[len(MAGIC) :], "big")
    if length > _MAX_BYTES:
        raise PeerFault(f"its preface of {length} bytes exceeds {_MAX_BYTES}")
    return decode_preface(await reader.readexactly(length))
