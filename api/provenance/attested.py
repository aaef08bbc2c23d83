"""The provenance of attestations, batches and schemas.

A successor is derived from the record that it superseded; its creation is told with the record,
because that is what ended it.
"""

from typing import Any

from sqlalchemy import Connection, Row

from api.index import queries
from api.index.tables import LOGS_PER_BLOCK
from api.rest.answers import Activity, Entity
from api.rest.values import State, encode_hex, parse_time
from api.rest.views import view_algorithm, view_reason, view_state, view_uid

MAX_ACTIVITIES = 10_000
"""Most acts told of one record."""

MAX_RELATED = 50
"""Longest chain of records, each superseding the one before, that is followed either way."""

_ENDING = (State.REVOKED, State.SUPERSEDED, State.ERASED)


def collect_attested(connection: Connection, uid: bytes) -> tuple[list[Entity], list[Activity]]:
    """Return the record amid those tied to it, and all acts on them, oldest first."""
    entities: list[Entity] = []
    schema_uid: bytes | None = None
    told = [uid]
    chain = _follow_chain(connection, uid)
    if chain:
        entities = [_view_attestation(row) for row in chain]
        schema_uid = bytes(chain[0].schema_uid)
        told = [bytes(row.uid) for row in chain]
    elif (batch := queries.get_batch(connection, uid)) is not None:
        entities = [_view_batch(batch)]
        schema_uid = bytes(batch.schema_uid)
    elif queries.get_schema(connection, uid) is not None:
        schema_uid = uid
    if schema_uid is not None:
        schema = queries.get_schema(connection, schema_uid)
        if schema is not None:
            entities.append(_view_schema(schema))
    page = queries.Page(limit=MAX_ACTIVITIES)
    events = [
        row for told_uid in told for row in queries.list_history(connection, page, uid=told_uid)
    ]
    ordered = sorted(events, key=lambda row: row.position)
    return entities, [_view_activity(row) for row in ordered]


def _follow_chain(connection: Connection, uid: bytes) -> list[Row[Any]]:
    """Return an attestation amid those before and after it in supersession, oldest first."""
    start = queries.get_attestation(connection, uid)
    if start is None:
        return []
    chain = [start]
    while chain[0].previous is not None and len(chain) < MAX_RELATED:
        earlier = queries.get_attestation(connection, bytes(chain[0].previous))
        if earlier is None:
            break
        chain.insert(0, earlier)
    while chain[-1].successor is not None and len(chain) < 2 * MAX_RELATED:
        later = queries.get_attestation(connection, bytes(chain[-1].successor))
        if later is None:
            break
        chain.append(later)
    return chain


def _view_activity(row: Row[Any]) -> Activity:
    uid = encode_hex(bytes(row.uid))
    related = view_uid(row.related)
    schema_uid = view_uid(row.schema_uid)
    state = None if row.state is None else view_state(row.state)
    creates = row.kind in {"attestation.created", "batch.created", "schema.registered"}
    used = [value for value in (schema_uid, related) if value is not None and value != uid]
    return Activity(
        id=f"{encode_hex(bytes(row.transaction_hash))}#{row.position % LOGS_PER_BLOCK}",
        type=row.kind,
        agent=encode_hex(bytes(row.agency)),
        key=view_uid(row.key),
        used=used if creates else [uid, *used],
        generated=[uid] if creates else [],
        # A member that ends leaves the batch itself standing.
        invalidated=[uid] if state in _ENDING and row.place is None else [],
        index=row.place,
        state=state,
        reason=view_reason(row.reason),
        event_time=None if row.event_time_s is None else parse_time(row.event_time_s),
        block=row.block,
        block_hash=encode_hex(bytes(row.block_hash)),
        block_time=parse_time(row.time_s),
        transaction=encode_hex(bytes(row.transaction_hash)),
        final=True,
    )


def _view_attestation(row: Row[Any]) -> Entity:
    return Entity(
        id=encode_hex(bytes(row.uid)),
        type="attestation",
        attributed_to=encode_hex(bytes(row.issuer)),
        schema_uid=encode_hex(bytes(row.schema_uid)),
        commitment=encode_hex(bytes(row.commitment)),
        alg=view_algorithm(row.algorithm),
        state=view_state(row.state),
        derived_from=view_uid(row.previous),
        revised_by=view_uid(row.successor),
    )


def _view_batch(row: Row[Any]) -> Entity:
    return Entity(
        id=encode_hex(bytes(row.uid)),
        type="batch",
        attributed_to=encode_hex(bytes(row.issuer)),
        schema_uid=encode_hex(bytes(row.schema_uid)),
        commitment=encode_hex(bytes(row.root)),
        alg=view_algorithm(row.algorithm),
        state=view_state(row.state),
        derived_from=None,
        revised_by=None,
    )


def _view_schema(row: Row[Any]) -> Entity:
    return Entity(
        id=encode_hex(bytes(row.uid)),
        type="schema",
        attributed_to=encode_hex(bytes(row.owner)),
        schema_uid=None,
        commitment=encode_hex(bytes(row.pointers_hash)),
        alg=None,
        state=view_state(row.state),
        derived_from=None,
        revised_by=None,
    )
