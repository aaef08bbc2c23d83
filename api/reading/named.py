"""What the filters of lists name: a list by something that is not there is refused, not empty.

Whoever mistypes a label or copies half of a uid would otherwise read "there is none" and believe
it. A page that has records proves that what it was filtered by exists; so only an empty one is
looked into, and only then does a filter cost more than the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from api.acts.parties import is_agency, is_jurisdiction, refuse_agency, refuse_party
from api.errors import ApiError, UpstreamFault, UserFault
from api.index import queries
from api.index.law_tables import LAW_LINKS, LAW_RECORDS
from api.rest.call import Call
from api.rest.services import RestServices

AGENCY: Final = "agency"
JURISDICTION: Final = "jurisdiction"
SCHEMA: Final = "schema"
"""Kinds of things besides those of the ledger's law."""

PATIENCE_S: Final = 2.0
"""How long a read waits for the index to reach the last final block."""

_LISTS: Final = {
    "basis": "bases",
    "body": "bodies",
    "policy": "policies",
}
"""Collections whose name is not the kind and an s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What one query parameter names."""

    parameter: str
    kind: str
    """Kind of record in the index, or one of those above; empty for what cannot be looked up."""
    id: bytes
    """32 bytes."""


def list_digests(call: Call, kinds: Mapping[str, str]) -> list[Named]:
    """Return what query parameters name, by parameter and kind of the thing; agencies by label too.

    Raises `InvalidField`.
    """
    found = [
        (name, kind, call.find_party(name) if kind == AGENCY else call.find_digest(name))
        for name, kind in kinds.items()
    ]
    return [
        Named(parameter=name, kind=kind, id=id_) for name, kind, id_ in found if id_ is not None
    ]


async def check_named(services: RestServices, named: Sequence[Named]) -> None:
    """Raise a refusal of the first that does not exist, naming its query parameter.

    While the index is behind the last final block, something may yet come: `UpstreamFault`.
    """
    for one in named:
        if not one.kind:
            continue
        if one.kind == AGENCY:
            is_there = await is_agency(services.ledger, one.id)
        elif one.kind == JURISDICTION:
            is_there = await is_jurisdiction(services.ledger, one.id)
        else:
            is_there = await _is_record(services, one)
        if not is_there:
            raise await _refuse(services, one)


async def _is_record(services: RestServices, one: Named) -> bool:
    if await services.index.read(lambda c: _find(c, one)):
        return True
    head = await services.ledger.get_head()
    await services.index.wait_for(head.number, PATIENCE_S)
    return await services.index.read(lambda c: _find(c, one))


def _find(connection: Connection, one: Named) -> bool:
    if one.kind == SCHEMA:
        return queries.get_schema(connection, one.id) is not None
    record = select(LAW_RECORDS.c.uid).where(
        LAW_RECORDS.c.uid == one.id, LAW_RECORDS.c.kind == one.kind
    )
    # A body is a record from its second board on, and named by its offices from the first.
    link = select(LAW_LINKS.c.uid).where(LAW_LINKS.c.target == one.id, LAW_LINKS.c.role == one.kind)
    return any(connection.execute(query.limit(1)).first() for query in (record, link))


async def _refuse(services: RestServices, one: Named) -> ApiError:
    if one.kind == AGENCY:
        return await refuse_agency(services.ledger, one.id, one.parameter)
    if one.kind == JURISDICTION:
        return refuse_party(one.kind, one.parameter)
    head = await services.ledger.get_head()
    block = await services.index.get_block()
    if block < head.number:
        return UpstreamFault(
            f"the index stands at block {block} of {head.number}, so this cannot be told yet",
            code="index_behind",
            next_step="try again in a moment",
        )
    collection = _LISTS.get(one.kind, f"{one.kind}s")
    return UserFault(
        f"the ledger has no {one.kind} with this uid",
        code=f"{one.kind}_not_found",
        field=one.parameter,
        status=422,
        next_step=(
            f"take it from GET /v1/{collection}; if it was accepted a moment ago, follow its"
            " operation until it is final"
        ),
    )
