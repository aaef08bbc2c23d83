"""Asking another agency for data: the request, its envelope, when it is due.

The ledger gets who asks whom for which fields of what, for which purpose, on which basis; of the
case, the officer and the person only commitments. The provider gets the *request envelope*: who is
meant, by handle, with the openings of the consents' own subjects, so that it can check that the
person who is asked for is the one who consented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, Self

from atesta_client.envelopes import Envelope, EnvelopeKind, encode_envelope
from pydantic import Field, StringConstraints, model_validator

from api.access.callers import Role
from api.acts.act import MAX_GAS, Act, CreationBody, PreparedAct
from api.acts.calls import order_args
from api.acts.context import ActContext
from api.acts.mandate_use import MandateUse, read_mandate
from api.acts.private import keep_materials, seal
from api.acts.subjects import (
    SUBJECT_ROLE,
    SubjectItem,
    check_consented,
    find_handle,
    seal_handle,
)
from api.deadlines.errors import CalendarEnds, HistoryRefused, ProfileUnknown
from api.errors import InvalidField, UserFault
from api.records import NO_UID
from api.rest.faults import Contradiction
from api.rest.references import Reference
from api.rest.services import RestServices
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Model,
    Pointer,
    Time,
    Uid,
    decode_hex,
    encode_hex,
    encode_time,
    parse_time,
)
from api.rest.words import (
    BasisKind,
    ChannelWord,
    ExchangeMode,
    SensitivityLevel,
    SharingClass,
    encode_word,
    find_word,
)
from api.rest.writes import find_event_time
from api.vault.materials import Material
from contracts.addresses import EXCHANGES_NAME
from contracts.codes import Role as KeyRole

REQUEST_ROLE: Final = "request"
"""Role of the request's envelope among the materials of an exchange."""
CASE_ROLE: Final = "case"
"""Role of the case; its reference is the case number."""
OFFICER_ROLE: Final = "officer"
"""Role of the requester's officer."""


class DeadlineItem(Model):
    """A due time reckoned from a profile (docs/deadlines.md), fixed when the request is made."""

    profile: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(
        description="Name of the profile.", examples=["mo-request-decision"]
    )
    started: Time | None = Field(
        default=None, description="From when it counts; the event time if null.", examples=[None]
    )


class ConsentItems(Model):
    """The consents that a request rests on; as many as the legal basis asks for."""

    general: Uid | None = Field(default=None, description="General.", examples=[EXAMPLE_UID])
    sensitive: Uid | None = Field(
        default=None, description="For sensitive data, besides.", examples=[None]
    )
    cross_border: Uid | None = Field(
        default=None, description="For data that leave a jurisdiction, besides.", examples=[None]
    )


class ExchangeRequest(CreationBody):
    """Ask another agency for data.

    A request for a dataset without conditions is approved at once. The envelope in the answer is
    for the provider, who needs it to release.
    """

    provider: Reference = Field(description="Who is asked.", examples=["mo-financial-bureau"])
    dataset: Uid = Field(description="For which data.", examples=[EXAMPLE_UID])
    fields: Annotated[list[Pointer], Field(min_length=1, max_length=256)] = Field(
        description="For which of its fields.", examples=[["/income_band"]]
    )
    purpose: Uid = Field(description="What for.", examples=[EXAMPLE_UID])
    basis: Uid = Field(description="On which legal basis.", examples=[EXAMPLE_UID])
    instrument: Uid | None = Field(
        default=None, description="Needed where data leave a jurisdiction.", examples=[None]
    )
    consents: ConsentItems = Field(
        default_factory=ConsentItems,
        description="Needed where the basis is consent.",
        examples=[{"general": EXAMPLE_UID}],
    )
    mandate: MandateUse | None = Field(
        default=None, description="Of whoever it is made for, where somebody acts for another."
    )
    onward_of: Uid | None = Field(
        default=None,
        description="The exchange by which the data came to the provider.",
        examples=[None],
    )
    mode: ExchangeMode = Field(
        default=ExchangeMode.ONCE, description="`once`, or by periods: `standing`, `bulk`."
    )
    channel: ChannelWord = Field(
        default=ChannelWord.ONLINE, description="Where the case came in.", examples=["online"]
    )
    case: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="Number of the case; it stays in the vault.", examples=["HS-2026-000417"]
    )
    officer: JsonObject = Field(
        description="Who asks; kept in the vault.", examples=[{"number": "4711"}]
    )
    subject: SubjectItem | None = Field(
        default=None, description="Whose data; needed with a consent. Null for many at once."
    )
    due: Time | None = Field(
        default=None,
        description="When the answer is due; or give `deadline`.",
        examples=[EXAMPLE_TIME],
    )
    deadline: DeadlineItem | None = Field(
        default=None,
        description="The profile that says when the answer is due; or give `due`.",
        examples=[None],
    )
    valid_until: Time | None = Field(
        default=None, description="End of a standing or bulk exchange.", examples=[None]
    )
    retention_until: Time = Field(
        description="When what is received is deleted.", examples=[EXAMPLE_TIME]
    )
    message: JsonObject | None = Field(
        default=None,
        description="What else the provider is told; only inside the envelope.",
        examples=[{"text": "Application of November 2026."}],
    )

    @model_validator(mode="after")
    def _check_due(self) -> Self:
        if (self.due is None) == (self.deadline is None):
            raise Contradiction("give exactly one of due, deadline", "due", "deadline")
        return self


