"""Acts on an exchange that was asked for: deciding, releasing, confirming, ending.

`exchange_request.py` has the request, `periods.py` what standing and bulk exchanges deliver.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from atesta_client.envelopes import Envelope, EnvelopeKind, decode_envelope, encode_envelope
from atesta_client.errors import MaterialRefused
from pydantic import Field, StringConstraints, model_validator

from api.access.callers import Role
from api.acts.act import MAX_GAS, Act, ActBody, PreparedAct
from api.acts.context import ActContext
from api.acts.private import keep_materials, seal
from api.acts.release_checks import check_fields, check_subject, open_request, read_subject
from api.errors import NotFound, UserFault
from api.rest.faults import Contradiction
from api.rest.refusals import translate_revert
from api.rest.values import JsonObject, Reason, encode_hex
from api.rest.views import find_reason_code
from api.rest.words import DecisionWord, ExchangeStatus
from api.vault.materials import Material
from contracts.addresses import EXCHANGES_NAME
from contracts.codes import Role as KeyRole

DECISION_ROLE: Final = "decision_officer"
"""Role of the data officer who decided, among the materials of an exchange."""
RESPONSE_ROLE: Final = "response"
"""Role of the first release; of the next ones, `response_2` and so on."""
RECEIVED_ROLE: Final = "received"
"""Role of what arrived at the requester, whether equal or not."""
RELEASED_REQUEST_ROLE: Final = "request"
"""Role of the request's envelope at the provider."""


class ExchangeDecide(ActBody):
    """Decide on a request, as a data officer of the provider; a refusal gives its reason."""

    decision: DecisionWord = Field(description="`approve` or `refuse`.", examples=["approve"])
    reason: Reason | None = Field(
        default=None, description="Why it is refused; null for an approval.", examples=[None]
    )
    officer: JsonObject = Field(
        description="Who decides; the ledger gets a commitment.", examples=[{"number": "12"}]
    )
    explanation: Annotated[str, StringConstraints(max_length=10_000)] | None = Field(
        default=None,
        description="Grounds in words; kept with the officer, for the requester.",
        examples=["The fields asked for are more than the procedure needs."],
    )
    request_envelope: JsonObject | None = Field(
        default=None,
        description=(
            "The request as the requester handed it over: an approval is then checked for the"
            " person, as the release is."
        ),
        examples=[None],
    )

    @model_validator(mode="after")
    def _check_reason(self) -> Self:
        if (self.reason is None) == (self.decision is DecisionWord.REFUSE):
            raise Contradiction(
                "a refusal needs a reason, an approval has none", "reason", "decision"
            )
        return self


class ExchangeCancel(ActBody):
    """Take back a request of this agency that is not decided yet."""


class ExchangeRelease(ActBody):
    """Release data: exactly the fields that were asked, of the person who was asked for.

    The envelope in the answer is for the requester. A further delivery uses no further quota.
    """

    request_envelope: JsonObject = Field(
        description="The request envelope, as the requester handed it over.",
        examples=[{"type": "atesta-envelope", "version": 1, "kind": "exchange-request"}],
    )
    response: JsonObject = Field(
        description="The data, with the dataset's pointers; kept in the vault.",
        examples=[{"income_band": "B"}],
    )


class ExchangeAcknowledge(ActBody):
    """Say what arrived. If it is not what was released, the exchange is disputed for all to see."""

    response_envelope: JsonObject = Field(
        description="The response envelope as it arrived; kept in the vault.",
        examples=[{"type": "atesta-envelope", "version": 1, "kind": "exchange-response"}],
    )


class ExchangeVoid(ActBody):
    """Sign that an exchange counts as never made; it does so when both sides have signed."""

    reason: Reason = Field(description="Neutral reason code.", examples=["error"])


class ExchangeEnd(ActBody):
    """End a standing or bulk exchange; what was delivered stays."""

    reason: Reason = Field(description="Neutral reason code.", examples=["ended_by_law"])


async def get_exchange(context: ActContext, uid: bytes) -> dict[str, Any]:
    """Return an exchange as the contract has it; raises `NotFound`."""
    record: dict[str, Any] = await context.read(EXCHANGES_NAME, "exchange", uid)
    if record["state"] == 0:
        error = NotFound(
            "the ledger has no exchange with this uid", field="uid", code="exchange_not_found"
        )
        error.next_step = "if it was accepted a moment ago, wait until its operation is final"
        raise error
    return record


async def _decide(context: ActContext, body: ExchangeDecide) -> PreparedAct:
    uid = context.get_uid()
    record = await get_exchange(context, uid)
    if body.request_envelope is not None:
        request = open_request(record, uid, body.request_envelope)
        if body.decision is DecisionWord.APPROVE:
            await check_subject(context, record, request)
    told = dict(body.officer)
    if body.explanation is not None:
        told = {"officer": told, "explanation": body.explanation}
    officer = seal(EnvelopeKind.OFFICER, told, field="officer")
    args: dict[str, Any] = {
        "uid": uid,
        "approve": body.decision is DecisionWord.APPROVE,
        "reason": 0 if body.reason is None else find_reason_code(body.reason),
        "officer": officer.commitment,
    }
    return _rest_on_law(
        record,
        uid=uid,
        args=args,
        keep=keep_materials(context, [Material(uid=uid, role=DECISION_ROLE, envelope=officer)]),
        envelope={DECISION_ROLE: encode_envelope(officer)},
    )


async def _cancel(context: ActContext, _body: ExchangeCancel) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid})


