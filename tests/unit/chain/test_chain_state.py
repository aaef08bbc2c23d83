"""States: proofs at any retained block, pruning that drops just what is not needed."""

from importlib import import_module
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus import rlp_codec
from consensus.types import Address, Hash32
from node.chain.accounts import Account, decode_account, encode_account
from node.chain.errors import StateMissing
from node.chain.state_store import BoundedCache, StateChanges, StateStore
from node.chain.state_view import StateView
from node.chain.trie_nodes import EMPTY_ROOT
from node.storage import keys
from node.storage.errors import StoreDamaged
from node.storage.kv import WriteBatch
from node.storage.memory import MemoryStore
from tests.unit.chain.chain_world import NOTARY, ChainWorld, make_key, note, sign

HexaryTrie: Any = import_module("trie").HexaryTrie

ISSUER = make_key("issuer")
OWNERS = [Address(bytes((number,)) * 20) for number in range(1, 5)]

histories = st.lists(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 12)), st.integers(0, 3), min_size=1, max_size=12
    ),
    min_size=2,
    max_size=7,
)


class History:
    """States block by block, as a chain writes them."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.states = StateStore(self.store)
        self.roots: list[Hash32] = [EMPTY_ROOT]
        self.contents: list[dict[tuple[int, int], int]] = [{}]

    def write(self, slots: dict[tuple[int, int], int]) -> None:
        changes = StateChanges()
        for (owner, slot), value in slots.items():
            address = OWNERS[owner]
            changes.accounts[address] = Account(nonce=1)
            changes.storage.setdefault(address, {})[slot] = value
        commit = self.states.prepare(self.roots[-1], changes)
        batch = WriteBatch()
        self.states.stage(commit, batch, len(self.roots))
        self.store.write(batch, kind="block")
        self.states.adopt(commit)
        self.roots.append(commit.root)
        self.contents.append({**self.contents[-1], **slots})

    def check(self, height: int) -> None:
        """Read everything of a state without any cache."""
        view = StateView(StateStore(self.store), self.roots[height])
        for (owner, slot), value in self.contents[height].items():
            assert view.get_storage(OWNERS[owner], slot) == value

    def count_nodes(self) -> int:
        return sum(
            1
            for table in (keys.ACCOUNT_NODES, keys.STORAGE_NODES)
            for _ in self.store.iterate(table)
        )


@settings(max_examples=60)
@given(history=histories, kept=st.integers(1, 4))
def test_pruning_keeps_the_last_states_whole_and_nothing_else(
    history: list[dict[tuple[int, int], int]], kept: int
) -> None:
    chain = History()
    for slots in history:
        chain.write(slots)
    for height in range(len(chain.roots)):
        chain.check(height)
    last = len(chain.roots) - 1
    batch = WriteBatch()
    for height in range(1, last - kept + 2):
        chain.states.stage_pruning(height, batch)
    chain.store.write(batch, kind="prune")
    for height in range(max(1, last - kept + 1), last + 1):
        chain.check(height)
    if kept == 1:
        fresh = History()
        fresh.write(chain.contents[last])
        assert fresh.roots[-1] == chain.roots[-1]
        assert chain.count_nodes() == fresh.count_nodes()


def test_state_that_is_not_retained_is_named_missing() -> None:
    states = StateStore(MemoryStore())
    root = Hash32(b"\x05" * 32)
    assert not states.has_state(root)
    with pytest.raises(StateMissing, match="not in the database"):
        states.get_account(root, OWNERS[0])
    with pytest.raises(StateMissing, match="code"):
        states.get_code(root)


def verify(root: bytes, key: bytes, proof: tuple[bytes, ...]) -> bytes:
    """Return what a proof proves, by py-trie."""
    nodes = [rlp_codec.decode(node) for node in proof]
    value: bytes = HexaryTrie.get_from_proof(root, keccak(key), nodes)
    return value


def test_proofs_verify_at_every_block_and_for_what_is_absent() -> None:
    world = ChainWorld()
    for number in range(4):
        world.grow(
            [
                sign(ISSUER, nonce=2 * number, to=NOTARY, data=note(1, number + 1)),
                sign(ISSUER, nonce=2 * number + 1, to=NOTARY, data=note(10 + number, 2**255)),
            ]
        )
    stranger = Address(b"\x55" * 20)
    for height in range(1, 5):
        header = world.chain.get_header(height)
        assert header is not None
        state = world.chain.state_at(header)
        proof = state.prove(NOTARY, (1, 10, 13, 77))
        assert proof.account == state.get_account(NOTARY)
        assert verify(header.state_root, NOTARY, proof.proof) == encode_account(proof.account)
        for item in proof.storage:
            proven = verify(proof.account.storage_root, item.slot.to_bytes(32, "big"), item.proof)
            value = rlp_codec.get_scalar(rlp_codec.decode(proven), "slot", 32) if proven else 0
            assert value == item.value == state.get_storage(NOTARY, item.slot)
        assert proof.storage[0].value == height
        absent = state.prove(stranger, (1,))
        assert verify(header.state_root, stranger, absent.proof) == b""
        assert absent.account == Account()
        assert absent.storage[0].proof == ()


@given(
    nonce=st.integers(0, 2**64 - 1),
    balance=st.integers(0, 2**256 - 1),
    root=st.binary(min_size=32, max_size=32),
)
def test_account_survives_its_encoding(nonce: int, balance: int, root: bytes) -> None:
    account = Account(nonce, balance, Hash32(root))
    assert decode_account(encode_account(account)) == account


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x80", b"\xc4\x01\x02\x03\x04"])
def test_damaged_account_is_named_as_damage(data: bytes) -> None:
    with pytest.raises(StoreDamaged):
        decode_account(data)


def test_cache_remembers_what_was_used_and_stays_bounded() -> None:
    cache: BoundedCache[int, str] = BoundedCache(3)
    for number in range(100):
        cache.put(number, str(number))
        assert cache.get(number) == str(number)
        if number:
            cache.put(-1, "kept")
            assert cache.get(-1) == "kept"
    assert sum(cache.get(number) is not None for number in range(97)) == 0
