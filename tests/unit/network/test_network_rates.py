"""A flood of votes ends with the connection that brings it, and with no other."""

import os
import random

from eth_typing import Address
from hypothesis import given
from hypothesis import strategies as st

from node.network import NetworkHandlers
from node.network.frames import Consensus, Frame, Offer, Topic, Transactions, Want
from node.network.peer import _weigh
from node.network.rates import PeerBudget, RelayBudget
from tests.unit.network.network_world import World, connect, until
from tests.unit.network.raw_peer import join_by_hand

HONEST_PER_S = 18
"""Messages of an honest validator at four blocks a second, with its repetitions."""


def make_vote(number: int) -> Consensus:
    return Consensus(stamp=os.urandom(8), code=0x14, payload=b"vote %d" % number)


@given(st.integers(2, 64), st.randoms())
def test_peer_that_passes_on_for_all_authors_stays_within_its_budget(
    nodes: int, chance: random.Random
) -> None:
    budget, now_s = PeerBudget(0.0), 0.0
    for _ in range(20):
        now_s += 0.25 + chance.random() / 100
        brought = HONEST_PER_S * nodes // 4
        assert all(budget.take(nodes - 1, now_s) for _ in range(brought))


@given(st.lists(st.floats(0, 0.2), min_size=50, max_size=200), st.integers(2, 20))
def test_relays_of_floods_by_all_authors_stay_within_the_budget_of_a_peer(
    gaps: list[float], nodes: int
) -> None:
    """Whatever arrives, what one node passes on is never charged to it by the next."""
    relays, budget, now_s = RelayBudget(), PeerBudget(0.0), 0.0
    authors = [Address(bytes([number]) * 20) for number in range(nodes)]
    for gap_s in [5.0, *gaps]:
        now_s += gap_s
        for author in authors:
            for is_direct in (True, False):
                for _ in range(8):
                    if relays.take(author, is_direct=is_direct, now_s=now_s):
                        assert budget.take(nodes - 1, now_s)


def test_relays_for_one_author_leave_the_others_theirs() -> None:
    relays = RelayBudget()
    loud, quiet = Address(b"l" * 20), Address(b"q" * 20)
    passed = [relays.take(loud, is_direct=False, now_s=0.0) for _ in range(1_000)]
    assert 0 < sum(passed) < 200
    assert relays.take(loud, is_direct=True, now_s=0.0), "what it brings itself counts apart"
    assert relays.take(quiet, is_direct=False, now_s=0.0)
    for number in range(5_000):  # who was quiet longest is forgotten, so memory is bounded
        relays.take(Address(number.to_bytes(20, "big")), is_direct=True, now_s=0.0)
    assert len(relays._buckets) <= 1024


async def test_flood_of_votes_is_not_passed_on_and_ends_with_the_connection(world: World) -> None:
    server, honest, third = await world.start_connected("server", "honest", "third")
    rogue, peer = await join_by_hand(world, server)
    await peer.send(*(make_vote(number) for number in range(4_000)))
    await until(lambda: not server.is_connected(rogue), "the flood is over")
    assert "floods this node with consensus messages" in server.left[-1]
    assert len(server.consensus) < 2_000, "beyond the rate nothing is decoded"
    assert len(honest.consensus) < 300, "and little of the rest is passed on"
    honest.network.broadcast_consensus(0x13, b"a vote that counts")
    for node in (server, third):
        await until(lambda node=node: (0x13, b"a vote that counts") in node.consensus)  # type: ignore[misc]
    for node in (server, honest, third):
        assert all(peer.score == 0 for peer in node.network.peers())
    assert honest.network.metrics.get("peer_faults") == 0


async def test_message_refused_from_a_flooding_peer_is_taken_from_another(world: World) -> None:
    server, honest = await world.start_connected("server", "honest")
    _, peer = await join_by_hand(world, server)
    votes = [make_vote(number) for number in range(1_000)]
    await peer.send(*votes)
    await until(lambda: server.network.metrics.get("consensus_refused") > 0)
    last = votes[-1]
    assert (last.code, last.payload) not in server.consensus
    honest.network._gossip._spread(last, b"k" * 32, whole=True)
    await until(lambda: (last.code, last.payload) in server.consensus, "the honest one is heard")


async def test_wants_for_what_is_unknown_search_the_pool_only_so_often(world: World) -> None:
    server = await world.start("server")
    raw, peer = await join_by_hand(world, server)
    searches = 0

    def get_pending() -> list[bytes]:
        nonlocal searches
        searches += 1
        return []

    server.network._gossip._handlers = NetworkHandlers(get_pending_transactions=get_pending)
    for _ in range(200):
        await peer.send(Want(topic=Topic.TRANSACTION, keys=(os.urandom(32),)))
    await until(lambda: server.network.metrics.get("wants") == 200)
    assert 0 < searches <= 25
    assert server.is_connected(raw)
    other = await world.start("other")
    await connect(server, other)


def test_frame_weighs_as_much_as_the_work_in_it() -> None:
    frames: list[tuple[Frame, float]] = [
        (Offer(topic=Topic.TRANSACTION, keys=(bytes(32),) * 4096), 65),
        (Want(topic=Topic.TRANSACTION, keys=()), 1),
        (Transactions(raws=(b"raw",) * 800), 101),
        (make_vote(1), 1),
    ]
    assert [_weigh(frame) for frame, _ in frames] == [weight for _, weight in frames]
