"""Jobs in the background: a failure is always heard of, a cancelled job is no failure."""

import asyncio

from node.daemon.background import BackgroundTasks


async def test_background_job_that_fails_at_a_later_turn_is_told() -> None:
    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    turns: list[int] = []

    async def tick(turn: int) -> None:
        turns.append(turn)
        if turn == 3:
            raise RuntimeError("a turn of the test")

    BackgroundTasks(failed.set_result).repeat(tick, period_s=0, name="ticks")
    error = await asyncio.wait_for(failed, timeout=10)
    assert str(error) == "a turn of the test"
    await asyncio.sleep(0)
    assert turns == [1, 2, 3]


async def test_background_job_that_is_cancelled_is_no_failure() -> None:
    failures: list[BaseException] = []
    tasks = BackgroundTasks(failures.append)

    async def rest(_turn: int) -> None:
        await asyncio.sleep(3_600)

    repeated = tasks.repeat(rest, period_s=0, name="ticks")
    once = tasks.spawn(rest(1))
    await asyncio.sleep(0)
    for task in (repeated, once):
        task.cancel()
    await asyncio.wait({repeated, once})
    assert failures == []
