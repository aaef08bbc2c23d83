"""An admitted peer that a test plays by hand, frame by frame, or byte by byte."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from node.network import NodeIdentity, PeerAddress, TrustedPeer
from node.network.aborting import abort_connection
from node.network.admission import Admitted, LocalSide, admit_outbound
from node.network.frames import (
    LENGTH_BYTES,
    PROTOCOL_VERSION,
    Frame,
    Hello,
    Ping,
    Pong,
    decode_frame,
    encode_frame,
)
from node.network.preface import Refusal
from node.network.trust import TlsContexts
from tests.unit.network.network_world import (
    CHAIN_ID,
    GENESIS_HASH,
    WAIT_S,
    Node,
    World,
    until,
)

F = TypeVar("F")


class RawPeer:
    """Speaks to one node; answers pings unless told to be silent."""

    def __init__(self, admitted: Admitted) -> None:
        self.reader, self.writer = admitted.reader, admitted.writer

    async def send(self, *frames: Frame) -> None:
        await self.send_bytes(b"".join(encode_frame(frame) for frame in frames))

    async def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read(self) -> Frame | None:
        """Return the next frame, None at the end; pings are answered and left out."""
        while True:
            try:
                length = int.from_bytes(await self.reader.readexactly(LENGTH_BYTES), "big")
                frame = decode_frame(await self.reader.readexactly(length))
            except (asyncio.IncompleteReadError, OSError):
                return None
            if not isinstance(frame, Ping):
                return frame
            with contextlib.suppress(OSError):
                await self.send(Pong(token=frame.token, clock_ms=frame.clock_ms))

    async def read_until(self, kind: type[F], accept: Callable[[F], bool] = lambda _: True) -> F:
        """Return the next frame of a kind that is accepted."""
        async with asyncio.timeout(WAIT_S):
            while (frame := await self.read()) is not None:
                if isinstance(frame, kind) and accept(frame):
                    return frame
        raise AssertionError(f"the connection ended before a {kind.__name__}")

    async def read_to_end(self) -> list[Frame]:
        """Return all frames until the node closes."""
        frames = []
        async with asyncio.timeout(WAIT_S):
            while (frame := await self.read()) is not None:
                frames.append(frame)
        return frames

    def close(self) -> None:
        abort_connection(self.writer)


async def join_by_hand(
    world: World,
    server: Node,
    name: str = "raw",
    *,
    head: int = 0,
    port: int = 0,
    address: PeerAddress | None = None,
) -> tuple[Node, RawPeer]:
    """Let a hand-played peer into a node; its keys are those of a node of the world."""
    like = next((node for node in world.nodes if node.name == name), None)
    if like is None:
        like = await world.start(name)
        server.trust(like, with_address=False)
    trusted = TrustedPeer(pin=server.tls.pin, label=server.name)

    def make_hello(nonce: bytes) -> Hello:
        return Hello(
            version=PROTOCOL_VERSION,
            chain_id=CHAIN_ID,
            genesis_hash=GENESIS_HASH,
            nonce=nonce,
            instance=b"i" * 16,
            client="raw",
            host="",
            port=port,
            head_number=head,
            head_hash=bytes(32),
        )

    local = LocalSide(
        identity=NodeIdentity(tls=like.tls, signer=like.signer),
        chain_id=CHAIN_ID,
        genesis_hash=GENESIS_HASH,
        contexts=TlsContexts(like.tls),
        get_trusted=lambda: {server.tls.pin: trusted},
        get_refusal=lambda _pin: Refusal.NONE,
        make_hello=make_hello,
        wall_clock=time.time,
    )
    at = address or server.address
    reader, writer = await asyncio.open_connection(at.host, at.port)
    world.writers.append(writer)
    peer = RawPeer(await admit_outbound(local, reader, writer))
    await until(lambda: server.is_connected(like), "the raw peer is admitted")
    return like, peer
