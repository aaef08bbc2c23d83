"""Writing values as the interface has them: bytes as hex, times in UTC, files as JSON.

Wherever a uid, a hash or an address is asked for, both forms go: 32 bytes, or the ``0x`` text of
the interface. Wherever a file is asked for, both go: the object of this library (a credential, a
presentation, an envelope, a holder's public key), or its JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import quote

from atesta_client.canonical import load_json
from atesta_client.credentials import Credential, encode_credential
from atesta_client.envelopes import Envelope, encode_envelope
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.pointers import JsonValue
from atesta_client.predicate_definitions import format_predicate
from atesta_client.predicates import AgeAtLeast, Below, OneOf, Predicate
from atesta_client.presentations import Presentation, encode_presentation

Hex: TypeAlias = str | bytes
"""A uid, hash, address, signature or call: bytes, or hex after ``0x``."""

AgencyName: TypeAlias = str | bytes
"""An agency or a jurisdiction: its label, such as ``mo-health-bureau``, or its id, 32 bytes."""

JsonObject: TypeAlias = Mapping[str, JsonValue]
"""A JSON object, sent as it is."""

EnvelopeFile: TypeAlias = Envelope | JsonObject
"""An envelope, or its file."""

CredentialFile: TypeAlias = Credential | JsonObject
"""A credential, or its file."""

PredicateItem: TypeAlias = Predicate | JsonObject
"""A yes/no field of a schema, or its definition as JSON."""

PresentationFile: TypeAlias = Presentation | JsonObject
"""A presentation, or its file."""


def encode_value(value: Any) -> JsonValue:
    """Return a value as JSON; ``ValueError`` for a time without its zone."""
    match value:
        case bytes():
            return "0x" + value.hex()
        case datetime():
            return _format_time(value)
        case timedelta():
            return int(value.total_seconds())
        case Credential():
            return load_json(encode_credential(value))
        case Presentation():
            return load_json(encode_presentation(value))
        case Envelope():
            return encode_envelope(value)
        case HolderPublicKey():
            return value.to_field()
        case AgeAtLeast() | Below() | OneOf():
            return format_predicate(value)
        case Mapping():
            return {name: encode_value(member) for name, member in value.items()}
        case str():
            return str(value)
        case Sequence():
            return [encode_value(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return encode_members({part.name: getattr(value, part.name) for part in fields(value)})
    return value


def encode_members(members: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return the members of a body that were given."""
    return {name: encode_value(value) for name, value in members.items() if value is not None}


def encode_query(query: Mapping[str, Any]) -> dict[str, str]:
    """Return the query parameters that were given, as text."""
    given = {}
    for name, value in query.items():
        if value is None:
            continue
        if isinstance(value, (list, tuple)):
            given[name] = ",".join(encode_query_value(item) for item in value)
        else:
            given["from" if name == "since" else name] = encode_query_value(value)
    return {name: value for name, value in given.items() if value}


def encode_query_value(value: Any) -> str:
    """Return one value as the text of a query or of a path."""
    return str(encode_value(value))


def encode_segment(value: Any) -> str:
    """Return one value as a segment of a path, so that it can never become two or none.

    Raises ``ValueError`` for a value that no path can hold: nothing, a dot or two.
    """
    text = encode_query_value(value)
    if text in {"", ".", ".."}:
        raise ValueError("a part of a path is neither empty nor made of dots")
    return quote(text, safe="")


def _format_time(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
