"""From a request to a promised transaction.

Each function builds one call of the ledger's contracts and submits it through the outbox. The event
time is what the caller captured, or now; it is checked here against this machine's clock. The very
call that will be signed is tried first, in the block that would come next, stamped now.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from eth_typing import Address
from sqlalchemy import Connection

from api.acts.private import seal_lateness
from api.errors import ApiError, InvalidField, UserFault
from api.outbox.store import StoredOperation, WriteRequest
from api.rest.call import Call, Reply
from api.rest.missing_roles import name_missing_role
from api.rest.models import Accepted
from api.rest.services import RestServices
from api.rest.values import OperationState, encode_hex
from contracts import codec
from contracts.codes import EVENT_TIME_TOLERANCE_S, Role

_NOT_AHEAD = "give a time that is not ahead, or leave it out for now"

_EVENT_TIME_TOLERANCE_S = EVENT_TIME_TOLERANCE_S // 2
"""Less than the contract's, because the block may be stamped by a slower clock than ours."""


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
    wrap: Callable[[bytes], bytes] | None = None
    """Turns the call into the one that is sent, such as that of an act posted late."""
    gas: int = 1_000_000
    claim: str | None = None
    unopened: bool = False


_REHEARSED: Final = "rehearsed"
"""Never answered: a rehearsal ends where it began, in `explain`."""


class Rehearsed(UserFault):
    """The ledger would take the act; raised instead of promising it when a call is a rehearsal.

    It is a refusal so that handlers take back what they did for the act.
    """

    def __init__(self, request: WriteRequest) -> None:
        super().__init__("this was a rehearsal", code=_REHEARSED)
        self.request = request


async def find_earlier(call: Call) -> Reply | None:
    """Return the answer of an earlier, equal request; raises `IdempotencyKeyReused`."""
    known = await call.services.outbox.find(call.idempotency_key, call.body_fingerprint)
    return None if known is None else accept(known)


async def submit(
    call: Call,
    act: LedgerAct,
    *,
    before: Callable[[], Awaitable[None]] | None = None,
    also: Callable[[Connection], None] | None = None,
    envelope: Mapping[str, Any] | None = None,
) -> Reply:
    """Promise an act; raises the refusal if the ledger would not take it."""
    services = call.services
    await services.identity.get_agency()
    act, before = _mind_lateness(call, act, before)
    request = await build_request(
        services,
        act,
        key=call.idempotency_key,
        fingerprint=call.body_fingerprint,
        account=call.signer,
    )
    try:
        if call.is_rehearsal:
            await services.outbox.check(request)
            raise Rehearsed(request)
        operation = await services.outbox.submit(request, before=before, also=also)
    except ApiError as refusal:
        await name_missing_role(services, refusal, act.role, request.account)
        raise
    return accept(operation, envelope=envelope)


def _mind_lateness(
    call: Call, act: LedgerAct, before: Callable[[], Awaitable[None]] | None
) -> tuple[LedgerAct, Callable[[], Awaitable[None]] | None]:
    """Wrap an act whose body says that it is posted late; its second officer is kept first."""
    late = getattr(call.body, "late", None)
    if late is None or act.wrap is not None:
        return act, before
    wrap, keep_officer = seal_lateness(
        call.services, act.contract, act.uid, late, int(call.services.now())
    )

    async def keep() -> None:
        if before is not None:
            await before()
        await keep_officer()

    return replace(act, wrap=wrap), keep


async def build_request(
    services: RestServices,
    act: LedgerAct,
    *,
    key: str = "",
    fingerprint: bytes = b"",
    account: Address | None = None,
) -> WriteRequest:
    """Return an act as the outbox takes it, for its event time or now.

    `account` is who acts, one of this node's accounts if None. Raises `InvalidField` for an event
    time that cannot be.
    """
    event_time_s = find_event_time(services, act.event_time)
    wrap = act.wrap or bytes
    return WriteRequest(
        idempotency_key=key,
        body_fingerprint=fingerprint,
        kind=act.kind,
        uid=act.uid,
        account=account or await services.identity.get_account(act.role),
        target=services.ledger.book.get_address(act.contract),
        data=wrap(codec.encode_call(act.contract, act.function, act.build_args(event_time_s))),
        record=act.record,
        gas=act.gas,
        claim=act.claim,
        unopened=act.unopened,
    )


def find_event_time(
    services: RestServices, moment: datetime | None, *, field: str = "event_time"
) -> int:
    """Return an event time in seconds, now for None; raises `InvalidField` by `field`."""
    now_s = int(services.now())
    event_time_s = now_s if moment is None else int(moment.timestamp())
    if event_time_s > now_s + _EVENT_TIME_TOLERANCE_S:
        raise InvalidField(field, "this time lies in the future", next_step=_NOT_AHEAD)
    if event_time_s <= 0:
        raise InvalidField(field, "this time lies before 1970")
    return event_time_s


def accept(operation: StoredOperation, *, envelope: Mapping[str, Any] | None = None) -> Reply:
    """Return the answer to a promised write; `envelope` is for the other side."""
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
            envelope=None if envelope is None else dict(envelope),
        ),
        headers={"Location": follow},
    )


def claim_attestation(uid: bytes) -> str:
    """Name the creation of an attestation; attestations and batches share their uids."""
    return f"record:{uid.hex()}"


def claim_schema(uid: bytes) -> str:
    """Name the creation of a schema."""
    return f"schema:{uid.hex()}"
