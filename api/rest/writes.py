"""From a request to a promised transaction.

Each function builds one call of the ledger's contracts and submits it through the outbox. The event
time is what the caller captured, or now. The dry run uses an event time that the last final block
cannot call "in the future" by its older clock; the true one is checked here against this machine's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.errors import InvalidField
from api.outbox.store import StoredOperation, WriteRequest
from api.rest.call import Call, Reply
from api.rest.models import Accepted
from api.rest.values import OperationState, encode_hex
from contracts import codec
from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, SCHEMAS, SCHEMAS_NAME
from contracts.codes import EVENT_TIME_TOLERANCE_S, Role

_EVENT_TIME_TOLERANCE_S = EVENT_TIME_TOLERANCE_S // 2
"""Less than the contract's, because the block may be stamped by a slower clock than ours."""

_TARGETS = {ATTESTATIONS_NAME: ATTESTATIONS, SCHEMAS_NAME: SCHEMAS}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAct:
    """One act on the ledger."""

    kind: str
    """Such as `attestation.create`."""
    uid: bytes
    contract: str
    function: str
    build_args: Callable[[int], tuple[Any, ...]]
    """The call's arguments for an event time in seconds."""
    record: str
    """Path of the record in REST."""
    role: Role
    """What the signing key must be allowed."""
    event_time: datetime | None
    claim: str | None = None
    unopened: bool = False


async def find_earlier(call: Call) -> Reply | None:
    """Return the answer of an earlier, equal request; raises `IdempotencyKeyReused`."""
    known = await call.services.outbox.find(call.idempotency_key, call.body_fingerprint)
    return None if known is None else accept(known)


async def submit(
    call: Call, act: LedgerAct, *, also: Callable[[Connection], None] | None = None
) -> Reply:
    """Promise an act; raises the refusal if the ledger would not take it."""
    services = call.services
    await services.identity.get_agency()
    now_s = int(services.now())
    event_time_s = now_s if act.event_time is None else int(act.event_time.timestamp())
    if event_time_s > now_s + _EVENT_TIME_TOLERANCE_S:
        raise InvalidField("event_time", "the event time lies in the future")
    if event_time_s <= 0:
        raise InvalidField("event_time", "the event time lies before 1970")
    head = await services.ledger.get_head()
    tried_s = min(event_time_s, head.time_s)
    operation = await services.outbox.submit(
        WriteRequest(
            idempotency_key=call.idempotency_key,
            body_fingerprint=call.body_fingerprint,
            kind=act.kind,
            uid=act.uid,
            account=await services.identity.get_account(act.role),
            target=_TARGETS[act.contract],
            data=codec.encode_call(act.contract, act.function, act.build_args(event_time_s)),
            dry_run=codec.encode_call(act.contract, act.function, act.build_args(tried_s)),
            record=act.record,
            claim=act.claim,
            unopened=act.unopened,
        ),
        also=also,
    )
    return accept(operation)


def accept(operation: StoredOperation) -> Reply:
    """Return the answer to a promised write."""
    follow = f"/v1/operations/{operation.id}"
    return Reply(
        model=Accepted(
            operation=operation.id,
            uid=encode_hex(operation.uid),
            transaction=encode_hex(operation.transaction_hash),
            state=OperationState(operation.state),
            unopened=operation.unopened,
            follow=follow,
            record=operation.record,
        ),
        headers={"Location": follow},
    )


def claim_attestation(uid: bytes) -> str:
    """Name the creation of an attestation; attestations and batches share their uids."""
    return f"record:{uid.hex()}"


def claim_schema(uid: bytes) -> str:
    """Name the creation of a schema."""
    return f"schema:{uid.hex()}"
