"""Who calls, and what they may do: bearer tokens with roles.

A token is 32 random bytes, shown once when made. The server keeps only its SHA-256: with that much
entropy a slow password hash would add nothing. The token file is read again whenever it changes, so
revoking one is an edit, not a restart.

Roles are explicit and do not contain each other, so that an operator's token opens no document.
The one exception: whoever holds any role may read what is public on the ledger (`reader`).

Without a token file the server is for this machine only, and every local caller holds all roles.
A web page open in a browser on the same machine is not such a caller: requests with a foreign
`Origin`, or a `Host` that is not loopback (DNS rebinding), are refused.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from api.errors import Forbidden, InvalidField, Unauthorized, UpstreamFault
from api.settings import is_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""A request handler of aiohttp."""

TOKEN_PREFIX: Final = "atesta_"  # noqa: S105 - lets scanners of leaked secrets recognise ours


class Role(StrEnum):
    """What a caller may do."""

    READER = "reader"
    """Read what is public on the ledger."""
    WRITER = "writer"
    """Submit transactions that the caller signed."""
    ISSUER = "issuer"
    """Make credentials and attestations with the agency's keys; read its own documents."""
    UNOPENED = "unopened"
    """Attest bare commitments that this node has not seen opened."""
    VERIFIER = "verifier"
    """Ask for challenges and have credentials checked."""
    OFFICER = "officer"
    """Ask other agencies for data, release to them; record consents and mandates."""
    DATA_OFFICER = "data_officer"
    """Decide about other agencies' requests."""
    DESCRIBER = "describer"
    """Describe what there is: schemas and their issuers, datasets, notices, purposes."""
    SUPERVISOR = "supervisor"
    """Enter legal bases and permits; stop a dataset, a pair or a basis."""
    GOVERNOR = "governor"
    """Act for the agency towards the others: recognition policies, votes, posts."""
    AUDITOR = "auditor"
    """Explorer, exports and reports; each read is recorded."""
    ADMIN = "admin"
    """Peers, validator votes, node internals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authenticated origin of a request."""

    name: str
    """The token's label, as the operator chose it; "local" without tokens."""
    roles: frozenset[Role]

    def has_any(self, *roles: Role) -> bool:
        """Return whether the caller holds one of `roles`; any role includes `reader`."""
        return bool(self.roles.intersection(roles)) or (bool(self.roles) and Role.READER in roles)


CALLER: Final = web.RequestKey("caller", Caller)
"""Set on every request by the authentication middleware; absent means nobody."""

ROLES_ATTRIBUTE: Final = "_atesta_roles"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What the server keeps of a token."""

    name: str
    digest: bytes
    """SHA-256 of the token's text."""
    roles: frozenset[Role]
    expires_at: datetime | None = None
    """Refused from this moment on; None never expires."""


class TokenStore:
    """The tokens of one file, read again when the file changes."""

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path = path
        self._now = now
        self._stamp: tuple[int, int, int] | None = None
        self._records: dict[bytes, TokenRecord] = {}
        self._refresh()

    def find(self, token: str) -> Caller | None:
        """Return the caller that `token` names; None if unknown, revoked or expired."""
        try:
            self._refresh()
        except InvalidField as error:
            # Nobody is let in by a file that cannot be read now, whatever it held before.
            raise UpstreamFault(
                "the server's tokens cannot be read",
                code="tokens_unreadable",
                next_step="the operator repairs the token file",
            ) from error
        digest = hash_token(token)
        record = self._records.get(digest)
        if record is None or not hmac.compare_digest(record.digest, digest):
            return None
        if record.expires_at is not None and self._now() >= record.expires_at:
            return None
        return Caller(name=record.name, roles=record.roles)

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError as error:
            raise InvalidField("api.token_file", "the token file does not exist") from error
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp != self._stamp:
            self._records = {record.digest: record for record in load_tokens(self._path)}
            self._stamp = stamp


def requires(*roles: Role) -> Callable[[Any], Any]:
    """Mark a handler (function or method) as open to callers with one of `roles`.

    A handler without a mark is refused to everybody: forgetting it closes the door. `requires()`
    without roles opens it to all, tokens or not.
    """

    def mark(handler: Any) -> Any:
        setattr(handler, ROLES_ATTRIBUTE, frozenset(roles))
        return handler

    return mark


