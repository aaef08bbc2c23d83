"""Block sync: complete, in order, from several peers, and never from a liar for long."""

import asyncio
from dataclasses import replace

import pytest

from consensus.block import Block, encode_block
from consensus.types import Height
from node.errors import OperationalFault
from node.network import Checkpoint, NetworkSettings
from node.network.block_window import BlockWindow
from node.network.frames import Blocks, GetBlocks, Goodbye, Status
from tests.unit.network.network_world import (
    FAST,
    UNSEALED,
    FakeChain,
    History,
    Node,
    World,
    change,
    connect,
    make_history,
    until,
)
from tests.unit.network.raw_peer import RawPeer, join_by_hand


@pytest.fixture(scope="module")
def history() -> History:
    return make_history(400)


def get_height(node: Node) -> int:
    return node.chain.head.number


async def test_new_node_gets_every_block_from_several_peers(world: World, history: History) -> None:
    peers = [await world.start(name, chain=FakeChain(history, 400)) for name in ("a", "b")]
    new = await world.start("new", settings=replace(FAST, max_blocks_per_request=16))
    await connect(*peers, new)
    await until(lambda: get_height(new) == 400)
    assert new.chain.blocks == peers[0].chain.blocks
    await until(lambda: [header.number for header in new.synced] == [400])
    served = [peer.network.metrics.get("blocks_served") for peer in peers]
    assert min(served) > 0, f"both serve: {served}"
    assert sum(served) >= 400
    assert {name.rpartition("_")[0] for name in new.chain.threads} == {"worker-new"}
    assert len(new.sync_started) == 1
    assert new.sync_started[0].target == 400
    numbers = [progress.current for progress in new.progress]
    assert numbers == sorted(numbers)
    assert new.progress[-1].current == 400
    assert new.network.sync_progress is None


async def test_sync_goes_on_from_the_head_after_a_restart(world: World, history: History) -> None:
    source = await world.start("source", chain=FakeChain(history, 300))
    chain = FakeChain(history, 0)
    chain.import_delay_s = 0.002
    new = await world.start("new", chain=chain)
    await connect(source, new)
    await until(lambda: get_height(new) > 20)
    await new.network.stop()
    stopped_at = get_height(new)
    assert stopped_at < 300
    again = await world.start("again", chain=chain, like=new)
    await until(lambda: get_height(again) == 300)
    assert again.sync_started[0].start == stopped_at


async def test_observer_follows_the_head_by_announcements(world: World, history: History) -> None:
    source = await world.start("source", chain=FakeChain(history, 0))
    observer = await world.start("observer", settings=replace(FAST, follow_grace_s=0))
    await connect(source, observer)
    for block in history.blocks[1:6]:
        source.chain.blocks.append(block)
        source.network.on_head(source.chain.head)
        await until(lambda: observer.chain.head == source.chain.head)
    await until(lambda: bool(observer.synced) and observer.synced[-1].number == 5)
    assert observer.sync_started == [], "following is not catching up"


async def test_block_that_consensus_brings_in_time_is_not_fetched(
    world: World, history: History
) -> None:
    source = await world.start("source", chain=FakeChain(history, 0))
    validator = await world.start("validator", settings=replace(FAST, follow_grace_s=0.3))
    await connect(source, validator)
    for node in (source, validator):
        node.chain.blocks.append(history.blocks[1])
        node.network.on_head(node.chain.head)
    await asyncio.sleep(0.5)
    assert source.network.metrics.get("blocks_served") == 0


async def serve(peer: RawPeer, blocks: list[Block] | None) -> None:
    """Answer every request with the given chain; None: never answer."""
    while (frame := await peer.read()) is not None:
        if isinstance(frame, GetBlocks) and blocks is not None:
            part = blocks[frame.start : frame.start + frame.count]
            answer = Blocks(request=frame.request, blocks=tuple(map(encode_block, part)))
            await peer.send(answer)


