"""A served explorer over the real chain, on which four agencies have used the ledger's law.

Everything is done through REST, by the agencies that may: a dataset is described, a basis entered,
a consent given, data go over and are received; boards change, a policy is signed by both sides, a
post is held, a period is stated. What was made has names in `Records`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp

from api.app import Services, build_app
from api.explorer.chain import ChainReader
from api.explorer.records import RecordReader
from api.explorer.services import ExplorerServices
from api.explorer.surface import build_explorer
from api.rest.app import build_rest_surface
from api.server import serve
from api.settings import ApiSettings
from api.web3_provider import RawCall
from tests.unit.acts.exchange_world import (
    Law,
    ask,
    build_request,
    do,
    make_law,
    record_consent,
    release,
)
from tests.unit.acts.law_world import (
    ACT_LIST,
    BUREAU,
    COMMISSION,
    LABORATORY,
    LATER,
    PAST,
    make_uid,
    write_time,
)
from tests.unit.explorer.real_ledger import RealLedger, open_ledger
from tests.unit.rest.ledger_world import START_S, Agency, Caller, open_caller

NUMBER = "HS-2026-000417"
"""The case in whose course data are asked for; so does `build_request`."""
OFFICER = "officer-of-this-test-4712"
"""Who asks: nothing of it may ever stand on a page."""
NAMES = {BUREAU.encode().ljust(32, b"\0"): "Health Bureau of Macao"}


class RealWorld:
    """The real chain as the tests of REST use a ledger."""

    def __init__(self, ledger: RealLedger) -> None:
        self.ledger = ledger

    @property
    def now_s(self) -> int:
        return self.ledger.now_s

    async def call(self, method: str, *arguments: Any) -> Any:
        return await self.ledger.connection.raw.call(method, *arguments)

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        return await self.ledger.connection.raw.batch(calls)

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.ledger.mine()


@dataclass(slots=True)
class Records:
    """Uids of what was made, by name."""

    uids: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.uids[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class LawSite:
    """The laboratory's explorer."""

    url: str
    http: aiohttp.ClientSession
    laboratory: Caller
    records: Records
    ledger: RealLedger

    @asynccontextmanager
    async def open_guarded(self, token_file: Path) -> AsyncIterator[str]:
        """Serve the same once more, with tokens; yields its address."""
        async with _serve(self.ledger, self.laboratory.agency, token_file) as url:
            yield url

    async def read(
        self, path: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> str:
        """Return a page of `/explorer`."""
        async with self.http.get(f"{self.url}/explorer{path}", headers=headers) as answer:
            assert answer.status == status, (path, await answer.text())
            return await answer.text()

    async def get(self, path: str, *, status: int = 200) -> Any:
        """Return a JSON answer of `/explorer/v1`."""
        async with self.http.get(f"{self.url}/explorer/v1{path}") as answer:
            assert answer.status == status, (path, await answer.text())
            return await answer.json(content_type=None)


@asynccontextmanager
async def open_law_site(folder: Path) -> AsyncIterator[LawSite]:
    """Serve the laboratory's explorer and REST on a free port."""
    async with open_ledger(folder, now_s=START_S + 1_000_000) as ledger:
        ledger.mine(period_s=START_S - ledger.now_s)
        world: Any = RealWorld(ledger)
        callers = []
        try:
            for number in range(1, 5):
                agency = Agency(world, folder / f"{number}", number)
                callers.append(await open_caller(agency))
            records = await _fill(*callers)
            laboratory = callers[0]
            async with (
                _serve(ledger, laboratory.agency, None) as url,
                aiohttp.ClientSession() as http,
            ):
                yield LawSite(
                    url=url, http=http, laboratory=laboratory, records=records, ledger=ledger
                )
        finally:
            for caller in callers:
                await caller.client.close()
                caller.agency.services.close()


@asynccontextmanager
async def _serve(ledger: RealLedger, agency: Agency, token_file: Path | None) -> AsyncIterator[str]:
    services = agency.services
    await services.index.catch_up()
    object.__setattr__(services, "names", NAMES)
    chain = ChainReader(ledger.connection.raw, now_s=services.now)
    explorer = build_explorer(
        ExplorerServices(
            chain=chain,
            records=RecordReader(chain, services.index),
            index=services.index,
            rest=services,
            ledger_name="Shared ledger Macao & Guangdong",
        )
    )
    settings = ApiSettings(port=0, token_file=token_file)
    app = build_app(Services(surfaces=(build_rest_surface(services), explorer)), settings)
    async with serve(app, settings) as url:
        yield url


async def _fill(
    laboratory: Caller, bureau: Caller, commission: Caller, supervisor: Caller
) -> Records:
    records = Records()
    law = await make_law(bureau, supervisor, laboratory)
    records.uids |= {
        "dataset": law.dataset, "purpose": law.purpose, "notice": law.notice, "basis": law.basis,
    }  # fmt: skip
    for read in ("purpose", "notice", "basis"):
        await _share(bureau if read != "basis" else supervisor, laboratory, read, records[read])
    await _exchange(records, law, laboratory, bureau)
    await _deliver(records, law, laboratory, bureau, supervisor)
    await _keep_bodies(records, bureau)
    await _cross_border(records, law, bureau, commission, supervisor)
    await _govern(records, bureau, commission, supervisor)
    for caller in (laboratory, bureau):
        await caller.agency.services.index.catch_up()
    return records


async def _exchange(records: Records, law: Law, laboratory: Caller, bureau: Caller) -> None:
    """One exchange that runs to its end, one that is void, and a consent withdrawn."""
    needs = [{"dataset": law.dataset, "fields": ["/income_band", "/year"]}]
    file = {"number": NUMBER, "procedure": "housing", "purpose": law.purpose, "needs": needs}
    await laboratory.agency.services.index.catch_up()
    await laboratory.post("/cases", file, status=201)
    consent = (await record_consent(laboratory, law, quota=3))["uid"]
    asked = await ask(laboratory, law, consent, officer={"number": OFFICER})
    released = await release(bureau, asked)
    arrived = {"response_envelope": released["envelope"]}
    await do(laboratory, f"/exchanges/{asked['uid']}/acknowledgement", arrived)
    twice = await ask(laboratory, law, consent, officer={"number": OFFICER})
    await do(laboratory, f"/exchanges/{twice['uid']}/void", {"reason": "error"})
    records.uids |= {"consent": consent, "exchange": asked["uid"], "half_void": twice["uid"]}
    await do(bureau, f"/consents/{consent}/withdrawal", {"form": {"form": "F-13"}})


async def _deliver(
    records: Records, law: Law, laboratory: Caller, bureau: Caller, supervisor: Caller
) -> None:
    """A bulk exchange on a statute, with a period on which both sides agree."""
    statute = {"recipient": LABORATORY, "dataset": law.dataset, "purpose": law.purpose}
    basis = {"kind": "statute", "law": {"law": "Law 2/2020", "article": "Article 15"}}
    entered = await do(supervisor, "/bases", basis | {"valid_from": PAST, "scopes": [statute]})
    records.uids["statute"] = entered["uid"]
    bulk = build_request(law, mode="bulk", subject=None, valid_until=LATER, basis=entered["uid"])
    asked = await do(laboratory, "/exchanges", bulk)
    path = f"/exchanges/{asked['uid']}/periods/202611"
    await do(bureau, path, {})
    root = {"count": 2, "root": "0x" + sha256(b"two deliveries").hexdigest()}
    for caller in (bureau, laboratory):
        stated = await do(caller, f"{path}/statement", root)
    records.uids |= {"bulk": asked["uid"], "period": stated["record"].rpartition("/")[2]}


async def _keep_bodies(records: Records, bureau: Caller) -> None:
    """A board that succeeds another, and a post with its officer."""
    act_list = str((await bureau.put("/texts", ACT_LIST))["hash"])
    association = {"register_name": "mo-associations", "number": "0042"}
    office: dict[str, Any] = {
        "uid": make_uid(),
        "kind": "office",
        "body": association,
        "grantee": {"name": "Chan Tai Man"},
        "act_list": act_list,
        "acts": ["sign-contract"],
        "valid_from": PAST,
        "valid_until": LATER,
        "record": {"office": "president"},
    }
    await do(bureau, "/mandates", {"mandates": [office]})
    successor = {"grantee": {"name": "Lei Siu"}, "act_list": act_list, "acts": ["sign-contract"]}
    succession = {
        "body": association,
        "effective": write_time(bureau.agency.ledger.now_s),
        "resolution": {"assembly": "2026-11-21"},
        "offices": [successor],
    }
    await do(bureau, "/mandates/successions", succession)
    post = await do(bureau, "/posts", {"duties": {"title": "Data officer", "text": "Decides."}})
    held = {"officer": {"name": "Chan"}, "resolution": {"number": "Despatch 12/2026"}}
    await do(bureau, f"/posts/{post['uid']}/terms", held)
    told = (await bureau.get(f"/mandates/{office['uid']}"))["body"]
    records.uids |= {"mandate": office["uid"], "body": told, "post": post["uid"]}


async def _cross_border(
    records: Records, law: Law, bureau: Caller, commission: Caller, supervisor: Caller
) -> None:
    """A policy signed by both sides, a permit for data that leave, and a stop."""
    schema = await do(bureau, "/schemas", {"title": "Result", "pointers": ["/result"]})
    policy = await do(
        bureau,
        "/policies",
        {
            "from_jurisdiction": "MO",
            "to_jurisdiction": "CN-GD",
            "schema_uid": schema["uid"],
            "issuers": [LABORATORY],
            "max_age_s": 3600,
            "assurance": "substantial",
            "valid_from": PAST,
            "agreement": {"title": "Agreement 1/2026"},
        },
    )
    await commission.agency.services.index.catch_up()
    told = await bureau.get(f"/policies/{policy['uid']}")
    signature = {"agreement_hash": told["document_hash"]}
    await do(commission, f"/policies/{policy['uid']}/signature", signature)
    permit = {
        "kind": "permit",
        "filing": {"number": "GBA-2026-17"},
        "assessment": {"title": "Assessment 17"},
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": law.dataset,
        "valid_from": PAST,
        "valid_until": LATER,
    }
    instrument = await do(supervisor, "/instruments", permit)
    stop = {"dataset": law.dataset, "until": LATER, "decision": {"number": "3"}}
    stopped = await do(supervisor, "/stops", stop)
    binding = {
        "holder": "0x" + "7e" * 20,
        "subject": {"reference": "taxpayer-77"},
        "counterparty": LABORATORY,
        "valid_until": LATER,
    }
    await do(bureau, "/key-bindings", binding)
    records.uids |= {
        "schema": schema["uid"], "policy": policy["uid"], "instrument": instrument["uid"],
        "stop": stopped["uid"], "key_binding": "0x" + "00" * 12 + "7e" * 20,
    }  # fmt: skip


async def _govern(records: Records, bureau: Caller, commission: Caller, supervisor: Caller) -> None:
    """A proposal with one vote for and one against, and an agency that paused itself."""
    proposal = {
        "decision": "suspend_agency",
        "parameters": {"agency": LABORATORY},
        "document": {"title": "Suspension", "text": "Its key was lost."},
        "expires": LATER,
    }
    await do(bureau, "/proposals", proposal)
    (open_one,) = (await bureau.get("/proposals?state=open"))["items"]
    records.uids["proposal"] = str(open_one["number"])
    await do(bureau, f"/proposals/{open_one['number']}/vote", {"approve": True})
    await do(supervisor, f"/proposals/{open_one['number']}/vote", {"approve": False})
    await do(commission, "/pauses/own", {})


async def _share(owner: Caller, reader: Caller, kind: str, uid: str) -> None:
    """Give the text behind a record's hash to another node."""
    await owner.agency.services.index.catch_up()
    plural = {"basis": "bases"}.get(kind, f"{kind}s")
    record = await owner.get(f"/{plural}/{uid}")
    text = await owner.get(f"/texts/{record['law_hash' if kind == 'basis' else 'document_hash']}")
    await reader.put("/texts", {name: text[name] for name in ("kind", "language", "body")})
