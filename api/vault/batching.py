"""Doing together what many callers ask for at the same time.

A transaction costs the same for one document as for a hundred, and so does a step over to a worker
thread. What arrives while one group is under way forms the next; who comes alone waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Groups the calls of one kind; used from the tasks of one event loop at a time."""

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        most: int,
    ) -> None:
        """`run` returns for each item its result or its error; at most `most` items a group."""
        self._run = run
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """Return the item's result, or raise its error."""
        loop = asyncio.get_running_loop()
        if self._runner is not None and self._runner.get_loop() is not loop:
            # The loop of before has ended; whoever waited in it has gone with it.
            self._waiting.clear()
            self._runner = None
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            group = self._waiting[: self._most]
            del self._waiting[: self._most]
            try:
                results = await self._run([item for item, _ in group])
            except asyncio.CancelledError:
                for _, future in (*group, *self._waiting):
                    future.cancel()
                self._waiting.clear()
                raise
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                results = [error] * len(group)
            for (_, future), result in zip(group, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