async def sync_beside_a_liar(
    world: World, history: History, lie: list[Block] | None, *, claimed: int = 100
) -> Node:
    """Let a node sync from an honest peer and from one that serves `lie`; return the node."""
    settings = replace(FAST, max_blocks_per_request=8, request_timeout_s=1.5)
    new = await world.start("new", settings=settings)
    _, liar = await join_by_hand(world, new, "liar", head=claimed)
    serving = asyncio.create_task(serve(liar, lie))
    await asyncio.sleep(0.05)  # the liar is asked first
    honest = await world.start("honest", chain=FakeChain(history, 100))
    await connect(honest, new)
    await until(lambda: get_height(new) == 100)
    assert new.chain.blocks == honest.chain.blocks
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert new.is_connected(honest)
    assert new.get_peer(honest).score == 0
    return new


async def test_peer_with_unsealed_blocks_is_dropped(world: World, history: History) -> None:
    # Seals are outside the block hash, so the links hold and only import notices.
    lie = [
        change(block, extra_data=UNSEALED) if block.header.number == 3 else block
        for block in history.blocks
    ]
    new = await sync_beside_a_liar(world, history, lie)
    await until(lambda: "its block 3 is bad: seals" in "".join(new.left))
    assert new.network.metrics.get("bad_blocks") == 1


async def test_peer_with_blocks_that_do_not_link_is_dropped(world: World, history: History) -> None:
    lie = [
        change(block, timestamp=1) if block.header.number == 3 else block
        for block in history.blocks
    ]
    new = await sync_beside_a_liar(world, history, lie)
    assert "block 4 does not follow the one before it" in "".join(new.left)


async def test_peer_with_another_history_is_dropped(world: World, history: History) -> None:
    fork = make_history(100, fork_at=1)
    lie = [change(block, extra_data=UNSEALED) for block in fork.blocks]
    new = await sync_beside_a_liar(world, history, lie)
    await until(lambda: "its block 1 is bad" in "".join(new.left))


async def test_peer_with_wrong_numbers_is_dropped(world: World, history: History) -> None:
    new = await sync_beside_a_liar(world, history, [*history.blocks[1:]])
    assert "block 2 in the place of 1" in "".join(new.left)


async def test_peer_that_never_answers_costs_a_timeout_only(world: World, history: History) -> None:
    new = await sync_beside_a_liar(world, history, None, claimed=10**9)
    assert new.network.metrics.get("sync_timeouts") >= 1
    await until(lambda: bool(new.synced), "a head that is only claimed does not keep it syncing")
    assert new.network.sync_progress is None
    await until(lambda: new.network.best_height == 100)


async def test_peer_that_announces_more_than_it_has_is_not_believed(
    world: World, history: History
) -> None:
    new = await sync_beside_a_liar(world, history, list(history.blocks[:1]), claimed=10**9)
    await until(lambda: new.network.best_height == 100)


async def test_more_blocks_than_asked_for_and_undecodable_ones_drop_the_peer(
    world: World,
) -> None:
    for number, blocks in enumerate(((b"",) * 100, (b"not a block",))):
        node = await world.start(f"node{number}")
        _, peer = await join_by_hand(world, node, f"raw{number}", head=5)
        request = await peer.read_until(GetBlocks)
        await peer.send(Blocks(request=request.request, blocks=blocks))
        last = (await peer.read_to_end())[-1]
        assert isinstance(last, Goodbye)
        assert "its answer with blocks is wrong" in last.reason


async def test_blocks_that_nobody_asked_for_end_in_a_drop(world: World) -> None:
    node = await world.start("node")
    _, peer = await join_by_hand(world, node)
    await peer.send(*[Blocks(request=number, blocks=()) for number in range(60)])
    last = (await peer.read_to_end())[-1]
    assert isinstance(last, Goodbye)
    assert "nobody asked for" in last.reason


