"""One admitted peer: its connection, what waits for it, and what it is known to have.

Three tasks serve a connection: one reads and hands on frames, one sends what waits, the urgent
first, and one keeps it alive. TCP alone does not notice a peer whose machine vanished (a half-open
connection stays "established" for many minutes), so both sides send a `Ping` every few seconds and
close a connection on which nothing was heard, or into which nothing could be sent, for too long.
The first task to end ends the connection.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from consensus.types import Address, Hash32, Height
from node.errors import PeerFault
from node.network.aborting import abort_connection
from node.network.admission import Admitted
from node.network.frames import (
    MAX_TEXT,
    Blocks,
    Frame,
    FrameSplitter,
    Goodbye,
    Offer,
    Peers,
    Ping,
    Pong,
    Transactions,
    Want,
    decode_frame,
    encode_frame,
)
from node.network.metrics import NetworkMetrics
from node.network.ports import PeerAddress, PeerInfo
from node.network.queues import Priority, SendQueue
from node.network.rates import PeerBudget
from node.network.score import Offence, PeerScore, TokenBucket
from node.network.seen import SeenSet
from node.network.settings import MIB, NetworkSettings
from node.network.tap import RECEIVED, SENT, FrameTap

_READ_BYTES: Final = 128 * 1024
_WRITE_BYTES: Final = 64 * 1024
_FRAMES_PER_S: Final = 2_000.0
_BYTES_PER_S: Final = 32.0 * MIB
_BURST_S: Final = 3.0
_KEYS_PER_FRAME: Final = 64
_TRANSACTIONS_PER_FRAME: Final = 8
"""So many of them are as much work as a frame."""
_SEARCHES_PER_S: Final = 2.0
_SEARCHES_AT_ONCE: Final = 20.0
_CLOSE_S: Final = 1.0
_HOST: Final = re.compile(r"[0-9A-Za-z.:_-]{1,253}")

log = structlog.get_logger("node.network")


class ConnectionEnded(Exception):
    """The connection is over, for the given reason; nobody is at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTools:
    """What all connections of one node share."""

    settings: NetworkSettings
    """Bounds and times."""
    metrics: NetworkMetrics
    """Counters."""
    tap: FrameTap | None
    """The record of frames, if any."""
    clock: Callable[[], float]
    """Monotonic seconds."""
    wall_clock: Callable[[], float]
    """Seconds since 1970."""


