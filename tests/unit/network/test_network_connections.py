"""What happens on an admitted connection: order, misbehaviour, silence, loss and return."""

import asyncio
from dataclasses import replace

import pytest
from eth_typing import Address
from structlog.testing import capture_logs

from consensus.errors import MalformedEncoding
from node.errors import PeerFault
from node.network import NetworkHandlers
from node.network.frames import (
    Blocks,
    Consensus,
    Frame,
    Goodbye,
    Hello,
    Offer,
    Ping,
    Pong,
    Status,
    Topic,
    Transactions,
)
from node.network.queues import Priority
from node.network.tap import read_tap
from tests.unit.network.network_world import (
    AUTHOR,
    CHAIN_ID,
    FAST,
    GENESIS_HASH,
    World,
    connect,
    until,
)
from tests.unit.network.raw_peer import join_by_hand


def make_consensus(payload: bytes, stamp: int = 0, code: int = 0x13) -> Consensus:
    return Consensus(stamp=stamp.to_bytes(8, "big"), code=code, payload=payload)


HELLO = Hello(
    version=1,
    chain_id=CHAIN_ID,
    genesis_hash=GENESIS_HASH,
    nonce=bytes(32),
    instance=bytes(16),
    client="",
    host="",
    port=0,
    head_number=0,
    head_hash=bytes(32),
)


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"\x00\x00\x00\x05hello", "not a"),
        (b"\x00\x00\x00\x02\x91\x63", "unknown kind 99"),
        (b"\x7f\xff\xff\xff", "exceeds the limit"),
        (b"\x00\x80\x00\x01", "8388609 bytes exceeds the limit of 8388608"),
    ],
)
async def test_garbage_or_oversize_frame_drops_the_peer(
    world: World, wire: bytes, reason: str
) -> None:
    server = await world.start("server")
    raw, peer = await join_by_hand(world, server)
    with capture_logs() as logs:
        await peer.send_bytes(wire)
        frames = await peer.read_to_end()
        await until(lambda: not server.is_connected(raw))
    assert isinstance(frames[-1], Goodbye)
    assert reason in frames[-1].reason
    dropped = next(entry for entry in logs if entry["event"] == "peer dropped")
    assert reason in str(dropped["reason"])
    assert server.network.metrics.get("peer_faults") == 1
    with pytest.raises(Exception, match="dropped this node for misbehaviour"):
        await join_by_hand(world, server)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (make_consensus(b"x", code=0x11), "unknown consensus code 17"),
        (HELLO, "Hello after the handshake"),
    ],
)
async def test_frame_out_of_place_drops_the_peer(world: World, frame: Frame, reason: str) -> None:
    server = await world.start("server")
    _, peer = await join_by_hand(world, server)
    await peer.send(frame)
    last = (await peer.read_to_end())[-1]
    assert isinstance(last, Goodbye)
    assert reason in last.reason


async def test_flood_of_valid_frames_drops_the_peer_and_spares_the_honest(world: World) -> None:
    server, honest = await world.start_connected("server", "honest")
    raw, peer = await join_by_hand(world, server)
    flood = [Status(number=0, block_hash=bytes(32))] * 1000

    async def send_flood() -> None:
        async with asyncio.timeout(60):
            while True:
                await peer.send(*flood)

    reading = asyncio.create_task(peer.read_to_end())
    with pytest.raises(OSError):  # noqa: PT011 - however the closed connection shows
        await send_flood()
    await reading
    await until(lambda: "floods this node" in "".join(server.left))
    assert server.is_connected(honest)
    assert server.get_peer(honest).score == 0
    honest.network.broadcast_consensus(0x14, b"still heard")
    await until(lambda: (0x14, b"still heard") in server.consensus)
    assert not server.is_connected(raw)


