"""SD-JWT (RFC 9901): a signed token whose claims can be shown one by one.

The issuer puts the digest of a *disclosure* where a claim would stand: into the array ``_sd`` of an
object, or as ``{"...": digest}`` into an array. A disclosure is the base64url of
``[salt, name, value]``, of an element ``[salt, value]``; a value may hold digests again. The text
is the token and the disclosures that are shown, each followed by a tilde, and at the end the
holder's signature (*key binding*) if there is one. A digest without a disclosure is a claim not
shown or a decoy; nobody can tell which.

A token is read by the rules of the RFC's section 7.1: no digest twice, no disclosure that nothing
refers to, no claim that would be overwritten.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from atesta_client.base64url import decode_base64url, encode_base64url
from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import DocumentRefused
from atesta_client.formats.jose import MAX_TOKEN_SIZE, refuse_claim, refuse_token
from atesta_client.pointers import JsonValue, format_pointer

DIGESTS: Final = "_sd"
"""The member of an object that holds digests."""

ELEMENT: Final = "..."
"""The one member of an array element that stands for a disclosure."""

HASH_NAME: Final = "sha-256"
"""The only digest algorithm written and read."""

ALGORITHM: Final = "_sd_alg"
"""The claim that names the digest algorithm; SHA-256 when absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One claim or element with its salt."""

    encoded: str
    """The text as issued: the digest covers exactly this spelling."""
    salt: str
    """The salt, a text."""
    name: str | None
    """The claim's name; ``None`` for an element of an array."""
    value: JsonValue
    """The value, which may hold digests."""

    @property
    def digest(self) -> str:
        """The digest that stands in the token."""
        return compute_digest(self.encoded)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdJwt:
    """An SD-JWT taken apart."""

    token: str
    """The token that the issuer signed."""
    disclosures: tuple[Disclosure, ...]
    """What is shown."""
    key_binding: str | None = None
    """The holder's signature, a JWT of its own."""

    @property
    def shown(self) -> str:
        """Everything but the key binding: what its ``sd_hash`` covers."""
        return "".join(f"{part}~" for part in (self.token, *(d.encoded for d in self.disclosures)))

    def encode(self) -> str:
        """Write the SD-JWT."""
        return self.shown + (self.key_binding or "")

    def show(self, disclosures: Iterable[Disclosure]) -> "SdJwt":
        """Return the same token with these disclosures and no key binding."""
        return replace(self, disclosures=tuple(disclosures), key_binding=None)


@dataclass(slots=True, kw_only=True)
class OpenedClaims:
    """A payload with everything shown put into its place."""

    claims: dict[str, JsonValue]
    """The claims, without digests."""
    places: dict[str, Disclosure] = field(default_factory=dict)
    """The disclosures by the JSON pointer at which each now stands."""
    hidden: list[str] = field(default_factory=list)
    """Pointers of the objects and arrays that hold digests without a disclosure."""


def make_disclosure(salt: str, name: str | None, value: JsonValue) -> Disclosure:
    """Make a disclosure; its JSON is in RFC 8785 form."""
    content = [salt, value] if name is None else [salt, name, value]
    return Disclosure(
        encoded=encode_base64url(dump_canonical(content)), salt=salt, name=name, value=value
    )


def compute_digest(encoded: str) -> str:
    """Compute the digest of a disclosure or, for ``sd_hash``, of what is shown."""
    return encode_base64url(hashlib.sha256(encoded.encode("ascii")).digest())


def decode_sd_jwt(text: str) -> SdJwt:
    """Take an SD-JWT apart; raise :class:`FormatRefused` if it is malformed. Proves nothing."""
    parts = text.strip().split("~") if len(text) <= MAX_TOKEN_SIZE else []
    if len(parts) < 2:
        raise refuse_token("it is not an SD-JWT of bounded length: no tilde ends its token")
    return SdJwt(
        token=parts[0],
        disclosures=tuple(_read_disclosure(part) for part in parts[1:-1]),
        key_binding=parts[-1] or None,
    )


