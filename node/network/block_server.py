"""Serving final blocks to peers that are behind.

Requests of one peer are answered one after the other, with a bound on how many may wait, and the
blocks are read and encoded in a thread, so that a peer that syncs ten thousand blocks costs the
others nothing but bandwidth, and that only while nothing more urgent is to be sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from consensus.block import encode_block
from consensus.types import Height
from node.errors import OperationalFault
from node.network.frames import Blocks, Frame, GetBlocks
from node.network.metrics import NetworkMetrics
from node.network.ports import BlockSource
from node.network.queues import Priority
from node.network.score import Offence
from node.network.settings import MIB, NetworkSettings

_MAX_WAITING: Final = 16
_MAX_QUEUED_BYTES: Final = 4 * MIB
_PAUSE_S: Final = 0.02


class ServedPeer(Protocol):
    """What serving needs of a peer."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be sent to it."""
        ...

    def send(self, frame: Frame, priority: Priority) -> bool:
        """Queue a frame; False if there is no room."""
        ...

    def charge(self, offence: Offence, reason: str) -> None:
        """Note an offence."""
        ...


class BlockServer:
    """Answers the block requests of one peer."""

    def __init__(
        self,
        peer: ServedPeer,
        chain: BlockSource,
        settings: NetworkSettings,
        metrics: NetworkMetrics,
        on_fault: Callable[[Exception], None],
    ) -> None:
        self._peer = peer
        self._chain = chain
        self._settings = settings
        self._metrics = metrics
        self._on_fault = on_fault
        self._requests: deque[GetBlocks] = deque()
        self._wake = asyncio.Event()

    def process_request(self, request: GetBlocks) -> None:
        """Queue a request; too many at once cost the peer points and are not answered."""
        if len(self._requests) >= _MAX_WAITING:
            self._peer.charge(Offence.UNASKED, "it asks for more blocks than it may at once")
            return
        self._requests.append(request)
        self._wake.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._requests:
                while self._peer.waiting_bytes > _MAX_QUEUED_BYTES:  # noqa: ASYNC110
                    await asyncio.sleep(_PAUSE_S)  # the line is slower than the disk
                request = self._requests.popleft()
                try:
                    blocks = await asyncio.to_thread(self._read, request)
                except OperationalFault as error:  # a damaged store is not the peer's business
                    self._on_fault(error)
                    return
                answer = Blocks(request=request.request, blocks=blocks)
                self._peer.send(answer, Priority.BULK)
                self._metrics.count("blocks_served", len(blocks))

    def _read(self, request: GetBlocks) -> tuple[bytes, ...]:
        last = min(
            request.start + min(request.count, self._settings.max_blocks_per_request) - 1,
            self._chain.head.number,
        )
        blocks: list[bytes] = []
        size = 0
        for number in range(request.start, last + 1):
            block = self._chain.get_block(Height(number))
            if block is None:
                break
            encoded = encode_block(block)
            size += len(encoded)
            if blocks and size > self._settings.max_blocks_bytes:
                break
            blocks.append(encoded)
        return tuple(blocks)
