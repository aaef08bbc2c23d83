"""Machines known by their certificates: mutual TLS on the API's port.

TLS itself checks that a certificate is signed by one of the authorities of a file, is in time and
is held by whoever sends it. That says who issued it, not that this machine may come in: the
operator lists each certificate, by its fingerprint or by its subject, with a name and roles. A
certificate of the authority that nobody listed gets 403; one of a stranger fails the handshake.

A self-signed certificate may stand in the file of authorities itself: it then vouches for itself
alone. To let a machine in no more, strike it off the list: that binds from its next request on,
also on connections that are open already.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from api.access.callers import Caller, Method, Role
from api.access.limits import Limits
from api.access.refusals import CertificateRefused, TokenRefused

log = structlog.get_logger(__name__)

MAX_REMEMBERED: Final = 1_000
"""Certificates whose reading is kept."""

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A certificate's holder, as the operator lists it."""

    name: str
    roles: frozenset[Role]
    fingerprint: str | None = None
    """SHA-256 of the certificate in DER, 64 hex digits; or the subject."""
    subject: str | None = None
    """The subject in RFC 4514 form, exactly; any certificate of the authorities that has it."""
    limits: Limits = field(default_factory=Limits)
    person: str | None = None
    """Who acts by it, as the agency numbers its staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Which certificates are let in."""

    authorities: Path
    """PEM file of the authorities, or of self-signed certificates."""
    machines: tuple[Machine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    fingerprint: str
    subject: str
    from_: datetime
    until: datetime


class CertificateAuthenticator:
    """Names the holders of certificates that TLS has verified."""

    def __init__(self, listed: Machines, now: Callable[[], float]) -> None:
        """Take the list; `now` is in seconds since 1970."""
        self._by_fingerprint = {m.fingerprint: m for m in listed.machines if m.fingerprint}
        self._by_subject = {m.subject: m for m in listed.machines if m.subject}
        self._now = now
        self._read: dict[bytes, _Read] = {}

    def authenticate(self, certificate: bytes) -> Caller:
        """Return whose certificate (in DER) it is.

        Raises `CertificateRefused` for one that nobody listed and `TokenRefused` for one that went
        out of date while its connection stayed open.
        """
        read = self._read.get(certificate)
        if read is None:
            read = _read_certificate(certificate)
            if len(self._read) >= MAX_REMEMBERED:
                self._read.clear()
            self._read[certificate] = read
        moment = datetime.fromtimestamp(self._now(), UTC)
        if not read.from_ <= moment <= read.until:
            raise TokenRefused("the client certificate is out of date")
        machine = self._by_fingerprint.get(read.fingerprint) or self._by_subject.get(read.subject)
        if machine is None:
            # What the operator needs to list it; a fingerprint opens nothing.
            log.info("certificate_not_listed", fingerprint=read.fingerprint)
            raise CertificateRefused("nobody listed this client certificate here")
        return Caller(
            name=machine.name,
            roles=machine.roles,
            method=Method.CERTIFICATE,
            limits=machine.limits,
            person=machine.person,
        )


def read_fingerprint(text: str) -> str | None:
    """Return a SHA-256 fingerprint in 64 lower-case digits, however it is written; None if none."""
    digits = text.lower().removeprefix("sha256:").replace(":", "")
    return digits if _FINGERPRINT.fullmatch(digits) else None


def describe_certificate(pem: bytes) -> Mapping[str, str]:
    """Return what the operator lists of a certificate in PEM: fingerprint and subject.

    Raises ValueError if it is none.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    return {
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "subject": certificate.subject.rfc4514_string(),
    }


def _read_certificate(certificate: bytes) -> _Read:
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        return _Read(
            fingerprint=parsed.fingerprint(hashes.SHA256()).hex(),
            subject=parsed.subject.rfc4514_string(),
            from_=parsed.not_valid_before_utc,
            until=parsed.not_valid_after_utc,
        )
    except ValueError as error:
        # OpenSSL takes some certificates that a stricter reader does not.
        raise CertificateRefused("the client certificate cannot be read") from error
