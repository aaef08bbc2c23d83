"""Taking stored bytes apart into the fields that they consist of.

A store holds values in layers: a LevelDB value holds a block, the block's RLP holds transactions, a
transaction's data holds ABI words, a log line holds JSON. A short personal value can only be told
from chance where it is a whole field, so each layer that the bytes can be read as is opened, and
the fields inside it too, down to a bounded depth. Guessing wrong costs nothing: a field too many is
only compared.

`list_fields` is the definition, value by value. `opener` does the same for thousands of values at
once, with these rules.
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
RLP_OFFSETS: Final = (0, 1, 8, 9)
LEAST_OPENED: Final = 2
"""Bytes of the shortest field that can hold another one."""
WORD = 32
_MAX_NESTING = 64
_unpack: Callable[..., Any] = unpackb
SELECTOR = 4
RLP_TEXT, RLP_LIST = 0x80, 0xC0
RLP_SHORT = 55
LEAST_TOKEN = 12
# Of text in base64, so many letters hold one beyond F; of chance, all but once in 10^14 times.
_SURELY_HEX = 32
_JSON, _MSGPACK, _LETTER = 1, 2, 4
_TOKEN: Final = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]+")
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def iterate_fields(data: bytes) -> Iterator[bytes]:
    """Yield the data and every field that it can be read as holding, each once."""
    yield from list_fields(data)[0]


def list_fields(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the data and every field that it can be read as holding, and which were decoded.

    The second list has the data, and what does not stand in it, or in another of that list, as it
    is: to look through these byte for byte is to look through everything.
    """
    seen = {data}
    everything, decoded = [data], [data]
    layer = [data]
    for _ in range(MAX_DEPTH):
        before, layer = layer, []
        for outer in before:
            if len(outer) < LEAST_OPENED:
                continue
            for opened in list_decoded(outer):
                if opened not in seen:
                    seen.add(opened)
                    decoded.append(opened)
                    layer.append(opened)
            for part in _list_parts(outer):
                if part not in seen:
                    seen.add(part)
                    layer.append(part)
        everything += layer
    return everything, decoded


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


def iterate_msgpack(data: bytes) -> Iterator[bytes]:
    """Yield what a value of msgpack holds that fills the data."""
    try:
        decoded = _unpack(data, raw=False, strict_map_key=False, unicode_errors="ignore")
    except (ValueError, TypeError, UnpackException):
        return
    yield from iterate_values(decoded)


def find_items(data: bytes, place: int, end: int) -> list[tuple[int, int]] | None:
    """Return where the items of an RLP list are: texts bare, lists with their head.

    The list's items begin at `place` and fill the data up to `end`; None if they do not.
    """
    items = []
    while place < end:
        first = data[place]
        start = place + (first >= RLP_TEXT)
        length = first & 0x3F if first >= RLP_TEXT else 1
        if length > RLP_SHORT:
            width = length - RLP_SHORT
            length = int.from_bytes(data[start : start + width], "big")
            start += width
        stop = start + length
        if stop > end:
            return None
        items.append((place if first >= RLP_LIST else start, stop))
        place = stop
    return items


def list_decoded(data: bytes) -> list[bytes]:
    """Return what a field of two bytes and more holds that must be decoded to be seen."""
    opened: list[bytes] = []
    marks = _MARKS[data[0]]
    if marks & _JSON:
        opened += _iterate_json(data)
    if marks & _MSGPACK:
        opened += iterate_msgpack(data)
    if marks & _LETTER:
        if data[:2] == b"0x":
            opened += _iterate_hex(data[2:])
        elif _TOKEN.fullmatch(data):
            opened += _iterate_tokens(data)
    opened += iterate_streams(data)
    return opened


def _list_parts(data: bytes) -> list[bytes]:
    """Return the fields that stand in a field of two bytes and more as they are."""
    parts: list[bytes] = []
    size = len(data)
    for offset in RLP_OFFSETS:
        if offset < size and data[offset] >= RLP_TEXT:
            _open_rlp(data, offset, parts)
    if size >= WORD and size % WORD in {0, SELECTOR}:
        parts += _list_words(data)
    # A short field may be padded to the width of its column.
    if not data[0] or not data[-1]:
        parts.append(data.strip(b"\x00"))
    return parts


def _list_words(data: bytes) -> list[bytes]:
    """Return the 32-byte words of ABI data, with or without a selector before them."""
    words = (
        data[place : place + WORD].strip(b"\x00")
        for place in range(len(data) % WORD, len(data), WORD)
    )
    return [word for word in words if word]


def _iterate_json(data: bytes) -> Iterator[bytes]:
    try:
        text = data.decode()
        decoded = None if is_nested_deeper(text, _MAX_NESTING) else json.loads(text)
    except ValueError:
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
        if len(data) >= _SURELY_HEX:
            return
    bare = data.rstrip(b"=").translate(_TO_STANDARD)
    with suppress(binascii.Error, ValueError):
        yield base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)


def _open_rlp(data: bytes, offset: int, parts: list[bytes]) -> None:
    """Add the items of one RLP item that fills the rest of the data; nothing if it does not."""
    size = len(data)
    rest = size - offset - 1
    first = data[offset]
    if rest <= RLP_SHORT:
        if first == RLP_TEXT + rest:
            parts.append(data[offset + 1 :])
        elif first != RLP_LIST + rest:
            return
        place = offset + 1
    else:
        width = (first & 0x3F) - RLP_SHORT
        place = offset + 1 + width
        if width <= 0 or int.from_bytes(data[offset + 1 : place], "big") != size - place:
            return
        if first < RLP_LIST:
            parts.append(data[place:])
    if first >= RLP_LIST:
        parts += [data[start:end] for start, end in find_items(data, place, size) or ()]


def _mark_bytes() -> bytes:
    """Return for each byte what a value that begins with it may be."""
    letters = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
    return bytes(
        (_JSON if byte in b'{["' else 0)
        | (_MSGPACK if byte & 0xE0 == 0x80 or 0xDC <= byte <= 0xDF else 0)
        | (_LETTER if byte in letters else 0)
        for byte in range(256)
    )


_MARKS: Final = _mark_bytes()
