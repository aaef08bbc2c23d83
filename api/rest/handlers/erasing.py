"""Erasing credentials and other records: ordered here, carried out by `api.erasing`."""

from api.erasing.eraser import Eraser, open_orders
from api.erasing.orders import ErasureOrder
from api.erasing.persons import find_duty_of
from api.errors import ApiError, NotFound, UserFault
from api.rest.call import Call, Reply
from api.rest.erasing_models import Erasure, RecordErase
from api.rest.values import Reason, encode_hex, parse_time
from api.vault.erasure import ErasureReason
from api.vault.erasure_journal import Erased


async def erase_credential(call: Call) -> Reply:
    """Order that a credential is erased, and do what can be done at once."""
    if await call.services.vault.find(call.get_digest("uid")) is None:
        missing = "this vault has no credential with this uid"
        await _refuse_unknown(call, NotFound(missing, field="uid", code="credential_not_found"))
    return await _erase(call)


async def erase_record(call: Call) -> Reply:
    """Order that everything of a record is erased, and do what can be done at once."""
    uid = call.get_digest("uid")
    if uid not in await open_orders(call.services).list_holdings([uid]):
        missing = "this vault has nothing of such a record"
        await _refuse_unknown(call, NotFound(missing, field="uid", code="record_not_kept"))
    return await _erase(call)


async def _refuse_unknown(call: Call, missing: NotFound) -> None:
    """Raise the refusal, unless what is unknown was erased or is to be."""
    uid = call.get_digest("uid")
    if await open_orders(call.services).find(uid) is not None:
        return
    if await call.services.vault.find_erased(uid) is None:
        raise missing


async def _erase(call: Call) -> Reply:
    uid = call.get_digest("uid")
    body: RecordErase = call.body
    services = call.services
    vault, orders, eraser = services.vault, open_orders(services), Eraser(services)
    known = await orders.find(uid)
    if known is None:
        erased = await vault.find_erased(uid)
        if erased is not None:
            return _reply(uid, None, erased)
        order = ErasureOrder(
            uid=uid,
            reason=ErasureReason(body.reason.value),
            caller="nobody" if call.caller is None else call.caller.name,
            ordered_s=int(services.now()),
        )
        await _refuse_kept(call, order)
        # Whoever is refused must find nothing changed.
        await eraser.check(await orders.locate(order))
        known = await orders.put(order)
    try:
        known = await eraser.advance(known)
    except ApiError as error:
        # It is on disk and will be carried out; why it waits stands in the answer.
        known = await orders.save_problem(known, error.reason)
    return _reply(uid, known, await vault.find_erased(uid))


async def _refuse_kept(call: Call, order: ErasureOrder) -> None:
    """Raise `kept_by_law` for what its holder may not have erased yet."""
    duty = await find_duty_of(call.services, order.uid, reason=order.reason, now_s=order.ordered_s)
    if duty is None:
        return
    until = parse_time(duty.until_s)
    raise UserFault(
        "a law asks to keep this record, so its holder's request does not erase it yet",
        code="kept_by_law",
        field="uid",
        status=409,
        next_step=(
            f"it may be erased from {until:%Y-%m-%d} on; POST /v1/persons/erase keeps it for"
            " storage only until then"
        ),
        extra={
            "retention_class": duty.of.name,
            "legal_reference": duty.of.legal_reference,
            "checked": duty.of.checked,
            "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        },
    )


async def get_erasure(call: Call) -> Reply:
    """Tell how far erasing a record has come."""
    uid = call.get_digest("uid")
    # In this order: what is erased by now has its tombstone's block in the order.
    erased = await call.services.vault.find_erased(uid)
    order = await open_orders(call.services).find(uid)
    if order is None and erased is None:
        raise NotFound(
            "nobody has asked to erase this record", field="uid", code="erasure_not_found"
        )
    return _reply(uid, order, erased)


async def refuse_erased(call: Call, uid: bytes) -> None:
    """Raise `credential_erased` for what is erased, or is to be."""
    vault = call.services.vault
    erased = await vault.find_erased(uid)
    order = await open_orders(call.services).find(uid)
    if erased is None and order is None:
        return
    raise UserFault(
        "the credential was erased" if erased else "the credential is being erased",
        code="credential_erased",
        field="uid",
        status=410,
        next_step=f"GET /v1/credentials/{encode_hex(uid)}/erasure says when and why",
    )


def _reply(uid: bytes, order: ErasureOrder | None, erased: Erased | None) -> Reply:
    known = order or erased
    assert known is not None, "asked of what was ordered or erased"
    return Reply(
        model=Erasure(
            uid=encode_hex(uid),
            state="ordered" if erased is None else "erased",
            reason=Reason(str(known.reason)),
            ordered=None if order is None else parse_time(order.ordered_s),
            operation=None if order is None else order.operation,
            block=None if order is None else order.block,
            block_time=(
                None
                if order is None or order.block_time_s is None
                else parse_time(order.block_time_s)
            ),
            erased=None if erased is None else parse_time(erased.erased_s),
            problem=None if order is None else order.problem,
        ),
        headers={"Location": f"/v1/records/{encode_hex(uid)}/erasure"},
    )
