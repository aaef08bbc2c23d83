"""Erasing everything of a person: foreseen, ordered as one act, followed."""

import re
from typing import Final

from api.erasing import persons
from api.erasing.eraser import Eraser, open_orders
from api.erasing.orders import PersonErasure
from api.errors import NotFound
from api.rest import person_models as models
from api.rest.call import Call, Reply
from api.rest.handlers.schemas import get_text
from api.rest.values import Reason, decode_hex, encode_hex, parse_optional_time, parse_time
from api.vault.erasure import ErasureReason

_ID: Final = re.compile(r"0x[0-9a-f]{64}")


async def foresee_person_erasure(call: Call) -> Reply:
    """List what erasing a person would take, and what a law asks to keep."""
    plan = await _plan(call)
    return Reply(
        model=models.PersonPlan(
            erase=len(plan.going), keep=len(plan.kept), records=list(map(_view, plan.records))
        )
    )


async def erase_person(call: Call) -> Reply:
    """Order that everything of a person is erased, and do what can be done at once."""
    services, body = call.services, call.body
    orders = open_orders(services)
    # Another body under the same key is another act: nothing of the body is kept to compare it.
    named = bytes.fromhex(call.idempotency_key) + call.body_fingerprint
    erasure_id = services.compute_body_fingerprint(b"erasure of a person" + named)
    known = await orders.find_person(erasure_id)
    if known is not None:
        return _reply(known, None)
    plan = await _plan(call)
    if not plan.records:
        raise _not_found()
    put = await persons.order_erasure(
        services,
        plan,
        erasure_id=erasure_id,
        reason=ErasureReason(body.reason.value),
        caller="nobody" if call.caller is None else call.caller.name,
        now_s=int(services.now()),
    )
    await Eraser(services).carry_out(put, gathers=False)
    known = await orders.find_person(erasure_id)
    assert known is not None, "it was stored just now"
    return _reply(known, plan)


async def get_person_erasure(call: Call) -> Reply:
    """Tell how far erasing a person has come."""
    # The interface calls it an identifier as this API gave it: any other text names no erasure.
    is_ours = _ID.fullmatch(call.path["id"]) is not None
    orders = open_orders(call.services)
    known = await orders.find_person(call.get_digest("id")) if is_ours else None
    if known is None:
        raise NotFound("nobody has ordered this erasure here", field="id", code="erasure_not_found")
    return _reply(known, None)


async def _plan(call: Call) -> persons.Plan:
    body: models.PersonNamed = call.body
    certificates = []
    for named in body.certificates:
        text = await get_text(call, decode_hex(named.schema_uid))
        certificates.append(
            persons.Certificate(
                schema_uid=decode_hex(named.schema_uid),
                document=named.document,
                pointers=text.reference,
            )
        )
    person = persons.Person(
        reference=body.reference,
        handles=tuple(map(decode_hex, body.handles)),
        certificates=tuple(certificates),
        records=tuple(map(decode_hex, body.records)),
    )
    return await persons.plan_erasure(
        call.services,
        person,
        reason=ErasureReason(body.reason.value),
        now_s=int(call.services.now()),
    )


def _reply(erasure: PersonErasure, plan: persons.Plan | None) -> Reply:
    erasure_id = encode_hex(erasure.id)
    return Reply(
        model=models.PersonErasure(
            id=erasure_id,
            state="ordered" if erasure.open else "erased",
            reason=Reason(erasure.reason.value),
            ordered=parse_time(erasure.ordered_s),
            finished=parse_optional_time(erasure.finished_s or 0),
            erase=erasure.records,
            left=erasure.open,
            keep=erasure.kept,
            problems=list(erasure.problems),
            records=None if plan is None else list(map(_view, plan.records)),
        ),
        headers={"Location": f"/v1/persons/erasures/{erasure_id}"},
    )


def _view(record: persons.PersonRecord) -> models.PersonRecord:
    duty = record.duty
    return models.PersonRecord(
        uid=encode_hex(record.uid),
        kind=record.kind,
        holds=list(record.holds),
        outcome="erase" if duty is None else "keep",
        retention_class=None if duty is None else duty.of.name,
        legal_reference=None if duty is None else duty.of.legal_reference,
        checked=None if duty is None else duty.of.checked,
        until=None if duty is None else parse_time(duty.until_s),
    )


def _not_found() -> NotFound:
    return NotFound(
        "this vault has nothing of such a person", field="reference", code="person_not_found"
    )
