"""Writing the records of the ledger's law into the index, as `law_events` says.

Besides the two tables of meaning, three events have something of their own: a period is a record
inside an exchange, a succession ends a board's offices, and a binding is named by a key.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_utils.crypto import keccak
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from api.index.authors import read_authors
from api.index.law_events import (
    CHANGES,
    CREATIONS,
    KINDS_BY_NUMBER,
    LATE_EVENT,
    LATE_SUFFIX,
    OF_BASIS,
    OF_DATASET,
    OF_PURPOSE,
    PARTY,
    Change,
    Creation,
    get_argument,
)
from api.index.law_tables import LAW_LINKS, LAW_RECORDS
from api.index.open_due import close_answered, get_open_due
from api.index.placed_event import PlacedEvent
from api.index.tables import EVENTS
from contracts.codes import MandateKind, RecordState

BODY_KIND: Final = "body"
PERIOD_KIND: Final = "period"
_INHERITED: Final = {"dataset": OF_DATASET, "purpose": OF_PURPOSE, "basis": OF_BASIS}
"""Roles of a period's links by those of its exchange."""
_ANY_SCOPE: Final = {
    "dataset": "dataset",
    "purpose": "purpose",
    "provider": PARTY,
    "recipient": PARTY,
}


def process_law_event(connection: Connection, event: PlacedEvent) -> bool:
    """Write the rows of an event of the ledger's law; False if it is none."""
    creation, change = CREATIONS.get(event.name), CHANGES.get(event.name)
    if creation is not None:
        _create(connection, event, creation)
    elif change is not None:
        _change(connection, event, change)
        if event.name == "PeriodChanged":
            _put_period(connection, event)
    elif event.name == "BoardSucceeded":
        _succeed(connection, event)
    else:
        return False
    return True


def list_law_kinds() -> set[str]:
    """Return the kinds of all events of the ledger's law."""
    kinds = {f"{BODY_KIND}.succeeded"}
    events: list[Creation | Change] = [*CREATIONS.values(), *CHANGES.values()]
    for event in events:
        named = [event.kind] if isinstance(event.kind, str) else KINDS_BY_NUMBER[event.kind]
        kinds |= {f"{kind}.{event.verb}" for kind in named}
    return kinds


def compute_period_uid(exchange: bytes, period: int) -> bytes:
    """Name a period of an exchange, as the contract does: keccak256 of both; 32 bytes."""
    return keccak(exchange + period.to_bytes(32, "big"))


def write_json(args: Mapping[str, Any]) -> str:
    """Write an event's arguments as JSON: bytes as `0x` hexadecimal, numbers as numbers.

    Numbers beyond 2^53, which many readers of JSON would round, are written as hexadecimal too.
    """
    return json.dumps(_simplify(args), separators=(",", ":"))


def _create(connection: Connection, event: PlacedEvent, creation: Creation) -> None:
    args = event.args
    kind = creation.kind if isinstance(creation.kind, str) else creation.kind(args)
    uid = _get_uid(args)
    agency = args[creation.agency]
    columns = {
        column: get_argument(args, path)
        for column, path in creation.columns.items()
        if get_argument(args, path) is not None
    }
    row = _start_row(event, uid, kind) | {
        "agency": agency,
        "state": creation.state,
        "event_time_s": args.get("event_time"),
        "is_late": _was_marked_late(connection, event, uid),
        "terms": write_json(args),
        **columns,
    }
    if kind == "exchange":
        row["open_due_s"] = columns.get("due_s") or None
    connection.execute(insert(LAW_RECORDS).values(**row))
    links = [*_list_links(args, creation), (PARTY, agency)]
    _link(connection, event, uid, kind, links, state=creation.state)
    if "previous" in columns:
        _note_successor(connection, kind, columns["previous"], uid)
    _add_event(
        connection,
        event,
        f"{kind}.{creation.verb}",
        uid=uid,
        agency=agency,
        state=creation.state,
        related=columns.get("previous"),
    )


