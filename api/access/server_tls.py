"""TLS of the API's port: the server's own certificate, and asking machines for theirs.

A certificate is renewed by putting the new files in the place of the old: the server looks every
few seconds and uses them for the next connection, without a restart. Files that do not fit
together, because only one of them is there yet, leave the old ones in use and are logged.

Where the operator lists machines, a client is asked for a certificate and may send none: people and
programs with tokens come in at the same port. What is sent must hold, or the handshake ends.

An OpenSSL context only ever learns authorities, so each reading of the files makes a new one, and
the context that listens hands every handshake to the newest (`sni_callback`, which OpenSSL calls
also where the client names no server). An authority that is taken out so vouches for no further
connection. What it vouched for before is refused too: on connections that are open
(`vouches_still`), and for sessions that a client resumes, since resuming checks no certificate
again. For the same reason no tickets are given out where certificates are asked for.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from api.background import run_beside
from api.errors import InvalidField
from api.settings import ApiSettings

log = structlog.get_logger(__name__)

LOOK_S: Final = 5.0
"""Seconds between two looks at the files."""

_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class _Trust:
    """Who vouches for clients now, shared by all contexts of one server."""

    authorities: frozenset[bytes] = frozenset()
    """Their certificates in DER."""
    lost_s: int = 0
    """Second since 1970 in which one was last taken out; 0 if none ever was."""

    def replace(self, authorities: frozenset[bytes]) -> None:
        """Take up what the file holds now."""
        if self.authorities - authorities:
            self.lost_s = int(time.time())
        self.authorities = authorities


class _Context(ssl.SSLContext):
    """A context that knows by whose word it takes certificates."""

    trust: _Trust
    authorities: frozenset[bytes] = frozenset()


class ServerTls:
    """The TLS context of one server and the files behind it."""

    def __init__(self, certificate: Path, key: Path, authorities: Path | None) -> None:
        """Read the files; raises `InvalidField` that names the setting at fault."""
        self._certificate = certificate
        self._key = key
        self._authorities = authorities
        self._trust = _Trust()
        self._stamp = self._read_stamp()
        try:
            self.context = self._build()
        except (OSError, ssl.SSLError) as error:
            raise InvalidField(
                "api.tls_certificate", "the certificate and key cannot be used together"
            ) from error
        try:
            self._ask_for_certificates(self.context)
        except (OSError, ssl.SSLError) as error:
            raise InvalidField(
                "api.access_file: certificates.authorities", "the file holds no certificates"
            ) from error
        self._trust.replace(self.context.authorities)
        self._newest = self.context
        self.context.sni_callback = self._hand_over

    def refresh(self) -> bool:
        """Use the files as they are now, if they changed and fit; returns whether it did."""
        try:
            stamp = self._read_stamp()
        except OSError:
            return False
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            context = self._build()
            self._ask_for_certificates(context)
        except (OSError, ssl.SSLError) as error:
            log.warning("tls_files_unusable", reason=type(error).__name__)
            return False
        self._newest = context
        self._trust.replace(context.authorities)
        log.info("tls_files_renewed")
        return True

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Look at the files from time to time until the block is left."""

        async def look() -> None:
            while True:
                await asyncio.sleep(LOOK_S)
                await asyncio.to_thread(self.refresh)

        async with run_beside(look(), "tls files"):
            yield

    def _hand_over(
        self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        connection.context = self._newest

    def _build(self) -> _Context:
        context = _Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key)
        context.trust = self._trust
        return context

    def _ask_for_certificates(self, context: _Context) -> None:
        if self._authorities is None:
            return
        context.verify_mode = ssl.CERT_OPTIONAL
        # A self-signed certificate in the file vouches for itself, though it is no authority.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        context.load_verify_locations(self._authorities)
        context.authorities = frozenset(_read_certificates(self._authorities))

    def _read_stamp(self) -> _Stamp:
        paths = [self._certificate, self._key]
        if self._authorities is not None:
            paths.append(self._authorities)
        stats = [path.stat() for path in paths if path.exists()]
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


def open_tls(settings: ApiSettings, authorities: Path | None) -> ServerTls | None:
    """Return the server's TLS, None without; raises `InvalidField` for files of no use."""
    if settings.tls_certificate is None or settings.tls_key is None:
        if authorities is not None:
            raise InvalidField(
                "api.tls_certificate",
                "client certificates come with TLS, which this server does not speak",
                next_step="set api.tls_certificate and api.tls_key",
            )
        return None
    return ServerTls(settings.tls_certificate, settings.tls_key, authorities)


def vouches_still(connection: ssl.SSLObject | ssl.SSLSocket) -> bool:
    """Return whether every authority that a connection's certificate was checked by is still one.

    A session that was resumed was checked when it began, to the second: one of the second in which
    an authority was taken out does not count.
    """
    context = connection.context
    if not isinstance(context, _Context):
        return True
    if connection.session_reused:
        session = connection.session
        return session is not None and session.time > context.trust.lost_s
    return context.authorities <= context.trust.authorities


def _read_certificates(path: Path) -> list[bytes]:
    """Return the certificates of a PEM file in DER, as OpenSSL takes them up."""
    reader = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    reader.load_verify_locations(path)
    return reader.get_ca_certs(binary_form=True)
