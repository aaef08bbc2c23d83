"""The requests of REST `/v1`: what a caller sends.

Each is strict: a member that is not known, or of another type, is refused by name. Where a request
has alternatives, exactly one of them must be given.
"""

from typing import Annotated, Any, Self

from atesta_client.predicate_definitions import MAX_PREDICATES
from pydantic import Field, model_validator

from api.rest.faults import Contradiction
from api.rest.lateness import LATE, Late
from api.rest.predicate_models import EXAMPLE_PREDICATES, SchemaPredicate
from api.rest.references import Reference
from api.rest.values import (
    EXAMPLE_AGENCY,
    EXAMPLE_SCHEMA,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    Algorithm,
    JsonObject,
    Model,
    Pointer,
    Reason,
    TargetState,
    Time,
    Title,
    Uid,
)

EXAMPLE_DOCUMENT: dict[str, Any] = {
    "certificate": "MO-0001",
    "name": "Example Person",
    "birth_date": "1990-01-01",
    "result": "negative",
}
EXAMPLE_POINTERS = ["/certificate", "/name", "/birth_date", "/result", "/over_18", "/cnf"]


class SchemaCreate(Model):
    """Register a schema: the ordered fields that a commitment covers."""

    uid: Uid | None = Field(
        default=None,
        description="32 random bytes chosen by the caller; made here when absent.",
        examples=[EXAMPLE_SCHEMA],
    )
    title: Title = Field(
        description="Name for people; stays off the chain.", examples=["Vaccination certificate"]
    )
    pointers: Annotated[list[Pointer], Field(min_length=1, max_length=256)] = Field(
        description=(
            "Ordered JSON pointers, one leaf each; fields outside are refused. The chain keeps"
            " their hash. `/cnf`, where present, is the holder's key (RFC 7800)."
        ),
        examples=[EXAMPLE_POINTERS],
    )
    reference: Annotated[list[Pointer], Field(max_length=16)] = Field(
        default_factory=list,
        description=(
            "Which pointers together name one certificate, so that the issuer's vault notices"
            " the same one attested twice."
        ),
        examples=[["/certificate"]],
    )
    predicates: Annotated[list[SchemaPredicate], Field(max_length=MAX_PREDICATES)] = Field(
        default_factory=list,
        description=(
            "Yes/no fields. Issuing under the schema computes them; a document that contradicts"
            " one is refused by its name."
        ),
        examples=[EXAMPLE_PREDICATES],
    )


class SchemaText(Model):
    """The off-chain text of a schema that another agency registered."""

    title: Title = Field(description="Name for people.", examples=["Vaccination certificate"])
    pointers: Annotated[list[Pointer], Field(min_length=1, max_length=256)] = Field(
        description="Ordered pointers; refused unless their hash is the one on the chain.",
        examples=[EXAMPLE_POINTERS],
    )
    reference: Annotated[list[Pointer], Field(max_length=16)] = Field(
        default_factory=list,
        description="Pointers that name one certificate.",
        examples=[["/certificate"]],
    )
    predicates: Annotated[list[SchemaPredicate], Field(max_length=MAX_PREDICATES)] = Field(
        default_factory=list,
        description="Yes/no fields, as they were registered.",
        examples=[EXAMPLE_PREDICATES],
    )


class AccreditationCreate(Model):
    """Let an agency attest under a schema."""

    agency: Reference = Field(
        description="The agency to accredit, by identifier or label.", examples=[EXAMPLE_AGENCY]
    )


class CredentialCreate(Model):
    """Make a credential: the document and its salts go into this agency's vault.

    Nothing goes on the chain until the resident asks to carry it.
    """

    schema_uid: Uid = Field(
        description="Schema of the document; this node must hold its text.",
        examples=[EXAMPLE_SCHEMA],
    )
    document: JsonObject = Field(
        description="The document. Fields outside the schema are refused.",
        examples=[EXAMPLE_DOCUMENT],
    )
    holder_key: JsonObject | None = Field(
        default=None,
        description=(
            "The holder's public key, put into the document at `/cnf`:"
            ' `{"jwk": {"crv", "kty", "x", "y"}}` (RFC 7800). Or leave it in the document.'
        ),
        examples=[None],
    )
    uid: Uid | None = Field(
        default=None, description="32 random bytes; made here when absent.", examples=[EXAMPLE_UID]
    )
    alg: Algorithm = Field(default=Algorithm.SHA_256, description="Hash of the tree.")
    valid_until: Time | None = Field(
        default=None, description="End of validity; null for none.", examples=[EXAMPLE_TIME]
    )
    previous: Uid | None = Field(
        default=None,
        description="Record that this one supersedes; needed to attest a reference again.",
        examples=[None],
    )


