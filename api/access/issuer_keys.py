"""The keys of one OpenID Connect issuer: found by discovery, cached, fetched again when they turn.

An issuer publishes a document under `/.well-known/openid-configuration` (OpenID Connect Discovery
1.0, section 4) that names its key set (JWKS, RFC 7517). Both are fetched over HTTPS, without
redirections, bounded in time and size. A key set serves for an hour; while the issuer is away it
goes on serving for a day, because a short outage there must not be one here.

A token under an unknown key is the sign of a rotation, so the set is fetched again for it, but at
most once in half a minute: whoever sends invented key names makes this server ask no oftener. Only
one fetch is under way at a time; the others wait for its answer.

Which key may check which algorithm is decided here by the kind of key, never by what a token says
of itself, and symmetric keys are not taken from a set at all (RFC 8725, section 3.1).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import structlog

from api.access.refusals import TokenRefused
from api.errors import UpstreamFault
from api.settings import is_loopback

log = structlog.get_logger(__name__)

Fetch = Callable[[str], Awaitable[bytes]]
"""Returns the bytes at an address; raises `FetchFailed`."""

KINDS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Algorithms that may be allowed, with the key type and curve that each needs; all asymmetric."""

FRESH_S: Final = 3600.0
"""A key set is fetched again after so long."""
USABLE_S: Final = 24 * 3600.0
"""While the issuer cannot be reached, a key set serves so long."""
PAUSE_S: Final = 30.0
"""Least time between two fetches."""
MAX_KEYS: Final = 64
"""Keys of a set beyond this many are not looked at."""

_DISCOVERY: Final = "/.well-known/openid-configuration"


class FetchFailed(Exception):
    """An address did not give what was asked for; the text names the reason for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    keys: tuple[Mapping[str, Any], ...]
    fetched_s: float


class IssuerKeys:
    """The key set of one issuer."""

    def __init__(self, issuer: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        """Fetch lazily, at the first token; `clock` gives seconds that never go back."""
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._set: _Set | None = None
        self._tried_s = float("-inf")
        self._built: dict[tuple[str | None, str], jwt.PyJWK] = {}

    async def find(self, key_id: str | None, algorithm: str) -> jwt.PyJWK:
        """Return the key of this name for an algorithm of `KINDS`.

        Without a name there must be exactly one key for the algorithm. Raises `TokenRefused` for a
        key that the issuer does not have, `UpstreamFault` while its keys cannot be had.
        """
        keys = await self._get_set(lambda held: self._match(held, key_id, algorithm) is not None)
        found = self._match(keys, key_id, algorithm)
        if found is None:
            raise TokenRefused("the token's key is none of its issuer's")
        cached = self._built.get((key_id, algorithm))
        if cached is None:
            try:
                cached = jwt.PyJWK(dict(found), algorithm)
            except (jwt.InvalidKeyError, jwt.PyJWKError, ValueError, KeyError) as error:
                raise TokenRefused("the issuer's key for this token cannot be used") from error
            self._built[key_id, algorithm] = cached
        return cached

    async def _get_set(self, serves: Callable[[_Set], bool]) -> _Set:
        """Return a set that is fresh and serves, or the best there is."""
        if (held := self._find_held(serves)) is not None:
            return held
        async with self._lock:
            # Another request may have fetched it while this one waited.
            if (held := self._find_held(serves)) is not None:
                return held
            if self._clock() - self._tried_s >= PAUSE_S:
                self._tried_s = self._clock()
                try:
                    self._set = _Set(keys=await self._read_keys(), fetched_s=self._clock())
                    self._built.clear()
                except FetchFailed as failure:
                    log.warning("issuer_keys_unavailable", issuer=self._issuer, reason=str(failure))
                    if not self._is_usable(serves):
                        raise _refuse_for_now() from failure
            elif not self._is_usable(serves) and self._is_overdue():
                raise _refuse_for_now()
            assert self._set is not None, "either it was fetched or an older one is usable"
            return self._set

    def _find_held(self, serves: Callable[[_Set], bool]) -> _Set | None:
        held = self._set
        if held is None or self._clock() - held.fetched_s >= FRESH_S or not serves(held):
            return None
        return held

    def _is_usable(self, serves: Callable[[_Set], bool]) -> bool:
        held = self._set
        return held is not None and self._clock() - held.fetched_s < USABLE_S and serves(held)

    def _is_overdue(self) -> bool:
        """Tell whether the last try failed, so that an unknown key may only be a new one."""
        return self._set is None or self._set.fetched_s < self._tried_s

    async def _read_keys(self) -> tuple[Mapping[str, Any], ...]:
        document = _decode(await self._fetch(self._issuer.rstrip("/") + _DISCOVERY))
        if document.get("issuer") != self._issuer:
            raise FetchFailed("the discovery document is another issuer's")
        address = document.get("jwks_uri")
        if not isinstance(address, str) or not is_safe_address(address):
            raise FetchFailed("the discovery document names no https address of keys")
        keys = _decode(await self._fetch(address)).get("keys")
        if not isinstance(keys, list):
            raise FetchFailed("the key set is none")
        return tuple(key for key in keys[:MAX_KEYS] if isinstance(key, dict))

    @staticmethod
    def _match(held: _Set, key_id: str | None, algorithm: str) -> Mapping[str, Any] | None:
        kind, curve = KINDS[algorithm]
        fitting = [
            key
            for key in held.keys
            if key.get("kty") == kind
            and key.get("crv") == curve
            and key.get("use", "sig") == "sig"
            and key.get("alg", algorithm) == algorithm
            and "verify" in key.get("key_ops", ["verify"])
            and (key_id is None or key.get("kid") == key_id)
        ]
        return fitting[0] if len(fitting) == 1 else None


def is_safe_address(address: str) -> bool:
    """Return whether keys may be fetched from an address: https, or http on this machine."""
    parts = urlsplit(address)
    if not parts.hostname or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _decode(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FetchFailed("the answer is not JSON") from error
    if not isinstance(document, dict):
        raise FetchFailed("the answer is not an object")
    return document


def _refuse_for_now() -> UpstreamFault:
    return UpstreamFault(
        "the keys of the token's issuer cannot be fetched, so the token cannot be checked",
        code="issuer_unreachable",
        next_step=(
            "try again in a minute; if it persists, the operator checks that this server reaches"
            " the issuer"
        ),
    )
