"""The one thread that executes blocks.

py-evm holds the interpreter's lock while it computes, and the chain allows one writer. So there is
exactly one worker: building, validating and importing queue up behind each other, and the event
loop keeps its timers and sockets. Work that consensus waits for goes before work that it does not.
"""

import asyncio
import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

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
    future: asyncio.Future[Any] = field(compare=False)


class Worker:
    """A thread with a queue. Create and close it on the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: list[_Job] = []
        self._number = 0
        self._is_closed = False
        self._condition = threading.Condition()
        # A daemon thread: a block that computes for minutes must not keep a stopping node alive.
        self._thread = threading.Thread(target=self._run, name="chain-worker", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], T], priority: Priority = Priority.CONSENSUS) -> T:
        """Run `function` in the worker thread and return what it returns, or raise its error."""
        future: asyncio.Future[T] = self._loop.create_future()
        with self._condition:
            if self._is_closed:
                raise asyncio.CancelledError
            self._number += 1
            heapq.heappush(self._jobs, _Job(priority, self._number, function, future))
            self._condition.notify()
        return await future

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
            if job.future.cancelled():
                continue
            try:
                result = job.function()
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
                self._tell(job.future, None, error)
            else:
                self._tell(job.future, result, None)

    def _tell(
        self, future: asyncio.Future[Any], result: object, error: BaseException | None
    ) -> None:
        def set_outcome() -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(set_outcome)
