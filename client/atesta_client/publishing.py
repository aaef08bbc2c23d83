"""A resident's request to publish a credential on another ledger.

A credential that stands on a jurisdiction's own ledger is unknown on the other side. Its holder may
ask the issuer to publish it on a ledger that both sides hold; nobody else can. The request is a
compact JWS of type ``atesta-publish+jwt`` by the holder's key (``atesta_client.holder_keys``) over

==============  ==========================================================================
claim           what
==============  ==========================================================================
``aud``         the issuer's agency id, 0x and 64 hexadecimal digits
``credential``  the credential's uid
``commitment``  its commitment
``from``        the ledger on which it stands: ``chain_id`` and ``genesis_hash``
``to``          the ledger on which it shall be published, likewise
``nonce``       32 random bytes, so that each request counts once
``iat``         when it was signed, in seconds since 1970, by the holder's clock
==============  ==========================================================================

The issuer keeps the request. Whoever has it, and the credential's holder key, can check it later
with :func:`validate_publish_request`, then without a limit of age.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from atesta_client.credentials import Credential, LedgerReference, RecordReference
from atesta_client.errors import PresentationRefused, ReasonCode
from atesta_client.hashing import DIGEST_SIZE
from atesta_client.holder_keys import HolderKey, HolderPublicKey, sign_claims, verify_claims
from atesta_client.pointers import JsonValue
from atesta_client.presentations import MAX_CLOCK_SKEW_S

PUBLISH_MEDIA_TYPE: Final = "atesta-publish+jwt"
"""The ``typ`` of the holder's signature."""

MAX_REQUEST_AGE_S: Final = 86_400
"""How old a request may be when the issuer gets it, in seconds."""

_DIGITS: Final = 2 + 2 * DIGEST_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """A request that the holder's key signed."""

    nonce: str
    """What makes it count once: 0x and 64 hexadecimal digits."""
    signed_at_s: int
    """When it was signed, in seconds since 1970, by the holder's clock."""


def sign_publish_request(
    credential: Credential,
    key: HolderKey,
    *,
    target: LedgerReference,
    now_s: int,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Sign the request to publish a credential on the ledger ``target``; returns the JWS.

    Raises ``ValueError`` where the document holds no holder's key, or another one.
    """
    public = credential.holder_key
    if public is None or public.to_field() != key.public_key.to_field():
        raise ValueError("only the key in the document can ask for it to be published")
    claims = _build_claims(credential.record, target)
    claims |= {"nonce": "0x" + random_bytes(DIGEST_SIZE).hex(), "iat": now_s}
    return sign_claims(claims, key, media_type=PUBLISH_MEDIA_TYPE)


def validate_publish_request(
    token: str,
    holder: HolderPublicKey,
    *,
    record: RecordReference,
    target: LedgerReference,
    now_s: int | None,
    max_age_s: int = MAX_REQUEST_AGE_S,
) -> PublishRequest:
    """Check a request for this credential and ledger; with ``now_s``, also that it is fresh.

    Raises :class:`PresentationRefused`: signed by another key, for another credential or ledger,
    malformed, or stale.
    """
    claims = verify_claims(token, holder, media_type=PUBLISH_MEDIA_TYPE)
    for name, expected in _build_claims(record, target).items():
        if claims.get(name) != expected:
            raise PresentationRefused(
                ReasonCode.HOLDER_SIGNATURE_INVALID,
                f"the request was signed for another {_WORDS[name]}",
            )
    nonce, signed_at_s = claims.get("nonce"), claims.get("iat")
    if not isinstance(nonce, str) or len(nonce) != _DIGITS:
        raise PresentationRefused(
            ReasonCode.HOLDER_SIGNATURE_INVALID, "the request has no nonce of 32 bytes"
        )
    if isinstance(signed_at_s, bool) or not isinstance(signed_at_s, int):
        raise PresentationRefused(
            ReasonCode.HOLDER_SIGNATURE_INVALID, "the time of the request is not a whole number"
        )
    if now_s is not None and not now_s - max_age_s <= signed_at_s <= now_s + MAX_CLOCK_SKEW_S:
        raise PresentationRefused(
            ReasonCode.PRESENTATION_STALE,
            f"the request was signed {now_s - signed_at_s} seconds ago by the holder's clock; "
            f"at most {max_age_s} are allowed",
        )
    return PublishRequest(nonce=nonce, signed_at_s=signed_at_s)


_WORDS: Final = {
    "aud": "issuer",
    "credential": "credential",
    "commitment": "document",
    "from": "ledger of origin",
    "to": "ledger to publish on",
}


def _build_claims(record: RecordReference, target: LedgerReference) -> dict[str, JsonValue]:
    return {
        "aud": "0x" + record.issuer.hex(),
        "credential": "0x" + record.uid.hex(),
        "commitment": "0x" + record.commitment.hex(),
        "from": _name(record.ledger),
        "to": _name(target),
    }


def _name(ledger: LedgerReference) -> dict[str, JsonValue]:
    return {"chain_id": ledger.chain_id, "genesis_hash": "0x" + ledger.genesis_hash.hex()}
