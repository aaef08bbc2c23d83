"""Cases and provenance are told over all ledgers of an API, each record with its ledger.

The laboratory's own ledger is here the shared one; the exchange stands on Macao's own, beside it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from atesta_client.answers import CaseAnswer, Provenance, read_answer

from tests.unit.ledgers.exchange_on_macao import CASE, ExchangeOnMacao
from tests.unit.ledgers.two_ledgers import MACAO, SHARED


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ExchangeOnMacao]:
    async with AsyncExitStack() as stack:
        made = ExchangeOnMacao(tmp_path)
        await made.ask(stack)
        yield made


async def test_case_is_told_over_all_ledgers(world: ExchangeOnMacao) -> None:
    told = await world.laboratory.get(f"/cases/{CASE}")
    (exchange,) = told["exchanges"]
    assert (exchange["uid"], exchange["ledger"]) == (world.exchange, MACAO)
    assert exchange["officer"] == {"number": "12"}
    assert exchange["fields"] == ["/income_band", "/year"]
    assert exchange["basis"]["live_then"]
    heights = {MACAO: len(world.macao.blocks) - 1, SHARED: len(world.shared.blocks) - 1}
    assert (told["ledgers"], told["block"]) == (heights, heights[SHARED])
    read = read_answer(CaseAnswer, told)
    assert (read.exchanges[0].ledger, read.ledgers) == (MACAO, heights)
    # A further ledger tells of itself alone.
    there = await world.on_macao.get(f"/cases/{CASE}")
    assert there["exchanges"] == [exchange]
    assert there["ledgers"] == {MACAO: heights[MACAO]}


async def test_case_says_which_ledger_it_could_not_read(world: ExchangeOnMacao) -> None:
    world.macao.is_down = True
    told = await world.laboratory.get(f"/cases/{CASE}")
    assert told["exchanges"] == []
    assert told["ledgers"] == {SHARED: told["block"], MACAO: None}
    await world.on_macao.get(f"/cases/{CASE}", status=503)


async def test_provenance_is_found_on_whichever_ledger_it_stands(world: ExchangeOnMacao) -> None:
    path = f"/provenance/{world.exchange}"
    told = await world.laboratory.get(path)
    assert told["ledger"] == MACAO
    assert told["block"] == len(world.macao.blocks) - 1
    assert world.exchange in {entity["id"] for entity in told["entities"]}
    assert {agent["name"] for agent in told["agents"]} >= {"mo-health-laboratory"}
    assert told == await world.on_macao.get(path)
    assert read_answer(Provenance, told).ledger == MACAO
    assert "entity" in await world.laboratory.get(f"{path}?format=prov-json")


async def test_provenance_of_a_record_of_no_ledger_is_not_found(world: ExchangeOnMacao) -> None:
    path = f"/provenance/0x{'ee' * 32}"
    assert (await world.laboratory.get(path, status=404))["code"] == "record_not_found"
    # As long as one is away, nobody can say that.
    world.macao.is_down = True
    assert (await world.laboratory.get(path, status=503))["code"] == "node_unreachable"
