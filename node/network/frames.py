"""The frames that admitted nodes exchange, byte for byte.

    wire  = length(4, big-endian) ‖ body          body = msgpack array [kind, field, ...]

A frame is the smallest thing a peer can be judged by, so decoding is total: every body is either
exactly one frame of the right shape with every field in its range, or a `PeerFault`. A length
beyond the limit is refused as soon as its four bytes are there, before anything is buffered for
it. Consensus messages travel as the exact RLP of Besu with their code beside it; the transport
neither reads nor changes them. Blocks are Besu's RLP too, transactions EIP-2718 bytes.
"""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import msgpack

from node.errors import PeerFault

PROTOCOL_VERSION = 1
LENGTH_BYTES = 4
HASH_BYTES = 32
TAG_BYTES = 16
MAX_ITEMS = 16_384
"""Items in one list of a frame."""

MAX_TEXT = 200
MAX_UINT = 2**63 - 1


class MalformedFrame(PeerFault):
    """A body that is not a frame; `field` names what is wrong in it."""


class Topic(enum.IntEnum):
    """What an offer offers."""

    CONSENSUS = 1
    TRANSACTION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """First frame of both sides: who speaks, on which chain. Proved by `Proof`."""

    version: int
    """Protocol version; both sides must have the same."""
    chain_id: int
    """Chain id of genesis."""
    genesis_hash: bytes
    """Block hash of genesis."""
    nonce: bytes
    """32 fresh random bytes that the other side's proof must sign."""
    instance: bytes
    """16 random bytes of this process: a new value means that the peer was restarted."""
    client: str
    """Program and version."""
    host: str
    """Where this node can be called; empty: the address the connection comes from."""
    port: int
    """Its port; 0: it cannot be called."""
    head_number: int
    """Height of the last final block."""
    head_hash: bytes
    """Its block hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Second frame of both sides: the validator or account key's signature (see `handshake`)."""

    signature: bytes
    """`r || s || v`, 65 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Keepalive; answered at once."""

    token: int
    """Echoed."""
    clock_ms: int
    """The sender's wall clock, milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """Answer to `Ping`."""

    token: int
    """The token of the ping."""
    clock_ms: int
    """The answerer's wall clock, milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    """The sender closes the connection and says why, for the other side's log."""

    reason: str
    """At most 200 characters; shown, never acted upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The sender's head: sent at every new final block."""

    number: int
    """Height of the last final block."""
    block_hash: bytes
    """Its block hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Addresses of nodes that the sender is connected to."""

    peers: tuple[tuple[bytes, str, int], ...]
    """`(pin, host, port)` each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """One consensus message."""

    stamp: bytes
    """8 random bytes per broadcast: the same message broadcast again is a new broadcast, so that
    it reaches those who could not use it the first time; its copies on the way are not."""
    code: int
    """Besu's message code, 0x12 to 0x15."""
    payload: bytes
    """Besu's RLP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Keys of things that the sender has and that the receiver may want."""

    topic: Topic
    """What they are."""
    keys: tuple[bytes, ...]
    """Transaction hashes, or `compute_consensus_key`; 32 bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Keys of offered things that the sender wants to have."""

    topic: Topic
    """What they are."""
    keys: tuple[bytes, ...]
    """32 bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Signed transactions."""

    raws: tuple[bytes, ...]
    """Canonical EIP-2718 bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBlocks:
    """A request for final blocks with ascending numbers."""

    request: int
    """Chosen by the asker, echoed in the answer."""
    start: int
    """First height."""
    count: int
    """How many, at least 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The answer: as many of the asked blocks as there are and fit, from the first on."""

    request: int
    """The request's number."""
    blocks: tuple[bytes, ...]
    """Besu's block RLP with seals, ascending from the asked start; may be empty."""


Frame = (
    Hello
    | Proof
    | Ping
    | Pong
    | Goodbye
    | Status
    | Peers
    | Consensus
    | Offer
    | Want
    | Transactions
    | GetBlocks
    | Blocks
)

Reader = Callable[[Any, str], Any]

# The library is not typed; these two are all of it that is used.
_pack: Callable[..., bytes] = msgpack.dumps
_unpack: Callable[..., Any] = msgpack.loads


