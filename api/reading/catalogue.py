"""Datasets, notices and purposes as REST shows them."""

from pydantic import Field

from api.acts.catalogue import FieldItem
from api.reading.facts import Facts, get_word, view_digest
from api.reading.models import EXAMPLE_OTHER_PARTY, LawRecord, Party, view_agency, view_common
from api.rest.values import EXAMPLE_HASH, JsonObject, Uid
from api.rest.views import view_state
from api.rest.words import SensitivityLevel, SharingClass


class Dataset(LawRecord):
    """A dataset of the catalogue."""

    owner: Party = Field(description="Whose data these are.", examples=[EXAMPLE_OTHER_PARTY])
    title: str | None = Field(
        description="Name for people; null where this node lacks the text.",
        examples=["Income bands"],
    )
    sharing: SharingClass = Field(description="Under which conditions it is released.")
    sensitivity: SensitivityLevel = Field(description="How much harm its fields can do.")
    fields: list[FieldItem] | None = Field(
        description="The ordered fields; null where this node lacks the text.",
        examples=[[{"pointer": "/income_band", "title": "Income band"}]],
    )
    field_count: int = Field(ge=0, description="Number of fields.", examples=[1])
    fields_hash: Uid = Field(description="Hash of the text of fields.", examples=[EXAMPLE_HASH])
    conditions: JsonObject | None = Field(
        description="Its conditions, where this node has the text.", examples=[None]
    )
    conditions_hash: Uid | None = Field(description="Hash of this text.", examples=[None])
    legal_reference: JsonObject | None = Field(
        description="The law it names, where this node has the text.", examples=[None]
    )
    legal_reference_hash: Uid | None = Field(description="Hash of this text.", examples=[None])
    version: int = Field(ge=1, description="Version, from 1.", examples=[1])


class Notice(LawRecord):
    """A notice: what residents are shown before they consent."""

    owner: Party = Field(description="Who published it.", examples=[EXAMPLE_OTHER_PARTY])
    language: str = Field(description="BCP 47 tag.", examples=["zh-Hant"])
    title: str | None = Field(description="Name for people.", examples=["Housing subsidy"])
    text: str | None = Field(
        description="The notice; null where this node lacks the text.", examples=["We ask …"]
    )
    document_hash: Uid = Field(description="Hash of the text.", examples=[EXAMPLE_HASH])
    version: int = Field(ge=1, description="Version, from 1.", examples=[1])


class Purpose(LawRecord):
    """A purpose: what data may be used for."""

    owner: Party = Field(description="Who published it.", examples=[EXAMPLE_OTHER_PARTY])
    code: str | None = Field(description="Code for programs.", examples=["housing-subsidy"])
    title: str | None = Field(description="Name for people.", examples=["Housing subsidy"])
    description: str | None = Field(description="What it covers.", examples=["One decision."])
    dpv: str | None = Field(
        description="Its term in W3C's Data Privacy Vocabulary.", examples=[None]
    )
    document_hash: Uid = Field(description="Hash of the text.", examples=[EXAMPLE_HASH])
    version: int = Field(ge=1, description="Version, from 1.", examples=[1])


def view_dataset(facts: Facts) -> Dataset:
    """Return a dataset."""
    terms = facts.terms["terms"]
    text = facts.around.find_body(terms["fields_hash"])
    return Dataset(
        **view_common(facts, view_state(facts.row.state)),
        owner=view_agency(facts.row.agency),
        title=None if text is None else text["title"],
        sharing=get_word(SharingClass, terms["sharing"]),
        sensitivity=get_word(SensitivityLevel, terms["sensitivity"]),
        fields=None if text is None else [FieldItem(**entry) for entry in text["fields"]],
        field_count=terms["field_count"],
        fields_hash=terms["fields_hash"],
        conditions=facts.around.find_body(terms["conditions_hash"]),
        conditions_hash=view_digest(terms["conditions_hash"]),
        legal_reference=facts.around.find_body(terms["legal_reference"]),
        legal_reference_hash=view_digest(terms["legal_reference"]),
        version=facts.row.place,
    )


def view_notice(facts: Facts) -> Notice:
    """Return a notice."""
    body = facts.around.find_body(facts.terms["document_hash"]) or {}
    return Notice(
        **view_common(facts, view_state(facts.row.state)),
        owner=view_agency(facts.row.agency),
        language=bytes.fromhex(facts.terms["language"][2:])
        .rstrip(b"\0")
        .decode("ascii", "replace"),
        title=body.get("title"),
        text=body.get("text"),
        document_hash=facts.terms["document_hash"],
        version=facts.row.place,
    )


def view_purpose(facts: Facts) -> Purpose:
    """Return a purpose."""
    body = facts.around.find_body(facts.terms["document_hash"]) or {}
    return Purpose(
        **view_common(facts, view_state(facts.row.state)),
        owner=view_agency(facts.row.agency),
        code=body.get("code"),
        title=body.get("title"),
        description=body.get("description"),
        dpv=body.get("dpv"),
        document_hash=facts.terms["document_hash"],
        version=facts.row.place,
    )
