"""Fills an index with a made-up ledger and kills itself amid a transaction; run by a test.

Words: address of the index, seed, datasets, steps that are begun before the end.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import Engine, event

from scripts.scaling.generating import generate
from scripts.scaling.sizes import Plan, Sizes


def main(url: str, seed: int, datasets: int, last: int) -> None:
    """Begin so many steps after the first, and die amid the last one's rows."""
    steps = 0

    @event.listens_for(Engine, "before_cursor_execute")
    def execute_or_die(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        nonlocal steps
        steps += statement.startswith("UPDATE cursor")
        if steps == last and statement.startswith("INSERT INTO events "):
            os.kill(os.getpid(), signal.SIGKILL)

    plan = Plan(seed=seed, sizes=replace(Sizes().divide(1_000), datasets=datasets))
    with mock.patch("api.index.index.STRETCH", 5):
        asyncio.run(generate(plan, url, is_quiet=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
