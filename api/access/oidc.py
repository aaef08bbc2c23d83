"""JSON Web Tokens of OpenID Connect providers, checked without asking the provider each time.

Staff and services that an agency's own identity provider knows need no token of ours: they send the
access token that the provider gave them for this API. It is a JWT (RFC 7519); what is checked of it
follows RFC 9068 and the advice of RFC 8725:

* its algorithm is one that the operator allows, and all that may be allowed are asymmetric;
* its signature, under a key of the issuer (`issuer_keys`) whose kind fits the algorithm;
* `iss` and `aud` are those of the settings, so that a token for another service opens nothing here;
* `exp`, `nbf` and `iat`, with some leeway for clocks that differ; `exp` and `iat` must be there;
* its type, where it states one, is that of an access token, and it has no `crit` members.

Roles come from a claim: the operator says which of its values stand for which roles here. Whoever
has none of these values is known, and may do nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

from api.access.callers import Caller, Method, Role
from api.access.issuer_keys import IssuerKeys
from api.access.limits import Limits
from api.access.persons import find_person
from api.access.refusals import TokenRefused

MAX_TOKEN_SIZE: Final = 16 * 1024
"""Characters of the longest token that is looked at."""

MAX_NAME_SIZE: Final = 128
"""Characters of the longest name of a caller."""

DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""What providers sign with."""

_LAST_TIME_S: Final = 253_402_300_800
"""The end of the year 9999; no claim is later."""

_TYPES: Final = {"jwt", "at+jwt", "application/at+jwt", "application/jwt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What the operator says of one provider."""

    issuer: str
    """Its identifier, exactly as its tokens have it in `iss`."""
    audiences: tuple[str, ...]
    """Names of this API at the provider; a token must be for one of them."""
    roles: Mapping[str, frozenset[Role]]
    """Values of the roles' claim, with the roles that each stands for."""
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    name_claim: str = "sub"
    """The claim that names the caller in logs and in the record of reads."""
    person_claim: str | None = None
    """The claim that says who acts, as the agency numbers its staff; None where there is none."""
    roles_claim: tuple[str, ...] = ("roles",)
    """The members that lead to the claim with the roles."""
    refused: frozenset[str] = frozenset()
    """Names that are let in no more, whatever their token says."""
    leeway_s: int = 30
    """Seconds by which clocks may differ."""
    limits: Limits = field(default_factory=Limits)
    """Limits of each of its callers; what is missing is the server's."""


class OidcAuthenticator:
    """Checks the tokens of several providers."""

    def __init__(
        self, providers: Mapping[str, tuple[Provider, IssuerKeys]], now: Callable[[], float]
    ) -> None:
        """Take the providers and their keys by issuer; `now` is in seconds since 1970."""
        self._providers = providers
        self._now = now

    async def authenticate(self, token: str) -> Caller:
        """Return whom a token names.

        Raises `TokenRefused` for one that does not hold, and `UpstreamFault` while the issuer's
        keys cannot be had.
        """
        if len(token) > MAX_TOKEN_SIZE:
            raise TokenRefused("the token is too long")
        header, issuer = _peek(token)
        known = self._providers.get(issuer)
        if known is None:
            raise TokenRefused("the token's issuer is not known here")
        provider, keys = known
        algorithm = header.get("alg")
        if algorithm not in provider.algorithms:
            raise TokenRefused("the token's algorithm is not allowed")
        if str(header.get("typ", "jwt")).lower() not in _TYPES or "crit" in header:
            raise TokenRefused("the token is of a kind that this server does not take")
        key_id = header.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise TokenRefused("the token's header cannot be read")
        key = await keys.find(key_id, algorithm)
        claims = self._verify(token, provider, key)
        name = _read_name(claims, provider)
        if name in provider.refused:
            raise TokenRefused("the token's holder is let in no more")
        return Caller(
            name=name,
            roles=_read_roles(claims, provider),
            method=Method.OIDC,
            limits=provider.limits,
            person=_read_person(claims, provider),
        )

    def _verify(self, token: str, provider: Provider, key: jwt.PyJWK) -> dict[str, Any]:
        decoder = jwt.PyJWT()
        try:
            claims: dict[str, Any] = decoder.decode(
                token,
                key,
                algorithms=list(provider.algorithms),
                audience=provider.audiences,
                issuer=provider.issuer,
                options={
                    "require": ["iss", "aud", "exp", "iat"],
                    "enforce_minimum_key_length": True,
                    # Times are checked below, by the clock that was handed in.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidAudienceError as error:
            raise TokenRefused("the token is for another service") from error
        except jwt.InvalidSignatureError as error:
            raise TokenRefused("the token's signature does not hold") from error
        except jwt.InvalidKeyError as error:
            raise TokenRefused("the issuer's key for this token is too weak") from error
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused(f"the token lacks the claim {error.claim}") from error
        except jwt.PyJWTError as error:
            raise TokenRefused("the token cannot be accepted") from error
        self._check_times(claims, provider.leeway_s)
        return claims

    def _check_times(self, claims: Mapping[str, Any], leeway_s: int) -> None:
        now_s = self._now()
        if _read_time(claims, "exp") + leeway_s <= now_s:
            raise TokenRefused("the token has expired")
        if "nbf" in claims and _read_time(claims, "nbf") - leeway_s > now_s:
            raise TokenRefused("the token is not valid yet")
        if _read_time(claims, "iat") - leeway_s > now_s:
            raise TokenRefused("the token was issued in the future: check both clocks")


def is_jwt(token: str) -> bool:
    """Return whether a bearer token has the shape of a signed JWT."""
    return token.count(".") == 2


def _peek(token: str) -> tuple[dict[str, Any], str]:
    """Return header and issuer of a token that nobody has checked yet."""
    try:
        decoded = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError) as error:
        raise TokenRefused("the token is not a JSON Web Token") from error
    return dict(decoded["header"]), str(decoded["payload"].get("iss"))


def _read_name(claims: Mapping[str, Any], provider: Provider) -> str:
    name = claims.get(provider.name_claim)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_SIZE or not name.isprintable():
        raise TokenRefused("the token does not name its holder as this server expects")
    return name


def _read_person(claims: Mapping[str, Any], provider: Provider) -> str | None:
    person = None if provider.person_claim is None else claims.get(provider.person_claim)
    if person is None:
        return None
    found = find_person(person)
    if found is None:
        raise TokenRefused("the token does not say who acts as this server expects")
    return found


def _read_roles(claims: Mapping[str, Any], provider: Provider) -> frozenset[Role]:
    value: Any = claims
    for member in provider.roles_claim:
        value = value.get(member) if isinstance(value, dict) else None
    # A `scope` is one text with blanks between its words (RFC 8693, section 4.2).
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list):
        return frozenset()
    granted = (provider.roles.get(word) for word in words if isinstance(word, str))
    return frozenset(role for roles in granted if roles for role in roles)


def _read_time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"the token's claim {name} is no time")
    # JSON as Python reads it has NaN and Infinity, which no clock ever reaches, and whole numbers
    # that no float can hold.
    if not 0 <= value < _LAST_TIME_S:
        raise TokenRefused(f"the token's claim {name} is no time that ever comes")
    return float(value)
