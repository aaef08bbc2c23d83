"""From one event of the ledger's contracts to rows of the index.

`process_event` is the whole meaning of the chain for the index: each event becomes a line of
history, and the record that it concerns is inserted or changed. The contracts have already decided
that it was allowed; nothing is checked again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from api.index.authors import RELAYED, note_relay
from api.index.law_records import list_law_kinds, process_law_event, write_json
from api.index.placed_event import PlacedEvent
from api.index.tables import (
    ACCREDITATIONS,
    ATTESTATIONS,
    BATCHES,
    EVENTS,
    LEAVES,
    SCHEMAS,
)
from contracts.codes import AgencyStatus, ProposalStatus, RecordKind, RecordState

NO_UID: Final = bytes(32)

# Made once: building a statement anew for each row costs five times what executing it does.
_INSERT_ATTESTATION: Final = insert(ATTESTATIONS)
_INSERT_EVENT: Final = insert(EVENTS)


def process_events(connection: Connection, events: Iterable[PlacedEvent]) -> None:
    """Write the rows of events in the order of the chain.

    Attestations that supersede nothing only add rows. They are most of what there is, so those that
    follow each other are written together: over a network, one by one costs several times as much.
    """
    waiting: list[PlacedEvent] = []
    for event in events:
        if event.name == "Attested" and _get_uid(event.args["previous"]) is None:
            waiting.append(event)
            continue
        _add_attestations(connection, waiting)
        waiting.clear()
        process_event(connection, event)
    _add_attestations(connection, waiting)


def process_event(connection: Connection, event: PlacedEvent) -> None:
    """Write one event's rows."""
    process = _PROCESSES.get(event.name)
    if process is not None:
        process(connection, event)
    else:
        process_law_event(connection, event)


