"""Bearer tokens of the operator's own file.

A token is 32 random bytes, shown once when made. The server keeps only its SHA-256: with that much
entropy a slow password hash would add nothing. The token file is read again whenever it changes,
so revoking one is an edit, not a restart.

On which day a token was last used is kept in a file of its own beside it (`token_usage`), because
the token file belongs to the operator and is never written by a server.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from api.access.callers import Caller, Role
from api.access.limits import Limits, parse_limits, write_limits
from api.access.persons import read_person
from api.durable_files import replace_file
from api.errors import InvalidField, UpstreamFault

TOKEN_PREFIX: Final = "atesta_"  # noqa: S105 - lets scanners of leaked secrets recognise ours

_FIELD: Final = "api.token_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What the server keeps of a token."""

    name: str
    digest: bytes
    """SHA-256 of the token's text."""
    roles: frozenset[Role]
    expires_at: datetime | None = None
    """Refused from this moment on; None never expires."""
    created_at: datetime | None = None
    """None in files that were written before it was noted."""
    limits: Limits = field(default_factory=Limits)
    """Limits of its own; what is missing is the server's."""
    person: str | None = None
    """Who acts by it, as the agency numbers its staff."""

    @property
    def id(self) -> str:
        """Names the token in the record of last uses; tells nothing of it."""
        return self.digest.hex()[:16]

    def build_caller(self) -> Caller:
        """Return the caller that sends it."""
        return Caller(name=self.name, roles=self.roles, limits=self.limits, person=self.person)


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
        record = self.find_record(token)
        if record is None:
            return None
        return record.build_caller()

    def find_record(self, token: str) -> TokenRecord | None:
        """Return what is kept of `token`; None if unknown, revoked or expired."""
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
        return record

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise InvalidField(_FIELD, "the token file does not exist") from error
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp != self._stamp:
            self._records = {record.digest: record for record in load_tokens(self._path)}
            self._stamp = stamp


def create_token(
    name: str,
    roles: Iterable[Role],
    *,
    expires_at: datetime | None = None,
    created_at: datetime | None = None,
    limits: Limits | None = None,
    person: str | None = None,
) -> tuple[str, TokenRecord]:
    """Return a new token's text, to be shown once, and the record to keep."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    record = TokenRecord(
        name=name,
        digest=hash_token(token),
        roles=frozenset(roles),
        expires_at=expires_at,
        created_at=created_at,
        limits=limits or Limits(),
        person=person,
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
    except OSError as error:
        raise InvalidField(_FIELD, "the token file cannot be read") from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InvalidField(_FIELD, "the token file is not {'tokens': [...]}") from error
    if not isinstance(entries, list):
        raise InvalidField(_FIELD, "the token file is not {'tokens': [...]}")
    return tuple(_read_record(index, entry) for index, entry in enumerate(entries))


def save_tokens(path: Path, records: Iterable[TokenRecord]) -> None:
    """Write a token file atomically, readable by its owner only."""
    document = {"tokens": [_write_record(record) for record in records]}
    replace_file(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))


@contextmanager
def lock_tokens(path: Path) -> Iterator[None]:
    """Keep other editors of a token file out until the block is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_record(record: TokenRecord) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": record.name,
        "sha256": record.digest.hex(),
        "roles": sorted(role.value for role in record.roles),
        "expires_at": record.expires_at.isoformat() if record.expires_at else None,
    }
    if record.created_at is not None:
        written["created_at"] = record.created_at.isoformat()
    if limits := write_limits(record.limits):
        written["limits"] = limits
    if record.person is not None:
        written["person"] = record.person
    return written


def _read_record(index: int, entry: Any) -> TokenRecord:
    where = f"tokens[{index}]"
    try:
        digest = bytes.fromhex(entry["sha256"])
        roles = frozenset(Role(role) for role in entry["roles"])
        expires_at = _read_time(entry.get("expires_at"))
        created_at = _read_time(entry.get("created_at"))
        name = str(entry["name"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidField(where, "needs name, sha256 (hex), roles and expires_at") from error
    if len(digest) != 32:
        raise InvalidField(f"{where}.sha256", "a SHA-256 has 32 bytes")
    for field_name, moment in (("expires_at", expires_at), ("created_at", created_at)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidField(f"{where}.{field_name}", "a time needs its zone, e.g. +00:00")
    return TokenRecord(
        name=name,
        digest=digest,
        roles=roles,
        expires_at=expires_at,
        created_at=created_at,
        limits=parse_limits(entry.get("limits", {}), f"{where}.limits"),
        person=read_person(entry.get("person"), f"{where}.person"),
    )


def _read_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
