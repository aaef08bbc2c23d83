"""The resident's own key: what makes a carried file worth nothing to whoever copies it.

A credential may hold its holder's public key as an ordinary field under the pointer ``/cnf``, the
"confirmation" claim of RFC 7800: ``{"jwk": {"crv": "P-256", "kty": "EC", "x": …, "y": …}}``. The
key is part of the document, so the issuer's commitment covers it, and it is disclosed with a leaf
and a proof like any other field.

Signatures are JSON Web Signatures in compact form (RFC 7515) with ``ES256`` for P-256 keys, which
phones keep in hardware, and ``ES256K`` (RFC 8812) for secp256k1 keys. The algorithm follows from
the key and never from the message.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from atesta_client.base64url import decode_base64url, encode_base64url
from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import (
    CredentialRefused,
    DocumentRefused,
    PresentationRefused,
    ReasonCode,
)
from atesta_client.pointers import JsonValue

HOLDER_KEY_POINTER: Final = "/cnf"
"""The schema pointer under which a document holds its holder's public key."""

SIGNATURE_SIZE: Final = 64
"""Length of a signature in bytes: r and s, 32 bytes each."""

_COORDINATE_SIZE = 32
_MAX_SIGNED_LENGTH = 16_384


class KeyKind(Enum):
    """The two kinds of holder key, with the JWK curve name and the JWS algorithm name of each."""

    P_256 = ("P-256", "ES256")
    SECP256K1 = ("secp256k1", "ES256K")

    @property
    def curve_name(self) -> str:
        """The ``crv`` of the JSON Web Key."""
        return self.value[0]

    @property
    def algorithm_name(self) -> str:
        """The ``alg`` of a signature by this kind of key."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderPublicKey:
    """A holder's public key."""

    kind: KeyKind
    """The curve."""
    key: ec.EllipticCurvePublicKey
    """The point, checked to lie on the curve."""

    @classmethod
    def from_field(cls, value: JsonValue) -> "HolderPublicKey":
        """Read the key from the value of the holder-key field.

        Raises :class:`CredentialRefused` unless it is exactly an RFC 7800 confirmation with an
        elliptic-curve JWK of a known curve and a point on it.
        """
        jwk = value.get("jwk") if isinstance(value, dict) and set(value) == {"jwk"} else None
        if not isinstance(jwk, dict) or set(jwk) != {"crv", "kty", "x", "y"}:
            raise _refuse_key('it must be {"jwk": {"crv", "kty", "x", "y"}}')
        kind = next((kind for kind in KeyKind if kind.curve_name == jwk["crv"]), None)
        if kind is None or jwk["kty"] != "EC":
            raise _refuse_key("its curve must be P-256 or secp256k1")
        x, y = _decode_coordinate(jwk["x"]), _decode_coordinate(jwk["y"])
        try:
            key = ec.EllipticCurvePublicNumbers(x, y, _get_curve(kind)).public_key()
        except ValueError as error:
            raise _refuse_key("its point does not lie on its curve") from error
        return cls(kind=kind, key=key)

    def is_signed(self, data: bytes, signature: bytes) -> bool:
        """Tell whether this key made a signature of 64 bytes over the SHA-256 of these bytes."""
        r, s = signature[:_COORDINATE_SIZE], signature[_COORDINATE_SIZE:]
        encoded = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        try:
            self.key.verify(encoded, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def to_field(self) -> dict[str, JsonValue]:
        """Return the value of the holder-key field for this key."""
        numbers = self.key.public_numbers()
        return {
            "jwk": {
                "crv": self.kind.curve_name,
                "kty": "EC",
                "x": encode_base64url(numbers.x.to_bytes(_COORDINATE_SIZE, "big")),
                "y": encode_base64url(numbers.y.to_bytes(_COORDINATE_SIZE, "big")),
            }
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderKey:
    """A holder's private key, as it lives on the resident's device."""

    kind: KeyKind
    """The curve."""
    key: ec.EllipticCurvePrivateKey
    """The private key."""

    @classmethod
    def generate(cls, kind: KeyKind = KeyKind.P_256) -> "HolderKey":
        """Make a fresh key from the system's randomness."""
        return cls(kind=kind, key=ec.generate_private_key(_get_curve(kind)))

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes | None = None) -> "HolderKey":
        """Read a PKCS #8 PEM file; raise :class:`CredentialRefused` if it holds no usable key."""
        try:
            key = serialization.load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError) as error:
            raise _refuse_key("not a PEM private key, or the passphrase is wrong") from error
        if isinstance(key, ec.EllipticCurvePrivateKey):
            for kind in KeyKind:
                if key.curve.name == _get_curve(kind).name:
                    return cls(kind=kind, key=key)
        raise _refuse_key("its curve must be P-256 or secp256k1")

    @property
    def public_key(self) -> HolderPublicKey:
        """The public half."""
        return HolderPublicKey(kind=self.kind, key=self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Sign the SHA-256 of these bytes; returns r and s, 64 bytes."""
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_COORDINATE_SIZE, "big") + s.to_bytes(_COORDINATE_SIZE, "big")

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """Write the key as PKCS #8 PEM, encrypted if there is a passphrase."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            encryption = serialization.BestAvailableEncryption(passphrase)
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )


