"""The TLS identity of a node: an EC P-256 key and a self-signed certificate.

There is no certificate authority. A certificate is only the envelope in which a public key travels
through TLS; what the other agencies agreed on is the key's **pin**, the SHA-256 of its
SubjectPublicKeyInfo, listed in the registry. A certificate can therefore be renewed at any time
with the same key and the same pin, and says nothing about its owner but a neutral name.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from eth_typing import Hash32

from node.errors import UserFault
from node.keys.errors import KeyFileDamaged, KeyFileMissing
from node.keys.secret_files import read_secret_file, write_secret_file

DEFAULT_VALIDITY_DAYS = 3 * 365
MAX_CERTIFICATE_BYTES = 4096
"""Ours have about 500 bytes; nobody needs more for one key."""

_SUBJECT = "atesta node"
_BACKDATE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsIdentity:
    """A key and its certificate, as files that the TLS library opens itself."""

    key_file: Path
    """Private key, PEM, mode 0600."""

    certificate_file: Path
    """Certificate, PEM."""

    certificate: bytes
    """The certificate, DER."""

    pin: Hash32
    """SHA-256 of its SubjectPublicKeyInfo."""

    expires: dt.datetime
    """End of the certificate's validity (UTC); the pin's own interval is in the registry."""


def create_tls_identity(
    key_file: Path,
    certificate_file: Path,
    *,
    days: int = DEFAULT_VALIDITY_DAYS,
    key: ec.EllipticCurvePrivateKey | None = None,
    now: dt.datetime | None = None,
) -> TlsIdentity:
    """Make a key (or take the given one) and a certificate valid from `now` on, and store both.

    Raises KeyFileExists.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_secret_file(key_file, pem)
    write_secret_file(certificate_file, _make_certificate(key, days, now))
    return load_tls_identity(key_file, certificate_file)


def renew_tls_certificate(
    key_file: Path,
    certificate_file: Path,
    *,
    days: int = DEFAULT_VALIDITY_DAYS,
    now: dt.datetime | None = None,
) -> TlsIdentity:
    """Make a fresh certificate for the same key; the pin stays what it is."""
    certificate = _make_certificate(_load_key(key_file), days, now)
    write_secret_file(certificate_file, certificate, replace=True)
    return load_tls_identity(key_file, certificate_file)


def load_tls_identity(key_file: Path, certificate_file: Path) -> TlsIdentity:
    """Read and check a TLS identity.

    Raises KeyFileMissing, ExposedSecret, KeyFileDamaged (not PEM, not P-256, a certificate of
    another key).
    """
    key = _load_key(key_file)
    try:
        pem = certificate_file.read_bytes()
    except OSError as error:
        raise KeyFileMissing(certificate_file, error.strerror or "unknown reason") from error
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise KeyFileDamaged(certificate_file, "is not a PEM certificate") from error
    if certificate.public_key() != key.public_key():
        raise KeyFileDamaged(certificate_file, f"is not the certificate of {key_file}")
    der = certificate.public_bytes(serialization.Encoding.DER)
    return TlsIdentity(
        key_file=key_file,
        certificate_file=certificate_file,
        certificate=der,
        pin=compute_pin(der),
        expires=certificate.not_valid_after_utc,
    )


def compute_pin(certificate: bytes) -> Hash32:
    """Return the pin of a certificate (DER).

    Raises UserFault if it is not a certificate of an EC P-256 key; whoever got it from a peer
    turns that into the peer's fault.
    """
    return _hash_public_key(_parse_certificate(certificate))


def validate_certificate(certificate: bytes, *, now: dt.datetime) -> Hash32:
    """Return the pin of a certificate that is valid now.

    Raises UserFault that says whether it is not yet or no longer valid, as `compute_pin` does.
    """
    parsed = _parse_certificate(certificate)
    try:
        start, end = parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except (ValueError, OverflowError) as error:
        raise UserFault("has no readable dates", field="certificate") from error
    if now < start:
        raise UserFault(
            f"is not valid before {start:%Y-%m-%d %H:%M} UTC",
            field="certificate",
            next_step="Check the clocks of both machines",
        )
    if now > end:
        raise UserFault(
            f"expired at {end:%Y-%m-%d %H:%M} UTC",
            field="certificate",
            next_step="Its owner renews it with `atesta keys tls --renew`; the pin stays the same",
        )
    return _hash_public_key(parsed)


def _parse_certificate(certificate: bytes) -> x509.Certificate:
    if len(certificate) > MAX_CERTIFICATE_BYTES:
        raise UserFault("is larger than any node's certificate", field="certificate")
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UserFault("is not an X.509 certificate", field="certificate") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UserFault("is not the certificate of an EC P-256 key", field="certificate")
    return parsed


def _hash_public_key(certificate: x509.Certificate) -> Hash32:
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Hash32(hashlib.sha256(spki).digest())


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(read_secret_file(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileDamaged(path, "is not a PEM private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFileDamaged(path, "is not an EC P-256 key")
    return key


def _make_certificate(key: ec.EllipticCurvePrivateKey, days: int, now: dt.datetime | None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _SUBJECT)])
    # Backdated a little, so that a peer whose clock is behind accepts a fresh certificate.
    start = (now or dt.datetime.now(dt.UTC)) - _BACKDATE
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _BACKDATE + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
