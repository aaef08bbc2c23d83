"""Fills an index with a made-up ledger and kills itself amid a transaction; run by a test.

Words: address of the index, seed, datasets, events before the end.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from unittest import mock

from sqlalchemy import Connection

from api.index import events
from api.index.placed_event import PlacedEvent
from scripts.scaling.generating import generate
from scripts.scaling.sizes import Plan, Sizes


def main(url: str, seed: int, datasets: int, last: int) -> None:
    """Write so many events, not counting attestations, then die."""
    written = 0
    process = events.process_event

    def process_or_die(connection: Connection, event: PlacedEvent) -> None:
        nonlocal written
        written += 1
        if written > last:
            os.kill(os.getpid(), signal.SIGKILL)
        process(connection, event)

    plan = Plan(seed=seed, sizes=replace(Sizes().divide(1_000), datasets=datasets))
    with (
        mock.patch("api.index.index.STRETCH", 5),
        mock.patch("api.index.events.process_event", process_or_die),
    ):
        asyncio.run(generate(plan, url, is_quiet=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
