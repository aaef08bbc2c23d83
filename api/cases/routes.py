"""The routes of cases, and their handlers."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from api.access.callers import Role
from api.cases.answer import CaseAnswer, CaseExchange, view_case_exchange, view_mark
from api.cases.asking import Askable, find_askable
from api.cases.facts import gather_case
from api.cases.marks import list_marks
from api.cases.register import (
    CaseCreate,
    CaseFile,
    CaseFileView,
    create_case,
    find_case_file,
    list_case_exchanges,
    refuse_unknown,
    view_case_file,
)
from api.errors import Forbidden, InvalidField, UpstreamFault
from api.reading.handlers import list_records
from api.reading.named import PATIENCE_S
from api.reading.table import COLLECTION_BY_KIND
from api.rest.call import Call, Reply
from api.rest.route import Parameter, Route
from api.rest.services import RestServices
from api.rest.values import encode_hex

_MAX_NUMBER: Final = 200


async def get_case(call: Call) -> Reply:
    """Tell everything about a case, and what is missing; asked of the own ledger, of all."""
    number, services = call.path["case"], call.services
    if len(number) > _MAX_NUMBER:
        raise InvalidField("case", f"a case number has at most {_MAX_NUMBER} characters")
    known = await find_case_file(services, number)
    uids = await list_case_exchanges(services, number)
    marks = await list_marks(services, number)
    if known is None and not uids and not marks:
        raise refuse_unknown("case")
    blocks: dict[str, int | None] = {}
    found: dict[str, CaseExchange] = {}
    for one in services.ledgers.list_gathered(services):
        try:
            blocks[one.ledger_name], told = await _read_ledger(one, uids, known)
        except UpstreamFault:
            if one is services:
                raise
            blocks[one.ledger_name] = None
        else:
            found |= {exchange.uid: exchange for exchange in told}
    exchanges = [found[name] for name in map(encode_hex, uids) if name in found]
    codes = dict.fromkeys(entry.code for exchange in exchanges for entry in exchange.missing)
    return Reply(
        model=CaseAnswer(
            number=number,
            file=view_case_file(known),
            exchanges=exchanges,
            erased=list(map(view_mark, marks)),
            missing=list(codes),
            block=blocks[services.ledger_name] or 0,
            ledgers=blocks,
        )
    )


async def _read_ledger(
    services: RestServices, uids: Sequence[bytes], known: CaseFile | None
) -> tuple[int, list[CaseExchange]]:
    """Return the exchanges of a case on one ledger, and up to which block they are told."""
    head = await services.ledger.get_head()
    if not await services.index.wait_for(head.number, PATIENCE_S):
        raise UpstreamFault(
            "the index is behind the ledger, so this cannot be told yet",
            code="index_behind",
            next_step="try again in a moment",
        )
    facts = await gather_case(services, uids, known)
    return head.number, [view_case_exchange(one, services.ledger_name) for one in facts]


async def list_bases(call: Call) -> Reply:
    """List bases; with a case, tell what it may ask."""
    number = call.query.get("case")
    if number is None:
        return await list_records(COLLECTION_BY_KIND["basis"], call)
    if call.caller is None or not call.caller.has_any(Role.OFFICER):
        raise Forbidden(
            "what a case needs is in the vault: this needs the role officer",
            needed=(Role.OFFICER.value,),
        )
    call.require_purpose()
    return await find_askable(call, number)


def extend_bases(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return the routes with the question "what may I ask?" added to the list of bases."""
    return tuple(
        replace(
            route,
            summary="List bases; or, for a case and a dataset: what may I ask?",
            query=(*route.query, CASE),
            alternatives=(Askable,),
            takes_purpose=True,
            problems=(404, 409, *route.problems),
            volatile=("block",),
        )
        if route.name == "list_bases"
        else route
        for route in routes
    )


CASE: Final = Parameter(
    name="case",
    description=(
        "Tell what this case may ask of `dataset`, by its case file: live bases, and the smallest"
        " field set that serves. Needs the role `officer`."
    ),
    schema={"type": "string", "minLength": 1, "maxLength": _MAX_NUMBER},
)

CASE_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="create_case",
        method="POST",
        path="/cases",
        tag="cases",
        summary="Open a case file in the vault",
        role=Role.OFFICER,
        request=CaseCreate,
        response=CaseFileView,
        status=201,
        problems=(409,),
    ),
    Route(
        name="get_case",
        method="GET",
        path="/cases/{case}",
        tag="cases",
        summary="From a case number: who asked whom for what, on which basis, and what is missing",
        role=Role.OFFICER,
        also=(Role.AUDITOR, Role.DATA_OFFICER),
        response=CaseAnswer,
        opens=True,
        problems=(404, 409),
        volatile=("block", "ledgers"),
    ),
)
"""In the order of the documentation."""

CASE_HANDLERS: Final[dict[str, Callable[[Call], Awaitable[Reply]]]] = {
    "create_case": create_case,
    "get_case": get_case,
    "list_bases": list_bases,
}
"""By operation id."""