async def _release(context: ActContext, body: ExchangeRelease) -> PreparedAct:
    uid = context.get_uid()
    record = await get_exchange(context, uid)
    if bytes(record["request"]["provider"]) != context.agency:
        raise translate_revert("exchange: not yours")
    request = open_request(record, uid, body.request_envelope)
    await check_subject(context, record, request)
    await check_fields(context, record, body.response)
    role, response = await _seal_response(context, uid, record, body.response)
    args = {
        "uid": uid,
        "request_commitment": request.commitment,
        "response": response.commitment,
    }
    handle = read_subject(request)
    materials = (
        Material(
            uid=uid,
            role=RELEASED_REQUEST_ROLE,
            envelope=request,
            # So that the provider finds what it released of a person.
            reference=None if handle is None else handle.hex(),
        ),
        Material(uid=uid, role=role, envelope=response),
    )
    return _rest_on_law(
        record,
        uid=uid,
        args=args,
        keep=keep_materials(context, materials),
        envelope=encode_envelope(response),
        answer_role=role,
    )


async def _seal_response(
    context: ActContext, uid: bytes, record: Mapping[str, Any], response: Mapping[str, Any]
) -> tuple[str, Envelope]:
    """Return the next delivery; the same data go out in the same envelope as last time."""
    told = {
        "exchange": encode_hex(uid),
        "request": encode_hex(bytes(record["request"]["request_commitment"])),
        "data": dict(response),
    }
    deliveries: int = record["deliveries"]
    if deliveries:
        last = await context.services.materials.find(uid, _name_response(deliveries))
        if last is not None and _equals(last.body, told):
            return _name_response(deliveries + 1), last
    return _name_response(deliveries + 1), seal(EnvelopeKind.RESPONSE, told, field="response")


async def _acknowledge(context: ActContext, body: ExchangeAcknowledge) -> PreparedAct:
    uid = context.get_uid()
    record = await get_exchange(context, uid)
    arrived = _read_response(body.response_envelope)
    released = bytes(record["response"])
    is_equal = arrived.commitment == released
    outcome = ExchangeStatus.RECEIVED if is_equal else ExchangeStatus.DISPUTED
    told = {
        "exchange": encode_hex(uid),
        "outcome": outcome.value,
        "released": encode_hex(released),
        "received": encode_hex(arrived.commitment),
    }
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "received": arrived.commitment},
        keep=keep_materials(context, [Material(uid=uid, role=RECEIVED_ROLE, envelope=arrived)]),
        envelope=told,
        facts={"outcome": outcome.value},
    )


def _read_response(file: Mapping[str, Any]) -> Envelope:
    try:
        envelope = decode_envelope(dict(file))
    except MaterialRefused as refused:
        raise UserFault(
            refused.message,
            code="envelope_malformed",
            field="response_envelope",
            next_step="send the file as it arrived; if it is damaged, ask for another delivery",
        ) from refused
    if envelope.kind != EnvelopeKind.RESPONSE:
        raise UserFault(
            "this envelope holds no response",
            code="envelope_malformed",
            field="response_envelope.kind",
            next_step="send the response envelope of the provider",
        )
    return envelope


async def _void(context: ActContext, body: ExchangeVoid) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "reason": find_reason_code(body.reason)})


async def _end(context: ActContext, body: ExchangeEnd) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "reason": find_reason_code(body.reason)})


def _rest_on_law(record: Mapping[str, Any], **more: Any) -> PreparedAct:
    """Return an act that rests on the basis and the dataset of its exchange."""
    asked = record["request"]
    return PreparedAct(basis=bytes(asked["basis"]), dataset=bytes(asked["dataset"]), **more)


def _equals(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    # JSON, because Python takes 1, 1.0 and True for the same.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _name_response(delivery: int) -> str:
    return RESPONSE_ROLE if delivery == 1 else f"{RESPONSE_ROLE}_{delivery}"


def _act(name: str, path: str, summary: str, model: type[ActBody], **more: Any) -> Act:
    defaults: dict[str, Any] = {"key_role": KeyRole.EXCHANGE, "roles": (Role.OFFICER,)}
    return Act(
        name=f"exchange.{name}",
        path=f"/exchanges/{{uid}}/{path}",
        summary=summary,
        contract=EXCHANGES_NAME,
        model=model,
        **(defaults | more),
    )


EXCHANGE_ACTS: Final = (
    _act(
        "decide",
        "decision",
        "Decide on a request, as the provider's data officer",
        ExchangeDecide,
        function="decide",
        prepare=_decide,
        key_role=KeyRole.DECIDE,
        roles=(Role.DATA_OFFICER,),
        gas=MAX_GAS,
    ),
    _act(
        "cancel",
        "cancellation",
        "Take back a request that is not decided yet",
        ExchangeCancel,
        function="cancel",
        prepare=_cancel,
    ),
    _act(
        "release",
        "release",
        "Release data",
        ExchangeRelease,
        function="release",
        prepare=_release,
        gas=MAX_GAS,
    ),
    _act(
        "acknowledge",
        "acknowledgement",
        "Say what arrived",
        ExchangeAcknowledge,
        function="acknowledge",
        prepare=_acknowledge,
    ),
    _act(
        "void",
        "void",
        "Sign that an exchange counts as never made",
        ExchangeVoid,
        function="void_exchange",
        prepare=_void,
    ),
    _act(
        "end",
        "end",
        "End a standing or bulk exchange",
        ExchangeEnd,
        function="end",
        prepare=_end,
    ),
)
"""In the order of the documentation."""
