"""A ledger on which the law is in place, read through one agency's REST."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_typing import Address, Hash32

from contracts.development import build_development_spec
from contracts.testkeys import get_address
from tests.contracts import exchange_harness
from tests.contracts.contract_harness import ADDRESSES, decode_events
from tests.contracts.law_harness import (
    CONSENT_BASIS,
    INSTRUMENT,
    STATUTE_BASIS,
    basis_args,
    fill_catalogue,
    instrument_args,
)
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

# Whoever is no agency (a resident, a stranger) has its acts submitted by the first one.
NUMBERS = {get_address(number, "account"): number for number in range(1, 5)}
SUPERVISOR = get_address(4, "account")


class Stage:
    """Acts without REST on the ledger that REST reads; for the harnesses of the contracts."""

    def __init__(self, fake: FakeLedger) -> None:
        self.fake = fake
        self.spec = build_development_spec(4)
        self.state = fake.state

    @property
    def now(self) -> int:
        return self.fake.now_s

    def pass_time(self, seconds: int = 1) -> None:
        self.fake.mine(period_s=seconds)

    def do(
        self, sender: Address, contract: str, function: str, args: Sequence[Any] = ()
    ) -> list[Any]:
        outcome = self.fake.act(
            NUMBERS.get(sender, 1), ADDRESSES[contract], contract, function, *args
        )
        assert outcome.succeeded, f"{contract}.{function}: {outcome.reason}"
        return decode_events(outcome)


@pytest.fixture
def stage() -> Any:
    stage: Any = Stage(FakeLedger())
    fill_catalogue(stage)
    for uid, kind in ((STATUTE_BASIS, 1), (CONSENT_BASIS, 2)):
        stage.do(SUPERVISOR, "bases", "enter_basis", basis_args(stage, uid, kind=kind))
    stage.do(SUPERVISOR, "bases", "enter_instrument", instrument_args(stage, INSTRUMENT))
    return stage


@pytest.fixture
async def reader(stage: Any, tmp_path: Path) -> AsyncIterator[Caller]:
    """The bureau's REST."""
    agency = Agency(stage.fake, tmp_path / "bureau", 2)
    caller = await open_caller(agency)
    yield caller
    await caller.client.close()
    agency.services.close()


def write_uid(uid: Hash32) -> str:
    return "0x" + uid.hex()


EXCHANGE = write_uid(exchange_harness.EXCHANGE)
