"""Requests and answers about merging persons."""

from typing import Annotated, Literal

from pydantic import Field

from api.rest.people_models import KnownSubject, SubjectCreate
from api.rest.values import EXAMPLE_HASH, EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid

MergeReason = Annotated[str, Field(min_length=3, max_length=1000)]
"""Why two records of persons mean one; it stays in the vault."""

EXAMPLE_REASON = "Both files have the same identity document; seen at the counter."


class MergeCreate(SubjectCreate):
    """Propose that a handle shall mean a person, whatever it or the person was matched with."""

    handle: Uid = Field(description="The other agency's handle.", examples=[EXAMPLE_HASH])
    reason: MergeReason = Field(description="Why; kept in the vault.", examples=[EXAMPLE_REASON])


class MergeReversal(Model):
    """Propose to take back a merge: what stood before it stands again."""

    reason: MergeReason = Field(description="Why; kept in the vault.", examples=[EXAMPLE_REASON])


class MergeDecision(Model):
    """Approve a merge, which carries it out, or refuse it; never by who proposed it."""

    approve: bool = Field(description="Whether it is carried out.", examples=[True])


class MergeEntry(Model):
    """A merge in the journal, without what it says of persons."""

    uid: Uid = Field(description="The merge.", examples=[EXAMPLE_UID])
    state: Literal["proposed", "refused", "approved", "applied"] = Field(
        description="`approved`: not carried out yet; its approver sends the approval again.",
        examples=["applied"],
    )
    proposer: str = Field(
        description=(
            "Who proposed it: `person:` and the number where the operator says who acts, else the"
            " label."
        ),
        examples=["person:staff-0117"],
    )
    proposed: Time = Field(description="When.", examples=[EXAMPLE_TIME])
    decider: str | None = Field(
        description="Who decided it, likewise.", examples=["person:staff-0203"]
    )
    decided: Time | None = Field(description="When.", examples=[EXAMPLE_TIME])
    reverses: Uid | None = Field(description="The merge that it takes back.", examples=[None])


class Merge(MergeEntry):
    """A merge with what it says of persons."""

    subject: KnownSubject = Field(
        description="What the handle shall mean; of a reversal, what it means until then."
    )
    reason: str = Field(description="Why.", examples=[EXAMPLE_REASON])
    before: list[KnownSubject] | None = Field(
        description="The records whose place was taken; null until it is approved.",
        examples=[[]],
    )


class MergePage(Model):
    """Merges, newest first."""

    items: list[MergeEntry] = Field(description="The merges.")
    next: str | None = Field(description="Cursor of the next page.", examples=[None])