class Peer:
    """A connection from admission to its end."""

    def __init__(self, admitted: Admitted, tools: PeerTools) -> None:
        now_s = tools.clock()
        hello, settings = admitted.hello, tools.settings
        self.pin = admitted.trusted.pin
        self.peer_id = self.pin.hex()
        self.label = admitted.trusted.label
        self.signer = admitted.signer
        self.outbound = admitted.outbound
        self.address = admitted.address
        self.instance = hello.instance
        self.client = _make_printable(hello.client)[:64]
        self.listens_on = make_peer_address(hello.host or admitted.address.host, hello.port)
        self.head_number = Height(hello.head_number)
        self.head_hash = Hash32(hello.head_hash)
        self.known = SeenSet(max(1, settings.max_seen // 4))
        """Keys of messages and transactions that the peer has."""
        self.vote_budget = PeerBudget(now_s)
        """How many new consensus messages it may bring."""
        self.search_budget = TokenBucket(rate=_SEARCHES_PER_S, burst=_SEARCHES_AT_ONCE, now_s=now_s)
        """How often all waiting transactions are searched for what it wants."""
        self.round_trip_ms: float | None = None
        self.clock_offset_ms: float | None = None
        self._tools = tools
        self._reader, self._writer = admitted.reader, admitted.writer
        self._splitter = FrameSplitter(settings.max_frame_bytes)
        self._queue = SendQueue(
            max_frames=settings.max_queue_frames, max_bytes=settings.max_queue_bytes
        )
        self._wake = asyncio.Event()
        self._score = PeerScore(now_s)
        self._frame_rate = TokenBucket(
            rate=_FRAMES_PER_S, burst=_FRAMES_PER_S * _BURST_S, now_s=now_s
        )
        self._byte_rate = TokenBucket(rate=_BYTES_PER_S, burst=_BYTES_PER_S * _BURST_S, now_s=now_s)
        self._heard_s = self._sent_s = now_s
        self._connected_at_s = tools.wall_clock()
        self._pings: dict[int, float] = {}
        self._token = 0
        self._ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        admitted.writer.transport.set_write_buffer_limits(high=_WRITE_BYTES)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be sent to this peer."""
        return self._queue.waiting_bytes

    def send(self, frame: Frame, priority: Priority) -> bool:
        """Queue a frame. False: its queue is full and the frame is not sent."""
        return self.send_encoded(encode_frame(frame), priority)

    def send_encoded(self, frame: bytes, priority: Priority) -> bool:
        """Queue a frame that was encoded once for many peers."""
        queued = self._queue.push(frame, priority)
        if not queued:
            self._tools.metrics.count("frames_dropped")
        self._wake.set()
        return queued

    def charge(self, offence: Offence, reason: str) -> None:
        """Note an offence; enough of them end the connection with a PeerFault."""
        if self._score.charge(offence, self._tools.clock()):
            self.end(PeerFault(reason))

    def end(self, why: Exception) -> None:
        """End the connection soon; the first reason counts."""
        if not self._ended.done():
            self._ended.set_result(why)

    def get_info(self) -> PeerInfo:
        """Return what may be shown of this peer."""
        return PeerInfo(
            peer_id=self.peer_id,
            pin=self.pin,
            label=self.label,
            signer=self.signer,
            address=self.address,
            listens_on=self.listens_on,
            outbound=self.outbound,
            client=self.client,
            head_number=self.head_number,
            head_hash=self.head_hash,
            round_trip_ms=self.round_trip_ms,
            clock_offset_ms=self.clock_offset_ms,
            score=self._score.get_points(self._tools.clock()),
            connected_at_s=self._connected_at_s,
        )

    async def run(self, on_frame: Callable[["Peer", Frame], None]) -> Exception:
        """Serve the connection until it ends; return why. `PeerFault`: the peer misbehaved.

        `on_frame` is called for each frame that is not the connection's own; a PeerFault from it
        ends the connection. Any other error from it is our bug, and is raised here.
        """
        tasks = [
            asyncio.create_task(self._read(on_frame)),
            asyncio.create_task(self._write()),
            asyncio.create_task(self._keep_alive()),
        ]
        for task in tasks:
            task.add_done_callback(self._on_task_done)
        try:
            why = await self._ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close(self._ended.result() if self._ended.done() else None)
        if not isinstance(why, (PeerFault, ConnectionEnded, OSError)):
            raise why
        return why

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            assert isinstance(error, Exception)
            self.end(error)

    async def _read(self, on_frame: Callable[["Peer", Frame], None]) -> None:
        metrics, tap = self._tools.metrics, self._tools.tap
        while data := await self._reader.read(_READ_BYTES):
            now_s = self._heard_s = self._tools.clock()
            metrics.count("bytes_received", len(data))
            for body in self._splitter.feed(data):
                if tap is not None:
                    tap.write(RECEIVED, self.pin, body)
                metrics.count("frames_received")
                frame = decode_frame(body)
                self._limit_rate(frame, len(body), now_s)
                if not self._process(frame):
                    on_frame(self, frame)
                if self._ended.done():
                    return
        raise ConnectionEnded("closed by the peer")

    def _limit_rate(self, frame: Frame, size: int, now_s: float) -> None:
        if isinstance(frame, Blocks):
            return  # asked for by us; others are charged where they are matched with requests
        if not (self._frame_rate.take(_weigh(frame), now_s) and self._byte_rate.take(size, now_s)):
            self.charge(Offence.FLOOD, "it floods this node with frames")

    def _process(self, frame: Frame) -> bool:
        """Process the connection's own frames; False if it is not one of them."""
        match frame:
            case Ping():
                pong = Pong(token=frame.token, clock_ms=int(self._tools.wall_clock() * 1000))
                self.send(pong, Priority.URGENT)
            case Pong():
                asked_s = self._pings.pop(frame.token, None)
                if asked_s is not None:
                    self.round_trip_ms = (self._tools.clock() - asked_s) * 1000
                    ours_ms = self._tools.wall_clock() * 1000 - self.round_trip_ms / 2
                    self.clock_offset_ms = frame.clock_ms - ours_ms
            case Goodbye():
                raise ConnectionEnded(f"it said goodbye: {_make_printable(frame.reason)}")
            case _:
                return False
        return True

    async def _write(self) -> None:
        metrics, tap = self._tools.metrics, self._tools.tap
        while True:
            await self._wake.wait()
            self._wake.clear()
            while data := self._queue.pop(_WRITE_BYTES):
                if tap is not None:
                    for body in FrameSplitter(len(data)).feed(data):
                        tap.write(SENT, self.pin, body)
                metrics.count("bytes_sent", len(data))
                self._writer.write(data)
                await self._writer.drain()
                self._sent_s = self._tools.clock()

    async def _keep_alive(self) -> None:
        settings, clock = self._tools.settings, self._tools.clock
        while True:
            self._ping()
            asleep_s = clock()
            await asyncio.sleep(settings.keepalive_s)
            now_s = clock()
            if now_s - asleep_s > 2 * settings.keepalive_s:
                # This process itself was paused: what the peer sent meanwhile is still unread.
                self._heard_s = self._sent_s = now_s
            if now_s - self._heard_s > settings.silence_s:
                raise ConnectionEnded(
                    f"half-open: nothing was heard for {now_s - self._heard_s:.0f} s"
                )
            if len(self._queue) and now_s - self._sent_s > settings.silence_s:
                raise ConnectionEnded(
                    f"stalled: nothing could be sent for {now_s - self._sent_s:.0f} s"
                )

    def _ping(self) -> None:
        self._token += 1
        self._pings[self._token] = self._tools.clock()
        if len(self._pings) > 16:
            del self._pings[min(self._pings)]
        self.send(
            Ping(token=self._token, clock_ms=int(self._tools.wall_clock() * 1000)), Priority.URGENT
        )

    async def _close(self, why: Exception | None) -> None:
        transport = self._writer.transport
        if why is not None and not transport.is_closing():
            with contextlib.suppress(Exception):
                self._writer.write(encode_frame(Goodbye(reason=str(why)[:MAX_TEXT])))
        await close_writer(self._writer)


def charge_author(peers: Iterable[Peer], source: str | None, author: Address, reason: str) -> None:
    """Charge the peer that brought a consensus message which broke a rule, if it is its own.

    Who passes on what another has signed could not know better; if nobody knows any more who
    brought it (`source` is None), nobody is charged.
    """
    for peer in peers:
        if peer.peer_id == source and peer.signer == author:
            peer.charge(Offence.REJECTED, f"its consensus messages break rules: {reason}")


async def close_writer(writer: asyncio.StreamWriter) -> None:
    """Close a connection, politely for a moment and then at once."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            writer.close()
            await writer.wait_closed()
    except (TimeoutError, OSError):
        pass
    finally:
        abort_connection(writer)


def replaces(newcomer: Peer, present: Peer, *, own_pin: Hash32) -> bool:
    """Tell whether a second connection to a peer takes the place of the first.

    Two nodes that call each other at the same moment would have two connections; both keep the one
    that the node with the lower pin began. A peer with another `instance` was restarted, and the
    old connection is dead, unless two nodes run with one TLS key.
    """
    if newcomer.instance != present.instance:
        log.warning(
            "peer replaced while connected: restarted, or two nodes with one TLS key",
            peer=newcomer.label,
            pin=newcomer.peer_id,
            address=str(newcomer.address),
        )
        return True
    preferred = own_pin < newcomer.pin
    return newcomer.outbound in {present.outbound, preferred}


def make_peers_frame(peers: Iterable[Peer]) -> Peers:
    """Return the addresses of those peers that can be called."""
    return Peers(
        peers=tuple(
            (peer.pin, peer.listens_on.host, peer.listens_on.port)
            for peer in peers
            if peer.listens_on is not None
        )
    )


def make_peer_address(host: str, port: int) -> PeerAddress | None:
    """Return what a peer named as an address, None if it cannot be one."""
    if not port or not _HOST.fullmatch(host):
        return None
    return PeerAddress(host=host, port=port)


def _weigh(frame: Frame) -> float:
    """Return how many frames' work a frame is."""
    match frame:
        case Offer() | Want():
            return 1 + len(frame.keys) / _KEYS_PER_FRAME
        case Transactions():
            return 1 + len(frame.raws) / _TRANSACTIONS_PER_FRAME
        case _:
            return 1


def _make_printable(text: str) -> str:
    """Make a peer's text fit for logs and pages."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
