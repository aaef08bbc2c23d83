"""From rows and records to the resources of REST."""

from typing import Any

from sqlalchemy import Row

from api.index.tables import LOGS_PER_BLOCK
from api.outbox.store import StoredOperation
from api.records import KeyRecord, SchemaRecord
from api.rest import models
from api.rest.predicate_models import view_predicate
from api.rest.schema_texts import SchemaText
from api.rest.values import (
    Algorithm,
    OperationState,
    Reason,
    State,
    encode_hex,
    parse_optional_time,
    parse_time,
)
from contracts.codes import CommitmentAlgorithm, RecordState, Role
from contracts.codes import Reason as ChainReason

_STATES = {
    RecordState.ACTIVE: State.ACTIVE,
    RecordState.SUSPENDED: State.SUSPENDED,
    RecordState.REVOKED: State.REVOKED,
    RecordState.SUPERSEDED: State.SUPERSEDED,
    RecordState.ERASED: State.ERASED,
}
_REASONS = {
    ChainReason.ERROR: Reason.ERROR,
    ChainReason.SUPERSEDED: Reason.SUPERSEDED,
    ChainReason.LAW: Reason.ENDED_BY_LAW,
    ChainReason.HOLDER: Reason.HOLDER_REQUEST,
    ChainReason.SECURITY: Reason.SECURITY,
}
_ALGORITHMS = {
    CommitmentAlgorithm.SHA256: Algorithm.SHA_256,
    CommitmentAlgorithm.SM3: Algorithm.SM3,
}


def view_state(code: int) -> State:
    """Return a state by its number on the chain."""
    return _STATES[RecordState(code)]


def view_reason(code: int | None) -> Reason | None:
    """Return a reason by its number on the chain; None for none."""
    return _REASONS[ChainReason(code)] if code else None


def view_algorithm(code: int) -> Algorithm:
    """Return a hash by its number on the chain."""
    return _ALGORITHMS[CommitmentAlgorithm(code)]


def find_state_code(state: State | str) -> int:
    """Return the chain's number of a state."""
    return int(next(code for code, named in _STATES.items() if named == state))


def find_reason_code(reason: Reason) -> int:
    """Return the chain's number of a reason."""
    return int(next(code for code, named in _REASONS.items() if named is reason))


def view_uid(value: bytes | None) -> str | None:
    """Return an optional uid as text."""
    return None if value is None else encode_hex(bytes(value))


def view_roles(roles: Role) -> list[str]:
    """Return the names of roles."""
    return [role.name.lower() for role in Role if role in roles and role.name is not None]


def view_key(key: KeyRecord) -> models.Key:
    """Return an account key."""
    return models.Key(
        address=encode_hex(key.address),
        roles=view_roles(key.roles),
        valid_from=parse_optional_time(key.valid_from_s),
        valid_until=parse_optional_time(key.valid_until_s),
    )


def view_schema(row: Row[Any], text: SchemaText | None, accredited: list[bytes]) -> models.Schema:
    """Return a schema from its row in the index."""
    return models.Schema(
        uid=encode_hex(bytes(row.uid)),
        owner=encode_hex(bytes(row.owner)),
        pointers_hash=encode_hex(bytes(row.pointers_hash)),
        tree_size=row.leaf_count,
        state=view_state(row.state),
        title=None if text is None else text.title,
        pointers=None if text is None else list(text.pointers),
        reference=[] if text is None else list(text.reference),
        predicates=[] if text is None else [view_predicate(p) for p in text.predicates],
        accredited=[encode_hex(agency) for agency in accredited],
        block=row.block,
        time=parse_time(row.time_s),
    )


