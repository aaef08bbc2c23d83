"""Persons: handles between agencies, messages for residents' keys, envelopes of consents."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from atesta_client.envelopes import Envelope, EnvelopeKind, open_envelope
from atesta_client.errors import CredentialRefused, MaterialRefused, ReasonCode

from api.acts.consent_terms import RECORD_ROLE, build_consent
from api.acts.context import ActContext
from api.acts.performing import open_context
from api.acts.resident_messages import (
    ResidentMessage,
    check_terms,
    prepare_consent,
    prepare_withdrawal,
)
from api.acts.subjects import SUBJECT_ROLE, read_handle
from api.acts.typed import find_deadline
from api.errors import ApiError, InvalidField, NotFound, UserFault
from api.rest import people_models as models
from api.rest.call import Call, Reply
from api.rest.ledger_rule import check_parties
from api.rest.refusals import translate_revert
from api.rest.values import decode_hex, encode_hex, encode_time, parse_time
from api.rest.writes import find_event_time
from api.vault.materials import Material
from api.vault.subjects import Subject, look_again
from contracts.addresses import CONSENTS_NAME

_NOBODY: Final = bytes(20)


async def create_subject(call: Call) -> Reply:
    """Return the handle of a person with another agency."""
    body: models.SubjectCreate = call.body
    counterparty = await read_counterparty(call, body.counterparty)
    subject = await call.services.subjects.take(
        counterparty, body.reference, now_s=int(call.services.now())
    )
    return Reply(model=view_subject(subject))


async def match_subject(call: Call) -> Reply:
    """Note whom a handle means here."""
    body: models.SubjectMatch = call.body
    subject = await call.services.subjects.match(
        decode_hex(body.handle),
        await read_counterparty(call, body.counterparty),
        body.reference,
        now_s=int(call.services.now()),
    )
    return Reply(model=view_subject(subject))


async def find_subject(call: Call) -> Reply:
    """Tell whom a handle means here."""
    body: models.SubjectFind = call.body
    subject = await call.services.subjects.find(decode_hex(body.handle))
    if subject is None:
        raise NotFound(
            "this vault does not know the handle", field="handle", code="subject_not_found"
        )
    return Reply(model=view_subject(subject))


async def prepare_signed_consent(call: Call) -> Reply:
    """Prepare a consent for a resident's key; it is tried as far as it can be without one."""
    return await look_again(partial(_prepare_consent, call))


async def prepare_signed_withdrawal(call: Call) -> Reply:
    """Prepare a withdrawal for the key that gave a consent."""
    body: models.WithdrawalPrepare = call.body
    context = await open_context(call.services, call.caller, call.path)
    uid = call.get_digest("uid")
    record = await _get_consent(call, uid)
    holder = bytes(record["origin"]["holder"])
    if holder == _NOBODY:
        raise _refuse_uid("signature: signer missing")
    head = await call.services.ledger.get_head()
    message = await prepare_withdrawal(
        context,
        uid,
        moment_s=_find_moment(context, body.declared_at, head.time_s),
        deadline_s=find_deadline(context.now_s, body.deadline),
    )
    return Reply(model=_view_message(uid, holder, message))


async def keep_consent_envelope(call: Call) -> Reply:
    """Keep what opens the commitments of a consent."""
    body: models.ConsentEnvelope = call.body
    uid = call.get_digest("uid")
    if body.uid is not None and decode_hex(body.uid) != uid:
        raise InvalidField("uid", "the envelope was made for another consent")
    record = await _get_consent(call, uid)
    terms = record["terms"]
    subject = _open(body.subject, EnvelopeKind.SUBJECT, bytes(terms["subject"]), SUBJECT_ROLE)
    handle = read_handle(subject)
    if handle is None:
        raise InvalidField(SUBJECT_ROLE, "the envelope holds no handle")
    materials = [Material(uid=uid, role=SUBJECT_ROLE, envelope=subject, reference=handle.hex())]
    if body.record is not None:
        opened = _open(
            body.record, EnvelopeKind.CONSENT_RECORD, bytes(terms["record"]), RECORD_ROLE
        )
        materials.append(Material(uid=uid, role=RECORD_ROLE, envelope=opened))
    await call.services.materials.put(tuple(materials), now_s=int(call.services.now()))
    known = await call.services.subjects.find(handle)
    return Reply(
        model=models.KeptEnvelope(
            uid=encode_hex(uid),
            handle=encode_hex(handle),
            reference=None if known is None else known.reference,
        )
    )


