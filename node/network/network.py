"""The network of one node: who is connected, and what becomes of each frame.

`Network` owns all peers. The `connector` produces admitted connections, and each is served until it
ends; gossip and block sync work across all of them.

Everything runs on one event loop; blocks are imported in the node's one worker thread. Whom to
trust is read again at every head: connections with a withdrawn pin are closed.
"""

import asyncio
import contextlib
import os
import random
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final

import structlog
from eth_typing import Hash32

from consensus.block import Block
from consensus.header import BlockHeader, compute_block_hash
from consensus.types import Address, Height
from node.errors import LocalFault, PeerFault
from node.network.address_book import AddressBook
from node.network.admission import Admitted, LocalSide
from node.network.block_server import BlockServer
from node.network.connector import Connector
from node.network.frames import PROTOCOL_VERSION, TAG_BYTES, Hello, Peers, Status
from node.network.gossip import Gossip
from node.network.metrics import NetworkMetrics
from node.network.peer import (
    ConnectionEnded,
    Peer,
    PeerTools,
    charge_author,
    make_peer_address,
    make_peers_frame,
    replaces,
)
from node.network.ports import (
    BlockSource,
    NetworkHandlers,
    NodeIdentity,
    PeerAddress,
    PeerDirectory,
    PeerInfo,
    SyncProgress,
    TrustedPeer,
)
from node.network.preface import Refusal
from node.network.queues import Priority
from node.network.score import BanList
from node.network.service import PeerService
from node.network.settings import NetworkSettings
from node.network.sync import BlockSync
from node.network.tap import FrameTap
from node.network.trust import TlsContexts

_STOP_S: Final = 2.0
_CORE: Final = "network core"

log = structlog.get_logger("node.network")


