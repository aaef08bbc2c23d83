"""What the records of every kind have in common, and the pages they come in."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints, WithJsonSchema

from api.index.tables import LOGS_PER_BLOCK
from api.reading.facts import Facts, view_party
from api.rest.ledger_words import describe_ledger
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    AddressText,
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
    erased_here: Time | None = Field(
        default=None,
        description="When this agency's vault erased what it had of it; null if it did not.",
        examples=[None],
    )
    erased_reason: Reason | None = Field(
        default=None, description="Why it was erased there.", examples=[None]
    )
    read_at_block: int = Field(
        ge=0, description="Last final block when this was read.", examples=[1201]
    )
    ledger: str = describe_ledger()


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


def view_agency(value: bytes) -> str:
    """Return an agency that is there."""
    return view_party(value) or encode_hex(bytes(value))
