"""Lines between real nodes that fail on command: a TCP proxy of the tests' own.

Every node that calls another one does so through a port of this proxy, one port for each ordered
pair, so the proxy knows who speaks to whom without looking at a byte. A node also advertises an
address to its peers; that is a second port, its door, at which callers are told apart by the
certificate that they show before TLS. Whichever of two nodes called the other, a fault concerns the
pair:

    cut      connections are reset and new ones are reset at once, as by a router that says so
    freeze   bytes vanish, nothing is closed: a lost machine, a silent firewall; half-open
    stall    bytes wait and go on after healing, as TCP does across a short interruption
    slow     each byte comes later, and only so many a second
    heal     none of these

A connection that lost bytes never speaks again, not after healing either: the nodes must notice.
The proxy runs in a thread of its own; every method may be called from synchronous tests and has
taken effect when it returns.
"""

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, TypeVar

from node.errors import PeerFault, UserFault
from node.keys import compute_pin
from node.network.preface import encode_preface, read_preface

_HOST = "127.0.0.1"
_CHUNK_BYTES = 8 * 1024
_WAITING_CHUNKS = 64
_SOCKET_BYTES = 64 * 1024
"""Kernel buffers are kept small, or a slow line would hide its slowness in them."""
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends RST."""
_CALL_S = 10.0

T = TypeVar("T")
Pair = tuple[int, int]


@dataclass(slots=True)
class LinkCounters:
    """What happened to the calls of one node to another."""

    connections: int = 0
    """Carried through to the other node."""
    refused: int = 0
    """Reset or swallowed from the first byte, because the pair was cut or frozen."""
    carried_bytes: int = 0
    """Delivered, both ways."""
    swallowed_bytes: int = 0
    """Lost in a freeze, both ways."""


@dataclass(slots=True)
class _Line:
    """What happens now between two nodes, both ways."""

    passable: asyncio.Event = field(default_factory=asyncio.Event)
    is_cut: bool = False
    is_frozen: bool = False
    latency_s: float = 0.0
    bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        self.passable.set()

    def heal(self) -> None:
        self.is_cut = self.is_frozen = False
        self.latency_s, self.bytes_per_s = 0.0, None
        self.passable.set()


@dataclass(eq=False, slots=True)
class _Connection:
    """One call that was carried through, or swallowed."""

    pair: Pair
    writers: list[asyncio.StreamWriter]
    closed_sides: int = 0


class FaultyLinks:
    """All lines between some nodes, known by their numbers. Use as a context, or `stop` it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._targets: dict[int, int] = {}
        self._numbers: dict[bytes, int] = {}
        self._ports: dict[Pair, int] = {}
        self._doors: dict[int, int] = {}
        self._lines: dict[frozenset[int], _Line] = {}
        self._counters: dict[Pair, LinkCounters] = {}
        self._connections: set[_Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopped = False
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # Nodes

    def add_node(self, number: int, port: int, pin: bytes) -> None:
        """Open the lines between a node that listens on `port` and all nodes added before."""
        self._run(self._add_node(number, port, pin))

    def set_pin(self, number: int, pin: bytes) -> None:
        """Note the pin that a node shows from now on, besides those it has shown before."""
        self._numbers[pin] = number

    def get_port(self, caller: int, called: int) -> int:
        """Return the port at which `caller` reaches `called`."""
        return self._ports[caller, called]

    def get_door(self, number: int) -> int:
        """Return the port that a node advertises; any added node may call there."""
        return self._doors[number]

    def stop(self) -> None:
        """Close every line and end the thread. Again does nothing."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=_CALL_S)
        assert not self._thread.is_alive()
        self._loop.close()

    # Faults

    def cut(self, one: int, other: int) -> None:
        """Reset what is open between two nodes, and whatever they try until healed."""
        self._change([(one, other)], _cut)

    def freeze(self, one: int, other: int) -> None:
        """Let all bytes between two nodes vanish without a sign, in new calls too."""
        self._change([(one, other)], _freeze)

    def stall(self, one: int, other: int) -> None:
        """Hold all bytes between two nodes back until healed; nothing is lost."""
        self._change([(one, other)], _stall)

    def slow(
        self, one: int, other: int, *, latency_ms: float = 0.0, bytes_per_s: float | None = None
    ) -> None:
        """Delay every byte one way, and limit how many pass a second, for each connection."""

        def change(line: _Line) -> None:
            line.latency_s, line.bytes_per_s = latency_ms / 1000, bytes_per_s

        self._change([(one, other)], change)

    def reset(self, one: int, other: int) -> None:
        """Reset what is open between two nodes once; they may connect again at once."""
        self._run(self._reset(one, other))

    def partition(self, groups: Iterable[Collection[int]], *, how: str = "cut") -> None:
        """Part nodes that share no group by `cut`, `freeze` or `stall`; others are left as is.

        Groups may overlap, so {1, 2, 3} and {3, 4} make node 3 a bridge, and {1, 2}, {2, 3},
        {3, 4}, {4, 1} a ring. A node that is in no group is alone.
        """
        shared = [frozenset(group) for group in groups]
        apart = [
            pair
            for pair in itertools.combinations(sorted(self._targets), 2)
            if not any(group.issuperset(pair) for group in shared)
        ]
        self._change(apart, {"cut": _cut, "freeze": _freeze, "stall": _stall}[how])

    def heal(self, one: int, other: int) -> None:
        """End every fault between two nodes; a connection that lost bytes stays silent."""
        self._change([(one, other)], _Line.heal)

    def heal_all(self) -> None:
        """End every fault."""
        self._change(itertools.combinations(sorted(self._targets), 2), _Line.heal)

    # What was seen

    def get_counters(self, caller: int, called: int) -> LinkCounters:
        """Return what has happened so far to the calls of one node to another."""
        return replace(self._counters[caller, called])

    def count_open(self, one: int, other: int) -> int:
        """Return how many connections between two nodes the proxy holds open."""
        return sum(set(item.pair) == {one, other} for item in list(self._connections))

    # In the thread

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_S)

    def _change(self, pairs: Iterable[Pair], change: Callable[[_Line], None]) -> None:
        async def work() -> None:
            for pair in pairs:
                line = self._lines[frozenset(pair)]
                change(line)
                if line.is_cut:
                    await self._reset(*pair)

        self._run(work())

    async def _add_node(self, number: int, port: int, pin: bytes) -> None:
        for other in self._targets:
            self._lines[frozenset((number, other))] = _Line()
            for pair in ((number, other), (other, number)):
                self._counters[pair] = LinkCounters()
                self._ports[pair] = await self._listen(self._make_acceptor(pair))
        self._targets[number] = port
        self._numbers[pin] = number
        self._doors[number] = await self._listen(self._make_doorkeeper(number))

    async def _listen(
        self, accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> int:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
        listener.bind((_HOST, 0))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                # The end of the test cancels it; asyncio would log that as an error.
                with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                    await accept(reader, writer)
            finally:
                writer.close()
                self._tasks.discard(task)

        server = await asyncio.start_server(serve, sock=listener, limit=_SOCKET_BYTES)
        self._servers.append(server)
        return int(listener.getsockname()[1])

    def _make_acceptor(
        self, pair: Pair
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._carry(pair, b"", reader, writer)

        return accept

    def _make_doorkeeper(
        self, called: int
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                preface = await read_preface(reader)
                caller = self._numbers.get(compute_pin(preface.certificate), called)
            except (PeerFault, UserFault):
                caller = called
            if caller == called:
                _abort(writer)  # only nodes that have lines call at a door
            else:
                await self._carry((caller, called), encode_preface(preface), reader, writer)

        return accept

    async def _carry(
        self,
        pair: Pair,
        read: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Carry one call; `read` are its bytes that have been read already."""
        line, counters = self._lines[frozenset(pair)], self._counters[pair]
        connection = _Connection(pair=pair, writers=[writer])
        self._connections.add(connection)
        try:
            if line.is_cut or line.is_frozen:
                counters.refused += 1
                counters.swallowed_bytes += len(read)
                while not line.is_cut and (data := await reader.read(_CHUNK_BYTES)):
                    counters.swallowed_bytes += len(data)
                _abort(writer)
                return
            await line.passable.wait()
            await asyncio.sleep(line.latency_s)
            back, out = await _connect(self._targets[pair[1]])
            connection.writers.append(out)
            counters.connections += 1
            out.write(read)
            async with asyncio.TaskGroup() as both:
                for source, sink in ((reader, out), (back, writer)):
                    both.create_task(self._pass_on(connection, source, sink))
        except* (OSError, EOFError):
            pass
        finally:
            self._connections.discard(connection)
            if len(connection.writers) == 1:
                _abort(writer)  # nobody listens there
            for item in connection.writers:
                item.close()

    async def _pass_on(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Pass on one direction until a side closes, which raises EOFError."""
        line = self._lines[frozenset(connection.pair)]
        counters = self._counters[connection.pair]
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING_CHUNKS)

        async def take_in() -> None:
            data = b"any"
            while data:
                data = b""
                with contextlib.suppress(OSError):  # a reset ends a stream as its end does
                    data = await reader.read(_CHUNK_BYTES)
                await waiting.put((loop.time() + line.latency_s, data))

        taking = asyncio.create_task(take_in())
        has_hole = False
        try:
            while True:
                due_s, data = await waiting.get()
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                await line.passable.wait()
                has_hole = has_hole or line.is_frozen
                if has_hole:
                    counters.swallowed_bytes += len(data)
                    if not data:
                        await _wait_for_both(connection)
                    continue
                if not data:
                    raise EOFError
                if line.bytes_per_s is not None:
                    await asyncio.sleep(len(data) / line.bytes_per_s)
                counters.carried_bytes += len(data)
                writer.write(data)
                await writer.drain()
        finally:
            taking.cancel()

    async def _reset(self, one: int, other: int) -> None:
        for connection in list(self._connections):
            if set(connection.pair) == {one, other}:
                for writer in connection.writers:
                    _abort(writer)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next turn of the loop


def _cut(line: _Line) -> None:
    line.is_cut = True


def _freeze(line: _Line) -> None:
    line.is_frozen = True


def _stall(line: _Line) -> None:
    line.passable.clear()


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close at once, with RST."""
    if writer.transport.is_closing():
        return
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    line = socket.socket()
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
    try:
        await asyncio.get_running_loop().sock_connect(line, (_HOST, port))
    except BaseException:
        line.close()
        raise
    return await asyncio.open_connection(sock=line, limit=_SOCKET_BYTES)


async def _wait_for_both(connection: _Connection) -> None:
    """Keep the end of one side from the other: nobody hears of it until both have ended."""
    connection.closed_sides += 1
    if connection.closed_sides == 2:
        raise EOFError
    await asyncio.Event().wait()