def open_claims(
    payload: Mapping[str, JsonValue], disclosures: Iterable[Disclosure]
) -> OpenedClaims:
    """Put the disclosures into their places.

    Raises :class:`FormatRefused` for a digest that stands twice, a disclosure that stands nowhere,
    a claim that would be overwritten, digests that are no digests, or another digest algorithm.
    """
    if payload.get(ALGORITHM, HASH_NAME) != HASH_NAME:
        raise refuse_claim(f"/{ALGORITHM}", f"is not {HASH_NAME}")
    waiting: dict[str, Disclosure] = {}
    for disclosure in disclosures:
        if waiting.setdefault(disclosure.digest, disclosure) is not disclosure:
            raise refuse_token("it shows a disclosure twice")
    opener = _Opener(waiting)
    members = {name: value for name, value in payload.items() if name != ALGORITHM}
    opened = OpenedClaims(claims={})
    opened.claims = opener.open_object(members, (), opened)
    if opener.waiting:
        raise refuse_token("it shows a disclosure that no digest refers to")
    return opened


class _Opener:
    """Walks a payload once; remembers which digests it met and which disclosures are left."""

    def __init__(self, disclosures: dict[str, Disclosure]) -> None:
        self.waiting = disclosures
        self._met: set[str] = set()

    def open_object(
        self, members: Mapping[str, JsonValue], at: tuple[str, ...], opened: OpenedClaims
    ) -> dict[str, JsonValue]:
        """Return an object without digests."""
        if ELEMENT in members:
            raise refuse_claim(format_pointer((*at, ELEMENT)), "does not stand in an array")
        result = {
            name: self._open_value(value, (*at, name), opened)
            for name, value in members.items()
            if name != DIGESTS
        }
        digests = members.get(DIGESTS, [])
        if not isinstance(digests, list):
            raise refuse_claim(format_pointer((*at, DIGESTS)), "is not an array of digests")
        for digest in digests:
            disclosure = self._take(digest, at, opened)
            if disclosure is None:
                continue
            name = disclosure.name
            if name is None or name in {DIGESTS, ELEMENT} or name in result:
                raise refuse_claim(format_pointer(at), "has a disclosure without a name of its own")
            opened.places[format_pointer((*at, name))] = disclosure
            result[name] = self._open_value(disclosure.value, (*at, name), opened)
        return result

    def _open_value(self, value: JsonValue, at: tuple[str, ...], opened: OpenedClaims) -> JsonValue:
        if isinstance(value, dict):
            return self.open_object(value, at, opened)
        if isinstance(value, list):
            return self._open_array(value, at, opened)
        return value

    def _open_array(
        self, elements: list[JsonValue], at: tuple[str, ...], opened: OpenedClaims
    ) -> list[JsonValue]:
        result: list[JsonValue] = []
        for element in elements:
            place = (*at, str(len(result)))
            if not isinstance(element, dict) or set(element) != {ELEMENT}:
                result.append(self._open_value(element, place, opened))
                continue
            disclosure = self._take(element[ELEMENT], at, opened)
            if disclosure is None:
                continue
            if disclosure.name is not None:
                raise refuse_claim(format_pointer(place), "has a name, and is an array's element")
            opened.places[format_pointer(place)] = disclosure
            result.append(self._open_value(disclosure.value, place, opened))
        return result

    def _take(
        self, digest: JsonValue, at: tuple[str, ...], opened: OpenedClaims
    ) -> Disclosure | None:
        if not isinstance(digest, str) or digest in self._met:
            raise refuse_claim(format_pointer((*at, DIGESTS)), "holds no digest, or one twice")
        self._met.add(digest)
        disclosure = self.waiting.pop(digest, None)
        if disclosure is None:
            opened.hidden.append(format_pointer(at))
        return disclosure


def _read_disclosure(encoded: str) -> Disclosure:
    data = decode_base64url(encoded)
    try:
        content = None if data is None else load_json(data)
    except DocumentRefused as error:
        raise refuse_token("a disclosure is not JSON with one reading") from error
    if not isinstance(content, list) or len(content) not in {2, 3}:
        raise refuse_token("a disclosure is not an array of two or three elements")
    if not all(isinstance(text, str) for text in content[:-1]):
        raise refuse_token("the salt or the name of a disclosure is not a text")
    name = content[1] if len(content) == 3 else None
    return Disclosure(encoded=encoded, salt=content[0], name=name, value=content[-1])
