"""The terms of a consent, as a body says them and as the contract takes them.

Whether a resident signs a consent or an agency records it, its terms are the same: who may give
which fields of which data to whom, what for, until when, how often. The person and the full record
(ISO/IEC TS 27560) stay in the vault; provider and recipient get both as envelopes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from atesta_client.envelopes import EnvelopeKind, encode_envelope
from pydantic import Field

from api.acts.act import CreationBody
from api.acts.consent_record import ConsentRecordItem, Known, fill_record, write_time
from api.acts.context import ActContext
from api.acts.private import seal
from api.acts.subjects import SUBJECT_ROLE, SubjectItem, find_handle, seal_handle
from api.rest.references import Reference
from api.rest.services import RestServices
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    Pointer,
    Time,
    Uid,
    decode_hex,
    encode_hex,
    encode_time,
)
from api.rest.words import ConsentType, encode_word
from api.rest.writes import find_event_time
from api.vault.materials import Material

RECORD_ROLE: Final = "record"
"""Role of the full consent record among the materials of a consent."""

OWN_KEY: Final = "the resident's own key"
"""Says in the record how a consent was given that no agency took."""

LONGEST_RESPONSE_S: Final = 366 * 86_400
"""The contract allows no longer time to answer a withdrawal."""


class ConsentTerms(CreationBody):
    """What a consent covers."""

    provider: Reference = Field(description="Who may give.", examples=["mo-financial-bureau"])
    recipient: Reference = Field(description="Who may get.", examples=["mo-housing-institute"])
    dataset: Uid = Field(description="Which data.", examples=[EXAMPLE_UID])
    fields: Annotated[list[Pointer], Field(min_length=1, max_length=256)] = Field(
        description="Which of its fields.", examples=[["/income_band"]]
    )
    purpose: Uid = Field(description="What for.", examples=[EXAMPLE_UID])
    kind: ConsentType = Field(
        default=ConsentType.GENERAL,
        description=(
            "`general`; `sensitive` for sensitive data and `cross_border` for data that leave are"
            " records of their own."
        ),
    )
    notice: Uid = Field(description="The notice that was shown.", examples=[EXAMPLE_UID])
    valid_from: Time | None = Field(
        default=None, description="From when; at once if null.", examples=[None]
    )
    valid_until: Time | None = Field(
        default=None, description="Until when; null for no end.", examples=[EXAMPLE_TIME]
    )
    quota: Annotated[int, Field(ge=1, lt=2**64)] | None = Field(
        default=None, description="How often; null for as often as needed.", examples=[1]
    )
    response_s: Annotated[int, Field(ge=1, le=LONGEST_RESPONSE_S)] = Field(
        description="Seconds within which recipients answer a withdrawal.", examples=[864_000]
    )
    subject: SubjectItem = Field(description="Whose data.")
    record: ConsentRecordItem = Field(
        description=(
            "The full consent record (ISO/IEC TS 27560). It stays in the vaults of the agencies"
            " concerned. `schema_version` and `withdrawal_method` are needed; what follows from the"
            " consent is filled in where it is absent."
        ),
        examples=[{"schema_version": "1.0", "withdrawal_method": "any counter"}],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltConsent:
    """A consent ready for the ledger."""

    uid: bytes
    terms: Mapping[str, Any]
    """The contract's `ConsentTerms`."""
    handle: bytes
    """The person, between provider and recipient."""
    materials: tuple[Material, ...]
    envelope: dict[str, Any]
    """For the provider and the recipient."""


async def build_consent(context: ActContext, body: ConsentTerms) -> BuiltConsent:
    """Return a consent's terms, what is to be kept, and its envelope; raises `UserFault`."""
    uid = context.take_uid(body.uid)
    provider = await context.find_agency(body.provider, field="provider")
    recipient = await context.find_agency(body.recipient, field="recipient")
    handle, first_contact = await find_handle(
        context, body.subject, find_counterparty(context.agency, provider, recipient)
    )
    dataset = decode_hex(body.dataset)
    mask = await context.get_mask(dataset, body.fields)
    subject = seal_handle(uid, handle)
    known = Known(
        uid=uid,
        handle=handle,
        provider=provider,
        recipient=recipient,
        notice=decode_hex(body.notice),
        purpose=body.purpose,
        fields=tuple(body.fields),
        is_sensitive=body.kind is ConsentType.SENSITIVE,
        channel=str(getattr(body, "channel", OWN_KEY)),
        event_time=write_time(find_event_time(context.services, body.event_time)),
        valid_from=None if body.valid_from is None else write_time(encode_time(body.valid_from)),
        valid_until=None if body.valid_until is None else write_time(encode_time(body.valid_until)),
    )
    record = Material(
        uid=uid,
        role=RECORD_ROLE,
        envelope=seal(
            EnvelopeKind.CONSENT_RECORD,
            await fill_record(context, body.record, known),
            field="record",
        ),
    )
    terms = {
        "provider": provider,
        "recipient": recipient,
        "dataset": dataset,
        "fields": mask,
        "purpose": decode_hex(body.purpose),
        "kind": encode_word(body.kind),
        "notice": decode_hex(body.notice),
        "valid_from": encode_time(body.valid_from),
        "valid_until": encode_time(body.valid_until),
        "quota": body.quota or 0,
        "response_s": body.response_s,
        "subject": subject.envelope.commitment,
        "record": record.envelope.commitment,
    }
    return BuiltConsent(
        uid=uid,
        terms=terms,
        handle=handle,
        materials=(*first_contact, subject, record),
        envelope={
            "uid": encode_hex(uid),
            SUBJECT_ROLE: encode_envelope(subject.envelope),
            RECORD_ROLE: encode_envelope(record.envelope),
        },
    )


def find_counterparty(agency: bytes, provider: bytes, recipient: bytes) -> bytes | None:
    """Return the other side of an agency; None if it is neither of the two."""
    if agency == provider:
        return recipient
    return provider if agency == recipient else None


async def recall_consent(services: RestServices, uid: bytes) -> dict[str, Any] | None:
    """Return a consent's envelope from the vault; None if it is not there."""
    kept = await services.materials.get_all(uid)
    if SUBJECT_ROLE not in kept or RECORD_ROLE not in kept:
        return None
    opened = {role: encode_envelope(kept[role]) for role in (SUBJECT_ROLE, RECORD_ROLE)}
    return {"uid": encode_hex(uid)} | opened
