"""Requests to a node's REST interface as values, apart from sending them.

Each function here describes one request and what its answer is read as; nothing is sent. The two
clients in ``rest`` send them: ``await client.send(requests.get_status())`` or, blocking,
``client.send(requests.get_status())``. So every operation is written once, typed, for both.

A request that writes carries an *idempotency key*, drawn when the request is made. Sending the same
request value again, after a lost answer or from another process, writes nothing twice: the node
answers with what it did the first time. Pass ``idempotency_key`` to survive a restart of your own.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from atesta_client.answers import (
    Accepted,
    Agency,
    Attestation,
    Challenge,
    CredentialAnswer,
    Operation,
    Page,
    Provenance,
    SchemaAnswer,
    Status,
    Verification,
    read_answer,
    read_page,
)
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.pointers import JsonValue

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """One request and how to read its answer."""

    method: str
    """The HTTP method."""
    path: str
    """The path under ``/v1``."""
    read: Callable[[Any], T]
    """Turns the decoded JSON answer into its type."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The query parameters."""
    body: JsonValue | None = None
    """The JSON body."""
    idempotency_key: str | None = None
    """Set on requests that write."""

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it again cannot do anything twice."""
        return self.method in {"GET", "PUT"} or self.idempotency_key is not None


def get_status() -> Request[Status]:
    """Ask how far the node is."""
    return _get("/status", Status)


def list_agencies(*, cursor: str | None = None, limit: int = 50) -> Request[Page[Agency]]:
    """Ask for the member agencies."""
    return _list("/agencies", Agency, cursor=cursor, limit=limit)


def get_agency(agency: str) -> Request[Agency]:
    """Ask for one agency."""
    return _get(f"/agencies/{agency}", Agency)


def create_schema(
    *,
    title: str,
    pointers: Sequence[str],
    reference: Sequence[str] = (),
    uid: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Accepted]:
    """Register a schema; ``reference`` lists the pointers that together name one certificate."""
    body = {
        "title": title,
        "pointers": list(pointers),
        "reference": list(reference),
        "uid": uid,
    }
    return _write("/schemas", body, idempotency_key)


def get_schema(uid: str) -> Request[SchemaAnswer]:
    """Ask for one schema."""
    return _get(f"/schemas/{uid}", SchemaAnswer)


def put_schema_text(
    uid: str, *, title: str, pointers: Sequence[str], reference: Sequence[str] = ()
) -> Request[SchemaAnswer]:
    """Give the node the text of a schema that another agency registered."""
    body = {"title": title, "pointers": list(pointers), "reference": list(reference)}
    return Request(
        method="PUT",
        path=f"/schemas/{uid}/text",
        body=body,
        read=lambda data: read_answer(SchemaAnswer, data),
    )


def accredit(
    schema_uid: str, agency: str, *, idempotency_key: str | None = None
) -> Request[Accepted]:
    """Let an agency attest under a schema."""
    path = f"/schemas/{schema_uid}/accreditations"
    return _write(path, {"agency": agency}, idempotency_key)


def withdraw_accreditation(
    schema_uid: str, agency: str, *, idempotency_key: str | None = None
) -> Request[Accepted]:
    """Withdraw an agency's accreditation; what it attested before keeps standing."""
    return Request(
        method="DELETE",
        path=f"/schemas/{schema_uid}/accreditations/{agency}",
        idempotency_key=idempotency_key or uuid.uuid4().hex,
        read=lambda data: read_answer(Accepted, data),
    )


def create_credential(
    *,
    schema_uid: str,
    document: JsonValue,
    holder_key: HolderPublicKey | None = None,
    uid: str | None = None,
    valid_until: datetime | None = None,
    previous: str | None = None,
    algorithm: str | None = None,
    idempotency_key: str | None = None,
) -> Request[CredentialAnswer]:
    """Make a credential in the agency's vault; nothing goes on the chain.

    ``holder_key`` becomes the document's field ``/cnf``, which its schema must have.
    """
    body = {
        "schema_uid": schema_uid,
        "document": document,
        "holder_key": None if holder_key is None else holder_key.to_field(),
        "uid": uid,
        "alg": algorithm,
        "valid_until": _format_time(valid_until),
        "previous": previous,
    }
    return Request(
        method="POST",
        path="/credentials",
        body=_drop_none(body),
        idempotency_key=idempotency_key or uuid.uuid4().hex,
        read=lambda data: read_answer(CredentialAnswer, data),
    )


def get_credential(uid: str) -> Request[CredentialAnswer]:
    """Ask the issuer for one credential with its file."""
    return _get(f"/credentials/{uid}", CredentialAnswer)


def attest_credential(
    uid: str, *, event_time: datetime | None = None, idempotency_key: str | None = None
) -> Request[Accepted]:
    """Attest a credential of the vault: its holder asks to carry it."""
    body = {"event_time": _format_time(event_time)}
    return _write(f"/credentials/{uid}/attest", body, idempotency_key)