async def _request(context: ActContext, body: ExchangeRequest) -> PreparedAct:
    uid = context.take_uid(body.uid)
    provider, dataset, basis = (
        await context.find_agency(body.provider, field="provider"),
        decode_hex(body.dataset),
        decode_hex(body.basis),
    )
    mask = await context.get_mask(dataset, body.fields)
    mandate = await read_mandate(context, body.mandate)
    due_s, deadline = _find_due(context, body)
    _check_retention(body.retention_until, due_s, context.now_s)
    consents = _list_consents(body)
    people = await _find_subject(context, body, uid, provider)
    await check_consented(context, consents, provider, people.handle)
    told: dict[str, Any] = {
        "exchange": encode_hex(uid),
        "requester": encode_hex(context.agency),
        "provider": encode_hex(provider),
        "dataset": body.dataset,
        "fields": list(body.fields),
        "purpose": body.purpose,
        "basis": body.basis,
        "consents": [await _open_consent(context.services, consent) for consent in consents],
    }
    told |= {**people.told, **deadline}
    if body.message is not None:
        told["message"] = body.message
    request = seal(EnvelopeKind.REQUEST, told, field="message")
    case = seal(EnvelopeKind.CASE, {"number": body.case}, field="case")
    officer = seal(EnvelopeKind.OFFICER, body.officer, field="officer")
    asked = {
        "provider": provider,
        "dataset": dataset,
        "fields": mask,
        "purpose": decode_hex(body.purpose),
        "basis": basis,
        "instrument": _read_uid(body.instrument),
        "consent": _read_uid(body.consents.general),
        "sensitive_consent": _read_uid(body.consents.sensitive),
        "cross_border_consent": _read_uid(body.consents.cross_border),
        "mode": encode_word(body.mode),
        "channel": encode_word(body.channel),
        "case_commitment": case.commitment,
        "officer": officer.commitment,
        "request_commitment": request.commitment,
        "due": due_s,
        "valid_until": encode_time(body.valid_until),
        "retention_until": encode_time(body.retention_until),
    }
    links = {
        "onward_of": _read_uid(body.onward_of),
        "mandate": mandate.uid,
        "mandate_scope": mandate.scope,
        "mandate_amount": mandate.amount,
    }
    materials = (
        *people.materials,
        Material(uid=uid, role=REQUEST_ROLE, envelope=request),
        Material(uid=uid, role=CASE_ROLE, envelope=case, reference=body.case),
        Material(uid=uid, role=OFFICER_ROLE, envelope=officer),
    )
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "asked": asked, "links": links},
        keep=keep_materials(context, materials),
        envelope=encode_envelope(request),
        basis=basis,
        dataset=dataset,
        facts=deadline,
    )


async def _tell_law(context: ActContext, prepared: PreparedAct) -> dict[str, Any]:
    """Tell what the law asks of this request, once it covers it."""
    _, asked, links = order_args(
        EXCHANGES_NAME, "request", prepared.args, event_time_s=context.now_s
    )[:3]
    answer = await context.read(EXCHANGES_NAME, "explain", context.agency, asked, links)
    words: dict[str, Any] = {
        "basis_kind": find_word(BasisKind, answer["kind"]),
        "sharing": find_word(SharingClass, answer["sharing"]),
        "sensitivity": find_word(SensitivityLevel, answer["sensitivity"]),
    }
    return {name: word and word.value for name, word in words.items()} | {
        "must_notify": answer["must_notify"],
        "is_crossing": answer["is_crossing"],
    }


