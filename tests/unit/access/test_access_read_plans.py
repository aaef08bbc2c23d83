"""The list of reads is paged in the order of times, and no two filters go through all lines."""

import sqlite3
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.access.read_table import FILTERS
from api.access.reads import Read, ReadBook, ReadFilter, Reading
from api.databases import Database, open_database
from api.migrations.migrating import VAULT_MIGRATIONS
from api.vault.tables import METADATA
from api.vault.witness import Opened
from tests.unit.vault.vault_kit import do

UID = bytes([1]) * 32
START_S = 1_790_000_000


def write(book: ReadBook, number: int) -> None:
    reading = Reading(
        caller=f"counter-{number % 2}",
        method="token",
        operation="get_credential",
        purpose="service",
        request_id=str(number),
    )
    do(book.write(reading, [Opened(UID, "credential")]))


def fill(database: Database, times_s: list[int]) -> ReadBook:
    now = iter(times_s)
    book = ReadBook(database, lambda: float(next(now)))
    for number in range(len(times_s)):
        write(book, number)
    return book


def turn_pages(book: ReadBook, wanted: ReadFilter) -> list[Read]:
    """Return all lines, by pages of two."""
    lines: list[Read] = []
    while page := do(book.get_page(wanted, limit=2, before=lines[-1].sequence if lines else None)):
        lines += page
    return lines


def test_pages_hold_every_line_once_though_a_clock_was_put_back(database_url: str) -> None:
    """Of several processes one is a moment behind; the list is in the order of the times."""
    database = open_database(database_url, METADATA, migrations=VAULT_MIGRATIONS, name="vault")
    times_s = [START_S + offset for offset in (0, 5, 5, 3, 9, 5, 4, 9, 12, 11)]
    book = fill(database, times_s)
    for bounds in product((None, START_S + 4, START_S + 9), (None, START_S + 5, START_S + 11)):
        wanted = ReadFilter(from_s=bounds[0], until_s=bounds[1])
        expected = sorted(
            (
                (time_s, place + 1)
                for place, time_s in enumerate(times_s)
                if (bounds[0] or 0) <= time_s < (bounds[1] or 2**40)
            ),
            reverse=True,
        )
        found = turn_pages(book, wanted)
        assert [(line.read_s, line.sequence) for line in found] == expected
    database.close()


@pytest.fixture
def asked() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        sent.append((told[2], told[3]))

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "names", [*combinations((*FILTERS, "uids"), 1), *combinations((*FILTERS, "uids"), 2)]
)
@pytest.mark.parametrize("bounds", [{}, {"from_s": START_S, "until_s": START_S + 50}])
def test_list_by_any_two_filters_follows_one_index(
    tmp_path: Path, asked: list[tuple[str, Any]], names: tuple[str, ...], bounds: dict[str, int]
) -> None:
    path = tmp_path / "vault.sqlite"
    database = open_database(path, METADATA, name="vault")
    book = fill(database, [START_S, START_S + 1])
    values: dict[str, Any] = dict.fromkeys(names, "x") | bounds
    if "uids" in names:
        values["uids"] = (UID,)
    for before in (None, 1):
        asked.clear()
        do(book.get_page(ReadFilter(**values), limit=101, before=before))
        statement, parameters = asked[-1]
        with sqlite3.connect(path) as connection:
            plan = [
                row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]
        index = "reads_by_uid" if "uids" in names else f"reads_by_{'_'.join(names)}"
        assert len(plan) == 1, plan
        assert f"SEARCH reads USING INDEX {index} " in plan[0], plan
        if "uids" not in names:
            assert all(f"{name}=?" in plan[0] for name in names), plan
            assert ("read_s<?" in plan[0]) == bool(bounds or before), plan
    database.close()
