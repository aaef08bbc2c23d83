"""The node as one process: its parts opened in order, run on one event loop, closed in reverse.

    keys, genesis, invites -> store -> chain -> mempool -> network -> API -> validator

Nothing is said to anybody before everything that could refuse has been opened; the validator is
last to start and first to stop, so that a node which cannot serve never signs, and a node that
stops finishes the block it is importing. One worker thread executes blocks; the loop owns all else.

The process ends with an error, and its exit code says whose fault it is, when a part cannot be
opened or when the validator falls silent for good.
"""

import asyncio
import faulthandler
import os
import signal
import sys
import time
from contextlib import AsyncExitStack, suppress
from functools import partial

import structlog
import uvloop

from api.collector import spare_survivors
from api.ports import NodeIdentity
from consensus.header import BlockHeader
from consensus.header_rules import HeaderRules
from consensus.payloads import MessageCode
from consensus.sign_state import SignIdentity
from consensus.signatures import ValidatorKey
from consensus.types import Address, Height
from node.chain.blockchain import Blockchain
from node.chain.code_votes import CodeVotes
from node.chain.registry import RegistryTables, RegistryView
from node.chain.results import ImportedBlock
from node.daemon.api_service import RunningApi, run_api
from node.daemon.backend import BackendSources, LedgerBackend
from node.daemon.background import BackgroundTasks, as_fault
from node.daemon.blocks import ChainBlocks
from node.daemon.chain_view import HeadView
from node.daemon.directory import RegistryDirectory
from node.daemon.evidence_desk import EvidenceDesk
from node.daemon.gate import TransactionGate
from node.daemon.handles import reserve_handles
from node.daemon.intruders import IntruderWatch
from node.daemon.logs import configure_logs
from node.daemon.opening import (
    DataFolder,
    Identity,
    make_mempool_limits,
    make_network_settings,
    open_identity,
    refuse_published_members,
)
from node.daemon.snapshot_desk import SnapshotDesk
from node.daemon.status import HeaderVotes, NodeObserver, NodeStatus
from node.daemon.worker import Priority, Worker
from node.errors import PeerFault
from node.mempool import AddedTransaction, Mempool
from node.network import NetworkHandlers
from node.network.network import Network
from node.settings import Settings
from node.storage.crashpoints import CrashPoints, read_crash_points
from node.storage.errors import StoreDamaged
from node.storage.level import LevelStore
from node.validator.host import HostPorts, Signer, ValidatorHost
from node.validator.resume import is_resume_requested
from node.validator.sign_store import DurableSignState, find_sign_folder
from node.version import CLIENT_VERSION

_WORKER_STOP_S = 20.0
_TICK_S = 1.0
_DIRECTORY_EVERY_TICKS = 15
_VANITY = b"atesta".rjust(32, b"\0")
_SWITCH_INTERVAL_S = 0.001
"""How long the worker thread computes before the loop gets a turn; the default of 5 ms is felt."""

log = structlog.get_logger(__name__)


def run_daemon(settings: Settings) -> None:
    """Run a node in this process until SIGTERM or SIGINT.

    Raises NodeError or ApiError, after everything that was opened is closed again.
    """
    crash_points = read_crash_points(os.environ)
    reserve_handles()
    identity = open_identity(settings)
    configure_logs(settings.log, node=settings.node.name)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    faulthandler.register(signal.SIGUSR1)  # for the operator: where every thread is now
    daemon = Daemon(settings, identity, crash_points)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(daemon.run())
    except Exception as error:
        if daemon.fatal is None or daemon.fatal is error:
            raise
        # Without a file handle even the loop cannot be closed; what stopped the node says more.
        raise daemon.fatal from error


