"""The one order in which a snapshot lists a state.

A walk goes through the account trie from its root, nodes before what is below them, children in the
order of their nibbles. At an account with code that was not met before comes the code; at one with
storage come its address (tries know only the hash of it, but the store sorts storage by address)
and the walk of its storage trie. The same walk reads a store to write a file and reads a file to
write a store, so a file has no freedom: each part must be the very one whose hash the parts before
it have named, and a changed, missing or additional part is refused where it stands.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from consensus.types import Address, Hash32
from node.chain.accounts import EMPTY_CODE_HASH, decode_account
from node.chain.trie_nodes import (
    DIGITS,
    EMPTY_ITEM,
    EMPTY_ROOT,
    Branch,
    Extension,
    Leaf,
    Node,
    decode_node,
    is_hash_item,
)
from node.storage import keys


class StateSource(Protocol):
    """Where the parts of a state come from; every answer fits the hash that asks for it."""

    def get_node(self, owner: Address | None, node_hash: bytes) -> bytes:
        """Return the encoding of a node of the account trie (None) or of a storage trie."""
        ...

    def get_address(self, key: str) -> Address:
        """Return the address whose hash is `key` (hex digits)."""
        ...

    def get_code(self, code_hash: Hash32) -> bytes:
        """Return contract code."""
        ...


class StatePart(NamedTuple):
    """One part of a state."""

    key: bytes | None
    """Where the store keeps it; an address has no place of its own."""
    data: bytes
    """A node's encoding, an address, or code."""
    is_node: bool


def walk_state(root: Hash32, source: StateSource) -> Iterator[StatePart]:
    """Yield all parts of the state `root`, in order."""
    met = {EMPTY_CODE_HASH}
    for part, leaves in _walk_trie(root, None, source):
        yield part
        for key, value in leaves:
            account = decode_account(value)
            if account.code_hash not in met:
                met.add(account.code_hash)
                code = source.get_code(account.code_hash)
                yield StatePart(keys.code_key(account.code_hash), code, is_node=False)
            if account.storage_root != EMPTY_ROOT:
                address = source.get_address(key)
                yield StatePart(None, address, is_node=False)
                for below, _ in _walk_trie(account.storage_root, address, source):
                    yield below


def _walk_trie(
    root: Hash32, owner: Address | None, source: StateSource
) -> Iterator[tuple[StatePart, list[tuple[str, bytes]]]]:
    """Yield each stored node of a trie with the leaves in it, as (key in hex digits, value)."""
    if root == EMPTY_ROOT:
        return
    prefix = keys.node_prefix(owner)
    waiting: list[tuple[bytes, str]] = [(root, "")]
    while waiting:
        node_hash, path = waiting.pop()
        encoded = source.get_node(owner, node_hash)
        below: list[tuple[bytes, str]] = []
        leaves: list[tuple[str, bytes]] = []
        _open(decode_node(encoded), path, below, leaves)
        waiting.extend(reversed(below))
        yield StatePart(prefix + node_hash, encoded, is_node=True), leaves


def _open(
    node: Node, path: str, below: list[tuple[bytes, str]], leaves: list[tuple[str, bytes]]
) -> None:
    """Note what a node names by hash and the leaves in it, embedded nodes included."""
    if type(node) is Leaf:
        leaves.append((path + node.path, node.value))
        return
    if type(node) is Branch:
        children = [(item, path + digit) for item, digit in zip(node.children, DIGITS, strict=True)]
    else:
        assert type(node) is Extension, "a node has one of three shapes"
        children = [(node.child, path + node.path)]
    for item, place in children:
        if is_hash_item(item):
            below.append((item[1:], place))
        elif item != EMPTY_ITEM:
            _open(decode_node(item), place, below, leaves)
