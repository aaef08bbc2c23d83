"""Acts that are signed elsewhere: preparing them, and carrying them to the ledger.

What the device signs is the contract's own call (`contracts.typed_data.hash_act`). The contract's
`relay` checks the signature, so whoever carries an act cannot change it, and it counts as done by
the signer's agency.
"""

import secrets
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from eth_typing import Address

from api.access.callers import Caller, Role, check_roles
from api.acts.act import DEFAULT_GAS, MAX_GAS, Act, ActBody, PreparedAct
from api.acts.answers import check_not_under_way
from api.acts.calls import has_function
from api.acts.context import ActContext
from api.acts.forgetting import refer_to_call
from api.acts.legal import add_legal_reference
from api.acts.performing import build_ledger_act, check_body, open_context, prepare
from api.acts.placing import place_refusal
from api.acts.prepared import MAX_NONCE, StoredAct, make_id
from api.acts.table import find_acts, get_act
from api.acts.typed import build_typed_message, find_deadline
from api.errors import ApiError, InvalidField, NotFound, UserFault
from api.firewall.calls import read_call
from api.firewall.values import Commitment
from api.outbox.store import WriteRequest
from api.records import NO_UID
from api.rest import acting_models as models
from api.rest.call import Call, Reply
from api.rest.handlers.attestations import require_unopened
from api.rest.handlers.certificates import claimed
from api.rest.handlers.rehearsing import (
    HandledAct,
    build_handled,
    find_handled,
    find_handled_call,
)
from api.rest.missing_roles import name_missing_role
from api.rest.services import RestServices
from api.rest.values import decode_hex, encode_hex, encode_time, parse_time
from api.rest.writes import accept, build_request
from api.texts.store import store_texts
from api.texts.text import PublicText
from contracts import codec
from contracts.address_book import GENESIS_BOOK
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import ALL_ROLES
from contracts.errors import CodecError
from contracts.typed_data import ACT_TYPE

RELAY_GAS: Final = 200_000
"""What checking the signature and passing the call on costs at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Who will sign, and until when the signature may be used."""

    signer: Address
    deadline: datetime | None
    """A day ahead if None."""


def find_roles(name: str) -> tuple[Role, ...]:
    """Return which tokens may ask for an act; raises `NotFound`."""
    handled = find_handled(name)
    return get_act(name).roles if handled is None else handled.route.roles


async def prepare_act(
    services: RestServices,
    act: Act,
    *,
    caller: Caller | None,
    path: Mapping[str, str],
    body: Mapping[str, Any],
    occasion: Occasion,
) -> tuple[StoredAct, Mapping[str, Any] | None]:
    """Prepare and keep an act for a signer; returns it with the envelope for the other side.

    It is tried as the signer's own; raises its refusal.
    """
    _require_relay(act.contract)
    deadline_s = find_deadline(int(services.now()), occasion.deadline)
    head = await services.ledger.get_head()
    key = await services.records.get_key(occasion.signer, head.number)
    if key is None:
        raise InvalidField("signer", "the registry does not list this key")
    checked = check_body(act, body)
    context = await open_context(services, caller, path, agency=key.agency)
    prepared = await prepare(act, context, checked)
    await check_not_under_way(services, act, prepared)
    ledger_act, keep = build_ledger_act(act, prepared, checked, context)
    request = await build_request(services, ledger_act, account=occasion.signer)
    await _check(context, act, checked, prepared, request)
    await keep(refer_to_call(request.data))
    stored = _build_stored(request, act.contract, deadline_s, prepared.texts, context.now_s)
    await services.prepared_acts.put(stored)
    return stored, prepared.envelope