def sign_claims(claims: dict[str, JsonValue], key: HolderKey, *, media_type: str) -> str:
    """Sign claims as a compact JWS; ``media_type`` is the ``typ`` that sets this use apart."""
    header = {"alg": key.kind.algorithm_name, "typ": media_type}
    signed = f"{_encode_json(header)}.{_encode_json(claims)}"
    return f"{signed}.{encode_base64url(key.sign(signed.encode('ascii')))}"


def verify_claims(token: str, key: HolderPublicKey, *, media_type: str) -> dict[str, JsonValue]:
    """Return the claims of a compact JWS that this key signed for this use.

    Raises :class:`PresentationRefused` when it is malformed, of another use or algorithm, or not
    signed by this key.
    """
    parts = token.split(".") if len(token) <= _MAX_SIGNED_LENGTH else []
    if len(parts) != 3:
        raise _refuse_signature("it is not a compact JWS")
    header, claims = _decode_json(parts[0]), _decode_json(parts[1])
    if header != {"alg": key.kind.algorithm_name, "typ": media_type}:
        raise _refuse_signature("its header does not fit the holder's key and this use")
    raw = decode_base64url(parts[2])
    if raw is None or len(raw) != SIGNATURE_SIZE:
        raise _refuse_signature(f"it is not {SIGNATURE_SIZE} bytes long")
    if not key.is_signed(f"{parts[0]}.{parts[1]}".encode("ascii"), raw):
        raise _refuse_signature("the holder's key did not sign this")
    return claims


def _get_curve(kind: KeyKind) -> ec.EllipticCurve:
    return ec.SECP256R1() if kind is KeyKind.P_256 else ec.SECP256K1()


def _encode_json(value: JsonValue) -> str:
    return encode_base64url(dump_canonical(value))


def _decode_json(text: str) -> dict[str, JsonValue]:
    data = decode_base64url(text)
    try:
        value = load_json(data) if data is not None else None
    except DocumentRefused as error:
        raise _refuse_signature("a part of it is not JSON") from error
    if not isinstance(value, dict):
        raise _refuse_signature("a part of it is not an object")
    return value


def _decode_coordinate(text: JsonValue) -> int:
    data = decode_base64url(text)
    if data is None or len(data) != _COORDINATE_SIZE:
        raise _refuse_key(f"a coordinate is not {_COORDINATE_SIZE} bytes of base64url")
    return int.from_bytes(data, "big")


def _refuse_key(message: str) -> CredentialRefused:
    return CredentialRefused(
        ReasonCode.HOLDER_KEY_MALFORMED,
        f"the holder's key is refused: {message}",
        pointer=HOLDER_KEY_POINTER,
    )


def _refuse_signature(message: str) -> PresentationRefused:
    return PresentationRefused(
        ReasonCode.HOLDER_SIGNATURE_INVALID, f"the holder's signature is refused: {message}"
    )
