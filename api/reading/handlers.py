"""The handlers of all collections: list, get, history."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row

from api.errors import NotFound, UpstreamFault
from api.index import law_queries, queries
from api.index.law_queries import LawFilter
from api.index.law_tables import PERIOD_KIND
from api.reading import mandate_check, proposals
from api.reading.collection import Collection
from api.reading.events import LawHistory, tell_of_period, view_law_events
from api.reading.facts import Facts
from api.reading.models import LawRecord
from api.reading.named import PATIENCE_S, Named, check_named
from api.reading.surroundings import Known, add_texts, gather_surroundings, read_known
from api.reading.table import COLLECTIONS
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.services import RestServices
from api.rest.values import Reason, parse_time
from api.rest.words import encode_word


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A part of a list as the index had it at one moment."""

    rows: list[tuple[Row[Any], Mapping[str, Any]]]
    """Records with their terms."""
    known: Known
    block: int


async def list_records(collection: Collection, call: Call) -> Reply:
    """List the records of a collection, newest first."""
    page = call.get_page()
    wanted = _read_filter(collection, call)

    def load(connection: Connection) -> _Found:
        rows = law_queries.list_law_records(connection, page.and_one, wanted)
        terms = [json.loads(row.terms) for row in rows]
        return _Found(
            rows=list(zip(rows, terms, strict=True)),
            known=read_known(connection, terms),
            block=queries.get_block(connection),
        )

    found = await call.services.index.read(load)
    rows, following = cut_page(found.rows, page, lambda one: one[0].position)
    if not rows:
        await check_named(call.services, list_named(collection, call))
    around = await add_texts(call.services, found.known)
    views = [
        collection.view(
            Facts(row=row, terms=terms, live=None, around=around, read_at_block=found.block)
        )
        for row, terms in rows
    ]
    return Reply(model=collection.make_page(views, following, found.block))


async def get_record(collection: Collection, call: Call) -> Reply:
    """Read one record at the last final block."""
    row, block = await find_record(call.services, call.get_digest("uid"), collection.kind)
    facts = await gather_facts(call.services, collection, row, block)
    return Reply(model=await _tell_erased(call.services, collection.view(facts)))


async def _tell_erased(services: RestServices, record: LawRecord) -> LawRecord:
    """Return a record with what this agency's vault erased of it; the ledger does not know."""
    if services.maybe_vault is None:
        return record
    erased = await services.maybe_vault.find_erased(bytes.fromhex(record.uid[2:]))
    if erased is None:
        return record
    told = {"erased_here": parse_time(erased.erased_s), "erased_reason": Reason(erased.reason)}
    return record.model_copy(update=told)


async def get_history(collection: Collection, call: Call) -> Reply:
    """List what happened to one record, oldest first."""
    uid = call.get_digest("uid")
    page = call.get_page()
    await find_record(call.services, uid, collection.kind)
    found, block = await call.services.index.read(
        lambda c: (
            queries.list_history(c, page.and_one, uid=uid, kind=collection.kind),
            queries.get_block(c),
        )
    )
    rows, following = cut_page(found, page, lambda row: row.position)
    events = await view_law_events(rows, registry=call.services.index.registry)
    if collection.kind == PERIOD_KIND:
        events = [tell_of_period(event, call.path["uid"].lower()) for event in events]
    return Reply(
        model=LawHistory(
            items=events,
            next=following,
            indexed_block=block,
        )
    )


async def find_record(services: RestServices, uid: bytes, kind: str) -> tuple[Row[Any], int]:
    """Return a record's row once the index is at the last final block, and that block.

    Raises `NotFound`, or `UpstreamFault` where the record may yet come: the index is behind.
    """
    head = await services.ledger.get_head()
    is_there = await services.index.wait_for(head.number, PATIENCE_S)

    def load(connection: Connection) -> tuple[Row[Any] | None, int]:
        record = law_queries.get_law_record(connection, uid, kind=kind)
        return record, queries.get_block(connection)

    row, block = await services.index.read(load)
    if row is not None:
        return row, block
    if not is_there:
        raise UpstreamFault(
            f"the index stands at block {block} of {head.number}, so this cannot be told yet",
            code="index_behind",
            next_step="try again in a moment",
        )
    missing = NotFound(
        f"the ledger has no {kind.replace('_', ' ')} with this uid",
        field="uid",
        code="record_not_found",
    )
    missing.next_step = "if it was accepted a moment ago, follow its operation until it is final"
    raise missing


async def gather_facts(
    services: RestServices, collection: Collection, row: Row[Any], block: int
) -> Facts:
    """Return all that is known of one record."""
    around = await gather_surroundings(services, [row])
    live = None if collection.live is None else await collection.live(services.ledger, row, block)
    return Facts(
        row=row, terms=json.loads(row.terms), live=live, around=around, read_at_block=block
    )


def list_named(collection: Collection, call: Call) -> list[Named]:
    """Return what the filters of a list name; raises `InvalidField` for what names nothing."""
    found = []
    for entry in collection.filters:
        target = call.find_party(entry.name) if entry.is_party else call.find_digest(entry.name)
        if target is not None:
            found.append(Named(parameter=entry.name, kind=entry.target, id=target))
    return found


def _read_filter(collection: Collection, call: Call) -> LawFilter:
    roles = {entry.name: entry.role for entry in collection.filters}
    links = {roles[named.parameter]: named.id for named in list_named(collection, call)}
    state = call.find_choice("state", tuple(collection.states))
    subkind = None
    if collection.subkinds is not None:
        word = call.find_choice("kind", tuple(collection.subkinds))
        subkind = None if word is None else encode_word(collection.subkinds(word))
    from_s, until_s = call.find_period()
    return LawFilter(
        kind=collection.kind,
        links=links,
        state=None if state is None else collection.states[state],
        subkind=subkind,
        from_s=from_s,
        until_s=until_s,
    )


Handle = Callable[[Call], Awaitable[Reply]]

READING_HANDLERS: Final[dict[str, Handle]] = {
    name: partial(handle, collection)
    for collection in COLLECTIONS
    for name, handle in (
        (f"list_{collection.path.replace('-', '_')}", list_records),
        (f"get_{collection.kind}", get_record),
        (f"get_{collection.kind}_history", get_history),
    )
} | {
    "list_proposals": proposals.list_proposals,
    "get_proposal": proposals.get_proposal,
    "get_governing_rules": proposals.get_rules,
    "check_mandate": mandate_check.check_mandate,
}
"""By operation id, as `routes.py` names them."""
