"""The validator inside a running node: a thin asyncio shell around `core`.

It feeds the core with messages, timers and heads, and owns nothing that the core could own. The
network hands messages to `on_consensus`, which only decodes; they are worked on in the next turns
of the loop, a few at a time, so that timers are not starved by a flood. Every new head, whether it
came from consensus or from sync, goes through `on_head`, and consensus restarts above it. A node
that is far behind does not, since the heights in between are final at others: it would only build
and sign what nobody needs, and slow its own sync down.

A node without a key follows. A node whose sign state is unusable refuses to start; after the
operator has asked to resume it follows until enough peers have reported, then signs again.
If a duty fails (a disk is full, our own bug), the host stops for good and says so: a validator that
cannot keep its word on disk must not speak.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from consensus.engine import Engine
from consensus.errors import PeerFault as ConsensusPeerFault
from consensus.events import Event, NewHead, Timer, TransactionsPending
from consensus.extra_data import VANITY_BYTES
from consensus.header import BlockHeader
from consensus.header_rules import HeaderRules
from consensus.height_state import Phase
from consensus.quorum import compute_faulty
from consensus.sign_state import SignRecord
from consensus.signatures import ValidatorKey
from consensus.types import Address, Height, Round
from node.validator.asyncio_ports import LoopTimers, WorkerJobs
from node.validator.core import CorePorts, ValidatorCore
from node.validator.errors import MalformedMessage
from node.validator.pending_votes import PendingVotes
from node.validator.ports import (
    BlockFactory,
    Broadcaster,
    Clock,
    EvidenceStore,
    Observer,
)
from node.validator.resume import compute_resume_floor, finish_resume, is_resume_requested
from node.validator.sign_store import DurableSignState

MESSAGES_PER_TURN = 16
RESUME_POLL_S = 1.0
BEHIND_POLL_S = 1.0

_BLOCKS_BEHIND = 2
"""A node whose head is this far below that of f + 1 validators leaves consensus to them."""


class HeadSource(Protocol):
    """The chain, as far as the host reads it itself."""

    @property
    def head(self) -> BlockHeader:
        """Return the header of the last final block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """What makes a node a validator."""

    key: ValidatorKey
    """The consensus key."""

    sign_state: DurableSignState
    """Its sign state on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPorts:
    """The node around the validator."""

    chain: HeadSource
    """Where the head is."""

    factory: BlockFactory
    """Builds, validates and imports blocks."""

    broadcaster: Broadcaster
    """The network."""

    clock: Clock
    """The wall clock."""

    evidence: EvidenceStore
    """Keeps proof of contradictions."""

    observer: Observer
    """Metrics and log."""

    get_peer_heads: Callable[[], Mapping[Address, Height]]
    """The heads that connected peers announce, by the key that signed their handshake."""

    on_trouble: Callable[[str, BaseException], None]
    """A block job failed, named first; the node goes on."""

    on_fatal: Callable[[BaseException], None]
    """The validator has stopped for good; the node should stop as well."""


class ValidatorHost:
    """Takes part in consensus, or follows it. All methods run on the event loop."""

    def __init__(
        self,
        *,
        rules: HeaderRules,
        ports: HostPorts,
        signer: Signer | None = None,
        vanity: bytes = bytes(VANITY_BYTES),
    ) -> None:
        """Prepare; `signer` is None for a node that only follows. Nothing happens before `start`.

        `vanity` is the client's text in the extraData of blocks that it proposes, 32 bytes.
        """
        self._rules = rules
        self._ports = ports
        self._signer = signer
        self._vanity = vanity
        self.votes = PendingVotes(rules.config)
        self._timers = LoopTimers(self._on_timer)
        self._jobs = WorkerJobs(
            ports.factory,
            ports.clock,
            deliver=self._process,
            on_imported=self._read_head,
            on_fatal=self._stop_for_good,
            on_trouble=ports.on_trouble,
        )
        self._core: ValidatorCore | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_drain_scheduled = False
        self._is_stopped = False
        self._is_resuming = False
        self._is_reading_head = False
        self._is_head_outdated = False

    @property
    def height(self) -> Height | None:
        """The height under agreement; None before the start."""
        return None if self._core is None else self._core.engine.height

    @property
    def round(self) -> Round:
        """The current round."""
        return Round(0) if self._core is None else self._core.engine.round

    @property
    def phase(self) -> Phase:
        """Where the height stands."""
        return Phase.WAITING if self._core is None else self._core.engine.phase

    @property
    def is_signing(self) -> bool:
        """Whether this node takes part at the current height."""
        return self._core is not None and self._core.engine.is_validating and not self._is_stopped

    @property
    def note(self) -> str | None:
        """One sentence for the operator when there is something to know, else None."""
        if self._is_stopped:
            return "The validator has stopped; see the log for the failure that stopped it."
        if self._is_resuming:
            return "Waiting for the others to report their heights, and for their blocks, to sign."
        if self._signer is not None and not self.is_signing:
            return "The key of this node is not a validator at this height."
        return None

    async def start(self) -> None:
        """Load the sign state and begin above the chain's head.

        Raises SignStateUnusable or SignStateForeign if this node must not sign.
        """
        signer = self._signer
        if signer is None:
            await self._begin(self._make_engine(None))
        elif is_resume_requested(signer.sign_state.folder):
            self._is_resuming = True
            await self._begin(self._make_engine(None))
            self._spawn(self._resume(signer))
        else:
            await self._begin(self._make_engine(signer))

    async def stop(self) -> None:
        """Fall silent: no timer, no job, no message after this."""
        self._is_stopped = True
        self._timers.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._jobs.close()

    def on_consensus(self, code: int, payload: bytes, peer_id: str) -> Address | None:
        """Take in a message from a peer; returns its author if other peers should have it too.

        Raises MalformedMessage (a PeerFault) if it does not decode.
        """
        if self._core is None or self._is_stopped:
            return None
        try:
            author = self._core.take_in(code, payload, peer_id)
        except ConsensusPeerFault as fault:
            raise MalformedMessage(str(fault), field="consensus message") from None
        self._schedule_drain()
        return author

    def on_head(self, _header: BlockHeader | None = None) -> None:
        """Restart consensus above the chain's head; call after every import, by sync above all."""
        if self._core is not None and not self._is_stopped:
            self._spawn(self._read_head())

    def on_transactions_pending(self) -> None:
        """Note that the pool has something for a block; ends the wait of an empty-block period."""
        if self._core is not None:
            self._process(TransactionsPending(now_ms=self._ports.clock.now_ms()))

    def _make_engine(self, signer: Signer | None) -> Engine:
        return Engine(
            rules=self._rules,
            key=None if signer is None else signer.key,
            sign_state=None if signer is None else signer.sign_state.load(),
            vanity=self._vanity,
        )

    async def _begin(self, engine: Engine) -> None:
        ports = self._ports
        self._timers.close()
        self._core = ValidatorCore(
            engine,
            CorePorts(
                clock=ports.clock,
                timers=self._timers,
                broadcaster=ports.broadcaster,
                sign_states=_NoSignState() if self._signer is None else self._signer.sign_state,
                jobs=self._jobs,
                transactions=ports.factory,
                evidence=ports.evidence,
                observer=ports.observer,
            ),
        )
        await self._read_head()

    async def _read_head(self) -> None:
        """Hand the head to the engine; calls that come meanwhile are answered by one more round."""
        self._is_head_outdated = True
        if self._is_reading_head:
            return
        self._is_reading_head = True
        try:
            while self._is_head_outdated:
                self._is_head_outdated = False
                header = self._ports.chain.head
                self._feed_head(header, await self._ports.factory.get_validators(header))
        finally:
            self._is_reading_head = False

    def _feed_head(self, header: BlockHeader, validators: Sequence[Address]) -> None:
        if self._is_far_behind(header, validators):
            asyncio.get_running_loop().call_later(BEHIND_POLL_S, self.on_head)
            return
        height = Height(header.number + 1)
        self._process(
            NewHead(
                now_ms=self._ports.clock.now_ms(),
                header=header,
                validators=validators,
                vote=self.votes.choose(height, validators),
            )
        )

    def _is_far_behind(self, header: BlockHeader, validators: Sequence[Address]) -> bool:
        """Whether more than f validators, so at least one honest one, are well ahead of us."""
        heads = self._ports.get_peer_heads()
        ahead = sum(
            heads.get(address, header.number) >= header.number + _BLOCKS_BEHIND
            for address in validators
        )
        return ahead > compute_faulty(len(validators))

    async def _resume(self, signer: Signer) -> None:
        """Follow until enough peers have reported, then sign above anything signed before."""
        ports, store = self._ports, signer.sign_state
        while True:
            head = ports.chain.head
            floor = compute_resume_floor(
                own=signer.key.address,
                own_head=head.number,
                highest_known=store.get_highest_known(),
                validators=await ports.factory.get_validators(head),
                reports=ports.get_peer_heads(),
            )
            if floor is not None:
                break
            await asyncio.sleep(RESUME_POLL_S)
        store.reset(floor)
        finish_resume(store.folder)
        self._is_resuming = False
        await self._begin(self._make_engine(signer))

    def _on_timer(self, timer: Timer) -> None:
        core = self._core
        if core is not None:
            self._guard(lambda: core.on_timer(timer))

    def _process(self, event: Event) -> None:
        core = self._core
        if core is not None:
            self._guard(lambda: core.process(event))

    def _schedule_drain(self) -> None:
        if not self._is_drain_scheduled:
            self._is_drain_scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        self._is_drain_scheduled = False
        core = self._core
        if core is None:
            return

        def work() -> None:
            if core.drain(MESSAGES_PER_TURN):
                self._schedule_drain()

        self._guard(work)

    def _guard(self, duty: Callable[[], None]) -> None:
        if self._is_stopped:
            return
        try:
            duty()
        except Exception as error:  # noqa: BLE001 - whatever it is, the validator must fall silent
            self._stop_for_good(error)

    def _stop_for_good(self, error: BaseException) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._timers.close()
            self._ports.on_fatal(error)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._stop_for_good(error)


class _NoSignState:
    """For a node without a key: there is never anything to persist."""

    def persist(self, record: SignRecord) -> None:
        """Fail, since nothing was signed."""
        raise AssertionError(f"a node without a key signed at height {record.height}")