def attest_document(
    *,
    schema_uid: str,
    document: JsonValue,
    uid: str | None = None,
    valid_until: datetime | None = None,
    previous: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Accepted]:
    """Make a credential from a document and attest it in one step."""
    body = {
        "schema_uid": schema_uid,
        "document": document,
        "uid": uid,
        "valid_until": _format_time(valid_until),
        "previous": previous,
    }
    return _write("/attestations", body, idempotency_key)


def attest_credential_file(
    credential: JsonValue, *, previous: str | None = None, idempotency_key: str | None = None
) -> Request[Accepted]:
    """Attest a credential made elsewhere: the node opens the file and keeps none of it."""
    body = {"credential": credential, "previous": previous}
    return _write("/attestations", body, idempotency_key)


def attest_commitment(
    *,
    schema_uid: str,
    commitment: str,
    uid: str | None = None,
    valid_until: datetime | None = None,
    previous: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Accepted]:
    """Attest a bare commitment; it needs its own role and is marked unopened."""
    body = {
        "schema_uid": schema_uid,
        "commitment": commitment,
        "uid": uid,
        "valid_until": _format_time(valid_until),
        "previous": previous,
    }
    return _write("/attestations", body, idempotency_key)


def get_attestation(uid: str) -> Request[Attestation]:
    """Ask for one attestation at the node's last final block."""
    return _get(f"/attestations/{uid}", Attestation)


def list_attestations(
    *,
    issuer: str | None = None,
    schema_uid: str | None = None,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Request[Page[Attestation]]:
    """Ask for attestations, newest first."""
    return _list(
        "/attestations",
        Attestation,
        cursor=cursor,
        limit=limit,
        issuer=issuer,
        schema=schema_uid,
        state=state,
    )


def change_state(
    uid: str, *, state: str, reason: str, idempotency_key: str | None = None
) -> Request[Accepted]:
    """Suspend (``suspended``), reinstate (``active``) or revoke (``revoked``) an attestation."""
    body = {"state": state, "reason": reason}
    return _write(f"/attestations/{uid}/state", body, idempotency_key)


def create_batch(
    *,
    schema_uid: str,
    members: Sequence[str],
    uid: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Accepted]:
    """Seal credentials of the vault under one root."""
    body = {"schema_uid": schema_uid, "members": list(members), "uid": uid}
    return _write("/batches", body, idempotency_key)


def change_leaf_state(
    batch_uid: str, index: int, *, state: str, reason: str, idempotency_key: str | None = None
) -> Request[Accepted]:
    """Suspend, reinstate or revoke one member of a batch."""
    body = {"state": state, "reason": reason}
    return _write(f"/batches/{batch_uid}/leaves/{index}/state", body, idempotency_key)


def create_challenge(purpose: str) -> Request[Challenge]:
    """Ask for a single-use nonce for a holder to sign."""
    return Request(
        method="POST",
        path="/verify/challenges",
        body={"purpose": purpose},
        read=lambda data: read_answer(Challenge, data),
    )


def verify_presentation(
    presentation: JsonValue, *, purpose: str | None = None
) -> Request[Verification]:
    """Have a presentation checked on the node's last final block."""
    return _verify({"presentation": presentation, "purpose": purpose})


def verify_credential(
    credential: JsonValue, *, purpose: str | None = None
) -> Request[Verification]:
    """Have a whole credential file checked on the node's last final block."""
    return _verify({"credential": credential, "purpose": purpose})


def get_provenance(uid: str) -> Request[Provenance]:
    """Ask who did what to a record."""
    return _get(f"/provenance/{uid}", Provenance)


def get_operation(operation: str) -> Request[Operation]:
    """Ask how far a write has come, by operation id or transaction hash."""
    return _get(f"/operations/{operation}", Operation)


def _get(path: str, kind: type[T]) -> Request[T]:
    return Request(method="GET", path=path, read=lambda data: read_answer(kind, data))


def _list(path: str, kind: type[T], **query: str | int | None) -> Request[Page[T]]:
    given = {name: str(value) for name, value in query.items() if value is not None}
    return Request(method="GET", path=path, query=given, read=lambda data: read_page(kind, data))


def _write(path: str, body: Mapping[str, JsonValue], key: str | None) -> Request[Accepted]:
    return Request(
        method="POST",
        path=path,
        body=_drop_none(body),
        idempotency_key=key or uuid.uuid4().hex,
        read=lambda data: read_answer(Accepted, data),
    )


def _verify(body: Mapping[str, JsonValue]) -> Request[Verification]:
    return Request(
        method="POST",
        path="/verify",
        body=_drop_none(body),
        read=lambda data: read_answer(Verification, data),
    )


def _drop_none(body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in body.items() if value is not None}


def _format_time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
