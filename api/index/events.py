"""From events of the ledger's contracts to rows of the index.

`process_events` is the whole meaning of the chain for the index: each event becomes a line of
history, and the record that it concerns is inserted or changed. The contracts have already decided
that it was allowed; nothing is checked again. Rows are gathered in drafts (`api.index.draft`), each
of some whole blocks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from api.index.authors import RELAYED, note_relay
from api.index.draft import Draft
from api.index.law_records import list_concerned, list_law_kinds, process_law_event, write_json
from api.index.placed_event import PlacedEvent
from api.index.tables import ACCREDITATIONS, EVENTS
from contracts.codes import AgencyStatus, ProposalStatus, RecordKind, RecordState

NO_UID: Final = bytes(32)

DRAFT_EVENTS: Final = 2_000
"""Events that a draft holds, and those that its last block has beyond them."""


def process_events(connection: Connection, events: Iterable[PlacedEvent]) -> None:
    """Write the rows of events in the order of the chain; the blocks among them are whole."""
    for part in _cut(events):
        draft = Draft(connection)
        draft.load({uid for event in part for uid in list_concerned(event)})
        for event in part:
            process = _PROCESSES.get(event.name)
            if process is not None:
                process(draft, event)
            else:
                process_law_event(draft, event)
        draft.write()


def _cut(events: Iterable[PlacedEvent]) -> Iterator[Sequence[PlacedEvent]]:
    part: list[PlacedEvent] = []
    for event in events:
        if len(part) >= DRAFT_EVENTS and event.block != part[-1].block:
            yield part
            part = []
        part.append(event)
    if part:
        yield part


def _process_schema(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    draft.schemas.add(
        {
            "uid": args["uid"],
            "position": event.position,
            "owner": args["owner"],
            "pointers_hash": args["pointers_hash"],
            "document_hash": args["document_hash"],
            "leaf_count": args["leaf_count"],
            "state": RecordState.ACTIVE,
            "block": event.block,
            "time_s": event.time_s,
        }
    )
    _add(
        draft,
        event,
        "schema.registered",
        agency=args["owner"],
        state=RecordState.ACTIVE,
        related=_get_uid(args["previous"]),
    )


def _process_schema_state(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    draft.schemas.change(args["uid"], state=args["state"])
    _add(draft, event, "schema.state", agency=args["owner"], state=args["state"])


def _process_accreditation(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    draft.connection.execute(
        insert(ACCREDITATIONS).values(
            position=event.position,
            schema_uid=args["schema"],
            agency=args["agency"],
            since_block=event.block,
            since_s=event.time_s,
        )
    )
    _add(
        draft,
        event,
        "accreditation.given",
        uid=args["schema"],
        agency=args["owner"],
        schema_uid=args["schema"],
        related=args["agency"],
    )


def _process_withdrawal(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    draft.connection.execute(
        update(ACCREDITATIONS)
        .where(
            ACCREDITATIONS.c.schema_uid == args["schema"],
            ACCREDITATIONS.c.agency == args["agency"],
            ACCREDITATIONS.c.until_block.is_(None),
        )
        .values(until_block=event.block, until_s=event.time_s)
    )
    _add(
        draft,
        event,
        "accreditation.withdrawn",
        uid=args["schema"],
        agency=args["owner"],
        schema_uid=args["schema"],
        related=args["agency"],
    )


def _process_attestation(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    previous = _get_uid(args["previous"])
    draft.attestations.add(
        {
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
            "previous": previous,
            "successor": None,
            "key": args["key"],
            "block": event.block,
            "time_s": event.time_s,
        }
    )
    if previous is not None:
        draft.attestations.change(previous, successor=args["uid"])
    _add(
        draft,
        event,
        "attestation.created",
        agency=args["issuer"],
        schema_uid=args["schema"],
        related=previous,
        state=RecordState.ACTIVE,
    )


def _process_batch(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    draft.batches.add(
        {
            "uid": args["uid"],
            "position": event.position,
            "issuer": args["issuer"],
            "schema_uid": args["schema"],
            "root": args["root"],
            "size": args["count"],
            "algorithm": args["alg"],
            "state": RecordState.ACTIVE,
            "reason": 0,
            "event_time_s": args["event_time"],
            "key": args["key"],
            "block": event.block,
            "time_s": event.time_s,
        }
    )
    _add(
        draft,
        event,
        "batch.created",
        agency=args["issuer"],
        schema_uid=args["schema"],
        state=RecordState.ACTIVE,
    )


def _process_state(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    is_batch = args["kind"] == RecordKind.BATCH
    rows = draft.batches if is_batch else draft.attestations
    rows.change(args["uid"], state=args["state"], reason=args["reason"])
    kind = "batch.state" if is_batch else "attestation.state"
    _add(draft, event, kind, agency=args["issuer"], state=args["state"])


def _process_leaf(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    values = {"state": args["state"], "reason": args["reason"], "block": event.block}
    draft.put_leaf(args["uid"], args["index"], values)
    _add(
        draft,
        event,
        "batch.leaf_state",
        agency=args["issuer"],
        place=args["index"],
        state=args["state"],
    )


def _process_registry(draft: Draft, event: PlacedEvent) -> None:
    agency = event.args["agency"]
    # Where the event is about a key, this is not the one that signed: a vote has added it.
    about_key = {"key": None} if event.name in _ABOUT_KEYS else {}
    _add(
        draft,
        event,
        _REGISTRY_KINDS[event.name],
        uid=agency,
        agency=agency,
        state=_AGENCY_STATES.get(event.name),
        **about_key,
    )


def _process_proposal(draft: Draft, event: PlacedEvent) -> None:
    args = event.args
    uid = args["proposal"].to_bytes(32, "big")
    agency = args.get("agency", args.get("proposer"))
    if agency is None:
        agency = _find_proposer(draft, uid)
    _add(
        draft,
        event,
        _PROPOSAL_KINDS[event.name],
        uid=uid,
        agency=agency,
        state=_PROPOSAL_STATES.get(event.name),
    )


def _find_proposer(draft: Draft, proposal: bytes) -> bytes:
    for line in draft.list_lines():
        if line["kind"] == _PROPOSED and line["uid"] == proposal:
            return bytes(line["agency"])
    made = select(EVENTS.c.agency).where(EVENTS.c.uid == proposal, EVENTS.c.kind == _PROPOSED)
    agency = draft.connection.execute(made).scalar()
    return NO_UID if agency is None else bytes(agency)


def _process_relay(draft: Draft, event: PlacedEvent) -> None:
    note_relay(draft, event)


def _add(draft: Draft, event: PlacedEvent, kind: str, **values: Any) -> None:
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
    draft.add_line(row | values)


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

REGISTRY_CHANGES: Final = tuple(_REGISTRY_KINDS.values())
"""Kinds of events that may change what the registry answers of their agency."""

REGISTRY_UPGRADES: Final = (_PROPOSAL_KINDS["ProposalExecuted"],)
"""Kinds of events that may change all that it answers: a proposal may exchange its code."""

_PROCESSES: Final[Mapping[str, Callable[[Draft, PlacedEvent], None]]] = {
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
