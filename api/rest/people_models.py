"""Requests and answers about persons: handles, what residents sign, envelopes of consents."""

from typing import Annotated, Self

from atesta_client.envelopes import FILE_TYPE
from pydantic import Field, model_validator

from api.acts.consent_terms import ConsentTerms
from api.acts.subjects import PersonReference
from api.rest.faults import Contradiction
from api.rest.references import Reference
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

EXAMPLE_ENVELOPE = {"type": FILE_TYPE, "version": 1, "kind": "subject"}
EXAMPLE_AGENCY_LABEL = "mo-housing-institute"
EXAMPLE_REFERENCE = "file-2026-0042"


class SubjectCreate(Model):
    """Get the handle of a person with another agency; made at first contact, then always the same.

    The reference stays in this agency's vault. The handle reaches the other side inside envelopes.
    """

    reference: PersonReference = Field(
        description="This agency's own identifier of the person.", examples=[EXAMPLE_REFERENCE]
    )
    counterparty: Reference = Field(
        description="The other agency.", examples=[EXAMPLE_AGENCY_LABEL]
    )


class SubjectMatch(SubjectCreate):
    """Note that a handle which the other agency made belongs to a person of this agency.

    What contradicts a record is a merge of two persons, which two officers make.
    """

    handle: Uid = Field(description="The handle that was received.", examples=[EXAMPLE_HASH])


class SubjectFind(Model):
    """Ask whom a handle means, in this agency's vault."""

    handle: Uid = Field(description="The handle.", examples=[EXAMPLE_HASH])


class KnownSubject(Model):
    """A person as this agency and one other know it."""

    handle: Uid = Field(description="The same in both vaults.", examples=[EXAMPLE_HASH])
    counterparty: Uid = Field(description="The other agency.", examples=[EXAMPLE_UID])
    reference: str = Field(
        description="This agency's own identifier of the person.", examples=[EXAMPLE_REFERENCE]
    )


class ConsentPrepare(ConsentTerms):
    """Prepare a consent for a resident's own key, which another agency than the recipient bound.

    The answer holds the EIP-712 message for the resident's device. Person and record stay in this
    vault; hand the envelope to the other side once the consent is on the ledger.
    """

    holder: AddressText = Field(
        description="Address of the resident's key.", examples=[EXAMPLE_ADDRESS]
    )
    deadline: Time | None = Field(
        default=None,
        description="Until when the signature may be handed in; a day ahead when absent.",
        examples=[EXAMPLE_TIME],
    )

    @model_validator(mode="after")
    def _check_late(self) -> Self:
        if self.late is not None:
            raise Contradiction("say when handing it in that it is late", "late")
        return self


class WithdrawalPrepare(Model):
    """Prepare a withdrawal for the key that gave the consent."""

    declared_at: Time | None = Field(
        default=None, description="When it is declared; now when absent.", examples=[EXAMPLE_TIME]
    )
    deadline: Time | None = Field(
        default=None,
        description="Until when the signature may be handed in; a day ahead when absent.",
        examples=[EXAMPLE_TIME],
    )


class ResidentMessage(Model):
    """A message that waits for a resident's signature."""

    uid: Uid = Field(description="The consent.", examples=[EXAMPLE_UID])
    holder: AddressText = Field(description="The key that signs.", examples=[EXAMPLE_ADDRESS])
    moment: Time = Field(
        description="The event time, or the time of declaration, that is signed.",
        examples=[EXAMPLE_TIME],
    )
    nonce: Annotated[int, Field(ge=0, lt=2**256)] = Field(
        description="Used once by this key.", examples=[12345]
    )
    deadline: Time = Field(description="Until when it may be handed in.", examples=[EXAMPLE_TIME])
    digest: Uid = Field(description="What is signed.", examples=[EXAMPLE_HASH])
    typed_data: JsonObject = Field(
        description="The message for `eth_signTypedData_v4`; numbers are decimal texts.",
        examples=[{"primaryType": "Consent"}],
    )
    envelope: JsonObject | None = Field(
        default=None, description="For provider and recipient of a consent.", examples=[None]
    )


class ConsentEnvelope(Model):
    """Keep the envelope of a consent that came from the other side, once it opens the ledger's.

    With it this node can check, before a release, that the person asked for is the one who
    consented.
    """

    subject: JsonObject = Field(
        description="Opening of the person's commitment.", examples=[EXAMPLE_ENVELOPE]
    )
    record: JsonObject | None = Field(
        default=None, description="Opening of the full record.", examples=[None]
    )
    uid: Uid | None = Field(
        default=None, description="As in the envelope; the path's.", examples=[None]
    )


class KeptEnvelope(Model):
    """What was kept."""

    uid: Uid = Field(description="The consent.", examples=[EXAMPLE_UID])
    handle: Uid = Field(description="Whose it is.", examples=[EXAMPLE_HASH])
    reference: str | None = Field(
        description="This agency's own identifier of that person; null if not matched yet.",
        examples=[EXAMPLE_REFERENCE],
    )