class Attest(Model):
    """The resident asks to carry the credential: attest it."""

    event_time: Time | None = Field(
        default=None,
        description="When the request was captured; now when absent.",
        examples=[EXAMPLE_TIME],
    )
    late: Late = LATE


class AttestationCreate(Model):
    """Attest one record: give exactly one of `document`, `credential`, `commitment`.

    - `document`: this node makes the credential, keeps it in the vault and attests it.
    - `credential`: a credential file made elsewhere, opened to this node. It is not kept; of the
      fields that name its certificate the vault keeps a keyed fingerprint.
    - `commitment`: a bare root. Needs the role `unopened`, is marked unopened, and is refused
      if it reads as text, packed digits or dates.
    """

    schema_uid: Uid | None = Field(
        default=None,
        description="Schema; needed with `document` and `commitment`.",
        examples=[EXAMPLE_SCHEMA],
    )
    document: JsonObject | None = Field(
        default=None, description="The document itself.", examples=[EXAMPLE_DOCUMENT]
    )
    credential: JsonObject | None = Field(default=None, description="A whole credential file.")
    commitment: Uid | None = Field(default=None, description="A bare commitment.", examples=[None])
    uid: Uid | None = Field(
        default=None, description="32 random bytes; made here when absent.", examples=[EXAMPLE_UID]
    )
    alg: Algorithm = Field(default=Algorithm.SHA_256, description="Hash of the tree.")
    valid_until: Time | None = Field(default=None, description="End of validity; null for none.")
    previous: Uid | None = Field(default=None, description="Record that this one supersedes.")
    event_time: Time | None = Field(default=None, description="When it was captured; default now.")
    late: Late = LATE

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        given = [
            name
            for name in ("document", "credential", "commitment")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise Contradiction(
                "give exactly one of document, credential, commitment",
                *("document", "credential", "commitment"),
            )
        if given != ["credential"] and self.schema_uid is None:
            raise Contradiction(
                "schema_uid is needed with document and with commitment", "schema_uid", *given
            )
        return self


class StateChange(Model):
    """Suspend, reinstate or revoke; only the issuer may."""

    state: TargetState = Field(description="The new state.")
    reason: Reason = Field(description="Neutral reason code.")
    event_time: Time | None = Field(
        default=None, description="When it was decided; default now.", examples=[EXAMPLE_TIME]
    )
    late: Late = LATE


class BatchCreate(Model):
    """Seal many credentials of one schema under one root.

    Give `members` (credentials of this vault) or, with the role `unopened`, `root` and `count`.
    """

    schema_uid: Uid = Field(description="Schema of every member.", examples=[EXAMPLE_SCHEMA])
    members: Annotated[list[Uid], Field(min_length=1, max_length=100_000)] | None = Field(
        default=None,
        description=(
            "Credentials, in any order: as leaves they stand in the order of their random uids, so"
            " that an index says nothing of the list that they came from. Each one's file names"
            " its index. None may have a `previous`."
        ),
        examples=[[EXAMPLE_UID]],
    )
    root: Uid | None = Field(default=None, description="A bare root.", examples=[None])
    count: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = Field(
        default=None, description="Number of leaves under a bare root.", examples=[None]
    )
    uid: Uid | None = Field(
        default=None, description="32 random bytes; made here when absent.", examples=[EXAMPLE_UID]
    )
    alg: Algorithm = Field(default=Algorithm.SHA_256, description="Hash of the tree.")
    event_time: Time | None = Field(default=None, description="When it was captured; default now.")
    late: Late = LATE

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        if (self.members is None) == (self.root is None):
            raise Contradiction("give exactly one of members, root", "members", "root")
        if (self.root is None) != (self.count is None):
            raise Contradiction("count goes with root, and only with root", "count", "root")
        return self
