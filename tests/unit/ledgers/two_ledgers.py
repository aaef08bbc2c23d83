"""A Macao agency's API over Macao's own ledger and the one shared with Guangdong.

The laboratory, which issues, is on both; the commission of Guangdong is on the shared ledger alone.
"""

from functools import cache
from pathlib import Path
from typing import Any

from api.networks.network import OURS
from api.outbox.account import build_account
from api.rest.opening import LedgerPlace
from api.rest.services import RestServices
from contracts.development import AUDITOR, BUREAU, LABORATORY, build_development_spec
from contracts.genesis import build_genesis
from contracts.testkeys import get_private_key
from tests.engines import place_database
from tests.unit.rest.database_templates import copy_template
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger

MACAO = "macao"
SHARED = "shared"
MACAO_CHAIN_ID = 20_261
FIELDS = ["/certificate", "/name", "/birth_date", "/result", "/cnf"]
OWN_SCHEMA = "0x" + "5a" * 32
SHARED_SCHEMA = "0x" + "5b" * 32
DOCUMENT = {
    "certificate": "C-100",
    "name": "Ana Cruz",
    "birth_date": "1990-04-01",
    "result": "negative",
}
"""What the schemas ask of a document, apart from the holder's key."""


@cache
def build_macao() -> dict[str, dict[str, Any]]:
    """Return the accounts of a ledger with members of Macao only."""
    spec = build_development_spec(
        parties=(LABORATORY, BUREAU, AUDITOR), chain_id=MACAO_CHAIN_ID, first_key=1
    )
    alloc: dict[str, dict[str, Any]] = build_genesis(spec)["alloc"]
    return alloc


class TwoLedgers:
    """Both chains, and the agencies on them."""

    def __init__(self, folder: Path) -> None:
        self.macao = FakeLedger(build_macao(), chain_id=MACAO_CHAIN_ID, genesis=b"genesis of macao")
        self.shared = FakeLedger()
        self._folder = folder
        self._left: list[Agency] = []
        self.laboratory = self.open_both("laboratory", 1)
        self.bureau = self.open_both("bureau", 2)
        self.commission = Agency(self.shared, folder / "commission", 3, ledger_name=SHARED)

    def open_both(self, name: str, number: int, *, with_shared: bool = True) -> Agency:
        """Open one agency's API over both ledgers."""
        folder = self._folder / name

        def place(database: str) -> Path | str:
            found = place_database(folder, f"{database}-shared")
            if isinstance(found, Path):
                copy_template(found, database)
            return found

        shared = LedgerPlace(
            name=SHARED,
            raw=self.shared,
            network=OURS,
            accounts=[build_account(get_private_key(number, "account"))],
            index=place("index"),
            outbox=place("outbox"),
        )
        further = [shared] if with_shared else []
        return Agency(self.macao, folder, number, further=further, ledger_name=MACAO)

    def reopen_bureau(self, *, with_shared: bool = True) -> None:
        """Let another process take over the bureau's databases."""
        self._left.append(self.bureau)
        self.bureau = self.open_both("bureau", 2, with_shared=with_shared)

    def reopen_laboratory(self) -> None:
        """Let another process take over the laboratory's databases."""
        self._left.append(self.laboratory)
        self.laboratory = self.open_both("laboratory", 1)

    @property
    def agencies(self) -> tuple[Agency, ...]:
        return (self.laboratory, self.bureau, self.commission)

    def get(self, agency: Agency, name: str) -> RestServices:
        """Return the services of an agency on a ledger."""
        return agency.services.ledgers.get(name)

    async def settle(self) -> None:
        """Send what is promised on both ledgers, make a block of each, and read them."""
        everywhere = [one for agency in self.agencies for one in agency.services.ledgers]
        for one in everywhere:
            await one.outbox.turn()
        # Clocks go together, whichever chain makes a block.
        for ledger in (self.macao, self.shared):
            ledger.now_s = max(self.macao.now_s, self.shared.now_s)
        self.macao.mine()
        self.shared.mine()
        for one in everywhere:
            await one.outbox.turn()
            await one.index.catch_up()

    def close(self) -> None:
        for agency in (*self.agencies, *self._left):
            agency.services.close()


async def agree(world: TwoLedgers, laboratory: Caller, bureau: Caller) -> None:
    """Register a form of the same fields on each ledger, under which the laboratory attests."""
    issuer = await laboratory.agency.get_id()
    for name, uid in ((MACAO, OWN_SCHEMA), (SHARED, SHARED_SCHEMA)):
        text = {"title": "Test result", "pointers": FIELDS, "reference": ["/certificate"]}
        place = f"/ledgers/{name}"
        await bureau.post(f"{place}/schemas", {"uid": uid, **text})
        await world.settle()
        await bureau.post(f"{place}/schemas/{uid}/accreditations", {"agency": issuer})
        await world.settle()
        await laboratory.put(f"{place}/schemas/{uid}/text", text)
