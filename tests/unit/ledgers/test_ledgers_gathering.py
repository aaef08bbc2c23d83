"""Cases and provenance are told over all ledgers of an API, each record with its ledger.

The laboratory's own ledger is here the shared one; the exchange stands on Macao's own, beside it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from atesta_client.answers import CaseAnswer, Provenance, read_answer

from api.networks.network import OURS
from api.outbox.account import build_account
from api.rest.opening import LedgerPlace
from contracts.testkeys import get_private_key
from tests.unit.acts.exchange_world import ask, make_law, record_consent
from tests.unit.ledgers.two_ledgers import MACAO, MACAO_CHAIN_ID, SHARED, build_macao
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

CASE = "HS-2026-000417"


class Laboratory(Agency):
    """On both ledgers; it acts on Macao's own."""

    def __init__(self, macao: FakeLedger, shared: FakeLedger, folder: Path) -> None:
        self.macao = macao
        place = LedgerPlace(
            name=MACAO,
            raw=macao,
            network=OURS,
            accounts=[build_account(get_private_key(1, "account"))],
            index=folder / "index-macao.sqlite",
            outbox=folder / "outbox-macao.sqlite",
        )
        super().__init__(shared, folder, 1, further=[place], ledger_name=SHARED)

    async def settle(self) -> None:
        await self.services.ledgers.get(MACAO).outbox.turn()
        self.macao.mine()
        await self.services.ledgers.get(MACAO).outbox.turn()
        await self.catch_up()

    async def catch_up(self) -> None:
        """Read both ledgers to their ends."""
        for one in self.services.ledgers:
            await one.index.catch_up()


class OnMacao(Caller):
    """Speaks with the laboratory's API about Macao's own ledger."""

    def __init__(self, laboratory: Laboratory, caller: Caller) -> None:
        super().__init__(laboratory, caller.client)
        self._laboratory = laboratory

    async def get(self, path: str, *, status: int = 200, **headers: str) -> Any:
        return await super().get(f"/ledgers/{MACAO}{path}", status=status, **headers)

    async def post(self, path: str, body: Any, *, status: int = 202, key: str | None = None) -> Any:
        # Both chains and the agency go by one clock, whichever makes a block.
        self._laboratory.ledger.now_s = self._laboratory.macao.now_s
        return await super().post(f"/ledgers/{MACAO}{path}", body, status=status, key=key)

    async def put(self, path: str, body: Any, *, status: int = 200) -> Any:
        return await super().put(f"/ledgers/{MACAO}{path}", body, status=status)


class World:
    """An exchange of Macao, and the laboratory's API, whose own ledger is the shared one."""

    def __init__(self, folder: Path) -> None:
        self.macao = FakeLedger(build_macao(), chain_id=MACAO_CHAIN_ID, genesis=b"genesis of macao")
        self.shared = FakeLedger()
        self.agency = Laboratory(self.macao, self.shared, folder / "laboratory")
        self.bureau = Agency(self.macao, folder / "bureau", 2, ledger_name=MACAO)
        self.supervisor = Agency(self.macao, folder / "supervisor", 3, ledger_name=MACAO)
        self.exchange = ""

    async def ask(self, stack: AsyncExitStack) -> None:
        """Let the laboratory ask the bureau for data, within Macao."""
        callers = []
        for agency in (self.agency, self.bureau, self.supervisor):
            caller = await open_caller(agency)
            stack.push_async_callback(caller.client.close)
            stack.callback(agency.services.close)
            callers.append(caller)
        self.laboratory, bureau, supervisor = callers
        self.on_macao = OnMacao(self.agency, self.laboratory)
        law = await make_law(bureau, supervisor, self.on_macao)
        await self.agency.catch_up()
        consent = (await record_consent(self.on_macao, law))["uid"]
        self.exchange = (await ask(self.on_macao, law, consent))["uid"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        made = World(tmp_path)
        await made.ask(stack)
        yield made


async def test_case_is_told_over_all_ledgers(world: World) -> None:
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


async def test_case_says_which_ledger_it_could_not_read(world: World) -> None:
    world.macao.is_down = True
    told = await world.laboratory.get(f"/cases/{CASE}")
    assert told["exchanges"] == []
    assert told["ledgers"] == {SHARED: told["block"], MACAO: None}
    await world.on_macao.get(f"/cases/{CASE}", status=503)


async def test_provenance_is_found_on_whichever_ledger_it_stands(world: World) -> None:
    path = f"/provenance/{world.exchange}"
    told = await world.laboratory.get(path)
    assert told["ledger"] == MACAO
    assert told["block"] == len(world.macao.blocks) - 1
    assert world.exchange in {entity["id"] for entity in told["entities"]}
    assert {agent["name"] for agent in told["agents"]} >= {"mo-health-laboratory"}
    assert told == await world.on_macao.get(path)
    assert read_answer(Provenance, told).ledger == MACAO
    assert "entity" in await world.laboratory.get(f"{path}?format=prov-json")


async def test_provenance_of_a_record_of_no_ledger_is_not_found(world: World) -> None:
    path = f"/provenance/0x{'ee' * 32}"
    assert (await world.laboratory.get(path, status=404))["code"] == "record_not_found"
    # As long as one is away, nobody can say that.
    world.macao.is_down = True
    assert (await world.laboratory.get(path, status=503))["code"] == "node_unreachable"
