"""The state of every retained block: tries in the store, and one cache of decoded nodes.

The state is a trie of accounts, keyed by the hash of the address; each account holds the root of a
trie of its storage, keyed by the hash of the slot. A root names a state for ever, so reading at an
old block is reading under an old root. Writing turns the changes of one block into a `StateCommit`:
the nodes and codes to put, and the journal of nodes that later states no longer use. Nothing is
deleted here: an archive keeps everything, a pruning node drops a block's journal once the states
before it are out of its retention. A node is stored with the height that wrote it, because the same
node can come back (a value set, changed and set again): one written after the journal's block is
live again and stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from eth_hash.auto import keccak

from consensus.types import Address, Hash32
from node.chain.accounts import (
    EMPTY_CODE_HASH,
    NO_ACCOUNT,
    Account,
    decode_account,
    encode_account,
)
from node.chain.errors import StateMissing
from node.chain.trie import TrieUpdate, apply_changes, get_value, prove
from node.chain.trie_nodes import EMPTY_ROOT, Node, decode_node, encode_string
from node.storage import keys
from node.storage.kv import KeyValueStore, WriteBatch

CACHED_NODES = 24_000
"""Decoded nodes kept; a full branch takes about 1.5 kB."""

CACHED_HASHES = 16_384
CACHED_CODES = 64
_HASH_BYTES = 32

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True, kw_only=True)
class StateChanges:
    """What execution changed: final values only."""

    accounts: dict[Address, Account | None] = field(default_factory=dict)
    """Accounts with another nonce, balance or code (their storage root is not looked at); None
    removes the account."""

    storage: dict[Address, dict[int, int]] = field(default_factory=dict)
    """Slots with another value; 0 removes the slot."""

    codes: dict[Hash32, bytes] = field(default_factory=dict)
    """New contract code by its hash."""


@dataclass(slots=True, kw_only=True)
class StateCommit:
    """A new state, ready to be written."""

    root: Hash32
    """State root after the changes."""

    entries: dict[bytes, bytes]
    """Store key to node encoding or code."""

    stale: list[bytes]
    """Store keys of nodes that the new state no longer uses."""

    decoded: dict[bytes, Node]
    """The new nodes by hash, for the cache."""


class BoundedCache(Generic[Key, Value]):
    """Remembers at least the last `capacity` keys used and at most twice as many.

    Two generations: what is used moves to the young one; when that is full, the old one is
    forgotten. Dictionary operations are atomic, so a reader in another thread at worst misses.
    """

    __slots__ = ("_capacity", "_old", "_young")

    def __init__(self, capacity: int) -> None:
        """Start empty."""
        self._capacity = capacity
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """Return the remembered value, or None."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Remember a value."""
        if len(self._young) >= self._capacity:
            self._old = self._young
            self._young = {}
        self._young[key] = value


