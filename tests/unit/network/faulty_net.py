"""A network that fails on command: every node is reached through a TCP proxy of the tests' own.

The proxy knows who calls whom, because callers show their certificate before TLS. For each pair of
nodes it can swallow bytes without closing anything (as a lost machine or a firewall does), cut,
slow down, or flip bits.
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field

from node.keys import compute_pin
from node.network import PeerAddress
from node.network.aborting import abort_connection
from node.network.peer import close_writer
from node.network.preface import encode_preface, read_preface
from tests.unit.network.network_world import Node

_CHUNK = 16 * 1024


@dataclass(slots=True)
class Link:
    """What happens between two nodes, both ways."""

    swallow: bool = False
    bytes_per_s: float | None = None
    flip_after: int | None = None


@dataclass(eq=False, slots=True)
class _Flow:
    pins: frozenset[bytes]
    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    carried: int = 0


@dataclass(slots=True)
class FaultyNet:
    """All proxies of a test."""

    rng: random.Random
    links: dict[frozenset[bytes], Link] = field(default_factory=dict)
    flows: list[_Flow] = field(default_factory=list)
    servers: list[asyncio.Server] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    targets: dict[int, PeerAddress] = field(default_factory=dict)

    async def open_proxy(self) -> PeerAddress:
        """Open a proxy whose node is named later, by `connect_to`."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.servers.append(server)
        return PeerAddress(host="127.0.0.1", port=server.sockets[0].getsockname()[1])

    def connect_to(self, proxy: PeerAddress, node: Node) -> None:
        self.targets[proxy.port] = node.address

    def get_link(self, one: Node, other: Node) -> Link:
        return self.links.setdefault(frozenset((one.tls.pin, other.tls.pin)), Link())

    def partition(self, left: list[Node], right: list[Node], *, swallow: bool = True) -> None:
        """Let nothing pass between two groups, or let everything pass again."""
        for one in left:
            for other in right:
                self.get_link(one, other).swallow = swallow

    def cut(self, one: Node, other: Node) -> None:
        """Reset the connections between two nodes; they may be made again."""
        pins = frozenset((one.tls.pin, other.tls.pin))
        for flow in list(self.flows):
            if flow.pins == pins:
                for writer in flow.writers:
                    abort_connection(writer)

    async def close(self) -> None:
        for server in self.servers:
            server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        out: asyncio.StreamWriter | None = None
        # The end of the test cancels it; asyncio would log that as an error of the server.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                port = writer.get_extra_info("sockname")[1]
                asked = await read_preface(reader)
                target = self.targets[port]
                back, out = await asyncio.open_connection(target.host, target.port)
                out.write(encode_preface(asked))
                answered = await read_preface(back)
                writer.write(encode_preface(answered))
                pins = frozenset(
                    (compute_pin(asked.certificate), compute_pin(answered.certificate))
                )
                flow = _Flow(pins=pins, writers=(writer, out))
                self.flows.append(flow)
                try:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._pump(reader, out, flow))
                        both.create_task(self._pump(back, writer, flow))
                except* OSError:
                    pass
                finally:
                    self.flows.remove(flow)
            finally:
                for one in (writer, out):
                    if one is not None:
                        await close_writer(one)
                self.tasks.discard(task)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: _Flow
    ) -> None:
        link = self.links.setdefault(flow.pins, Link())
        while data := await reader.read(_CHUNK):
            if link.swallow:
                # A stream with a hole can never go on: it stays open and silent.
                await self._swallow_for_ever(reader)
            if link.bytes_per_s is not None:
                await asyncio.sleep(len(data) / link.bytes_per_s)
            flow.carried += len(data)
            if link.flip_after is not None and flow.carried > link.flip_after:
                at = self.rng.randrange(len(data))
                data = data[:at] + bytes([data[at] ^ (1 << self.rng.randrange(8))]) + data[at + 1 :]
                link.flip_after = None
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("one side has closed")

    async def _swallow_for_ever(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(_CHUNK):
            pass
        raise ConnectionResetError("one side has closed")