async def read_counterparty(call: Call, reference: str) -> bytes:
    """Return the id of the other agency; raises the refusal for this one and for none."""
    context = await open_context(call.services, call.caller, call.path)
    counterparty = await context.find_agency(reference, field="counterparty")
    if counterparty == context.agency:
        raise InvalidField("counterparty", "a handle is between this agency and another one")
    return counterparty


def view_subject(subject: Subject) -> models.KnownSubject:
    """Return a matching record as REST shows it."""
    return models.KnownSubject(
        handle=encode_hex(subject.handle),
        counterparty=encode_hex(subject.counterparty),
        reference=subject.reference,
    )


async def _prepare_consent(call: Call) -> Reply:
    body: models.ConsentPrepare = call.body
    context = await open_context(call.services, call.caller, call.path)
    named = {"provider": body.provider, "recipient": body.recipient}
    parties = {field: context.find_id(label) for field, label in named.items()}
    await check_parties(call.services, parties)
    head = await call.services.ledger.get_head()
    built = await build_consent(context, body)
    holder = decode_hex(body.holder)
    # The event time is signed, so it must be one that the last final block knows already.
    moment_s = min(encode_time(body.event_time) or context.now_s, head.time_s)
    await check_terms(context, built, holder, moment_s=moment_s)
    message, prepared = await prepare_consent(
        context,
        built,
        holder,
        moment_s=moment_s,
        deadline_s=find_deadline(context.now_s, body.deadline),
    )
    await call.services.materials.put((*built.materials, prepared), now_s=context.now_s)
    return Reply(model=_view_message(built.uid, holder, message, envelope=built.envelope))


async def _get_consent(call: Call, uid: bytes) -> dict[str, Any]:
    context = await open_context(call.services, call.caller, call.path)
    record: dict[str, Any] = await context.read(CONSENTS_NAME, "consent", uid)
    if record["state"] == 0:
        raise _refuse_uid("consent: unknown")
    return record


def _refuse_uid(rule: str) -> ApiError:
    """Return a refusal by a rule that is about the consent of the path."""
    refusal = translate_revert(rule)
    refusal.field = "uid"
    return refusal


def _open(file: Mapping[str, Any], kind: EnvelopeKind, commitment: bytes, field: str) -> Envelope:
    try:
        return open_envelope(dict(file), kind=kind, commitment=commitment)
    except MaterialRefused as refused:
        if isinstance(refused, CredentialRefused) and (
            refused.code is ReasonCode.COMMITMENT_MISMATCH
        ):
            raise UserFault(
                "the envelope is not what the ledger's commitment is of",
                code=ReasonCode.COMMITMENT_MISMATCH.value,
                field=field,
                status=409,
                next_step="ask the other side for the envelope of this very consent",
            ) from refused
        raise UserFault(refused.message, code="envelope_malformed", field=field) from refused


def _find_moment(context: ActContext, given: datetime | None, head_s: int) -> int:
    """Return when a withdrawal is declared; without a time, one that the last block knows."""
    if given is None:
        return min(context.now_s, head_s)
    return find_event_time(context.services, given, field="declared_at")


def _view_message(
    uid: bytes,
    holder: bytes,
    prepared: ResidentMessage,
    *,
    envelope: Mapping[str, Any] | None = None,
) -> models.ResidentMessage:
    return models.ResidentMessage(
        uid=encode_hex(uid),
        holder=encode_hex(holder),
        moment=parse_time(prepared.moment_s),
        nonce=prepared.nonce,
        deadline=parse_time(prepared.deadline_s),
        digest=encode_hex(prepared.message.digest),
        typed_data=prepared.message.typed_data,
        envelope=None if envelope is None else dict(envelope),
    )
