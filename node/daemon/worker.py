"""The one thread that executes blocks.

py-evm holds the interpreter's lock while it computes, and the chain allows one writer. So there is
exactly one worker: building, validating and importing queue up behind each other, and the event
loop keeps its timers and sockets. Work that consensus waits for goes before work that it does not.
"""

import asyncio
import heapq
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first when several wait."""

    CONSENSUS = 0
    """Building, validating and importing at the head."""
    SYNC = 1
    """Importing blocks from other nodes."""
    BACKGROUND = 2
    """Reading the registry for others than consensus."""


@dataclass(order=True, slots=True)
class _Job:
    priority: int
    number: int
    function: Callable[[], Any] = field(compare=False)
    future: Future[Any] = field(compare=False)


class Worker:
    """A thread with a queue in order of priority."""

    def __init__(self) -> None:
        self._jobs: list[_Job] = []
        self._number = 0
        self._is_closed = False
        self._condition = threading.Condition()
        # A daemon thread: a block that computes for minutes must not keep a stopping node alive.
        self._thread = threading.Thread(target=self._run, name="chain-worker", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], T], priority: Priority = Priority.CONSENSUS) -> T:
        """Run `function` in the worker thread and return what it returns, or raise its error.

        Raises CancelledError once the worker is closed.
        """
        return await asyncio.wrap_future(self.submit(function, priority))

    def submit(self, function: Callable[[], T], priority: Priority) -> Future[T]:
        """Queue `function`; the future is cancelled at once if the worker is closed."""
        future: Future[T] = Future()
        with self._condition:
            if self._is_closed:
                future.cancel()
                return future
            self._number += 1
            heapq.heappush(self._jobs, _Job(priority, self._number, function, future))
            self._condition.notify()
        return future

    def as_executor(self, priority: Priority) -> Executor:
        """Return the worker in the form that `asyncio` and others take."""
        return _WorkerExecutor(self, priority)

    async def close(self, *, timeout_s: float) -> bool:
        """Finish what runs now, drop what waits; return False if it did not end in time."""
        with self._condition:
            self._is_closed = True
            dropped, self._jobs = self._jobs, []
            self._condition.notify()
        for job in dropped:
            job.future.cancel()
        await asyncio.to_thread(self._thread.join, timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._jobs and not self._is_closed:
                    self._condition.wait()
                if not self._jobs:
                    return
                job = heapq.heappop(self._jobs)
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                result = job.function()
            except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
                job.future.set_exception(error)
            else:
                job.future.set_result(result)


class _WorkerExecutor(Executor):
    """One priority of a worker as a `concurrent.futures.Executor`; others close the worker."""

    def __init__(self, worker: Worker, priority: Priority) -> None:
        self._worker = worker
        self._priority = priority

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call."""
        return self._worker.submit(partial(function, *args, **kwargs), self._priority)
