"""The made-up ledger: the index understands all of it, goes on after a kill, and answers."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import Connection, create_engine, select

from api.index import tables
from api.index.index import IndexMismatch
from api.index.placed_event import decode_event
from api.ledger import Ledger
from contracts.address_book import GENESIS_BOOK
from scripts.scaling.chain import MadeChain
from scripts.scaling.generating import generate
from scripts.scaling.measuring import measure
from scripts.scaling.sizes import Plan, Sizes
from tests.unit.scale import killed_run

SEED = 20261122
SIZES = replace(Sizes().divide(1_000), datasets=27)
PLAN = Plan(seed=SEED, sizes=SIZES)


def read_rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of an index."""

    def read(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in tables.METADATA.sorted_tables
        }

    engine = create_engine(url)
    with engine.connect() as connection:
        rows = read(connection)
    engine.dispose()
    return rows


async def test_made_events_are_all_decoded_as_they_were_said() -> None:
    chain = MadeChain(PLAN)
    ledger = Ledger(chain)
    logs = await ledger.get_logs(0, chain.last_block, GENESIS_BOOK.addresses)
    said = [one for number in range(chain.last_block + 1) for one in chain.list_said(number)]
    assert len(logs) == len(said) > SIZES.attestations + SIZES.consents
    for entry, one in zip(logs, said, strict=True):
        event = decode_event(entry, 1)
        assert event is not None
        assert event.name == one.event
        for name, value in one.args.items():
            if not isinstance(value, dict | list):
                assert event.args[name] == value, (event.name, name)


async def test_generation_makes_what_the_size_says_and_refuses_another_seed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index'}"
    filled = await generate(PLAN, url, is_quiet=True)
    assert filled.rows["attestations"] == SIZES.attestations
    assert filled.rows["events"] == filled.events
    kinds = [row[1] for row in read_rows(url)["law_records"]]
    assert kinds.count("dataset") == SIZES.datasets
    assert kinds.count("consent") == SIZES.consents
    assert kinds.count("mandate") == 2 * SIZES.entities
    with pytest.raises(IndexMismatch, match="another ledger"):
        await generate(Plan(seed=SEED + 1, sizes=SIZES), url, is_quiet=True)


async def test_rows_do_not_depend_on_how_events_are_gathered(tmp_path: Path) -> None:
    alone, together = (f"sqlite:///{tmp_path / name}" for name in ("alone", "together"))
    plan = Plan(seed=SEED, sizes=replace(SIZES, attestations=200))
    with (
        mock.patch("api.index.events.DRAFT_EVENTS", 1),
        mock.patch("api.index.events.list_concerned", return_value=[]),
    ):
        await generate(plan, alone, is_quiet=True)
    await generate(plan, together, is_quiet=True)
    rows = read_rows(together)
    assert rows["event_parties"]
    assert rows == read_rows(alone)


@pytest.mark.processes
async def test_generation_killed_amid_a_block_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    broken, whole = (f"sqlite:///{tmp_path / name}" for name in ("broken", "whole"))
    words = [sys.executable, killed_run.__file__, broken, str(SEED), str(SIZES.datasets), "3"]
    root = Path(__file__).parents[3]
    ended = subprocess.run(words, check=False, cwd=root, env={"PYTHONPATH": str(root)})
    assert ended.returncode == -signal.SIGKILL
    reached = read_rows(broken)["cursor"][0][1]
    chain = MadeChain(PLAN)
    assert isinstance(reached, int)
    assert 0 < reached < chain.last_block
    again = await generate(PLAN, broken, is_quiet=True)
    assert again.blocks == chain.last_block - reached
    await generate(PLAN, whole, is_quiet=True)
    assert read_rows(broken) == read_rows(whole)


async def test_every_list_answers_over_a_made_ledger(database_url: str) -> None:
    await generate(PLAN, database_url, is_quiet=True)
    timings = await measure(PLAN, database_url, turns=1, every=11, is_quiet=True)
    assert {timing.name.split()[0] for timing in timings} >= {
        "list_attestations",
        "list_consents",
        "list_exchanges",
        "list_mandates",
        "list_events",
    }
