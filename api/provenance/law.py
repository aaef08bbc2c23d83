"""The provenance of the law's records: the record, what it rests on, and what rests on it.

From the record asked for, links are followed to what it names (dataset, purpose, notice, basis,
instrument, consents, mandate, the exchange that it hands on), and from there on, as far as there is
anything to name. Besides, what rests on the record itself is told: the exchanges of a consent, the
periods of an exchange.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from api.index import law_queries, queries
from api.index.law_events import OF_BASIS, OF_DATASET, OF_PURPOSE, PARTY
from api.index.tables import LOGS_PER_BLOCK
from api.reading.states import name_state
from api.rest.answers import Activity, Entity
from api.rest.values import encode_hex, parse_time
from api.rest.views import view_reason, view_uid

MAX_RECORDS: Final = 500
"""Most records told of one."""

MAX_EVENTS: Final = 2_000
"""Most events told of one record."""

_NO_RECORDS: Final = frozenset(
    {PARTY, "jurisdiction", "law", "scope", "schema", "subject", OF_BASIS, OF_DATASET, OF_PURPOSE}
)
"""Roles of links whose targets are no records of the law, or reached by a direct link."""

_RESTING: Final = frozenset({"exchange", "period", "mandate"})
"""Kinds that are told with the record which they rest on."""

_CREATING: Final = frozenset(
    {
        "registered",
        "published",
        "entered",
        "established",
        "stopped",
        "bound",
        "given",
        "requested",
        "recorded",
        "proposed",
    }
)
_ENDING_STATES: Final = frozenset({"revoked", "superseded", "erased", "void", "cancelled"})

Links = tuple[tuple[str, bytes], ...]


def collect_law(connection: Connection, uid: bytes) -> tuple[list[Entity], list[Activity]]:
    """Return the record with those tied to it, and all acts on them, oldest first."""
    rows, links = _gather(connection, uid)
    events = [
        event
        for row in rows
        for event in queries.list_history(
            connection, queries.Page(limit=MAX_EVENTS), uid=bytes(row.uid), kind=row.kind
        )
    ]
    # A period's events stand with its exchange, so that both would tell them.
    ordered = sorted({event.position: event for event in events}.items())
    kinds = {bytes(row.uid): row.kind for row in rows}
    return (
        [_view_entity(row, links[bytes(row.uid)], kinds) for row in rows],
        [_view_activity(event, links, kinds) for _, event in ordered],
    )


def _gather(connection: Connection, uid: bytes) -> tuple[list[Row[Any]], dict[bytes, Links]]:
    """Return the record first, then what it rests on, then what rests on it."""
    found: dict[bytes, Row[Any]] = {}
    links: dict[bytes, Links] = {}
    waiting = [uid]
    while waiting and len(found) < MAX_RECORDS:
        loaded = law_queries.get_law_records(connection, waiting)
        found |= {known: loaded[known] for known in waiting if known in loaded}
        named: list[bytes] = []
        for known in loaded:
            links[known] = tuple(
                (role, target)
                for role, target in law_queries.list_links(
                    connection, known, kind=loaded[known].kind
                )
                if role not in _NO_RECORDS
            )
            named += [target for _, target in links[known]]
        waiting = [target for target in dict.fromkeys(named) if target not in found]
    if uid in found:
        _add_resting(connection, uid, found, links)
    return list(found.values()), links


def _add_resting(
    connection: Connection, uid: bytes, found: dict[bytes, Row[Any]], links: dict[bytes, Links]
) -> None:
    if found[uid].kind in {"dataset", "purpose", "notice", "basis"}:
        # Much of the ledger rests on these; their own lists are the way to it.
        return
    linking = law_queries.list_linking(connection, uid, limit=MAX_RECORDS)
    uids = [target for _, kind, target in linking if kind in _RESTING and target not in found]
    for target, row in law_queries.get_law_records(connection, uids).items():
        found[target] = row
        links[target] = tuple(
            (role, other)
            for role, other in law_queries.list_links(connection, target, kind=row.kind)
            if role not in _NO_RECORDS
        )


def _view_entity(
    row: Row[Any], links: Sequence[tuple[str, bytes]], kinds: Mapping[bytes, str]
) -> Entity:
    names: dict[str, list[str]] = {}
    for role, target in links:
        if target in kinds:
            names.setdefault(role, []).append(encode_hex(target))
    return Entity(
        id=encode_hex(bytes(row.uid)),
        type=row.kind,
        attributed_to=encode_hex(bytes(row.agency)),
        schema_uid=None,
        commitment=_find_commitment(row),
        alg=None,
        state=name_state(row.kind, row.state),
        names=names,
        derived_from=view_uid(row.previous),
        revised_by=view_uid(row.successor),
    )


def _view_activity(
    event: Row[Any], links: Mapping[bytes, Links], kinds: Mapping[bytes, str]
) -> Activity:
    uid = encode_hex(bytes(event.uid))
    kind, _, verb = event.kind.partition(".")
    creates = verb in _CREATING
    state = name_state(kind, event.state)
    named = [encode_hex(target) for _, target in links[bytes(event.uid)] if target in kinds]
    related = view_uid(event.related)
    ends = state in _ENDING_STATES or verb in {"withdrawn", "ended", "lifted"}
    return Activity(
        id=f"{encode_hex(bytes(event.transaction_hash))}#{event.position % LOGS_PER_BLOCK}",
        type=event.kind,
        agent=encode_hex(bytes(event.agency)),
        key=view_uid(event.key),
        used=list(dict.fromkeys(named)) if creates else [uid, *([related] if related else [])],
        generated=[uid] if creates else [],
        invalidated=[uid] if ends and not creates else [],
        index=event.place,
        state=state,
        reason=view_reason(event.reason),
        event_time=None if event.event_time_s is None else parse_time(event.event_time_s),
        block=event.block,
        block_hash=encode_hex(bytes(event.block_hash)),
        block_time=parse_time(event.time_s),
        transaction=encode_hex(bytes(event.transaction_hash)),
        final=True,
    )


def _find_commitment(row: Row[Any]) -> str | None:
    """Return what the ledger keeps of a record's content, where it has one such word."""
    terms = json.loads(row.terms)
    for path in (
        ("request", "request_commitment"),
        ("terms", "record"),
        ("terms", "fields_hash"),
        ("terms", "law_hash"),
        ("terms", "filing"),
        ("terms", "document_hash"),
        ("document_hash",),
        ("decision_hash",),
        ("commitment",),
        ("root",),
    ):
        value: Any = terms
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None
