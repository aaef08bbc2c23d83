"""Fetching an issuer's documents: HTTPS, no redirections, bounded in time and size."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from api.access.issuer_keys import Fetch, FetchFailed
from api.errors import InvalidField

TIMEOUT_S: Final = 5.0
"""Longest wait for one document."""
MAX_SIZE: Final = 256 * 1024
"""Bytes of the longest document that is read."""


class IssuerHttp:
    """The connections to issuers; made at the first fetch, closed with the server."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def build_fetch(self, authority: Path | None) -> Fetch:
        """Return the fetching of one issuer's documents.

        `authority` is the PEM file of the issuer's own authority; without it the public ones hold.
        Raises `InvalidField` for a file that holds no certificate.
        """
        context = None if authority is None else _build_context(authority)

        async def fetch(address: str) -> bytes:
            return await self._fetch(address, context)

        return fetch

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _fetch(self, address: str, context: ssl.SSLContext | None) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                headers=_HEADERS,
                # Nothing of one issuer's answers belongs into a request to another.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            async with self._session.get(
                address, allow_redirects=False, ssl=True if context is None else context
            ) as response:
                if response.status != 200:
                    raise FetchFailed(f"the answer has status {response.status}")
                content = await response.content.read(MAX_SIZE + 1)
                while len(content) <= MAX_SIZE and not response.content.at_eof():
                    content += await response.content.read(MAX_SIZE + 1 - len(content))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchFailed(type(error).__name__) from error
        if len(content) > MAX_SIZE:
            raise FetchFailed(f"the answer is longer than {MAX_SIZE} bytes")
        return content


_HEADERS: Final[Mapping[str, str]] = {"Accept": "application/json"}


def _build_context(authority: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise InvalidField(
            "api.access_file: oidc.authority", "the file holds no certificate of an authority"
        ) from error
