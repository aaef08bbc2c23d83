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
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from node.errors import PeerFault, UserFault
from node.keys import compute_pin
from node.network.preface import encode_preface, read_preface
from tests.integration.faulty_line import (
    CHUNK_BYTES,
    HOST,
    SOCKET_BYTES,
    Connection,
    Line,
    LinkCounters,
    abort,
    connect,
    pass_on,
)

_CALL_S = 60.0

T = TypeVar("T")
Pair = tuple[int, int]


class FaultyLinks:
    """All lines between some nodes, known by their numbers. Use as a context, or `stop` it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._targets: dict[int, int] = {}
        self._numbers: dict[bytes, int] = {}
        self._ports: dict[Pair, int] = {}
        self._doors: dict[int, int] = {}
        self._lines: dict[frozenset[int], Line] = {}
        self._counters: dict[Pair, LinkCounters] = {}
        self._connections: set[Connection] = set()
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
        self._change([(one, other)], Line.cut)

    def freeze(self, one: int, other: int) -> None:
        """Let all bytes between two nodes vanish without a sign, in new calls too."""
        self._change([(one, other)], Line.freeze)

    def stall(self, one: int, other: int) -> None:
        """Hold all bytes between two nodes back until healed; nothing is lost."""
        self._change([(one, other)], Line.stall)

    def slow(
        self, one: int, other: int, *, latency_ms: float = 0.0, bytes_per_s: float | None = None
    ) -> None:
        """Delay every byte one way, and limit how many pass a second, for each connection."""

        def change(line: Line) -> None:
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
        self._change(apart, {"cut": Line.cut, "freeze": Line.freeze, "stall": Line.stall}[how])

    def heal(self, one: int, other: int) -> None:
        """End every fault between two nodes; a connection that lost bytes stays silent."""
        self._change([(one, other)], Line.heal)

    def heal_all(self) -> None:
        """End every fault."""
        self._change(itertools.combinations(sorted(self._targets), 2), Line.heal)

    # What was seen

    def get_counters(self, caller: int, called: int) -> LinkCounters:
        """Return what has happened so far to the calls of one node to another."""
        return replace(self._counters[caller, called])

    def count_open(self, one: int, other: int) -> int:
        """Return how many connections between two nodes the proxy holds open."""
        line = self._lines[frozenset((one, other))]
        return sum(item.line is line for item in list(self._connections))

    # In the thread

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_S)

    def _change(self, pairs: Iterable[Pair], change: Callable[[Line], None]) -> None:
        async def work() -> None:
            for pair in pairs:
                line = self._lines[frozenset(pair)]
                change(line)
                if line.is_cut:
                    await self._reset(*pair)

        self._run(work())

    async def _add_node(self, number: int, port: int, pin: bytes) -> None:
        for other in self._targets:
            self._lines[frozenset((number, other))] = Line()
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
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
        listener.bind((HOST, 0))

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

        server = await asyncio.start_server(serve, sock=listener, limit=SOCKET_BYTES)
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
                abort(writer)  # only nodes that have lines call at a door
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
        connection = Connection(line=line, counters=counters, writers=[writer])
        self._connections.add(connection)
        try:
            if line.is_cut or line.is_frozen:
                counters.refused += 1
                counters.swallowed_bytes += len(read)
                while not line.is_cut and (data := await reader.read(CHUNK_BYTES)):
                    counters.swallowed_bytes += len(data)
                abort(writer)
                return
            await line.passable.wait()
            await asyncio.sleep(line.latency_s)
            back, out = await connect(self._targets[pair[1]])
            connection.writers.append(out)
            counters.connections += 1
            out.write(read)
            async with asyncio.TaskGroup() as both:
                for source, sink in ((reader, out), (back, writer)):
                    both.create_task(pass_on(connection, source, sink))
        except* (OSError, EOFError):
            pass
        finally:
            self._connections.discard(connection)
            if len(connection.writers) == 1:
                abort(writer)  # nobody listens there
            for item in connection.writers:
                item.close()

    async def _reset(self, one: int, other: int) -> None:
        line = self._lines[frozenset((one, other))]
        for connection in list(self._connections):
            if connection.line is line:
                for writer in connection.writers:
                    abort(writer)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next turn of the loop
