"""Mandates and the bodies whose boards succeed each other, as REST shows them."""

from pydantic import Field

from api.reading.facts import Facts, get_word, read_number, view_digest, view_moment
from api.reading.models import EXAMPLE_PARTY, LawRecord, Party, view_agency, view_common
from api.rest.values import EXAMPLE_COMMITMENT, EXAMPLE_TIME, EXAMPLE_UID, JsonObject, Time, Uid
from api.rest.views import view_state
from api.rest.words import MandateType


class Mandate(LawRecord):
    """A mandate: who may act for whom."""

    agency: Party = Field(description="Who recorded it.", examples=[EXAMPLE_PARTY])
    kind: MandateType = Field(description="Office, power or guardianship.")
    body: Uid | None = Field(description="Commitment to the body.", examples=[EXAMPLE_COMMITMENT])
    grantor: Uid = Field(description="Commitment.", examples=[EXAMPLE_COMMITMENT])
    grantee: Uid = Field(description="Commitment.", examples=[EXAMPLE_COMMITMENT])
    scope_mask: str = Field(description="One bit for each act of the list.", examples=["0x3"])
    scope_list: JsonObject | None = Field(
        description="The list of acts, where this node has the text.", examples=[None]
    )
    scope_list_hash: Uid = Field(description="Hash of the list.", examples=[EXAMPLE_COMMITMENT])
    limit: int | None = Field(description="Highest amount; null for any.", examples=[100_000])
    valid_from: Time | None = Field(description="First moment.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End; null for none.", examples=[None])
    ended: Time | None = Field(description="When its board went out of office.", examples=[None])
    board: int = Field(ge=0, description="Number of its body's board.", examples=[1])
    parent: Uid | None = Field(description="The mandate it was handed on from.", examples=[None])
    may_delegate: bool = Field(description="Whether it may be handed on.", examples=[False])
    record: Uid | None = Field(
        description="Commitment to the full record.", examples=[EXAMPLE_COMMITMENT]
    )


class Body(LawRecord):
    """A body, from its first succession on."""

    keeper: Party = Field(description="Agency that keeps it.", examples=[EXAMPLE_PARTY])
    board: int = Field(ge=0, description="Number of the board.", examples=[2])
    effective: Time | None = Field(description="In office since.", examples=[EXAMPLE_TIME])
    resolution: Uid | None = Field(
        description="Commitment to the resolution.", examples=[EXAMPLE_UID]
    )


def view_mandate(facts: Facts) -> Mandate:
    """Return a mandate."""
    terms = facts.terms["terms"]
    return Mandate(
        **view_common(facts, view_state(facts.row.state)),
        agency=view_agency(facts.row.agency),
        kind=get_word(MandateType, terms["kind"]),
        body=view_digest(terms["body"]),
        grantor=terms["grantor"],
        grantee=terms["grantee"],
        scope_mask=hex(read_number(terms["scope"])),
        scope_list=facts.around.find_body(terms["scope_list_hash"]),
        scope_list_hash=terms["scope_list_hash"],
        limit=read_number(terms["limit"]) or None,
        valid_from=view_moment(terms["valid_from"]),
        valid_until=view_moment(terms["valid_until"]),
        ended=view_moment(facts.row.ended_s),
        board=facts.row.place or 0,
        parent=view_digest(terms["parent"]),
        may_delegate=terms["may_delegate"],
        record=view_digest(terms["record"]),
    )


def view_body(facts: Facts) -> Body:
    """Return a body."""
    return Body(
        **view_common(facts, view_state(facts.row.state)),
        keeper=view_agency(facts.row.agency),
        board=facts.row.place,
        effective=view_moment(facts.row.valid_from_s),
        resolution=view_digest(facts.terms["resolution"]),
    )