async def test_requests_are_bounded_in_blocks_bytes_and_number(
    world: World, history: History
) -> None:
    settings = replace(FAST, max_blocks_per_request=10, max_blocks_bytes=2000)
    server = await world.start("server", chain=FakeChain(history, 100), settings=settings)
    _, peer = await join_by_hand(world, server, head=100)
    size = len(encode_block(history.blocks[1]))
    await peer.send(GetBlocks(request=1, start=1, count=1_000_000))
    answer = await peer.read_until(Blocks)
    assert len(answer.blocks) == 2000 // size
    assert list(answer.blocks) == [
        encode_block(block) for block in history.blocks[1 : 1 + len(answer.blocks)]
    ]
    await peer.send(GetBlocks(request=2, start=101, count=5))
    assert (await peer.read_until(Blocks)).blocks == ()
    await peer.send(*[GetBlocks(request=n, start=1, count=1) for n in range(200)])
    last = (await peer.read_to_end())[-1]
    assert isinstance(last, Goodbye)
    assert "more blocks than it may" in last.reason


async def test_fault_of_our_own_is_reported_and_blames_no_peer(
    world: World, history: History
) -> None:
    source = await world.start("source", chain=FakeChain(history, 10))
    chain = FakeChain(history, 0)
    chain.fault = OperationalFault("the disk is full")
    new = await world.start("new", chain=chain)
    await connect(source, new)
    await until(lambda: bool(new.faults))
    assert new.faults[0] is chain.fault
    assert new.is_connected(source)
    assert new.get_peer(source).score == 0


async def test_history_without_the_invites_checkpoint_is_refused(
    world: World, history: History
) -> None:
    fork = make_history(50, fork_at=20)
    checkpoint = Checkpoint(number=Height(30), block_hash=history.get_hash(30))
    settings: NetworkSettings = replace(FAST, checkpoint=checkpoint)
    forger = await world.start("forger", chain=FakeChain(fork, 50))
    new = await world.start("new", settings=settings)
    await connect(forger, new)
    await until(lambda: bool(new.left))
    assert "block 30 is not 0x" in new.left[0]
    assert get_height(new) == 29
    stuck = await world.start("stuck", chain=FakeChain(fork, 50), settings=settings)
    await until(lambda: bool(stuck.faults))
    assert "empty data folder" in str(stuck.faults[0])


async def test_true_history_passes_the_checkpoint(world: World, history: History) -> None:
    checkpoint = Checkpoint(number=Height(30), block_hash=history.get_hash(30))
    source = await world.start("source", chain=FakeChain(history, 50))
    new = await world.start("new", settings=replace(FAST, checkpoint=checkpoint))
    await connect(source, new)
    await until(lambda: get_height(new) == 50)


async def test_peer_that_leaves_gives_its_range_back_at_once(
    world: World, history: History
) -> None:
    settings = replace(FAST, request_timeout_s=60, max_blocks_per_request=8)
    new = await world.start("new", settings=settings)
    _, silent = await join_by_hand(world, new, "silent", head=100)
    await silent.read_until(GetBlocks)
    honest = await world.start("honest", chain=FakeChain(history, 100))
    await connect(honest, new)
    silent.close()
    await until(lambda: get_height(new) == 100)


async def test_head_announced_by_status_is_what_peers_show(world: World) -> None:
    node = await world.start("node", settings=replace(FAST, follow_grace_s=30))
    raw, peer = await join_by_hand(world, node)
    await peer.send(Status(number=1, block_hash=b"\x05" * 32))
    await until(lambda: node.get_peer(raw).head_number == 1)
    assert node.get_peer(raw).head_hash == b"\x05" * 32
    assert node.network.best_height == 1


def test_window_hands_out_each_range_once_and_again_after_a_failure(history: History) -> None:
    window = BlockWindow(Height(1), ahead=20)
    window.advance(Height(0), Height(100))
    assert [window.take_range(Height(100), 8) for _ in range(4)] == [(1, 8), (9, 8), (17, 4), None]
    window.put(Height(9), 8, (), "a")
    assert window.take_range(Height(12), 8) == (9, 4)
    window.put(Height(1), 8, history.blocks[1:9], "b")
    assert window.get_next() == (history.blocks[1], "b")
    window.advance(Height(1), Height(100))
    assert window.get_next() == (history.blocks[2], "b")
    window.reject("b")
    assert window.get_next() is None
    assert window.take_range(Height(100), 8) == (2, 7)
