"""Binding an application to a port, with TLS when set, and giving the port back."""

import errno
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from api.errors import InvalidField
from api.settings import ApiSettings

SHUTDOWN_S = 5.0
"""How long open requests may take to end after the port is closed."""


@asynccontextmanager
async def serve(app: web.Application, settings: ApiSettings) -> AsyncIterator[str]:
    """Serve `app` until the block is left; yields the base URL with the port actually bound.

    Raises `InvalidField` for an occupied port or unreadable TLS files.
    """
    context = _build_tls_context(settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            raise _explain(error, settings) from error
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"{'https' if context else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


def _build_tls_context(settings: ApiSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidField(
            "api.tls_certificate", "the certificate and key cannot be used together"
        ) from error
    return context


def _explain(error: OSError, settings: ApiSettings) -> InvalidField:
    if error.errno == errno.EADDRINUSE:
        return InvalidField(
            "api.port",
            f"port {settings.port} on {settings.host} is occupied",
            next_step="stop the other program, or set another api.port",
        )
    return InvalidField("api.host", f"cannot bind {settings.host}:{settings.port}")
