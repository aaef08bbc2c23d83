"""Pruned nodes: the last states whole, older ones refused in words, blocks kept for ever."""

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.errors import StateMissing
from node.chain.results import CallRequest
from node.storage import keys
from tests.unit.chain.chain_world import (
    NOTARY,
    START_S,
    VALIDATOR_CONTRACT,
    ChainWorld,
    make_key,
    note,
    sign,
)

ISSUER = make_key("issuer")


def make_pruned(retain_blocks: int) -> ChainWorld:
    world = ChainWorld()
    reopen(world, retain_blocks)
    return world


def reopen(world: ChainWorld, retain_blocks: int) -> None:
    world.chain = Blockchain.open(
        world.store,
        world.genesis,
        clock=lambda: float(START_S + 1_000_000),
        retain_blocks=retain_blocks,
    )


def grow(world: ChainWorld, slots: list[int], nonce: int) -> None:
    """Add a block that writes each slot with its own height, some of them again and again."""
    height = world.chain.head.number + 1
    world.grow(
        [
            sign(ISSUER, nonce=nonce + index, to=NOTARY, data=note(slot, height))
            for index, slot in enumerate(slots)
        ]
    )


def is_readable(world: ChainWorld, height: int) -> bool:
    header = world.chain.get_header(height)
    assert header is not None
    try:
        state = world.chain.state_at(header)
        state.prove(NOTARY, range(8))
    except StateMissing:
        return False
    return True


@settings(max_examples=25, deadline=None)
@given(
    history=st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=3, max_size=14),
    retained=st.integers(1, 4),
)
def test_pruning_keeps_exactly_the_last_states(history: list[list[int]], retained: int) -> None:
    archive, pruned = ChainWorld(), make_pruned(retained)
    nonce = 0
    for slots in history:
        grow(archive, slots, nonce)
        grow(pruned, slots, nonce)
        nonce += len(slots)
    head = len(history)
    floor = max(0, head - retained + 1)
    assert pruned.chain.floor == floor
    for height in range(head + 1):
        assert is_readable(archive, height)
        assert is_readable(pruned, height) == (height >= floor)
        header = archive.chain.get_header(height)
        assert header is not None
        assert pruned.chain.get_block(height) == archive.chain.get_block(height)
        if height >= floor:
            ours, theirs = (
                world.chain.state_at(header).prove(NOTARY, range(8)) for world in (pruned, archive)
            )
            assert ours == theirs


def test_pruning_refuses_in_words_what_is_gone() -> None:
    world = make_pruned(2)
    for nonce in range(5):
        grow(world, [nonce], nonce)
    old = world.chain.get_header(2)
    assert old is not None
    with pytest.raises(StateMissing, match=r"block 2 is not retained.*from block 4 on") as caught:
        world.chain.state_at(old)
    assert "archive" in str(caught.value)
    request = CallRequest(to=VALIDATOR_CONTRACT, data=keccak(b"getValidators()")[:4])
    with pytest.raises(StateMissing):
        world.chain.call(request, old, deadline=Deadline.never())
    with pytest.raises(StateMissing):
        world.chain.estimate_gas(request, old, deadline=Deadline.never())


def test_pruning_of_an_archive_catches_up_a_few_blocks_at_a_time() -> None:
    world = ChainWorld()
    for nonce in range(30):
        grow(world, [nonce % 3], nonce)
    reopen(world, 4)
    assert world.chain.floor == 0
    floors = []
    for nonce in range(30, 36):
        grow(world, [nonce % 3], nonce)
        floors.append(world.chain.floor)
    assert floors == [8, 16, 24, 31, 32, 33]
    journals = [keys.decode_height(key[1:]) for key, _ in world.store.iterate(keys.STALE_NODES)]
    assert journals == [0, 34, 35, 36]


def test_pruned_state_stays_gone_after_the_setting_is_taken_back() -> None:
    world = make_pruned(1)
    for nonce in range(4):
        grow(world, [0], nonce)
    reopen(world, 0)
    grow(world, [0], 4)
    assert world.chain.floor == 4
    assert [is_readable(world, height) for height in range(6)] == [False] * 4 + [True] * 2


def test_pruned_chain_goes_on_after_it_is_opened_again() -> None:
    world, other = make_pruned(1), ChainWorld()
    for nonce in range(10):
        grow(world, [nonce % 2], nonce)
        grow(other, [nonce % 2], nonce)
        reopen(world, 1)  # with empty caches: what is read must be in the store
    assert world.chain.head.state_root == other.chain.head.state_root
