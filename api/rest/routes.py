"""The route table of REST `/v1`: every operation once, with its models, role and problems.

`build_rest` binds the rows to handlers by name, `api.openapi` turns the same rows into the
OpenAPI document. A row without a handler, or a handler without a row, fails at start.
Paths here are relative to `/v1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from api.auth import Role
from api.rest import answers, models
from api.rest.values import Model, OperationState, State

Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    name: str
    """Operation id and name of its handler."""
    method: Method
    path: str
    tag: str
    summary: str
    role: Role
    response: type[Model]
    status: int = 200
    request: type[Model] | None = None
    query: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    """Statuses of problem documents besides the common 400, 401, 403, 413, 500, 503."""
    writes: bool = False
    """True if it needs an Idempotency-Key and answers with an operation to follow."""
    etag: bool = False
    """True if the answer has an ETag and `If-None-Match` may give 304."""
    volatile: tuple[str, ...] = ()
    """Members that say when it was read, not what; the ETag leaves them out."""


_UID: Final = {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}
_TIME: Final = {"type": "string", "format": "date-time"}
LIMIT: Final = Parameter(
    name="limit",
    description="At most so many items, 1 to 500; 50 when absent.",
    schema={"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
)
CURSOR: Final = Parameter(
    name="cursor",
    description="`next` of the page before; opaque.",
    schema={"type": "string", "maxLength": 200},
)
PAGING: Final = (LIMIT, CURSOR)


def _uid(name: str, description: str) -> Parameter:
    return Parameter(name=name, description=description, schema=_UID)


_FROM: Final = Parameter(name="from", description="Block time not before this.", schema=_TIME)
_UNTIL: Final = Parameter(name="until", description="Block time before this.", schema=_TIME)
_STATE: Final = Parameter(
    name="state",
    description="Only this state.",
    schema={"type": "string", "enum": [state.value for state in State]},
)

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="get_status",
        method="GET",
        path="/status",
        tag="service",
        summary="Which ledger this is, how far it is, and whose node answers",
        role=Role.READER,
        response=answers.Status,
    ),
    Route(
        name="list_agencies",
        method="GET",
        path="/agencies",
        tag="agencies",
        summary="List the member agencies",
        role=Role.READER,
        response=models.AgencyPage,
        query=PAGING,
    ),
    Route(
        name="get_agency",
        method="GET",
        path="/agencies/{id}",
        tag="agencies",
        summary="Read one agency with its keys",
        role=Role.READER,
        response=models.Agency,
        problems=(404,),
        etag=True,
        volatile=("block",),
    ),
    Route(
        name="list_schemas",
        method="GET",
        path="/schemas",
        tag="schemas",
        summary="List schemas",
        role=Role.READER,
        response=models.SchemaPage,
        query=(_uid("owner", "Only schemas of this agency."), *PAGING),
    ),
    Route(
        name="create_schema",
        method="POST",
        path="/schemas",
        tag="schemas",
        summary="Register a schema",
        role=Role.ADMIN,
        request=models.SchemaCreate,
        response=models.Accepted,
        status=202,
        problems=(409, 422),
        writes=True,
    ),
    Route(
        name="get_schema",
        method="GET",
        path="/schemas/{uid}",
        tag="schemas",
        summary="Read one schema",
        role=Role.READER,
        response=models.Schema,
        problems=(404,),
        etag=True,
    ),
    Route(
        name="change_schema_state",
        method="POST",
        path="/schemas/{uid}/state",
        tag="schemas",
        summary="Suspend, reinstate or revoke a schema of this agency",
        role=Role.ADMIN,
        request=models.StateChange,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="put_schema_text",
        method="PUT",
        path="/schemas/{uid}/text",
        tag="schemas",
        summary="Give this node the text of a schema that another agency registered",
        role=Role.ADMIN,
        request=models.SchemaText,
        response=models.Schema,
        problems=(404, 422),
    ),
    Route(
        name="list_accreditations",
        method="GET",
        path="/schemas/{uid}/accreditations",
        tag="schemas",
        summary="List who may or might attest under a schema",
        role=Role.READER,
        response=models.AccreditationPage,
        query=PAGING,
        problems=(404,),
    ),
    Route(
        name="create_accreditation",
        method="POST",
        path="/schemas/{uid}/accreditations",
        tag="schemas",
        summary="Accredit an agency under a schema",
        role=Role.ADMIN,
        request=models.AccreditationCreate,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="delete_accreditation",
        method="DELETE",
        path="/schemas/{uid}/accreditations/{agency}",
        tag="schemas",
        summary="Withdraw an accreditation",
        role=Role.ADMIN,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="list_credentials",
        method="GET",
        path="/credentials",
        tag="credentials",
        summary="List this vault's credentials without their contents",
        role=Role.ISSUER,
        response=models.CredentialPage,
        query=(_uid("schema", "Only credentials of this schema."), *PAGING),
    ),
    Route(
        name="create_credential",
        method="POST",
        path="/credentials",
        tag="credentials",
        summary="Make a credential; nothing goes on the chain",
        role=Role.ISSUER,
        request=models.CredentialCreate,
        response=models.Credential,
        status=201,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_credential",
        method="GET",
        path="/credentials/{uid}",
        tag="credentials",
        summary="Read one credential with its file",
        role=Role.ISSUER,
        response=models.Credential,
        problems=(404,),
    ),
    Route(
        name="attest_credential",
        method="POST",
        path="/credentials/{uid}/attest",
        tag="credentials",
        summary="The resident asks to carry it: attest the credential",
        role=Role.ISSUER,
        request=models.Attest,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="list_attestations",
        method="GET",
        path="/attestations",
        tag="attestations",
        summary="List attestations",
        role=Role.READER,
        response=models.AttestationPage,
        query=(
            _uid("issuer", "Only attestations by this agency."),
            _uid("schema", "Only attestations under this schema."),
            _STATE,
            _uid("previous", "Only the one that superseded this record."),
            _FROM,
            _UNTIL,
            *PAGING,
        ),
    ),
    Route(
        name="create_attestation",
        method="POST",
        path="/attestations",
        tag="attestations",
        summary="Attest a document, a credential file or a bare commitment",
        role=Role.ISSUER,
        request=models.AttestationCreate,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_attestation",
        method="GET",
        path="/attestations/{uid}",
        tag="attestations",
        summary="Read one attestation at the last final block",
        role=Role.READER,
        response=models.Attestation,
        problems=(404,),
        etag=True,
        volatile=("read_at_block",),
    ),
    Route(
        name="change_attestation_state",
        method="POST",
        path="/attestations/{uid}/state",
        tag="attestations",
        summary="Suspend, reinstate or revoke",
        role=Role.ISSUER,
        request=models.StateChange,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_attestation_history",
        method="GET",
        path="/attestations/{uid}/history",
        tag="attestations",
        summary="Everything that happened to one attestation",
        role=Role.READER,
        response=models.History,
        query=PAGING,
        problems=(404,),
    ),
    Route(
        name="list_batches",
        method="GET",
        path="/batches",
        tag="batches",
        summary="List batches",
        role=Role.READER,
        response=models.BatchPage,
        query=(
            _uid("issuer", "Only batches by this agency."),
            _uid("schema", "Only batches under this schema."),
            _FROM,
            _UNTIL,
            *PAGING,
        ),
    ),
    Route(
        name="create_batch",
        method="POST",
        path="/batches",
        tag="batches",
        summary="Seal many credentials under one root",
        role=Role.ISSUER,
        request=models.BatchCreate,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_batch",
        method="GET",
        path="/batches/{uid}",
        tag="batches",
        summary="Read one batch at the last final block",
        role=Role.READER,
        response=models.Batch,
        problems=(404,),
        etag=True,
        volatile=("read_at_block",),
    ),
    Route(
        name="change_batch_state",
        method="POST",
        path="/batches/{uid}/state",
        tag="batches",
        summary="Suspend, reinstate or revoke a whole batch",
        role=Role.ISSUER,
        request=models.StateChange,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_batch_history",
        method="GET",
        path="/batches/{uid}/history",
        tag="batches",
        summary="Everything that happened to one batch and its members",
        role=Role.READER,
        response=models.History,
        query=PAGING,
        problems=(404,),
    ),
    Route(
        name="get_leaf",
        method="GET",
        path="/batches/{uid}/leaves/{index}",
        tag="batches",
        summary="Read one member's state",
        role=Role.READER,
        response=models.Leaf,
        problems=(404,),
        etag=True,
        volatile=("read_at_block",),
    ),
    Route(
        name="change_leaf_state",
        method="POST",
        path="/batches/{uid}/leaves/{index}/state",
        tag="batches",
        summary="Suspend, reinstate or revoke one member",
        role=Role.ISSUER,
        request=models.StateChange,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="create_challenge",
        method="POST",
        path="/verify/challenges",
        tag="verification",
        summary="Get a single-use nonce for a holder to sign",
        role=Role.VERIFIER,
        request=answers.ChallengeCreate,
        response=answers.Challenge,
        status=201,
        problems=(422,),
    ),
    Route(
        name="verify",
        method="POST",
        path="/verify",
        tag="verification",
        summary="Check a credential file or a presentation on this node's last final block",
        role=Role.VERIFIER,
        request=answers.VerifyRequest,
        response=answers.Verification,
        problems=(422,),
    ),
    Route(
        name="get_provenance",
        method="GET",
        path="/provenance/{uid}",
        tag="provenance",
        summary="Who did what to a record, when, under which schema",
        role=Role.READER,
        response=answers.Provenance,
        problems=(404,),
        etag=True,
        volatile=("block", "block_time"),
    ),
    Route(
        name="list_operations",
        method="GET",
        path="/operations",
        tag="operations",
        summary="List this agency's writes",
        role=Role.READER,
        response=models.OperationPage,
        query=(
            Parameter(
                name="state",
                description="Only operations in this state.",
                schema={"type": "string", "enum": [state.value for state in OperationState]},
            ),
            _uid("uid", "Only operations on this record."),
            *PAGING,
        ),
    ),
    Route(
        name="get_operation",
        method="GET",
        path="/operations/{id}",
        tag="operations",
        summary="Follow one write; also by transaction hash",
        role=Role.READER,
        response=models.Operation,
        problems=(404,),
    ),
)
