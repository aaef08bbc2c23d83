"""What a provider's node checks before it releases anything.

The contract judges the law. It cannot see inside commitments, so this node does: the request's
envelope opens what stands on the ledger; the person asked for is the one who consented; and the
answer holds exactly the fields that were asked, no more and no less. All of it comes before
anything is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from atesta_client.envelopes import Envelope, EnvelopeKind, open_envelope
from atesta_client.errors import CredentialRefused, MaterialRefused, ReasonCode
from atesta_client.pointers import ABSENT, format_pointer, get_value

from api.acts.context import ActContext
from api.acts.subjects import SUBJECT_ROLE, read_handle
from api.errors import UserFault
from api.records import NO_UID
from api.rest.values import encode_hex
from api.texts.fields import list_fields, list_pointers
from contracts.addresses import CONSENTS_NAME

Tokens = tuple[str, ...]

_CONSENTS: Final = ("consent", "sensitive_consent", "cross_border_consent")


def open_request(record: Mapping[str, Any], uid: bytes, file: Mapping[str, Any]) -> Envelope:
    """Return the request behind an exchange's commitment; raises `UserFault`."""
    try:
        request = open_envelope(
            dict(file),
            kind=EnvelopeKind.REQUEST,
            commitment=bytes(record["request"]["request_commitment"]),
        )
    except CredentialRefused as refused:
        if refused.code is ReasonCode.COMMITMENT_MISMATCH:
            raise UserFault(
                "this envelope is not the request that the requester committed to",
                code="request_mismatch",
                field="request_envelope",
                status=409,
                next_step="ask the requester for the request envelope of this very exchange",
            ) from refused
        raise UserFault(
            refused.message,
            code="envelope_malformed",
            field="request_envelope",
            status=400,
            next_step="send the request envelope as the requester got it from its node",
        ) from refused
    except MaterialRefused as refused:
        raise UserFault(
            refused.message, code="envelope_malformed", field="request_envelope"
        ) from refused
    if request.body.get("exchange") != encode_hex(uid):
        raise UserFault(
            "the envelope was made for another exchange",
            code="request_mismatch",
            field="request_envelope",
            status=409,
            next_step="ask the requester for the request envelope of this very exchange",
        )
    return request


async def check_subject(context: ActContext, record: Mapping[str, Any], request: Envelope) -> None:
    """Raise `UserFault` unless every consent of an exchange is of the person who is asked for."""
    uids = [bytes(record["request"][name]) for name in _CONSENTS]
    named = [uid for uid in uids if uid != NO_UID]
    if not named:
        return
    asked = read_subject(request)
    if asked is None:
        raise UserFault(
            "the request rests on a consent and does not say whose data it is about",
            code="subject_missing",
            field="request_envelope.body.subject",
            status=422,
            next_step="ask the requester to cancel it and to ask again with the subject",
        )
    for uid in named:
        if await _find_consented(context, uid, request) != asked:
            raise UserFault(
                "the person asked for is not the one who consented",
                code="subject_mismatch",
                field="request_envelope.body.subject",
                status=422,
                next_step="refuse the request, or ask the requester for this person's consent",
                extra={"consent": encode_hex(uid)},
            )


async def check_fields(
    context: ActContext, record: Mapping[str, Any], response: Mapping[str, Any]
) -> None:
    """Raise `UserFault` unless a response holds exactly the fields that were asked."""
    asked = record["request"]
    text = await context.get_fields_text(bytes(asked["dataset"]), field="uid")
    wanted = {_parse(pointer): pointer for pointer in list_pointers(text, asked["fields"])}
    for at in _iterate_uncovered(response, frozenset(wanted)):
        public = _find_public(at, [field.pointer for field in list_fields(text)])
        raise UserFault(
            "the answer holds a field that was not asked for"
            if public is not None
            else "the answer holds something that is no field of the dataset",
            code="field_not_asked",
            field="response" if public is None else f"response{public}",
            status=422,
            next_step="release exactly the fields of the request",
            extra={} if public is None else {"pointer": public},
        )
    for tokens, pointer in wanted.items():
        if get_value(dict(response), tokens) is ABSENT:
            raise UserFault(
                "the answer lacks a field that was asked for",
                code="field_not_released",
                field=f"response{pointer}",
                status=422,
                next_step="release it, with null where there is no value",
                extra={"pointer": pointer},
            )


def read_subject(request: Envelope) -> bytes | None:
    """Return the handle of the person whom a request is about; None where it names nobody."""
    subject = request.body.get("subject")
    if not isinstance(subject, dict):
        return None
    return read_handle(Envelope(kind=EnvelopeKind.SUBJECT, salt=bytes(32), body=subject))


async def _find_consented(context: ActContext, uid: bytes, request: Envelope) -> bytes | None:
    """Return who gave a consent: from this vault, or from an opening inside the request."""
    record = await context.read(CONSENTS_NAME, "consent", uid)
    commitment = bytes(record["terms"]["subject"])
    known = await context.services.materials.find(uid, SUBJECT_ROLE)
    if known is not None and known.commitment == commitment:
        return read_handle(known)
    listed = request.body.get("consents")
    for named in listed if isinstance(listed, list) else ():
        if not isinstance(named, dict) or named.get("uid") != encode_hex(uid):
            continue
        try:
            opened = open_envelope(
                named.get(SUBJECT_ROLE), kind=EnvelopeKind.SUBJECT, commitment=commitment
            )
        except MaterialRefused:
            break
        return read_handle(opened)
    raise UserFault(
        "nothing here opens the consent's commitment to its person",
        code="subject_unopened",
        field="request_envelope.body.consents",
        status=409,
        next_step="keep the consent's envelope: POST it to /v1/consents/{uid}/envelope",
        extra={"consent": encode_hex(uid)},
    )


def _iterate_uncovered(value: Any, covered: frozenset[Tokens], at: Tokens = ()) -> Iterator[Tokens]:
    """Walk to everything in a document that no covered pointer leads to or through."""
    if at in covered:
        return
    members: Sequence[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        members = tuple(value.items())
    elif isinstance(value, list):
        members = tuple((str(place), member) for place, member in enumerate(value))
    if not members and at:
        yield at
    for token, member in members:
        yield from _iterate_uncovered(member, covered, (*at, token))


def _find_public(at: Tokens, pointers: Sequence[str]) -> str | None:
    """Return the dataset's own pointer for a place; None where that is not public."""
    for pointer in pointers:
        tokens = _parse(pointer)
        if at[: len(tokens)] == tokens:
            return pointer
    shorter = format_pointer(at)
    return shorter if any(pointer.startswith(shorter + "/") for pointer in pointers) else None


def _parse(pointer: str) -> Tokens:
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))
