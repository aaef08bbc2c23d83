"""The record of reads in the vault's database, on both engines."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.access.reads import MAX_UIDS, ReadBook, ReadFilter, Reading
from api.databases import Database, open_database
from api.errors import UpstreamFault
from api.migrations.migrating import VAULT_MIGRATIONS
from api.rest import opening
from api.vault.tables import METADATA
from api.vault.witness import Opened

assert opening.open_services is not None  # every table of the vault is known behind it

ONE, TWO = b"\1" * 32, b"\2" * 32


def build_reading(caller: str = "counter-3", purpose: str = "service") -> Reading:
    return Reading(
        caller=caller,
        method="token",
        operation="get_credential",
        purpose=purpose,
        request_id="8f0d2a345b7c4f0e",
    )


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url, METADATA, migrations=VAULT_MIGRATIONS, name="vault")
    yield opened
    opened.close()


async def test_lines_are_found_by_every_filter_and_in_pages(database: Database) -> None:
    now = [1_000.0]
    book = ReadBook(database, lambda: now[0])
    await book.write(build_reading(), [Opened(ONE, "credential"), Opened(ONE, "case")])
    now[0] = 2_000.9
    await book.write(build_reading("auditor", "audit"), [Opened(TWO, "credential")])
    await book.write(build_reading(), [])
    whole = await book.get_page(ReadFilter(), limit=10)
    assert [(row.read_s, row.uid, row.what) for row in whole] == [
        (2_000, TWO, "credential"),
        (1_000, ONE, "case"),
        (1_000, ONE, "credential"),
    ]
    counts = [
        (ReadFilter(uids=(ONE,)), 2),
        (ReadFilter(uids=(ONE, TWO)), 3),
        (ReadFilter(uids=()), 0),
        (ReadFilter(uids=[bytes(31) + b"\3"] * MAX_UIDS + [ONE]), 0),
        (ReadFilter(caller="auditor"), 1),
        (ReadFilter(purpose="service"), 2),
        (ReadFilter(operation="get_credential"), 3),
        (ReadFilter(what="case", caller="auditor"), 0),
        (ReadFilter(from_s=2_000), 1),
        (ReadFilter(until_s=2_000), 2),
    ]
    for wanted, count in counts:
        assert len(await book.get_page(wanted, limit=10)) == count, wanted
    first = await book.get_page(ReadFilter(), limit=2)
    rest = await book.get_page(ReadFilter(), limit=2, before=first[-1].sequence)
    assert [*first, *rest] == whole
    (written,) = book.samples()
    assert written.value == 3


async def test_readings_at_once_lose_no_line(database: Database) -> None:
    book = ReadBook(database, lambda: 0.0)

    async def read(number: int) -> None:
        async with book.read_as(build_reading(f"counter-{number}")) as witness:
            witness.note([Opened(number.to_bytes(32, "big"), "credential")])

    await asyncio.gather(*(read(number) for number in range(100)))
    rows = await book.get_page(ReadFilter(), limit=200)
    assert {(row.caller, int.from_bytes(row.uid, "big")) for row in rows} == {
        (f"counter-{number}", number) for number in range(100)
    }


async def test_reading_that_cannot_be_written_fails_the_request(database: Database) -> None:
    book = ReadBook(database, lambda: 0.0)

    async def read() -> None:
        async with book.read_as(build_reading()) as witness:
            witness.note([Opened(ONE, "credential")])
            await asyncio.to_thread(database.close)

    with pytest.raises(UpstreamFault):
        await read()
