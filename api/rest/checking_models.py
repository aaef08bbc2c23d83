"""The check of what a resident hands over: what is asked, and "is it valid?" answered.

A check has one of three results: `valid`, `not_valid` with every reason found, or `cannot_say`
when this node cannot know. Each comes with the block and time that it rests on and with the
next step for the person at the counter. Reasons have stable codes for programs and plain words
for people.
"""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from api.rest.answers import FinalityFacts
from api.rest.faults import Contradiction
from api.rest.format_models import MAX_TOKEN_LENGTH
from api.rest.ledger_words import describe_ledger
from api.rest.predicate_models import ShownPredicate
from api.rest.values import (
    EXAMPLE_AGENCY,
    EXAMPLE_HASH,
    EXAMPLE_SCHEMA,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Model,
    Pointer,
    Result,
    State,
    Time,
    Uid,
)

Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._:-]{0,99}$")]
"""A purpose as a short code, such as `border-crossing`; never free text."""


class ChallengeCreate(Model):
    """Ask for a nonce that a holder's presentation must sign."""

    purpose: Purpose = Field(
        description="Why the check is made; the holder signs it.", examples=["border-crossing"]
    )


class Challenge(Model):
    """A single-use nonce of this verifier."""

    nonce: Uid = Field(description="Sign this.", examples=[EXAMPLE_HASH])
    verifier: Uid = Field(
        description="This agency; the holder signs it too.", examples=[EXAMPLE_AGENCY]
    )
    purpose: Purpose = Field(description="The purpose given.", examples=["border-crossing"])
    issued: Time = Field(description="When it was made.", examples=[EXAMPLE_TIME])
    expires: Time = Field(description="After this it is refused.", examples=[EXAMPLE_TIME])


class VerifyRequest(Model):
    """Check what a resident hands over: give exactly one of the three."""

    credential: JsonObject | None = Field(
        default=None,
        description="A whole credential file, as `atesta_client.credentials` writes it.",
        examples=[None],
    )
    presentation: JsonObject | None = Field(
        default=None,
        description="Some fields, as `atesta_client.presentations` writes it.",
        examples=[{"type": "atesta-presentation", "version": 1, "uid": EXAMPLE_UID}],
    )
    token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)] | None = Field(
        default=None,
        description=(
            "An export of this ledger's: an SD-JWT VC, whole or with the holder's signature, or a"
            " W3C Verifiable Credential 2.0 as `vc+jwt`. What names no record of a ledger is"
            " answered with the reason `token_foreign`."
        ),
        examples=[None],
    )
    purpose: Purpose | None = Field(
        default=None,
        description="Selects this agency's recognition policy; default is the presentation's own.",
        examples=["border-crossing"],
    )

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        names = ("credential", "presentation", "token")
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise Contradiction("give exactly one of credential, presentation, token", *names)
        return self


class Finding(Model):
    """One reason."""

    code: str = Field(description="Stable code for programs.", examples=["state_revoked"])
    text: str = Field(
        description="Plain words for people.", examples=["The issuer has revoked this record."]
    )
    field: Pointer | None = Field(
        default=None, description="Field concerned; never its value.", examples=[None]
    )


class Subject(Model):
    """What the check found about the record; nothing of its content."""

    uid: Uid = Field(description="The record.", examples=[EXAMPLE_UID])
    issuer: Uid = Field(description="Who attested it.", examples=[EXAMPLE_AGENCY])
    issuer_name: str | None = Field(
        description="Name from this node's address book.", examples=["Example Health Bureau"]
    )
    schema_uid: Uid = Field(description="Its schema.", examples=[EXAMPLE_SCHEMA])
    batch: Uid | None = Field(description="Batch that contains it.", examples=[None])
    state: State = Field(description="State at the block of the answer.")
    state_block: int = Field(ge=0, description="Block that made it so.", examples=[1200])
    state_time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End of validity.", examples=[EXAMPLE_TIME])
    attested_block: int = Field(ge=0, description="Block of attestation.", examples=[1200])
    attested_time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])


class Verification(Model):
    """The answer to a check."""

    result: Result = Field(description="`valid`, `not_valid` or `cannot_say`.")
    reasons: list[Finding] = Field(
        description="Every reason against; empty when valid.", examples=[[]]
    )
    notices: list[Finding] = Field(
        description="What the clerk must still do or know.",
        examples=[
            [
                {
                    "code": "holder_not_checked",
                    "text": "Holder not checked: compare name and birth date.",
                }
            ]
        ],
    )
    next_step: str = Field(
        description="What to do now, in plain words.", examples=["Accept the document."]
    )
    holder_checked: bool = Field(
        description="Whether the holder proved their key.", examples=[True]
    )
    disclosed: list[Pointer] = Field(
        description="Fields that were opened and checked.", examples=[["/over_18"]]
    )
    predicates: list[ShownPredicate] = Field(
        description="Yes/no fields among them, if this node holds the schema's text.",
        examples=[
            [
                {
                    "field": "/over_18",
                    "value": True,
                    "on": "2026-11-22",
                    "rule": "/birth_date is at least 18 years ago",
                }
            ]
        ],
    )
    subject: Subject | None = Field(
        description="The record, if the chain has it and the file is sound."
    )
    policy: str | None = Field(
        description="Purpose whose settings of the verifier were asked.",
        examples=["border-crossing"],
    )
    recognition: Uid | None = Field(
        description=(
            "The ledger's recognition policy that judged; null where none stands, and for"
            " documents of the verifier's own jurisdiction."
        ),
        examples=[EXAMPLE_UID],
    )
    block: int = Field(ge=0, description="Last final block of this node.", examples=[1250])
    block_hash: Uid = Field(description="Its hash.", examples=[EXAMPLE_HASH])
    block_time: Time = Field(description="Its time.", examples=[EXAMPLE_TIME])
    checked: Time = Field(description="When the check was made.", examples=[EXAMPLE_TIME])
    behind_s: int = Field(ge=0, description="Seconds since that block.", examples=[1])
    finality: FinalityFacts = Field(description="Who vouches for that block.")
    ledger: str = describe_ledger()
