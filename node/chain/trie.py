"""Reading, changing and proving a Merkle-Patricia trie.

A trie is never changed in place: a set of changes to one root makes new nodes under another root,
and the old root stays readable as long as its nodes are kept. `apply_changes` takes all changes of
a block at once, in the order of their keys, and walks down once: every node on the way is decoded
once, built once and encoded once, however many keys below it changed. What it returns is what a
store needs: the nodes that are new, and the hashes of those that the new root no longer uses.

Deleting may leave a branch with a single child; it is then merged with that child, since there is
exactly one trie for one set of keys. Only then is a node outside the changed paths read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from eth_hash.auto import keccak

from consensus.types import Hash32
from node.chain.trie_nodes import (
    DIGITS,
    EMPTY_ITEM,
    EMPTY_ROOT,
    NIBBLES,
    Branch,
    Extension,
    Leaf,
    Node,
    decode_node,
    encode_node,
    hash_item,
    is_hash_item,
)

GetNode = Callable[[bytes], Node]
"""Finds a node by its hash; raises StateMissing."""

Change = tuple[str, bytes | None]
"""A key in hex digits and its new value; None removes it."""


@dataclass(slots=True, kw_only=True)
class TrieUpdate:
    """A new root and what changed in the store for it."""

    root: Hash32
    """Root after the changes."""

    created: dict[bytes, bytes] = field(default_factory=dict)
    """Hash to encoding of the nodes that are new."""

    decoded: dict[bytes, Node] = field(default_factory=dict)
    """The same nodes, decoded, for a cache."""

    stale: set[bytes] = field(default_factory=set)
    """Hashes of nodes of the old root that the new root does not use."""


def apply_changes(
    get_node: GetNode, root: bytes, changes: Mapping[str, bytes | None]
) -> TrieUpdate:
    """Return the trie after `changes`, key (hex digits) to value or None for removal."""
    update = _Update(get_node, sorted(changes.items()))
    return update.run(root)


def compute_root(entries: Mapping[str, bytes]) -> Hash32:
    """Return the root of a trie that holds just these entries; nothing is stored."""
    return apply_changes(_get_nothing, EMPTY_ROOT, entries).root


def get_value(get_node: GetNode, root: bytes, key: str) -> bytes | None:
    """Return the value of `key` (hex digits), or None."""
    if root == EMPTY_ROOT:
        return None
    node = get_node(root)
    depth = 0
    while True:
        if type(node) is Branch:
            item = node.children[NIBBLES[key[depth]]]
            depth += 1
        elif type(node) is Leaf:
            return node.value if key[depth:] == node.path else None
        else:
            assert type(node) is Extension, "a node has one of three shapes"
            if not key.startswith(node.path, depth):
                return None
            depth += len(node.path)
            item = node.child
        if item == EMPTY_ITEM:
            return None
        node = get_node(item[1:]) if is_hash_item(item) else decode_node(item)


def prove(get_node: GetNode, root: bytes, key: str) -> tuple[bytes, ...]:
    """Return the encodings of the nodes from the root down to `key`, or to where it is missing.

    Nodes that stand inside their parent are not repeated (EIP-1186).
    """
    if root == EMPTY_ROOT:
        return ()
    node = get_node(root)
    proof = [encode_node(node)]
    depth = 0
    while type(node) is not Leaf:
        if type(node) is Branch:
            item = node.children[NIBBLES[key[depth]]]
            depth += 1
        else:
            assert type(node) is Extension, "a node has one of three shapes"
            if not key.startswith(node.path, depth):
                break
            depth += len(node.path)
            item = node.child
        if item == EMPTY_ITEM:
            break
        if is_hash_item(item):
            node = get_node(item[1:])
            proof.append(encode_node(node))
        else:
            node = decode_node(item)
    return tuple(proof)


class _Update:
    """One walk over the trie with sorted changes."""

    __slots__ = ("_changes", "_created", "_decoded", "_get_node", "_stale")

    def __init__(self, get_node: GetNode, changes: Sequence[Change]) -> None:
        self._get_node = get_node
        self._changes = changes
        self._created: dict[bytes, bytes] = {}
        self._decoded: dict[bytes, Node] = {}
        self._stale: set[bytes] = set()

    def run(self, root: bytes) -> TrieUpdate:
        if not self._changes:
            return TrieUpdate(root=Hash32(root))
        item = EMPTY_ITEM if root == EMPTY_ROOT else hash_item(root)
        node = self._change_item(item, 0, len(self._changes), 0)
        new_root = EMPTY_ROOT if node is None else self._store_root(node)
        # A node that was taken apart and put together again unchanged is neither new nor stale.
        for node_hash in self._stale & self._created.keys():
            self._stale.discard(node_hash)
            del self._created[node_hash]
        return TrieUpdate(
            root=Hash32(new_root),
            created=self._created,
            decoded=self._decoded,
            stale=self._stale,
        )

    def _change_item(self, item: bytes, low: int, high: int, depth: int) -> Node | None:
        """Apply changes[low:high], which all lie below `item` at `depth`; return what stands."""
        if item == EMPTY_ITEM:
            return self._build(self._get_present(low, high), depth)
        if is_hash_item(item):
            node_hash = item[1:]
            self._stale.add(node_hash)
            return self._change_node(self._get_node(node_hash), low, high, depth)
        return self._change_node(decode_node(item), low, high, depth)

    def _change_node(self, node: Node, low: int, high: int, depth: int) -> Node | None:
        if type(node) is Branch:
            return self._change_branch(list(node.children), {}, low, high, depth)
        if type(node) is Extension:
            return self._change_extension(node, low, high, depth)
        assert type(node) is Leaf, "a node has one of three shapes"
        key = self._changes[low][0][:depth] + node.path
        entries = self._get_present(low, high)
        if all(changed != key for changed, _ in self._changes[low:high]):
            entries.append((key, node.value))
            entries.sort()
        return self._build(entries, depth)

    def _change_extension(self, node: Extension, low: int, high: int, depth: int) -> Node | None:
        path = node.path
        # The keys are sorted, so the one that leaves the path first is at one of the two ends.
        shared = min(
            _count_shared(path, self._changes[low][0], depth),
            _count_shared(path, self._changes[high - 1][0], depth),
        )
        if shared == len(path):
            child = self._change_item(node.child, low, high, depth + shared)
        else:
            # Fork where the first key leaves; what stood below hangs from the new branch.
            children = [EMPTY_ITEM] * 16
            rest = path[shared + 1 :]
            nibble = NIBBLES[path[shared]]
            fresh: dict[int, Node | None] = {}
            if rest:
                fresh[nibble] = Extension(rest, node.child)
            else:
                children[nibble] = node.child
            child = self._change_branch(children, fresh, low, high, depth + shared)
        return None if child is None else self._prepend(path[:shared], child)

    def _change_branch(
        self, children: list[bytes], fresh: dict[int, Node | None], low: int, high: int, depth: int
    ) -> Node | None:
        """Apply changes to a branch given as items, some of which `fresh` replaces by nodes."""
        changes = self._changes
        start = low
        while start < high:
            digit = changes[start][0][depth]
            stop = start + 1
            while stop < high and changes[stop][0][depth] == digit:
                stop += 1
            nibble = NIBBLES[digit]
            standing = fresh.get(nibble)
            if standing is None:
                fresh[nibble] = self._change_item(children[nibble], start, stop, depth + 1)
            else:
                fresh[nibble] = self._change_node(standing, start, stop, depth + 1)
            start = stop
        for nibble, node in fresh.items():
            children[nibble] = EMPTY_ITEM if node is None else b""
        present = [nibble for nibble, item in enumerate(children) if item != EMPTY_ITEM]
        if len(present) < 2:
            return self._merge_only_child(children, fresh, present)
        for nibble, node in fresh.items():
            if node is not None:
                children[nibble] = self._store(node)
        return Branch(tuple(children))

    def _merge_only_child(
        self, children: list[bytes], fresh: Mapping[int, Node | None], present: list[int]
    ) -> Node | None:
        if not present:
            return None
        nibble = present[0]
        node = fresh.get(nibble)
        if node is not None:
            return self._prepend(DIGITS[nibble], node)
        item = children[nibble]
        if not is_hash_item(item):
            return self._prepend(DIGITS[nibble], decode_node(item))
        node = self._get_node(item[1:])
        if type(node) is Branch:
            return Extension(DIGITS[nibble], item)
        self._stale.add(item[1:])
        return self._prepend(DIGITS[nibble], node)

    def _prepend(self, path: str, node: Node) -> Node:
        """Return the node that stands `path` above `node`."""
        if not path:
            return node
        if type(node) is Leaf:
            return Leaf(path + node.path, node.value)
        if type(node) is Extension:
            return Extension(path + node.path, node.child)
        return Extension(path, self._store(node))

    def _build(self, entries: Sequence[tuple[str, bytes]], depth: int) -> Node | None:
        """Return the node over sorted new entries that share their first `depth` digits."""
        if not entries:
            return None
        first = entries[0][0]
        if len(entries) == 1:
            return Leaf(first[depth:], entries[0][1])
        shared = _count_shared(first[depth:], entries[-1][0], depth)
        fork = depth + shared
        children = [EMPTY_ITEM] * 16
        start = 0
        while start < len(entries):
            digit = entries[start][0][fork]
            stop = start + 1
            while stop < len(entries) and entries[stop][0][fork] == digit:
                stop += 1
            node = self._build(entries[start:stop], fork + 1)
            assert node is not None, "a group of entries is never empty"
            children[NIBBLES[digit]] = self._store(node)
            start = stop
        return self._prepend(first[depth:fork], Branch(tuple(children)))

    def _get_present(self, low: int, high: int) -> list[tuple[str, bytes]]:
        return [(key, value) for key, value in self._changes[low:high] if value is not None]

    def _store(self, node: Node) -> bytes:
        encoded = encode_node(node)
        if len(encoded) < 32:
            return encoded
        return hash_item(self._keep(node, encoded))

    def _store_root(self, node: Node) -> bytes:
        return self._keep(node, encode_node(node))

    def _keep(self, node: Node, encoded: bytes) -> bytes:
        node_hash: bytes = keccak(encoded)
        self._created[node_hash] = encoded
        self._decoded[node_hash] = node
        return node_hash


def _count_shared(path: str, key: str, depth: int) -> int:
    """Return how many digits of `path` the key repeats from `depth` on."""
    if key.startswith(path, depth):
        return len(path)
    count = 0
    for digit, other in zip(path, key[depth:], strict=False):
        if digit != other:
            break
        count += 1
    return count


def _get_nothing(node_hash: bytes) -> Node:
    raise AssertionError(f"a new trie has no stored node {node_hash.hex()}")


def compute_ordered_root(encoded: Iterable[bytes]) -> Hash32:
    """Return the root over a list by index, as headers commit to transactions and receipts."""
    return compute_root({index_key(index): value for index, value in enumerate(encoded)})


def compute_ordered_proof(encoded: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the nodes that prove item `index` of a list against `compute_ordered_root`."""
    entries = {index_key(place): value for place, value in enumerate(encoded)}
    update = apply_changes(_get_nothing, EMPTY_ROOT, entries)
    return prove(update.decoded.__getitem__, update.root, index_key(index))


def index_key(index: int) -> str:
    """Return the key of a list's item: the RLP of its index, in hex digits."""
    if index == 0:
        return "80"
    if index < 0x80:
        return f"{index:02x}"
    digits = index.to_bytes((index.bit_length() + 7) // 8, "big")
    return bytes((0x80 + len(digits),)).hex() + digits.hex()
