"""One line between two nodes, what befalls it, and the connections that it carries."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

from node.network.aborting import abort_connection

HOST = "127.0.0.1"
CHUNK_BYTES = 8 * 1024
SOCKET_BYTES = 64 * 1024
"""Kernel buffers are kept small, or a slow line would hide its slowness in them."""

_WAITING_CHUNKS = 64
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends RST."""


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
class Line:
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

    def cut(self) -> None:
        self.is_cut = True

    def freeze(self) -> None:
        self.is_frozen = True

    def stall(self) -> None:
        self.passable.clear()


@dataclass(eq=False, slots=True)
class Connection:
    """One call that was carried through, or swallowed."""

    line: Line
    counters: LinkCounters
    writers: list[asyncio.StreamWriter]
    closed_sides: int = 0


async def pass_on(
    connection: Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Pass on one direction until a side closes, which raises EOFError."""
    line, counters = connection.line, connection.counters
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING_CHUNKS)

    async def take_in() -> None:
        data = b"any"
        while data:
            data = b""
            with contextlib.suppress(OSError):  # a reset ends a stream as its end does
                data = await reader.read(CHUNK_BYTES)
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


def abort(writer: asyncio.StreamWriter) -> None:
    """Close at once, with RST."""
    if writer.transport.is_closing():
        return
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    abort_connection(writer)


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    line = socket.socket()
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
    try:
        await asyncio.get_running_loop().sock_connect(line, (HOST, port))
    except BaseException:
        line.close()
        raise
    return await asyncio.open_connection(sock=line, limit=SOCKET_BYTES)


async def _wait_for_both(connection: Connection) -> None:
    """Keep the end of one side from the other: nobody hears of it until both have ended."""
    connection.closed_sides += 1
    if connection.closed_sides == 2:
        raise EOFError
    await asyncio.Event().wait()
