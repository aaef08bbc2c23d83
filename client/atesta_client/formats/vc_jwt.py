"""W3C Verifiable Credentials 2.0, secured as a JWT (``vc+jwt`` of VC-JOSE-COSE).

The whole credential is one signed object: nothing can be left out when it is shown. It is for
verifiers that keep to the W3C data model; who wants to show single fields takes SD-JWT VC. Data
Integrity was not chosen, because its RDF forms keep neither the order of an array nor null, so a
document would not come back as it was.

=======================  =======================================================================
member                   what
=======================  =======================================================================
``@context``             the base context, then the one for terms that have no context of their own
``type``                 ``VerifiableCredential``
``issuer``               ``urn:atesta:<chain id>:agency:<agency id>``
``validFrom``            when it was exported
``validUntil``           the record's end of validity, if it has one
``credentialSubject``    the document, without the holder's key
``credentialSchema``     the schema's URI, type ``AtestaSchema``
``credentialStatus``     the record whose state on the ledger counts, type ``AtestaLedgerRecord``
``cnf``                  the holder's key, if the document has one
``atesta``               the record as the credential file has it, and the salts
=======================  =======================================================================

What the data model or JSON-LD reads in another way is refused with the field's pointer: a document
that is no object; a member ``id``, ``type`` or another term that the base context defines; a name
with ``@`` in front or a colon in it; null, which JSON-LD drops; an end of validity beyond the year
9999. ``name`` and ``description`` mean what they say and may be texts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from atesta_client.credentials import Credential, format_record, read_record
from atesta_client.errors import CredentialRefused, ReasonCode
from atesta_client.formats.jose import (
    IssuerKey,
    read_token,
    refuse_claim,
    sign_token,
    verify_token,
)
from atesta_client.formats.sd_jwt_vc import FindKey, format_agency, format_schema, format_status
from atesta_client.holder_keys import HOLDER_KEY_POINTER
from atesta_client.pointers import JsonValue, format_pointer
from atesta_client.schemas import MAX_POINTERS
from atesta_client.wire import ObjectReader, format_digest

MEDIA_TYPE: Final = "vc+jwt"
"""The ``typ`` of the token; its media type is ``application/vc+jwt``."""

CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
)
"""The values of ``@context``; the second gives every other name an identifier."""

_RECORD: Final = "atesta"
_TEXT_TERMS: Final = frozenset({"name", "description"})
# Every term on the first level of the base context; those within a type hold only there.
_TERMS: Final = (
    _TEXT_TERMS
    | {"id", "type", "digestMultibase", "digestSRI", "mediaType"}
    | {
        "_sd",
        "_sd_alg",
        "...",
        "aud",
        "cnf",
        "exp",
        "iat",
        "iss",
        "jku",
        "kid",
        "nbf",
        "sub",
        "x5u",
    }
    | {"BitstringStatusList", "BitstringStatusListCredential", "BitstringStatusListEntry"}
    | {"DataIntegrityProof", "JsonSchema", "JsonSchemaCredential"}
    | {"EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation"}
    | {"VerifiableCredential", "VerifiablePresentation"}
)
_LATEST_TIME_S: Final = 253_402_300_799


def export_vc_jwt(credential: Credential, key: IssuerKey, *, now_s: int) -> str:
    """Write a credential as a Verifiable Credential 2.0, signed by its issuer.

    ``now_s`` is the present time in seconds since 1970. Raises :class:`FormatRefused` with the
    pointer of the first field that cannot be mapped, and what :meth:`Credential.commit` raises.
    """
    credential.commit()
    if not isinstance(credential.document, dict):
        raise refuse_claim("", "is no object, so it says nothing of a subject")
    _check(credential.document)
    if credential.record.valid_until_s > _LATEST_TIME_S:
        raise refuse_claim("/validUntil", "lies beyond the year 9999")
    return sign_token(_build(credential, now_s), key, media_type=MEDIA_TYPE)


def import_vc_jwt(text: str, find_key: FindKey) -> Credential:
    """Read an export of ours back into the credential that it was made of.

    Raises :class:`FormatRefused` when it is malformed, not signed by the issuer or says anything
    that its record does not, and what :meth:`Credential.commit` raises.
    """
    token = read_token(text.strip())
    claims = token.claims
    if _RECORD not in claims:
        raise refuse_claim(f"/{_RECORD}", "is missing: this is no export of a ledger's record")
    reader = ObjectReader(claims[_RECORD], f"token.{_RECORD}")
    record = read_record(reader)
    salts = reader.get_digests("salts", longest=MAX_POINTERS)
    reader.finish()
    verify_token(token, find_key(token, record), media_types=(MEDIA_TYPE,))
    subject = claims.get("credentialSubject")
    if not isinstance(subject, dict):
        raise refuse_claim("/credentialSubject", "is not one object")
    if len(salts) != record.schema.size:
        raise CredentialRefused(
            ReasonCode.SALT_MALFORMED,
            f"the token has {len(salts)} salts for the {record.schema.size} fields of its schema",
        )
    document = {**subject, "cnf": claims["cnf"]} if "cnf" in claims else subject
    credential = Credential(record=record, document=document, salts=salts)
    credential.commit()
    expected = _build(credential, read_issue_time(claims))
    for name in sorted({*expected, *claims}):
        if name not in expected or name not in claims or claims[name] != expected[name]:
            raise refuse_claim(f"/{name}", "does not belong to the record that the token names")
    return credential


def read_issue_time(claims: Mapping[str, JsonValue]) -> int:
    """Return when a credential says that it was exported, in seconds since 1970.

    Raises :class:`FormatRefused` or :class:`CredentialRefused` for another form than the one
    written here.
    """
    text = ObjectReader(claims, "token").get_text("validFrom", longest=20)
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise refuse_claim("/validFrom", "is not a time in whole seconds, UTC") from error


def _build(credential: Credential, issued_at_s: int) -> dict[str, JsonValue]:
    record, document = credential.record, dict(credential.document)
    claims: dict[str, JsonValue] = {
        "@context": list(CONTEXTS),
        "type": ["VerifiableCredential"],
        "issuer": format_agency(record),
        "validFrom": _format_time(issued_at_s),
        "credentialSchema": {"id": format_schema(record), "type": "AtestaSchema"},
        "credentialStatus": {"type": "AtestaLedgerRecord", **format_status(record)},
        _RECORD: {**format_record(record), "salts": [format_digest(s) for s in credential.salts]},
    }
    if record.valid_until_s:
        claims["validUntil"] = _format_time(record.valid_until_s)
    if credential.holder_key is not None:
        claims["cnf"] = document.pop("cnf")
    claims["credentialSubject"] = document
    return claims


def _check(value: JsonValue, at: tuple[str, ...] = ()) -> None:
    """Refuse what a reader of the data model would take for something else."""
    if value is None:
        raise refuse_claim(format_pointer(at), "is null, which JSON-LD drops")
    if isinstance(value, list):
        for place, element in enumerate(value):
            _check(element, (*at, str(place)))
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        pointer = format_pointer((*at, name))
        if pointer == HOLDER_KEY_POINTER:
            continue
        is_plain = name in _TEXT_TERMS and isinstance(member, str)
        if (name in _TERMS and not is_plain) or name.startswith("@") or ":" in name or not name:
            raise refuse_claim(pointer, "has a name to which the W3C data model gives a meaning")
        _check(member, (*at, name))


def _format_time(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
