"""Block sync: how a node that was away, is new, or only observes gets the final blocks.

Peers announce their heads. When this node is behind, it asks several peers for ranges of blocks at
once, puts the answers in order, and imports one block after the other. A peer is never believed:
`import_block` checks the parent link, every header rule, every seal against the validator set of
the parent's state, and executes the block. A peer that gives a wrong block is dropped and its
answers are thrown away; one that is late or gives nothing is charged and its range goes to another.
A block that is sealed but ahead of this node's clock is nobody's fault: it waits for the clock.
Ranges grow with a fast peer and shrink with a slow one.

                 ┌ fetcher of peer A ┐
    ranges ──►   ├ fetcher of peer B ┤  ──► blocks by height ──► importer ──► worker thread
    (window)     └ fetcher of peer C ┘        (bounded)

A validator that is one block behind usually gets that block through consensus in a moment, so the
fetch begins after a short grace; observers have none. When the head has caught up, the handler
`on_synced` tells consensus to start from it. Nothing needs to be remembered to resume after a
crash: the head is in the store, and sync goes on from there.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import structlog

from consensus.block import Block, decode_block
from consensus.errors import PeerFault as ConsensusPeerFault
from consensus.header import compute_block_hash
from consensus.types import Hash32, Height
from node.chain.errors import TooEarly
from node.errors import NodeError, OperationalFault, PeerFault
from node.network.block_window import BlockWindow
from node.network.frames import Blocks, Frame, GetBlocks
from node.network.metrics import NetworkMetrics
from node.network.ports import BlockSource, NetworkHandlers, SyncProgress
from node.network.queues import Priority
from node.network.score import Offence
from node.network.settings import NetworkSettings

_POLL_S: Final = 0.5
_PROGRESS_S: Final = 0.25
_FAULT_PAUSE_S: Final = 5.0
_EARLY_PAUSE_S: Final = 0.5
_FIRST_RANGE: Final = 16
_YOUNG_CHAIN: Final = 256
"""Who has no block so far below its head started from a snapshot; nearer, it breaks its word."""

log = structlog.get_logger("node.network")


class SyncPeer(Protocol):
    """What sync needs of a peer."""

    peer_id: str
    head_number: Height
    head_hash: Hash32

    def send(self, frame: Frame, priority: Priority) -> bool:
        """Queue a frame; False if there is no room."""
        ...

    def charge(self, offence: Offence, reason: str) -> None:
        """Note an offence."""
        ...


class BlockSync:
    """Keeps this node's head with its peers'. All methods run on the event loop."""

    def __init__(
        self,
        *,
        settings: NetworkSettings,
        chain: BlockSource,
        handlers: NetworkHandlers,
        metrics: NetworkMetrics,
        clock: Callable[[], float],
        get_peers: Callable[[], Sequence[SyncPeer]],
        run_in_worker: Callable[[Callable[[Block], object], Block], Awaitable[object]],
    ) -> None:
        self._settings = settings
        self._chain = chain
        self._handlers = handlers
        self._metrics = metrics
        self._clock = clock
        self._get_peers = get_peers
        self._run_in_worker = run_in_worker
        self._wake = asyncio.Event()
        self._request = 0
        self._waiting: dict[int, tuple[str, asyncio.Future[Blocks]]] = {}
        self._sizes: dict[str, int] = {}
        self._lacking: dict[str, int] = {}
        self._puzzle: tuple[int, str] = (-1, "")
        self._early_height = -1
        self.progress: SyncProgress | None = None
        """The current run; None while this node is with its peers."""

    @property
    def best_height(self) -> Height:
        """The highest head that any peer announces."""
        return Height(max((peer.head_number for peer in self._get_peers()), default=0))

    def wake(self) -> None:
        """Look again: a head or the peers have changed."""
        self._wake.set()

    def process_blocks(self, peer: SyncPeer, frame: Blocks) -> None:
        """Match an answer with its request."""
        peer_id, future = self._waiting.get(frame.request, ("", None))
        if future is None or future.done() or peer_id != peer.peer_id:
            peer.charge(Offence.UNASKED, "it keeps sending blocks that nobody asked for")
            return
        future.set_result(frame)

    def on_left(self, peer: SyncPeer) -> None:
        """Give back at once what was asked of a peer that is gone."""
        self._sizes.pop(peer.peer_id, None)
        self._lacking.pop(peer.peer_id, None)
        for peer_id, future in self._waiting.values():
            if peer_id == peer.peer_id and not future.done():
                future.set_exception(ConnectionResetError("the peer is gone"))

    async def run(self) -> None:
        """Follow the peers until cancelled."""
        await self._validate_checkpoint()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._wake.wait()
            self._wake.clear()
            lag = self.best_height - self._chain.head.number
            if lag == 1:
                await asyncio.sleep(self._settings.follow_grace_s)
                lag = self.best_height - self._chain.head.number
            if lag <= 0:
                continue
            try:
                await self._catch_up()
            except Exception as error:  # noqa: BLE001
                # Our own fault, never a peer's: say so and try again, the disk may be freed.
                self._handlers.on_fault(error)
                await asyncio.sleep(_FAULT_PAUSE_S)

    async def _catch_up(self) -> None:
        start, start_s = self._chain.head.number, self._clock()
        window = BlockWindow(Height(start + 1), ahead=self._settings.sync_window)
        fetchers: dict[str, asyncio.Task[None]] = {}
        self._metrics.count("sync_runs")
        # A single block is everyday business for an observer and no reason to stop consensus.
        quiet = self.best_height - start <= 1
        if not quiet:
            self._handlers.on_sync_started(self._report(start, start_s, 0))
        reported_s = start_s
        try:
            while (target := self.best_height) > self._chain.head.number:
                window.advance(self._chain.head.number, target)
                self._employ(window, fetchers)
                if not fetchers:
                    break  # nobody has what is missing: wait for peers
                if (found := window.get_next()) is None:
                    await window.wait_changed(_POLL_S)
                    continue
                block, peer_id = found
                if (fault := await self._import(block, peer_id)) is not None:
                    window.reject(peer_id)
                    self._blame(peer_id, fault, fetchers)
                if not quiet and self._clock() - reported_s >= _PROGRESS_S:
                    reported_s = self._clock()
                    self._report(start, start_s, len(fetchers))
        finally:
            for task in fetchers.values():
                task.cancel()
            await asyncio.gather(*fetchers.values(), return_exceptions=True)
            if not quiet:
                self._report(start, start_s, len(fetchers))
            self.progress = None
        head = self._chain.head
        if head.number > start and head.number >= self.best_height:
            self._handlers.on_synced(head)

    def _employ(self, window: BlockWindow, fetchers: dict[str, asyncio.Task[None]]) -> None:
        """Have a fetcher for every peer that has blocks which are still needed."""
        for peer_id in [peer_id for peer_id, task in fetchers.items() if task.done()]:
            task = fetchers.pop(peer_id)
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        peers = self._get_peers()
        first = self._request % len(peers) if peers else 0  # spread single requests over the peers
        for peer in [*peers[first:], *peers[:first]]:
            lacking = self._lacking.get(peer.peer_id, -1)
            if peer.peer_id not in fetchers and lacking < window.next_height <= peer.head_number:
                fetchers[peer.peer_id] = asyncio.create_task(self._fetch(peer, window))

    async def _fetch(self, peer: SyncPeer, window: BlockWindow) -> None:
        """Ask one peer for range after range until it fails or has no more."""
        while peer in self._get_peers():
            size = self._sizes.setdefault(
                peer.peer_id, min(_FIRST_RANGE, self._settings.max_blocks_per_request)
            )
            taken = window.take_range(peer.head_number, size)
            if taken is None:
                if peer.head_number < window.next_height:
                    return
                await window.wait_changed(_POLL_S)
                continue
            start, count = taken
            blocks: tuple[Block, ...] = ()
            try:
                blocks = await self._ask(peer, start, count)
            except ConnectionResetError:
                return
            except TimeoutError:
                # It may be dead, false or only slow: believe its head no further until it announces
                # the next one, and ask for less then.
                self._metrics.count("sync_timeouts")
                self._sizes[peer.peer_id] = max(1, size // 4)
                peer.head_number = min(peer.head_number, self._chain.head.number)
                peer.charge(Offence.LATE, "it does not answer requests for blocks")
                return
            except (PeerFault, ConsensusPeerFault) as error:
                peer.charge(Offence.MALFORMED, f"its answer with blocks is wrong: {error}")
                return
            finally:
                window.put(start, count, blocks, peer.peer_id)
            if not blocks and peer.head_number - start >= _YOUNG_CHAIN:
                # It started from a snapshot and has no old blocks: honest, but of no use for now.
                self._lacking[peer.peer_id] = start
                peer.head_number = Height(start - 1)
                return
            if not blocks:
                # It announced a head that it does not serve: believe it no further.
                peer.head_number = Height(start - 1)
                peer.charge(Offence.USELESS, f"it has no block {start} although it announced one")
                return
            self._sizes[peer.peer_id] = min(2 * size, self._settings.max_blocks_per_request)

    async def _ask(self, peer: SyncPeer, start: Height, count: int) -> tuple[Block, ...]:
        """Return the first blocks of a range, linked to each other; at most `count`."""
        self._request += 1
        request = self._request
        future: asyncio.Future[Blocks] = asyncio.get_running_loop().create_future()
        self._waiting[request] = (peer.peer_id, future)
        try:
            frame = GetBlocks(request=request, start=start, count=count)
            peer.send(frame, Priority.TRANSACTIONS)
            async with asyncio.timeout(self._settings.request_timeout_s):
                answer = await future
        finally:
            del self._waiting[request]
        if len(answer.blocks) > count:
            raise PeerFault("more blocks than were asked for", field="blocks")
        blocks = []
        parent: Hash32 | None = None
        for number, encoded in enumerate(answer.blocks, start):
            block = decode_block(encoded)
            if block.header.number != number:
                raise PeerFault(f"block {block.header.number} in the place of {number}")
            if parent is not None and block.header.parent_hash != parent:
                raise PeerFault(f"block {number} does not follow the one before it")
            parent = compute_block_hash(block.header)
            blocks.append(block)
        return tuple(blocks)

    async def _import(self, block: Block, peer_id: str) -> str | None:
        """Import a block in the worker. A text: what is wrong with it, and with who sent it."""
        try:
            self._compare_with_checkpoint(block)
            await self._run_in_worker(self._chain.import_block, block)
        except TooEarly as error:
            # A quorum has sealed it, so it is this clock that is behind: the block waits for it.
            self._metrics.count("early_blocks")
            if self._early_height != block.header.number:
                self._early_height = block.header.number
                log.warning(
                    "a final block is ahead of this clock",
                    height=block.header.number,
                    reason=str(error),
                )
            await asyncio.sleep(_EARLY_PAUSE_S)
            return None
        except (PeerFault, ConsensusPeerFault) as error:
            if self._chain.head.number >= block.header.number:
                return None  # consensus was faster, and the block there has other seals
            self._metrics.count("bad_blocks")
            return f"its block {block.header.number} is bad: {error}"
        except (NodeError, OSError):
            raise
        except Exception as error:
            # A bug of ours. If one peer's block alone finds it, the block was made for that; if
            # another peer's finds it as well, it is in the chain, and this node cannot go on.
            log.exception("a block met a bug of this node", height=block.header.number)
            height, culprit = self._puzzle
            if height == block.header.number and culprit != peer_id:
                raise
            self._puzzle = (block.header.number, peer_id)
            return f"its block {block.header.number} cannot be imported: {type(error).__name__}"
        self._metrics.count("blocks_imported")
        return None

    def _blame(self, peer_id: str, fault: str, fetchers: dict[str, asyncio.Task[None]]) -> None:
        if (task := fetchers.pop(peer_id, None)) is not None:
            task.cancel()
        for peer in self._get_peers():
            if peer.peer_id == peer_id:
                peer.head_number = self._chain.head.number
                peer.charge(Offence.BAD_BLOCK, fault)

    def _compare_with_checkpoint(self, block: Block) -> None:
        checkpoint = self._settings.checkpoint
        if checkpoint is None or block.header.number != checkpoint.number:
            return
        if compute_block_hash(block.header) != checkpoint.block_hash:
            raise PeerFault(
                f"block {checkpoint.number} is not 0x{checkpoint.block_hash.hex()}, which the "
                "invite names",
                field="checkpoint",
            )

    async def _validate_checkpoint(self) -> None:
        checkpoint = self._settings.checkpoint
        if checkpoint is None or self._chain.head.number < checkpoint.number:
            return
        block = await asyncio.to_thread(self._chain.get_block, checkpoint.number)
        if block is None:
            return  # it lies before the snapshot that this node started from, checked on import
        if compute_block_hash(block.header) != checkpoint.block_hash:
            error: NodeError = OperationalFault(
                f"this node's block {checkpoint.number} is not the one that the invite names",
                field="checkpoint",
                next_step="Its history is not the network's: ask who made the invite, and sync "
                "again with an empty data folder",
            )
            self._handlers.on_fault(error)

    def _report(self, start: Height, start_s: float, fetchers: int) -> SyncProgress:
        current = self._chain.head.number
        elapsed_s = max(self._clock() - start_s, 1e-9)
        self.progress = SyncProgress(
            start=start,
            current=current,
            target=Height(max(self.best_height, current)),
            blocks_per_s=(current - start) / elapsed_s,
            peers=fetchers,
        )
        self._handlers.on_sync_progress(self.progress)
        return self.progress
