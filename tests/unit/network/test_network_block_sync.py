"""Block sync against scripted peers, without sockets: one run, several peers, exact blame."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from consensus.block import Block, encode_block
from consensus.types import Hash32, Height
from node.chain.errors import TooEarly
from node.network import NetworkHandlers
from node.network.frames import Blocks, Frame, GetBlocks
from node.network.metrics import NetworkMetrics
from node.network.queues import Priority
from node.network.score import Offence
from node.network.sync import BlockSync
from tests.unit.network.network_world import (
    FAST,
    UNSEALED,
    FakeChain,
    History,
    change,
    make_history,
    until,
)

HEIGHT = Height(40)
NO_HASH = Hash32(bytes(32))


@dataclass(slots=True)
class ScriptedPeer:
    """Answers each request with what `serve` returns for it; None: not at all."""

    peer_id: str
    serve: Callable[[GetBlocks], tuple[Block, ...] | None]
    head_number: Height = HEIGHT
    head_hash: Hash32 = NO_HASH
    offences: list[tuple[Offence, str]] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    sync: BlockSync | None = None
    others: list["ScriptedPeer"] = field(default_factory=list)

    def send(self, frame: Frame, priority: Priority) -> bool:
        assert isinstance(frame, GetBlocks)
        assert self.sync is not None
        self.asked.append((frame.start, frame.count))
        blocks = self.serve(frame)
        if blocks is not None:
            answer = Blocks(request=frame.request, blocks=tuple(map(encode_block, blocks)))
            asyncio.get_running_loop().call_soon(self.sync.process_blocks, self, answer)
        return True

    def charge(self, offence: Offence, reason: str) -> None:
        self.offences.append((offence, reason))
        if offence in {Offence.BAD_BLOCK, Offence.MALFORMED} and self in self.others:
            self.others.remove(self)  # as the network drops it


@dataclass(slots=True)
class SyncWorld:
    """A sync with its chain and everything it reported."""

    sync: BlockSync
    chain: FakeChain
    peers: list[ScriptedPeer]
    synced: list[int]
    faults: list[Exception]
    running: asyncio.Task[None]


@pytest.fixture(scope="module")
def history() -> History:
    return make_history(HEIGHT)


def start(
    chain: FakeChain,
    *peers: ScriptedPeer,
    import_block: Callable[[Block], object] | None = None,
) -> SyncWorld:
    synced: list[int] = []
    faults: list[Exception] = []
    present = list(peers)

    async def run_in_worker(work: Callable[[Block], object], block: Block) -> object:
        await asyncio.sleep(0)
        return (import_block or work)(block)

    sync = BlockSync(
        settings=replace(FAST, request_timeout_s=0.2, max_blocks_per_request=8),
        chain=chain,
        handlers=NetworkHandlers(
            on_synced=lambda header: synced.append(header.number), on_fault=faults.append
        ),
        metrics=NetworkMetrics(),
        clock=time.monotonic,
        get_peers=lambda: present,
        run_in_worker=run_in_worker,
    )
    for peer in peers:
        peer.sync, peer.others = sync, present
    running = asyncio.create_task(sync.run())
    sync.wake()
    return SyncWorld(
        sync=sync, chain=chain, peers=present, synced=synced, faults=faults, running=running
    )


async def stop(world: SyncWorld) -> None:
    world.running.cancel()
    await asyncio.gather(world.running, return_exceptions=True)


def serve_from(blocks: tuple[Block, ...]) -> Callable[[GetBlocks], tuple[Block, ...]]:
    return lambda request: blocks[request.start : request.start + request.count]


async def test_bad_block_is_fetched_again_from_another_peer_in_the_same_run(
    history: History,
) -> None:
    lie = tuple(
        change(block, extra_data=UNSEALED) if block.header.number == 3 else block
        for block in history.blocks
    )
    liar = ScriptedPeer("liar", serve_from(lie))

    honest = ScriptedPeer("honest", serve_from(history.blocks))
    world = start(FakeChain(history, 0), liar, honest)  # asked in this order
    await until(lambda: world.synced == [HEIGHT])
    assert [offence for offence, _ in liar.offences] == [Offence.BAD_BLOCK]
    assert "its block 3 is bad: seals" in liar.offences[0][1]
    assert liar.asked[0] == (1, 8)
    assert honest.asked[0] == (9, 8)
    assert (3, 6) in honest.asked, "what the liar gave after the bad block is not used either"
    assert honest.offences == []
    assert world.chain.blocks == list(history.blocks)
    await stop(world)


async def test_sealed_block_ahead_of_our_clock_waits_and_blames_nobody(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.network.sync._EARLY_PAUSE_S", 0.01)
    chain = FakeChain(history, 0)
    tries: list[int] = []

    def import_block(block: Block) -> object:
        tries.append(block.header.number)
        if block.header.number == 2 and tries.count(2) < 4:
            raise TooEarly("timestamp: is ahead of our clock")
        return chain.import_block(block)

    peer = ScriptedPeer("peer", serve_from(history.blocks))
    world = start(chain, peer, import_block=import_block)
    await until(lambda: world.synced == [HEIGHT])
    assert tries[:6] == [1, 2, 2, 2, 2, 3]
    assert peer.offences == []
    assert world.faults == []
    assert len(peer.asked) == len(set(peer.asked)), "the block that waits is not fetched again"
    await stop(world)


async def test_head_that_is_claimed_and_not_served_is_believed_no_further(
    history: History,
) -> None:
    # Not so far ahead that it may have started from a snapshot (see test_network_sync_young).
    empty = ScriptedPeer("empty", lambda _request: (), head_number=Height(HEIGHT + 10))
    silent = ScriptedPeer("silent", lambda _request: None, head_number=Height(10**9))
    honest = ScriptedPeer("honest", serve_from(history.blocks))
    world = start(FakeChain(history, 0), empty, silent, honest)
    await until(lambda: bool(world.synced))
    assert world.synced == [HEIGHT]
    assert (world.sync.best_height, world.sync.progress) == (HEIGHT, None)
    assert {offence for offence, _ in empty.offences} == {Offence.USELESS}
    assert {offence for offence, _ in silent.offences} == {Offence.LATE}
    assert honest.offences == []
    assert len(empty.asked) == len(empty.offences), "one charge for one failure"
    await stop(world)


async def test_slow_peer_is_asked_for_less_and_a_fast_one_for_more(history: History) -> None:
    slow = ScriptedPeer(
        "slow",
        lambda request: serve_from(history.blocks)(request) if request.count <= 2 else None,
    )
    world = start(FakeChain(history, 0), slow)
    while len(slow.asked) < 4:
        slow.head_number = HEIGHT  # it announces its next head
        world.sync.wake()
        await asyncio.sleep(0.05)
    assert [count for _, count in slow.asked[:4]] == [8, 2, 4, 1]
    await stop(world)


async def test_bug_found_by_one_peers_block_is_that_peers_and_by_two_peers_ours(
    history: History,
) -> None:
    chain = FakeChain(history, 0)
    senders: list[int] = []

    def fail_at_two(block: Block) -> object:
        if block.header.number == 2:
            senders.append(1)
            raise ZeroDivisionError
        return chain.import_block(block)

    peers = [ScriptedPeer(name, serve_from(history.blocks)) for name in ("a", "b")]
    world = start(chain, *peers, import_block=fail_at_two)
    await until(lambda: bool(world.faults))
    assert isinstance(world.faults[0], ZeroDivisionError)
    assert len(senders) == 2
    blamed = [peer for peer in peers if peer.offences]
    assert len(blamed) == 1
    assert "cannot be imported: ZeroDivisionError" in blamed[0].offences[0][1]
    await stop(world)
