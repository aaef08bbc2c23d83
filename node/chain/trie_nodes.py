"""Nodes of a Merkle-Patricia trie: their three shapes and their encoding.

A trie maps keys to values and has one hash, the root, that commits to all of them. Keys are read
nibble by nibble. A *branch* has sixteen children; an *extension* skips a run of nibbles that all
keys below share; a *leaf* holds the rest of one key and its value. A child is named by the hash of
its encoding, or stands in its parent whole if the encoding is shorter than a hash. Source:
Ethereum Yellow Paper, appendix D.

Three choices make the trie fast in Python. Paths are strings of hex digits, so that prefixes are
compared by the interpreter's own string code. A child is kept as the ready RLP item that its
parent's encoding needs (`80`, `a0` and a hash, or an embedded list), so that a branch is encoded
by one join. And nodes are immutable, so that decoded ones are shared by all readers.

All keys of one trie must have the same length or be free of prefixes (keys of the state are hashes,
indices are RLP); a branch then never has a value of its own, and this module knows none.
"""

from typing import Final, NamedTuple, TypeAlias

from eth_hash.auto import keccak

from consensus.header import EMPTY_TRIE_ROOT
from node.storage.errors import StoreDamaged

EMPTY_ITEM: Final = b"\x80"
"""The RLP item of an absent child."""

EMPTY_ROOT: Final = EMPTY_TRIE_ROOT

_HASH_ITEM_PREFIX: Final = 0xA0
_HASH_ITEM_BYTES: Final = 33
_FIRST_LIST: Final = 0xC0
NIBBLES: Final = {digit: value for value, digit in enumerate("0123456789abcdef")}
"""Hex digit to number."""
DIGITS: Final = "0123456789abcdef"


class Leaf(NamedTuple):
    """The end of one key."""

    path: str
    """Rest of the key, hex digits."""
    value: bytes


class Extension(NamedTuple):
    """A run of nibbles shared by everything below."""

    path: str
    """Hex digits, at least one."""
    child: bytes
    """RLP item of a branch."""


class Branch(NamedTuple):
    """A fork by the next nibble."""

    children: tuple[bytes, ...]
    """Sixteen RLP items."""


Node: TypeAlias = Leaf | Extension | Branch


def encode_node(node: Node) -> bytes:
    """Return the RLP of a node."""
    if type(node) is Branch:
        payload = b"".join(node.children) + EMPTY_ITEM
    elif type(node) is Leaf:
        payload = encode_string(_encode_path(node.path, is_leaf=True)) + encode_string(node.value)
    else:
        assert type(node) is Extension, "a node has one of three shapes"
        payload = encode_string(_encode_path(node.path, is_leaf=False)) + node.child
    return _encode_length(len(payload), 0xC0) + payload


def decode_node(data: bytes) -> Node:
    """Read a node from its RLP, as our own store holds it; raises StoreDamaged."""
    try:
        return _decode_node(data)
    except (IndexError, KeyError, ValueError) as error:
        raise StoreDamaged(f"a trie node does not decode: {data.hex()[:80]}") from error


def hash_item(node_hash: bytes) -> bytes:
    """Return the RLP item that names a node by its hash."""
    return b"\xa0" + node_hash


def is_hash_item(item: bytes) -> bool:
    """Whether an item names a node by hash, rather than hold it or be empty."""
    return item[0] == _HASH_ITEM_PREFIX


def compute_item(encoded: bytes) -> bytes:
    """Return the item by which a parent refers to a node with this encoding."""
    return encoded if len(encoded) < 32 else b"\xa0" + keccak(encoded)


def encode_string(data: bytes) -> bytes:
    """Return the RLP of a byte string."""
    if len(data) == 1 and data[0] < 0x80:
        return data
    return _encode_length(len(data), 0x80) + data


def _encode_length(length: int, offset: int) -> bytes:
    if length < 56:
        return bytes((offset + length,))
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((offset + 55 + len(digits),)) + digits


def _encode_path(path: str, *, is_leaf: bool) -> bytes:
    """Pack nibbles into bytes behind a flag nibble: bit 1 marks a leaf, bit 0 an odd count."""
    if len(path) % 2:
        return bytes.fromhex(("3" if is_leaf else "1") + path)
    return bytes.fromhex(("20" if is_leaf else "00") + path)


def _decode_node(data: bytes) -> Node:
    start, end = _read_span(data, 0)
    if data[0] < _FIRST_LIST or end != len(data):
        raise ValueError("not one list")
    items = []
    position = start
    while position < end:
        _, stop = _read_span(data, position)
        items.append(data[position:stop])
        position = stop
    if len(items) == 17:
        if items.pop() != EMPTY_ITEM:
            raise ValueError("a branch with a value")
        return Branch(tuple(items))
    path_item, payload = items
    packed = _read_string(path_item).hex()
    path = packed[1:] if NIBBLES[packed[0]] & 1 else packed[2:]
    if NIBBLES[packed[0]] & 2:
        return Leaf(path, _read_string(payload))
    return Extension(path, payload)


def _read_string(item: bytes) -> bytes:
    start, end = _read_span(item, 0)
    return item[start:end]


def _read_span(data: bytes, position: int) -> tuple[int, int]:
    """Return where the payload of the item at `position` starts and ends."""
    first = data[position]
    if first < 0x80:
        return position, position + 1
    if first <= 0xB7:
        return position + 1, position + 1 + first - 0x80
    if first < _FIRST_LIST:
        start = position + 1 + first - 0xB7
    elif first <= 0xF7:
        return position + 1, position + 1 + first - _FIRST_LIST
    else:
        start = position + 1 + first - 0xF7
    return start, start + int.from_bytes(data[position + 1 : start], "big")
