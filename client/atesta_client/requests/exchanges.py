"""Exchanges: asked, decided, released, acknowledged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, Exchange, LawEvent, Page
from atesta_client.requests.encoding import AgencyName, EnvelopeFile, Hex, JsonObject
from atesta_client.requests.parts import ConsentItems, DeadlineItem, MandateUse, SubjectItem
from atesta_client.requests.request import Acting, Filters, Paging, Request, act, get, list_page


def list_exchanges(
    *,
    dataset: Hex | None = None,
    purpose: Hex | None = None,
    basis: Hex | None = None,
    consent: Hex | None = None,
    instrument: Hex | None = None,
    onward_of: Hex | None = None,
    kind: str | None = None,
    **filters: Unpack[Filters],
) -> Request[Page[Exchange]]:
    """List exchanges, newest first.

    - ``dataset``: only records about this dataset;
    - ``purpose``: only records for this purpose;
    - ``basis``: only records on this basis;
    - ``consent``: only exchanges on this consent;
    - ``instrument``: only exchanges under this instrument;
    - ``onward_of``: only what was handed on from this exchange;
    - ``kind``: only this kind.
    """
    return list_page(
        Exchange,
        "/exchanges",
        {
            "dataset": dataset,
            "purpose": purpose,
            "basis": basis,
            "consent": consent,
            "instrument": instrument,
            "onward_of": onward_of,
            "kind": kind,
            **filters,
        },
    )


def request_exchange(
    *,
    provider: AgencyName,
    dataset: Hex,
    fields: Sequence[str],
    purpose: Hex,
    basis: Hex,
    case: str,
    officer: JsonObject,
    retention_until: datetime,
    uid: Hex | None = None,
    instrument: Hex | None = None,
    consents: ConsentItems | None = None,
    mandate: MandateUse | None = None,
    onward_of: Hex | None = None,
    mode: str = "once",
    channel: str = "online",
    subject: SubjectItem | None = None,
    due: datetime | None = None,
    deadline: DeadlineItem | None = None,
    valid_until: datetime | None = None,
    message: JsonObject | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Ask another agency for data.

    - ``provider``: who is asked;
    - ``dataset``: for which data;
    - ``fields``: for which of its fields;
    - ``purpose``: what for;
    - ``basis``: on which legal basis;
    - ``case``: number of the case; it stays in the vault;
    - ``officer``: who asks; kept in the vault;
    - ``retention_until``: when what is received is deleted;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``instrument``: needed where data leave a jurisdiction;
    - ``consents``: needed where the basis is consent;
    - ``mandate``: of whoever it is made for, where somebody acts for another;
    - ``onward_of``: the exchange by which the data came to the provider;
    - ``mode``: ``once``, or by periods: ``standing``, ``bulk``;
    - ``channel``: where the case came in;
    - ``subject``: whose data; needed with a consent. ``None`` for many at once;
    - ``due``: when the answer is due; or give ``deadline``;
    - ``deadline``: the profile that says when the answer is due; or give ``due``;
    - ``valid_until``: end of a standing or bulk exchange;
    - ``message``: what else the provider is told; only inside the envelope.
    """
    return act(
        "exchange.request",
        "/exchanges",
        {
            "provider": provider,
            "dataset": dataset,
            "fields": fields,
            "purpose": purpose,
            "basis": basis,
            "case": case,
            "officer": officer,
            "retention_until": retention_until,
            "uid": uid,
            "instrument": instrument,
            "consents": consents,
            "mandate": mandate,
            "onward_of": onward_of,
            "mode": mode,
            "channel": channel,
            "subject": subject,
            "due": due,
            "deadline": deadline,
            "valid_until": valid_until,
            "message": message,
        },
        options,
    )


def get_exchange(uid: Hex) -> Request[Exchange]:
    """Read one exchange at the last settled block."""
    return get(Exchange, "/exchanges/{uid}", uid=uid)


def get_exchange_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one exchange."""
    return list_page(LawEvent, "/exchanges/{uid}/history", {**paging}, uid=uid)


def decide_exchange(
    uid: Hex,
    *,
    decision: str,
    officer: JsonObject,
    reason: str | None = None,
    explanation: str | None = None,
    request_envelope: EnvelopeFile | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Decide on a request, as a data officer of the provider; a refusal gives its reason.

    - ``decision``: ``approve`` or ``refuse``;
    - ``officer``: who decides; the ledger gets a commitment;
    - ``reason``: why it is refused; ``None`` for an approval;
    - ``explanation``: grounds in words; kept with the officer, for the requester;
    - ``request_envelope``: the request, as the requester handed it over; an approval is then
      checked for the person.
    """
    return act(
        "exchange.decide",
        "/exchanges/{uid}/decision",
        {
            "decision": decision,
            "officer": officer,
            "reason": reason,
            "explanation": explanation,
            "request_envelope": request_envelope,
        },
        options,
        uid=uid,
    )


def cancel_exchange(uid: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Take back a request of this agency that is not decided yet."""
    return act("exchange.cancel", "/exchanges/{uid}/cancellation", {}, options, uid=uid)


def release_exchange(
    uid: Hex, *, request_envelope: EnvelopeFile, response: JsonObject, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Release data: exactly the fields that were asked, of the person who was asked for.

    - ``request_envelope``: the request envelope, as the requester handed it over;
    - ``response``: the data, with the dataset's pointers; kept in the vault.
    """
    return act(
        "exchange.release",
        "/exchanges/{uid}/release",
        {"request_envelope": request_envelope, "response": response},
        options,
        uid=uid,
    )


def acknowledge_exchange(
    uid: Hex, *, response_envelope: EnvelopeFile, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Say what arrived. If it is not what was released, the exchange is disputed for all to see.

    - ``response_envelope``: the response envelope as it arrived; kept in the vault.
    """
    return act(
        "exchange.acknowledge",
        "/exchanges/{uid}/acknowledgement",
        {"response_envelope": response_envelope},
        options,
        uid=uid,
    )


def void_exchange(uid: Hex, *, reason: str, **options: Unpack[Acting]) -> Request[Accepted]:
    """Sign that an exchange counts as never made; it does so when both sides have signed.

    - ``reason``: neutral reason code.
    """
    return act("exchange.void", "/exchanges/{uid}/void", {"reason": reason}, options, uid=uid)


def end_exchange(uid: Hex, *, reason: str, **options: Unpack[Acting]) -> Request[Accepted]:
    """End a standing or bulk exchange; what was delivered stays.

    - ``reason``: neutral reason code.
    """
    return act("exchange.end", "/exchanges/{uid}/end", {"reason": reason}, options, uid=uid)
