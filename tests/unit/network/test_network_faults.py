"""Nodes behind a network that fails: partitions, lost machines, slow lines, flipped bits."""

import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from node.keys import create_tls_identity, renew_tls_certificate
from node.network import NetworkSettings, PeerAddress, TrustedPeer
from tests.unit.network.faulty_net import FaultyNet, Link
from tests.unit.network.network_world import (
    FAST,
    FakeChain,
    Node,
    World,
    make_history,
    until,
)


@pytest_asyncio.fixture
async def net(seed: int) -> AsyncIterator[FaultyNet]:
    faulty = FaultyNet(rng=random.Random(seed))
    yield faulty
    await faulty.close()


async def start(
    world: World,
    net: FaultyNet,
    *names: str,
    settings: NetworkSettings = FAST,
    chains: dict[str, FakeChain] | None = None,
) -> list[Node]:
    """Start nodes that are reached through proxies only and trust each other."""
    nodes: list[Node] = []
    doors: list[PeerAddress] = []
    for name in names:
        door = await net.open_proxy()
        chain = (chains or {}).get(name)
        node = await world.start(name, chain=chain, settings=replace(settings, advertised=door))
        net.connect_to(door, node)
        nodes.append(node)
        doors.append(door)
    for node in nodes:
        for other, door in zip(nodes, doors, strict=True):
            if node is not other:
                node.directory.trusted[other.tls.pin] = TrustedPeer(
                    pin=other.tls.pin,
                    label=other.name,
                    signers=frozenset((other.signer.address,)),
                    addresses=(door,),
                )
        node.network.refresh_directory()
    await until(lambda: are_settled(nodes), "all connect")
    return nodes


def are_connected(left: list[Node], right: list[Node]) -> bool:
    return all(one.is_connected(two) for one in left for two in right if one is not two)


def are_settled(nodes: list[Node]) -> bool:
    """Tell whether all are connected, each pair by one connection."""
    return are_connected(nodes, nodes) and all(
        one.get_peer(two).outbound != two.get_peer(one).outbound
        for one, two in itertools.combinations(nodes, 2)
    )


def are_apart(left: list[Node], right: list[Node]) -> bool:
    return not any(one.is_connected(two) or two.is_connected(one) for one in left for two in right)


async def test_partition_is_noticed_and_heals_by_itself(world: World, net: FaultyNet) -> None:
    nodes = await start(world, net, "a", "b", "c", "d")
    left, right = nodes[:2], nodes[2:]
    net.partition(left, right)
    await until(lambda: are_apart(left, right), "both sides notice")
    assert are_connected(left, left)
    assert are_connected(right, right)
    nodes[0].network.gossip_transactions([b"\x02during the partition"])
    nodes[0].pending.append(b"\x02during the partition")
    await until(lambda: bool(nodes[1].transactions))
    assert not nodes[2].transactions
    net.partition(left, right, swallow=False)
    await until(lambda: are_connected(nodes, nodes), "the halves find each other again")
    await until(lambda: all(node.transactions for node in nodes[1:]), "what waits is passed on")
    nodes[3].network.broadcast_consensus(0x13, b"after the partition")
    await until(lambda: all((0x13, b"after the partition") in n.consensus for n in nodes[:3]))
    assert all(peer.score == 0 for node in nodes for peer in node.network.peers())


async def test_message_goes_round_a_link_that_swallows(world: World, net: FaultyNet) -> None:
    a, b, c = await start(world, net, "a", "b", "c", settings=replace(FAST, silence_s=60))
    net.partition([a], [c])
    small, large = (0x13, b"vote"), (0x12, bytes(100_000))
    a.network.broadcast_consensus(*small)
    a.network.broadcast_consensus(*large)
    # To a the connection to c still looks alive, and b has reason to think that c has it all.
    await until(lambda: sorted(c.consensus) == [large, small], "b passes on what c lacks")
    assert a.is_connected(c)
    assert b.is_connected(c)


