"""A ledger with a little history, its explorer, and a client that speaks HTTP to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from api.app import Services, build_app
from api.explorer.chain import ChainReader
from api.explorer.records import RecordReader
from api.explorer.services import ExplorerServices
from api.explorer.surface import build_explorer
from api.index.index import Index
from api.networks.network import OURS, Network
from api.rest.opening import RestSettings, open_services
from api.rest.schema_texts import SchemaTexts
from api.server import serve
from api.settings import ApiSettings
from contracts.addresses import AGENCY_REGISTRY_NAME, ATTESTATIONS, ATTESTATIONS_NAME, REGISTRY
from contracts.decisions import DecisionKind, encode_payload
from tests.unit.explorer.law_site import LawSite, open_law_site
from tests.unit.explorer.real_ledger import (
    BUREAU,
    BUREAU_ID,
    LABORATORY,
    RealLedger,
    open_ledger,
)

SCHEMA = b"\x5c" * 32
FIRST, SECOND, BATCH = b"\xa1" * 32, b"\xa2" * 32, b"\xb1" * 32


@dataclass(slots=True)
class Clock:
    """How long after the head's time the reader looks."""

    late_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A served explorer over a ledger with history."""

    url: str
    ledger: RealLedger
    index: Index
    http: aiohttp.ClientSession
    clock: Clock
    texts: SchemaTexts
    attested: str
    """The transaction that made the first attestation."""
    proposed: str
    """The transaction that proposed a decision."""

    async def get(self, path: str, *, status: int = 200) -> Any:
        """Return a JSON answer of `/explorer/v1`."""
        async with self.http.get(f"{self.url}/explorer/v1{path}") as answer:
            assert answer.status == status, await answer.text()
            return await answer.json(content_type=None)

    async def read(
        self, path: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> str:
        """Return a page of `/explorer`."""
        async with self.http.get(f"{self.url}/explorer{path}", headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_ledger(tmp_path) as ledger:
        await ledger.open_schema(SCHEMA)
        attested = await ledger.attest(FIRST, SCHEMA)
        ledger.mine()
        await ledger.attest(SECOND, SCHEMA, previous=FIRST)
        ledger.mine()
        await ledger.act(
            LABORATORY, ATTESTATIONS, ATTESTATIONS_NAME, "set_state", SECOND, 3, 4, ledger.now_s
        )
        await ledger.act(
            LABORATORY, ATTESTATIONS, ATTESTATIONS_NAME, "attest_batch",
            BATCH, SCHEMA, b"\x77" * 32, 1_000, 1, ledger.now_s,
        )  # fmt: skip
        ledger.mine()
        await ledger.act(
            LABORATORY, ATTESTATIONS, ATTESTATIONS_NAME, "set_leaf_state",
            BATCH, 7, 2, 5, ledger.now_s,
        )  # fmt: skip
        proposed = await ledger.act(
            BUREAU, REGISTRY, AGENCY_REGISTRY_NAME, "propose",
            DecisionKind.SUSPEND_AGENCY,
            encode_payload(DecisionKind.SUSPEND_AGENCY, (BUREAU_ID,)),
            b"\x0d" * 32, ledger.now_s + 86_400,
        )  # fmt: skip
        ledger.mine()
        ledger.mine()
        async with open_site(ledger, tmp_path, attested, proposed) as opened:
            yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def law_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LawSite]:
    """One for all tests, which only read: filling it takes seconds."""
    async with open_law_site(tmp_path_factory.mktemp("law")) as opened:
        yield opened


@asynccontextmanager
async def open_site(
    ledger: RealLedger,
    folder: Path,
    attested: str,
    proposed: str,
    *,
    token_file: Path | None = None,
    network: Network = OURS,
) -> AsyncIterator[Site]:
    """Serve the explorer of `ledger` on a free port, its index caught up."""
    settings = RestSettings(
        index=folder / "index.sqlite",
        outbox=folder / "outbox.sqlite",
        vault=folder / "vault.sqlite",
    )
    rest = open_services(settings, raw=ledger.connection.raw, network=network)
    try:
        clock = Clock()
        index = rest.index
        await index.catch_up()
        chain = ChainReader(
            ledger.connection.raw, network, now_s=lambda: ledger.now_s + clock.late_s
        )
        surface = build_explorer(
            ExplorerServices(
                chain=chain,
                records=RecordReader(chain, index),
                index=index,
                rest=rest,
                ledger_name="Shared ledger <Macao & Guangdong>",
            )
        )
        server = ApiSettings(port=0, token_file=token_file)
        app = build_app(Services(surfaces=(surface,)), server)
        async with serve(app, server) as url, aiohttp.ClientSession() as http:
            yield Site(
                url=url,
                ledger=ledger,
                index=index,
                http=http,
                clock=clock,
                texts=rest.schema_texts,
                attested=attested,
                proposed=proposed,
            )
    finally:
        rest.close()
