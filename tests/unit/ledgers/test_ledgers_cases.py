"""A case that asks on two ledgers: judged over both, by texts where uids cannot compare.

The agency was on the shared ledger alone when it first asked; Macao's own came later. From then on
what lies within Macao is asked there.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.acts.exchange_world import Law, ask, make_law, record_consent
from tests.unit.acts.law_world import publish_purpose
from tests.unit.ledgers.exchange_on_macao import CASE, ExchangeOnMacao
from tests.unit.ledgers.two_ledgers import SHARED
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

FIELDS = ["/income_band", "/year"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Two requests for the same, the first on the shared ledger, the second on Macao's own."""

    world: ExchangeOnMacao
    shared_law: Law
    first: str
    other_purpose: str
    """On the shared ledger, with another text."""

    @property
    def second(self) -> str:
        return self.world.exchange

    async def open_file(self, purpose: str, *needs: str) -> None:
        """Open the case's file, which names records of one ledger."""
        wanted = [{"dataset": dataset, "fields": FIELDS} for dataset in needs]
        body = {"number": CASE, "procedure": "housing", "purpose": purpose, "needs": wanted}
        await self.world.laboratory.post("/cases", body, status=201)

    async def list_missing(self) -> dict[str, set[str]]:
        """Return what is irregular about each exchange of the case, by uid."""
        told = await self.world.laboratory.get(f"/cases/{CASE}")
        return {
            one["uid"]: {irregular["code"] for irregular in one["missing"]}
            for one in told["exchanges"]
        }


async def ask_on_shared(shared: FakeLedger, folder: Path) -> tuple[Law, str, str]:
    """Let the laboratory ask on the shared ledger, while its API serves no other."""
    async with AsyncExitStack() as stack:
        callers: list[Caller] = []
        for name, number in (("laboratory", 1), ("bureau-shared", 2), ("supervisor-shared", 4)):
            agency = Agency(shared, folder / name, number, ledger_name=SHARED)
            stack.callback(agency.services.close)
            caller = await open_caller(agency)
            stack.push_async_callback(caller.client.close)
            callers.append(caller)
        laboratory, bureau, supervisor = callers
        law = await make_law(bureau, supervisor, laboratory)
        other = await publish_purpose(bureau, title="Deciding something else")
        consent = (await record_consent(laboratory, law))["uid"]
        return law, str((await ask(laboratory, law, consent))["uid"]), other


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    shared = FakeLedger()
    law, first, other = await ask_on_shared(shared, tmp_path)
    async with AsyncExitStack() as stack:
        world = ExchangeOnMacao(tmp_path, shared=shared)
        world.macao.now_s = shared.now_s + 60
        await world.ask(stack)
        yield Case(world=world, shared_law=law, first=first, other_purpose=other)


async def test_what_was_asked_on_another_ledger_is_asked_twice(case: Case) -> None:
    missing = await case.list_missing()
    assert "asked_twice" in missing[case.second]
    assert "asked_twice" not in missing[case.first]


async def test_file_that_names_one_ledger_serves_the_other(case: Case) -> None:
    law = case.shared_law
    await case.open_file(law.purpose, law.dataset)
    for codes in (await case.list_missing()).values():
        assert not codes & {"other_purpose", "beyond_need"}
    # What may be asked on Macao's own ledger is told there, of the same purpose's uid on it.
    place = f"/bases?case={CASE}&dataset={case.world.law.dataset}"
    (usable,) = (await case.world.on_macao.get(place))["usable"]
    assert usable["basis"]["uid"] == case.world.law.basis
    assert usable["fields"] == FIELDS
    here = await case.world.laboratory.get(f"/bases?case={CASE}&dataset={law.dataset}")
    assert [one["basis"]["uid"] for one in here["usable"]] == [law.basis]


async def test_other_purpose_and_other_need_are_told_on_both_ledgers(case: Case) -> None:
    await case.open_file(case.other_purpose)
    missing = await case.list_missing()
    for uid in (case.first, case.second):
        assert missing[uid] >= {"other_purpose", "beyond_need"}
    place = f"/bases?case={CASE}&dataset={case.world.law.dataset}"
    problem: Any = await case.world.on_macao.get(place, status=404)
    assert problem["code"] == "need_not_found"
