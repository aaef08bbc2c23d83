"""Tokens that an issuer signs: JSON Web Signatures in compact form (RFC 7515).

An issuer signs with ``ES256`` (P-256) or ``ES256K`` (secp256k1, RFC 8812). The header names the
key in full (``jwk``) and by ``kid``. A key in a header proves nothing by itself: whoever reads the
token must know from elsewhere that it is the issuer's. A node knows: an account key of an agency is
secp256k1, ``kid`` is its address, and the registry on the ledger lists it with its agency and its
times.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from atesta_client.base64url import decode_base64url, encode_base64url
from atesta_client.canonical import MAX_DOCUMENT_SIZE, dump_canonical, load_json
from atesta_client.errors import CredentialRefused, DocumentRefused, FormatRefused, ReasonCode
from atesta_client.holder_keys import SIGNATURE_SIZE, HolderKey, HolderPublicKey, KeyKind
from atesta_client.pointers import JsonValue

MAX_TOKEN_SIZE: Final = MAX_DOCUMENT_SIZE
"""Longest token read, in characters."""

_POINT_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerKey:
    """What an issuer signs with. The private key itself may be elsewhere."""

    public_key: HolderPublicKey
    """The public half."""
    key_id: str
    """The ``kid``; of an account key its address in hex."""
    sign: Callable[[bytes], bytes]
    """Signs the SHA-256 of the bytes given; returns r and s, 64 bytes."""

    @classmethod
    def from_key(cls, key: HolderKey, key_id: str | None = None) -> "IssuerKey":
        """Use a private key held here; ``key_id`` may be left out for a secp256k1 key."""
        if key_id is None:
            key_id = "0x" + (compute_address(key.public_key) or b"").hex()
        return cls(public_key=key.public_key, key_id=key_id, sign=key.sign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token taken apart; nothing of it is proved yet."""

    header: Mapping[str, JsonValue]
    """The protected header."""
    claims: dict[str, JsonValue]
    """The payload."""
    signed: bytes
    """The bytes that the signature covers."""
    signature: bytes
    """The signature, 64 bytes."""

    def find_key(self) -> HolderPublicKey | None:
        """Return the key in the header, ``None`` if there is none.

        Raises :class:`FormatRefused` when it is no usable key.
        """
        jwk = self.header.get("jwk")
        if jwk is None:
            return None
        try:
            return HolderPublicKey.from_field({"jwk": jwk})
        except CredentialRefused as error:
            raise refuse_token("its header's jwk is no P-256 or secp256k1 key") from error


def sign_token(claims: Mapping[str, JsonValue], key: IssuerKey, *, media_type: str) -> str:
    """Sign claims as a compact JWS; ``media_type`` is the ``typ`` that says what the token is."""
    header = {
        "alg": key.public_key.kind.algorithm_name,
        "typ": media_type,
        "kid": key.key_id,
        "jwk": key.public_key.to_field()["jwk"],
    }
    signed = ".".join(encode_base64url(dump_canonical(part)) for part in (header, dict(claims)))
    return f"{signed}.{encode_base64url(key.sign(signed.encode('ascii')))}"


def read_token(text: str) -> Token:
    """Take a compact JWS apart; raise :class:`FormatRefused` if it is malformed."""
    parts = text.split(".") if len(text) <= MAX_TOKEN_SIZE else []
    if len(parts) != 3:
        raise refuse_token("it is not a compact JWS of bounded length")
    signature = decode_base64url(parts[2])
    if signature is None or len(signature) != SIGNATURE_SIZE:
        raise refuse_token(f"its signature is not {SIGNATURE_SIZE} bytes")
    return Token(
        header=_read_part(parts[0], "header"),
        claims=_read_part(parts[1], "payload"),
        signed=f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature=signature,
    )


def verify_token(token: Token, key: HolderPublicKey, *, media_types: tuple[str, ...]) -> None:
    """Check that this key signed a token of one of these types; the algorithm follows from the key.

    Raises :class:`FormatRefused` otherwise, and for a header with ``crit``.
    """
    if token.header.get("typ") not in media_types:
        raise refuse_token(f"its typ is not {' or '.join(media_types)}")
    if "crit" in token.header:
        raise refuse_token("its header asks for extensions that are not known here")
    if token.header.get("alg") != key.kind.algorithm_name or not key.is_signed(
        token.signed, token.signature
    ):
        raise FormatRefused(
            ReasonCode.ISSUER_SIGNATURE_INVALID, "the issuer's key did not sign this token"
        )


def compute_address(key: HolderPublicKey) -> bytes | None:
    """Compute the ledger address of a secp256k1 key, 20 bytes; ``None`` for a P-256 key."""
    if key.kind is not KeyKind.SECP256K1:
        return None
    numbers = key.key.public_numbers()
    point = b"".join(value.to_bytes(_POINT_SIZE, "big") for value in (numbers.x, numbers.y))
    return keccak(point)[-20:]


def refuse_token(message: str) -> FormatRefused:
    """Refuse a token as malformed."""
    return FormatRefused(ReasonCode.FILE_MALFORMED, f"the token is refused: {message}")


def refuse_claim(pointer: str, message: str) -> FormatRefused:
    """Refuse what has no exact counterpart; ``pointer`` names the field or claim."""
    return FormatRefused(ReasonCode.FORMAT_UNMAPPABLE, f"{pointer!r} {message}", pointer=pointer)


def _read_part(text: str, name: str) -> dict[str, JsonValue]:
    data = decode_base64url(text)
    try:
        value = None if data is None else load_json(data)
    except DocumentRefused as error:
        raise refuse_token(f"its {name} is not JSON with one reading") from error
    if not isinstance(value, dict):
        raise refuse_token(f"its {name} is not an object in base64url")
    return value
