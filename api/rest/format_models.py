"""Requests and answers about credentials in the formats that others read."""

from atesta_client.formats.named import TokenFormat
from pydantic import Field

from api.rest.values import EXAMPLE_ADDRESS, EXAMPLE_SCHEMA, EXAMPLE_UID, JsonObject, Model, Uid

MAX_TOKEN_LENGTH = 1 << 20
"""Longest token, in characters."""

_EXAMPLE_TOKEN = "eyJhbGciOiJFUzI1NksifQ.eyJpc3MiOiJ1cm46YXRlc3RhIn0.AAAA~"  # noqa: S105 - fictional
_EXAMPLE_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
    "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
}


class CredentialExport(Model):
    """Write a credential of the vault in another format, signed by this agency's account key.

    What has no exact counterpart is refused, and `field` names it.
    """

    format: TokenFormat = Field(
        description=(
            "`sd-jwt-vc`: fields can be shown one by one. `vc-jwt`: W3C Verifiable Credentials 2.0,"
            " always shown whole."
        ),
        examples=["sd-jwt-vc"],
    )


class CredentialToken(Model):
    """A credential in another format; it holds the document, so it goes to the holder only."""

    uid: Uid = Field(description="The record's identifier.", examples=[EXAMPLE_UID])
    format: TokenFormat = Field(description="The format.", examples=["sd-jwt-vc"])
    media_type: str = Field(
        description="Its media type.", examples=["application/dc+sd-jwt", "application/vc+jwt"]
    )
    key_id: str = Field(
        description="`kid` of the signature: the address of the account key, as the registry has"
        " it.",
        examples=[EXAMPLE_ADDRESS],
    )
    token: str = Field(description="The token.", examples=[_EXAMPLE_TOKEN])


class CredentialImport(Model):
    """Make a credential of a token, exactly or not at all; the first claim at fault is named.

    - An export of this agency's own becomes the credential that it was made of, with its uid and
      salts; `schema_uid` and `issuer_key` are left out.
    - Of what another issuer signed, the whole content becomes a document; each claim needs a field
      of the schema. `schema_uid` and `issuer_key` are needed.
    """

    schema_uid: Uid | None = Field(
        default=None,
        description="Schema of the document; this node must hold its text.",
        examples=[EXAMPLE_SCHEMA],
    )
    format: TokenFormat | None = Field(
        default=None,
        description="The token's format; what it looks like when absent.",
        examples=[None],
    )
    token: str = Field(
        description="The token, with everything disclosed and without the holder's signature.",
        max_length=MAX_TOKEN_LENGTH,
        examples=[_EXAMPLE_TOKEN],
    )
    issuer_key: JsonObject | None = Field(
        default=None,
        description=(
            "The issuer's public key, a JWK of P-256 or secp256k1 with crv, kty, x and y only. The"
            " caller answers for whose it is; no key is fetched and none is taken from the token."
        ),
        examples=[_EXAMPLE_KEY],
    )
