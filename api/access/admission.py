"""The door: one middleware for every surface that knows the caller, counts, and checks the role.

In this order: credentials that do not hold are refused; the request is counted against the limits
of its caller, or of its address where there is none; then the route's roles are asked for. A route
without a mark is closed to everybody.
"""

import ipaddress
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from aiohttp import web

from api.access.callers import (
    CALLER,
    COUNTS_ATTRIBUTE,
    OPERATION_ATTRIBUTE,
    ROLES_ATTRIBUTE,
    Caller,
    Handler,
    check_roles,
)
from api.access.certificates import Machines
from api.access.identifying import Identifier
from api.access.limits import Allowance, Operation, RateLimiter
from api.access.refusals import TooManyRequests
from api.errors import Forbidden, InvalidField, UserFault
from api.ports import Metric
from api.settings import ApiSettings, is_loopback

ALLOWANCE: Final = web.RequestKey("allowance", Allowance)
"""What the caller's bucket said to this request."""

_STRANGERS: Final = "strangers"


class Access:
    """Who may come in at one server."""

    def __init__(
        self,
        settings: ApiSettings,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the files of the settings; raises `InvalidField` that names the one at fault."""
        self._identifier = Identifier(
            settings.token_file, settings.access_file, now=now, clock=clock
        )
        if self._identifier.is_open and not is_loopback(settings.host):
            raise InvalidField(
                "api.token_file",
                "an address other than loopback needs tokens, a provider or listed certificates",
                next_step="set api.token_file, or name a provider in api.access_file",
            )
        self._limiter = RateLimiter(clock)

    @property
    def machines(self) -> Machines | None:
        """The certificates that are let in, None where none is asked for."""
        return self._identifier.machines

    async def run(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep connections to providers until the server ends; for `cleanup_ctx`."""
        yield
        await self._identifier.close()

    def samples(self) -> tuple[Metric, ...]:
        """Return what came in and what was refused, as samples."""
        return (*self._identifier.samples(), *self._limiter.samples())

    async def admit(self, request: web.Request) -> None:
        """Set the caller of a request, count it, and check the role that its route needs.

        Raises `Unauthorized`, `Forbidden`, `TooManyRequests`, or `UpstreamFault` while credentials
        cannot be checked.
        """
        try:
            caller = await self._identifier.identify(request)
        except UserFault:
            self._count_stranger(request)
            raise
        if caller is not None:
            request[CALLER] = caller
        # A path or method that no route serves has its own handler, which raises 404 or 405.
        is_served = request.match_info.http_exception is None
        handler = request.match_info.handler
        if not (is_served and getattr(handler, COUNTS_ATTRIBUTE, False)):
            named = getattr(handler, OPERATION_ATTRIBUTE, None) if is_served else None
            self.count(request, named or _guess_operation(request))
        if is_served:
            marked = getattr(handler, ROLES_ATTRIBUTE, None)
            if marked is None:
                raise Forbidden("this route is closed: it declares no role")
            check_roles(caller, marked)

    def count(self, request: web.Request, operation: Operation) -> None:
        """Count one operation of a request; raises `TooManyRequests`."""
        caller: Caller | None = request.get(CALLER)
        if caller is None:
            self._count_stranger(request)
            return
        quota = caller.limits.find(operation) or self._identifier.rules.limits.find(operation)
        assert quota is not None, "the server has a limit for every class"
        self._judge(request, self._limiter.take(caller.key, operation.value, quota))

    def _count_stranger(self, request: web.Request) -> None:
        quota = self._identifier.rules.strangers
        where = f"address:{_name_network(request.remote)}"
        self._judge(request, self._limiter.take(where, _STRANGERS, quota))

    @staticmethod
    def _judge(request: web.Request, allowance: Allowance) -> None:
        request[ALLOWANCE] = allowance
        if allowance.wait_s:
            raise TooManyRequests(allowance)


ACCESS: Final = web.AppKey("access", Access)
"""The door of an application."""


def build_access_middleware(access: Access) -> Any:
    """Return the middleware that lets a request through `access` before its handler."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        await access.admit(request)
        return await handler(request)

    return admit


def count_call(request: web.Request, operation: Operation) -> None:
    """Count one of several calls that a request carries; raises `TooManyRequests`."""
    request.config_dict[ACCESS].count(request, operation)


def _guess_operation(request: web.Request) -> Operation:
    return Operation.READS if request.method in {"GET", "HEAD"} else Operation.WRITES


def _name_network(address: str | None) -> str:
    """Return the part of an address that one party holds: of IPv6 the network, not the host."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