async def prepare_handled(
    services: RestServices,
    act: HandledAct,
    *,
    caller: Caller | None,
    path: Mapping[str, str],
    body: Mapping[str, Any],
    occasion: Occasion,
) -> StoredAct:
    """Prepare and keep an act that has a handler of its own; raises its refusal.

    What a handler makes for an act is taken back when it is only tried, so documents and members
    of batches are refused here: their credentials are made first.
    """
    for name in ("document", "members"):
        if body.get(name) is not None:
            raise InvalidField(
                f"body.{name}",
                "what is signed elsewhere is attested by its commitment",
                next_step="make the credential first, then prepare credential.attest",
            )
    now_s = int(services.now())
    deadline_s = find_deadline(now_s, occasion.deadline)
    request = await build_handled(
        services, act, caller=caller, path=path, body=body, signer=occasion.signer
    )
    stored = _build_stored(request, act.contract, deadline_s, (), now_s)
    await services.prepared_acts.put(stored)
    return stored


async def format_prepared(
    services: RestServices, stored: StoredAct, envelope: Mapping[str, Any] | None
) -> models.PreparedAct:
    """Return a prepared act as REST answers it, with the message to sign."""
    message = await build_typed_message(
        services.ledger, stored.contract, ACT_TYPE, [stored.call, stored.nonce, stored.deadline_s]
    )
    return models.PreparedAct(
        id=stored.id,
        act=stored.act,
        uid=encode_hex(stored.uid),
        record=stored.record,
        signer=encode_hex(stored.signer),
        contract=stored.contract,
        call=encode_hex(stored.call),
        nonce=stored.nonce,
        deadline=parse_time(stored.deadline_s),
        event_time=parse_time(stored.event_time_s),
        digest=encode_hex(message.digest),
        typed_data=message.typed_data,
        envelope=None if envelope is None else dict(envelope),
    )


async def submit_signed(call: Call, body: models.SignedActCreate) -> Reply:
    """Promise to carry a signed act; raises the contract's refusal."""
    services = call.services
    signed = await _find_signed(services, body)
    # Whoever may send for others, or may ask for the act itself.
    check_roles(call.caller, (Role.WRITER, *find_roles(signed.act)))
    if signed.unopened:
        require_unopened(call)
    known = await services.outbox.find(call.idempotency_key, call.body_fingerprint)
    if known is not None:
        return accept(known)
    await services.identity.get_agency()
    args = (
        signed.signer,
        signed.call,
        signed.nonce,
        signed.deadline_s,
        decode_hex(body.signature),
    )
    request = WriteRequest(
        idempotency_key=call.idempotency_key,
        body_fingerprint=call.body_fingerprint,
        kind=signed.act,
        uid=signed.uid,
        account=await services.identity.get_account(ALL_ROLES),
        target=services.ledger.book.get_address(signed.contract),
        data=codec.encode_call(signed.contract, "relay", args),
        record=signed.record,
        gas=min(signed.gas + RELAY_GAS, MAX_GAS),
        claim=signed.claim,
        unopened=signed.unopened,
    )
    also = partial(store_texts, texts=signed.texts, now_s=int(services.now()))
    async with _hold_certificate(call, signed):
        operation = await services.outbox.submit(request, also=also)
    return accept(operation)


def _hold_certificate(call: Call, signed: StoredAct) -> AbstractAsyncContextManager[None]:
    """Hold the certificate that a signed act attests; what preparing it claimed was given back."""
    decoded = _decode(signed.contract, signed.call)
    if (decoded.contract, decoded.function) != (ATTESTATIONS_NAME, "attest"):
        return nullcontext()
    previous = bytes(decoded.args["previous"])
    return claimed(call, signed.uid, previous=None if previous == NO_UID else previous)


async def _check(
    context: ActContext, act: Act, body: ActBody, prepared: PreparedAct, request: WriteRequest
) -> None:
    try:
        await context.services.outbox.check(request)
    except ApiError as refusal:
        place_refusal(act, body, refusal)
        await add_legal_reference(context, prepared, refusal)
        await name_missing_role(context.services, refusal, act.key_role, request.account)
        raise


async def _find_signed(services: RestServices, body: models.SignedActCreate) -> StoredAct:
    if body.prepared is None:
        signed = _read_signed(body, int(services.now()))
        if signed.unopened and await services.prepared_acts.has_call(signed.contract, signed.call):
            # What this node prepared it computed, or had opened, itself.
            return replace(signed, unopened=False)
        return signed
    stored = await services.prepared_acts.find(body.prepared)
    if stored is None:
        error = NotFound(
            "this node prepared no such act", field="prepared", code="prepared_act_not_found"
        )
        error.next_step = "give contract, call, nonce, deadline and signer instead"
        raise error
    return stored