def encode_frame(frame: Frame) -> bytes:
    """Return length and body, ready to be sent."""
    values = [getattr(frame, item.name) for item in fields(frame)]
    body = _pack([_KIND_OF[type(frame)], *values], use_bin_type=True)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def decode_frame(body: bytes) -> Frame:
    """Decode one body (without its length). Raises MalformedFrame, naming the field."""
    try:
        # Bounds on lists and texts keep a small body from growing into a huge object.
        values = _unpack(
            body,
            use_list=False,
            raw=False,
            max_array_len=MAX_ITEMS,
            max_map_len=0,
            max_ext_len=0,
            max_str_len=4 * MAX_TEXT,
        )
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise MalformedFrame(f"not a msgpack frame ({type(error).__name__})") from None
    if not isinstance(values, tuple) or not values or type(values[0]) is not int:
        raise MalformedFrame("not an array that begins with a kind")
    found = _SHAPES.get(values[0])
    if found is None:
        raise MalformedFrame(f"unknown kind {values[0]}")
    kind, readers = found
    if len(values) != len(readers) + 1:
        raise MalformedFrame(f"{kind.__name__} has {len(values) - 1} fields, not {len(readers)}")
    read = {
        name: reader(value, name)
        for (name, reader), value in zip(readers.items(), values[1:], strict=True)
    }
    return kind(**read)  # type: ignore[no-any-return]


class FrameSplitter:
    """Cuts the stream of one connection into bodies; holds at most one unfinished frame."""

    __slots__ = ("_buffer", "max_frame_bytes")

    def __init__(self, max_frame_bytes: int) -> None:
        self.max_frame_bytes = max_frame_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the bodies that are complete now. Raises MalformedFrame for an oversize one."""
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= LENGTH_BYTES:
                length = int.from_bytes(self._buffer[at : at + LENGTH_BYTES], "big")
                if length > self.max_frame_bytes:
                    raise MalformedFrame(
                        f"a frame of {length} bytes exceeds the limit of {self.max_frame_bytes}"
                    )
                end = at + LENGTH_BYTES + length
                if len(self._buffer) < end:
                    break
                body = bytes(self._buffer[at + LENGTH_BYTES : end])
                at = end
                yield body
        finally:
            del self._buffer[:at]


def _uint(value: Any, name: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_UINT:
        raise MalformedFrame("not a number from 0 to 2^63 - 1", field=name)
    return value


def _port(value: Any, name: str) -> int:
    if _uint(value, name) > 65_535:
        raise MalformedFrame("not a port", field=name)
    return int(value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise MalformedFrame(f"not a text of at most {MAX_TEXT} characters", field=name)
    return value


def _blob(value: Any, name: str) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedFrame("not bytes", field=name)
    return value


def _sized(size: int) -> Reader:
    def read(value: Any, name: str) -> bytes:
        if len(_blob(value, name)) != size:
            raise MalformedFrame(f"not {size} bytes", field=name)
        return bytes(value)

    return read


def _listed(reader: Reader) -> Reader:
    def read(value: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(value, tuple):
            raise MalformedFrame("not a list", field=name)
        return tuple(reader(item, name) for item in value)

    return read


def _address(value: Any, name: str) -> tuple[bytes, str, int]:
    if not isinstance(value, tuple) or len(value) != 3:
        raise MalformedFrame("not (pin, host, port)", field=name)
    return (_HASH(value[0], name), _text(value[1], name), _port(value[2], name))


def _topic(value: Any, name: str) -> Topic:
    try:
        return Topic(value)
    except ValueError:
        raise MalformedFrame("unknown topic", field=name) from None


_HASH = _sized(HASH_BYTES)

_SHAPES: Final[dict[int, tuple[type[Any], dict[str, Reader]]]] = {
    1: (
        Hello,
        {
            "version": _uint,
            "chain_id": _uint,
            "genesis_hash": _HASH,
            "nonce": _sized(32),
            "instance": _sized(TAG_BYTES),
            "client": _text,
            "host": _text,
            "port": _port,
            "head_number": _uint,
            "head_hash": _HASH,
        },
    ),
    2: (Proof, {"signature": _sized(65)}),
    3: (Ping, {"token": _uint, "clock_ms": _uint}),
    4: (Pong, {"token": _uint, "clock_ms": _uint}),
    5: (Goodbye, {"reason": _text}),
    6: (Status, {"number": _uint, "block_hash": _HASH}),
    7: (Peers, {"peers": _listed(_address)}),
    16: (Consensus, {"stamp": _sized(8), "code": _uint, "payload": _blob}),
    17: (Offer, {"topic": _topic, "keys": _listed(_HASH)}),
    18: (Want, {"topic": _topic, "keys": _listed(_HASH)}),
    19: (Transactions, {"raws": _listed(_blob)}),
    32: (GetBlocks, {"request": _uint, "start": _uint, "count": _uint}),
    33: (Blocks, {"request": _uint, "blocks": _listed(_blob)}),
}
_KIND_OF: Final = {shape[0]: number for number, shape in _SHAPES.items()}
