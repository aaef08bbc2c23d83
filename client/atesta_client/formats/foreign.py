"""Tokens of other issuers, made into documents of a schema where nothing is lost.

An agency may take over what somebody else attested: it checks the token, keeps its content as a
document of one of its own schemas, and attests that document itself. The content is the token's
whole payload with everything disclosed: not only what is said of the person but also who said it,
of which kind and how its state is read (``/iss``, ``/vct``, ``/status``; ``/issuer``, ``/type``,
``/credentialSubject/…``). Each claim must fall under a pointer of the schema, the holder's key
under ``/cnf``. One claim may go elsewhere: the end of validity becomes the record's own where the
schema has no field for it. Whatever else has no field is refused by name, as is a digest that
nothing opens, since a claim may be hidden behind it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from atesta_client.errors import DocumentRefused, FormatRefused, ReasonCode
from atesta_client.formats.jose import read_token, refuse_claim, refuse_token, verify_token
from atesta_client.formats.sd_jwt import decode_sd_jwt, open_claims
from atesta_client.formats.sd_jwt_vc import MEDIA_TYPES as SD_JWT_VC_TYPES
from atesta_client.formats.sd_jwt_vc import RECORD_CLAIM
from atesta_client.formats.vc_jwt import MEDIA_TYPE as VC_JWT_TYPE
from atesta_client.holder_keys import HOLDER_KEY_POINTER, HolderPublicKey
from atesta_client.pointers import JsonValue
from atesta_client.schemas import Schema
from atesta_client.wire import MAX_TIME_S

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.0+)?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDocument:
    """What became of a token."""

    document: dict[str, JsonValue]
    """The document, which the schema covers whole."""
    valid_until_s: int
    """End of validity in seconds since 1970, if the document does not hold it; 0 for none."""


def import_foreign_sd_jwt_vc(
    text: str, key: HolderPublicKey, *, schema: Schema, now_s: int
) -> ForeignDocument:
    """Check an SD-JWT VC of another issuer against that issuer's key, and map it to a schema.

    Raises :class:`FormatRefused` with the claim that has no place, is hidden, or is out of time.
    """
    sd_jwt = decode_sd_jwt(text)
    if sd_jwt.key_binding is not None:
        raise refuse_token("it is a presentation, signed by the holder, and no whole credential")
    token = read_token(sd_jwt.token)
    verify_token(token, key, media_types=SD_JWT_VC_TYPES)
    opened = open_claims(token.claims, sd_jwt.disclosures)
    if opened.hidden:
        raise refuse_claim(opened.hidden[0], "holds a digest that no disclosure opens")
    return _map(opened.claims, schema, now_s=now_s)


def import_foreign_vc_jwt(
    text: str, key: HolderPublicKey, *, schema: Schema, now_s: int
) -> ForeignDocument:
    """Check a Verifiable Credential 2.0 (``vc+jwt``) of another issuer, and map it to a schema.

    Raises :class:`FormatRefused` with the claim that has no place or is out of time.
    """
    token = read_token(text.strip())
    verify_token(token, key, media_types=(VC_JWT_TYPE,))
    return _map(token.claims, schema, now_s=now_s)


def _map(claims: Mapping[str, JsonValue], schema: Schema, *, now_s: int) -> ForeignDocument:
    if RECORD_CLAIM in claims:
        raise refuse_claim(
            f"/{RECORD_CLAIM}", "names a record of a ledger: read it back as that record's file"
        )
    for name, is_start in (
        ("nbf", True),
        ("validFrom", True),
        ("exp", False),
        ("validUntil", False),
    ):
        if name in claims and is_start == (now_s < _read_time(claims, name)):
            raise refuse_claim(f"/{name}", "says that the credential is not in force now")
    document = dict(claims)
    valid_until_s = 0
    for name in ("exp", "validUntil"):
        if name in document and f"/{name}" not in schema.pointers:
            end_s = _read_time(document, name)
            if valid_until_s not in {0, end_s}:
                raise refuse_claim(f"/{name}", "names another end of validity than /exp")
            valid_until_s = end_s
            del document[name]
    if "cnf" in document and HOLDER_KEY_POINTER in schema.pointers:
        HolderPublicKey.from_field(document["cnf"])
    try:
        schema.split(document)
    except DocumentRefused as error:
        raise FormatRefused(
            ReasonCode.FORMAT_UNMAPPABLE,
            f"{error.pointer!r} has no field in the schema",
            pointer=error.pointer,
        ) from error
    return ForeignDocument(document=document, valid_until_s=valid_until_s)


def _read_time(claims: Mapping[str, JsonValue], name: str) -> int:
    """Return a claim's time in whole seconds; refuses what a record could not say exactly."""
    value = claims[name]
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            value = int(datetime.fromisoformat(value).astimezone(UTC).timestamp())
        except (ValueError, OverflowError) as error:
            raise refuse_claim(f"/{name}", "is not a time") from error
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_TIME_S:
        raise refuse_claim(f"/{name}", "is not a time in whole seconds after 1970")
    return value
