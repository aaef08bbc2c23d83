"""RLP, the byte format of Ethereum, with the two guards that peers make necessary.

RLP knows byte strings and lists of items. The quick decoder underneath (Rust) refuses every
non-canonical form, but it recurses once per nested list, and a message of a few hundred kilobytes
of nothing but list headers overruns its stack and kills the process. So the nesting is measured
first, without recursion, and so is the number of items, each of which costs many times its byte:
bytes from outside enter the node through `decode` and nothing else.

Scalars are big-endian without leading zeros; zero is the empty string.
Source: Ethereum Yellow Paper, appendix B.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from rlp import codec
from rlp.exceptions import RLPException

from consensus.errors import MalformedEncoding

RlpItem: TypeAlias = "bytes | Sequence[RlpItem]"
"""What encodes to RLP: bytes, or a sequence of items."""

MAX_DEPTH = 64
"""Deepest nesting of long lists that is decoded; QBFT messages need nine."""

MAX_ITEMS = 500_000
"""Most items that are decoded; four megabytes of the smallest transactions have fewer."""

_encode_raw: Final[Callable[[RlpItem], bytes]] = codec.encode_raw
_decode_raw: Final[Callable[[bytes, bool, bool], tuple[RlpItem, object]]] = codec.decode_raw

_SHALLOW_BYTES = 256
"""A list of so few bytes cannot nest deeper than that many levels, so it is not entered."""


def encode(item: RlpItem) -> bytes:
    """Encode `item`; the inverse of `decode`."""
    return _encode_raw(item)


def encode_list(encoded_items: Sequence[bytes]) -> bytes:
    """Join items that are already encoded into the encoding of their list."""
    payload = b"".join(encoded_items)
    length = len(payload)
    if length < 56:
        return bytes([0xC0 + length]) + payload
    length_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(length_bytes)]) + length_bytes + payload


def decode(data: bytes) -> RlpItem:
    """Decode exactly one canonical item that fills `data`.

    Raises MalformedEncoding for trailing bytes, non-canonical forms, and hostile nesting or number.
    """
    _validate_shape(data)
    try:
        item, _ = _decode_raw(data, True, False)
    except RLPException as error:
        raise MalformedEncoding(f"not canonical RLP: {str(error)[:120]}") from None
    # The quick decoder drops a cut-off item at the end of a list without a word (c3 00 00 81).
    if _encode_raw(item) != data:
        raise MalformedEncoding("not canonical RLP: it does not encode to itself again")
    return item


def get_list(item: RlpItem, what: str, *lengths: int) -> Sequence[RlpItem]:
    """Return `item` as a list, of one of `lengths` items if any are given."""
    if isinstance(item, bytes):
        raise MalformedEncoding(f"{what}: a list is expected, not a byte string")
    if lengths and len(item) not in lengths:
        expected = " or ".join(str(length) for length in lengths)
        raise MalformedEncoding(f"{what}: {len(item)} items where {expected} are expected")
    return item


def get_bytes(item: RlpItem, what: str, length: int | None = None) -> bytes:
    """Return `item` as a byte string, of exactly `length` bytes if given."""
    if not isinstance(item, bytes):
        raise MalformedEncoding(f"{what}: a byte string is expected, not a list")
    if length is not None and len(item) != length:
        raise MalformedEncoding(f"{what}: {len(item)} bytes where {length} are expected")
    return item


def get_scalar(item: RlpItem, what: str, max_bytes: int = 8) -> int:
    """Return `item` as an unsigned number of at most `max_bytes` bytes."""
    data = get_bytes(item, what)
    if len(data) > max_bytes:
        raise MalformedEncoding(f"{what}: a number of {len(data)} bytes, {max_bytes} are allowed")
    if data[:1] == b"\x00":
        raise MalformedEncoding(f"{what}: a number with leading zeros")
    return int.from_bytes(data, "big")


def encode_scalar(value: int) -> bytes:
    """Return the bytes of a non-negative number, to be put into an item."""
    assert value >= 0, "scalars are unsigned"
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _validate_shape(data: bytes) -> None:
    """Refuse what would overrun a recursive decoder's stack, and what would busy it for seconds."""
    open_list_ends: list[int] = []
    position = 0
    end = len(data)
    items = 0
    while position < end:
        items += 1
        if items > MAX_ITEMS:
            raise MalformedEncoding(f"more than {MAX_ITEMS} items")
        while open_list_ends and position >= open_list_ends[-1]:
            open_list_ends.pop()
        first = data[position]
        if first < 0xC0:
            position = _skip_string(data, position, first)
            continue
        if first < 0xF8:
            # At most 55 bytes: too small to nest dangerously, whatever they hold.
            stop = position + 1 + first - 0xC0
            items += _count_items(data, position + 1, stop)
            position = stop
            continue
        header_bytes = 1 + first - 0xF7
        length = int.from_bytes(data[position + 1 : position + header_bytes], "big")
        position += header_bytes
        if length <= _SHALLOW_BYTES:
            items += _count_items(data, position, position + length)
            position += length
            continue
        if len(open_list_ends) >= MAX_DEPTH:
            raise MalformedEncoding(f"lists nested more than {MAX_DEPTH} deep")
        open_list_ends.append(position + length)


def _count_items(data: bytes, position: int, stop: int) -> int:
    """Count the items at all levels of a small list; what is malformed is found by the decoder."""
    count = 0
    stop = min(stop, len(data))
    while position < stop:
        count += 1
        first = data[position]
        if first < 0xC0:
            position = _skip_string(data, position, first)
        else:
            position += 1 if first < 0xF8 else 1 + first - 0xF7
    return count


def _skip_string(data: bytes, position: int, first: int) -> int:
    if first < 0x80:
        return position + 1
    if first < 0xB8:
        return position + 1 + first - 0x80
    header_bytes = 1 + first - 0xB7
    return (
        position
        + header_bytes
        + int.from_bytes(data[position + 1 : position + header_bytes], "big")
    )
