"""Posts of the agencies as REST shows them: who holds them, by commitment, and since when."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from api.reading.facts import Facts, view_digest, view_moment
from api.reading.models import EXAMPLE_PARTY, LawRecord, Party, view_agency, view_common
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_COMMITMENT,
    EXAMPLE_TIME,
    AddressText,
    JsonObject,
    Model,
    Time,
    Uid,
)
from api.rest.views import view_state


class Term(Model):
    """One officer's time in one seat of a post."""

    seat: int = Field(ge=0, description="0 holds the post, 1 to 4 are deputies.", examples=[0])
    officer: Uid = Field(description="Commitment to the officer.", examples=[EXAMPLE_COMMITMENT])
    valid_from: Time | None = Field(description="First moment.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End; null for none.", examples=[None])
    resolution: Uid | None = Field(
        description="Commitment to the resolution.", examples=[EXAMPLE_COMMITMENT]
    )


class Post(LawRecord):
    """A post of an agency."""

    agency: Party = Field(description="Whose post.", examples=[EXAMPLE_PARTY])
    duties: JsonObject | None = Field(
        description="What it is for, where this node has the text.", examples=[None]
    )
    duties_hash: Uid = Field(description="Hash of this text.", examples=[EXAMPLE_COMMITMENT])
    terms: list[Term] | None = Field(
        description="Every officer there was, by seat; null in lists.", examples=[None]
    )
    keys: list[AddressText] | None = Field(
        description="Keys that the post holds; null in lists.", examples=[[EXAMPLE_ADDRESS]]
    )


def view_post(facts: Facts) -> Post:
    """Return a post."""
    live = facts.live
    return Post(
        **view_common(facts, view_state(facts.row.state)),
        agency=view_agency(facts.row.agency),
        duties=facts.around.find_body(facts.terms["duties_hash"]),
        duties_hash=facts.terms["duties_hash"],
        terms=None if live is None else [_view_term(term) for term in live["terms"]],
        keys=None if live is None else list(live["keys"]),
    )


def _view_term(term: Mapping[str, Any]) -> Term:
    return Term(
        seat=term["seat"],
        officer=term["commitment"],
        valid_from=view_moment(term["valid_from"]),
        valid_until=view_moment(term["valid_until"]),
        resolution=view_digest(term["resolution"]),
    )
