"""One simulated node: the real core and engine on a virtual clock, network and disk."""

import math
from collections.abc import Callable, Iterable
from typing import cast

from consensus.block import Block
from consensus.effects import BuildBlock, ValidateBlock
from consensus.engine import Engine
from consensus.errors import InvalidHeader, PeerFault
from consensus.events import (
    BlockBuilt,
    BlockValidated,
    ImportFailed,
    NewHead,
    Timer,
    TimerKind,
    TransactionsPending,
)
from consensus.payloads import MessageCode
from consensus.round_state import Verdict
from consensus.sign_state import SignIdentity, SignRecord, SignState
from consensus.signatures import ValidatorKey
from consensus.types import Height
from node.validator.core import CorePorts, ValidatorCore
from node.validator.errors import SignStateUnusable
from node.validator.pending_votes import PendingVotes
from tests.simulation.model_chain import GENESIS_TIME_S, SimChain
from tests.simulation.network import Packet
from tests.simulation.node_journal import NodeJournal
from tests.simulation.node_loop import NodeLoop
from tests.simulation.node_resume import find_floor
from tests.simulation.simulated_disk import Crashed, SimDisk
from tests.simulation.world import Temper, World, describe

MAX_TRANSACTIONS = 5
SYNC_BATCH = 10
HEAD_PERIOD_MS = 1_000
UNSYNCED_MS = 20
"""A transaction is on disk so long after it came; a crash before that loses it."""