async def test_peer_is_charged_for_its_own_rejected_messages_only(world: World) -> None:
    server, author, relay = await world.start_connected("server", "author", "relay")
    own, author_id, relay_id = author.signer.address, author.tls.pin.hex(), relay.tls.pin.hex()
    for _ in range(50):
        server.network.on_rejected(relay_id, own, "passed on in good faith")
        server.network.on_rejected(None, own, "kept, its sender is forgotten")
        server.network.on_rejected(server.tls.pin.hex(), own, "not connected")
    assert server.get_peer(author).score == server.get_peer(relay).score == 0
    server.network.on_rejected(author_id, own, "prepares: one author is listed twice")
    assert 9 < server.get_peer(author).score <= 10
    for _ in range(10):
        server.network.on_rejected(author_id, own, "prepares: one author is listed twice")
    await until(lambda: bool(server.left))
    assert "its consensus messages break rules: prepares" in server.left[0]
    assert server.network.metrics.get("peer_faults") == 1
    assert server.is_connected(relay)


async def test_handler_that_finds_a_message_malformed_drops_the_peer(world: World) -> None:
    server = await world.start("server")
    _, peer = await join_by_hand(world, server)

    def refuse(_code: int, _payload: bytes, _peer: str) -> Address | None:
        raise MalformedEncoding("not RLP")

    server.network._gossip._handlers = NetworkHandlers(on_consensus=refuse)
    await peer.send(make_consensus(b"junk"))
    last = (await peer.read_to_end())[-1]
    assert isinstance(last, Goodbye)
    assert "malformed: not RLP" in last.reason
    assert not server.faults


async def test_message_that_meets_a_bug_ends_here_and_costs_nobody_the_connection(
    world: World,
) -> None:
    server, other = await world.start_connected("server", "other")
    raw, peer = await join_by_hand(world, server)

    def fail(_code: int, payload: bytes, _peer: str) -> Address | None:
        if payload == b"poison":
            raise ZeroDivisionError
        return AUTHOR

    server.network._gossip._handlers = NetworkHandlers(on_consensus=fail)
    with capture_logs() as logs:
        await peer.send(make_consensus(b"poison"), make_consensus(b"harmless"))
        await until(lambda: other.consensus == [(0x13, b"harmless")])
    assert any("met a bug of this node" in entry["event"] for entry in logs)
    assert server.is_connected(raw)
    assert server.faults == []
    assert server.network.metrics.get("handler_failures") == 1


async def test_frame_that_meets_a_bug_ends_one_connection_and_not_the_node(world: World) -> None:
    server, other = await world.start_connected("server", "other")
    raw, peer = await join_by_hand(world, server)

    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    server.network._gossip.process_offer = fail  # type: ignore[assignment,method-assign]
    with capture_logs():
        await peer.send(Offer(topic=Topic.CONSENSUS, keys=()))
        await until(lambda: not server.is_connected(raw))
    assert server.faults == []
    assert server.network.metrics.get("peer_faults") == 0
    assert server.is_connected(other)


async def test_bad_transactions_of_a_peer_drop_it(world: World) -> None:
    server = await world.start("server")

    async def refuse(_raws: tuple[bytes, ...], _peer: str) -> None:
        raise PeerFault("not a transaction")

    server.network._handlers = NetworkHandlers(on_transactions=refuse)
    raw, peer = await join_by_hand(world, server)
    await peer.send(Transactions(raws=(b"junk",)))
    await until(lambda: not server.is_connected(raw))


async def test_consensus_overtakes_transactions_and_blocks_that_wait(world: World) -> None:
    server = await world.start("server")
    _, peer = await join_by_hand(world, server)
    await peer.read_until(Status)
    inside = next(iter(server.network._peers.values()))
    # All of this is queued in one step of the loop, the urgent last.
    for number in range(50):
        inside.send(Blocks(request=1, blocks=(bytes(60_000),)), Priority.BULK)
        inside.send(Transactions(raws=(number.to_bytes(4, "big"),)), Priority.TRANSACTIONS)
    server.network.broadcast_consensus(0x12, b"urgent")
    kinds: list[str] = []
    async with asyncio.timeout(60):
        while kinds.count("Blocks") < 50 and (frame := await peer.read()) is not None:
            if isinstance(frame, Consensus | Transactions | Blocks):
                kinds.append(type(frame).__name__)
    assert kinds == ["Consensus"] + ["Transactions"] * 50 + ["Blocks"] * 50


async def test_ping_is_answered_and_clocks_are_compared(world: World) -> None:
    server = await world.start("server")
    raw, peer = await join_by_hand(world, server)
    await peer.send(Ping(token=77, clock_ms=1))
    pong = await peer.read_until(Pong)
    assert pong.token == 77
    await until(lambda: server.get_peer(raw).round_trip_ms is not None)