def check_roles(caller: Caller | None, roles: Iterable[Role]) -> None:
    """Raise `Unauthorized` or `Forbidden` unless `caller` has one of `roles` or none is needed."""
    needed = tuple(roles)
    if not needed:
        return
    if caller is None:
        raise Unauthorized
    if not caller.has_any(*needed):
        names = tuple(sorted(role.value for role in needed))
        raise Forbidden(f"this needs one of the roles: {', '.join(names)}", needed=names)


def build_auth_middleware(store: TokenStore | None) -> Any:
    """Return the middleware that sets `CALLER` and enforces each handler's `requires` mark."""

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        caller = _authenticate_locally(request) if store is None else _authenticate(request, store)
        if caller is not None:
            request[CALLER] = caller
        # A path or method that no route serves has its own handler, which raises 404 or 405.
        if request.match_info.http_exception is None:
            marked = getattr(request.match_info.handler, ROLES_ATTRIBUTE, None)
            if marked is None:
                raise Forbidden("this route is closed: it declares no role")
            check_roles(caller, marked)
        return await handler(request)

    return authenticate


def create_token(
    name: str, roles: Iterable[Role], *, expires_at: datetime | None = None
) -> tuple[str, TokenRecord]:
    """Return a new token's text, to be shown once, and the record to keep."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    record = TokenRecord(
        name=name, digest=hash_token(token), roles=frozenset(roles), expires_at=expires_at
    )
    return token, record


def hash_token(token: str) -> bytes:
    """Return the SHA-256 of a token's text."""
    return hashlib.sha256(token.encode()).digest()


def load_tokens(path: Path) -> tuple[TokenRecord, ...]:
    """Read a token file; raises `InvalidField` that names the entry at fault."""
    try:
        document = orjson.loads(path.read_bytes())
        entries = document["tokens"]
    except FileNotFoundError as error:
        raise InvalidField("api.token_file", "the token file does not exist") from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InvalidField("api.token_file", "the token file is not {'tokens': [...]}") from error
    return tuple(_read_record(index, entry) for index, entry in enumerate(entries))


def save_tokens(path: Path, records: Iterable[TokenRecord]) -> None:
    """Write a token file atomically, readable by its owner only."""
    document = {
        "tokens": [
            {
                "name": record.name,
                "sha256": record.digest.hex(),
                "roles": sorted(role.value for role in record.roles),
                "expires_at": record.expires_at.isoformat() if record.expires_at else None,
            }
            for record in records
        ]
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


def _read_record(index: int, entry: Any) -> TokenRecord:
    where = f"tokens[{index}]"
    try:
        digest = bytes.fromhex(entry["sha256"])
        roles = frozenset(Role(role) for role in entry["roles"])
        expires = entry.get("expires_at")
        expires_at = datetime.fromisoformat(expires) if expires else None
        name = str(entry["name"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidField(where, "needs name, sha256 (hex), roles and expires_at") from error
    if len(digest) != 32:
        raise InvalidField(f"{where}.sha256", "a SHA-256 has 32 bytes")
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidField(f"{where}.expires_at", "a time needs its zone, e.g. +00:00")
    return TokenRecord(name=name, digest=digest, roles=roles, expires_at=expires_at)


def _authenticate(request: web.Request, store: TokenStore) -> Caller | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    caller = store.find(_read_token(header))
    if caller is None:
        raise Unauthorized("the token is unknown, revoked or expired")
    return caller


def _read_token(header: str) -> str:
    """Return the token of an Authorization header: Bearer, or Basic with the token as password.

    Basic is for a person's browser, which cannot be made to send Bearer without scripts.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unauthorized("the Basic credentials cannot be read") from error
        return pair.partition(":")[2]
    raise Unauthorized("use the Bearer scheme")


def _authenticate_locally(request: web.Request) -> Caller:
    host = urlsplit(f"//{request.host}").hostname or ""
    if not is_loopback(host):
        raise Forbidden("without tokens this server answers only to a loopback Host")
    origin = request.headers.get("Origin")
    if origin is not None and not is_loopback(urlsplit(origin).hostname or ""):
        raise Forbidden("without tokens this server refuses pages of other origins")
    return Caller(name="local", roles=frozenset(Role))
