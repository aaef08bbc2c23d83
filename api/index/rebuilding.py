"""Reading the chain anew while the API serves, by one command with progress.

Whoever leads does the reading: a running API process if there is one, else the process of the
command, also if that API process ends half way. Lists answer all the while, up to the block that is
there.
"""

import asyncio
from typing import Final

from api.errors import UpstreamFault
from api.index.index import Index, Progress
from api.leadership import Leadership
from api.ledger import Ledger

LOOK_S: Final = 0.2
"""Pause between two looks at how far the reading is."""

CLEAR_ATTEMPTS: Final = 3
"""A query that is under way may stand in the way of emptying the tables."""


async def rebuild(
    index: Index, *, ledger: Ledger, lead: Leadership, progress: Progress | None = None
) -> int:
    """Empty the index and wait until it has the present last block; returns its height.

    Raises `IndexMismatch` if the chain itself does not fit together, and `UpstreamFault` if node or
    database are out of reach.
    """
    head = (await ledger.get_head()).number
    await _clear(index)
    async with index.watch(), lead.run(index.run):
        while True:
            if index.mismatch is not None:
                raise index.mismatch
            done = await index.get_followed_block()
            if progress is not None:
                progress(min(done, head) + 1, head + 1)
            if done >= head:
                return done
            await ledger.get_head()
            await asyncio.sleep(LOOK_S)


async def _clear(index: Index) -> None:
    for attempt in range(CLEAR_ATTEMPTS):
        try:
            await index.clear()
        except UpstreamFault:
            if attempt == CLEAR_ATTEMPTS - 1:
                raise
        else:
            return