def _change(connection: Connection, event: PlacedEvent, change: Change) -> None:
    args = event.args
    kind = change.kind if isinstance(change.kind, str) else change.kind(args)
    uid = _get_uid(args)
    state = change.state(args)
    values = {
        column: get_argument(args, path)
        for column, path in change.columns.items()
        if get_argument(args, path) is not None
    }
    if state is not None:
        values["state"] = state
    if event.name == LATE_EVENT:
        values["is_late"] = True
    values |= get_open_due(event, state)
    connection.execute(
        update(LAW_RECORDS).where(_is(kind, uid)).values(changed=event.position, **values)
    )
    close_answered(connection, event)
    if state is not None:
        _note_state(connection, kind, uid, state)
    if "previous" in values:
        _note_successor(connection, kind, values["previous"], uid)
    after = select(LAW_RECORDS.c.state).where(_is(kind, uid))
    if change.party is not None:
        _add_party(connection, kind, uid, args[change.party])
    _add_event(
        connection,
        event,
        f"{kind}.{change.verb}",
        uid=uid,
        agency=_find_actor(connection, args, change, _is(kind, uid)),
        state=state,
        state_after=connection.execute(after).scalar_one_or_none(),
        related=get_argument(args, "exchange"),
        place=None if change.place is None else args.get(change.place),
    )


