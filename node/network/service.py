"""Serving one admitted peer: every frame goes to whom it concerns.

What an admitted peer can cause is bounded here as well. Consensus messages are handed over at once;
transactions wait in a bounded line for the mempool, so that a slow disk does not delay a vote;
block requests are answered in a thread. Whatever goes wrong while a peer is served ends at most
this connection: a frame that trips over a bug of ours must not stop the node, because the same
frame would then stop every node.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from consensus.types import Hash32, Height
from node.errors import LocalFault, PeerFault
from node.network.block_server import BlockServer
from node.network.frames import (
    Blocks,
    Consensus,
    Frame,
    GetBlocks,
    Offer,
    Peers,
    Status,
    Transactions,
    Want,
)
from node.network.gossip import Gossip
from node.network.peer import Peer
from node.network.ports import NetworkHandlers
from node.network.score import Offence
from node.network.settings import MIB
from node.network.sync import BlockSync

_MAX_WAITING_BYTES: Final = 8 * MIB
_TRANSACTIONS_AT_ONCE: Final = 16
"""Judging one may cost a question to the registry; a frame may hold thousands."""

log = structlog.get_logger("node.network")


class PeerService:
    """Runs one peer's connection from its admission to its end."""

    def __init__(
        self,
        peer: Peer,
        *,
        gossip: Gossip,
        sync: BlockSync,
        block_server: BlockServer,
        handlers: NetworkHandlers,
        on_addresses: Callable[[Peers], None],
    ) -> None:
        self._peer = peer
        self._gossip = gossip
        self._sync = sync
        self._block_server = block_server
        self._handlers = handlers
        self._on_addresses = on_addresses
        self._batches: deque[tuple[bytes, ...]] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()

    async def run(self) -> Exception:
        """Serve until the connection ends; return why."""
        helpers = [
            asyncio.create_task(self._block_server.run()),
            asyncio.create_task(self._hand_on_transactions()),
        ]
        try:
            return await self._peer.run(self._process)
        except Exception as error:
            log.exception("a frame met a bug of this node", peer=self._peer.label)
            return LocalFault(f"a bug of this node: {type(error).__name__}")
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    def _process(self, peer: Peer, frame: Frame) -> None:
        match frame:
            case Consensus():
                self._gossip.process_consensus(peer, frame)
            case Transactions():
                self._take_in(self._gossip.process_transactions(peer, frame))
            case Offer():
                self._gossip.process_offer(peer, frame)
            case Want():
                self._gossip.process_want(peer, frame)
            case Status():
                peer.head_number = Height(frame.number)
                peer.head_hash = Hash32(frame.block_hash)
                self._sync.wake()
            case Peers():
                self._on_addresses(frame)
            case GetBlocks():
                self._block_server.process_request(frame)
            case Blocks():
                self._sync.process_blocks(peer, frame)
            case _:
                peer.charge(Offence.MALFORMED, f"{type(frame).__name__} after the handshake")

    def _take_in(self, raws: tuple[bytes, ...]) -> None:
        size = sum(map(len, raws))
        if raws and self._waiting_bytes + size <= _MAX_WAITING_BYTES:
            self._batches.append(raws)
            self._waiting_bytes += size
            self._wake.set()

    async def _hand_on_transactions(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._batches:
                raws = self._batches.popleft()
                self._waiting_bytes -= sum(map(len, raws))
                try:
                    for start in range(0, len(raws), _TRANSACTIONS_AT_ONCE):
                        group = raws[start : start + _TRANSACTIONS_AT_ONCE]
                        await self._handlers.on_transactions(group, self._peer.peer_id)
                        await asyncio.sleep(0)  # timers and votes pass between
                except PeerFault as error:
                    self._peer.end(error)
                except Exception:
                    log.exception("transactions were not taken in", peer=self._peer.label)
