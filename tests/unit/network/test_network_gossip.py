"""Consensus messages and transactions reach everyone, once, even across a sparse mesh."""

import asyncio
import itertools
from dataclasses import replace

from eth_hash.auto import keccak

from node.network.frames import Consensus, Offer, Topic, Transactions, Want
from node.network.gossip import compute_consensus_key
from tests.unit.network.network_world import FAST, Node, World, connect, until
from tests.unit.network.raw_peer import join_by_hand


async def start_line(world: World, *names: str) -> list[Node]:
    """Start nodes of which each trusts its neighbours only: a line."""
    nodes = [await world.start(name) for name in names]
    for left, right in itertools.pairwise(nodes):
        await connect(left, right)
    return nodes


async def test_consensus_message_reaches_everyone_once_in_a_full_mesh(world: World) -> None:
    nodes = await world.start_connected("a", "b", "c", "d")
    for number in range(20):
        nodes[0].network.broadcast_consensus(0x13, b"vote %d" % number)
    expected = [(0x13, b"vote %d" % number) for number in range(20)]
    await until(lambda: all(sorted(node.consensus) == sorted(expected) for node in nodes[1:]))
    await asyncio.sleep(0.2)
    assert all(sorted(node.consensus) == sorted(expected) for node in nodes[1:])
    assert nodes[0].consensus == [], "the author does not hear itself"


async def test_small_and_large_consensus_messages_cross_a_line_of_nodes(world: World) -> None:
    nodes = await start_line(world, "a", "b", "c", "d")
    small, large = (0x14, b"commit"), (0x12, bytes(300_000))
    nodes[0].network.broadcast_consensus(*small)
    nodes[0].network.broadcast_consensus(*large)
    await until(lambda: all(sorted(node.consensus) == [large, small] for node in nodes[1:]))
    assert nodes[3].network.metrics.get("offers") >= 1, "a large one is offered, not flooded"


async def test_large_message_is_not_sent_twice_in_a_full_mesh(world: World) -> None:
    nodes = await world.start_connected("a", "b", "c")
    large = (0x12, bytes(500_000))
    nodes[0].network.broadcast_consensus(*large)
    await until(lambda: all(node.consensus == [large] for node in nodes[1:]))
    await asyncio.sleep(0.2)
    assert nodes[1].network.metrics.get("bytes_sent") < 100_000
    assert nodes[1].network.metrics.get("wants") == 0


async def test_broadcast_repeated_by_its_author_is_delivered_again(world: World) -> None:
    a, b, c = await start_line(world, "a", "b", "c")
    for _ in range(3):
        a.network.broadcast_consensus(0x15, b"same bytes")
    await until(lambda: len(b.consensus) == len(c.consensus) == 3)


async def test_message_that_is_not_worth_it_is_not_passed_on(world: World) -> None:
    a, b, c = await start_line(world, "a", "b", "c")
    b.relay = False
    a.network.broadcast_consensus(0x13, b"of a stranger")
    await until(lambda: len(b.consensus) == 1)
    await asyncio.sleep(0.2)
    assert c.consensus == []


async def test_copies_with_one_stamp_are_delivered_once(world: World) -> None:
    server = await world.start("server")
    _, peer = await join_by_hand(world, server)
    frame = Consensus(stamp=b"12345678", code=0x13, payload=b"copy")
    await peer.send(*[frame] * 50)
    await peer.send(replace(frame, payload=b"other bytes under the same stamp"))
    await until(lambda: len(server.consensus) == 2)
    await until(lambda: server.network.metrics.get("consensus_repeated") == 49)
    assert compute_consensus_key(frame) != compute_consensus_key(replace(frame, code=0x14))


async def test_transactions_reach_everyone_and_are_handed_over_once(world: World) -> None:
    nodes = await world.start_connected("a", "b", "c", "d")
    raws = [b"\x02transaction %d" % number for number in range(300)]
    for start in range(0, 300, 50):
        nodes[0].network.gossip_transactions(raws[start : start + 50])
    await until(lambda: all(len(node.transactions) >= 300 for node in nodes[1:]))
    await asyncio.sleep(0.2)
    assert all(node.transactions == raws for node in nodes[1:]), "in order, each once"
    assert nodes[0].transactions == []


async def test_transactions_cross_a_line_of_nodes(world: World) -> None:
    nodes = await start_line(world, "a", "b", "c", "d")
    raws = [b"\x02transaction %d" % number for number in range(30)]
    nodes[0].network.gossip_transactions(raws)
    await until(lambda: all(sorted(node.transactions) == sorted(raws) for node in nodes[1:]))


async def test_waiting_transactions_are_offered_to_a_peer_that_joins(world: World) -> None:
    a, b = await world.start("a"), await world.start("b")
    a.pending = [b"\x02waiting %d" % number for number in range(40)]
    await connect(a, b)
    await until(lambda: sorted(b.transactions) == sorted(a.pending))


async def test_wanted_transaction_comes_from_the_mempool_when_the_cache_forgot_it(
    world: World,
) -> None:
    server = await world.start("server", settings=replace(FAST, max_cache_bytes=10))
    _, peer = await join_by_hand(world, server)
    server.pending = [b"\x02too large for the cache"]
    key = keccak(server.pending[0])
    await peer.send(Want(topic=Topic.TRANSACTION, keys=(key, b"\0" * 32)))
    frame = await peer.read_until(Transactions)
    assert frame.raws == tuple(server.pending)


async def test_offered_transaction_is_asked_for_once_and_again_if_it_does_not_come(
    world: World,
) -> None:
    server = await world.start("server")
    _, peer = await join_by_hand(world, server)
    raw = b"\x02offered"
    offer = Offer(topic=Topic.TRANSACTION, keys=(keccak(raw),))
    await peer.send(offer, offer)
    assert (await peer.read_until(Want)).keys == offer.keys
    assert (await peer.read_until(Want)).keys == offer.keys, "the first answer was lost"
    await peer.send(Transactions(raws=(raw,)))
    await until(lambda: server.transactions == [raw])


async def test_relayed_transaction_is_offered_and_own_one_is_pushed(world: World) -> None:
    server, source = await world.start_connected("server", "source")
    _, peer = await join_by_hand(world, server)
    server.network.gossip_transactions([b"\x02own"])
    assert (await peer.read_until(Transactions)).raws == (b"\x02own",)
    source.network.gossip_transactions([b"\x02relayed"])
    offer = await peer.read_until(Offer)
    assert offer.keys == (keccak(b"\x02relayed"),)
    await peer.send(Want(topic=Topic.TRANSACTION, keys=offer.keys))
    assert (await peer.read_until(Transactions)).raws == (b"\x02relayed",)


async def test_peer_that_joins_gets_the_latest_messages_of_its_peers(world: World) -> None:
    a, b = await world.start("a"), await world.start("b")
    for number in range(20):
        a.network.broadcast_consensus(0x13, b"%d" % number)
    await connect(a, b)
    await until(lambda: len(b.consensus) == 16)
    assert b.consensus == [(0x13, b"%d" % number) for number in range(4, 20)]
