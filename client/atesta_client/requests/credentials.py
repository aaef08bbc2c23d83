"""Credentials of the agency's vault: made, kept, attested when the resident asks."""

from datetime import datetime
from typing import Unpack

from atesta_client.answers import (
    Accepted,
    CredentialAnswer,
    CredentialToken,
    Erasure,
    Page,
    Publication,
)
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.pointers import JsonValue
from atesta_client.requests.encoding import Hex, JsonObject
from atesta_client.requests.request import (
    Acting,
    Paging,
    Request,
    Writing,
    act,
    get,
    list_page,
    make_key,
    send,
    write,
)


def list_credentials(
    *, schema_uid: Hex | None = None, **paging: Unpack[Paging]
) -> Request[Page[CredentialAnswer]]:
    """List this vault's credentials without their contents.

    - ``schema_uid``: only credentials of this schema.
    """
    return list_page(CredentialAnswer, "/credentials", {"schema": schema_uid, **paging})


def create_credential(
    *,
    schema_uid: Hex,
    document: JsonValue,
    holder_key: HolderPublicKey | JsonObject | None = None,
    uid: Hex | None = None,
    valid_until: datetime | None = None,
    previous: Hex | None = None,
    alg: str | None = None,
    **options: Unpack[Writing],
) -> Request[CredentialAnswer]:
    """Make a credential in the agency's vault; nothing goes on the chain.

    - ``document``: fields outside the schema are refused;
    - ``holder_key``: becomes the document's field ``/cnf``, which its schema must have;
    - ``previous``: the record that this one supersedes;
    - ``alg``: ``sha-256`` (when absent) or ``sm3``.
    """
    body = {
        "schema_uid": schema_uid,
        "document": document,
        "holder_key": holder_key,
        "uid": uid,
        "valid_until": valid_until,
        "previous": previous,
        "alg": alg,
    }
    key = options.get("idempotency_key") or make_key()
    return send(CredentialAnswer, "POST", "/credentials", body, key=key)


def get_credential(uid: Hex) -> Request[CredentialAnswer]:
    """Read one credential with its file."""
    return get(CredentialAnswer, "/credentials/{uid}", uid=uid)


def attest_credential(uid: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Attest a credential of the vault: its holder asks to carry it."""
    return act(
        "credential.attest",
        "/credentials/{uid}/attest",
        {},
        options,
        uid=uid,
    )


def create_publication(
    credential: Hex,
    *,
    request: str,
    schema_uid: Hex,
    event_time: datetime | None = None,
    **options: Unpack[Writing],
) -> Request[Accepted]:
    """Publish a credential on the client's ledger (``client.ledger(name)``), as its holder asks.

    - ``credential``: it stands on another ledger of the same API;
    - ``request``: what the holder signed, see ``publishing.sign_publish_request``;
    - ``schema_uid``: a schema of this ledger with the same fields.
    """
    body = {
        "credential": credential,
        "request": request,
        "schema_uid": schema_uid,
        "event_time": event_time,
    }
    return write(None, "/publications", body, options)


def get_publication(uid: Hex) -> Request[Publication]:
    """Read the request behind a published credential, checked again."""
    return get(Publication, "/publications/{uid}", uid=uid)


def erase_credential(uid: Hex, *, reason: str, **options: Unpack[Writing]) -> Request[Erasure]:
    """Erase a credential for good: the ledger says so, and no copy of it opens again.

    - ``reason``: ``error``, ``superseded``, ``ended_by_law``, ``holder_request`` or ``security``.

    The answer may come before the ledger's tombstone is settled; ``get_erasure`` tells the rest.
    """
    key = options.get("idempotency_key") or make_key()
    return send(Erasure, "POST", "/credentials/{uid}/erase", {"reason": reason}, key=key, uid=uid)


def get_erasure(uid: Hex) -> Request[Erasure]:
    """Ask how far erasing a credential has come."""
    return get(Erasure, "/credentials/{uid}/erasure", uid=uid)


def export_credential(uid: Hex, *, format_name: str = "sd-jwt-vc") -> Request[CredentialToken]:
    """Write a credential of the vault in another format, signed by the agency's account key.

    - ``format_name``: ``sd-jwt-vc``, whose fields can be shown one by one, or ``vc-jwt``, a W3C
      Verifiable Credential 2.0.

    What has no exact counterpart is refused: the answer's ``field`` names it.
    """
    return send(
        CredentialToken, "POST", "/credentials/{uid}/export", {"format": format_name}, uid=uid
    )


def import_credential(
    *,
    token: str,
    schema_uid: Hex | None = None,
    issuer_key: HolderPublicKey | JsonObject | None = None,
    format_name: str | None = None,
    **options: Unpack[Writing],
) -> Request[CredentialAnswer]:
    """Make a credential of a token; nothing goes on the chain.

    An export of the agency's own becomes again the credential that it was made of, and needs the
    token alone. What another issuer signed becomes a document, and needs both of

    - ``schema_uid``: the schema needs a field for every claim of the token;
    - ``issuer_key``: the issuer's public key, a JWK; the caller answers for whose it is.

    ``format_name`` is ``sd-jwt-vc`` or ``vc-jwt``, if it should be made sure of.
    """
    jwk = issuer_key.to_field()["jwk"] if isinstance(issuer_key, HolderPublicKey) else issuer_key
    body = {
        "schema_uid": schema_uid,
        "format": format_name,
        "token": token,
        "issuer_key": jwk,
    }
    key = options.get("idempotency_key") or make_key()
    return send(CredentialAnswer, "POST", "/credentials/import", body, key=key)
