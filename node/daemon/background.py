"""Jobs that run beside everything else, none of them unobserved.

A task of asyncio that fails says so only to whoever awaits it. Nobody awaits a job in the
background, so one that fails would end without a word, and the node would go on without what the
job was for: waiting transactions would not be told again, a withdrawn pin would stay trusted. Here
every failure is handed on, and whoever gets it stops the node.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from node.errors import LocalFault, NodeError

_Job = Coroutine[Any, Any, None]


def as_fault(error: BaseException) -> NodeError:
    """Return an error as one of ours: itself, or a bug that has it for its cause."""
    if isinstance(error, NodeError):
        return error
    fault = LocalFault(f"{type(error).__name__}; the log says where")
    fault.__cause__ = error
    return fault


class BackgroundTasks:
    """The jobs of one event loop; to be used on that loop only."""

    def __init__(self, on_failure: Callable[[BaseException], None]) -> None:
        """Tell `on_failure` of every exception that ends a job; a cancelled job is none."""
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, job: _Job, *, name: str | None = None) -> asyncio.Task[None]:
        """Run a job once; returns its task, for whoever wants to cancel it."""
        task = asyncio.create_task(job, name=name)
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._on_done)
        return task

    def repeat(
        self, make_job: Callable[[int], _Job], *, period_s: float, name: str
    ) -> asyncio.Task[None]:
        """Run a job again and again, `period_s` seconds after it ended, until cancelled.

        `make_job` gets the number of the turn, from 1. The first failure ends the repetition.
        """
        return self.spawn(_repeat(make_job, period_s), name=name)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)


async def _repeat(make_job: Callable[[int], _Job], period_s: float) -> None:
    turn = 0
    while True:
        await asyncio.sleep(period_s)
        turn += 1
        await make_job(turn)
