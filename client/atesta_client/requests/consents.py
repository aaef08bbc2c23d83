"""Consents: given by a resident's key or recorded by an agency, and their withdrawal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, Consent, KeptEnvelope, LawEvent, Page, ResidentMessage
from atesta_client.requests.encoding import AgencyName, EnvelopeFile, Hex, JsonObject
from atesta_client.requests.parts import Lateness, MandateActs, SubjectItem
from atesta_client.requests.request import (
    Acting,
    Filters,
    Paging,
    Request,
    act,
    get,
    list_page,
    send,
)


def list_consents(
    *,
    dataset: Hex | None = None,
    purpose: Hex | None = None,
    notice: Hex | None = None,
    kind: str | None = None,
    **filters: Unpack[Filters],
) -> Request[Page[Consent]]:
    """List consents, newest first.

    - ``dataset``: only records about this dataset;
    - ``purpose``: only records for this purpose;
    - ``notice``: only consents given on this notice;
    - ``kind``: only this kind.
    """
    return list_page(
        Consent,
        "/consents",
        {"dataset": dataset, "purpose": purpose, "notice": notice, "kind": kind, **filters},
    )


def record_consent(
    *,
    provider: AgencyName,
    recipient: AgencyName,
    dataset: Hex,
    fields: Sequence[str],
    purpose: Hex,
    notice: Hex,
    response_s: int,
    subject: SubjectItem,
    record: JsonObject,
    channel: str,
    assurance: str,
    clerk: JsonObject,
    form: JsonObject,
    uid: Hex | None = None,
    kind: str = "general",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    quota: int | None = None,
    mandate: MandateActs | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Record a consent that a resident gave to this agency.

    - ``provider``: who may give;
    - ``recipient``: who may get;
    - ``dataset``: which data;
    - ``fields``: which of its fields;
    - ``purpose``: what for;
    - ``notice``: the notice that was shown;
    - ``response_s``: seconds within which recipients answer a withdrawal;
    - ``subject``: whose data;
    - ``record``: the full consent record (ISO/IEC TS 27560). It stays in the vaults of the agencies
      concerned; ``record_id`` and ``pii_principal_id`` are filled in;
    - ``channel``: how it was given;
    - ``assurance``: how well the person was identified;
    - ``clerk``: who took it; kept in the vault;
    - ``form``: the form or the recording; kept in the vault;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``kind``: ``general``; ``sensitive`` for sensitive data and ``cross_border`` for data that
      leave are records of their own;
    - ``valid_from``: from when; at once if ``None``;
    - ``valid_until``: until when; ``None`` for no end;
    - ``quota``: how often; ``None`` for as often as needed;
    - ``mandate``: the mandate of whoever gave it for the person; ``None`` if the person did.
    """
    return act(
        "consent.record",
        "/consents",
        {
            "provider": provider,
            "recipient": recipient,
            "dataset": dataset,
            "fields": fields,
            "purpose": purpose,
            "notice": notice,
            "response_s": response_s,
            "subject": subject,
            "record": record,
            "channel": channel,
            "assurance": assurance,
            "clerk": clerk,
            "form": form,
            "uid": uid,
            "kind": kind,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "quota": quota,
            "mandate": mandate,
        },
        options,
    )


def get_consent(uid: Hex) -> Request[Consent]:
    """Read one consent at the last settled block."""
    return get(Consent, "/consents/{uid}", uid=uid)


def get_consent_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one consent."""
    return list_page(LawEvent, "/consents/{uid}/history", {**paging}, uid=uid)


def give_consent(
    *,
    uid: Hex,
    signature: Hex,
    holder: Hex | None = None,
    message: Mapping[str, str] | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Hand in a consent that a resident signed.

    - ``uid``: uid of the consent;
    - ``signature``: r, s (the lower one) and v, 65 bytes;
    - ``holder``: the resident's key; not needed here;
    - ``message``: ``message`` of the typed data that was signed; not needed here.
    """
    return act(
        "consent.give",
        "/consents/signed",
        {"uid": uid, "signature": signature, "holder": holder, "message": message},
        options,
    )


