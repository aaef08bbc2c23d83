"""One of several processes that would lead: says `leads` and `follows` on its output."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import structlog
from sqlalchemy import MetaData

from api.databases import open_database
from api.leadership import Leadership


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def lead() -> AsyncIterator[None]:
    say("leads")
    try:
        yield
    finally:
        say("follows")


async def main(address: str) -> None:
    database = open_database(address, MetaData(), name="index")
    async with Leadership(database, "index").run(lead):
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
    database.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1]))