class Daemon:
    """One node. Use once."""

    def __init__(
        self, settings: Settings, identity: Identity, crash_points: CrashPoints | None = None
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._crash_points = crash_points or CrashPoints()
        self._folder = DataFolder(root=settings.node.data_dir)
        self._observer = NodeObserver(lambda *what: self._network.on_rejected(*what))  # noqa: PLW0108 - made later
        self._stopping = asyncio.Event()
        self._fatal: BaseException | None = None
        self._api: RunningApi | None = None
        self._tasks = BackgroundTasks(self._stop_with)

    @property
    def fatal(self) -> BaseException | None:
        """Return what made the node stop, if it was not asked to."""
        return self._fatal

    async def run(self) -> None:
        """Open everything, serve until asked to stop, close everything."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stopping.set)
        async with AsyncExitStack() as stack:
            await self._open_chain(stack)
            await self._open_mempool(stack)
            self._make_network_and_validator()
            await self._start_network(stack)
            await self._start_api(stack)
            await self._start_validator(stack)
            ticks = self._tasks.repeat(self._tick, period_s=_TICK_S, name="ticks")
            stack.callback(ticks.cancel)
            stack.enter_context(spare_survivors())
            log.info("started", height=self._chain.head.number, version=CLIENT_VERSION)
            await self._stopping.wait()
            log.info("stopping", height=self._chain.head.number)
        log.info("stopped")
        if self._fatal is not None:
            raise self._fatal

    # Opening

    async def _open_chain(self, stack: AsyncExitStack) -> None:
        self._folder.make()
        on_damage = partial(self._on_damage, asyncio.get_running_loop())
        self._store = LevelStore(
            self._folder.chain, crash_points=self._crash_points, on_damage=on_damage
        )
        self._worker = Worker()
        stack.push_async_callback(self._close_chain)
        genesis = self._identity.genesis
        retained = self._settings.chain.retain_blocks
        opening = partial(Blockchain.open, self._store, genesis, retain_blocks=retained)
        self._chain = await self._worker.run(opening)
        self._registry = RegistryView(self._chain)
        tables = await self._worker.run(self._registry.get_tables)
        refuse_published_members(self._settings, tables)
        self._gate = TransactionGate(CodeVotes.of(self._chain, self._registry), self._registry)
        self._directory = RegistryDirectory(
            invited=[invite.as_trusted_peer() for invite in self._identity.invites],
            own_pin=self._identity.tls.pin,
        )
        self._update_directory(tables)
        self._evidence = EvidenceDesk(self._store, self._chain)
        log.info(
            "chain_opened",
            chain_id=genesis.chain_id,
            genesis_hash=genesis.genesis_hash,
            height=self._chain.head.number,
        )

    def _on_damage(self, loop: asyncio.AbstractEventLoop, fault: StoreDamaged) -> None:
        """Stop on damage, whichever thread has met it and whatever it makes of the error."""
        with suppress(RuntimeError):  # the loop is closed: the node has stopped already
            loop.call_soon_threadsafe(self._stop_with, fault)

    async def _close_chain(self) -> None:
        # A block that computes beyond all patience keeps the store; the process ends anyway.
        if await self._worker.close(timeout_s=_WORKER_STOP_S):
            chain = getattr(self, "_chain", None)
            if chain is not None:
                chain.close()
            self._store.close()

    async def _open_mempool(self, stack: AsyncExitStack) -> None:
        self._mempool = Mempool(
            path=self._folder.mempool,
            limits=make_mempool_limits(self._settings),
            chain=HeadView(self._chain),
            admission=self._registry,
            gate=self._gate,
            crash_points=self._crash_points,
        )
        restored = await self._mempool.open()
        stack.push_async_callback(self._mempool.close)
        self._mempool.subscribe(self._on_transaction)
        log.info("mempool_opened", restored=restored)

    def _make_network_and_validator(self) -> None:
        genesis = self._identity.genesis
        self._factory = ChainBlocks(
            chain=self._chain,
            mempool=self._mempool,
            registry=self._registry,
            gate=self._gate,
            worker=self._worker,
        )
        self._host = ValidatorHost(
            rules=HeaderRules(config=genesis.qbft),
            ports=HostPorts(
                chain=self._chain,
                factory=self._factory,
                broadcaster=self,
                clock=self,
                evidence=self._evidence.contradictions,
                observer=self._observer,
                get_peer_heads=self._get_peer_heads,
                on_trouble=self._observer.on_trouble,
                on_fatal=self._stop_with,
            ),
            signer=self._make_signer(),
            vanity=_VANITY,
        )
        self._network = Network(
            identity=self._identity.as_peer,
            genesis_hash=genesis.genesis_hash,
            chain_id=genesis.chain_id,
            directory=self._directory,
            chain=self._chain,
            handlers=NetworkHandlers(
                on_consensus=self._host.on_consensus,
                on_transactions=self._on_peer_transactions,
                get_pending_transactions=self._get_pending_transactions,
                on_fault=self._on_network_fault,
            ),
            settings=make_network_settings(self._settings, self._identity.invites),
            worker=self._worker.as_executor(Priority.SYNC),
        )
        self._status = NodeStatus(host=self._host, network=self._network, observer=self._observer)

    def _make_signer(self) -> Signer | None:
        key = self._identity.validator
        if key is None:
            return None
        binding = self._identity.binding
        folder = find_sign_folder(self._folder.sign_state, key.address)
        sign_state = DurableSignState(
            folder,
            self._store,
            SignIdentity(
                chain_id=binding.chain_id,
                genesis_hash=binding.genesis_hash,
                validator=key.address,
            ),
            crash_points=self._crash_points,
        )
        if not is_resume_requested(folder):
            sign_state.load()  # refuses here, before anybody hears of this node
        return Signer(key=ValidatorKey(key.reveal_secret()), sign_state=sign_state)

    async def _start_network(self, stack: AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        watch = IntruderWatch(
            self._chain,
            self._registry,
            self._evidence.intruders,
            on_found=lambda found: loop.call_soon_threadsafe(self._observer.on_intrusions, found),
            gate=self._gate,
        )
        # Everybody is told first; judging the senders takes time, and may fail for itself alone.
        self._chain.subscribe(partial(self._on_import, loop))
        self._chain.subscribe(watch.inspect)
        await self._network.start()
        stack.push_async_callback(self._network.stop)

    async def _start_api(self, stack: AsyncExitStack) -> None:
        genesis, settings = self._identity.genesis, self._settings
        await self._set_head(self._chain.head)
        if not settings.api.enabled:
            return
        period_ms = genesis.qbft.block_period_ms
        backend = LedgerBackend(
            chain=self._chain,
            mempool=self._mempool,
            identity=NodeIdentity(
                chain_id=genesis.chain_id,
                genesis_hash=genesis.genesis_hash,
                client_version=CLIENT_VERSION,
                validator=self._identity.validator_address,
                block_period_s=period_ms / 1_000 if period_ms else genesis.qbft.block_period_s,
                request_timeout_s=genesis.qbft.request_timeout_s,
                contract_mode=genesis.qbft.is_contract_mode,
            ),
            sources=BackendSources(
                get_consensus=self._status.get_consensus,
                get_peers=self._status.get_peers,
                get_sync=self._status.get_sync,
                get_evidence=self._evidence.get_newest,
                export_evidence=self._evidence.export,
                get_metrics=self._status.get_metrics,
                snapshots=SnapshotDesk(self._store, self._chain, self._folder.snapshots),
                votes=None if genesis.qbft.is_contract_mode else HeaderVotes(self._host.votes),
            ),
        )
        stack.callback(backend.close)
        running = run_api(settings, backend, self._identity.accounts, self._crash_points)
        self._api = await stack.enter_async_context(running)
        log.info("api_started", url=self._api.url)

    async def _start_validator(self, stack: AsyncExitStack) -> None:
        await self._host.start()
        stack.push_async_callback(self._host.stop)
        self._host.on_transactions_pending()

    # What the parts tell each other

    def broadcast(self, code: MessageCode, payload: bytes) -> None:
        """Send a consensus message to all peers; the validator's `Broadcaster`."""
        self._network.broadcast_consensus(int(code), payload)

    def now_ms(self) -> int:
        """Return the wall clock; the validator's `Clock`."""
        return time.time_ns() // 1_000_000

    def _on_import(self, loop: asyncio.AbstractEventLoop, imported: ImportedBlock) -> None:
        loop.call_soon_threadsafe(self._on_block, imported)

    def _on_block(self, imported: ImportedBlock) -> None:
        header = imported.block.header
        self._mempool.on_block(
            (transaction.hash, transaction.sender) for transaction in imported.transactions
        )
        self._observer.on_block(len(imported.transactions))
        self._network.on_head(header)
        self._host.on_head(header)
        if self._api is not None:
            self._api.services.index.notify()
        self._tasks.spawn(self._follow_head(header))
        log.info(
            "block_final",
            height=header.number,
            block_hash=imported.block_hash,
            transactions=len(imported.transactions),
            gas_used=header.gas_used,
            proposer=header.coinbase,
            lag_ms=self.now_ms() - header.timestamp * 1_000,
        )

    async def _follow_head(self, header: BlockHeader) -> None:
        await self._set_head(header)
        tables = await self._worker.run(self._registry.get_tables, Priority.BACKGROUND)
        if self._update_directory(tables):
            self._network.refresh_directory()

    async def _set_head(self, header: BlockHeader) -> None:
        self._status.set_head(header, await self._factory.get_validators(header))

    def _update_directory(self, tables: RegistryTables) -> bool:
        return self._directory.update(tables, timestamp_s=int(time.time()))

    def _on_transaction(self, added: AddedTransaction) -> None:
        self._chain.remember_transactions((added.transaction,))
        self._network.gossip_transactions((added.transaction.raw,))
        self._host.on_transactions_pending()

    async def _on_peer_transactions(self, raws: tuple[bytes, ...], _peer_id: str) -> None:
        self._mempool.add_from_peer(raws)

    def _get_pending_transactions(self) -> list[bytes]:
        return [transaction.raw for transaction in self._mempool.get_all()]

    def _get_peer_heads(self) -> dict[Address, Height]:
        return {peer.signer: peer.head_number for peer in self._network.peers()}

    def _on_network_fault(self, error: Exception) -> None:
        if not isinstance(error, PeerFault):
            self._stop_with(error)

    def _stop_with(self, error: BaseException) -> None:
        if self._fatal is None:
            self._fatal = as_fault(error)
            log.error("fatal", error_type=type(error).__name__, exc_info=error)
        self._stopping.set()

    async def _tick(self, turn: int) -> None:
        stale = self._mempool.take_stale()
        if stale:
            self._network.gossip_transactions(stale)
        if self._mempool.has_candidates():
            self._host.on_transactions_pending()
        if turn % _DIRECTORY_EVERY_TICKS == 0:  # pins begin and end by the clock
            await self._follow_head(self._chain.head)
