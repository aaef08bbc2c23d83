"""Performing an act: promising it, or trying it without a trace.

Both go the same way: body and path become arguments, arguments a call, and the call is tried in the
block that would come next, as the account that would sign it. Only then they part: a promise is
stored and sent, a trial answers what it found.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from api.access.callers import Caller, Role, check_roles
from api.acts.act import Act, ActBody, PreparedAct
from api.acts.answers import check_not_under_way, keep_answer, recall_answer
from api.acts.calls import order_args
from api.acts.context import ActContext
from api.acts.legal import add_legal_reference
from api.acts.named_parties import find_parties
from api.acts.placing import place_refusal
from api.acts.private import seal_lateness
from api.errors import ApiError, Forbidden, InvalidField, UserFault
from api.outbox.store import WriteRequest
from api.rest.call import Call, Reply
from api.rest.ledger_rule import check_parties
from api.rest.missing_roles import name_missing_role
from api.rest.services import RestServices
from api.rest.validation import translate_validation
from api.rest.writes import LedgerAct, accept, build_request, submit
from api.texts.store import store_texts
from api.vault.subjects import look_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a dry run found."""

    refusal: ApiError | None
    """None if the ledger would take it now."""
    uid: bytes | None
    """The record concerned; None if it was refused before there was a call."""
    facts: Mapping[str, Any]


async def perform(call: Call, act: Act) -> Reply:
    """Promise an act and answer with the operation to follow; raises its refusal."""
    services = call.services
    known = await services.outbox.find(call.idempotency_key, call.body_fingerprint)
    if known is not None:
        told = await recall_answer(services, act, known.uid, call.idempotency_key)
        return accept(known, envelope=told)
    return await look_again(partial(_promise, call, act))


async def rehearse(
    services: RestServices,
    act: Act,
    *,
    caller: Caller | None,
    path: Mapping[str, str],
    body: Mapping[str, Any],
) -> Trial:
    """Try an act and say what would become of it; changes nothing.

    What is refused to the caller is part of the answer. Faults of this node are raised.
    """
    prepared: PreparedAct | None = None
    context: ActContext | None = None
    request: WriteRequest | None = None
    checked: ActBody | None = None
    try:
        # Who may not act learns nothing from trying.
        check_roles(caller, act.roles)
        checked = check_body(act, body)
        context = await open_context(services, caller, path)
        prepared = await prepare(act, context, checked)
        ledger_act, _ = build_ledger_act(act, prepared, checked, context)
        request = await build_request(services, ledger_act)
        await services.outbox.check(request)
    except UserFault as refusal:
        facts: dict[str, Any] = {}
        account = None if request is None else request.account
        if prepared is not None:
            place_refusal(act, checked, refusal)
        await name_missing_role(services, refusal, act.key_role, account)
        if context is not None and prepared is not None:
            await add_legal_reference(context, prepared, refusal)
            facts = await _find_facts(act, context, prepared)
        uid = None if prepared is None else prepared.uid
        return Trial(refusal=refusal, uid=uid, facts=facts)
    return Trial(refusal=None, uid=prepared.uid, facts=await _find_facts(act, context, prepared))


async def prepare(act: Act, context: ActContext, body: ActBody) -> PreparedAct:
    """Turn a checked body into arguments; raises a refusal that names the part of this request."""
    try:
        await check_parties(context.services, find_parties(context, act, body))
        return await act.prepare(context, body)
    except ApiError as refusal:
        place_refusal(act, body, refusal)
        raise


async def open_context(
    services: RestServices,
    caller: Caller | None,
    path: Mapping[str, str],
    *,
    agency: bytes | None = None,
) -> ActContext:
    """Return the surroundings of an act of this node's agency, or of another one."""
    return ActContext(
        services=services,
        caller=caller,
        agency=await services.identity.get_agency() if agency is None else agency,
        path=path,
        now_s=int(services.now()),
    )


def check_body(act: Act, body: Mapping[str, Any]) -> ActBody:
    """Read a body that came inside another one; raises `InvalidField` like the act's own route."""
    try:
        return act.model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise translate_validation(error, act.model) from None


def build_ledger_act(
    act: Act, prepared: PreparedAct, body: ActBody, context: ActContext
) -> tuple[LedgerAct, Callable[[str], Awaitable[None]]]:
    """Return a prepared act as a call of the ledger, and what must be kept before its promise.

    The answer is kept with it, and found again by the reference that the latter is given.
    """
    wrap: Callable[[bytes], bytes] | None = None
    keep_officer: Callable[[], Awaitable[None]] | None = None
    if body.late is not None:
        _check_second_officer(body)
        wrap, keep_officer = seal_lateness(
            context.services, act.contract, prepared.uid, body.late, context.now_s
        )

    def build_args(event_time_s: int) -> tuple[Any, ...]:
        return order_args(act.contract, act.function, prepared.args, event_time_s=event_time_s)

    async def keep(reference: str) -> None:
        await keep_answer(act, prepared, reference)
        if keep_officer is not None:
            await keep_officer()

    _check_unopened(prepared, context.caller)
    ledger_act = LedgerAct(
        kind=act.name,
        uid=prepared.uid,
        contract=act.contract,
        function=act.function,
        build_args=build_args,
        wrap=wrap,
        record=act.name_record(prepared),
        role=act.key_role,
        event_time=body.event_time,
        gas=prepared.gas or act.gas,
        claim=act.name_claim(prepared),
        unopened=prepared.unopened,
    )
    return ledger_act, keep


async def _promise(call: Call, act: Act) -> Reply:
    services = call.services
    context = await open_context(services, call.caller, call.path)
    prepared = await prepare(act, context, call.body)
    await check_not_under_way(services, act, prepared)
    ledger_act, keep = build_ledger_act(act, prepared, call.body, context)
    try:
        return await submit(
            call,
            ledger_act,
            before=partial(keep, call.idempotency_key),
            also=partial(_store, prepared, context.now_s),
            envelope=prepared.envelope,
        )
    except ApiError as refusal:
        place_refusal(act, call.body, refusal)
        await add_legal_reference(context, prepared, refusal)
        raise


def _check_unopened(prepared: PreparedAct, caller: Caller | None) -> None:
    """Raise `Forbidden` for a bare commitment of a caller who may not hand in such."""
    if prepared.unopened and (caller is None or not caller.has_any(Role.UNOPENED)):
        raise Forbidden("a bare commitment needs the role unopened", needed=(Role.UNOPENED.value,))


def _check_second_officer(body: ActBody) -> None:
    """Raise `InvalidField` if who answers for a late act is who did it."""
    assert body.late is not None, "asked for late acts only"
    for name in ("officer", "clerk"):
        if getattr(body, name, None) == body.late.officer:
            raise InvalidField(
                "late.officer",
                "a second officer answers for a late act, not the one who does it",
                next_step="name another officer",
            )


async def _find_facts(act: Act, context: ActContext, prepared: PreparedAct) -> dict[str, Any]:
    facts = dict(prepared.facts)
    if act.facts is not None:
        try:
            facts |= await act.facts(context, prepared)
        except UserFault:
            # What cannot be told because it is refused is told by the refusal.
            return facts
    return facts


def _store(prepared: PreparedAct, now_s: int, connection: Connection) -> None:
    store_texts(connection, prepared.texts, now_s)
