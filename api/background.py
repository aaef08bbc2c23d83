"""Work that goes on beside what is served, and ends with it.

Every loop of the API (the index, the outbox, imports, erasures, …) runs as one task for as long as
a context lasts. On leaving, it is cancelled and waited for, so nothing of it touches a database
that is closed next. A loop that ended by a fault of its own raises it there.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine


@contextlib.asynccontextmanager
async def run_beside(work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
    """Do the work for as long as the context lasts; `name` is that of its task."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