def _process_schema(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    connection.execute(
        insert(SCHEMAS).values(
            uid=args["uid"],
            position=event.position,
            owner=args["owner"],
            pointers_hash=args["pointers_hash"],
            document_hash=args["document_hash"],
            leaf_count=args["leaf_count"],
            state=RecordState.ACTIVE,
            block=event.block,
            time_s=event.time_s,
        )
    )
    _add(
        connection,
        event,
        "schema.registered",
        agency=args["owner"],
        state=RecordState.ACTIVE,
        related=_get_uid(args["previous"]),
    )


def _process_schema_state(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    connection.execute(
        update(SCHEMAS).where(SCHEMAS.c.uid == args["uid"]).values(state=args["state"])
    )
    _add(connection, event, "schema.state", agency=args["owner"], state=args["state"])


def _process_accreditation(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    connection.execute(
        insert(ACCREDITATIONS).values(
            position=event.position,
            schema_uid=args["schema"],
            agency=args["agency"],
            since_block=event.block,
            since_s=event.time_s,
        )
    )
    _add(
        connection,
        event,
        "accreditation.given",
        uid=args["schema"],
        agency=args["owner"],
        schema_uid=args["schema"],
        related=args["agency"],
    )


def _process_withdrawal(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    connection.execute(
        update(ACCREDITATIONS)
        .where(
            ACCREDITATIONS.c.schema_uid == args["schema"],
            ACCREDITATIONS.c.agency == args["agency"],
            ACCREDITATIONS.c.until_block.is_(None),
        )
        .values(until_block=event.block, until_s=event.time_s)
    )
    _add(
        connection,
        event,
        "accreditation.withdrawn",
        uid=args["schema"],
        agency=args["owner"],
        schema_uid=args["schema"],
        related=args["agency"],
    )


def _process_attestation(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    previous = _get_uid(args["previous"])
    _add_attestations(connection, [event])
    if previous is not None:
        connection.execute(
            update(ATTESTATIONS).where(ATTESTATIONS.c.uid == previous).values(successor=args["uid"])
        )


def _add_attestations(connection: Connection, events: Sequence[PlacedEvent]) -> None:
    if not events:
        return
    connection.execute(_INSERT_ATTESTATION, [_make_attestation(event) for event in events])
    connection.execute(
        _INSERT_EVENT,
        [
            _make_line(
                event,
                "attestation.created",
                agency=event.args["issuer"],
                schema_uid=event.args["schema"],
                related=_get_uid(event.args["previous"]),
                state=RecordState.ACTIVE,
            )
            for event in events
        ],
    )


def _make_attestation(event: PlacedEvent) -> dict[str, Any]:
    args = event.args
    return {
        "uid": args["uid"],
        "position": event.position,
        "issuer": args["issuer"],
        "schema_uid": args["schema"],
        "commitment": args["commitment"],
        "algorithm": args["alg"],
        "state": RecordState.ACTIVE,
        "reason": 0,
        "valid_until_s": args["valid_until"],
        "event_time_s": args["event_time"],
        "previous": _get_uid(args["previous"]),
        "key": args["key"],
        "block": event.block,
        "time_s": event.time_s,
    }


def _process_batch(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    connection.execute(
        insert(BATCHES).values(
            uid=args["uid"],
            position=event.position,
            issuer=args["issuer"],
            schema_uid=args["schema"],
            root=args["root"],
            size=args["count"],
            algorithm=args["alg"],
            state=RecordState.ACTIVE,
            reason=0,
            event_time_s=args["event_time"],
            key=args["key"],
            block=event.block,
            time_s=event.time_s,
        )
    )
    _add(
        connection,
        event,
        "batch.created",
        agency=args["issuer"],
        schema_uid=args["schema"],
        state=RecordState.ACTIVE,
    )


def _process_state(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    is_batch = args["kind"] == RecordKind.BATCH
    table = BATCHES if is_batch else ATTESTATIONS
    connection.execute(
        update(table)
        .where(table.c.uid == args["uid"])
        .values(state=args["state"], reason=args["reason"])
    )
    kind = "batch.state" if is_batch else "attestation.state"
    _add(connection, event, kind, agency=args["issuer"], state=args["state"])


def _process_leaf(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    key = {"batch": args["uid"], "place": args["index"]}
    values = {"state": args["state"], "reason": args["reason"], "block": event.block}
    where = (LEAVES.c.batch == key["batch"]) & (LEAVES.c.place == key["place"])
    if connection.execute(select(LEAVES.c.block).where(where)).one_or_none() is None:
        connection.execute(insert(LEAVES).values(**key, **values))
    else:
        connection.execute(update(LEAVES).where(where).values(**values))
    _add(
        connection,
        event,
        "batch.leaf_state",
        agency=args["issuer"],
        place=args["index"],
        state=args["state"],
    )


def _process_registry(connection: Connection, event: PlacedEvent) -> None:
    agency = event.args["agency"]
    # Where the event is about a key, this is not the one that signed: a vote has added it.
    about_key = {"key": None} if event.name in _ABOUT_KEYS else {}
    _add(
        connection,
        event,
        _REGISTRY_KINDS[event.name],
        uid=agency,
        agency=agency,
        state=_AGENCY_STATES.get(event.name),
        **about_key,
    )


def _process_proposal(connection: Connection, event: PlacedEvent) -> None:
    args = event.args
    uid = args["proposal"].to_bytes(32, "big")
    agency = args.get("agency", args.get("proposer"))
    if agency is None:
        made = select(EVENTS.c.agency).where(EVENTS.c.uid == uid, EVENTS.c.kind == _PROPOSED)
        agency = connection.execute(made).scalar() or NO_UID
    _add(
        connection,
        event,
        _PROPOSAL_KINDS[event.name],
        uid=uid,
        agency=agency,
        state=_PROPOSAL_STATES.get(event.name),
    )


def _process_relay(connection: Connection, event: PlacedEvent) -> None:
    note_relay(connection, event)


def _add(connection: Connection, event: PlacedEvent, kind: str, **values: Any) -> None:
    connection.execute(_INSERT_EVENT, _make_line(event, kind, **values))


def _make_line(event: PlacedEvent, kind: str, **values: Any) -> dict[str, Any]:
    args = event.args
    row: dict[str, Any] = {
        "position": event.position,
        "kind": kind,
        "uid": args.get("uid"),
        "reason": args.get("reason"),
        "event_time_s": args.get("event_time"),
        "key": args.get("key"),
        "block": event.block,
        "transaction_hash": event.transaction_hash,
        "state_after": values.get("state"),
        "details": None if event.name == "Attested" else write_json(args),
    }
    return row | values


def _get_uid(value: bytes) -> bytes | None:
    return None if value == NO_UID else value


_REGISTRY_KINDS: Final[Mapping[str, str]] = {
    "AgencyAdmitted": "agency.admitted",
    "AgencySuspended": "agency.suspended",
    "AgencyReinstated": "agency.reinstated",
    "ProfileChanged": "agency.profile",
    "RolesChanged": "agency.roles",
    "KeyAdded": "agency.key_added",
    "KeyRevoked": "agency.key_revoked",
    "KeyEnds": "agency.key_ends",
    "AgencyPausedItself": "agency.paused_itself",
    "AgencyResumed": "agency.resumed",
    "AgencyPaused": "agency.paused",
    "PauseLifted": "agency.pause_lifted",
    "PinAdded": "agency.pin_added",
    "PinWithdrawn": "agency.pin_withdrawn",
    "ValidatorAdded": "agency.validator_added",
    "ValidatorRemoved": "agency.validator_removed",
}
_ABOUT_KEYS: Final = frozenset({"KeyAdded", "KeyRevoked", "KeyEnds"})
_AGENCY_STATES: Final[Mapping[str, int]] = {
    "AgencyAdmitted": AgencyStatus.ACTIVE,
    "AgencySuspended": AgencyStatus.SUSPENDED,
    "AgencyReinstated": AgencyStatus.ACTIVE,
}

_PROPOSED: Final = "proposal.proposed"
_PROPOSAL_KINDS: Final[Mapping[str, str]] = {
    "Proposed": _PROPOSED,
    "Voted": "proposal.voted",
    "ProposalPassed": "proposal.passed",
    "ProposalReopened": "proposal.reopened",
    "ProposalExecuted": "proposal.executed",
    "ProposalWithdrawn": "proposal.withdrawn",
}
_PROPOSAL_STATES: Final[Mapping[str, int]] = {
    "Proposed": ProposalStatus.OPEN,
    "ProposalPassed": ProposalStatus.PASSED,
    "ProposalReopened": ProposalStatus.OPEN,
    "ProposalExecuted": ProposalStatus.EXECUTED,
    "ProposalWithdrawn": ProposalStatus.WITHDRAWN,
}

_PROCESSES: Final[Mapping[str, Callable[[Connection, PlacedEvent], None]]] = {
    "SchemaRegistered": _process_schema,
    "SchemaStateChanged": _process_schema_state,
    "IssuerAccredited": _process_accreditation,
    "AccreditationWithdrawn": _process_withdrawal,
    "Attested": _process_attestation,
    "BatchAttested": _process_batch,
    "StateChanged": _process_state,
    "LeafStateChanged": _process_leaf,
    RELAYED: _process_relay,
    **dict.fromkeys(_REGISTRY_KINDS, _process_registry),
    **dict.fromkeys(_PROPOSAL_KINDS, _process_proposal),
}

_RECORD_KINDS: Final = (
    "schema.registered",
    "schema.state",
    "accreditation.given",
    "accreditation.withdrawn",
    "attestation.created",
    "attestation.state",
    "batch.created",
    "batch.state",
    "batch.leaf_state",
)

EVENT_KINDS: Final = tuple(
    sorted(
        {*_RECORD_KINDS, *_REGISTRY_KINDS.values(), *_PROPOSAL_KINDS.values(), *list_law_kinds()}
    )
)
"""Kinds of all events that the index tells."""