def _read_signed(body: models.SignedActCreate, now_s: int) -> StoredAct:
    """Read a call that came from elsewhere: it must be one of the acts of the table."""
    assert body.contract is not None, "checked by the model"
    assert body.call is not None, "checked by the model"
    assert body.signer is not None, "checked by the model"
    assert body.nonce is not None, "checked by the model"
    if body.contract not in GENESIS_BOOK.by_name or not has_function(body.contract, "relay"):
        raise InvalidField("contract", "no contract of this name takes signed acts")
    call = decode_hex(body.call)
    try:
        decoded = _decode(body.contract, call)
    except CodecError as error:
        raise InvalidField("call", "this is no call of this contract") from error
    acts = find_acts(decoded.contract, decoded.function)
    handled = find_handled_call(decoded.contract, decoded.function)
    uid = _find_uid(decoded.args)
    if acts:
        prepared = PreparedAct(uid=uid, args=decoded.args)
        name, gas = acts[0].name, max(act.gas for act in acts)
        record, claim = acts[0].name_record(prepared), acts[0].name_claim(prepared)
    elif handled is not None:
        name, gas, claim = handled.name, DEFAULT_GAS, handled.name_claim(uid)
        record = f"/v1/{handled.route.path.split('/')[1]}/0x{uid.hex()}"
    else:
        raise InvalidField("call", "this is no act that agencies sign")
    return StoredAct(
        id="",
        act=name,
        uid=uid,
        contract=body.contract,
        call=call,
        signer=Address(decode_hex(body.signer)),
        nonce=body.nonce,
        deadline_s=encode_time(body.deadline),
        event_time_s=int(decoded.args.get("event_time", now_s)),
        record=record,
        claim=claim,
        gas=gas,
        unopened=_check_commitments(body.contract, call),
        texts=(),
        created_s=now_s,
    )


def _build_stored(
    request: WriteRequest,
    contract: str,
    deadline_s: int,
    texts: tuple[PublicText, ...],
    now_s: int,
) -> StoredAct:
    decoded = _decode(contract, request.data)
    return StoredAct(
        id=make_id(),
        act=request.kind,
        uid=request.uid,
        contract=contract,
        call=request.data,
        signer=request.account,
        nonce=secrets.randbelow(MAX_NONCE) + 1,
        deadline_s=deadline_s,
        event_time_s=int(decoded.args.get("event_time", now_s)),
        record=request.record,
        claim=request.claim,
        gas=request.gas,
        unopened=request.unopened,
        texts=texts,
        created_s=now_s,
    )


def _decode(contract: str, call: bytes) -> codec.DecodedCall:
    """Read a call, or the one inside a call that posts it late; raises `CodecError`."""
    decoded = codec.decode_call(contract, call)
    if decoded.function == "act_late":
        return codec.decode_call(contract, decoded.args["call"])
    return decoded


def _check_commitments(contract: str, call: bytes) -> bool:
    """Return whether a call holds commitments, which nobody opened; raises for data in disguise."""
    checked = read_call(contract, call, is_strict=True, field="call")
    return bool(checked.list_values(Commitment))


def _require_relay(contract: str) -> None:
    if not has_function(contract, "relay"):
        raise UserFault(
            "this contract takes acts only from the account that signs the transaction",
            code="act_not_relayed",
            field="act",
            status=409,
            next_step="sign a transaction and send it by eth_sendRawTransaction",
        )


def _find_uid(args: Mapping[str, Any]) -> bytes:
    """Return the uid that an act concerns: its own, or that of the first record it makes."""
    for name in ("uid", "schema_uid", "batch_uid"):
        if name in args:
            return bytes(args[name])
    for value in args.values():
        if isinstance(value, tuple) and value and isinstance(value[0], dict) and "uid" in value[0]:
            return bytes(value[0]["uid"])
    first = next(iter(args.values()))
    return bytes(first).rjust(32, b"\0") if isinstance(first, bytes) else bytes(32)
