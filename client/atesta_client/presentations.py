"""Presentations: what the resident shows, signed for one verifier and one occasion.

The verifier first names the occasion: who it is, for which purpose it asks, and a nonce that it
has never used before. The resident's device picks the fields that this purpose needs and signs,
with the holder's key, the occasion, the time and a hash of everything shown. A copy of the file is
worth nothing without the key, and a copy of the presentation nothing at another verifier, for
another purpose or a second time.

Where the document has no holder's key, the presentation is unsigned, the field ``/cnf`` is
disclosed as absent, and the verifier learns :attr:`HolderCheck.NOT_CHECKED`: it must compare name
and birth date with the person. A presentation that simply leaves ``/cnf`` out is refused, because
leaving it out would be the copyist's way round.

The signature is a compact JWS of type ``atesta-presentation+jwt`` over the claims ``aud`` (the
verifier), ``purpose``, ``nonce``, ``iat`` (seconds since 1970), ``commitment`` and ``shown``, the
base64url SHA-256 of the RFC 8785 form of the presentation without its signature.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from atesta_client.base64url import encode_base64url
from atesta_client.canonical import dump_canonical
from atesta_client.credentials import (
    FORMAT_VERSION,
    Credential,
    RecordReference,
    format_record,
    read_file,
    read_record,
)
from atesta_client.disclosure import DisclosedField, disclose_fields, validate_fields
from atesta_client.errors import PresentationRefused, ReasonCode
from atesta_client.holder_keys import (
    HOLDER_KEY_POINTER,
    HolderKey,
    HolderPublicKey,
    sign_claims,
    verify_claims,
)
from atesta_client.pointers import ABSENT, Absent, JsonValue
from atesta_client.schemas import MAX_POINTERS
from atesta_client.wire import MAX_TIME_S, ObjectReader, format_digest

PRESENTATION_TYPE: Final = "atesta-presentation"
"""The ``type`` member of a presentation."""

SIGNATURE_MEDIA_TYPE: Final = "atesta-presentation+jwt"
"""The ``typ`` of the holder's signature."""

MAX_AGE_S: Final = 300
"""How old a holder's signature may be by default, in seconds."""

MAX_CLOCK_SKEW_S: Final = 60
"""How far in the future a holder's signature may lie, in seconds: phones' clocks differ."""

_MAX_SIGNATURE_LENGTH = 16_384
_MAX_PATH = 32


class HolderCheck(StrEnum):
    """What is known about who presents."""

    PROVED = "proved"
    """The holder's key signed for this occasion."""
    NOT_CHECKED = "not_checked"
    """The document has no holder's key: compare name and birth date with the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """For whom, for what and when a presentation is made; set by the verifier."""

    verifier: str
    """The verifier's name in the ledger: its agency id in hex, or another identifier agreed on."""
    purpose: str
    """The purpose of the check, a code of the verifier's policy."""
    nonce: str
    """A text that this verifier has never used before, from its challenge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """Some fields of a credential, their proofs, and the holder's signature."""

    record: RecordReference
    """Where and as what the document's commitment is attested."""
    fields: tuple[DisclosedField, ...]
    """The fields shown."""
    signature: str | None
    """The holder's signature, or ``None`` where the document has no holder's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPresentation:
    """What a verifier may rely on, provided that the ledger attests the commitment."""

    values: Mapping[str, JsonValue | Absent]
    """The values shown, by pointer."""
    holder: HolderCheck
    """What is known about who presents."""
    signed_at_s: int | None
    """When the holder signed, in seconds since 1970, by the holder's clock."""


