"""The small values that every resource is made of: identifiers, times, states, reasons.

Identifiers are 32 random bytes or 20-byte addresses, written as lower-case hexadecimal with
`0x`. Times are UTC with a `Z`, whole seconds, because the chain keeps whole seconds. Nothing
here can hold text, so no value of these types can carry personal data on to the chain.
"""

import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from api.errors import InvalidField
from api.records import compute_moment

_OUT_OF_CALENDAR: Final = "a time lies from 1970 to 9999"
"""The ledger counts seconds from 1970, and none is negative."""

_DIGEST_PATTERN: Final = re.compile(r"0x[0-9a-fA-F]{64}")

EXAMPLE_UID = "0x5b1c9d0e6f7a48b39c2d1e0f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7"
EXAMPLE_SCHEMA = "0x3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a"
EXAMPLE_AGENCY = "0x6d6f2d6865616c74682d6275726561750000000000000000000000000000a7e5"
EXAMPLE_COMMITMENT = "0x9a0c6d1f2be34857a9c3e0d14f6b28c75d8ea1f03b92c64e7f50d1a8b3c6e9f2"
EXAMPLE_HASH = "0xd1f3a5b7c9e10213243546576879808182838485868788898a8b8c8d8e8f9091"
EXAMPLE_ADDRESS = "0x52908400098527886e0f7030069857d2e4169ee7"
EXAMPLE_TIME = "2026-11-22T08:00:00Z"


class Model(BaseModel):
    """A strict, frozen JSON object: no unknown member, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, ser_json_bytes="base64")


def _to_whole_seconds(value: datetime) -> datetime:
    try:
        moment = value.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError(_OUT_OF_CALENDAR) from None
    if moment.timestamp() < 0:
        raise ValueError(_OUT_OF_CALENDAR)
    return moment


def _write_time(value: datetime) -> str:
    # UTC and whole seconds by now; every list writes hundreds.
    return value.isoformat()[:19] + "Z"


def _refuse_controls(value: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise ValueError("a title is one line without control characters")
    return value


Uid = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$", to_lower=True),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}),
]
"""32 bytes as `0x` and 64 hexadecimal digits."""

AddressText = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$", to_lower=True),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}),
]
"""A 20-byte account address as `0x` and 40 hexadecimal digits."""

Bytes32List = Annotated[list[Uid], Field(max_length=64)]

Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^/]*)+$", max_length=200)]
"""A JSON pointer (RFC 6901) to one field, such as `/v/0/ci`."""

Time = Annotated[
    AwareDatetime,
    AfterValidator(_to_whole_seconds),
    PlainSerializer(_write_time, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in UTC, whole seconds, such as `2026-11-22T08:00:00Z`."""

JsonObject = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
"""Any JSON object; what may be in it is said by the field."""

Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_refuse_controls),
]
"""One line for people, without control characters, which not every database takes."""


class State(StrEnum):
    """The state of an attestation, or of one member of a batch."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    ERASED = "erased"


class TargetState(StrEnum):
    """What an issuer may set: suspend, reinstate (`active`) or revoke.

    `superseded` is not set by hand: attest a new record whose `previous` is the old one.
    """

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Reason(StrEnum):
    """Why a state changed: the few neutral codes that may stand on the chain."""

    ERROR = "error"
    SUPERSEDED = "superseded"
    ENDED_BY_LAW = "ended_by_law"
    HOLDER_REQUEST = "holder_request"
    SECURITY = "security"


class Algorithm(StrEnum):
    """The hash of a commitment tree."""

    SHA_256 = "sha-256"
    SM3 = "sm3"


class OperationState(StrEnum):
    """How far a write has come.

    `queued`: durable here, not yet taken by a node. `submitted`: a node holds it.
    `final`: in a block with quorum seals. `reported`: in its place in front of another network,
    which reports it in a block that it will not take back. `failed`: included but refused by the
    contract, or made impossible; nothing was changed.
    """

    QUEUED = "queued"
    SUBMITTED = "submitted"
    FINAL = "final"
    REPORTED = "reported"
    FAILED = "failed"


class Result(StrEnum):
    """The answer to a check."""

    VALID = "valid"
    NOT_VALID = "not_valid"
    CANNOT_SAY = "cannot_say"


def parse_time(seconds: int) -> datetime:
    """Turn chain seconds into a UTC moment, at most the last one of the calendar."""
    return compute_moment(seconds)


def parse_optional_time(seconds: int) -> datetime | None:
    """Turn chain seconds into a moment, where 0 means "none"."""
    return parse_time(seconds) if seconds else None


def encode_time(value: datetime | None) -> int:
    """Turn a moment into chain seconds, 0 for none."""
    return 0 if value is None else int(value.timestamp())


def encode_hex(value: bytes) -> str:
    """Write bytes as lower-case hexadecimal with `0x`."""
    return "0x" + value.hex()


def decode_hex(value: str) -> bytes:
    """Read `0x` hexadecimal that a model has already checked."""
    return bytes.fromhex(value[2:])


def parse_digest(text: str, name: str) -> bytes:
    """Read 32 bytes of a path or query; raises `InvalidField` that names it."""
    if not _DIGEST_PATTERN.fullmatch(text):
        raise InvalidField(name, "must be 0x and 64 hexadecimal digits")
    return bytes.fromhex(text[2:])