class StateStore:
    """Reads states by root and prepares new ones. Safe to read from any thread."""

    def __init__(self, store: KeyValueStore) -> None:
        """Read from `store`."""
        self._store = store
        self._nodes: BoundedCache[bytes, Node] = BoundedCache(CACHED_NODES // 2)
        self._account_keys: BoundedCache[bytes, str] = BoundedCache(CACHED_HASHES // 2)
        self._codes: BoundedCache[bytes, bytes] = BoundedCache(CACHED_CODES // 2)

    def get_account(self, root: Hash32, address: Address) -> Account | None:
        """Return an account of the state `root`, or None; raises StateMissing."""
        data = get_value(self._get_account_node, root, self._hash_address(address))
        return None if data is None else decode_account(data)

    def get_storage(self, storage_root: Hash32, address: Address, slot: int) -> int:
        """Return a slot below the storage root of `address`, 0 if never written."""
        if storage_root == EMPTY_ROOT:
            return 0
        data = get_value(_StorageNodes(self, address).get, storage_root, hash_slot(slot))
        return 0 if data is None else int.from_bytes(data[1:] if len(data) > 1 else data, "big")

    def get_code(self, code_hash: Hash32) -> bytes:
        """Return code by its hash; raises StateMissing."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(code_hash)
        if code is None:
            code = self._store.get(keys.code_key(code_hash))
            if code is None:
                raise StateMissing(f"contract code {code_hash.hex()} is not in the database")
            self._codes.put(code_hash, code)
        return code

    def has_state(self, root: Hash32) -> bool:
        """Whether the state `root` is retained."""
        return root == EMPTY_ROOT or self._store.get(keys.node_prefix(None) + root) is not None

    def prove_account(self, root: Hash32, address: Address) -> tuple[bytes, ...]:
        """Return the proof of an account, or of its absence, against `root`."""
        return prove(self._get_account_node, root, self._hash_address(address))

    def prove_slot(self, storage_root: Hash32, address: Address, slot: int) -> tuple[bytes, ...]:
        """Return the proof of a slot, or of its absence, against `storage_root`."""
        return prove(_StorageNodes(self, address).get, storage_root, hash_slot(slot))

    def prepare(self, root: Hash32, changes: StateChanges) -> StateCommit:
        """Return the state after `changes` to the state `root`; nothing is written."""
        commit = StateCommit(root=root, entries={}, stale=[], decoded={})
        leaves: dict[str, bytes | None] = {}
        for address in changes.accounts.keys() | changes.storage.keys():
            before = self.get_account(root, address)
            after = changes.accounts.get(address, before or NO_ACCOUNT)
            if after is None:
                leaves[self._hash_address(address)] = None
                continue
            storage_root = EMPTY_ROOT if before is None else before.storage_root
            slots = changes.storage.get(address)
            if slots:
                update = self._change_storage(address, storage_root, slots)
                _collect(commit, update, keys.node_prefix(address))
                storage_root = update.root
            account = Account(after.nonce, after.balance, storage_root, after.code_hash)
            leaves[self._hash_address(address)] = encode_account(account)
        update = apply_changes(self._get_account_node, root, leaves)
        _collect(commit, update, keys.node_prefix(None))
        commit.root = update.root
        for code_hash, code in changes.codes.items():
            commit.entries[keys.code_key(code_hash)] = code
        return commit

    def stage(self, commit: StateCommit, batch: WriteBatch, height: int) -> None:
        """Put a commit of the block at `height` into the batch that makes the block final."""
        stamp = keys.encode_height(height)
        for key, value in commit.entries.items():
            batch.put(key, value if key[:1] == keys.CODES else stamp + value)
        batch.put(keys.stale_key(height), _encode_journal(commit.stale))

    def adopt(self, commit: StateCommit) -> None:
        """Take the new nodes into the cache, once their batch is written."""
        for node_hash, node in commit.decoded.items():
            self._nodes.put(node_hash, node)

    def stage_pruning(self, height: int, batch: WriteBatch) -> int:
        """Delete what the block at `height` made stale; states before it become unreadable.

        Journals are dropped in ascending order of height. A node that the same batch writes anew is
        live again and stays. Returns how many nodes go.
        """
        journal = self._store.get(keys.stale_key(height))
        if journal is None:
            return 0
        count = 0
        for key in _decode_journal(journal):
            if batch.entries.get(key) is not None:
                continue
            value = self._store.get(key)
            if value is not None and keys.decode_height(value) <= height:
                batch.delete(key)
                count += 1
        batch.delete(keys.stale_key(height))
        return count

    def load_node(self, node_hash: bytes, owner: Address | None) -> Node:
        """Return a node of the account trie (None) or of an account's storage trie."""
        node = self._nodes.get(node_hash)
        if node is None:
            value = self._store.get(keys.node_prefix(owner) + node_hash)
            if value is None:
                raise StateMissing(
                    f"trie node {node_hash.hex()} is not in the database",
                    next_step="The state of that block is not retained here; ask an archive node",
                )
            node = decode_node(value[keys.HEIGHT_BYTES :])
            self._nodes.put(node_hash, node)
        return node

    def _get_account_node(self, node_hash: bytes) -> Node:
        return self._nodes.get(node_hash) or self.load_node(node_hash, None)

    def _change_storage(
        self, address: Address, storage_root: Hash32, slots: Mapping[int, int]
    ) -> TrieUpdate:
        leaves = {
            hash_slot(slot): encode_string(_int_to_bytes(value)) if value else None
            for slot, value in slots.items()
        }
        return apply_changes(_StorageNodes(self, address).get, storage_root, leaves)

    def _hash_address(self, address: Address) -> str:
        key = self._account_keys.get(address)
        if key is None:
            key = keccak(address).hex()
            self._account_keys.put(address, key)
        return key


def hash_slot(slot: int) -> str:
    """Return the key of a slot in its storage trie, as hex digits."""
    digest: bytes = keccak(slot.to_bytes(32, "big"))
    return digest.hex()


class _StorageNodes:
    """The nodes of one account's storage trie."""

    __slots__ = ("_owner", "_state_store")

    def __init__(self, state_store: StateStore, owner: Address) -> None:
        self._state_store = state_store
        self._owner = owner

    def get(self, node_hash: bytes) -> Node:
        return self._state_store.load_node(node_hash, self._owner)


def _collect(commit: StateCommit, update: TrieUpdate, prefix: bytes) -> None:
    for node_hash, encoded in update.created.items():
        commit.entries[prefix + node_hash] = encoded
    commit.decoded.update(update.decoded)
    commit.stale.extend(prefix + node_hash for node_hash in update.stale)


def _encode_journal(stale: list[bytes]) -> bytes:
    """Join store keys: an account node's has 33 bytes and starts with its table, and so on."""
    return b"".join(stale)


def _decode_journal(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while position < len(data):
        is_account_node = data[position : position + 1] == keys.ACCOUNT_NODES
        end = position + 1 + _HASH_BYTES + (0 if is_account_node else 20)
        found.append(data[position:end])
        position = end
    return found


def _int_to_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
