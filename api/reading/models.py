"""What the records of every kind have in common, and the pages they come in."""

import json
from typing import Annotated, Any

from pydantic import Field, StringConstraints, WithJsonSchema
from sqlalchemy import Row

from api.index.tables import LOGS_PER_BLOCK
from api.reading.facts import Facts, view_party
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

Party = Annotated[
    str,
    StringConstraints(max_length=66),
    WithJsonSchema({"type": "string", "maxLength": 66}),
]
"""An agency or a jurisdiction: the label in its 32 bytes, else these in hexadecimal."""

EXAMPLE_PARTY = "mo-housing"
EXAMPLE_OTHER_PARTY = "mo-tax"


class LawRecord(Model):
    """A record of the ledger's law."""

    uid: Uid = Field(description="The record.", examples=[EXAMPLE_UID])
    state: str = Field(description="Its state.", examples=["active"])
    reason: Reason | None = Field(description="Why the state changed.", examples=[None])
    event_time: Time | None = Field(
        description="When it was captured, signed by its author.", examples=[EXAMPLE_TIME]
    )
    late: bool = Field(
        description="True if it was posted later than its profile allows.", examples=[False]
    )
    previous: Uid | None = Field(description="The record that it supersedes.", examples=[None])
    superseded_by: Uid | None = Field(description="The record in its place.", examples=[None])
    key: AddressText | None = Field(description="The key that signed.", examples=[EXAMPLE_ADDRESS])
    block: int = Field(ge=0, description="Block of the record.", examples=[1200])
    block_time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    changed_block: int = Field(ge=0, description="Block of its last change.", examples=[1200])
    read_at_block: int = Field(
        ge=0, description="Last final block when this was read.", examples=[1201]
    )


def view_common(facts: Facts, state: str) -> dict[str, Any]:
    """Return the members of `LawRecord`."""
    row = facts.row
    return {
        "uid": facts.uid,
        "state": state,
        "reason": view_reason(row.reason),
        "event_time": None if row.event_time_s is None else parse_time(row.event_time_s),
        "late": bool(row.is_late),
        "previous": view_uid(row.previous),
        "superseded_by": view_uid(row.successor),
        "key": view_uid(row.key),
        "block": row.block,
        "block_time": parse_time(row.time_s),
        "changed_block": row.changed // LOGS_PER_BLOCK,
        "read_at_block": facts.read_at_block,
    }


class LawEvent(Model):
    """Something that happened to a record."""

    kind: str = Field(description="What, such as `consent.withdrawn`.", examples=["consent.given"])
    uid: Uid = Field(description="The record concerned.", examples=[EXAMPLE_UID])
    agency: Party = Field(description="Whose record, or who did it.", examples=[EXAMPLE_PARTY])
    related: Uid | None = Field(description="Another record concerned.", examples=[None])
    place: int | None = Field(description="Period, leaf, board or outcome.", examples=[None])
    state: int | None = Field(description="The state's number on the chain.", examples=[1])
    reason: Reason | None = Field(description="Neutral reason code.", examples=[None])
    event_time: Time | None = Field(description="When it was captured.", examples=[EXAMPLE_TIME])
    key: AddressText | None = Field(description="The key that signed.", examples=[EXAMPLE_ADDRESS])
    block: int = Field(ge=0, description="Block.", examples=[1200])
    block_time: Time = Field(description="Time of the block.", examples=[EXAMPLE_TIME])
    transaction: Uid = Field(description="Transaction.", examples=[EXAMPLE_HASH])
    details: JsonObject | None = Field(
        description="All that the event says, by the names of the contract's interface.",
        examples=[{"uid": EXAMPLE_UID, "state": 1}],
    )
    cursor: str = Field(description="Continue after this event.", examples=["AAAAAAAAAAE"])


class LawHistory(Model):
    """What happened to a record, oldest first."""

    items: list[LawEvent] = Field(description="The events.")
    next: str | None = Field(description="Cursor of the next page.", examples=[None])
    indexed_block: int = Field(description="Block that this rests on.", examples=[1201])


def view_agency(value: bytes) -> str:
    """Return an agency that is there."""
    return view_party(value) or encode_hex(bytes(value))


def view_law_event(row: Row[Any]) -> LawEvent:
    """Return an event of the index."""
    return LawEvent(
        kind=row.kind,
        uid=encode_hex(bytes(row.uid)),
        agency=view_agency(row.agency),
        related=view_uid(row.related),
        place=row.place,
        state=row.state,
        reason=view_reason(row.reason),
        event_time=None if row.event_time_s is None else parse_time(row.event_time_s),
        key=view_uid(row.key),
        block=row.position // LOGS_PER_BLOCK,
        block_time=parse_time(row.time_s),
        transaction=encode_hex(bytes(row.transaction_hash)),
        details=None if row.details is None else json.loads(row.details),
        cursor=encode_cursor(row.position) or "",
    )
