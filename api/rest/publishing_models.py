"""Publishing a credential on another ledger, as REST takes and answers it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.rest.ledger_words import describe_ledger
from api.rest.values import EXAMPLE_SCHEMA, EXAMPLE_TIME, EXAMPLE_UID, JsonObject, Model, Time, Uid

EXAMPLE_REQUEST = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0ZXN0YS1wdWJsaXNoK2p3dCJ9.e30.c2ln"

SignedRequest = Annotated[str, StringConstraints(min_length=1, max_length=16_384)]
"""A compact JWS of type `atesta-publish+jwt`, as `atesta_client.publishing` signs it."""


class PublicationCreate(Model):
    """Publish a credential of another ledger of this API on this one, as its holder asks."""

    credential: Uid = Field(description="The credential to publish.", examples=[EXAMPLE_UID])
    request: SignedRequest = Field(
        description="The holder's request, signed with the key in the document.",
        examples=[EXAMPLE_REQUEST],
    )
    schema_uid: Uid = Field(
        description="Schema of this ledger with the same fields.", examples=[EXAMPLE_SCHEMA]
    )
    event_time: Time | None = Field(
        default=None, description="When it was decided; now when absent.", examples=[EXAMPLE_TIME]
    )


class Publication(Model):
    """A published credential, and the request behind it, checked again."""

    uid: Uid = Field(description="The published credential.", examples=[EXAMPLE_UID])
    credential: Uid = Field(description="What was published.", examples=[EXAMPLE_UID])
    origin: str | None = Field(
        description="Name of the ledger on which that stands, or stood; null if this is not known.",
        examples=["macao"],
    )
    request: str = Field(description="What the holder signed.", examples=[EXAMPLE_REQUEST])
    holder_key: JsonObject | None = Field(
        description="The key in the document, by which it is checked; null if it is erased.",
        examples=[{"jwk": {"kty": "EC", "crv": "P-256", "x": "…", "y": "…"}}],
    )
    signed: Time | None = Field(
        description="When, by the holder's clock; null if it does not hold.",
        examples=[EXAMPLE_TIME],
    )
    kept: Time = Field(description="When this node kept it.", examples=[EXAMPLE_TIME])
    holds: bool = Field(
        description="Whether signature, credential and ledgers were found right just now.",
        examples=[True],
    )
    ledger: str = describe_ledger()
