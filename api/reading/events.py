"""Events as REST tells them: in lists, streams, webhooks and histories of records.

An event says what happened to which record, in which state that left it, who signed and who handed
it in. The two differ where a resident signed with a key of their own, or where a key device signed
and another account carried it. Whose a key is, the registry knows; a key of no agency is a
resident's.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field
from sqlalchemy import Row

from api.index.registry_memory import RegistryMemory
from api.index.tables import LOGS_PER_BLOCK
from api.reading.event_words import LATE_VERB, name_details
from api.reading.facts import view_party
from api.reading.models import EXAMPLE_OTHER_PARTY, EXAMPLE_PARTY, Party, view_agency
from api.reading.states import name_state
from api.rest.cursors import encode_cursor
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_HASH,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    AddressText,
    JsonObject,
    Model,
    Reason,
    Time,
    Uid,
    encode_hex,
    parse_time,
)
from api.rest.views import view_reason, view_uid

_ANSWERED = "consent.withdrawal_answered"
"""Its place in the index is the outcome, which the details say in a word."""


class ActorKind(StrEnum):
    """Whose key it is."""

    AGENCY = "agency"
    RESIDENT = "resident"


class Actor(Model):
    """Who signed an act, or handed it in."""

    who: ActorKind = Field(
        description="`agency`, or `resident` for a person's own key.", examples=["resident"]
    )
    agency: Party | None = Field(description="Which; null for a resident.", examples=[None])
    key: AddressText = Field(description="The key.", examples=[EXAMPLE_ADDRESS])


_EXAMPLE_RESIDENT: dict[str, Any] = {"who": "resident", "agency": None, "key": EXAMPLE_ADDRESS}
_EXAMPLE_AGENCY: dict[str, Any] = {
    "who": "agency",
    "agency": EXAMPLE_OTHER_PARTY,
    "key": EXAMPLE_ADDRESS,
}


class LawEvent(Model):
    """Something that happened to a record."""

    kind: str = Field(
        description="What, such as `consent.withdrawn`.", examples=["consent.withdrawn"]
    )
    uid: Uid = Field(description="The record concerned.", examples=[EXAMPLE_UID])
    agency: Party = Field(
        description="Whose record it is, or which agency did it.", examples=[EXAMPLE_PARTY]
    )
    signed_by: Actor | None = Field(
        description="Who signed; null for what follows from another event, or from a vote.",
        examples=[_EXAMPLE_RESIDENT],
    )
    submitted_by: Actor | None = Field(
        description="Who handed it in, the signer if nobody else; null where there is no signer.",
        examples=[_EXAMPLE_AGENCY],
    )
    related: Uid | None = Field(description="Another record concerned.", examples=[None])
    place: int | None = Field(description="Period, leaf, board or seat.", examples=[None])
    state: str | None = Field(
        description="The record's state after it, in the words of its kind.", examples=["revoked"]
    )
    reason: Reason | None = Field(description="Neutral reason code.", examples=[None])
    event_time: Time | None = Field(description="When it was captured.", examples=[EXAMPLE_TIME])
    key: AddressText | None = Field(description="The key that signed.", examples=[EXAMPLE_ADDRESS])
    block: int = Field(ge=0, description="Block.", examples=[1200])
    block_time: Time = Field(description="Time of the block.", examples=[EXAMPLE_TIME])
    transaction: Uid = Field(description="Transaction.", examples=[EXAMPLE_HASH])
    details: JsonObject | None = Field(
        description=(
            "All that the event says, by the names of the contract's interface, numbers in words."
        ),
        examples=[{"uid": EXAMPLE_UID, "declared_at": EXAMPLE_TIME, "remedies": 0}],
    )
    cursor: str = Field(description="Continue after this event.", examples=["AAAAAAAAAAE"])


class LawHistory(Model):
    """What happened to a record, oldest first."""

    items: list[LawEvent] = Field(description="The events.")
    next: str | None = Field(description="Cursor of the next page.", examples=[None])
    indexed_block: int = Field(description="Block that this rests on.", examples=[1201])


async def view_law_events(rows: Sequence[Row[Any]], *, registry: RegistryMemory) -> list[LawEvent]:
    """Return events of the index; the registry is asked once for each key among them."""
    keys = {bytes(key) for row in rows for key in (row.key, row.submitter) if key is not None}
    actors: dict[bytes, Actor] = {}
    if keys:
        moment = await registry.get_moment()
        for key in keys:
            found = await registry.get_key(key, moment)
            actors[key] = Actor(
                who=ActorKind.RESIDENT if found is None else ActorKind.AGENCY,
                agency=None if found is None else view_party(found.agency),
                key=encode_hex(key),
            )
    return [_view(row, actors) for row in rows]


def tell_of_period(event: LawEvent, uid: str) -> LawEvent:
    """Return an event of an exchange's period as one of the period, whose uid is in hexadecimal."""
    state = None if event.details is None else event.details.get("state")
    return event.model_copy(update={"uid": uid, "state": state})


def _view(row: Row[Any], actors: Mapping[bytes, Actor]) -> LawEvent:
    record, _, verb = row.kind.partition(".")
    details = None if row.details is None else json.loads(row.details)
    signer = None if row.key is None else actors[bytes(row.key)]
    submitter = signer if row.submitter is None else actors[bytes(row.submitter)]
    if submitter is not None and submitter.who is ActorKind.RESIDENT:
        # A resident has no account; who handed it in is not known here.
        submitter = None
    return LawEvent(
        kind=row.kind,
        uid=encode_hex(bytes(row.uid)),
        agency=view_agency(row.agency),
        signed_by=signer,
        submitted_by=submitter,
        related=view_uid(row.related),
        place=None if row.kind == _ANSWERED else row.place,
        state=name_state(record, row.state_after),
        # Why an act is late is no reason of a state; the details tell it.
        reason=None if verb == LATE_VERB else view_reason(row.reason),
        event_time=None if row.event_time_s is None else parse_time(row.event_time_s),
        key=view_uid(row.key),
        block=row.position // LOGS_PER_BLOCK,
        block_time=parse_time(row.time_s),
        transaction=encode_hex(bytes(row.transaction_hash)),
        details=None if details is None else name_details(row.kind, details),
        cursor=encode_cursor(row.position) or "",
    )