def _check_retention(until: datetime, due_s: int, now_s: int) -> None:
    """Refuse an end of keeping before anything has come; raises `InvalidField`."""
    if encode_time(until) <= now_s:
        raise InvalidField(
            "retention_until",
            "this time is over, so what is received would have to be deleted before it comes",
            next_step="give the time until which the procedure needs the data",
        )
    if encode_time(until) < due_s:
        raise InvalidField(
            "retention_until",
            "this is before the answer is due, so what is received might have to be deleted at"
            " once",
            next_step="keep the data at least until the answer is due, or ask for it sooner",
            extra={"fields": ["retention_until", "due"]},
        )


def _find_due(context: ActContext, body: ExchangeRequest) -> tuple[int, dict[str, Any]]:
    """Return when the answer is due, and how that was reckoned; raises `UserFault`."""
    if body.deadline is None:
        return encode_time(body.due), {}
    started_s = encode_time(body.deadline.started) or find_event_time(
        context.services, body.event_time
    )
    try:
        fixed = context.services.deadlines.due(
            body.deadline.profile, started_s, known_at_s=context.now_s
        )
    except (ProfileUnknown, HistoryRefused, CalendarEnds) as fault:
        is_unknown = isinstance(fault, ProfileUnknown)
        fault.field = "deadline.profile" if is_unknown else "deadline.started"
        raise
    told: dict[str, Any] = {
        "profile": fixed.profile,
        "profile_version": fixed.profile_version,
        "calendar": fixed.calendar,
        "calendar_version": fixed.calendar_version,
        "started": _write_time(started_s),
        "due": _write_time(fixed.due_s),
        "explanation": list(fixed.explanation),
        "to_check": list(fixed.to_check),
    }
    return fixed.due_s, {"deadline": told}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """Whose data are asked for."""

    handle: bytes | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    """What the provider is told."""
    materials: tuple[Material, ...] = ()
    """What is kept."""


async def _find_subject(
    context: ActContext, body: ExchangeRequest, uid: bytes, provider: bytes
) -> _Subject:
    if body.subject is None:
        if _list_consents(body):
            raise UserFault(
                "a request on a consent says whose data it is about",
                code="subject_missing",
                field="subject",
                status=422,
                next_step="name the person, by this agency's reference or by the handle",
            )
        return _Subject()
    handle, first_contact = await find_handle(context, body.subject, provider)
    return _Subject(
        handle=handle,
        told={"subject": {"handle": encode_hex(handle)}},
        materials=(*first_contact, seal_handle(uid, handle)),
    )


def _list_consents(body: ExchangeRequest) -> list[str]:
    named = (body.consents.general, body.consents.sensitive, body.consents.cross_border)
    return [uid for uid in named if uid is not None]


async def _open_consent(services: RestServices, uid: str) -> dict[str, Any]:
    """Name a consent, with the opening of its subject where this vault has it."""
    opening: Envelope | None = await services.materials.find(decode_hex(uid), SUBJECT_ROLE)
    named: dict[str, Any] = {"uid": uid}
    return named if opening is None else named | {SUBJECT_ROLE: encode_envelope(opening)}


async def _recall(services: RestServices, uid: bytes) -> Mapping[str, Any] | None:
    request = await services.materials.find(uid, REQUEST_ROLE)
    return None if request is None else encode_envelope(request)


def _read_uid(uid: str | None) -> bytes:
    return NO_UID if uid is None else decode_hex(uid)


def _write_time(seconds: int) -> str:
    return parse_time(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


REQUEST_ACTS: Final = (
    Act(
        name="exchange.request",
        path="/exchanges",
        summary="Ask another agency for data",
        contract=EXCHANGES_NAME,
        function="request",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=ExchangeRequest,
        prepare=_request,
        is_creation=True,
        gas=MAX_GAS,
        facts=_tell_law,
        recall=_recall,
    ),
)
"""In the order of the documentation."""