async def test_clock_that_is_off_shows_in_the_peer_info(world: World) -> None:
    import time

    a = await world.start("a")
    b = await world.start("b", wall_clock=lambda: time.time() + 10)
    a.trust(b)
    b.trust(a)
    await until(lambda: a.is_connected(b) and a.get_peer(b).clock_offset_ms is not None)
    offset_ms = a.get_peer(b).clock_offset_ms
    assert offset_ms is not None
    assert 9_000 < offset_ms < 11_000
    await until(lambda: (b.get_peer(a).clock_offset_ms or 0) < -9_000)


async def test_half_open_connection_is_noticed_and_closed(world: World) -> None:
    server = await world.start("server", settings=replace(FAST, silence_s=1.0))
    raw, peer = await join_by_hand(world, server)
    # From here on the peer is as good as gone: it neither reads nor sends, and never closes.
    await until(lambda: not server.is_connected(raw))
    assert "half-open: nothing was heard" in server.left[-1]
    assert server.network.metrics.get("peer_faults") == 0
    peer.close()


async def test_peer_that_sends_but_never_reads_is_closed(world: World) -> None:
    server = await world.start("server", settings=replace(FAST, silence_s=0.8))
    raw, peer = await join_by_hand(world, server)
    peer.reader._transport.pause_reading()  # type: ignore[attr-defined]

    async def talk() -> None:
        while True:
            await peer.send(Status(number=0, block_hash=bytes(32)))
            await asyncio.sleep(0.05)

    talking = asyncio.create_task(talk())
    for number in range(200):
        server.network.broadcast_consensus(0x12, bytes(200_000) + number.to_bytes(2, "big"))
    await until(lambda: not server.is_connected(raw))
    assert "stalled: nothing could be sent" in server.left[-1]
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    peer.close()


async def test_restarted_node_is_called_again(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    port = b.address.port
    await b.network.stop()
    await until(lambda: not a.is_connected(b))
    assert "this node stops" in a.left[-1]
    await until(lambda: a.network.metrics.get("dial_failures") >= 2, "a goes on trying")
    again = await world.start("b2", like=b, settings=replace(FAST, port=port))
    await until(lambda: a.is_connected(b) and again.is_connected(a))


async def test_restart_behind_a_half_open_connection_replaces_it(world: World) -> None:
    server = await world.start("server", settings=replace(FAST, keepalive_s=5, silence_s=60))
    raw, stale = await join_by_hand(world, server)
    _, fresh = await join_by_hand(world, server)
    goodbye = (await stale.read_to_end())[-1]
    assert isinstance(goodbye, Goodbye)
    assert "replaced by a newer connection" in goodbye.reason
    await fresh.send(make_consensus(b"from the new one"))
    await until(lambda: (0x13, b"from the new one") in server.consensus)
    assert server.is_connected(raw)
    assert server.left == [], "the peer never left"


async def test_full_house_refuses_more_peers(world: World) -> None:
    server = await world.start("server", settings=replace(FAST, max_peers=1))
    await join_by_hand(world, server, "first")
    with pytest.raises(Exception, match="it has no free connection"):
        await join_by_hand(world, server, "second")
    assert len(server.network.peers()) == 1


async def test_tap_holds_what_travels_before_encryption(world: World) -> None:
    tap = world.folder / "tap"
    a = await world.start("a", settings=replace(FAST, tap=tap))
    b = await world.start("b")
    await connect(a, b)
    a.network.broadcast_consensus(0x12, b"sent in the clear to the tap only")
    b.network.broadcast_consensus(0x13, b"received likewise")
    await until(lambda: bool(b.consensus) and bool(a.consensus))
    records = list(read_tap(tap))
    assert any(
        b"to the tap only" in record.body for record in records if record.direction == "sent"
    )
    assert any(
        b"received likewise" in record.body for record in records if record.direction == "received"
    )
    assert b"to the tap only" in tap.read_bytes()


async def test_stop_leaves_no_task_and_no_connection_behind(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    address = a.address
    await a.network.stop()
    await b.network.stop()
    assert a.address == address, "the last calls may still have to say where they come from"
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert left == []
