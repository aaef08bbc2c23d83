"""What runs beside the API ends with it, and does not hide how it ended."""

import asyncio

import pytest

from api.background import run_beside


async def test_work_has_ended_when_the_context_is_left() -> None:
    steps = []

    async def work() -> None:
        steps.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("ended")

    async with run_beside(work(), "work"):
        await asyncio.sleep(0)
        assert steps == ["begun"]
        assert "work" in {task.get_name() for task in asyncio.all_tasks()}
    assert steps == ["begun", "ended"]


async def test_fault_of_the_work_is_raised_at_the_end() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        async with run_beside(fail(), "work"):
            await asyncio.sleep(0)


async def test_fault_of_the_context_ends_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def serve() -> None:
        async with run_beside(work(), "work"):
            await asyncio.sleep(0)
            raise ValueError("elsewhere")

    with pytest.raises(ValueError, match="elsewhere"):
        await serve()
    assert ended.is_set()