async def test_flipped_bit_costs_a_connection_and_nobodys_reputation(
    world: World, net: FaultyNet
) -> None:
    a, b = await start(world, net, "a", "b")
    for number in range(4):
        before = len(a.left) + len(b.left)
        link = net.get_link(a, b)
        a.network.broadcast_consensus(0x13, b"%d" % number)

        def is_lost(link: Link = link, before: int = before) -> bool:
            link.flip_after = 0  # again: the last one may have hit a connection that was replaced
            return len(a.left) + len(b.left) > before

        await until(is_lost, "a connection is lost")
        link.flip_after = None
        await until(lambda: are_settled([a, b]), "they are connected again")
    assert a.network.metrics.get("peer_faults") == b.network.metrics.get("peer_faults") == 0
    b.network.broadcast_consensus(0x14, b"whole again")
    await until(lambda: (0x14, b"whole again") in a.consensus)


async def test_sync_over_a_link_that_is_cut_again_and_again_completes(
    world: World, net: FaultyNet
) -> None:
    history = make_history(200)
    chain = FakeChain(history, 0)
    chain.import_delay_s = 0.002
    chains = {"source": FakeChain(history, 200), "new": chain}
    settings = replace(FAST, max_blocks_per_request=8)
    source, new = await start(world, net, "source", "new", settings=settings, chains=chains)
    cuts = 0
    while (reached := chain.head.number) < 80:

        def goes_on(reached: int = reached) -> bool:
            return chain.head.number > reached

        await until(goes_on, "it takes blocks between two cuts")
        net.cut(source, new)
        cuts += 1
    await until(lambda: chain.head.number == 200, "it has all blocks")
    assert cuts >= 1
    assert chain.blocks == list(history.blocks)
    assert new.network.metrics.get("peer_faults") == 0


async def test_votes_pass_a_slow_link_while_blocks_crawl(world: World, net: FaultyNet) -> None:
    history = make_history(200)
    chains = {"source": FakeChain(history, 0), "new": FakeChain(history, 0)}
    settings = replace(FAST, max_blocks_bytes=16 * 1024, request_timeout_s=30, silence_s=10)
    source, new = await start(world, net, "source", "new", settings=settings, chains=chains)
    net.get_link(source, new).bytes_per_s = 60_000
    source.chain.blocks.extend(history.blocks[1:])
    source.network.on_head(source.chain.head)
    await until(lambda: new.chain.head.number > 0, "the first blocks have come")
    source.network.broadcast_consensus(0x13, b"vote")
    await until(lambda: new.consensus == [(0x13, b"vote")])
    assert new.chain.head.number < 200, "the vote did not wait for the blocks"
    net.get_link(source, new).bytes_per_s = None
    await until(lambda: new.chain.head.number == 200)


async def test_renewed_certificate_is_accepted_and_a_new_key_only_with_its_pin(
    world: World, net: FaultyNet
) -> None:
    a, b = await start(world, net, "a", "b")
    port = b.network.listen_address.port
    await b.network.stop()
    renewed = renew_tls_certificate(b.tls.key_file, b.tls.certificate_file)
    assert renewed.certificate != b.tls.certificate
    b.tls = renewed
    again = await world.start("again", like=b, settings=replace(FAST, port=port))
    await until(lambda: a.is_connected(b) and again.is_connected(a), "same key, same pin")

    await again.network.stop()
    await until(lambda: not a.is_connected(b))
    folder = world.folder
    b.tls = create_tls_identity(folder / "new.key", folder / "new.crt")
    rotated = await world.start("rotated", like=b, settings=replace(FAST, port=port))
    await until(lambda: rotated.network.metrics.get("dial_failures") > 0)
    assert not a.network.peers(), "nobody knows the new pin yet"
    a.directory.trusted[b.tls.pin] = TrustedPeer(
        pin=b.tls.pin, label="b", signers=frozenset((b.signer.address,))
    )
    a.network.refresh_directory()
    await until(lambda: a.is_connected(b) and rotated.is_connected(a), "now it is admitted")
