"""The page that answers a case number: who asked whom for what, and what is missing.

The number is private, so it comes as a form and never stands in an address. The page is for whom
REST answers the same question, and shows less than REST does: which officers acted stays in the
vault, the page says only whether the vault knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from api.access.callers import Role, requires
from api.access.purposes import AUDIT, RIGHTS
from api.cases.answer import CaseExchange
from api.errors import NotFound
from api.explorer.law.asking import ask
from api.explorer.law.moments import Places
from api.explorer.law.naming import name_records
from api.explorer.law.showing import Named
from api.explorer.page import show_page
from api.explorer.services import SERVICES, ExplorerServices
from api.rest.services import NoVault

READERS: Final = (Role.OFFICER, Role.AUDITOR, Role.DATA_OFFICER)
"""Whom REST answers about a case."""

MAX_NUMBER: Final = 200
"""Characters of a case number."""

PURPOSES: Final = ("service", AUDIT, RIGHTS, "correction", "dispute")
"""What the page may be asked for; it stands in the record of reads."""

_OFFICIALS: Final = frozenset({"officer", "decided_by"})
"""Members of an exchange that the vault opens; they are persons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the page needs to show exchanges of one ledger: a case may have some on several."""

    root: str
    """Where the ledger's pages are."""
    named: Mapping[str, Named]
    places: Places


@requires(*READERS)
async def ask_case(request: web.Request) -> web.Response:
    """Show the form that takes a case number."""
    return await _show(request, None, None)


@requires(*READERS)
async def show_case(request: web.Request) -> web.Response:
    """Show what vault and ledger know of a case."""
    form = await request.post()
    number = str(form.get("number", "")).strip()[:MAX_NUMBER]
    if not number:
        return await _show(request, None, None)
    try:
        answer = await ask(
            request, "get_case", path={"case": number}, purpose=str(form.get("purpose", AUDIT))
        )
    except NotFound:
        return await _show(request, None, "cases.unknown", status=404)
    except NoVault:
        return await _show(request, None, "cases.no_vault", status=409)
    return await _show(request, answer, None)


async def _show(
    request: web.Request, answer: dict[str, Any] | None, problem: str | None, *, status: int = 200
) -> web.Response:
    services = request.config_dict[SERVICES]
    exchanges = [] if answer is None else [_hide_officials(one) for one in answer["exchanges"]]
    needs = [] if answer is None or answer["file"] is None else answer["file"]["needs"]
    told = {} if answer is None else answer["ledgers"]
    sights: dict[str, Sight] = {}
    for name in dict.fromkeys([services.rest.ledger_name, *(one["ledger"] for one in exchanges)]):
        here = [one for one in exchanges if one["ledger"] == name]
        sights[name] = await _look(services.explorers.get(name, services), here, needs)
    return await show_page(
        request,
        "case.html",
        json=None,
        status=status,
        answer=answer,
        exchanges=exchanges,
        needs=needs,
        problem=problem,
        max_number=MAX_NUMBER,
        purposes=PURPOSES,
        sights=sights,
        # A file names no ledger; what it needs may be described on any.
        datasets={
            uid: named for one in reversed(sights.values()) for uid, named in one.named.items()
        },
        away=[name for name, block in told.items() if block is None],
    )


async def _look(
    services: ExplorerServices, exchanges: list[dict[str, Any]], needs: list[dict[str, Any]]
) -> Sight:
    """Find what a case's exchanges on one ledger name, and what it needs of it."""
    wanted: dict[str, tuple[str, ...]] = {need["dataset"]: ("dataset",) for need in needs}
    for exchange in exchanges:
        wanted |= {exchange["uid"]: ("exchange",), exchange["dataset"]: ("dataset",)}
        wanted |= {exchange["purpose"]: ("purpose",)}
        wanted |= {consent["uid"]: ("consent",) for consent in exchange["consents"]}
        wanted |= {consent["notice"]: ("notice",) for consent in exchange["consents"]}
        if exchange["basis"] is not None:
            wanted[exchange["basis"]["uid"]] = ("basis",)
    registry = await services.chain.get_registry()
    return Sight(
        root=services.root,
        named=await name_records(services.rest, wanted),
        places=Places(services.rest.deadlines, registry),
    )


def _hide_officials(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return an exchange without the persons that the vault opened: only whether it knows them."""
    assert set(CaseExchange.model_fields) >= _OFFICIALS, "the answer has other members now"
    return exchange | {name: exchange[name] is not None for name in _OFFICIALS}
