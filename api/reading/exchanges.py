"""Exchanges and their periods as REST shows them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from api.reading.facts import (
    Facts,
    get_word,
    read_number,
    view_digest,
    view_moment,
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
from api.rest.values import EXAMPLE_COMMITMENT, EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid
from api.rest.words import BasisKind, ChannelWord, ExchangeMode, ExchangeStatus, find_word

PERIOD_STATES = ("begun", "agreed", "mismatched")


class Consents(Model):
    """The consents that a request rests on."""

    general: Uid | None = Field(description="General.", examples=[EXAMPLE_UID])
    sensitive: Uid | None = Field(description="For sensitive data.", examples=[None])
    cross_border: Uid | None = Field(description="For data that leave.", examples=[None])


class Progress(Model):
    """How an exchange stands at the last final block."""

    decided_by: Uid | None = Field(
        description="Commitment to the data officer.", examples=[EXAMPLE_COMMITMENT]
    )
    response: Uid | None = Field(
        description="Commitment to what was released.", examples=[EXAMPLE_COMMITMENT]
    )
    received: Uid | None = Field(
        description="Commitment to what arrived.", examples=[EXAMPLE_COMMITMENT]
    )
    equal: bool | None = Field(
        description="Whether both are the same; null before.", examples=[True]
    )
    deliveries: int = Field(ge=0, description="Number of releases.", examples=[1])


class Exchange(LawRecord):
    """An exchange: who asked whom for what, when, why and on which basis."""

    requester: Party = Field(description="Who asks.", examples=[EXAMPLE_PARTY])
    provider: Party = Field(description="Who is asked.", examples=[EXAMPLE_OTHER_PARTY])
    dataset: Uid = Field(description="The dataset.", examples=[EXAMPLE_UID])
    dataset_version: int = Field(ge=1, description="Its version.", examples=[1])
    fields: list[str] | None = Field(
        description="Pointers; null where this node lacks the dataset's text.",
        examples=[["/income_band"]],
    )
    field_mask: str = Field(description="The same as the ledger's word.", examples=["0x1"])
    purpose: Uid = Field(description="The purpose.", examples=[EXAMPLE_UID])
    basis: Uid = Field(description="The legal basis.", examples=[EXAMPLE_UID])
    basis_kind: BasisKind | None = Field(description="On what the basis rests.")
    instrument: Uid | None = Field(description="Cross-border instrument.", examples=[None])
    consents: Consents = Field(description="The consents it rests on.")
    mandate: Uid | None = Field(description="Of whoever it is made for.", examples=[None])
    onward_of: Uid | None = Field(
        description="The exchange by which the data came to the provider.", examples=[None]
    )
    mode: ExchangeMode = Field(description="`once`, `standing` or `bulk`.")
    channel: ChannelWord | None = Field(description="Where the case came in.")
    case_commitment: Uid | None = Field(
        description="Commitment to the case.", examples=[EXAMPLE_COMMITMENT]
    )
    officer: Uid | None = Field(
        description="Commitment to the officer who asks.", examples=[EXAMPLE_COMMITMENT]
    )
    request_commitment: Uid = Field(
        description="Commitment to the request.", examples=[EXAMPLE_COMMITMENT]
    )
    due: Time | None = Field(description="When the decision is due.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End of a standing one.", examples=[None])
    retention_until: Time | None = Field(
        description="When what was received is deleted.", examples=[EXAMPLE_TIME]
    )
    progress: Progress | None = Field(
        description="How it stands now; null in lists.", examples=[None]
    )


class Side(Model):
    """One side's statement on a period."""

    count: int = Field(ge=0, description="Number of records.", examples=[50_000])
    root: Uid | None = Field(
        description="RFC 6962 root; null if there were none.", examples=[EXAMPLE_COMMITMENT]
    )


class Period(LawRecord):
    """A period of a standing or bulk exchange."""

    exchange: Uid = Field(description="The exchange.", examples=[EXAMPLE_UID])
    period: int = Field(ge=0, description="Its number.", examples=[202611])
    requester: Party = Field(description="Who receives.", examples=[EXAMPLE_PARTY])
    provider: Party = Field(description="Who delivers.", examples=[EXAMPLE_OTHER_PARTY])
    begun: Time | None = Field(description="When it began.", examples=[EXAMPLE_TIME])
    stated_by_provider: Side | None = Field(description="Null before; and in lists.")
    stated_by_requester: Side | None = Field(description="Null before; and in lists.")
    named_leaves: int | None = Field(description="Leaves named; null in lists.", examples=[0])


def view_exchange(facts: Facts) -> Exchange:
    """Return an exchange."""
    asked, links = facts.terms["request"], facts.terms.get("links", {})
    mask = read_number(asked["fields"])
    status = find_word(ExchangeStatus, facts.row.state)
    return Exchange(
        **view_common(facts, "unknown" if status is None else status.value),
        requester=view_agency(facts.row.agency),
        provider=view_agency(facts.row.counterparty),
        dataset=asked["dataset"],
        dataset_version=facts.terms["dataset_version"],
        fields=facts.around.name_fields(asked["dataset"], mask),
        field_mask=hex(mask),
        purpose=asked["purpose"],
        basis=asked["basis"],
        basis_kind=view_word(BasisKind, facts.terms["basis_kind"]),
        instrument=view_digest(asked["instrument"]),
        consents=Consents(
            general=view_digest(asked["consent"]),
            sensitive=view_digest(asked["sensitive_consent"]),
            cross_border=view_digest(asked["cross_border_consent"]),
        ),
        mandate=view_digest(links.get("mandate")),
        onward_of=view_digest(links.get("onward_of")),
        mode=get_word(ExchangeMode, asked["mode"]),
        channel=view_word(ChannelWord, asked["channel"]),
        case_commitment=view_digest(asked["case_commitment"]),
        officer=view_digest(asked["officer"]),
        request_commitment=asked["request_commitment"],
        due=view_moment(asked["due"]),
        valid_until=view_moment(asked["valid_until"]),
        retention_until=view_moment(asked["retention_until"]),
        progress=None if facts.live is None else _view_progress(facts.live["exchange"]),
    )


def view_period(facts: Facts) -> Period:
    """Return a period."""
    live = None if facts.live is None else facts.live["period_of"]
    return Period(
        **view_common(facts, PERIOD_STATES[facts.row.state - 1]),
        exchange=facts.terms["uid"],
        period=read_number(facts.terms["period"]),
        requester=view_agency(facts.row.agency),
        provider=view_agency(facts.row.counterparty),
        begun=None if live is None else view_moment(live["begun_at"]),
        stated_by_provider=_view_side(live, "provider"),
        stated_by_requester=_view_side(live, "requester"),
        named_leaves=None if live is None else live["named_leaves"],
    )


def _view_progress(live: Mapping[str, Any]) -> Progress:
    response, received = view_digest(live["response"]), view_digest(live["received"])
    return Progress(
        decided_by=view_digest(live["decided_by"]),
        response=response,
        received=received,
        equal=None if received is None else received == response,
        deliveries=live["deliveries"],
    )


def _view_side(live: Mapping[str, Any] | None, side: str) -> Side | None:
    """Return a statement; the contract keeps its count one higher, and zero before there is one."""
    stored = 0 if live is None else read_number(live[f"{side}_count"])
    if live is None or stored == 0:
        return None
    return Side(count=stored - 1, root=view_digest(live[f"{side}_root"]))