def _put_period(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    uid = compute_period_uid(args["uid"], args["period"])
    is_period = _is(PERIOD_KIND, uid)
    known = connection.execute(select(LAW_RECORDS.c.uid).where(is_period)).first()
    if known is None:
        row = _start_row(event, uid, PERIOD_KIND) | {
            "agency": args["requester"],
            "counterparty": args["provider"],
            "state": args["state"],
            "place": args["period"],
            "event_time_s": args.get("event_time"),
            "is_late": _was_marked_late(connection, event, uid),
            "terms": write_json(args),
        }
        connection.execute(insert(LAW_RECORDS).values(**row))
        links = [("exchange", args["uid"]), (PARTY, args["requester"]), (PARTY, args["provider"])]
        links += _inherit_links(connection, args["uid"])
        _link(connection, event, uid, PERIOD_KIND, links, state=args["state"])
        return
    _note_state(connection, PERIOD_KIND, uid, args["state"])
    connection.execute(
        update(LAW_RECORDS)
        .where(is_period)
        .values(state=args["state"], changed=event.position, terms=write_json(args))
    )


def _succeed(connection: Connection, event: PlacedEvent) -> None:
    """End the offices of the boards before, from the effective time on."""
    args = event.args
    body, board, effective = args["body"], args["board"], args["effective"]
    of_body = select(LAW_LINKS.c.uid).where(
        LAW_LINKS.c.target == body, LAW_LINKS.c.role == "body", LAW_LINKS.c.kind == "mandate"
    )
    connection.execute(
        update(LAW_RECORDS)
        .where(
            LAW_RECORDS.c.uid.in_(of_body),
            LAW_RECORDS.c.kind == "mandate",
            LAW_RECORDS.c.subkind == MandateKind.OFFICE,
            LAW_RECORDS.c.place < board,
            LAW_RECORDS.c.ended_s.is_(None),
        )
        .values(ended_s=effective, changed=event.position)
    )
    values = {"place": board, "valid_from_s": effective, "terms": write_json(args)}
    is_body = _is(BODY_KIND, body)
    known = connection.execute(select(LAW_RECORDS.c.uid).where(is_body)).first()
    if known is None:
        row = _start_row(event, body, BODY_KIND) | {
            "agency": args["agency"],
            "state": RecordState.ACTIVE,
            "event_time_s": args["event_time"],
            "is_late": _was_marked_late(connection, event, args["uid"]),
            **values,
        }
        connection.execute(insert(LAW_RECORDS).values(**row))
        links = [(PARTY, args["agency"])]
        _link(connection, event, body, BODY_KIND, links, state=RecordState.ACTIVE)
    else:
        connection.execute(
            update(LAW_RECORDS).where(is_body).values(changed=event.position, **values)
        )
    _add_event(
        connection,
        event,
        "body.succeeded",
        uid=body,
        agency=args["agency"],
        state=RecordState.ACTIVE,
        related=args["uid"],
        place=board,
    )


def _start_row(event: PlacedEvent, uid: bytes, kind: str) -> dict[str, Any]:
    return {
        "uid": uid,
        "position": event.position,
        "kind": kind,
        "reason": 0,
        "key": event.args.get("key"),
        "block": event.block,
        "time_s": event.time_s,
        "changed": event.position,
    }


def _get_uid(args: Mapping[str, Any]) -> bytes:
    uid = args.get("uid")
    return bytes(12) + bytes(args["holder"]) if uid is None else bytes(uid)


def _list_links(args: Mapping[str, Any], creation: Creation) -> list[tuple[str, Any]]:
    links = [
        (role, get_argument(args, path)) for role, paths in creation.links.items() for path in paths
    ]
    links += creation.name_further(args).items()
    scopes: Sequence[Mapping[str, Any]] = (
        () if creation.scopes is None else args.get(creation.scopes, ())
    )
    for scope in scopes:
        links += [(role, get_argument(scope, name)) for name, role in _ANY_SCOPE.items()]
    return [(role, target) for role, target in links if target is not None]


def _link(
    connection: Connection,
    event: PlacedEvent,
    uid: bytes,
    kind: str,
    links: Sequence[tuple[str, bytes]],
    *,
    state: int,
) -> None:
    same = {"uid": uid, "kind": kind, "position": event.position, "state": state}
    connection.execute(
        insert(LAW_LINKS),
        [{**same, "role": role, "target": target} for role, target in dict.fromkeys(links)],
    )


def _note_state(connection: Connection, kind: str, uid: bytes, state: int) -> None:
    """Repeat a record's state in its links, along which lists are cut."""
    connection.execute(
        update(LAW_LINKS)
        .where(LAW_LINKS.c.uid == uid, LAW_LINKS.c.kind == kind)
        .values(state=state)
    )


def _inherit_links(connection: Connection, exchange: bytes) -> list[tuple[str, bytes]]:
    """Return to what an exchange's period belongs as well: dataset, purpose, basis."""
    rows = connection.execute(
        select(LAW_LINKS.c.role, LAW_LINKS.c.target).where(
            LAW_LINKS.c.uid == exchange,
            LAW_LINKS.c.kind == "exchange",
            LAW_LINKS.c.role.in_(_INHERITED),
        )
    )
    return [(_INHERITED[row.role], bytes(row.target)) for row in rows]


def _add_party(connection: Connection, kind: str, uid: bytes, agency: bytes) -> None:
    """Link a record to an agency that joins it, unless it is a party already."""
    key = {"uid": uid, "role": PARTY, "target": agency, "kind": kind}
    known = select(LAW_LINKS.c.uid).filter_by(**key)
    record = connection.execute(
        select(LAW_RECORDS.c.position, LAW_RECORDS.c.state).where(_is(kind, uid))
    ).one_or_none()
    if record is not None and connection.execute(known).first() is None:
        # A list is cut by the place of the record, not by that of the joining.
        values = {**key, "position": record.position, "state": record.state}
        connection.execute(insert(LAW_LINKS).values(**values))


def _was_marked_late(connection: Connection, event: PlacedEvent, uid: bytes) -> bool:
    """Tell whether the same transaction marked the record late, which comes before it is made."""
    marks = connection.execute(
        select(EVENTS.c.position)
        .where(
            EVENTS.c.uid == uid,
            EVENTS.c.position < event.position,
            EVENTS.c.transaction_hash == event.transaction_hash,
            EVENTS.c.kind.endswith(LATE_SUFFIX),
        )
        .limit(1)
    )
    return marks.first() is not None


def _is(kind: str, uid: bytes) -> ColumnElement[bool]:
    """Name one record: another one of another kind may have the same uid."""
    return and_(LAW_RECORDS.c.uid == uid, LAW_RECORDS.c.kind == kind)


def _note_successor(connection: Connection, kind: str, previous: bytes, uid: bytes) -> None:
    connection.execute(update(LAW_RECORDS).where(_is(kind, previous)).values(successor=uid))


def _find_actor(
    connection: Connection, args: Mapping[str, Any], change: Change, is_it: ColumnElement[bool]
) -> bytes:
    """Return the agency that an event names, else the agency of its record."""
    named = get_argument(args, change.agency)
    if named is not None:
        return bytes(named)
    owner = connection.execute(select(LAW_RECORDS.c.agency).where(is_it)).scalar_one_or_none()
    return bytes(32) if owner is None else bytes(owner)


def _add_event(connection: Connection, event: PlacedEvent, kind: str, **values: Any) -> None:
    args = event.args
    row: dict[str, Any] = {
        "position": event.position,
        "kind": kind,
        "reason": args.get("reason"),
        "event_time_s": args.get("event_time"),
        **read_authors(connection, event),
        "block": event.block,
        "transaction_hash": event.transaction_hash,
        "details": write_json(args),
        "state_after": values.get("state"),
    }
    connection.execute(insert(EVENTS).values(**(row | values)))


_EXACT_LIMIT: Final = 2**53


def _simplify(value: Any) -> Any:
    match value:
        case bytes():
            return "0x" + value.hex()
        case bool() | None:
            return value
        case int():
            return hex(value) if abs(value) > _EXACT_LIMIT else value
        case Mapping():
            return {name: _simplify(item) for name, item in value.items()}
        case list() | tuple():
            return [_simplify(item) for item in value]
    return value
