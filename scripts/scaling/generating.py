"""Filling an index with a made-up ledger, by the index's own way of following a chain.

Rows and cursor are written together, so whatever ends the process, the next run of the same seed
and size goes on where the index stands. Another seed or size is another ledger, which the index
refuses.
"""

import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from sqlalchemy import Connection, func, select

from api.databases import open_database
from api.index import tables
from api.index.index import Index
from api.ledger import Ledger
from scripts.scaling.chain import MadeChain
from scripts.scaling.sizes import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What is in the index after a run."""

    blocks: int
    """Blocks that this run wrote."""
    events: int
    """Events that this run wrote."""
    seconds: float
    rows: dict[str, int]
    """Rows of each table, all runs together."""


async def generate(plan: Plan, url: str, *, is_quiet: bool = False) -> Filled:
    """Follow the plan's chain to its end; raises `IndexMismatch` in front of another ledger."""
    chain = MadeChain(plan)
    database = open_database(url, tables.METADATA, name="index")
    try:
        index = Index(database=database, ledger=Ledger(chain))
        first, before = await index.get_block() + 1, (await database.read(_count))["events"]
        columns = (
            TextColumn("blocks"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        started = time.monotonic()
        console = Console(stderr=True, quiet=is_quiet)
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("blocks", total=chain.last_block + 1, completed=first)
            reached = await index.catch_up(
                lambda done, total: progress.update(bar, completed=done, total=total)
            )
        seconds = time.monotonic() - started
        rows = await database.read(_count)
    finally:
        database.close()
    return Filled(
        blocks=reached + 1 - first, events=rows["events"] - before, seconds=seconds, rows=rows
    )


def _count(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables.METADATA.sorted_tables
    }
