"""Requests and answers about erasing all that the vault has of one person."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from api.rest.faults import Contradiction
from api.rest.values import EXAMPLE_TIME, EXAMPLE_UID, JsonObject, Model, Reason, Time, Uid

_Reference = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class NamedCertificate(Model):
    """A certificate, by the fields that its schema names certificates by."""

    schema_uid: Uid = Field(description="The schema.", examples=[EXAMPLE_UID])
    document: JsonObject = Field(
        description="A document with these fields; others are not looked at.",
        examples=[{"certificate": "MO-1"}],
    )


class PersonNamed(Model):
    """What names a person here: give at least one."""

    reference: _Reference | None = Field(
        default=None,
        description="This agency's own reference of the person, with whichever other agency.",
        examples=["file-2026-0042"],
    )
    handles: Annotated[list[Uid], Field(max_length=100)] = Field(
        default_factory=list, description="Handles with other agencies.", examples=[[EXAMPLE_UID]]
    )
    certificates: Annotated[list[NamedCertificate], Field(max_length=100)] = Field(
        default_factory=list, description="Certificates that the person names.", examples=[[]]
    )
    records: Annotated[list[Uid], Field(max_length=1_000)] = Field(
        default_factory=list, description="Further records, by uid.", examples=[[]]
    )
    reason: Reason = Field(
        default=Reason.HOLDER_REQUEST, description="Neutral reason code.", examples=["error"]
    )

    @model_validator(mode="after")
    def _check_named(self) -> Self:
        if not (self.reference or self.handles or self.certificates or self.records):
            names = ("reference", "handles", "certificates", "records")
            raise Contradiction("nothing names the person: give at least one", *names)
        return self


class PersonErase(PersonNamed):
    """Erase everything of a person; what a law asks to keep is kept for storage only."""


class PersonRecord(Model):
    """One record of a person, and what becomes of it."""

    uid: Uid = Field(description="The record.", examples=[EXAMPLE_UID])
    kind: str = Field(
        description=(
            "What it is: its kind on the ledger, or `credential`, `matching_record`, `merge`,"
            " `key_binding`, `case_file`, `record`."
        ),
        examples=["exchange"],
    )
    holds: list[str] = Field(
        description="What the vault has of it: `credential`, or roles of envelopes.",
        examples=[["case", "officer", "request"]],
    )
    outcome: Literal["erase", "keep"] = Field(
        description="`keep`: a law asks for it; it is kept for storage only until then.",
        examples=["keep"],
    )
    retention_class: str | None = Field(
        description="The class of retention that says so.", examples=["exchange-records"]
    )
    legal_reference: str | None = Field(
        description="The law, in the class's words.", examples=["PIPL, article 56"]
    )
    checked: bool | None = Field(
        description="Whether somebody has confirmed that law for this agency.", examples=[False]
    )
    until: Time | None = Field(description="Until when it is kept.", examples=[EXAMPLE_TIME])


class PersonPlan(Model):
    """What erasing a person would come to."""

    erase: int = Field(ge=0, description="Records that would go.", examples=[3])
    keep: int = Field(ge=0, description="Records that a law asks to keep.", examples=[1])
    records: list[PersonRecord] = Field(description="All of them.")


class PersonErasure(Model):
    """How far erasing a person has come."""

    id: Uid = Field(description="The act; it says nothing of the person.", examples=[EXAMPLE_UID])
    state: Literal["ordered", "erased"] = Field(
        description=(
            "`ordered`: on disk as a whole, so it will be carried out. `erased`: all of it is, and"
            " which records belonged together is forgotten."
        ),
        examples=["ordered"],
    )
    reason: Reason = Field(description="Why.", examples=["holder_request"])
    ordered: Time = Field(description="When it was ordered.", examples=[EXAMPLE_TIME])
    finished: Time | None = Field(description="When all was done.", examples=[EXAMPLE_TIME])
    erase: int = Field(ge=0, description="Records to erase.", examples=[3])
    left: int = Field(ge=0, description="Of these, not erased yet.", examples=[1])
    keep: int = Field(ge=0, description="Records kept for storage only.", examples=[1])
    problems: list[str] = Field(
        description="Why some do not go on for now.", examples=[["the ledger does not answer"]]
    )
    records: list[PersonRecord] | None = Field(
        description="What became of each; only in the first answer, nothing keeps it."
    )
