"""Timers and block jobs on an asyncio loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from consensus.block import Block
from consensus.effects import BuildBlock, ValidateBlock
from consensus.events import BlockBuilt, BlockValidated, Event, ImportFailed, Timer, TimerKind
from consensus.round_state import Verdict
from node.chain.errors import DeadlineExceeded, InvalidBlock
from node.errors import OperationalFault, PeerFault
from node.validator.ports import BlockFactory, Clock

MS_PER_S = 1_000


class LoopTimers:
    """At most one pending call of the loop per kind of timer."""

    def __init__(self, on_timer: Callable[[Timer], None]) -> None:
        self._on_timer = on_timer
        self._handles: dict[TimerKind, asyncio.TimerHandle] = {}

    def set(self, timer: Timer, delay_ms: int) -> None:
        """Call back with `timer` after `delay_ms`, forgetting an earlier one of its kind."""
        self._cancel(timer.kind)
        loop = asyncio.get_running_loop()
        self._handles[timer.kind] = loop.call_later(delay_ms / MS_PER_S, self._on_timer, timer)

    def close(self) -> None:
        """Forget all timers."""
        for kind in tuple(self._handles):
            self._cancel(kind)

    def _cancel(self, kind: TimerKind) -> None:
        handle = self._handles.pop(kind, None)
        if handle is not None:
            handle.cancel()


class WorkerJobs:
    """Runs block jobs through a `BlockFactory` and turns their outcome into events.

    What a block makes the executor do is its proposer's fault: any failure of building or
    validating costs that block, not this node. A failing disk or database is ours.
    """

    def __init__(
        self,
        factory: BlockFactory,
        clock: Clock,
        *,
        deliver: Callable[[Event], None],
        on_imported: Callable[[], Coroutine[Any, Any, None]],
        on_fatal: Callable[[BaseException], None],
        on_trouble: Callable[[str, BaseException], None],
    ) -> None:
        self._factory = factory
        self._clock = clock
        self._deliver = deliver
        self._on_imported = on_imported
        self._on_fatal = on_fatal
        self._on_trouble = on_trouble
        self._tasks: set[asyncio.Task[None]] = set()

    def build(self, effect: BuildBlock) -> None:
        """Start building; ends in BlockBuilt, or in nothing but a log entry."""
        self._start(self._build(effect), "build")

    def validate(self, effect: ValidateBlock) -> None:
        """Start executing a proposal; ends in BlockValidated."""
        self._start(self._validate(effect), "validate")

    def import_block(self, block: Block) -> None:
        """Start importing a final block; ends in NewHead or ImportFailed."""
        self._start(self._import(block), "import")

    async def close(self) -> None:
        """Give up what is running; the worker thread finishes its current job by itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _build(self, effect: BuildBlock) -> None:
        try:
            block = await self._factory.build(
                parent=effect.parent,
                timestamp=effect.timestamp,
                coinbase=effect.coinbase,
                extra_data=effect.extra_data,
                budget_s=effect.budget_ms / MS_PER_S,
            )
        except OperationalFault as fault:
            if not isinstance(fault, DeadlineExceeded):
                raise
            self._on_trouble("build", fault)
            return
        except Exception as error:  # noqa: BLE001 - the next proposer may do better
            self._on_trouble("build", error)
            return
        self._deliver(
            BlockBuilt(
                now_ms=self._clock.now_ms(),
                height=effect.height,
                round=effect.round,
                block=block,
            )
        )

    async def _validate(self, effect: ValidateBlock) -> None:
        verdict, reason = Verdict.VALID, ""
        try:
            await self._factory.validate(effect.block, budget_s=effect.budget_ms / MS_PER_S)
        except DeadlineExceeded as fault:
            verdict, reason = Verdict.CUT_OFF, str(fault)
        except PeerFault as fault:
            verdict, reason = Verdict.INVALID, str(fault)
        except OperationalFault:
            raise
        except Exception as error:  # noqa: BLE001 - a block that upsets the executor is no block
            self._on_trouble("validate", error)
            verdict, reason = Verdict.INVALID, f"the executor failed: {error}"
        self._deliver(
            BlockValidated(
                now_ms=self._clock.now_ms(),
                height=effect.height,
                round=effect.round,
                digest=effect.digest,
                verdict=verdict,
                reason=reason,
            )
        )

    async def _import(self, block: Block) -> None:
        try:
            await self._factory.import_block(block)
        except InvalidBlock as fault:
            self._on_trouble("import", fault)
            self._deliver(ImportFailed(now_ms=self._clock.now_ms(), height=block.header.number))
            return
        await self._on_imported()

    def _start(self, job: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(job, name=f"consensus-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_fatal(error)
