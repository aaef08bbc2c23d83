"""Mandates: offices, powers and guardianships; bodies and their boards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import (
    Accepted,
    Body,
    LawEvent,
    Mandate,
    MandateCheck,
    Page,
    read_answer,
)
from atesta_client.requests.encoding import Hex, JsonObject, encode_query
from atesta_client.requests.parts import BodyReference, MandateItem, OfficeItem
from atesta_client.requests.request import (
    Acting,
    Filters,
    Paging,
    Request,
    act,
    build_path,
    get,
    list_page,
)


def list_mandates(
    *,
    body: Hex | None = None,
    parent: Hex | None = None,
    kind: str | None = None,
    **filters: Unpack[Filters],
) -> Request[Page[Mandate]]:
    """List mandates, newest first.

    - ``body``: only mandates of this body;
    - ``parent``: only what was handed on from this mandate;
    - ``kind``: only this kind.
    """
    return list_page(
        Mandate, "/mandates", {"body": body, "parent": parent, "kind": kind, **filters}
    )


def record_mandate(
    *, mandates: Sequence[MandateItem], **options: Unpack[Acting]
) -> Request[Accepted]:
    """Record mandates: one, or up to eight at once, all or none.

    - ``mandates``: the mandates.
    """
    return act("mandate.record", "/mandates", {"mandates": mandates}, options)


def get_mandate(uid: Hex) -> Request[Mandate]:
    """Read one mandate at the last settled block."""
    return get(Mandate, "/mandates/{uid}", uid=uid)


def get_mandate_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one mandate."""
    return list_page(LawEvent, "/mandates/{uid}/history", {**paging}, uid=uid)


def check_mandate(
    uid: Hex, *, acts: Sequence[str], amount: int = 0, at: datetime | None = None
) -> Request[MandateCheck]:
    """Ask whether a mandate covers acts and an amount, now or on another date.

    - ``acts``: codes of the acts of the mandate's list;
    - ``amount``: in the list's unit;
    - ``at``: on which date; now when absent.
    """
    return Request(
        method="GET",
        path=build_path("/mandates/{uid}/check", {"uid": uid}),
        query=encode_query({"acts": acts, "amount": amount or None, "at": at}),
        read=lambda data: read_answer(MandateCheck, data),
    )


def list_bodies(**filters: Unpack[Filters]) -> Request[Page[Body]]:
    """List bodies, newest first."""
    return list_page(Body, "/bodies", {**filters})


def get_body(uid: Hex) -> Request[Body]:
    """Read one body at the last settled block."""
    return get(Body, "/bodies/{uid}", uid=uid)


def get_body_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one body."""
    return list_page(LawEvent, "/bodies/{uid}/history", {**paging}, uid=uid)


def end_mandate(uid: Hex, *, reason: str, **options: Unpack[Acting]) -> Request[Accepted]:
    """End a mandate at once; only the agency that recorded it may.

    - ``reason``: neutral reason code.
    """
    return act("mandate.end", "/mandates/{uid}/end", {"reason": reason}, options, uid=uid)


def succeed_board(
    *,
    body: BodyReference,
    effective: datetime,
    resolution: JsonObject,
    offices: Sequence[OfficeItem],
    uid: Hex | None = None,
    ended: Sequence[Hex] = (),
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """End all offices of a body's board and install the next board, in one step.

    - ``body``: the association or company;
    - ``effective``: from when the new board is in office;
    - ``resolution``: the record of the election; it stays in the vault;
    - ``offices``: the offices of the new board;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``ended``: powers that end with the old board, at once.
    """
    return act(
        "board.succeed",
        "/mandates/successions",
        {
            "body": body,
            "effective": effective,
            "resolution": resolution,
            "offices": offices,
            "uid": uid,
            "ended": ended,
        },
        options,
    )
