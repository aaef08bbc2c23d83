"""TLS of the API's port: the server's own certificate, and asking machines for theirs.

A certificate is renewed by putting the new files in the place of the old: the server looks every
few seconds and uses them for the next connection, without a restart. Files that do not fit
together, because only one of them is there yet, leave the old ones in use and are logged.

Where the operator lists machines, a client is asked for a certificate and may send none: people and
programs with tokens come in at the same port. What is sent must hold, or the handshake ends.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


class ServerTls:
    """The TLS context of one server and the files behind it."""

    def __init__(self, certificate: Path, key: Path, authorities: Path | None) -> None:
        """Read the files; raises `InvalidField` that names the setting at fault."""
        self._certificate = certificate
        self._key = key
        self._authorities = authorities
        self._stamp = self._read_stamp()
        try:
            self.context = self._build()
        except (OSError, ssl.SSLError) as error:
            raise InvalidField(
                "api.tls_certificate", "the certificate and key cannot be used together"
            ) from error
        if authorities is not None:
            self._ask_for_certificates(authorities)

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
            # Tried apart first: a context that takes a certificate and then fails on its key is
            # of no more use.
            trial = self._build()
            if self._authorities is not None:
                trial.load_verify_locations(self._authorities)
                self.context.load_verify_locations(self._authorities)
            self.context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            log.warning("tls_files_unusable", reason=type(error).__name__)
            return False
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

    def _build(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key)
        return context

    def _ask_for_certificates(self, authorities: Path) -> None:
        self.context.verify_mode = ssl.CERT_OPTIONAL
        # A self-signed certificate in the file vouches for itself, though it is no authority.
        self.context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            self.context.load_verify_locations(authorities)
        except (OSError, ssl.SSLError) as error:
            raise InvalidField(
                "api.access_file: certificates.authorities", "the file holds no certificates"
            ) from error

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
