"""Finding out who sends a request: by token, by provider, by certificate, or by being local.

What a request says of itself is taken in one order. An `Authorization` header decides where there
is one, whatever the connection's certificate says; a wrong one is refused, never passed over.
Without it the certificate of the connection counts. A server that knows none of these ways serves
whoever is on the machine and sends no such header, with every role; then requests with a foreign
`Origin`, or a `Host` that is not loopback (DNS rebinding), are refused: a page open in a browser is
not such a caller.
"""

import base64
import binascii
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from api.access.callers import Caller, Method, Role
from api.access.certificates import CertificateAuthenticator, Machines
from api.access.issuer_http import IssuerHttp
from api.access.issuer_keys import IssuerKeys
from api.access.oidc import OidcAuthenticator, is_jwt
from api.access.refusals import AuthorityRemoved, CredentialsUnasked, TokenRefused
from api.access.rules import NO_RULES, AccessRules, load_rules
from api.access.server_tls import vouches_still
from api.access.token_usage import TokenUsage
from api.access.tokens import TOKEN_PREFIX, TokenStore
from api.errors import ApiError, Forbidden, InvalidField, Unauthorized, UpstreamFault
from api.ports import Metric
from api.settings import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """What follows from one reading of the access file."""

    rules: AccessRules
    oidc: OidcAuthenticator | None
    certificates: CertificateAuthenticator | None


class Identifier:
    """Knows callers by every way that the operator has set up."""

    def __init__(
        self,
        token_file: Path | None,
        access_file: Path | None,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        """Read both files; raises `InvalidField`. `now` is in seconds since 1970."""
        self._tokens = None if token_file is None else TokenStore(token_file)
        self._usage = None if token_file is None else TokenUsage(token_file)
        self._file = access_file
        self._now = now
        self._clock = clock
        self._http = IssuerHttp()
        self._stamp: tuple[int, int, int] | None = None
        self._ways = self._read_ways()
        # Once for all: what an edit strikes out must not open the door to everybody.
        self._is_open = self._tokens is None and not self._ways.rules.asks_for_proof
        self._seen: Counter[tuple[str, str]] = Counter()

    @property
    def is_open(self) -> bool:
        """Whether whoever is on this machine is served."""
        return self._is_open and not self._ways.rules.asks_for_proof

    @property
    def rules(self) -> AccessRules:
        """The access file as it was read last."""
        return self._ways.rules

    @property
    def machines(self) -> Machines | None:
        """The listed certificates."""
        return self._ways.rules.certificates

    async def identify(self, request: web.Request) -> Caller | None:
        """Return who sends a request, None for nobody.

        Raises `Unauthorized` or `Forbidden` for credentials that do not hold, and `UpstreamFault`
        while they cannot be checked.
        """
        ways = self._refresh()
        header = request.headers.get("Authorization")
        certificate = _find_certificate(request)
        method = Method.LOCAL
        try:
            if self.is_open:
                if header is not None:
                    raise CredentialsUnasked
                caller: Caller | None = _admit_locally(request)
            elif header is not None:
                token = _read_token(header)
                method = Method.OIDC if ways.oidc and _is_foreign(token) else Method.TOKEN
                caller = await self._find(token, ways)
            elif certificate is not None and ways.certificates is not None:
                method = Method.CERTIFICATE
                _check_voucher(request)
                caller = ways.certificates.authenticate(certificate)
            else:
                return None
        except ApiError:
            self._seen[method, "refused"] += 1
            raise
        self._seen[method, "known"] += 1
        return caller

    async def close(self) -> None:
        """Close the connections to providers."""
        await self._http.close()

    def samples(self) -> tuple[Metric, ...]:
        """Return how many requests came with which proof, and with what outcome."""
        return tuple(
            Metric(
                name="authentications_total",
                kind="counter",
                help="Requests whose caller was known, or whose credentials were refused.",
                value=count,
                labels=(("method", method), ("outcome", outcome)),
            )
            for (method, outcome), count in sorted(self._seen.items())
        )

    async def _find(self, token: str, ways: _Ways) -> Caller:
        if ways.oidc is not None and _is_foreign(token):
            return await ways.oidc.authenticate(token)
        record = None if self._tokens is None else self._tokens.find_record(token)
        if record is None:
            raise TokenRefused("the token is unknown, revoked or expired")
        if self._usage is not None:
            self._usage.note(record.id)
        return record.build_caller()

    def _refresh(self) -> _Ways:
        if self._file is not None:
            try:
                if self._read_stamp() != self._stamp:
                    self._ways = self._read_ways()
            except InvalidField as error:
                raise UpstreamFault(
                    "the server's access file cannot be read",
                    code="access_unreadable",
                    next_step="the operator repairs the access file",
                ) from error
        return self._ways

    def _read_ways(self) -> _Ways:
        if self._file is None:
            return _Ways(rules=NO_RULES, oidc=None, certificates=None)
        stamp = self._read_stamp()
        rules = load_rules(self._file)
        providers = {
            provider.issuer: (
                provider,
                IssuerKeys(
                    provider.issuer,
                    self._http.build_fetch(rules.provider_authorities.get(provider.issuer)),
                    self._clock,
                ),
            )
            for provider in rules.providers
        }
        ways = _Ways(
            rules=rules,
            oidc=OidcAuthenticator(providers, self._now) if providers else None,
            certificates=(
                None
                if rules.certificates is None
                else CertificateAuthenticator(rules.certificates, self._now)
            ),
        )
        self._stamp = stamp
        return ways

    def _read_stamp(self) -> tuple[int, int, int]:
        assert self._file is not None, "asked only where there is a file"
        try:
            stat = self._file.stat()
        except OSError as error:
            raise InvalidField("api.access_file", "the access file does not exist") from error
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _is_foreign(token: str) -> bool:
    return not token.startswith(TOKEN_PREFIX) and is_jwt(token)


def _find_certificate(request: web.Request) -> bytes | None:
    """Return the certificate that TLS has verified, in DER; None without."""
    connection = request.get_extra_info("ssl_object")
    if not isinstance(connection, ssl.SSLObject | ssl.SSLSocket):
        return None
    return connection.getpeercert(binary_form=True)


def _check_voucher(request: web.Request) -> None:
    """Raise unless the authorities that vouched for the connection's certificate still do."""
    connection = request.get_extra_info("ssl_object")
    if not vouches_still(connection):
        raise AuthorityRemoved


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


def _admit_locally(request: web.Request) -> Caller:
    if not is_loopback(_find_host(f"//{request.host}")):
        raise Forbidden("without tokens this server answers only to a loopback Host")
    origin = request.headers.get("Origin")
    if origin is not None and not is_loopback(_find_host(origin)):
        raise Forbidden("without tokens this server refuses pages of other origins")
    return Caller(name="local", roles=frozenset(Role), method=Method.LOCAL)


def _find_host(address: str) -> str:
    """Return the host of an address that a caller sent; empty if it is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
