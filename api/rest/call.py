"""One call of REST: what arrived, checked, and what goes back.

Everything that a handler sees is already of the right type: path parts are bytes and numbers, the
query is validated against the route, the body is a strict model. What does not fit is refused with
the field at fault; the value that was sent is never repeated.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NoReturn

from aiohttp import web
from atesta_client.canonical import is_nested_deeper
from eth_typing import Address
from pydantic import ValidationError

from api.access.callers import CALLER, Caller
from api.access.purposes import refuse_missing
from api.errors import InvalidField, MalformedBody, UserFault
from api.index.queries import Page
from api.near_names import ask_whether
from api.rest.cursors import decode_cursor
from api.rest.ledgers import PREFIX
from api.rest.references import EXAMPLE_LABEL, REFERENCE_PATTERN, read_reference
from api.rest.route import LIMIT, Route
from api.rest.services import RestServices
from api.rest.validation import translate_validation
from api.rest.values import Model, parse_digest

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500

_KEY_PATTERN: Final = re.compile(r"[!-~]{1,200}")
_MAX_INDEX: Final = 2**32 - 1
_NO_REFERENCE: Final = "must be a label, or 0x and 64 hexadecimal digits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One checked request."""

    services: RestServices
    route: Route
    caller: Caller | None
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    """The route's request model, an `Upload`, or None where it takes none."""
    idempotency_key: str
    """A fingerprint of the key that was sent; empty on routes that do not write."""
    body_fingerprint: bytes
    """What the key is bound to: operation, path and body; empty on routes that do not write."""
    purpose: str | None = None
    """For what the caller says that it opens personal data; None if it does not say."""
    signer: Address | None = None
    """As whom an act is tried that another key will sign; None for this node's own account."""
    is_rehearsal: bool = False
    """True if the act is only tried: `submit` refuses with `Rehearsed` instead of promising."""

    def get_digest(self, name: str) -> bytes:
        """Return a 32-byte part of the path."""
        return parse_digest(self.path[name], name)

    def get_reference(self, name: str) -> str:
        """Return an agency or jurisdiction of the path: its label, or 32 bytes in hexadecimal."""
        text = self.path[name]
        if not re.fullmatch(REFERENCE_PATTERN, text):
            raise InvalidField(name, _NO_REFERENCE, extra={"example": EXAMPLE_LABEL})
        return text

    def get_index(self, name: str) -> int:
        """Return a leaf number of the path."""
        text = self.path[name]
        if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > _MAX_INDEX:
            raise InvalidField(name, "a leaf's number is 0 to 4294967295")
        return int(text)

    def find_digest(self, name: str) -> bytes | None:
        """Return a 32-byte query parameter, None if absent."""
        text = self.query.get(name)
        return None if text is None else parse_digest(text, name)

    def find_party(self, name: str) -> bytes | None:
        """Return an agency or jurisdiction of the query, by label or 32 bytes; None if absent."""
        text = self.query.get(name)
        if text is None:
            return None
        if not re.fullmatch(REFERENCE_PATTERN, text):
            raise InvalidField(name, _NO_REFERENCE, extra={"example": EXAMPLE_LABEL})
        return read_reference(text)

    def find_time(self, name: str) -> int | None:
        """Return a time of the query in seconds, None if absent."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise InvalidField(name, "this is not a time such as 2026-11-22T08:00:00Z") from error
        if moment.tzinfo is None:
            raise InvalidField(name, "a time needs its zone, for UTC a Z")
        return int(moment.timestamp())

    def find_period(self) -> tuple[int | None, int | None]:
        """Return `from` and `until` of the query in seconds; raises for an end not after it."""
        from_s, until_s = self.find_time("from"), self.find_time("until")
        if from_s is not None and until_s is not None and until_s <= from_s:
            raise InvalidField("until", "must be later than from")
        return from_s, until_s

    def find_choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Return a query parameter that is one of `choices`, None if absent."""
        text = self.query.get(name)
        if text is not None and text not in choices:
            told = f"must be one of: {', '.join(choices)}{ask_whether(text, choices)}"
            raise InvalidField(name, told, extra={"known": list(choices)})
        return text

    def require_purpose(self) -> None:
        """Raise `PurposeRefused` unless the caller says what it opens personal data for."""
        if self.purpose is None:
            raise refuse_missing()

    def get_page(self) -> Page:
        """Return which part of the list is wanted."""
        text = self.query.get(LIMIT.name)
        limit = DEFAULT_LIMIT
        if text is not None:
            if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_LIMIT:
                raise InvalidField("limit", f"must be a number from 1 to {MAX_LIMIT}")
            limit = int(text)
        cursor = self.query.get("cursor")
        return Page(limit=limit, after=None if cursor is None else decode_cursor(cursor))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came as the body."""

    content_type: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back."""

    model: Model
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer that goes on: the handler writes it itself."""

    serve: Callable[[web.Request], Awaitable[web.StreamResponse]]


class UnknownParameter(InvalidField):
    """A query parameter that an operation does not have; those that it has are told."""

    def __init__(self, name: str, known: list[str]) -> None:
        told = f"it takes: {', '.join(known)}" if known else "it takes none"
        told += ask_whether(name, known)
        super().__init__(
            name[:100],
            f"this operation has no such query parameter; {told}",
            next_step="correct the name, or leave the parameter out",
            extra={"known": known},
        )


async def read_call(
    request: web.Request, route: Route, services: RestServices, *, purpose: str | None = None
) -> Call:
    """Check a request against its route; raises a `UserFault` that names the field at fault."""
    takes_body = route.request is not None or bool(route.upload)
    raw = await request.read() if takes_body else b""
    body: Any = None
    if route.request is not None:
        body = parse_body(route.request, request, raw)
    elif route.upload:
        body = _take_upload(route, request, raw)
    key, fingerprint = "", b""
    if route.writes:
        # Callers make keys of what they have at hand; a fingerprint keeps that to them.
        sent = _read_key(request)
        # One vault remembers the keys of all ledgers, and a key is used once on each.
        place = "" if services.prefix == PREFIX else services.prefix
        key = services.compute_body_fingerprint(b"key" + (place + sent).encode()).hex()
        named = [sorted(request.match_info.items()), sorted(request.query.items())]
        # The caller's key is kept nowhere: who has the vault's keys cannot test a guessed body.
        identity = json.dumps([route.name, sent, *named]).encode()
        written = _write_canonical(raw) if route.request is not None else raw
        fingerprint = services.compute_body_fingerprint(identity + written)
    return Call(
        services=services,
        route=route,
        caller=request.get(CALLER),
        path=dict(request.match_info),
        query=_read_query(request, route),
        body=body,
        idempotency_key=key,
        body_fingerprint=fingerprint,
        purpose=purpose,
    )


def _take_upload(route: Route, request: web.Request, raw: bytes) -> Upload:
    if request.content_type not in route.upload:
        raise UserFault(
            f"the body must be {' or '.join(route.upload)}",
            code="unsupported_media_type",
            field="Content-Type",
            status=415,
        )
    return Upload(content_type=request.content_type, raw=raw)


def parse_body(model: type[Model], request: web.Request, raw: bytes) -> Model:
    """Read a strict JSON body as `model`."""
    if request.content_type != "application/json":
        raise UserFault(
            "the body must be application/json",
            code="unsupported_media_type",
            field="Content-Type",
            status=415,
        )
    try:
        _parse_strictly(raw)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        reason = (
            error.args[0] if isinstance(error, _AmbiguousJson) else "the body is not valid JSON"
        )
        raise MalformedBody(reason) from None
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise translate_validation(error, model) from None


_MAX_NESTING: Final = 64


class _AmbiguousJson(ValueError):
    """JSON that two readers could read differently."""


def _parse_strictly(raw: bytes) -> Any:
    text = raw.decode("utf-8")
    # Before reading: py-evm raises the recursion limit, so deep nesting would overrun the stack.
    if is_nested_deeper(text, _MAX_NESTING):
        raise _AmbiguousJson(f"the body is nested deeper than {_MAX_NESTING} levels")
    return json.loads(text, object_pairs_hook=_build_object, parse_constant=_refuse_constant)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _AmbiguousJson("an object of the body names the same member twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise _AmbiguousJson("the body holds a number that JSON does not have")


def _write_canonical(raw: bytes) -> bytes:
    """Write a body in one spelling, so that a retry may format it in another way."""
    return json.dumps(
        _parse_strictly(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=True
    ).encode()


def _read_key(request: web.Request) -> str:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        raise UserFault(
            "a request that writes needs an Idempotency-Key header",
            code="idempotency_key_missing",
            field="Idempotency-Key",
            next_step="send a new random key, such as a UUID; repeat it only to retry",
        )
    if not _KEY_PATTERN.fullmatch(key):
        raise InvalidField("Idempotency-Key", "must be 1 to 200 printable ASCII characters")
    return key


def _read_query(request: web.Request, route: Route) -> dict[str, str]:
    known = [parameter.name for parameter in route.query]
    query: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known:
            raise UnknownParameter(name, known)
        if name in query:
            raise InvalidField(name, "this query parameter is given twice")
        query[name] = value
    return query
