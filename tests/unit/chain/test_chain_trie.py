"""The trie against py-trie's HexaryTrie: same roots, same values, same proofs, nothing lost."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from consensus import rlp_codec
from node.chain.trie import apply_changes, compute_ordered_root, compute_root, get_value, prove
from node.chain.trie_nodes import (
    EMPTY_ROOT,
    Branch,
    Extension,
    Leaf,
    Node,
    decode_node,
    encode_node,
)
from node.storage.errors import StoreDamaged

HexaryTrie: Any = import_module("trie").HexaryTrie  # untyped

# Few distinct digits make shared paths, forks and merges frequent.
narrow_keys = st.binary(min_size=3, max_size=3).map(lambda key: bytes(byte & 0x11 for byte in key))
any_keys = st.one_of(narrow_keys, st.binary(min_size=3, max_size=3))
values = st.one_of(st.binary(min_size=1, max_size=6), st.binary(min_size=30, max_size=60))
change_sets = st.dictionaries(any_keys, st.one_of(values, st.none()), max_size=12)


class Nodes:
    """The nodes of one trie in memory, as a store would keep them."""

    def __init__(self) -> None:
        self.root: bytes = EMPTY_ROOT
        self.encoded: dict[bytes, bytes] = {}

    def get(self, node_hash: bytes) -> Node:
        return decode_node(self.encoded[node_hash])

    def change(self, changes: Mapping[bytes, bytes | None], *, prune: bool = False) -> None:
        update = apply_changes(self.get, self.root, {key.hex(): v for key, v in changes.items()})
        self.root = update.root
        self.encoded.update(update.created)
        if prune:
            for node_hash in update.stale:
                del self.encoded[node_hash]


@given(history=st.lists(change_sets, max_size=8))
def test_trie_agrees_with_hexary_trie_on_any_history(
    history: list[dict[bytes, bytes | None]],
) -> None:
    ours = Nodes()
    theirs = HexaryTrie({})
    written: set[bytes] = set()
    for changes in history:
        ours.change(changes)
        for key, value in changes.items():
            written.add(key)
            if value is None:
                del theirs[key]
            else:
                theirs[key] = value
        assert ours.root == theirs.root_hash
    for key in written:
        assert get_value(ours.get, ours.root, key.hex()) == (theirs[key] or None)


@given(
    history=st.lists(
        st.dictionaries(
            st.integers(0, 40), st.one_of(st.none(), st.integers(1, 3)), min_size=1, max_size=15
        ),
        max_size=8,
    )
)
def test_trie_keeps_exactly_the_nodes_of_the_last_root_when_stale_ones_are_dropped(
    history: list[dict[int, int | None]],
) -> None:
    pruned = Nodes()
    contents: dict[bytes, bytes] = {}
    for changes in history:
        hashed = {
            keccak(number.to_bytes(32, "big")): None if value is None else bytes((value,)) * 33
            for number, value in changes.items()
        }
        pruned.change(hashed, prune=True)
        for key, value in hashed.items():
            if value is None:
                contents.pop(key, None)
            else:
                contents[key] = value
    fresh = Nodes()
    fresh.change(contents)
    assert pruned.root == fresh.root
    assert pruned.encoded == fresh.encoded


@given(contents=st.dictionaries(any_keys, values, max_size=20), probe=any_keys)
def test_trie_proofs_are_those_of_hexary_trie(contents: dict[bytes, bytes], probe: bytes) -> None:
    ours = Nodes()
    ours.change(contents)
    theirs = HexaryTrie({})
    for key, value in contents.items():
        theirs[key] = value
    for key in [probe, *contents]:
        proof = prove(ours.get, ours.root, key.hex())
        nodes = [decode_raw(encoded) for encoded in proof]
        assert HexaryTrie.get_from_proof(ours.root, key, nodes) == contents.get(key, b"")
        assert len({keccak(encoded) for encoded in proof}) == len(proof)


def decode_raw(encoded: bytes) -> object:
    return rlp_codec.decode(encoded)


@given(items=st.lists(st.binary(min_size=1, max_size=50), max_size=300))
def test_ordered_root_is_that_of_a_trie_by_rlp_index(items: list[bytes]) -> None:
    theirs = HexaryTrie({})
    for index, item in enumerate(items):
        theirs[rlp_codec.encode(rlp_codec.encode_scalar(index))] = item
    assert compute_ordered_root(items) == theirs.root_hash


@given(
    node=st.one_of(
        st.builds(Leaf, st.text("0123456789abcdef", max_size=64), st.binary(max_size=100)),
        st.builds(
            Extension,
            st.text("0123456789abcdef", min_size=1, max_size=64),
            st.binary(min_size=32, max_size=32).map(lambda node_hash: b"\xa0" + node_hash),
        ),
        st.builds(
            Branch,
            st.tuples(
                *[
                    st.one_of(
                        st.just(b"\x80"),
                        st.binary(min_size=32, max_size=32).map(lambda h: b"\xa0" + h),
                    )
                ]
                * 16
            ),
        ),
    )
)
def test_node_survives_its_encoding(node: Node) -> None:
    assert decode_node(encode_node(node)) == node


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xc1\x80", b"\xc2\x80\x80\x00", b"\xf8"])
def test_damaged_node_is_named_as_damage(data: bytes) -> None:
    with pytest.raises(StoreDamaged):
        decode_node(data)


def test_root_of_nothing_is_the_empty_root() -> None:
    assert compute_root({}) == EMPTY_ROOT
    nodes = Nodes()
    nodes.change({b"\x01" * 3: b"x"})
    nodes.change({b"\x01" * 3: None}, prune=False)
    assert nodes.root == EMPTY_ROOT