def present(
    credential: Credential,
    pointers: Iterable[str],
    *,
    occasion: Occasion,
    now_s: int,
    key: HolderKey | None = None,
) -> Presentation:
    """Make a presentation of these fields, and of the holder's key or its absence.

    ``now_s`` is the present time in seconds since 1970. Raises ``ValueError`` when the document has
    a holder's key and ``key`` is missing; any other key only yields a presentation that is refused.
    """
    shown = list(pointers)
    if HOLDER_KEY_POINTER in credential.record.schema.pointers:
        shown.append(HOLDER_KEY_POINTER)
    if credential.holder_key is not None and key is None:
        raise ValueError("the document has a holder's key, so a presentation needs its signature")
    unsigned = Presentation(
        record=credential.record, fields=disclose_fields(credential, shown), signature=None
    )
    if key is None:
        return unsigned
    return sign_presentation(unsigned, key, occasion=occasion, now_s=now_s)


def sign_presentation(
    presentation: Presentation, key: HolderKey, *, occasion: Occasion, now_s: int
) -> Presentation:
    """Sign what a presentation shows for one occasion, replacing any earlier signature."""
    claims: dict[str, JsonValue] = {
        "aud": occasion.verifier,
        "purpose": occasion.purpose,
        "nonce": occasion.nonce,
        "iat": now_s,
        "commitment": format_digest(presentation.record.commitment),
        "shown": _compute_shown_hash(presentation),
    }
    return replace(
        presentation, signature=sign_claims(claims, key, media_type=SIGNATURE_MEDIA_TYPE)
    )


def validate_presentation(
    presentation: Presentation,
    *,
    occasion: Occasion,
    now_s: int,
    required: Iterable[str] = (),
    max_age_s: int = MAX_AGE_S,
) -> CheckedPresentation:
    """Check proofs, required fields and the holder's signature; no node is asked.

    The caller still has to check on its own node that the commitment is attested by an accredited
    issuer and in force, that the schema's pointers hash is the ledger's, and that it issued the
    nonce and takes it once. Raises :class:`~atesta_client.errors.ProofRefused` or
    :class:`PresentationRefused` with the reason.
    """
    record = presentation.record
    values = validate_fields(
        presentation.fields, record.schema, record.commitment, record.algorithm
    )
    for pointer in required:
        if isinstance(values.get(pointer, ABSENT), Absent):
            raise PresentationRefused(
                ReasonCode.FIELD_MISSING,
                f"the purpose needs the field {pointer!r}, which is not shown",
                pointer=pointer,
            )
    if HOLDER_KEY_POINTER not in record.schema.pointers:
        return CheckedPresentation(values=values, holder=HolderCheck.NOT_CHECKED, signed_at_s=None)
    if HOLDER_KEY_POINTER not in values:
        raise _refuse_unproved(
            "the presentation leaves out whether the document has a holder's key"
        )
    key_field = values[HOLDER_KEY_POINTER]
    if isinstance(key_field, Absent):
        return CheckedPresentation(values=values, holder=HolderCheck.NOT_CHECKED, signed_at_s=None)
    if presentation.signature is None:
        raise _refuse_unproved("the document has a holder's key, and it did not sign")
    signed_at_s = _validate_signature(
        presentation,
        HolderPublicKey.from_field(key_field),
        occasion=occasion,
        now_s=now_s,
        max_age_s=max_age_s,
    )
    return CheckedPresentation(values=values, holder=HolderCheck.PROVED, signed_at_s=signed_at_s)


def encode_presentation(presentation: Presentation) -> bytes:
    """Write a presentation, in RFC 8785 form with a newline at the end."""
    return dump_canonical(format_presentation(presentation)) + b"\n"


def format_presentation(presentation: Presentation) -> dict[str, JsonValue]:
    """Return the presentation as a JSON object."""
    return {**_format_shown(presentation), "signature": presentation.signature}


def decode_presentation(data: bytes | str | dict[str, JsonValue]) -> Presentation:
    """Read a presentation; raise :class:`CredentialRefused` if it is malformed. Proves nothing."""
    reader = read_file(data, PRESENTATION_TYPE)
    signature = reader.get("signature")
    if signature is not None:
        signature = reader.get_text("signature", longest=_MAX_SIGNATURE_LENGTH)
    presentation = Presentation(
        record=read_record(reader),
        fields=tuple(
            _read_field(ObjectReader(value, f"file.fields[{place}]"))
            for place, value in enumerate(reader.get_list("fields", longest=MAX_POINTERS))
        ),
        signature=signature,
    )
    reader.finish()
    return presentation


