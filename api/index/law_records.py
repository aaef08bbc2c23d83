"""Drafting the records of the ledger's law for the index, as `law_events` says.

Besides the two tables of meaning, three events have something of their own: a period is a record
inside an exchange, a succession ends a board's offices, and a binding is named by a key.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_utils.crypto import keccak

from api.index.authors import read_authors
from api.index.draft import INHERITED, Draft
from api.index.law_events import (
    CHANGES,
    CREATIONS,
    KINDS_BY_NUMBER,
    LATE_EVENT,
    PARTY,
    Change,
    Creation,
    get_argument,
)
from api.index.law_tables import PERIOD_KIND
from api.index.open_due import get_open_due
from api.index.placed_event import PlacedEvent
from contracts.codes import RecordState

BODY_KIND: Final = "body"
NO_AGENCY: Final = bytes(32)
_ANY_SCOPE: Final = {
    "dataset": "dataset",
    "purpose": "purpose",
    "provider": PARTY,
    "recipient": PARTY,
}


def process_law_event(draft: Draft, event: PlacedEvent) -> bool:
    """Draft the rows of an event of the ledger's law; False if it is none."""
    creation, change = CREATIONS.get(event.name), CHANGES.get(event.name)
    if creation is not None:
        _create(draft, event, creation)
    elif change is not None:
        _change(draft, event, change)
        if event.name == "PeriodChanged":
            _put_period(draft, event)
    elif event.name == "BoardSucceeded":
        _succeed(draft, event)
    else:
        return False
    return True


def list_concerned(event: PlacedEvent) -> list[bytes]:
    """Return the uids of the records that an event of the law changes, or asks for."""
    args = event.args
    change = CHANGES.get(event.name)
    if event.name == "BoardSucceeded":
        return [bytes(args["body"])]
    if change is None:
        previous = get_argument(args, "previous") if event.name in CREATIONS else None
        return [] if previous is None else [bytes(previous)]
    found = [_get_uid(args)]
    if event.name == "PeriodChanged":
        found.append(compute_period_uid(args["uid"], args["period"]))
    return found


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


def _create(draft: Draft, event: PlacedEvent, creation: Creation) -> None:
    args = event.args
    kind = creation.kind if isinstance(creation.kind, str) else creation.kind(args)
    uid = _get_uid(args)
    agency = args[creation.agency]
    columns = _read_columns(args, creation.columns)
    said = write_json(args)
    row = _start_row(draft, event, uid, kind, said) | {
        "agency": agency,
        "state": creation.state,
        **columns,
    }
    if kind == "exchange":
        row["open_due_s"] = columns.get("due_s") or None
    draft.create(row, [*_list_links(args, creation), (PARTY, agency)])
    if "previous" in columns:
        draft.change(kind, columns["previous"], {"successor": uid})
    _add_line(
        draft,
        event,
        (kind, creation.verb),
        said,
        uid=uid,
        agency=agency,
        state=creation.state,
        state_after=creation.state,
        related=columns.get("previous"),
    )


def _change(draft: Draft, event: PlacedEvent, change: Change) -> None:
    args = event.args
    kind = change.kind if isinstance(change.kind, str) else change.kind(args)
    uid = _get_uid(args)
    state = change.state(args)
    values = _read_columns(args, change.columns)
    if state is not None:
        values["state"] = state
    if event.name == LATE_EVENT:
        values["is_late"] = True
        draft.note_late(event.transaction_hash, uid)
    values |= get_open_due(event, state, draft.find(kind, uid))
    draft.change(kind, uid, {"changed": event.position, **values})
    if "previous" in values:
        draft.change(kind, values["previous"], {"successor": uid})
    if change.party is not None:
        draft.add_party(kind, uid, args[change.party])
    record = draft.find(kind, uid)
    named = get_argument(args, change.agency)
    if named is None:
        # The event names nobody, so it is of its record's agency.
        named = NO_AGENCY if record is None else record["agency"]
    _add_line(
        draft,
        event,
        (kind, change.verb),
        write_json(args),
        uid=uid,
        agency=bytes(named),
        state=state,
        state_after=None if record is None else record["state"],
        related=get_argument(args, "exchange"),
        place=None if change.place is None else args.get(change.place),
    )


def _put_period(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    uid = compute_period_uid(args["uid"], args["period"])
    said = write_json(args)
    if draft.find(PERIOD_KIND, uid) is not None:
        draft.change(
            PERIOD_KIND, uid, {"state": args["state"], "changed": event.position, "terms": said}
        )
        return
    row = _start_row(draft, event, uid, PERIOD_KIND, said) | {
        "agency": args["requester"],
        "counterparty": args["provider"],
        "state": args["state"],
        "place": args["period"],
    }
    links = [("exchange", args["uid"]), (PARTY, args["requester"]), (PARTY, args["provider"])]
    links += [
        (INHERITED[role], target)
        for role, target in draft.list_links("exchange", args["uid"])
        if role in INHERITED
    ]
    draft.create(row, links)


def _succeed(draft: Draft, event: PlacedEvent) -> None:
    """End the offices of the boards before, from the effective time on."""
    args = event.args
    body, board, effective = args["body"], args["board"], args["effective"]
    for office in draft.list_open_offices(body, board):
        draft.change("mandate", office, {"ended_s": effective, "changed": event.position})
    said = write_json(args)
    values = {"place": board, "valid_from_s": effective, "terms": said}
    if draft.find(BODY_KIND, body) is not None:
        draft.change(BODY_KIND, body, {"changed": event.position, **values})
    else:
        row = _start_row(draft, event, body, BODY_KIND, said) | {
            "agency": args["agency"],
            "state": RecordState.ACTIVE,
            # The succession has a uid of its own, which is what was marked late.
            "is_late": draft.is_late(event.transaction_hash, args["uid"]),
            **values,
        }
        draft.create(row, [(PARTY, args["agency"])])
    _add_line(
        draft,
        event,
        (BODY_KIND, "succeeded"),
        said,
        uid=body,
        agency=args["agency"],
        state=RecordState.ACTIVE,
        state_after=RecordState.ACTIVE,
        related=args["uid"],
        place=board,
    )


def _start_row(
    draft: Draft, event: PlacedEvent, uid: bytes, kind: str, said: str
) -> dict[str, Any]:
    return {
        "uid": uid,
        "position": event.position,
        "kind": kind,
        "reason": 0,
        "event_time_s": event.args.get("event_time"),
        "is_late": draft.is_late(event.transaction_hash, uid),
        "key": event.args.get("key"),
        "block": event.block,
        "time_s": event.time_s,
        "changed": event.position,
        "terms": said,
    }


def _read_columns(args: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns that an event fills."""
    found = {column: get_argument(args, path) for column, path in columns.items()}
    return {column: value for column, value in found.items() if value is not None}


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


def _add_line(
    draft: Draft, event: PlacedEvent, kind: tuple[str, str], said: str, **values: Any
) -> None:
    record, verb = kind
    args = event.args
    row: dict[str, Any] = {
        "position": event.position,
        "kind": f"{record}.{verb}",
        "reason": args.get("reason"),
        "event_time_s": args.get("event_time"),
        **read_authors(draft, event),
        "block": event.block,
        "transaction_hash": event.transaction_hash,
        "details": said,
        **values,
    }
    draft.add_line(row, kind=record)


_EXACT_LIMIT: Final = 2**53


def _simplify(value: Any) -> Any:
    # By far most values are of the first kinds.
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return hex(value) if abs(value) > _EXACT_LIMIT else value
    if isinstance(value, Mapping):
        return {name: _simplify(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_simplify(item) for item in value]
    return value
