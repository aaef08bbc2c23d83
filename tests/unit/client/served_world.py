"""Agencies of one ledger in memory, each served on a port of its own, for blocking programs.

The ledger and the agencies live in a thread; what is promised there is put into a block at once.
The ledger's clock is this machine's, so that programs may say "now".
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import structlog

from api.imports.worker import run_imports
from api.networks.network import OURS, Network
from api.server import serve
from api.settings import ApiSettings
from tests.unit.rest.ledger_world import Agency, FakeLedger

NUMBERS = {"laboratory": 1, "bureau": 2, "commission": 3, "supervisor": 4}
"""Their places in the development ledger, by which they have their published keys."""

_PAUSE_S = 0.01


@contextmanager
def serve_agencies(
    folder: Path, names: Sequence[str], *, network: Network = OURS
) -> Iterator[dict[str, str]]:
    """Serve agencies until the block is left; yields their addresses by name."""
    # What the servers log would stand in the middle of what the programs print.
    logging_before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    ready: asyncio.Future[dict[str, str]] = loop.create_future()
    stop = asyncio.Event()
    served = asyncio.run_coroutine_threadsafe(_serve(folder, names, network, ready, stop), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(_wait(ready, served), loop).result(60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        try:
            served.result(60)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
            structlog.configure(**logging_before)


async def _wait(
    ready: "asyncio.Future[dict[str, str]]", served: "concurrent.futures.Future[None]"
) -> dict[str, str]:
    while not ready.done():
        assert not served.done(), served.exception()
        await asyncio.sleep(_PAUSE_S)
    return ready.result()


async def _serve(
    folder: Path,
    names: Sequence[str],
    network: Network,
    ready: "asyncio.Future[dict[str, str]]",
    stop: asyncio.Event,
) -> None:
    ledger = FakeLedger()
    ledger.now_s = int(time.time())
    ledger.mine()
    agencies = {
        name: Agency(ledger, folder / name, NUMBERS[name], network=network) for name in names
    }
    async with AsyncExitStack() as stack:
        urls = {}
        for name, agency in agencies.items():
            stack.callback(agency.services.close)
            await stack.enter_async_context(run_imports(agency.services))
            app = agency.build_app()
            urls[name] = await stack.enter_async_context(serve(app, ApiSettings(port=0)))
        ready.set_result(urls)
        while not stop.is_set():
            await _settle(ledger, list(agencies.values()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_S)


async def _settle(ledger: FakeLedger, agencies: Sequence[Agency]) -> None:
    for agency in agencies:
        await agency.services.outbox.turn()
    # The clock of the ledger follows the machine's, but never goes back.
    ledger.now_s = max(ledger.now_s, int(time.time()) - 1)
    if ledger.waiting:
        ledger.mine()
    for agency in agencies:
        await agency.services.outbox.turn()
        await agency.services.index.catch_up()
