"""Reading final blocks: logs, calls, estimates, and the same chain after opening it again."""

from dataclasses import replace
from pathlib import Path

import pytest

from consensus.types import Hash32
from node.chain.deadline import Deadline
from node.chain.genesis import parse_genesis
from node.chain.results import CallRequest, LogFilter
from node.storage import keys as store_keys
from node.storage.crashpoints import CrashPlan, CrashPoints
from node.storage.errors import StoreDamaged, StoreMismatch
from node.storage.kv import WriteBatch
from node.storage.level import LevelStore
from node.storage.memory import MemoryStore
from tests.unit.chain.chain_world import (
    LOOP,
    NOTARY,
    REFUSER,
    ChainWorld,
    make_document,
    make_key,
    note,
    sign,
)

ISSUER = make_key("issuer")


def test_logs_are_found_by_block_address_and_topic() -> None:
    world = ChainWorld()
    sender = sign(ISSUER).sender
    other = make_key("other issuer")
    for number in range(3):
        world.grow(
            [
                sign(ISSUER, nonce=number, to=NOTARY, data=note(number, 1)),
                sign(other, nonce=number, to=NOTARY, data=note(100 + number, 1)),
            ]
        )
    topic = Hash32(sender.rjust(32, b"\x00"))
    wanted = LogFilter(addresses=frozenset({NOTARY}), topics=(frozenset({topic}),))
    found = list(world.chain.get_logs(2, 3, wanted))
    assert [(item.block_number, item.transaction_index, item.log_index) for item in found] == [
        (2, 0, 0),
        (3, 0, 0),
    ]
    assert found[0].log.data == (1).to_bytes(32, "big")
    second_topic = LogFilter(topics=(frozenset(), frozenset({Hash32(note(100, 1)[:32])})))
    assert [item.log_index for item in world.chain.get_logs(0, 99, second_topic)] == [1]
    assert not list(world.chain.get_logs(0, 99, LogFilter(addresses=frozenset({LOOP}))))
    three = LogFilter(topics=(frozenset(), frozenset(), frozenset()))
    assert not list(world.chain.get_logs(0, 99, three))


def test_call_explains_a_revert_and_changes_nothing() -> None:
    world = ChainWorld()
    result = world.chain.call(CallRequest(to=REFUSER), world.chain.head, deadline=Deadline.never())
    assert result.error == "execution reverted: never"
    assert result.is_revert
    assert result.output[:4].hex() == "08c379a0"
    writing = CallRequest(to=NOTARY, data=note(4, 4))
    assert world.chain.call(writing, world.chain.head, deadline=Deadline.never()).error is None
    assert world.chain.state_at(world.chain.head).get_storage(NOTARY, 4) == 0
    too_little = replace(writing, gas=22_000)
    assert (
        world.chain.call(too_little, world.chain.head, deadline=Deadline.never()).error
        == "out of gas"
    )


def test_estimated_gas_suffices_and_is_close() -> None:
    world = ChainWorld()
    request = CallRequest(to=NOTARY, data=note(4, 4), sender=sign(ISSUER).sender)
    estimate = world.chain.estimate_gas(request, world.chain.head, deadline=Deadline.never())
    assert estimate.error is None
    imported = world.grow([sign(ISSUER, to=NOTARY, data=note(4, 4), gas=estimate.gas_used)])
    assert imported.receipts[0].status == 1
    assert imported.receipts[0].gas_used <= estimate.gas_used
    assert estimate.gas_used <= imported.receipts[0].gas_used * 66 // 64
    failing = world.chain.estimate_gas(
        CallRequest(to=REFUSER), world.chain.head, deadline=Deadline.never()
    )
    assert failing.error == "execution reverted: never"


def test_chain_is_the_same_after_closing_and_opening(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "chain")
    world = ChainWorld(store)
    for number in range(3):
        world.grow([sign(ISSUER, nonce=number, to=NOTARY, data=note(number, number + 1))])
    head, root = world.chain.head, world.chain.head.state_root
    store.close()
    again = ChainWorld(LevelStore(tmp_path / "chain"))
    assert again.chain.head == head
    assert again.chain.state_at(head).root == root
    assert again.chain.state_at(head).get_storage(NOTARY, 2) == 3
    again.grow([sign(ISSUER, nonce=3, to=NOTARY, data=note(9, 9))])
    again.store.close()


class Crash(BaseException):
    """What a test throws in place of SIGKILL."""


@pytest.mark.parametrize(("moment", "height"), [("before", 1), ("after", 2)])
def test_crash_around_the_write_leaves_a_whole_block_or_none(moment: str, height: int) -> None:
    from node.storage.crashpoints import CrashMoment

    def die() -> None:
        raise Crash

    # The first write is genesis, the third is block 2.
    plan = CrashPlan(number=3, kind="block", moment=CrashMoment(moment))
    store = MemoryStore(CrashPoints(plan, die=die))
    world = ChainWorld(store)
    world.grow([sign(ISSUER, nonce=0, to=NOTARY, data=note(1, 1))])
    with pytest.raises(Crash):
        world.grow([sign(ISSUER, nonce=1, to=NOTARY, data=note(2, 2))])
    again = ChainWorld(store)
    assert again.chain.head.number == height
    assert again.chain.state_at(again.chain.head).get_storage(NOTARY, 2) == (
        2 if height == 2 else 0
    )
    assert len(again.chain.get_receipts(height) or ()) == 1
    assert again.chain.get_receipts(height + 1) is None


def test_store_of_another_network_or_layout_is_refused() -> None:
    world = ChainWorld()
    with pytest.raises(StoreMismatch, match="belongs to the network"):
        ChainWorld(world.store, genesis=parse_genesis(make_document(timestamp="0x1")))
    batch = WriteBatch()
    batch.put(store_keys.VERSION_KEY, b"99")
    world.store.write(batch, kind="test")
    with pytest.raises(StoreMismatch, match="layout 99"):
        ChainWorld(world.store)


def test_store_whose_head_is_not_whole_is_named_damaged() -> None:
    world = ChainWorld()
    world.grow()
    batch = WriteBatch()
    batch.delete(store_keys.header_key(1))
    world.store.write(batch, kind="test")
    with pytest.raises(StoreDamaged, match="block 1"):
        ChainWorld(world.store)
