"""Callers: who was let in, with which roles, and what each handler asks for.

Roles are explicit and do not contain each other, so that an operator's token opens no document.
The one exception: whoever holds any role may read what is public on the ledger (`reader`).
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from api.access.limits import NO_LIMITS, Limits, Operation
from api.errors import Forbidden, Unauthorized

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""A request handler of aiohttp."""


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


class Method(StrEnum):
    """By what a caller is known."""

    LOCAL = "local"
    """Being on this machine, where the server asks for nothing else."""
    TOKEN = "token"  # noqa: S105 - a name, no secret
    """A bearer token of the operator's file."""
    OIDC = "oidc"
    """A token of an OpenID Connect provider."""
    CERTIFICATE = "certificate"
    """The certificate of a mutual TLS connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authenticated origin of a request."""

    name: str
    """The label that the operator chose, or the provider's name; "local" without either."""
    roles: frozenset[Role]
    method: Method = Method.TOKEN
    limits: Limits = NO_LIMITS
    """Limits of its own; what is missing is the server's."""
    person: str | None = None
    """Who acts by it, as the agency numbers its staff; None where nobody said. Never logged."""

    @property
    def key(self) -> str:
        """Names the caller among those of every method."""
        return f"{self.method}:{self.name}"

    def has_any(self, *roles: Role) -> bool:
        """Return whether the caller holds one of `roles`; any role includes `reader`."""
        return bool(self.roles.intersection(roles)) or (bool(self.roles) and Role.READER in roles)


CALLER: Final = web.RequestKey("caller", Caller)
"""Set on every request by the middleware of `admission`; absent means nobody."""

ROLES_ATTRIBUTE: Final = "_atesta_roles"
OPERATION_ATTRIBUTE: Final = "_atesta_operation"
COUNTS_ATTRIBUTE: Final = "_atesta_counts_itself"


def requires(
    *roles: Role, operation: Operation | None = None, counts_itself: bool = False
) -> Callable[[Any], Any]:
    """Mark a handler (function or method) as open to callers with one of `roles`.

    A handler without a mark is refused to everybody: forgetting it closes the door. `requires()`
    without roles opens it to all, tokens or not. `operation` is counted against the caller's
    limits; by default GET reads and all else writes. A handler that carries several calls at once
    `counts_itself`.
    """

    def mark(handler: Any) -> Any:
        setattr(handler, ROLES_ATTRIBUTE, frozenset(roles))
        setattr(handler, OPERATION_ATTRIBUTE, operation)
        setattr(handler, COUNTS_ATTRIBUTE, counts_itself)
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