class Network:
    """A node's connections. Create it, `start` it on a running loop, `stop` it once."""

    def __init__(
        self,
        *,
        identity: NodeIdentity,
        genesis_hash: Hash32,
        chain_id: int,
        directory: PeerDirectory,
        chain: BlockSource,
        handlers: NetworkHandlers,
        settings: NetworkSettings,
        worker: Executor | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Take everything this node's network needs; nothing is opened before `start`.

        `worker` is the one thread that executes blocks for the whole node; without it the network
        makes one of its own. `rng` decides the jitter of calls only; nonces come from the system.
        """
        self.metrics = NetworkMetrics()
        self._identity = identity
        self._directory = directory
        self._chain = chain
        self._handlers = handlers
        self._settings = settings
        self._own_worker = ThreadPoolExecutor(1, "network-worker") if worker is None else None
        self._worker: Executor = worker or self._own_worker  # type: ignore[assignment]
        self._clock = clock
        self._rng = rng or random.Random(secrets.randbits(64))  # noqa: S311 - jitter only
        self._trusted: Mapping[Hash32, TrustedPeer] = {}
        self._peers: dict[Hash32, Peer] = {}
        self._bans = BanList(settings.ban_s)
        self._book = AddressBook(
            base_s=settings.redial_base_s, max_s=settings.redial_max_s, rng=self._rng
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[Any]] = set()
        self._importing: asyncio.Future[object] | None = None
        self._instance = secrets.token_bytes(TAG_BYTES)
        self._tap = FrameTap(settings.tap) if settings.tap is not None else None
        self._tools = PeerTools(
            settings=settings,
            metrics=self.metrics,
            tap=self._tap,
            clock=clock,
            wall_clock=wall_clock,
        )
        self._local = LocalSide(
            identity=identity,
            chain_id=chain_id,
            genesis_hash=genesis_hash,
            contexts=TlsContexts(identity.tls),
            get_trusted=lambda: self._trusted,
            get_refusal=self._get_refusal,
            make_hello=self._make_hello,
            wall_clock=wall_clock,
        )
        self._connector = Connector(
            local=self._local,
            settings=settings,
            book=self._book,
            metrics=self.metrics,
            clock=clock,
            get_wanted=self._list_wanted,
            serve=self._serve,
            spawn=self._spawn,
        )
        self._gossip = Gossip(
            settings=settings,
            handlers=handlers,
            metrics=self.metrics,
            clock=clock,
            make_stamp=lambda: os.urandom(8),
            get_peers=self._list_peers,
        )
        self._sync = BlockSync(
            settings=settings,
            chain=chain,
            handlers=handlers,
            metrics=self.metrics,
            clock=clock,
            get_peers=self._list_peers,
            run_in_worker=self._run_in_worker,
        )

    # Public

    async def start(self) -> None:
        """Listen and begin to call peers. Raises OperationalFault if the port is taken."""
        await self._connector.listen()
        if self._settings.address_book is not None:
            self._book.load(self._settings.address_book)
        self.refresh_directory()
        log.info("listening", address=str(self.listen_address), pin=self._identity.tls.pin.hex())
        for work in (self._connector.dial_forever(), self._gossip.run(), self._sync.run()):
            self._spawn(work, _CORE)

    async def stop(self) -> None:
        """Say goodbye to all peers, close everything, remember addresses."""
        self._connector.close()
        for task in self._tasks - self._serving:
            task.cancel()
        for peer in self._list_peers():
            peer.end(ConnectionEnded("this node stops"))
        if self._serving:
            await asyncio.wait(tuple(self._serving), timeout=_STOP_S)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._importing is not None:  # a thread cannot be cancelled; the store closes after this
            await asyncio.gather(self._importing, return_exceptions=True)
        if self._settings.address_book is not None:
            with contextlib.suppress(OSError):
                self._book.save(self._settings.address_book)
        if self._tap is not None:
            self._tap.close()
        if self._own_worker is not None:
            self._own_worker.shutdown(wait=True)

    @property
    def listen_address(self) -> PeerAddress:
        """Return the address listened on, with the port that was chosen."""
        return self._connector.address

    @property
    def sync_progress(self) -> SyncProgress | None:
        """Return how far block sync is; None while this node is with its peers."""
        return self._sync.progress

    @property
    def best_height(self) -> Height:
        """Return the highest head that any peer announces, 0 without peers."""
        return self._sync.best_height

    def peers(self) -> tuple[PeerInfo, ...]:
        """Return the connected peers, ordered by pin."""
        return tuple(self._peers[pin].get_info() for pin in sorted(self._peers))

    def broadcast_consensus(self, code: int, payload: bytes) -> None:
        """Send a consensus message (Besu's code and RLP) to every node."""
        self._gossip.broadcast_consensus(code, payload)

    def gossip_transactions(self, raws: Iterable[bytes]) -> None:
        """Pass on transactions that the mempool has admitted, local or from peers."""
        self._gossip.gossip_transactions(raws)

    def on_rejected(self, source: str | None, author: Address, reason: str) -> None:
        """Note that a consensus message broke a rule; costs points if `source` wrote it itself."""
        charge_author(self._list_peers(), source, author, reason)

    def on_head(self, header: BlockHeader) -> None:
        """Announce a new final block, and look at the directory again."""
        status = Status(number=header.number, block_hash=compute_block_hash(header))
        for peer in self._list_peers():
            peer.send(status, Priority.URGENT)
        self.refresh_directory()
        self._sync.wake()

    def refresh_directory(self) -> None:
        """Read whom to trust; close connections whose pin was withdrawn."""
        trusted = self._directory.get_trusted_peers()
        if trusted == self._trusted:
            return
        self._trusted = dict(trusted)
        self._local.contexts.clear()
        self._book.forget(trusted)
        self._bans.forget(frozenset(trusted))
        for pin, entry in trusted.items():
            for address in entry.addresses:
                self._book.learn(pin, address)
            self._book.expedite(pin)
        for pin, peer in tuple(self._peers.items()):
            kept = trusted.get(pin)
            if kept is None:
                peer.end(ConnectionEnded("its pin was withdrawn"))
            elif kept.signers is not None and peer.signer not in kept.signers:
                peer.end(ConnectionEnded("the key that signed its handshake was withdrawn"))
        self._connector.wake()

    # Connections

    def _list_peers(self) -> list[Peer]:
        return list(self._peers.values())

    def _list_wanted(self) -> list[Hash32]:
        now_s = self._clock()
        return [
            pin
            for pin in self._trusted
            if pin != self._identity.tls.pin
            and pin not in self._peers
            and not self._bans.is_banned(pin, now_s)
        ]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("network task failed", task=task.get_name(), exc_info=error)
            if task.get_name() == _CORE:  # without it the network is dead; others end one peer
                fault = error if isinstance(error, Exception) else LocalFault(str(error))
                self._handlers.on_fault(fault)

    async def _serve(self, admitted: Admitted) -> None:
        peer = Peer(admitted, self._tools)
        replaced = self._peers.get(peer.pin)
        refusal = self._judge_newcomer(peer, replaced)
        if refusal is not None:
            peer.end(ConnectionEnded(refusal))
            await peer.run(lambda _peer, _frame: None)
            return
        if replaced is not None:
            replaced.end(ConnectionEnded("replaced by a newer connection"))
        self._enter(peer, is_new=replaced is None)
        service = PeerService(
            peer,
            gossip=self._gossip,
            sync=self._sync,
            block_server=BlockServer(
                peer, self._chain, self._settings, self.metrics, self._handlers.on_fault
            ),
            handlers=self._handlers,
            on_addresses=self._on_addresses,
        )
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        why: Exception = ConnectionEnded("this node stops")
        try:
            why = await service.run()
        finally:
            self._serving.discard(task)
            self._leave(peer, why)

    def _judge_newcomer(self, peer: Peer, present: Peer | None) -> str | None:
        """Return why a second connection (or one too many) is refused, None to take it."""
        if peer.pin not in self._trusted:
            return "its pin was withdrawn"
        if present is not None:
            is_better = replaces(peer, present, own_pin=self._identity.tls.pin)
            return None if is_better else "there is a connection already"
        return "no free connection" if len(self._peers) >= self._settings.max_peers else None

    def _enter(self, peer: Peer, *, is_new: bool) -> None:
        self._peers[peer.pin] = peer
        self._book.note_success(peer.pin, self._clock())
        if peer.listens_on is not None:
            self._book.learn(peer.pin, peer.listens_on, proven=not peer.outbound)
        self.metrics.count("admitted")
        self.metrics.set("peers", len(self._peers))
        head = self._chain.head
        peer.send(Status(number=head.number, block_hash=compute_block_hash(head)), Priority.URGENT)
        others = [other for other in self._list_peers() if other is not peer]
        peer.send(make_peers_frame(others), Priority.TRANSACTIONS)
        for other in others:
            other.send(make_peers_frame([peer]), Priority.TRANSACTIONS)
        self._gossip.on_joined(peer)
        self._sync.wake()
        if is_new:
            info = peer.get_info()
            log.info(
                "peer joined",
                peer=peer.label,
                pin=peer.peer_id,
                signer="0x" + peer.signer.hex(),
                address=str(peer.address),
                outbound=peer.outbound,
                head=peer.head_number,
            )
            self._handlers.on_peer_joined(info)

    def _leave(self, peer: Peer, why: Exception) -> None:
        self._sync.on_left(peer)
        if isinstance(why, PeerFault):
            wait_s = self._bans.ban(peer.pin, self._clock())
            self.metrics.count("peer_faults")
            log.warning(
                "peer dropped", peer=peer.label, pin=peer.peer_id, reason=str(why), wait_s=wait_s
            )
        if self._peers.get(peer.pin) is not peer:
            return  # replaced by a newer connection: the peer has not left
        del self._peers[peer.pin]
        self.metrics.set("peers", len(self._peers))
        reason = str(why) or type(why).__name__
        log.info("peer left", peer=peer.label, pin=peer.peer_id, reason=reason)
        self._handlers.on_peer_left(peer.get_info(), reason)
        self._connector.wake()

    def _on_addresses(self, frame: Peers) -> None:
        for pin, host, port in frame.peers:
            address = make_peer_address(host, port)
            if Hash32(pin) in self._trusted and address is not None:
                self._book.learn(pin, address)

    # What admission and sync ask back

    def _get_refusal(self, pin: Hash32) -> Refusal:
        if self._bans.is_banned(pin, self._clock()):
            return Refusal.BANNED
        if pin not in self._peers and len(self._peers) >= self._settings.max_peers:
            return Refusal.BUSY
        return Refusal.NONE

    def _make_hello(self, nonce: bytes) -> Hello:
        address = self._settings.advertised or self.listen_address
        is_open = address.host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
        head = self._chain.head
        return Hello(
            version=PROTOCOL_VERSION,
            chain_id=self._local.chain_id,
            genesis_hash=self._local.genesis_hash,
            nonce=nonce,
            instance=self._instance,
            client=self._settings.client,
            host="" if is_open else address.host,
            port=address.port,
            head_number=head.number,
            head_hash=compute_block_hash(head),
        )

    async def _run_in_worker(self, work: Callable[[Block], object], block: Block) -> object:
        running = asyncio.get_running_loop().run_in_executor(self._worker, work, block)
        self._importing = running
        return await asyncio.shield(running)
