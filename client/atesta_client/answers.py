"""What a node answers over REST, as frozen dataclasses.

Answers are read leniently, unlike files: a member that this version does not know is ignored, so
that a newer node can add members without breaking an integrator. A member that it needs and does
not find, or finds with another type, raises :class:`RestAnswerMalformed`.

Uids, hashes and addresses stay the hex texts of the interface, times become aware ``datetime``.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from atesta_client.errors import RestAnswerMalformed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A node's service at a glance."""

    agency: str
    """The agency that runs it."""
    account: str
    """The account that signs."""
    chain_id: int
    """The ledger."""
    genesis_hash: str
    """Hash of its genesis block."""
    block: int
    """Last final block."""
    block_time: datetime
    """Its time."""
    behind_s: int
    """Seconds since that block."""
    indexed_block: int
    """Last block in the index."""
    pending: int
    """Writes not yet final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """A member agency as the registry has it at the last final block."""

    id: str
    """The agency's identifier."""
    name: str | None
    """Name from the node's own address book."""
    jurisdiction: str
    """Identifier of the jurisdiction."""
    status: str
    """``active`` or ``suspended``."""
    attestations: int
    """Creations and state changes that this agency has made."""
    head: str
    """Chained hash over all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaAnswer:
    """A schema as registered."""

    uid: str
    """The schema's identifier."""
    owner: str
    """Agency that registered it."""
    pointers_hash: str
    """Hash of the ordered pointers, from the chain."""
    title: str | None
    """Name, if the node holds the text."""
    pointers: tuple[str, ...] | None
    """The ordered pointers, if the node holds them."""
    accredited: tuple[str, ...]
    """Agencies that may attest under it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAnswer:
    """A credential made by the agency that was asked."""

    uid: str
    """The record's identifier."""
    schema_uid: str
    """Its schema."""
    commitment: str
    """Root of the tree."""
    attested: bool
    """Whether attesting it has been accepted."""
    valid_until: datetime | None = None
    """End of validity."""
    previous: str | None = None
    """Record superseded."""
    batch: str | None = None
    """Batch that contains it."""
    credential: dict[str, Any] | None = None
    """The credential file, for :func:`atesta_client.credentials.decode_credential`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A write is durable at the node and will be on the chain."""

    operation: str
    """The operation's identifier."""
    uid: str
    """The record concerned."""
    transaction: str
    """Hash of the signed transaction."""
    state: str
    """``queued``, ``submitted``, ``final`` or ``failed``."""
    follow: str
    """Path to follow until final."""
    record: str
    """Path of the record."""
    unopened: bool = False
    """True when a bare commitment was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One write and how far it has come."""

    id: str
    """The operation's identifier."""
    kind: str
    """What it does."""
    uid: str
    """The record concerned."""
    state: str
    """``queued``, ``submitted``, ``final`` or ``failed``."""
    transaction: str
    """Hash of the signed transaction."""
    block: int | None
    """Block that contains it, once final."""
    error: str | None
    """Why it failed, as ``module: reason``."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.state in {"final", "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One attestation as the chain has it at the last final block."""

    uid: str
    """The record's identifier."""
    issuer: str
    """Agency that attested."""
    schema_uid: str
    """Its schema."""
    commitment: str
    """Commitment to the document."""
    state: str
    """``active``, ``suspended``, ``revoked``, ``superseded`` or ``erased``."""
    valid_until: datetime | None
    """End of validity."""
    previous: str | None
    """Record that this one superseded."""
    superseded_by: str | None
    """Record that superseded it."""
    block: int
    """Block of creation."""
    block_time: datetime
    """Time of that block."""
    event_time: datetime
    """When it was captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A single-use nonce of a verifier."""

    nonce: str
    """What the holder signs."""
    verifier: str
    """The verifier's agency id, which the holder signs too."""
    purpose: str
    """The purpose, which the holder signs too."""
    expires: datetime
    """After this the nonce is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason or notice of a verification."""

    code: str
    """Stable code for programs."""
    text: str
    """Plain words for people."""
    field: str | None = None
    """Field concerned; never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The answer to a check."""

    result: str
    """``valid``, ``not_valid`` or ``cannot_say``."""
    reasons: tuple[Finding, ...]
    """Every reason against; empty when valid."""
    notices: tuple[Finding, ...]
    """What the clerk must still do or know."""
    next_step: str
    """What to do now, in plain words."""
    holder_checked: bool
    """Whether the holder proved their key."""
    disclosed: tuple[str, ...]
    """Fields that were opened and checked."""
    block: int
    """Last final block of the node that answered."""
    block_time: datetime
    """Its time."""
    behind_s: int
    """Seconds since that block."""
    policy: str | None = None
    """Purpose of the recognition policy applied; ``None`` where the verifier has set none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who did what to a record, shaped after W3C PROV."""

    uid: str
    """The record asked for."""
    entities: tuple[dict[str, Any], ...] = field(default=())
    """The record and those tied to it."""
    activities: tuple[dict[str, Any], ...] = field(default=())
    """Acts, oldest first."""
    agents: tuple[dict[str, Any], ...] = field(default=())
    """Agencies named above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list."""

    items: tuple[T, ...]
    """The items, in the order of the list."""
    next: str | None
    """Cursor for what follows; ``None`` at the end."""


def read_answer(kind: type[T], data: Any) -> T:
    """Read a decoded JSON object as one of the dataclasses above."""
    value = _read(kind, data, kind.__name__)
    assert isinstance(value, kind)
    return value


def read_page(kind: type[T], data: Any) -> Page[T]:
    """Read a decoded JSON page whose items are of one kind."""
    if not isinstance(data, Mapping) or not isinstance(data.get("items"), list):
        raise RestAnswerMalformed("a page has no items")
    cursor = data.get("next")
    return Page(
        items=tuple(read_answer(kind, item) for item in data["items"]),
        next=cursor if isinstance(cursor, str) else None,
    )


def _read(expected: Any, value: Any, where: str) -> Any:
    origin = get_origin(expected)
    if origin in {Union, types.UnionType}:
        if value is None and type(None) in get_args(expected):
            return None
        (inner,) = (option for option in get_args(expected) if option is not type(None))
        return _read(inner, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _refuse(where, "an array")
        return tuple(_read(get_args(expected)[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise _refuse(where, "an object")
        return value
    if expected is datetime:
        return _read_time(value, where)
    if hasattr(expected, "__dataclass_fields__"):
        return _read_dataclass(expected, value, where)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise _refuse(where, f"of type {expected.__name__}")
    return value


def _read_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _refuse(where, "an object")
    hints = get_type_hints(kind)
    members = {}
    for member in fields(kind):
        if member.name in value:
            members[member.name] = _read(
                hints[member.name], value[member.name], f"{where}.{member.name}"
            )
        elif member.default is MISSING and type(None) in get_args(hints[member.name]):
            members[member.name] = None
        elif member.default is MISSING:
            raise _refuse(f"{where}.{member.name}", "there")
    return kind(**members)


def _read_time(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _refuse(where, "a time") from error
    if moment.tzinfo is None:
        raise _refuse(where, "a time with its zone")
    return moment


def _refuse(where: str, expected: str) -> RestAnswerMalformed:
    return RestAnswerMalformed(f"the node's answer is not understood: {where} is not {expected}")
