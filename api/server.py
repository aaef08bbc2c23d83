"""Binding an application to a port, with TLS when set, and giving the port back.

What cannot be read as HTTP at all, such as an address longer than the parser takes, never reaches
the application. It is answered here in the form of all other refusals; the library's own answer
and log line would repeat a part of what was sent.
"""

import asyncio
import errno
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from aiohttp import hdrs, web

from api.access.admission import ACCESS
from api.access.server_tls import open_tls
from api.errors import PROBLEM_CONTENT_TYPE, InvalidField, UserFault, as_problem
from api.settings import ApiSettings

log = structlog.get_logger(__name__)

_CONTINUE: Final = "100-continue"
SHUTDOWN_S = 5.0
"""How long open requests may take to end after the port is closed."""


@asynccontextmanager
async def serve(app: web.Application, settings: ApiSettings) -> AsyncIterator[str]:
    """Serve `app` until the block is left; yields the base URL with the port actually bound.

    Raises `InvalidField` for an occupied port or unreadable TLS files.
    """
    machines = app[ACCESS].machines if ACCESS in app else None
    tls = open_tls(settings, None if machines is None else machines.authorities)
    context = None if tls is None else tls.context
    runner = _Runner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            raise _explain(error, settings) from error
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        async with AsyncExitStack() as watching:
            if tls is not None:
                await watching.enter_async_context(tls.watch())
            yield f"{'https' if context else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


class _Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what is no HTTP in our own words; our own failures go the library's way."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        name = secrets.token_hex(8)
        log.info("unreadable request", request_id=name, status=status)
        error = UserFault(
            "the request cannot be read as HTTP, or its address or headers are too long",
            code="http_error",
            status=status,
        )
        response = web.Response(
            status=status,
            body=orjson.dumps(as_problem(error, instance=name)),
            content_type=PROBLEM_CONTENT_TYPE,
            headers={"X-Request-Id": name, "Cache-Control": "no-store"},
        )
        response.force_close()
        return response


class _Server(web.Server):
    """Makes connections of our kind."""

    def __init__(self, like: web.Server, options: dict[str, Any]) -> None:
        super().__init__(
            like.request_handler,
            request_factory=_expect_nothing_else(like.request_factory),
            **options,
        )
        self._options = options

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=asyncio.get_running_loop(), **self._options)


def _expect_nothing_else(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    """Leave out what a caller expects beside 100-continue, which RFC 9110, 10.1.1, allows.

    The library would refuse it before our middlewares, and its refusal repeats what was sent.
    """

    def make_request(message: Any, *rest: Any, **named: Any) -> web.BaseRequest:
        if message.headers.get(hdrs.EXPECT, _CONTINUE).lower() != _CONTINUE:
            headers = message.headers.copy()
            del headers[hdrs.EXPECT]
            message = message._replace(headers=headers)
        return make(message, *rest, **named)

    return make_request


class _Runner(web.AppRunner):
    """Starts the application as usual, but with our connections."""

    # The library lets nobody choose the class of its connections; this is the narrowest seam.
    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), dict(self._kwargs))


def _explain(error: OSError, settings: ApiSettings) -> InvalidField:
    if error.errno == errno.EADDRINUSE:
        return InvalidField(
            "api.port",
            f"port {settings.port} on {settings.host} is occupied",
            next_step="stop the other program, or set another api.port",
        )
    return InvalidField("api.host", f"cannot bind {settings.host}:{settings.port}")
