"""Legal bases, cross-border instruments and supervisors' stops as REST shows them."""

from typing import Any

from pydantic import Field

from api.reading.facts import (
    Facts,
    get_word,
    read_number,
    view_digest,
    view_moment,
    view_party,
    view_time,
)
from api.reading.models import (
    EXAMPLE_OTHER_PARTY,
    EXAMPLE_PARTY,
    LawRecord,
    Party,
    view_agency,
    view_common,
)
from api.rest.values import EXAMPLE_HASH, EXAMPLE_TIME, EXAMPLE_UID, JsonObject, Model, Time, Uid
from api.rest.views import view_state
from api.rest.words import BasisKind, InstrumentKind, SensitivityLevel, StopKind


class Scope(Model):
    """What a legal basis covers for certain parties."""

    provider: Party | None = Field(description="Null for any.", examples=[EXAMPLE_OTHER_PARTY])
    recipient: Party | None = Field(description="Null for any.", examples=[EXAMPLE_PARTY])
    dataset: Uid = Field(description="The dataset.", examples=[EXAMPLE_UID])
    purpose: Uid = Field(description="The purpose.", examples=[EXAMPLE_UID])
    fields: list[str] | None = Field(
        description="Pointers; null where this node lacks the dataset's text.",
        examples=[["/income_band"]],
    )
    field_mask: str = Field(description="The same as the ledger's word.", examples=["0x1"])


class Basis(LawRecord):
    """A legal basis: on which law data may be exchanged."""

    entered_by: Party = Field(description="Who entered it.", examples=["mo-privacy"])
    voted: bool = Field(description="True if the agencies resolved on it.", examples=[False])
    kind: BasisKind = Field(description="On what it rests.")
    law: JsonObject | None = Field(
        description="Law and article, where this node has the text.",
        examples=[{"law": "Law 8/2005", "article": "Article 6"}],
    )
    law_hash: Uid = Field(description="Hash of this text.", examples=[EXAMPLE_HASH])
    sensitivity: SensitivityLevel = Field(description="The highest that it covers.")
    from_jurisdiction: Party | None = Field(description="Null for any.", examples=["MO"])
    to_jurisdiction: Party | None = Field(description="Null for any.", examples=["CN-GD"])
    must_notify: bool = Field(description="Whether people must be told.", examples=[True])
    valid_from: Time | None = Field(description="First moment.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End; null for none.", examples=[None])
    scopes: list[Scope] = Field(description="What it covers.")


class Instrument(LawRecord):
    """An instrument under which data may leave a jurisdiction."""

    entered_by: Party = Field(description="The supervisor.", examples=["mo-privacy"])
    kind: InstrumentKind = Field(description="Contract, assessment or permit.")
    filing: Uid = Field(description="Commitment to the filing.", examples=[EXAMPLE_HASH])
    assessment_hash: Uid | None = Field(description="Hash of the assessment.", examples=[None])
    provider: Party = Field(description="Whose data leave.", examples=[EXAMPLE_OTHER_PARTY])
    recipient: Party = Field(description="Who receives them.", examples=[EXAMPLE_PARTY])
    dataset: Uid = Field(description="The dataset.", examples=[EXAMPLE_UID])
    onward_allowed: bool = Field(description="Whether they may go further.", examples=[False])
    valid_from: Time | None = Field(description="First moment.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End; null for none.", examples=[None])


class Stop(LawRecord):
    """A supervisor's stop of a dataset, a pair of agencies or a legal basis."""

    entered_by: Party = Field(description="The supervisor.", examples=["mo-privacy"])
    kind: StopKind = Field(description="What is stopped.")
    subject: Uid = Field(description="Which.", examples=[EXAMPLE_UID])
    until: Time = Field(description="When it ends by itself.", examples=[EXAMPLE_TIME])
    decision: JsonObject | None = Field(
        description="The decision, where this node has the text.", examples=[None]
    )
    decision_hash: Uid = Field(description="Hash of the decision.", examples=[EXAMPLE_HASH])


def view_basis(facts: Facts) -> Basis:
    """Return a legal basis."""
    terms = facts.terms["terms"]
    return Basis(
        **view_common(facts, view_state(facts.row.state)),
        entered_by=view_agency(facts.row.agency),
        voted=facts.terms["is_voted"],
        kind=get_word(BasisKind, terms["kind"]),
        law=facts.around.find_body(terms["law_hash"]),
        law_hash=terms["law_hash"],
        sensitivity=get_word(SensitivityLevel, terms["sensitivity"]),
        from_jurisdiction=view_party(terms["from_jurisdiction"]),
        to_jurisdiction=view_party(terms["to_jurisdiction"]),
        must_notify=terms["must_notify"],
        valid_from=view_moment(terms["valid_from"]),
        valid_until=view_moment(terms["valid_until"]),
        scopes=[_view_scope(facts, scope) for scope in facts.terms["scopes"]],
    )


def view_instrument(facts: Facts) -> Instrument:
    """Return a cross-border instrument."""
    terms = facts.terms["terms"]
    return Instrument(
        **view_common(facts, view_state(facts.row.state)),
        entered_by=view_agency(facts.row.agency),
        kind=get_word(InstrumentKind, terms["kind"]),
        filing=terms["filing"],
        assessment_hash=view_digest(terms["assessment_hash"]),
        provider=view_party(terms["provider"]) or "",
        recipient=view_party(terms["recipient"]) or "",
        dataset=terms["dataset"],
        onward_allowed=terms["is_onward_allowed"],
        valid_from=view_moment(terms["valid_from"]),
        valid_until=view_moment(terms["valid_until"]),
    )


def view_stop(facts: Facts) -> Stop:
    """Return a stop; `revoked` where it was lifted."""
    terms = facts.terms
    return Stop(
        **view_common(facts, view_state(facts.row.state)),
        entered_by=view_agency(facts.row.agency),
        kind=get_word(StopKind, terms["kind"]),
        subject=terms["subject"],
        until=view_time(terms["until"]),
        decision=facts.around.find_body(terms["decision_hash"]),
        decision_hash=terms["decision_hash"],
    )


def _view_scope(facts: Facts, scope: dict[str, Any]) -> Scope:
    mask = read_number(scope["fields"])
    return Scope(
        provider=view_party(scope["provider"]),
        recipient=view_party(scope["recipient"]),
        dataset=scope["dataset"],
        purpose=scope["purpose"],
        fields=facts.around.name_fields(scope["dataset"], mask),
        field_mask=hex(mask),
    )
