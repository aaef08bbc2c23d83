"""Showing some fields of an SD-JWT VC, signed by the holder for one verifier and one occasion.

The holder's signature is the key binding of RFC 9901: a JWT of type ``kb+jwt`` over ``aud`` (the
verifier), ``nonce``, ``iat`` and ``sd_hash``, the hash of everything shown, and over ``purpose``
besides. A document without a holder's key is shown without it, and the verifier learns that the
holder was not checked: it must compare name and birth date with the person.

Unlike a presentation of the credential file, what is shown here rests on the issuer's signature:
nothing leads from one field to the commitment. The record is named and signed all the same, so its
state on the ledger counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from atesta_client.credentials import RecordReference
from atesta_client.errors import DocumentRefused, PresentationRefused, ReasonCode
from atesta_client.formats.jose import read_token
from atesta_client.formats.sd_jwt import SdJwt, compute_digest, decode_sd_jwt, open_claims
from atesta_client.formats.sd_jwt_vc import FindKey, OpenedToken, open_sd_jwt_vc
from atesta_client.holder_keys import HolderKey, sign_claims, verify_claims
from atesta_client.pointers import Absent, JsonValue, format_pointer, get_value, parse_pointer
from atesta_client.presentations import MAX_AGE_S, HolderCheck, Occasion, validate_occasion

KEY_BINDING_TYPE: Final = "kb+jwt"
"""The ``typ`` of the holder's signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFields:
    """What a verifier may rely on, provided that the ledger has the record in force."""

    record: RecordReference
    """The record that the token names."""
    values: Mapping[str, JsonValue]
    """The values shown, by pointer of the schema."""
    holder: HolderCheck
    """What is known about who presents."""
    signed_at_s: int | None
    """When the holder signed, in seconds since 1970, by the holder's clock."""


def show_sd_jwt_vc(
    text: str,
    pointers: Iterable[str],
    *,
    occasion: Occasion,
    now_s: int,
    key: HolderKey | None = None,
) -> str:
    """Show these fields of a whole export and nothing else, signed where the document has a key.

    Raises :class:`DocumentRefused` for a field that the document lacks (SD-JWT cannot prove
    absence), ``ValueError`` when the document has a holder's key and ``key`` is missing.
    """
    whole = decode_sd_jwt(text)
    claims = read_token(whole.token).claims
    places = open_claims(claims, whole.disclosures).places
    wanted = set()
    for pointer in pointers:
        tokens = parse_pointer(pointer)
        if pointer not in places and pointer not in {f"/{name}" for name in claims}:
            raise DocumentRefused(
                ReasonCode.FIELD_MISSING,
                f"the document has no field {pointer!r} to show",
                pointer=pointer,
            )
        wanted |= {format_pointer(tokens[:depth]) for depth in range(1, len(tokens) + 1)}
    shown = whole.show(places[place] for place in sorted(wanted) if place in places)
    if claims.get("cnf") is not None and key is None:
        raise ValueError("the document has a holder's key, so showing it needs its signature")
    return shown.encode() if key is None else _sign(shown, key, occasion, now_s).encode()


def validate_shown(
    text: str,
    find_key: FindKey,
    *,
    occasion: Occasion,
    now_s: int,
    required: Iterable[str] = (),
    max_age_s: int = MAX_AGE_S,
) -> ShownFields:
    """Check the issuer's and the holder's signature; no node is asked but by ``find_key``.

    The caller still has to check on its own node that the record is attested and in force, and that
    it issued the nonce and takes it once. Raises :class:`FormatRefused` or
    :class:`PresentationRefused` with the reason.
    """
    token = open_sd_jwt_vc(text, find_key)
    values = list_values(token)
    for pointer in required:
        if pointer not in values:
            raise PresentationRefused(
                ReasonCode.FIELD_MISSING,
                f"the purpose needs the field {pointer!r}, which is not shown",
                pointer=pointer,
            )
    signed_at_s = _validate_binding(token, occasion, now_s=now_s, max_age_s=max_age_s)
    return ShownFields(
        record=token.record,
        values=values,
        holder=HolderCheck.NOT_CHECKED if signed_at_s is None else HolderCheck.PROVED,
        signed_at_s=signed_at_s,
    )


def list_values(token: OpenedToken) -> dict[str, JsonValue]:
    """Return the fields shown, by pointer of the schema; the holder's key is always among them."""
    found = {
        pointer: get_value(token.opened.claims, parse_pointer(pointer))
        for pointer in token.record.schema.pointers
    }
    return {pointer: value for pointer, value in found.items() if not isinstance(value, Absent)}


def _sign(shown: SdJwt, key: HolderKey, occasion: Occasion, now_s: int) -> SdJwt:
    claims: dict[str, JsonValue] = {
        "aud": occasion.verifier,
        "purpose": occasion.purpose,
        "nonce": occasion.nonce,
        "iat": now_s,
        "sd_hash": compute_digest(shown.shown),
    }
    return replace(shown, key_binding=sign_claims(claims, key, media_type=KEY_BINDING_TYPE))


def _validate_binding(
    token: OpenedToken, occasion: Occasion, *, now_s: int, max_age_s: int
) -> int | None:
    """Return when the holder signed; ``None`` where the document has no holder's key."""
    holder, signature = token.holder_key, token.sd_jwt.key_binding
    if holder is None:
        return None
    if signature is None:
        raise PresentationRefused(
            ReasonCode.HOLDER_NOT_PROVED,
            "the document has a holder's key, and it did not sign",
            pointer="/cnf",
        )
    claims = verify_claims(signature, holder, media_type=KEY_BINDING_TYPE)
    if claims.get("sd_hash") != compute_digest(token.sd_jwt.shown):
        raise PresentationRefused(
            ReasonCode.HOLDER_SIGNATURE_INVALID, "the holder signed other fields than those shown"
        )
    return validate_occasion(claims, occasion=occasion, now_s=now_s, max_age_s=max_age_s)
