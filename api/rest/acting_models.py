"""Requests and answers around acts: what there is to do, trying it, signing it elsewhere, texts."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from api.acts.texts import LanguageTag
from api.rest.answers import Problem
from api.rest.faults import Contradiction
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_HASH,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    AddressText,
    JsonObject,
    Model,
    Time,
    Uid,
)
from api.texts.text import TextKind

EXAMPLE_STATE_CHANGE = {"state": "suspended", "reason": "error"}
EXAMPLE_CALL = "0x2f5f3b2c"
EXAMPLE_SIGNATURE = "0x" + "1b" * 65

ActName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,30}\.[a-z_]{1,30}$")]
PathParts = dict[str, Annotated[str, StringConstraints(min_length=1, max_length=200)]]
CallText = Annotated[str, StringConstraints(pattern=r"^0x([0-9a-fA-F]{2}){4,4096}$")]
SignatureText = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{130}$")]


class ActSummary(Model):
    """One thing that an agency can do."""

    act: ActName = Field(description="Its name.", examples=["dataset.state"])
    method: str = Field(description="HTTP method of its route.", examples=["POST"])
    path: str = Field(description="Path of its route.", examples=["/v1/datasets/{uid}/state"])
    summary: str = Field(description="What it does.", examples=["Suspend a dataset"])
    roles: list[str] = Field(
        description="Tokens with one of these may ask for it.", examples=[["describer"]]
    )
    key_roles: list[str] = Field(
        description="The signing key needs one of these.", examples=[["schema"]]
    )
    contract: str = Field(description="Contract that it calls.", examples=["catalogue"])
    function: str = Field(description="Function that it calls.", examples=["set_dataset_state"])
    signed_elsewhere: bool = Field(description="Whether `prepared-acts` takes it.", examples=[True])


class ActList(Model):
    """Everything that can be tried with `explain`."""

    items: list[ActSummary] = Field(description="The acts.")


class ExplainRequest(Model):
    """Try an act without doing it.

    The answer is the one that the act's own route would give now; nothing is stored or sent.
    """

    act: ActName = Field(description="Name from `GET /v1/acts`.", examples=["dataset.state"])
    path: PathParts = Field(
        default_factory=dict,
        description="The variable parts of the act's path.",
        examples=[{"uid": EXAMPLE_UID}],
    )
    body: JsonObject = Field(
        description="The body as the act's own route takes it.", examples=[EXAMPLE_STATE_CHANGE]
    )


class Explanation(Model):
    """What would become of an act if it were done now."""

    act: ActName = Field(description="The act.", examples=["dataset.state"])
    allowed: bool = Field(description="Whether it would be taken.", examples=[True])
    refusal: Problem | None = Field(
        description="If not: the refusal that the act's own route would answer.", examples=[None]
    )
    uid: Uid | None = Field(
        description="The record concerned; null if it was refused before one was found.",
        examples=[EXAMPLE_UID],
    )
    facts: JsonObject = Field(
        description="What the ledger says of it, such as what a legal basis asks for.",
        examples=[{}],
    )
    block: int = Field(ge=0, description="Last final block, on which it was tried.", examples=[9])
    block_time: Time = Field(description="Its time.", examples=[EXAMPLE_TIME])


class PreparedActCreate(ExplainRequest):
    """Prepare an act for a key that signs elsewhere.

    The act is tried as that key's. The answer holds the EIP-712 message for its device; hand its
    signature to `signed-acts`, here or at another node.
    """

    signer: AddressText = Field(
        description="Address of the key that will sign; it needs the role that the act needs.",
        examples=[EXAMPLE_ADDRESS],
    )
    deadline: Time | None = Field(
        default=None,
        description="Until when the signature may be used; a day ahead when absent.",
        examples=[EXAMPLE_TIME],
    )


class PreparedAct(Model):
    """An act that waits for its signature."""

    id: str = Field(description="Name it in `signed-acts`.", examples=["pa-1f0c2a"])
    act: ActName = Field(description="The act.", examples=["dataset.state"])
    uid: Uid = Field(description="The record concerned.", examples=[EXAMPLE_UID])
    record: str = Field(description="Path of the record.", examples=[f"/v1/datasets/{EXAMPLE_UID}"])
    signer: AddressText = Field(description="Who is to sign.", examples=[EXAMPLE_ADDRESS])
    contract: str = Field(description="The contract that it calls.", examples=["catalogue"])
    call: CallText = Field(description="The call, as it is signed.", examples=[EXAMPLE_CALL])
    nonce: int = Field(ge=0, description="Used once by this signer.", examples=[12345])
    deadline: Time = Field(description="Until when it may be handed in.", examples=[EXAMPLE_TIME])
    event_time: Time = Field(description="The event time inside.", examples=[EXAMPLE_TIME])
    digest: Uid = Field(
        description="What is signed, for devices that sign hashes.", examples=[EXAMPLE_HASH]
    )
    typed_data: JsonObject = Field(
        description="The message for `eth_signTypedData_v4`; numbers are decimal texts.",
        examples=[{"primaryType": "Act"}],
    )
    envelope: JsonObject | None = Field(
        default=None, description="What to hand to the other side.", examples=[None]
    )


_SIGNED = ("contract", "call", "nonce", "deadline", "signer")
"""Members that tell what was signed, where it was not prepared here."""


class SignedActCreate(Model):
    """Hand in an act that was signed elsewhere; this node's account only carries it.

    Name what was prepared here with `prepared`; or give the call itself, with its contract, nonce,
    deadline and signer. A used nonce makes handing in the same signature twice harmless.
    """

    signature: SignatureText = Field(
        description="r, s (the lower one) and v (27 or 28), 65 bytes.", examples=[EXAMPLE_SIGNATURE]
    )
    prepared: str | None = Field(
        default=None, description="Id of a prepared act of this node.", examples=["pa-1f0c2a"]
    )
    contract: str | None = Field(
        default=None, description="The contract that is called.", examples=[None]
    )
    call: CallText | None = Field(default=None, description="The call.", examples=[None])
    nonce: Annotated[int, Field(ge=0, lt=2**256)] | None = Field(
        default=None, description="The nonce signed.", examples=[None]
    )
    deadline: Time | None = Field(default=None, description="The deadline signed.", examples=[None])
    signer: AddressText | None = Field(
        default=None, description="Address of the key that signed.", examples=[None]
    )

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        parts = [getattr(self, name) for name in _SIGNED]
        if self.prepared is not None and any(part is not None for part in parts):
            raise Contradiction(
                "give either prepared, or contract, call, nonce, deadline and signer",
                "prepared",
                *_SIGNED,
            )
        if self.prepared is None and any(part is None for part in parts):
            raise Contradiction(
                "without prepared, contract, call, nonce, deadline and signer are needed together",
                *(name for name in _SIGNED if getattr(self, name) is None),
            )
        return self


class TextPut(Model):
    """Give this node a public text; its hash names it."""

    kind: TextKind = Field(description="What it is for.", examples=["law"])
    language: LanguageTag | None = Field(
        default=None, description="Language (BCP 47); null if the same in all.", examples=["en"]
    )
    body: JsonObject = Field(
        description="The text's members.",
        examples=[{"law": "Law 8/2005", "article": "Article 6, 4)"}],
    )


class Text(Model):
    """A public text; its hash is SHA-256 over a tag and RFC 8785 of kind, language and body."""

    hash: Uid = Field(description="What the ledger keeps of it.", examples=[EXAMPLE_HASH])
    kind: TextKind = Field(description="What it is for.", examples=["law"])
    language: str | None = Field(description="Its language; null for all.", examples=["en"])
    body: JsonObject = Field(
        description="The text's members.",
        examples=[{"law": "Law 8/2005", "article": "Article 6, 4)"}],
    )