def validate_occasion(
    claims: Mapping[str, JsonValue], *, occasion: Occasion, now_s: int, max_age_s: int
) -> int:
    """Check that signed claims are for this occasion and fresh; return when they were signed.

    Raises :class:`PresentationRefused` for another verifier, purpose, nonce or time.
    """
    for claim, expected, code, what in (
        ("aud", occasion.verifier, ReasonCode.WRONG_VERIFIER, "another verifier"),
        ("purpose", occasion.purpose, ReasonCode.WRONG_PURPOSE, "another purpose"),
        ("nonce", occasion.nonce, ReasonCode.WRONG_NONCE, "another nonce: it is a replay"),
    ):
        if claims.get(claim) != expected:
            raise PresentationRefused(code, f"the presentation was signed for {what}")
    signed_at_s = claims.get("iat")
    if isinstance(signed_at_s, bool) or not isinstance(signed_at_s, int):
        raise PresentationRefused(
            ReasonCode.HOLDER_SIGNATURE_INVALID, "the time of the signature is not a whole number"
        )
    if not now_s - max_age_s <= signed_at_s <= min(now_s + MAX_CLOCK_SKEW_S, MAX_TIME_S):
        raise PresentationRefused(
            ReasonCode.PRESENTATION_STALE,
            f"the presentation was signed {now_s - signed_at_s} seconds ago by the holder's clock; "
            f"at most {max_age_s} are allowed",
        )
    return signed_at_s


def _validate_signature(
    presentation: Presentation,
    key: HolderPublicKey,
    *,
    occasion: Occasion,
    now_s: int,
    max_age_s: int,
) -> int:
    assert presentation.signature is not None
    claims = verify_claims(presentation.signature, key, media_type=SIGNATURE_MEDIA_TYPE)
    if set(claims) != {"aud", "purpose", "nonce", "iat", "commitment", "shown"}:
        raise PresentationRefused(
            ReasonCode.HOLDER_SIGNATURE_INVALID, "the holder signed other claims than these six"
        )
    shown = (format_digest(presentation.record.commitment), _compute_shown_hash(presentation))
    if (claims["commitment"], claims["shown"]) != shown:
        raise PresentationRefused(
            ReasonCode.HOLDER_SIGNATURE_INVALID, "the holder signed other fields than those shown"
        )
    return validate_occasion(claims, occasion=occasion, now_s=now_s, max_age_s=max_age_s)


def _compute_shown_hash(presentation: Presentation) -> str:
    digest = hashlib.sha256(dump_canonical(_format_shown(presentation))).digest()
    return encode_base64url(digest)


def _format_shown(presentation: Presentation) -> dict[str, JsonValue]:
    return {
        "type": PRESENTATION_TYPE,
        "version": FORMAT_VERSION,
        **format_record(presentation.record),
        "fields": [_format_field(field) for field in presentation.fields],
    }


def _format_field(field: DisclosedField) -> dict[str, JsonValue]:
    members: dict[str, JsonValue] = {
        "index": field.index,
        "pointer": field.pointer,
        "salt": format_digest(field.salt),
        "path": [format_digest(sibling) for sibling in field.path],
    }
    # An absent field has no "value" member: null is a value.
    if not isinstance(field.value, Absent):
        members["value"] = field.value
    return members


def _read_field(reader: ObjectReader) -> DisclosedField:
    field = DisclosedField(
        index=reader.get_integer("index", largest=MAX_POINTERS - 1),
        pointer=reader.get_text("pointer"),
        value=reader.get("value") if reader.has("value") else ABSENT,
        salt=reader.get_digest("salt"),
        path=reader.get_digests("path", longest=_MAX_PATH),
    )
    reader.finish()
    return field


def _refuse_unproved(message: str) -> PresentationRefused:
    return PresentationRefused(ReasonCode.HOLDER_NOT_PROVED, message, pointer=HOLDER_KEY_POINTER)
