"""The law: legal bases, cross-border instruments, a supervisor's stops."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import (
    Accepted,
    Askable,
    Basis,
    Instrument,
    LawEvent,
    Page,
    Stop,
    read_answer,
)
from atesta_client.requests.encoding import AgencyName, Hex, JsonObject, encode_query
from atesta_client.requests.parts import LegalReference, ScopeItem
from atesta_client.requests.request import Acting, Filters, Paging, Request, act, get, list_page


def list_bases(
    *,
    dataset: Hex | None = None,
    purpose: Hex | None = None,
    kind: str | None = None,
    **filters: Unpack[Filters],
) -> Request[Page[Basis]]:
    """List bases, newest first.

    - ``dataset``: only records about this dataset;
    - ``purpose``: only records for this purpose;
    - ``kind``: only this kind.
    """
    return list_page(
        Basis, "/bases", {"dataset": dataset, "purpose": purpose, "kind": kind, **filters}
    )


def find_askable(*, case: str, dataset: Hex) -> Request[Askable]:
    """Ask "what may I ask?": for a case and a dataset, the bases that serve, and with how little.

    - ``case``: number of the case, whose file says what it needs.
    """
    return Request(
        method="GET",
        path="/bases",
        query=encode_query({"case": case, "dataset": dataset}),
        read=lambda data: read_answer(Askable, data),
    )


def enter_basis(
    *,
    kind: str,
    law: LegalReference,
    valid_from: datetime,
    scopes: Sequence[ScopeItem],
    uid: Hex | None = None,
    language: str | None = None,
    sensitivity: str = "ordinary",
    from_jurisdiction: AgencyName | None = None,
    to_jurisdiction: AgencyName | None = None,
    must_notify: bool = False,
    valid_until: datetime | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Enter a legal basis: law and article, and all that it covers.

    - ``kind``: ``statute`` needs no consent; ``consent`` needs one;
    - ``law``: law and article; a public text;
    - ``valid_from``: in force from;
    - ``scopes``: what it covers;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``language``: language of the reference (BCP 47);
    - ``sensitivity``: the highest that it covers;
    - ``from_jurisdiction``: only data that leave from here; ``None`` for any;
    - ``to_jurisdiction``: only data that go to here; ``None`` for any;
    - ``must_notify``: whether people must be told;
    - ``valid_until``: in force until; ``None`` for no end.
    """
    return act(
        "basis.enter",
        "/bases",
        {
            "kind": kind,
            "law": law,
            "valid_from": valid_from,
            "scopes": scopes,
            "uid": uid,
            "language": language,
            "sensitivity": sensitivity,
            "from_jurisdiction": from_jurisdiction,
            "to_jurisdiction": to_jurisdiction,
            "must_notify": must_notify,
            "valid_until": valid_until,
        },
        options,
    )


def get_basis(uid: Hex) -> Request[Basis]:
    """Read one basis at the last settled block."""
    return get(Basis, "/bases/{uid}", uid=uid)


def get_basis_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one basis."""
    return list_page(LawEvent, "/bases/{uid}/history", {**paging}, uid=uid)


def list_instruments(
    *, dataset: Hex | None = None, kind: str | None = None, **filters: Unpack[Filters]
) -> Request[Page[Instrument]]:
    """List instruments, newest first.

    - ``dataset``: only records about this dataset;
    - ``kind``: only this kind.
    """
    return list_page(Instrument, "/instruments", {"dataset": dataset, "kind": kind, **filters})


def enter_instrument(
    *,
    kind: str,
    filing: JsonObject,
    provider: AgencyName,
    recipient: AgencyName,
    dataset: Hex,
    valid_from: datetime,
    uid: Hex | None = None,
    assessment: JsonObject | None = None,
    onward: bool = False,
    valid_until: datetime | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Enter an instrument under which data of one dataset may leave a jurisdiction.

    - ``kind``: standard contract, assessment or permit;
    - ``filing``: the filing: number, dates, authority;
    - ``provider``: who gives;
    - ``recipient``: who gets;
    - ``dataset``: which data;
    - ``valid_from``: in force from;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``assessment``: the assessment behind it, as a public text;
    - ``onward``: whether the recipient may hand them on;
    - ``valid_until``: in force until; ``None`` for no end.
    """
    return act(
        "instrument.enter",
        "/instruments",
        {
            "kind": kind,
            "filing": filing,
            "provider": provider,
            "recipient": recipient,
            "dataset": dataset,
            "valid_from": valid_from,
            "uid": uid,
            "assessment": assessment,
            "onward": onward,
            "valid_until": valid_until,
        },
        options,
    )


def get_instrument(uid: Hex) -> Request[Instrument]:
    """Read one instrument at the last settled block."""
    return get(Instrument, "/instruments/{uid}", uid=uid)


def get_instrument_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one instrument."""
    return list_page(LawEvent, "/instruments/{uid}/history", {**paging}, uid=uid)


def list_stops(
    *,
    dataset: Hex | None = None,
    basis: Hex | None = None,
    subject: Hex | None = None,
    kind: str | None = None,
    **filters: Unpack[Filters],
) -> Request[Page[Stop]]:
    """List stops, newest first.

    - ``dataset``: only stops of this dataset;
    - ``basis``: only stops of this basis;
    - ``subject``: only stops of this dataset, pair or basis;
    - ``kind``: only this kind.
    """
    query = {"dataset": dataset, "basis": basis, "subject": subject, "kind": kind, **filters}
    return list_page(Stop, "/stops", query)


def order_stop(
    *,
    until: datetime,
    decision: JsonObject,
    uid: Hex | None = None,
    dataset: Hex | None = None,
    pair: Sequence[AgencyName] | None = None,
    basis: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Stop a dataset, a pair of agencies or a legal basis until a date.

    - ``until``: until when; ten years ahead at most;
    - ``decision``: the decision as published;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``dataset``: the dataset to stop;
    - ``pair``: the two agencies between which nothing goes;
    - ``basis``: the basis to stop.
    """
    return act(
        "stop.order",
        "/stops",
        {
            "until": until,
            "decision": decision,
            "uid": uid,
            "dataset": dataset,
            "pair": pair,
            "basis": basis,
        },
        options,
    )


def get_stop(uid: Hex) -> Request[Stop]:
    """Read one stop at the last settled block."""
    return get(Stop, "/stops/{uid}", uid=uid)


def get_stop_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one stop."""
    return list_page(LawEvent, "/stops/{uid}/history", {**paging}, uid=uid)


def change_basis_state(
    uid: Hex, *, state: str, reason: str, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Suspend, reinstate (``active``) or end (``revoked``) for good.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "basis.state", "/bases/{uid}/state", {"state": state, "reason": reason}, options, uid=uid
    )


def change_instrument_state(
    uid: Hex, *, state: str, reason: str, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Suspend, reinstate (``active``) or end (``revoked``) for good.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "instrument.state",
        "/instruments/{uid}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
    )


def lift_stop(uid: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Lift a stop before its end; only the supervisor who ordered it may."""
    return act("stop.lift", "/stops/{uid}/lift", {}, options, uid=uid)
