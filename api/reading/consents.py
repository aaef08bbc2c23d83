"""Consents and the keys bound for them, as REST shows them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from api.reading.facts import (
    Facts,
    get_word,
    read_number,
    view_digest,
    view_moment,
    view_party,
    view_word,
)
from api.reading.models import (
    EXAMPLE_OTHER_PARTY,
    EXAMPLE_PARTY,
    LawRecord,
    Party,
    view_agency,
    view_common,
)
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_COMMITMENT,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    AddressText,
    Model,
    Time,
    Uid,
)
from api.rest.views import view_state
from api.rest.words import AssuranceLevel, ChannelWord, ConsentType, WithdrawalOutcome

CONFIRMATIONS = ("not_demanded", "demanded", "confirmed")
"""Whether the provider asked for a confirmation of what the beneficiary recorded."""


class Origin(Model):
    """How a consent was given."""

    given_by: str = Field(
        description="`resident`: signed by a key made for it; `agency`: recorded by an agency.",
        examples=["resident"],
    )
    holder: AddressText | None = Field(
        description="The resident's key, used for this consent only.", examples=[EXAMPLE_ADDRESS]
    )
    agency: Party | None = Field(
        description="Who bound the key, or recorded the consent.", examples=[EXAMPLE_PARTY]
    )
    channel: ChannelWord | None = Field(description="Where it was recorded.", examples=[None])
    assurance: AssuranceLevel | None = Field(description="How sure of whom.", examples=[None])
    clerk: Uid | None = Field(description="Commitment to the clerk.", examples=[None])
    form: Uid | None = Field(description="Commitment to the form.", examples=[None])
    by_beneficiary: bool = Field(description="True if its recipient recorded it.", examples=[False])


class Answered(Model):
    """What one recipient did after a withdrawal."""

    recipient: Party = Field(description="Who answers.", examples=[EXAMPLE_PARTY])
    due: Time = Field(description="Until when.", examples=[EXAMPLE_TIME])
    outcome: WithdrawalOutcome | None = Field(
        description="What was done; null while open.", examples=["deleted"]
    )
    late: bool = Field(description="Answered after it was due.", examples=[False])
    overdue: bool = Field(description="Not answered although due.", examples=[False])
    basis: Uid | None = Field(description="Basis of a retention.", examples=[None])
    until: Time | None = Field(description="End of a retention.", examples=[None])


class Withdrawn(Model):
    """A withdrawal and its consequences."""

    declared: Time = Field(description="It binds from here.", examples=[EXAMPLE_TIME])
    agency: Party | None = Field(
        description="Who took it; null if the resident signed it.", examples=[None]
    )
    releases_to_remedy: int = Field(
        ge=0, description="Releases between its declaration and its block.", examples=[0]
    )
    answers: list[Answered] = Field(description="One for each recipient.")


class Standing(Model):
    """How a consent stands at the last final block."""

    confirmation: str = Field(
        description="`not_demanded`, `demanded` or `confirmed`.", examples=["not_demanded"]
    )
    reserved: int = Field(ge=0, description="Uses promised to approved exchanges.", examples=[0])
    used: int = Field(ge=0, description="Uses made.", examples=[1])
    withdrawal: Withdrawn | None = Field(description="Its withdrawal.", examples=[None])


class Consent(LawRecord):
    """A consent."""

    provider: Party = Field(description="Who may give the data.", examples=[EXAMPLE_OTHER_PARTY])
    recipient: Party = Field(description="Who may receive them.", examples=[EXAMPLE_PARTY])
    dataset: Uid = Field(description="The dataset.", examples=[EXAMPLE_UID])
    fields: list[str] | None = Field(
        description="Pointers; null where this node lacks the dataset's text.",
        examples=[["/income_band"]],
    )
    field_mask: str = Field(description="The same as the ledger's word.", examples=["0x1"])
    purpose: Uid = Field(description="The purpose.", examples=[EXAMPLE_UID])
    kind: ConsentType = Field(description="What it is for.")
    notice: Uid = Field(description="The notice shown.", examples=[EXAMPLE_UID])
    notice_version: int | None = Field(description="Its version.", examples=[1])
    valid_from: Time | None = Field(description="First moment.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End; null for none.", examples=[None])
    quota: int | None = Field(description="Number of uses; null for any.", examples=[1])
    response_s: int = Field(ge=0, description="Seconds to answer a withdrawal.", examples=[864000])
    subject: Uid = Field(description="Subject commitment.", examples=[EXAMPLE_COMMITMENT])
    record: Uid = Field(
        description="Commitment to the full ISO/IEC TS 27560 record.",
        examples=[EXAMPLE_COMMITMENT],
    )
    mandate: Uid | None = Field(description="The mandate of who gave it.", examples=[None])
    origin: Origin = Field(description="How it was given.")
    standing: Standing | None = Field(
        description="How it stands now; null in lists.", examples=[None]
    )


class KeyBinding(LawRecord):
    """A resident's fresh key, bound to its holder by an agency."""

    holder: AddressText = Field(description="The key's address.", examples=[EXAMPLE_ADDRESS])
    agency: Party = Field(description="Who bound it.", examples=[EXAMPLE_PARTY])
    commitment: Uid = Field(description="To the person.", examples=[EXAMPLE_COMMITMENT])
    valid_until: Time | None = Field(description="End.", examples=[EXAMPLE_TIME])


