"""Taking stored bytes apart into the fields that they consist of.

A store holds values in layers: a LevelDB value holds a block, the block's RLP holds transactions, a
transaction's data holds ABI words, a log line holds JSON. A short personal value can only be told
from chance where it is a whole field, so each layer that the bytes can be read as is opened, and
the fields inside it too, down to a bounded depth. Guessing wrong costs nothing: a field too many is
only compared.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from atesta_client.canonical import is_nested_deeper
from msgpack import ExtType, UnpackException, unpackb  # type: ignore[attr-defined]

from api.firewall.search.containers import iterate_streams

MAX_DEPTH: Final = 8
"""How many layers are opened inside one another."""

# Where RLP may begin in a stored value: at once, after a type byte, after a height, after both.
_RLP_OFFSETS: Final = (0, 1, 8, 9)
_WORD = 32
_MAX_NESTING = 64
_unpack: Callable[..., Any] = unpackb
_SELECTOR = 4
_TOKEN: Final = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]+")
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def iterate_fields(data: bytes) -> Iterator[bytes]:
    """Yield the data and every field that it can be read as holding, each once."""
    seen = {data}
    layer = [data]
    for _ in range(MAX_DEPTH):
        yield from layer
        inner = []
        for outer in layer:
            for part in _iterate_parts(outer) if len(outer) > 1 else ():
                if part not in seen:
                    seen.add(part)
                    inner.append(part)
        layer = inner
    yield from layer


def iterate_values(value: Any) -> Iterator[bytes]:
    """Yield every text and byte string in a decoded JSON or msgpack value, names included."""
    if isinstance(value, str):
        yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from iterate_values(name)
            yield from iterate_values(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from iterate_values(member)
    elif isinstance(value, ExtType):
        yield value.data


def _iterate_parts(data: bytes) -> Iterator[bytes]:
    for offset in _RLP_OFFSETS:
        if offset < len(data) and data[offset] >= 0x80:
            yield from _iterate_rlp(data[offset:])
    yield from _iterate_words(data)
    if data[:1] in b'{["':
        yield from _iterate_json(data)
    if data[0] & 0xF0 in {0x80, 0x90} or 0xDC <= data[0] <= 0xDF:
        yield from _iterate_msgpack(data)
    if data[:2] == b"0x":
        yield from _iterate_hex(data[2:])
    elif _TOKEN.fullmatch(data):
        yield from _iterate_tokens(data)
    yield from iterate_streams(data)
    # A short field may be padded to the width of its column.
    yield data.strip(b"\x00")


def _iterate_words(data: bytes) -> Iterator[bytes]:
    """Yield the 32-byte words of ABI data, with or without a selector before them."""
    start = len(data) % _WORD
    if start not in {0, _SELECTOR} or len(data) < _WORD:
        return
    for place in range(start, len(data), _WORD):
        word = data[place : place + _WORD].strip(b"\x00")
        if word:
            yield word


def _iterate_json(data: bytes) -> Iterator[bytes]:
    try:
        text = data.decode()
        decoded = None if is_nested_deeper(text, _MAX_NESTING) else json.loads(text)
    except ValueError:
        return
    yield from iterate_values(decoded)


def _iterate_msgpack(data: bytes) -> Iterator[bytes]:
    try:
        decoded = _unpack(data, raw=False, strict_map_key=False, unicode_errors="ignore")
    except (ValueError, TypeError, UnpackException):
        return
    yield from iterate_values(decoded)


def _iterate_hex(data: bytes) -> Iterator[bytes]:
    try:
        yield bytes.fromhex(data.decode("ascii"))
    except ValueError:
        return


def _iterate_tokens(data: bytes) -> Iterator[bytes]:
    """Yield what a token of letters and digits holds, as hex or as base64 of either alphabet."""
    if _HEX.fullmatch(data) and len(data) % 2 == 0:
        yield from _iterate_hex(data)
    bare = data.rstrip(b"=").translate(_TO_STANDARD)
    with suppress(binascii.Error, ValueError):
        yield base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)


def _iterate_rlp(data: bytes) -> Iterator[bytes]:
    """Yield the items of one RLP item that fills the data exactly; nothing if it does not."""
    try:
        body, end, is_list = _read_rlp(data, 0)
    except IndexError:
        return
    if end != len(data):
        return
    if not is_list:
        yield body
        return
    items, place = [], 0
    try:
        while place < len(body):
            item, following, inner_is_list = _read_rlp(body, place)
            items.append(body[place:following] if inner_is_list else item)
            place = following
    except IndexError:
        return
    yield from items


def _read_rlp(data: bytes, place: int) -> tuple[bytes, int, bool]:
    """Read one RLP item: its body, where it ends, and whether it is a list."""
    first = data[place]
    if first < 0x80:
        return data[place : place + 1], place + 1, False
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    start = place + 1
    length = short
    if short > 55:
        width = short - 55
        length = int.from_bytes(data[start : start + width], "big")
        start += width
    end = start + length
    if end > len(data):
        raise IndexError(place)
    return data[start:end], end, is_list
