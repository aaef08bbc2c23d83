"""A request as a value, and how the functions of this package build one.

An *act* is a request that changes the ledger. It keeps its name and the variable parts of its path,
so that the same value can be sent, tried (:func:`~atesta_client.requests.explain`) or prepared for
a key that signs elsewhere (:func:`~atesta_client.requests.create_prepared_act`).
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar

from atesta_client.answers import Accepted, Page, read_answer, read_page
from atesta_client.pointers import JsonValue
from atesta_client.requests.encoding import encode_members, encode_query, encode_segment
from atesta_client.requests.parts import Lateness

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A body that is not JSON."""

    content_type: str
    """Its media type."""
    data: bytes
    """The bytes as they are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """One request and how to read its answer."""

    method: str
    """The HTTP method."""
    path: str
    """The path under ``/v1``."""
    read: Callable[[Any], T]
    """Turns the decoded JSON answer into its type."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The query parameters."""
    body: JsonValue | None = None
    """The JSON body."""
    upload: Upload | None = None
    """A body that is not JSON."""
    idempotency_key: str | None = None
    """Set on requests that write."""
    purpose: str | None = None
    """What personal data is opened for: the uid of a purpose on the ledger, or a word such as
    ``service``; ``None`` leaves it to the client."""
    act: str | None = None
    """The act's name, such as ``exchange.request``; ``None`` if it is no act of the law."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of an act's path."""

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it again cannot do anything twice."""
        return self.method in {"GET", "PUT"} or self.idempotency_key is not None

    def for_purpose(self, purpose: str) -> "Request[T]":
        """Return the same request for a purpose, which the node writes into its record of reads."""
        return replace(self, purpose=purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Generic[T]):
    """A stream of server-sent events, for ``client.stream``."""

    path: str
    """The path under ``/v1``."""
    read: Callable[[Any], T]
    """Turns the decoded data of one event into its type."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The query parameters."""
    last_id: str | None = None
    """The cursor after which it begins; ``None`` to begin with what comes."""


class Paging(TypedDict, total=False):
    """Which part of a list is asked for."""

    cursor: str | None
    """``next`` of the page before."""
    limit: int
    """Most items of the page; 50 when absent."""


class Filters(Paging, total=False):
    """By what every list of the law's records can be narrowed, and its paging."""

    agency: str | bytes | None
    """Only records to which this agency is a party; its label or id."""
    state: str | None
    """Only records in this state."""
    since: datetime | None
    """Only records whose block time is not before."""
    until: datetime | None
    """Only records whose block time is before."""


class Writing(TypedDict, total=False):
    """What every write may say besides."""

    idempotency_key: str | None
    """Names this write for ever; drawn at random when absent."""


class Acting(Writing, total=False):
    """What every act may say besides."""

    event_time: datetime | None
    """When it was captured or decided, if not now."""
    late: Lateness | None
    """Who answers for an act past the ledger's limit, and why; needed then, and only then."""


def build_path(template: str, parts: Mapping[str, Any]) -> str:
    """Fill the variable parts of a path; bytes as hex, everything quoted."""
    return template.format(**{name: encode_segment(value) for name, value in parts.items()})


def get(kind: type[T], template: str, **parts: Any) -> Request[T]:
    """Build a request for one thing."""
    return Request(
        method="GET", path=build_path(template, parts), read=lambda data: read_answer(kind, data)
    )


def list_page(
    kind: type[T], template: str, query: Mapping[str, Any], **parts: Any
) -> Request[Page[T]]:
    """Build a request for a part of a list; ``since`` is what the interface calls ``from``."""
    return Request(
        method="GET",
        path=build_path(template, parts),
        query=encode_query(query),
        read=lambda data: read_page(kind, data),
    )


def send(
    kind: type[T],
    method: str,
    template: str,
    body: Mapping[str, Any] | None,
    *,
    key: str | None = None,
    **parts: Any,
) -> Request[T]:
    """Build a request with a body; members that are ``None`` are left out."""
    return Request(
        method=method,
        path=build_path(template, parts),
        body=None if body is None else encode_members(body),
        idempotency_key=key,
        read=lambda data: read_answer(kind, data),
    )


def write(
    name: str | None,
    template: str,
    body: Mapping[str, Any] | None,
    options: Writing,
    *,
    method: str = "POST",
    **parts: Any,
) -> Request[Accepted]:
    """Build a write that is followed until it is settled; ``name`` is its act's, if it is one."""
    return Request(
        method=method,
        path=build_path(template, parts),
        body=None if body is None else encode_members(body),
        idempotency_key=options.get("idempotency_key") or make_key(),
        act=name,
        parts={part: encode_segment(value) for part, value in parts.items()},
        read=lambda data: read_answer(Accepted, data),
    )


def act(
    name: str, template: str, body: Mapping[str, Any], options: Acting, **parts: Any
) -> Request[Accepted]:
    """Build an act of the law, which may be captured earlier and posted late."""
    body = {"event_time": options.get("event_time"), "late": options.get("late"), **body}
    return write(name, template, body, options, **parts)


def make_key() -> str:
    """Draw an idempotency key."""
    return uuid.uuid4().hex
