"""The worker thread: one job at a time, consensus first, errors where they are awaited."""

import asyncio
import threading
from functools import partial

import pytest

from node.daemon.worker import Priority, Worker


async def test_worker_returns_results_and_raises_errors() -> None:
    worker = Worker()
    assert await worker.run(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert await worker.close(timeout_s=5)


async def test_worker_runs_one_job_at_a_time_in_order_of_priority() -> None:
    worker = Worker()
    gate = threading.Event()
    order: list[str] = []
    jobs: list[asyncio.Task[object]] = [asyncio.create_task(worker.run(gate.wait))]
    await asyncio.sleep(0)
    for name, priority in (
        ("background", Priority.BACKGROUND),
        ("sync", Priority.SYNC),
        ("consensus 1", Priority.CONSENSUS),
        ("consensus 2", Priority.CONSENSUS),
    ):
        jobs.append(asyncio.create_task(worker.run(partial(order.append, name), priority)))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*jobs)
    assert order == ["consensus 1", "consensus 2", "sync", "background"]
    assert await worker.close(timeout_s=5)


async def test_worker_close_finishes_what_runs_and_drops_what_waits() -> None:
    worker = Worker()
    gate = threading.Event()
    started = threading.Event()
    ran: list[str] = []

    def current() -> str:
        started.set()
        gate.wait()
        return "done"

    first = asyncio.create_task(worker.run(current))
    await asyncio.to_thread(started.wait)
    second = asyncio.create_task(worker.run(lambda: ran.append("second")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(worker.close(timeout_s=5))
    await asyncio.sleep(0)
    gate.set()
    assert await closing
    assert await first == "done"
    with pytest.raises(asyncio.CancelledError):
        await second
    assert ran == []
    with pytest.raises(asyncio.CancelledError):
        await worker.run(lambda: None)


async def test_worker_that_computes_too_long_is_left_behind() -> None:
    worker = Worker()
    gate = threading.Event()
    started = threading.Event()

    def long() -> None:
        started.set()
        gate.wait()

    job = asyncio.create_task(worker.run(long))
    await asyncio.to_thread(started.wait)
    assert not await worker.close(timeout_s=0.01)
    gate.set()
    await job
