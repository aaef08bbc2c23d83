"""Attestations: commitments to single documents, on the chain."""

from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, Attestation, Event, Page
from atesta_client.pointers import JsonValue
from atesta_client.requests.encoding import AgencyName, CredentialFile, Hex
from atesta_client.requests.request import Acting, Paging, Request, act, get, list_page


def list_attestations(
    *,
    issuer: AgencyName | None = None,
    schema_uid: Hex | None = None,
    state: str | None = None,
    previous: Hex | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **paging: Unpack[Paging],
) -> Request[Page[Attestation]]:
    """List attestations.

    - ``issuer``: only attestations by this agency;
    - ``schema_uid``: only attestations under this schema;
    - ``state``: only this state;
    - ``previous``: only the one that superseded this record;
    - ``since``: block time not before this;
    - ``until``: block time before this.
    """
    return list_page(
        Attestation,
        "/attestations",
        {
            "issuer": issuer,
            "schema": schema_uid,
            "state": state,
            "previous": previous,
            "since": since,
            "until": until,
            **paging,
        },
    )


def attest_document(
    *,
    schema_uid: Hex,
    document: JsonValue,
    uid: Hex | None = None,
    valid_until: datetime | None = None,
    previous: Hex | None = None,
    alg: str | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Make a credential from a document and attest it in one step.

    - ``previous``: the record that this one supersedes;
    - ``alg``: ``sha-256`` (when absent) or ``sm3``.
    """
    body = {
        "schema_uid": schema_uid,
        "document": document,
        "uid": uid,
        "valid_until": valid_until,
        "previous": previous,
        "alg": alg,
    }
    return act("attestation.create", "/attestations", body, options)


def attest_credential_file(
    credential: CredentialFile,
    *,
    previous: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Attest a credential made elsewhere: the node opens the file and keeps none of it."""
    body = {"credential": credential, "previous": previous}
    return act("attestation.create", "/attestations", body, options)


def attest_commitment(
    *,
    schema_uid: Hex,
    commitment: Hex,
    uid: Hex | None = None,
    valid_until: datetime | None = None,
    previous: Hex | None = None,
    alg: str | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Attest a bare commitment; it needs its own role and is marked unopened."""
    body = {
        "schema_uid": schema_uid,
        "commitment": commitment,
        "uid": uid,
        "valid_until": valid_until,
        "previous": previous,
        "alg": alg,
    }
    return act("attestation.create", "/attestations", body, options)


def get_attestation(uid: Hex) -> Request[Attestation]:
    """Read one attestation at the last settled block."""
    return get(Attestation, "/attestations/{uid}", uid=uid)


def change_state(
    uid: Hex,
    *,
    state: str,
    reason: str,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Suspend, reinstate or revoke; only the issuer may.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "attestation.state",
        "/attestations/{uid}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
    )


def get_attestation_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[Event]]:
    """Everything that happened to one attestation."""
    return list_page(Event, "/attestations/{uid}/history", {**paging}, uid=uid)
