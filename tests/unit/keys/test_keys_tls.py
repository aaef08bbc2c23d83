"""The TLS identity: key, certificate and pin."""

import datetime as dt
import hashlib
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.testkeys import get_tls_pin, get_tls_scalar
from node.errors import UserFault
from node.keys import (
    ExposedSecret,
    KeyFileDamaged,
    KeyFileExists,
    KeyFileMissing,
    TlsIdentity,
    compute_pin,
    create_tls_identity,
    load_tls_identity,
    renew_tls_certificate,
)
from node.keys.tls import validate_certificate

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def identity(tmp_path: Path) -> TlsIdentity:
    return create_tls_identity(tmp_path / "tls.key", tmp_path / "tls.crt", now=NOW, days=30)


def test_identity_comes_back_from_its_files(identity: TlsIdentity) -> None:
    assert load_tls_identity(identity.key_file, identity.certificate_file) == identity
    assert stat.S_IMODE(identity.key_file.stat().st_mode) == 0o600
    with pytest.raises(KeyFileExists):
        create_tls_identity(identity.key_file, identity.certificate_file)


def test_pin_is_the_sha256_of_the_public_key_info(identity: TlsIdentity) -> None:
    certificate = x509.load_der_x509_certificate(identity.certificate)
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert identity.pin == hashlib.sha256(spki).digest() == compute_pin(identity.certificate)


def test_pin_of_a_published_key_is_the_one_in_the_development_genesis(tmp_path: Path) -> None:
    key = ec.derive_private_key(get_tls_scalar(2), ec.SECP256R1())
    identity = create_tls_identity(tmp_path / "k", tmp_path / "c", key=key)
    assert identity.pin == get_tls_pin(2)


def test_certificate_names_nobody_and_is_no_authority(identity: TlsIdentity) -> None:
    certificate = x509.load_der_x509_certificate(identity.certificate)
    assert certificate.subject.rfc4514_string() == "CN=atesta node"
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert not constraints.value.ca


def test_renewed_certificate_keeps_the_pin(identity: TlsIdentity) -> None:
    later = NOW + dt.timedelta(days=40)
    renewed = renew_tls_certificate(
        identity.key_file, identity.certificate_file, now=later, days=30
    )
    assert renewed.pin == identity.pin
    assert renewed.certificate != identity.certificate
    assert validate_certificate(renewed.certificate, now=later) == identity.pin


@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        (dt.timedelta(days=31), "expired at 2026-03-31"),
        (dt.timedelta(hours=-2), "is not valid before"),
    ],
)
def test_certificate_outside_its_time_is_refused(
    identity: TlsIdentity, offset: dt.timedelta, reason: str
) -> None:
    assert validate_certificate(identity.certificate, now=NOW) == identity.pin
    with pytest.raises(UserFault, match=reason):
        validate_certificate(identity.certificate, now=NOW + offset)


def test_certificate_of_another_key_is_refused(identity: TlsIdentity, tmp_path: Path) -> None:
    other = create_tls_identity(tmp_path / "other.key", tmp_path / "other.crt")
    with pytest.raises(KeyFileDamaged, match=r"other\.crt: is not the certificate of"):
        load_tls_identity(identity.key_file, other.certificate_file)


def test_exposed_key_is_refused(identity: TlsIdentity) -> None:
    identity.key_file.chmod(0o644)
    with pytest.raises(ExposedSecret):
        load_tls_identity(identity.key_file, identity.certificate_file)


def test_damaged_files_are_named(identity: TlsIdentity) -> None:
    identity.certificate_file.write_bytes(b"junk")
    with pytest.raises(KeyFileDamaged, match=r"tls\.crt: is not a PEM certificate"):
        load_tls_identity(identity.key_file, identity.certificate_file)
    identity.certificate_file.unlink()
    with pytest.raises(KeyFileMissing, match=r"tls\.crt"):
        load_tls_identity(identity.key_file, identity.certificate_file)
    identity.key_file.write_bytes(b"junk")
    with pytest.raises(KeyFileDamaged, match=r"tls\.key: is not a PEM private key"):
        load_tls_identity(identity.key_file, identity.certificate_file)


def test_key_of_another_curve_is_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(KeyFileDamaged, match="not an EC P-256 key"):
        create_tls_identity(tmp_path / "k", tmp_path / "c", key=key)


@pytest.mark.parametrize("certificate", [b"", b"junk", b"0" * 5000])
def test_pin_of_anything_but_a_certificate_is_refused(certificate: bytes) -> None:
    with pytest.raises(UserFault, match="certificate"):
        compute_pin(certificate)
