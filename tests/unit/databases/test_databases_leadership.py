"""Of several processes one leads; when it goes, another takes over."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine

from api import leadership
from api.databases import Database, open_database
from api.leadership import Leadership

ROOT = Path(__file__).parents[3]


class Duty:
    """Counts how many do the work at once."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.taken: asyncio.Queue[str] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        self.now += 1
        self.most = max(self.most, self.now)
        self.taken.put_nowait(name)
        try:
            yield
        finally:
            self.now -= 1


@pytest.fixture(autouse=True)
def _ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "ASK_S", 0.02)


def open_two(url: str) -> tuple[Database, Database]:
    first, second = (open_database(url, MetaData(), name="index") for _ in range(2))
    return first, second


async def test_leadership_passes_on_when_the_leader_ends(database_url: str) -> None:
    first, second = open_two(database_url)
    duty = Duty()
    one, two = Leadership(first, "index"), Leadership(second, "index")
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        leading = await stack.enter_async_context(contextlib.AsyncExitStack())
        await leading.enter_async_context(one.run(lambda: duty.of("one")))
        assert await duty.taken.get() == "one"
        await stack.enter_async_context(two.run(lambda: duty.of("two")))
        await asyncio.sleep(0.1)
        assert (one.is_leader, two.is_leader) == (True, False)
        await leading.aclose()
        assert await duty.taken.get() == "two"
        assert (one.is_leader, two.is_leader) == (False, True)
    assert (duty.most, duty.now) == (1, 0)
    first.close()
    second.close()


async def test_leadership_of_another_work_is_another(database_url: str) -> None:
    first, second = open_two(database_url)
    duty = Duty()
    async with (
        asyncio.timeout(60),
        Leadership(first, "index").run(lambda: duty.of("index")),
        Leadership(second, "webhooks").run(lambda: duty.of("webhooks")),
    ):
        assert {await duty.taken.get(), await duty.taken.get()} == {"index", "webhooks"}
    first.close()
    second.close()


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
async def test_leader_whose_connection_is_cut_gives_up_the_work(database_url: str) -> None:
    first, second = open_two(database_url)
    duty = Duty()
    async with (
        asyncio.timeout(60),
        Leadership(first, "index").run(lambda: duty.of("one")),
        Leadership(second, "index").run(lambda: duty.of("two")),
    ):
        leader = await duty.taken.get()
        for _ in range(3):
            await asyncio.to_thread(cut_locks, database_url)
            leader = await duty.taken.get()
    assert leader in {"one", "two"}
    assert duty.now == 0
    first.close()
    second.close()


def cut_locks(url: str) -> None:
    """End the connections that hold the leader's lock."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
    engine.dispose()


@pytest.mark.processes
def test_leader_that_is_killed_is_followed_by_another_process(database_url: str) -> None:
    with contextlib.ExitStack() as stack:

        def start() -> subprocess.Popen[str]:
            return stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.unit.databases.leading_process", database_url],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                )
            )

        def hear(process: subprocess.Popen[str]) -> str:
            assert process.stdout is not None
            return process.stdout.readline().strip()

        first = start()
        assert {hear(first), hear(first)} == {"ready", "leads"}
        second = start()
        assert hear(second) == "ready"
        first.kill()
        assert hear(second) == "leads"
        second.communicate("end\n", timeout=30)
        assert second.returncode == 0
