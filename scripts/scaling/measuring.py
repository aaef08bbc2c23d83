"""Asking a filled index through the real REST application, and how long each answer takes.

The application is the one that a node serves, in this process, over the index of the made-up
ledger; a request goes over a socket of this machine and its answer is read to its end.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from rich.console import Console
from rich.progress import track

from api.app import Services, build_app
from api.collector import spare_survivors
from api.rest.app import build_rest_surface
from api.rest.opening import RestSettings, open_services
from api.settings import ApiSettings
from scripts.scaling.chain import MadeChain
from scripts.scaling.keeping import Stores
from scripts.scaling.life import ANSWER_S
from scripts.scaling.operations import Asked, list_requests
from scripts.scaling.own_lists import list_own_requests
from scripts.scaling.own_rows import OwnSizes
from scripts.scaling.sizes import Plan

TARGET_MS: Final = 50.0
"""What 99 of 100 answers of every list stay under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One list with one set of filters."""

    name: str
    answers: int
    p50_ms: float
    p99_ms: float
    slowest: str
    """The slowest request."""


class Unanswered(Exception):
    """A list did not answer as it should."""


async def measure(
    plan: Plan,
    url: str,
    *,
    turns: int,
    repeats: int = 1,
    every: int = 1,
    is_quiet: bool = False,
    own: tuple[Stores, OwnSizes] | None = None,
    only: Sequence[str] = (),
) -> list[Timing]:
    """Ask everything `turns` times with different values; returns the slowest first.

    A turn of values of its own is asked beforehand and not timed: a process that has just begun has
    still to load what it knows of the registry and to prepare its statements, and its database to
    read its indexes. With `every`, only each so-manieth request is sent. Each is sent `repeats`
    times, of which the fastest counts: on a machine that other programs share, more than one tells
    what the index takes rather than what the others do. With `own`, the lists of the agency's vault
    and outbox are asked too; with `only`, no lists but these. Raises `Unanswered` for any answer
    but 200.
    """
    chain = MadeChain(plan)
    took_ms: dict[str, list[tuple[float, str]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="atesta-scale-") as folder:
        services = open_services(
            _place(url, Path(folder), None if own is None else own[0]),
            raw=chain,
            accounts=[],
            # Some days after the last block: whatever is still open is overdue.
            now=lambda: float(chain.get_time_s(chain.last_block) + ANSWER_S),
        )
        app = build_app(Services(surfaces=(build_rest_surface(services),)), ApiSettings())
        server = TestServer(app)
        # Not the client of the test tools: it keeps every answer it ever had.
        client: ClientSession | None = None
        try:
            block = await services.index.get_block()
            if block != chain.last_block:
                raise Unanswered(f"the index stands at block {block} of {chain.last_block}")
            await server.start_server()
            client = ClientSession(server.make_url("/v1/"))

            def list_turn(turn: int) -> list[Asked]:
                found = [*list_requests(chain, turn)]
                if own is not None:
                    found += list_own_requests(plan, own[1], turn)
                return [one for one in found if not only or one.name.split()[0] in only]

            asked = [one for turn in range(turns) for one in list_turn(turn)][::every]
            console = Console(stderr=True, quiet=is_quiet)
            with spare_survivors():  # as the daemon does once it has started
                for one in track(list_turn(turns)[::every], "before", console=console):
                    await _ask(client, one)
                for one in track(asked, "requests", console=console):
                    async for page in _follow(client, one):
                        fastest = min([await _ask(client, page) for _ in range(repeats)])
                        took_ms[one.name].append((fastest, f"{page.path} {page.query}"))
        finally:
            if client is not None:
                await client.close()
            await server.close()
            services.close()
    timings = [_sum_up(name, entries) for name, entries in took_ms.items()]
    return sorted(timings, key=lambda timing: -timing.p99_ms)


def _place(url: str, folder: Path, stores: Stores | None) -> RestSettings:
    if stores is None:
        return RestSettings(index=url, outbox=folder / "outbox.sqlite", vault=folder)
    return RestSettings(
        index=url, outbox=stores.outbox, vault=stores.vault, vault_key_file=stores.key_file
    )


async def _follow(client: ClientSession, one: Asked) -> AsyncIterator[Asked]:
    """Give the requests of all pages that are wanted, or of as many as there are."""
    yield one
    for _ in range(one.pages - 1):
        async with client.get(one.path.removeprefix("/"), params=one.query) as response:
            cursor = (await response.json())["next"]
        if cursor is None:
            return
        one = replace(one, query={**one.query, "cursor": cursor})
        yield one


async def _ask(client: ClientSession, one: Asked) -> float:
    started = time.perf_counter()
    async with client.get(one.path.removeprefix("/"), params=one.query) as response:
        body = await response.read()
    took_ms = (time.perf_counter() - started) * 1000
    if response.status != 200:
        raise Unanswered(f"{one.path} {one.query}: {response.status} {body[:300].decode()}")
    return took_ms


def _sum_up(name: str, entries: Sequence[tuple[float, str]]) -> Timing:
    ordered = sorted(entries)
    return Timing(
        name=name,
        answers=len(ordered),
        p50_ms=ordered[len(ordered) // 2][0],
        p99_ms=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)][0],
        slowest=ordered[-1][1],
    )


def build_report(timings: Sequence[Timing]) -> Mapping[str, Any]:
    """Return all timings as one document."""
    return {
        "target_ms": TARGET_MS,
        "missed": sum(timing.p99_ms > TARGET_MS for timing in timings),
        "lists": [
            {
                "name": timing.name,
                "answers": timing.answers,
                "p50_ms": round(timing.p50_ms, 2),
                "p99_ms": round(timing.p99_ms, 2),
                "slowest": timing.slowest,
            }
            for timing in timings
        ],
    }