class SimNode:
    """A node with everything that survives its crashes; implements all ports of the core."""

    def __init__(self, name: str, key: ValidatorKey | None, chain: SimChain, world: World) -> None:
        self.name = name
        self.key = key
        self.chain = chain
        self.world = world
        self.peers: tuple[str, ...] = ()
        self.temper = Temper()
        self.is_honest = True
        self.votes = PendingVotes(chain.rules.config)
        self.loop = NodeLoop(world.clockwork)
        self.journal = NodeJournal(name, world, lambda: self.is_honest)
        self.evidence, self.rejected = self.journal.evidence, self.journal.rejected
        self.rounds_seen = self.journal.rounds_seen
        self.fault = ""
        """Why the last import failed."""
        self.core: ValidatorCore | None = None
        self._unsynced: dict[bytes, int] = {}
        self._timers: dict[TimerKind, Timer] = {}
        self._copies: set[int] = set()  # numbers of broadcasts that came
        self._head_before_crash = 0
        self.peer_heads: dict[str, int] = {}
        self.must_resume = False
        if key is not None:
            self.identity = SignIdentity(
                chain_id=7,
                genesis_hash=chain.entries[0].block_hash,
                validator=key.address,
            )
            self._put_in_disk()
            self.disk.create_sign_state(self.identity)

    # Life

    @property
    def is_up(self) -> bool:
        return self.core is not None

    @property
    def head(self) -> int:
        return self.chain.head.number

    def start(self) -> None:
        assert self.core is None
        self.world.monitor.on_restart(self.name, self.head, self._head_before_crash)
        self.peer_heads.clear()
        self._begin()
        self._announce_head()
        if self.must_resume:
            self.later(HEAD_PERIOD_MS, lambda _core: self._try_to_resume())

    def wipe(self, empty_chain: SimChain) -> None:
        """Lose everything on disk; the operator asks to resume."""
        assert self.core is None
        self.chain = empty_chain
        self._head_before_crash = 0
        if self.key is not None:
            self._put_in_disk()
            self.must_resume = True
        self.world.say(f"{self.name} has lost its disk")

    def _put_in_disk(self) -> None:
        self.disk = SimDisk(self.world.clockwork)
        self.sign_store = self.disk.open_sign_store(self.identity)

    def _begin(self) -> None:
        """Make a fresh core above the head, with the key if it may sign."""
        self.loop.die()
        self._timers.clear()
        self._copies.clear()
        sign_state = self._find_sign_state()
        key = None if sign_state is None else self.key
        engine = Engine(rules=self.chain.rules, key=key, sign_state=sign_state)
        ports = CorePorts(
            clock=self,
            timers=self,
            broadcaster=self,
            sign_states=self,
            jobs=self,
            transactions=self,
            evidence=self.journal,
            observer=self.journal,
        )
        self.world.changes += 1
        self.core = ValidatorCore(engine, ports, decode=self.world.decode)
        self.feed_head()

    def _try_to_resume(self) -> None:
        floor = find_floor(self, self.peer_heads)
        if floor is None:
            self.later(HEAD_PERIOD_MS, lambda _core: self._try_to_resume())
            return
        self.sign_store.reset(floor)
        self.must_resume = False
        self.world.say(f"{self.name} resumes above height {floor}")
        self._begin()
        self._announce_head()

    def _find_sign_state(self) -> SignState | None:
        """Return the sign state; None if there is none to use, then the operator asks to resume."""
        if self.key is None or self.must_resume:
            return None
        is_torn = self.is_honest and bool(self.disk.torn)
        try:
            sign_state = self.load_sign_state()
        except SignStateUnusable as fault:
            self.world.monitor.on_refusal(self.name, str(fault), is_torn=is_torn)
            self.world.say(f"{self.name} refuses, so it is asked to resume: {fault.message}")
            self.must_resume = True
            return None
        if self.is_honest:
            self.world.monitor.on_signing(self.name, is_torn=is_torn)
            self._show_durable(sign_state.record)
        return sign_state

    def load_sign_state(self) -> SignState:
        return self.sign_store.load()

    def crash(self) -> None:
        self.loop.die()
        self._head_before_crash = self.head
        self.core = None
        self.world.changes += 1
        self.temper.crash_in_persist = None
        if self.key is not None:
            self.disk.crash()
        for transaction, arrived_ms in self._unsynced.items():
            if arrived_ms + UNSYNCED_MS > self.world.clockwork.now_ms:
                self.chain.pool.pop(transaction, None)
        self._unsynced.clear()
        self.world.say(f"{self.name} crashes")

    def later(self, delay_ms: int, duty: Callable[[ValidatorCore], None]) -> None:
        """Do `duty` after a delay, unless the node has crashed by then."""
        self.loop.later(delay_ms, lambda: self.guard(duty))

    def guard(self, duty: Callable[[ValidatorCore], None]) -> None:
        assert self.core is not None
        try:
            duty(self.core)
        except Crashed:
            self.crash()
            return
        if self.is_honest and self.core is not None:
            self.world.monitor.on_step(self.name, self.core.engine)

    # Network

    def receive(self, source: str, packet: Packet) -> None:
        if self.loop.is_free:
            if self.core is not None:
                self._receive(source, packet)
        else:
            self.loop.enter(lambda: self._receive(source, packet))

    def _receive(self, source: str, packet: Packet) -> None:
        if (kind := packet[0]) == "consensus":
            self._take_in(packet, source)
        elif kind == "head":
            self.peer_heads[source] = number = cast("int", packet[1])
            if number > self.head:
                self.world.network.send(self.name, source, ("want", self.head + 1))
        elif kind == "want":
            first = cast("int", packet[1])
            blocks = tuple(e.block for e in self.chain.entries[first : first + SYNC_BATCH])
            if blocks:
                self.world.network.send(self.name, source, ("blocks", blocks))
        else:
            self._sync(cast("tuple[Block, ...]", packet[1]))

    def _take_in(self, packet: Packet, source: str) -> None:
        _, code, payload, number = cast("tuple[str, int, bytes, int]", packet)
        network = self.world.network
        is_known = number in self._copies
        if is_known and not network.quality.duplicate:
            return  # as gossip does; a network that duplicates gets copies past it
        self._copies.add(number)
        assert self.core is not None
        try:
            is_relevant = self.core.take_in(code, payload, source)
        except PeerFault as fault:
            self.rejected.append(str(fault))
            return
        self.guard(_drain)
        must_relay = (network.cut or network.has_relays) and not is_known
        if self.is_up and is_relevant and must_relay:
            for peer in self.peers:
                if peer != source:
                    network.send(self.name, peer, packet)

    def _sync(self, blocks: tuple[Block, ...]) -> None:
        head = self.head
        for block in blocks:
            if not self._import(block):
                break
        if self.head > head:
            self.feed_head()

    def _announce_head(self) -> None:
        for peer in self.peers:
            self.world.network.send(self.name, peer, ("head", self.head))
        self.later(HEAD_PERIOD_MS, lambda _core: self._announce_head())

    # Chain

    def feed_head(self) -> None:
        chain = self.chain
        height = Height(chain.head.number + 1)
        self.guard(
            lambda core: core.process(
                NewHead(
                    now_ms=self.now_ms(),
                    header=chain.head,
                    validators=chain.validators,
                    vote=self.votes.choose(height, chain.validators),
                )
            )
        )

    def submit(self, transactions: Iterable[bytes]) -> None:
        if self.core is not None:
            self.loop.enter(lambda: self._take_transactions(transactions))

    def _take_transactions(self, transactions: Iterable[bytes]) -> None:
        was_empty = not self.chain.pool
        for transaction in transactions:
            self.chain.add_transaction(transaction)
            self._unsynced[transaction] = self.world.clockwork.now_ms
        if was_empty and self.chain.pool:
            now_ms = self.now_ms()
            self.guard(lambda core: core.process(TransactionsPending(now_ms=now_ms)))

    def _import(self, block: Block) -> bool:
        if block.header.number <= self.head:
            return True
        before = self.chain.entries[-1]
        try:
            self.chain.import_block(block, self.now_ms() / 1000)
        except InvalidHeader as fault:
            self.world.say(f"{self.name} cannot import {block.header.number}: {fault}")
            self.fault = str(fault)
            return False
        entry = self.chain.entries[-1]
        self.world.changes += 1
        if self.world.is_traced:
            name = entry.block_hash.hex()[:8]
            self.world.say(f"{self.name} final height {block.header.number} block {name}")
        if self.is_honest:
            self.world.monitor.on_final(self.name, entry, before)
        return True

    # Ports of the core

    def now_ms(self) -> int:
        elapsed_ms = self.loop.now_ms
        skew_ms = self.temper.clock_offset_ms + elapsed_ms * self.temper.clock_drift
        return GENESIS_TIME_S * 1000 + elapsed_ms + int(skew_ms)

    def set(self, timer: Timer, delay_ms: int) -> None:
        self._timers[timer.kind] = timer

        def expire(core: ValidatorCore) -> None:
            if self._timers.get(timer.kind) is not timer:
                return
            if self.is_honest and timer.kind is TimerKind.ROUND:
                self.world.monitor.on_round_over(timer.height, timer.round)
            core.on_timer(timer)

        self.later(math.ceil(delay_ms * (1 - self.temper.clock_drift)), expire)

    def broadcast(self, code: MessageCode, payload: bytes) -> None:
        self.loop.then(lambda: self.send(code, payload))

    def send(self, code: MessageCode, payload: bytes) -> None:
        message = self.world.decode(code, payload)
        if self.is_honest:
            self.world.monitor.on_sent(self.name, message, payload, self.head)
        if self.world.is_traced:
            self.world.say(f"{self.name} sends {describe(message)}")
        packet = self.world.pack(int(code), payload)
        for peer in self.peers:
            self.world.network.send(self.name, peer, packet)

    def persist(self, record: SignRecord) -> None:
        self.disk.crash_at = self.temper.crash_in_persist
        duration_ms = 0 if self.disk.crash_at else self.temper.disk_ms
        with self.disk.taking(self.loop.now_ms, duration_ms):
            self.sign_store.persist(record)
        self.loop.wait(duration_ms)
        if self.is_honest:
            self.loop.then(lambda: self._show_durable(record))
        self.disk.reach("after")

    def _show_durable(self, record: SignRecord) -> None:
        monitor = self.world.monitor
        monitor.on_durable(self.name, record.message)
        if not record.is_floor:
            monitor.on_new_place(self.name, record.identity.validator, record.place)

    def build(self, effect: BuildBlock) -> None:
        def finish(core: ValidatorCore) -> None:
            if effect.parent.number != self.head:
                return
            block = self.chain.build(
                effect.parent,
                effect.timestamp,
                effect.coinbase,
                effect.extra_data,
                MAX_TRANSACTIONS,
            )
            core.process(
                BlockBuilt(
                    now_ms=self.now_ms(), height=effect.height, round=effect.round, block=block
                )
            )

        self.later(min(self.temper.execution_ms, effect.budget_ms), finish)

    def validate(self, effect: ValidateBlock) -> None:
        is_cut_off = self.temper.execution_ms > effect.budget_ms

        def finish(core: ValidatorCore) -> None:
            if effect.parent.number != self.head:
                return
            fault = self.chain.find_fault(effect.block, self.now_ms() / 1000)
            verdict = Verdict.VALID if fault is None else Verdict.INVALID
            core.process(
                BlockValidated(
                    now_ms=self.now_ms(),
                    height=effect.height,
                    round=effect.round,
                    digest=effect.digest,
                    verdict=Verdict.CUT_OFF if is_cut_off else verdict,
                    reason=fault or "",
                )
            )

        self.later(min(self.temper.execution_ms, effect.budget_ms), finish)

    def import_block(self, block: Block) -> None:
        def finish(core: ValidatorCore) -> None:
            if self._import(block):
                self.feed_head()
            else:
                if self.is_honest:
                    self.world.monitor.on_unusable(self.name, block.header.number, self.fault)
                core.process(ImportFailed(now_ms=self.now_ms(), height=block.header.number))

        self.later(1 + self.temper.disk_ms, finish)

    def has_transactions(self) -> bool:
        return bool(self.chain.pool)


def _drain(core: ValidatorCore) -> None:
    core.drain()
