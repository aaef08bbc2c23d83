"""Envelopes: commitments to things that are not documents of a schema.

A request for data, the answer to it, a case number, an officer, the form that a resident signed, a
full ISO/IEC TS 27560 consent record: of each the ledger holds 32 bytes, and those entitled to see
it hold the *envelope*: kind, salt and body. Whoever has the envelope recomputes the commitment;
without the salt nobody can test a guess. The bytes before hashing are, end to end:

======  ==========================================================================
bytes   what
======  ==========================================================================
1       ``0x00``, the leaf prefix of RFC 6962
17      ``atesta-envelope-1`` in ASCII
1       the tag of the hash algorithm: ``0x01`` SHA-256, ``0x02`` SM3
1       the length of the kind
1-63    the kind, in ASCII
32      the salt, random
rest    RFC 8785 of the body, an object
======  ==========================================================================

The kind is hashed, so that an envelope made for one place can never be opened in another.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from atesta_client.canonical import dump_canonical
from atesta_client.commitments import SALT_SIZE, RandomBytes
from atesta_client.errors import CredentialRefused, ReasonCode
from atesta_client.hashing import HashAlgorithm, get_hash
from atesta_client.pointers import JsonValue
from atesta_client.wire import ObjectReader, format_digest, refuse_file

FILE_TYPE: Final = "atesta-envelope"
"""Member ``type`` of an envelope's file."""

_TAG: Final = b"atesta-envelope-1"
_VERSION: Final = 1
_KIND_PATTERN: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")


class EnvelopeKind(StrEnum):
    """What an envelope holds. Others may be added; the name is what is hashed."""

    REQUEST = "exchange-request"
    """Who asks whom for which fields of whose record; made by the requester."""
    RESPONSE = "exchange-response"
    """What was released, with the request's commitment; made by the provider."""
    CASE = "case"
    """The number of a case of the requester."""
    OFFICER = "officer"
    """Who acted for an agency."""
    CLERK = "clerk"
    """Who recorded a consent at a counter."""
    FORM = "form"
    """The form that a resident signed, or the call that was recorded."""
    SUBJECT = "subject"
    """The handle of a person between two agencies."""
    CONSENT_RECORD = "consent-record"
    """A full ISO/IEC TS 27560 consent record."""
    KEY_BINDING = "key-binding"
    """To which person, by handle, a resident's fresh key belongs."""
    PERSON = "person"
    """Grantor or grantee of a mandate."""
    BODY = "body"
    """An association or company."""
    MANDATE_RECORD = "mandate-record"
    """A mandate's full record."""
    RESOLUTION = "resolution"
    """The record of an election, or of another decision of a body."""
    FILING = "filing"
    """What was filed for a cross-border instrument."""
    DELIVERY = "delivery"
    """One record of a standing or bulk exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a commitment stands for, complete: keep it, or hand it to those entitled to it."""

    kind: str
    """What it holds; see :class:`EnvelopeKind`."""
    salt: bytes
    """32 random bytes."""
    body: Mapping[str, JsonValue]
    """The content, an object with an RFC 8785 form."""
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256
    """The hash of the commitment."""

    @property
    def commitment(self) -> bytes:
        """What stands on the ledger, 32 bytes.

        Raises :class:`~atesta_client.errors.DocumentRefused` for a body without canonical form.
        """
        kind = self.kind.encode("ascii")
        return get_hash(self.algorithm)(
            b"".join(
                (
                    b"\x00",
                    _TAG,
                    self.algorithm.tag,
                    bytes((len(kind),)),
                    kind,
                    self.salt,
                    dump_canonical(dict(self.body)),
                )
            )
        )


def seal_envelope(
    kind: str,
    body: Mapping[str, JsonValue],
    random_bytes: RandomBytes,
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> Envelope:
    """Put a body under a fresh salt; ``ValueError`` for a kind that is no lower-case name."""
    if not _KIND_PATTERN.fullmatch(kind):
        raise ValueError("a kind is 1 to 63 lower-case letters, digits and hyphens")
    salt = random_bytes(SALT_SIZE)
    assert len(salt) == SALT_SIZE, "the source of randomness fell short"
    return Envelope(kind=str(kind), salt=salt, body=dict(body), algorithm=algorithm)


def encode_envelope(envelope: Envelope) -> dict[str, JsonValue]:
    """Return the envelope's file as JSON."""
    return {
        "type": FILE_TYPE,
        "version": _VERSION,
        "kind": envelope.kind,
        "alg": envelope.algorithm.label,
        "salt": format_digest(envelope.salt),
        "body": dict(envelope.body),
    }


def decode_envelope(value: JsonValue) -> Envelope:
    """Read an envelope's file; :class:`CredentialRefused` names the member at fault."""
    reader = ObjectReader(value, "envelope")
    if reader.get_text("type") != FILE_TYPE:
        refuse_file(f"envelope.type is not {FILE_TYPE}")
    if reader.get_integer("version") != _VERSION:
        raise CredentialRefused(
            ReasonCode.VERSION_UNSUPPORTED, f"only version {_VERSION} of envelopes is known"
        )
    kind = reader.get_text("kind", longest=63)
    if not _KIND_PATTERN.fullmatch(kind):
        refuse_file("envelope.kind is not a lower-case name")
    body = reader.get("body")
    if not isinstance(body, dict):
        refuse_file("envelope.body is not an object")
    envelope = Envelope(
        kind=kind,
        salt=reader.get_digest("salt"),
        body=body,
        algorithm=HashAlgorithm.from_label(reader.get_text("alg")),
    )
    reader.finish()
    dump_canonical(body)
    return envelope


def open_envelope(value: JsonValue, *, kind: str, commitment: bytes) -> Envelope:
    """Read an envelope and check that it is the one behind a commitment.

    Raises :class:`CredentialRefused`: malformed, of another kind, or not what was committed to.
    """
    envelope = decode_envelope(value)
    if envelope.kind != kind:
        refuse_file(f"envelope.kind is {envelope.kind}, not {kind}")
    if envelope.commitment != commitment:
        raise CredentialRefused(
            ReasonCode.COMMITMENT_MISMATCH, "the envelope is not what the ledger's commitment is of"
        )
    return envelope
