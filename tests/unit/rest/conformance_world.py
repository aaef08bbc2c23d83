"""Agencies with a whole story on their ledger, served with tokens, for generated requests.

The story puts one of everything there: the catalogue, a basis, consents, exchanges in their states,
mandates, a policy, a post, a proposal. Servers and ledger live in a thread of their own, because
schemathesis calls over blocking HTTP. No loop runs in the background: `settle` makes the block, so
the same requests in the same order meet the same ledger.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import structlog

from api.access.callers import Role
from api.access.tokens import create_token, save_tokens
from api.rest.route import Route
from api.rest.routes import ROUTES
from api.server import serve
from api.settings import ApiSettings
from api.web3_provider import RpcRefusal
from tests.unit.acts.exchange_world import (
    PERSON,
    ask,
    do,
    make_law,
    record_consent,
    release,
    share_texts,
)
from tests.unit.acts.law_world import ACT_LIST, BUREAU, COMMISSION, LABORATORY, LATER, PAST
from tests.unit.acts.test_acts_mandates import build_office
from tests.unit.acts.test_acts_policies import AGREEMENT
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

NUMBERS = {"laboratory": 1, "bureau": 2, "commission": 3, "supervisor": 4}
"""Places in the development ledger, by which the agencies have their published keys."""

METHOD_UNKNOWN = -32601
PERIOD = 202611
CASE = "HS-2026-000417"
_T = TypeVar("_T")


class ConformanceLedger(FakeLedger):
    """Behind a node that keeps no evidence."""

    async def call(self, method: str, *arguments: Any) -> Any:
        if not hasattr(self, f"_{method}"):
            raise RpcRefusal({"code": METHOD_UNKNOWN, "message": "no such method"})
        return await super().call(method, *arguments)


@dataclass(slots=True, kw_only=True)
class ConformanceWorld:
    """Servers of four agencies that share a ledger."""

    loop: asyncio.AbstractEventLoop
    folder: Path
    ledger: FakeLedger = field(default_factory=ConformanceLedger)
    agencies: dict[str, Agency] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)
    """For the story: they need no token, but speak to the same services."""
    urls: dict[str, str] = field(default_factory=dict)
    """Where each agency is served with tokens, without `/v1`."""
    token: str = ""
    """Holds all roles."""
    known: dict[str, list[str]] = field(default_factory=dict)
    """Identifiers that stand for each path parameter, by the path before it."""
    writes: int = 0
    """How many fresh idempotency keys were given out."""

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do something in the servers' thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    def settle(self) -> None:
        """Put what is promised into a block, and let every agency read it."""
        self.run(self._settle())

    async def _settle(self) -> None:
        for agency in self.agencies.values():
            await agency.services.outbox.turn()
        self.ledger.mine()
        for agency in self.agencies.values():
            await agency.services.outbox.turn()
            await agency.services.index.catch_up()

    async def open(self, stack: AsyncExitStack) -> None:
        """Serve, tell the story, and note what can be found by its identifier."""
        self.token, record = create_token("conformance", list(Role))
        save_tokens(self.folder / "tokens.json", [record])
        settings = ApiSettings(port=0, token_file=self.folder / "tokens.json")
        for name, number in NUMBERS.items():
            agency = Agency(self.ledger, self.folder / name, number)
            stack.callback(agency.services.close)
            self.agencies[name] = agency
            self.callers[name] = await open_caller(agency)
            stack.push_async_callback(self.callers[name].client.close)
            app = agency.build_app(settings)
            self.urls[name] = await stack.enter_async_context(serve(app, settings))
        await self._tell_story()
        await self._settle()
        await self._note_identifiers()

    async def _tell_story(self) -> None:
        bureau, laboratory = self.callers["bureau"], self.callers["laboratory"]
        commission, supervisor = self.callers["commission"], self.callers["supervisor"]
        law = await make_law(bureau, supervisor, laboratory)
        statute = await make_law(bureau, supervisor, laboratory, kind="statute")
        await share_texts(bureau, law.dataset, commission)
        consent = (await record_consent(laboratory, law, quota=9))["uid"]
        await record_consent(laboratory, law)
        approved = [await ask(laboratory, law, consent, case=f"C-{number}") for number in range(4)]
        released = await release(bureau, approved[1])
        receipt = {"response_envelope": released["envelope"]}
        await do(laboratory, f"/exchanges/{approved[1]['uid']}/acknowledgement", receipt)
        await release(bureau, approved[2])
        void = f"/exchanges/{approved[3]['uid']}/void"
        await do(laboratory, void, {"reason": "error"})
        conditional = {"sharing": "conditional", "conditions": {"text": "Only for benefits."}}
        decided = await make_law(
            bureau, supervisor, laboratory, dataset=conditional, kind="statute"
        )
        await ask(laboratory, decided)
        cancelled = await ask(laboratory, decided)
        await do(laboratory, f"/exchanges/{cancelled['uid']}/cancellation", {})
        bulk = await ask(laboratory, statute, mode="bulk", subject=None, valid_until=LATER)
        period = f"/exchanges/{bulk['uid']}/periods/{PERIOD}"
        await do(bureau, period, {})
        await do(bureau, f"{period}/statement", {"deliveries": ["0x" + "07" * 32]})
        await self._tell_more(law.dataset)
        await laboratory.post("/subjects", PERSON | {"counterparty": BUREAU}, status=200)
        file = {"number": CASE, "procedure": "housing-subsidy", "purpose": law.purpose, "needs": []}
        await laboratory.post("/cases", file, status=201)

    async def _tell_more(self, dataset: str) -> None:
        bureau, supervisor = self.callers["bureau"], self.callers["supervisor"]
        act_list = str((await bureau.put("/texts", ACT_LIST))["hash"])
        await do(bureau, "/mandates", {"mandates": [build_office(act_list)]})
        schema = await do(bureau, "/schemas", {"title": "Result", "pointers": ["/result"]})
        policy = {
            "from_jurisdiction": "MO",
            "to_jurisdiction": "CN-GD",
            "schema_uid": schema["uid"],
            "issuers": [LABORATORY],
            "max_age_s": 3600,
            "assurance": "substantial",
            "valid_from": PAST,
            "agreement": AGREEMENT,
        }
        await do(bureau, "/policies", policy)
        document = {"schema_uid": schema["uid"], "document": {"result": "negative"}}
        await bureau.post("/credentials", document, status=201)
        await bureau.post("/webhooks", {"url": "https://example.org/hook"}, status=201)
        instrument = {
            "kind": "contract",
            "filing": {"number": "GBA-2026-17"},
            "provider": BUREAU,
            "recipient": COMMISSION,
            "dataset": dataset,
            "valid_from": PAST,
        }
        await do(supervisor, "/instruments", instrument)
        decision = {"until": LATER, "decision": {"number": "3/2026", "text": "Stop."}}
        stop = await do(supervisor, "/stops", {"pair": [COMMISSION, BUREAU]} | decision)
        await do(supervisor, f"/stops/{stop['uid']}/lift", {})
        await do(bureau, "/posts", {"duties": {"title": "Officer", "text": "Decides."}})
        proposal = {
            "decision": "suspend_agency",
            "parameters": {"agency": LABORATORY},
            "document": {"title": "Suspension", "text": "Its key was lost."},
            "expires": LATER,
        }
        await do(bureau, "/proposals", proposal)

    async def _note_identifiers(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for route in ROUTES:
                if not _is_list(route):
                    continue
                for url in self.urls.values():
                    async with session.get(f"{url}/v1{route.path}") as response:
                        told = await response.json()
                    for item in told.get("items", ()) if response.status == 200 else ():
                        named = next((item[n] for n in ("uid", "id", "number") if n in item), None)
                        if named is not None:
                            self.known.setdefault(route.path, []).append(str(named))
        self.known["/cases"] = [CASE]


@contextmanager
def open_conformance_world(folder: Path) -> Iterator[ConformanceWorld]:
    """Serve the world until the block is left."""
    before = structlog.get_config()
    # Whatever an earlier test has configured: its processors may need another kind of logger.
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.BoundLogger,
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="conformance")
    thread.start()
    world = ConformanceWorld(loop=loop, folder=folder)
    stack = AsyncExitStack()
    try:
        world.run(world.open(stack))
        yield world
    finally:
        world.run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        structlog.configure(**before)


def _is_list(route: Route) -> bool:
    return route.method == "GET" and "{" not in route.path and route.name != "stream_events"
