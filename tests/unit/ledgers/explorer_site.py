"""The explorer of an API over two real chains: the shared ledger, its own, and Macao's beside."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from api.app import Services, build_app
from api.errors import UpstreamFault
from api.explorer.services import open_explorers
from api.explorer.surface import build_explorers
from api.rest.app import build_ledger_surfaces, build_rest_surface
from api.server import serve
from api.settings import ApiSettings
from api.web3_provider import RawCall
from contracts.development import AUDITOR, BUREAU, LABORATORY, build_development_spec
from contracts.genesis import build_genesis
from node.chain.genesis import Genesis, parse_genesis
from tests.unit.explorer.law_site import RealWorld
from tests.unit.explorer.real_ledger import RealLedger, open_ledger
from tests.unit.ledgers.exchange_on_macao import ExchangeOnMacao
from tests.unit.ledgers.two_ledgers import MACAO_CHAIN_ID
from tests.unit.rest.ledger_world import START_S


class Chain(RealWorld):
    """A real chain whose clock can be set, and which can be out of reach."""

    def __init__(self, ledger: RealLedger) -> None:
        super().__init__(ledger)
        self.is_down = False
        ledger.mine(period_s=START_S - ledger.now_s)

    @property
    def now_s(self) -> int:
        return self.ledger.now_s

    @now_s.setter
    def now_s(self, now_s: int) -> None:
        if now_s > self.ledger.now_s:
            self.ledger.mine(period_s=now_s - self.ledger.now_s)

    async def call(self, method: str, *arguments: Any) -> Any:
        self._check()
        return await super().call(method, *arguments)

    async def batch(self, calls: Any) -> list[Any]:
        self._check()
        asked: list[RawCall] = list(calls)
        return await super().batch(asked)

    def _check(self) -> None:
        if self.is_down:
            raise UpstreamFault("the ledger node does not answer", code="node_unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoLedgerSite:
    """The laboratory's explorer."""

    url: str
    http: aiohttp.ClientSession
    macao: Chain
    shared: Chain
    exchange: str
    """Uid of the exchange on Macao's own ledger."""
    consent: str
    """Uid of the consent that it rests on."""

    async def read(self, path: str, *, status: int = 200, **options: Any) -> str:
        """Return a page of `/explorer`."""
        url = f"{self.url}/explorer{path}"
        async with self.http.get(url, **options) as answer:
            assert answer.status == status, (path, await answer.text())
            return await answer.text()


@asynccontextmanager
async def open_two_ledger_site(folder: Path) -> AsyncIterator[TwoLedgerSite]:
    """Serve the explorer and REST of the laboratory on a free port."""
    async with AsyncExitStack() as stack:
        chains = []
        for name, genesis in (("macao", _build_macao()), ("shared", None)):
            place = folder / f"chain-{name}"
            place.mkdir()
            opened = open_ledger(place, now_s=START_S + 1_000_000, genesis=genesis)
            chains.append(Chain(await stack.enter_async_context(opened)))
        macao, shared = chains
        world = ExchangeOnMacao(folder, macao=macao, shared=shared)
        await world.ask(stack)
        await world.agency.settle()
        services = world.agency.services
        surfaces = (
            *build_ledger_surfaces(services),
            build_rest_surface(services),
            *reversed(build_explorers(open_explorers(services, ledger_name=None))),
        )
        settings = ApiSettings(port=0)
        app = build_app(Services(surfaces=surfaces), settings)
        yield TwoLedgerSite(
            url=await stack.enter_async_context(serve(app, settings)),
            http=await stack.enter_async_context(aiohttp.ClientSession()),
            macao=macao,
            shared=shared,
            exchange=world.exchange,
            consent=world.consent,
        )


def _build_macao() -> Genesis:
    parties = (LABORATORY, BUREAU, AUDITOR)
    spec = build_development_spec(parties=parties, chain_id=MACAO_CHAIN_ID, first_key=1)
    return parse_genesis(build_genesis(spec))