def demand_confirmation_consent(uid: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Demand that a consent which its recipient recorded is confirmed; it waits until then."""
    return act(
        "consent.demand_confirmation", "/consents/{uid}/confirmation-demand", {}, options, uid=uid
    )


def confirm_consent(
    uid: Hex, *, confirmation: JsonObject, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Confirm, having asked the resident, a consent that its recipient recorded.

    - ``confirmation``: how the resident confirmed it; kept in the vault.
    """
    return act(
        "consent.confirm",
        "/consents/{uid}/confirmation",
        {"confirmation": confirmation},
        options,
        uid=uid,
    )


def withdraw_consent(
    uid: Hex, *, form: JsonObject, declared_at: datetime | None = None, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Take a withdrawal that a resident declared to this agency; it binds from its declaration.

    - ``form``: the form or the recording; kept in the vault;
    - ``declared_at``: when the resident declared it; the event time when absent.
    """
    return act(
        "consent.withdraw",
        "/consents/{uid}/withdrawal",
        {"form": form, "declared_at": declared_at},
        options,
        uid=uid,
    )


def withdraw_signed_consent(
    uid: Hex,
    *,
    declared_at: datetime,
    nonce: int,
    deadline: datetime,
    signature: Hex,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Hand in a withdrawal that the resident's own key signed; numbers as they were prepared.

    - ``declared_at``: as signed;
    - ``nonce``: as signed;
    - ``deadline``: as signed;
    - ``signature``: r, s (the lower one) and v, 65 bytes.
    """
    return act(
        "consent.withdraw_signed",
        "/consents/{uid}/withdrawal/signed",
        {"declared_at": declared_at, "nonce": nonce, "deadline": deadline, "signature": signature},
        options,
        uid=uid,
    )


def answer_withdrawal(
    uid: Hex,
    *,
    outcome: str,
    basis: Hex | None = None,
    until: datetime | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Say what this agency, as a recipient, has done about a withdrawal.

    - ``outcome``: ``stopped``, ``deleted``, or ``retained`` for storage only;
    - ``basis``: under which basis they are retained;
    - ``until``: until when they are retained.
    """
    return act(
        "withdrawal.answer",
        "/consents/{uid}/withdrawal/answer",
        {"outcome": outcome, "basis": basis, "until": until},
        options,
        uid=uid,
    )


def prepare_consent(
    *,
    provider: AgencyName,
    recipient: AgencyName,
    dataset: Hex,
    fields: Sequence[str],
    purpose: Hex,
    notice: Hex,
    response_s: int,
    subject: SubjectItem,
    record: JsonObject,
    holder: Hex,
    event_time: datetime | None = None,
    late: Lateness | None = None,
    uid: Hex | None = None,
    kind: str = "general",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    quota: int | None = None,
    deadline: datetime | None = None,
) -> Request[ResidentMessage]:
    """Prepare a consent for a resident's own key, which another agency than the recipient bound.

    - ``provider``: who may give;
    - ``recipient``: who may get;
    - ``dataset``: which data;
    - ``fields``: which of its fields;
    - ``purpose``: what for;
    - ``notice``: the notice that was shown;
    - ``response_s``: seconds within which recipients answer a withdrawal;
    - ``subject``: whose data;
    - ``record``: the full consent record (ISO/IEC TS 27560). It stays in the vaults of the agencies
      concerned; ``record_id`` and ``pii_principal_id`` are filled in;
    - ``holder``: address of the resident's key;
    - ``event_time``: when it was captured or decided; now when absent;
    - ``late``: needed if it was captured longer ago than the ledger's limit, and only then;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``kind``: ``general``; ``sensitive`` for sensitive data and ``cross_border`` for data that
      leave are records of their own;
    - ``valid_from``: from when; at once if ``None``;
    - ``valid_until``: until when; ``None`` for no end;
    - ``quota``: how often; ``None`` for as often as needed;
    - ``deadline``: until when the signature may be handed in; a day ahead when absent.
    """
    return send(
        ResidentMessage,
        "POST",
        "/consents/prepared",
        {
            "provider": provider,
            "recipient": recipient,
            "dataset": dataset,
            "fields": fields,
            "purpose": purpose,
            "notice": notice,
            "response_s": response_s,
            "subject": subject,
            "record": record,
            "holder": holder,
            "event_time": event_time,
            "late": late,
            "uid": uid,
            "kind": kind,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "quota": quota,
            "deadline": deadline,
        },
    )


def prepare_withdrawal(
    uid: Hex, *, declared_at: datetime | None = None, deadline: datetime | None = None
) -> Request[ResidentMessage]:
    """Prepare a withdrawal for the key that gave the consent.

    - ``declared_at``: when it is declared; now when absent;
    - ``deadline``: until when the signature may be handed in; a day ahead when absent.
    """
    return send(
        ResidentMessage,
        "POST",
        "/consents/{uid}/withdrawal/prepared",
        {"declared_at": declared_at, "deadline": deadline},
        uid=uid,
    )


def keep_consent_envelope(
    uid: Hex, *, subject: EnvelopeFile, record: EnvelopeFile | None = None
) -> Request[KeptEnvelope]:
    """Keep the envelope of a consent that came from the other side, once it opens the ledger's.

    - ``subject``: opening of the person's commitment;
    - ``record``: opening of the full record.
    """
    return send(
        KeptEnvelope,
        "POST",
        "/consents/{uid}/envelope",
        {"subject": subject, "record": record},
        uid=uid,
    )