def view_consent(facts: Facts) -> Consent:
    """Return a consent."""
    terms, mask = facts.terms["terms"], read_number(facts.terms["terms"]["fields"])
    notice = facts.around.notices.get(bytes.fromhex(terms["notice"][2:]))
    return Consent(
        **view_common(facts, view_state(facts.row.state)),
        provider=view_agency(facts.row.agency),
        recipient=view_agency(facts.row.counterparty),
        dataset=terms["dataset"],
        fields=facts.around.name_fields(terms["dataset"], mask),
        field_mask=hex(mask),
        purpose=terms["purpose"],
        kind=get_word(ConsentType, terms["kind"]),
        notice=terms["notice"],
        notice_version=notice,
        valid_from=view_moment(terms["valid_from"]),
        valid_until=view_moment(terms["valid_until"]),
        quota=read_number(terms["quota"]) or None,
        response_s=read_number(terms["response_s"]),
        subject=terms["subject"],
        record=terms["record"],
        mandate=view_digest(facts.terms.get("mandate")),
        origin=_view_origin(facts.terms["origin"]),
        standing=None if facts.live is None else _view_standing(facts.live),
    )


def view_key_binding(facts: Facts) -> KeyBinding:
    """Return a key binding."""
    return KeyBinding(
        **view_common(facts, view_state(facts.row.state)),
        holder=facts.terms["holder"],
        agency=view_agency(facts.row.agency),
        commitment=facts.terms["commitment"],
        valid_until=view_moment(facts.terms["valid_until"]),
    )


def _view_origin(origin: Mapping[str, Any]) -> Origin:
    holder = view_digest(origin["holder"])
    return Origin(
        given_by="agency" if holder is None else "resident",
        holder=holder,
        agency=view_party(origin["agency"]),
        channel=view_word(ChannelWord, origin["channel"]),
        assurance=view_word(AssuranceLevel, origin["assurance"]),
        clerk=view_digest(origin["clerk"]),
        form=view_digest(origin["form"]),
        by_beneficiary=origin["is_by_beneficiary"],
    )


def _view_standing(live: Mapping[str, Any]) -> Standing:
    consent, withdrawal = live["consent"], live["withdrawal"]
    declared = view_moment(withdrawal["declared_at"])
    return Standing(
        confirmation=CONFIRMATIONS[consent["confirmation"]],
        reserved=consent["reserved"],
        used=consent["used"],
        withdrawal=None
        if declared is None
        else Withdrawn(
            declared=declared,
            agency=view_party(withdrawal["agency"]),
            releases_to_remedy=withdrawal["remedies"],
            answers=[_view_answer(entry, withdrawal) for entry in live["answers"]],
        ),
    )


def _view_answer(entry: Mapping[str, Any], withdrawal: Mapping[str, Any]) -> Answered:
    declaration = entry["declaration"]
    due = view_moment(declaration.get("due")) or view_moment(withdrawal["due"])
    assert due is not None, "a withdrawal has a due time"
    return Answered(
        recipient=view_party(entry["recipient"]) or "",
        due=due,
        outcome=view_word(WithdrawalOutcome, declaration["outcome"]),
        late=declaration["is_late"],
        overdue=entry["is_overdue"],
        basis=view_digest(declaration["basis"]),
        until=view_moment(declaration["until"]),
    )