def view_schema_record(
    record: SchemaRecord, text: SchemaText | None, accredited: list[bytes], *, time_s: int
) -> models.Schema:
    """Return a schema as the contract has it."""
    return models.Schema(
        uid=encode_hex(record.uid),
        owner=encode_hex(record.owner),
        pointers_hash=encode_hex(record.pointers_hash),
        tree_size=record.leaf_count,
        state=view_state(record.state),
        title=None if text is None else text.title,
        pointers=None if text is None else list(text.pointers),
        reference=[] if text is None else list(text.reference),
        predicates=[] if text is None else [view_predicate(p) for p in text.predicates],
        accredited=[encode_hex(agency) for agency in accredited],
        block=record.block,
        time=parse_time(time_s),
    )


def view_attestation(
    row: Row[Any], *, unopened: bool | None, read_at_block: int
) -> models.Attestation:
    """Return an attestation from its row in the index."""
    return models.Attestation(
        uid=encode_hex(bytes(row.uid)),
        issuer=encode_hex(bytes(row.issuer)),
        schema_uid=encode_hex(bytes(row.schema_uid)),
        commitment=encode_hex(bytes(row.commitment)),
        alg=view_algorithm(row.algorithm),
        state=view_state(row.state),
        reason=view_reason(row.reason),
        valid_until=parse_optional_time(row.valid_until_s),
        previous=view_uid(row.previous),
        superseded_by=view_uid(row.successor),
        key=encode_hex(bytes(row.key)),
        event_time=parse_time(row.event_time_s),
        block=row.block,
        block_time=parse_time(row.time_s),
        unopened=unopened,
        final=True,
        read_at_block=read_at_block,
    )


def view_batch(
    row: Row[Any], *, unopened: bool | None, changed_leaves: int, read_at_block: int
) -> models.Batch:
    """Return a batch from its row in the index."""
    return models.Batch(
        uid=encode_hex(bytes(row.uid)),
        issuer=encode_hex(bytes(row.issuer)),
        schema_uid=encode_hex(bytes(row.schema_uid)),
        root=encode_hex(bytes(row.root)),
        count=row.size,
        alg=view_algorithm(row.algorithm),
        state=view_state(row.state),
        reason=view_reason(row.reason),
        key=encode_hex(bytes(row.key)),
        event_time=parse_time(row.event_time_s),
        block=row.block,
        block_time=parse_time(row.time_s),
        unopened=unopened,
        changed_leaves=changed_leaves,
        read_at_block=read_at_block,
    )


def view_accreditation(row: Row[Any]) -> models.Accreditation:
    """Return an accreditation from its row in the index."""
    return models.Accreditation(
        schema_uid=encode_hex(bytes(row.schema_uid)),
        agency=encode_hex(bytes(row.agency)),
        since_block=row.since_block,
        since=parse_time(row.since_s),
        until_block=row.until_block,
        until=None if row.until_s is None else parse_time(row.until_s),
    )


def view_event(row: Row[Any]) -> models.Event:
    """Return a line of history."""
    return models.Event(
        kind=row.kind,
        uid=encode_hex(bytes(row.uid)),
        related=view_uid(row.related),
        index=row.place,
        agency=encode_hex(bytes(row.agency)),
        state=None if row.state is None else view_state(row.state),
        reason=view_reason(row.reason),
        event_time=None if row.event_time_s is None else parse_time(row.event_time_s),
        block=row.block,
        block_time=parse_time(row.time_s),
        transaction=encode_hex(bytes(row.transaction_hash)),
        log_index=row.position % LOGS_PER_BLOCK,
    )


def view_operation(operation: StoredOperation) -> models.Operation:
    """Return a promised write."""
    return models.Operation(
        id=operation.id,
        kind=operation.kind,
        uid=encode_hex(operation.uid),
        state=OperationState(operation.state),
        account=encode_hex(operation.account),
        nonce=operation.nonce,
        transaction=encode_hex(operation.transaction_hash),
        created=parse_time(operation.created_s),
        unopened=operation.unopened,
        block=operation.block,
        block_time=None if operation.block_time_s is None else parse_time(operation.block_time_s),
        error=operation.error,
        record=operation.record,
    )
