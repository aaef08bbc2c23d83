"""A certificate authority for tests: certificates of servers and machines, real keys."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A certificate and its key, in memory and as files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path
    key_file: Path

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()


class Authority:
    """Signs certificates; its files lie in one folder."""

    def __init__(self, folder: Path, name: str = "Agency CA") -> None:
        self.folder = folder
        self.own = self._make(name, None, is_authority=True)

    def issue(self, name: str, *, ends: timedelta = DAY) -> Holder:
        """Return a new certificate for a server on 127.0.0.1 or for a machine."""
        return self._make(name, self.own, ends=ends)

    def _make(
        self,
        name: str,
        signer: Holder | None,
        *,
        is_authority: bool = False,
        ends: timedelta = DAY,
    ) -> Holder:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Agency"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if signer is None else signer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 2 * DAY)
            .not_valid_after(NOW + ends)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            ).add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
        certificate = builder.sign(key if signer is None else signer.key, hashes.SHA256())
        stem = f"{name.replace(' ', '-')}-{certificate.serial_number % 10**6}"
        holder = Holder(
            certificate=certificate,
            key=key,
            certificate_file=self.folder / f"{stem}.crt",
            key_file=self.folder / f"{stem}.key",
        )
        holder.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        holder.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return holder

    def make_self_signed(self, name: str) -> Holder:
        """Return a certificate that nobody else signed."""
        return self._make(name, None)
