"""An exchange on Macao's own ledger, and an API whose own ledger is the shared one.

The laboratory acts on Macao's own ledger as on a further one; the bureau and the supervisor are on
that alone. The chains may be the fake ones of the tests of REST, or real ones behind their manner.
"""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from api.networks.network import OURS
from api.outbox.account import build_account
from api.rest.opening import LedgerPlace
from contracts.testkeys import get_private_key
from tests.unit.acts.exchange_world import ask, make_law, record_consent
from tests.unit.ledgers.two_ledgers import MACAO, MACAO_CHAIN_ID, SHARED, build_macao
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

CASE = "HS-2026-000417"
"""The number of the case in whose course the laboratory asks."""


class Laboratory(Agency):
    """On both ledgers; it acts on Macao's own."""

    def __init__(self, macao: Any, shared: Any, folder: Path) -> None:
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


class ExchangeOnMacao:
    """An exchange of Macao, and the laboratory's API, whose own ledger is the shared one."""

    def __init__(self, folder: Path, *, macao: Any = None, shared: Any = None) -> None:
        self.macao = macao or FakeLedger(
            build_macao(), chain_id=MACAO_CHAIN_ID, genesis=b"genesis of macao"
        )
        self.shared = shared or FakeLedger()
        self.agency = Laboratory(self.macao, self.shared, folder / "laboratory")
        self.bureau = Agency(self.macao, folder / "bureau", 2, ledger_name=MACAO)
        self.supervisor = Agency(self.macao, folder / "supervisor", 3, ledger_name=MACAO)
        self.exchange = self.consent = ""

    async def open(self, stack: AsyncExitStack) -> None:
        """Serve the three APIs."""
        callers = []
        for agency in (self.agency, self.bureau, self.supervisor):
            caller = await open_caller(agency)
            stack.push_async_callback(caller.client.close)
            stack.callback(agency.services.close)
            callers.append(caller)
        self.laboratory, bureau, supervisor = callers
        self.on_macao = OnMacao(self.agency, self.laboratory)
        self._bureau, self._supervisor = bureau, supervisor

    async def ask(self, stack: AsyncExitStack) -> None:
        """Serve the three APIs, and let the laboratory ask the bureau for data, within Macao."""
        await self.open(stack)
        law = self.law = await make_law(self._bureau, self._supervisor, self.on_macao)
        await self.agency.catch_up()
        self.consent = (await record_consent(self.on_macao, law))["uid"]
        self.exchange = (await ask(self.on_macao, law, self.consent))["uid"]
