"""Reports that an agency signs: one JSON object, whose signature anybody can check offline.

    signed    = "NAME-VERSION" ‖ RFC 8785(report without "signature")
    signature = r ‖ s over the SHA-256 of these bytes, secp256k1; `account` is who signed

NAME and VERSION are the report's own members `format` and `version`, so a signature under one
format is none under another. Nor is it one of the account's other signatures: a token of a
credential begins otherwise, a transaction is signed over keccak-256. A report has exactly the
members of its format: what a reader does not know is refused, not passed over.

The signature says who reports. Whether the account was the agency's key is for the ledger to say.
"""

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import ClientError
from eth_typing import Address

from api.errors import InvalidField
from consensus.errors import InvalidMessage
from consensus.signatures import recover_address
from consensus.types import Hash32

MAX_REPORT_BYTES: Final = 256 * 1024 * 1024
"""Largest report that is read. One of a large vault names millions of records."""

Sign = Callable[[bytes], bytes]
"""Signs the SHA-256 of the bytes given: r ‖ s, 64 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReport:
    """A report, read and its signature checked."""

    account: Address
    """Address of the key that signed it."""
    content: Mapping[str, Any]
    """All members but the signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """What reports of one kind consist of."""

    name: str
    """Member `format`; also what is signed under."""
    version: int
    """Member `version`; counted up with every change of the members or their meaning."""
    members: frozenset[str]
    """What a report says, beside `format`, `version`, `account` and `signature`."""

    def sign(self, content: Mapping[str, Any], account: bytes, sign: Sign) -> dict[str, Any]:
        """Return the whole report as JSON values; `content` has exactly the format's members."""
        assert content.keys() == self.members, content.keys() ^ self.members
        head = {"format": self.name, "version": self.version, "account": "0x" + account.hex()}
        told = {**head, **content}
        return {**told, "signature": "0x" + sign(self._write(told)).hex()}

    def read(self, data: bytes) -> SignedReport:
        """Read a report and check its signature; raises `InvalidField` that names what is wrong."""
        try:
            content = load_json(data, max_bytes=MAX_REPORT_BYTES)
        except ClientError as error:
            raise InvalidField("report", f"is not a report: {error}") from error
        if not isinstance(content, dict) or content.get("format") != self.name:
            raise InvalidField("format", f"is not {self.name}")
        self._validate_version(content.get("version"))
        if content.keys() != self.members | {"format", "version", "account", "signature"}:
            raise InvalidField("report", "has not the members of a report")
        signature = _read_hex(content.pop("signature"), 64, "signature")
        account = Address(_read_hex(content["account"], 20, "account"))
        if account not in _recover(self._write(content), signature):
            raise InvalidField("signature", "is not the account's, or the report was changed")
        return SignedReport(account=account, content=content)

    def _validate_version(self, version: Any) -> None:
        if type(version) is not int:
            raise InvalidField("version", "is not a whole number")
        if version != self.version:
            raise InvalidField(
                "version",
                f"is {version}; this release reads reports of version {self.version} alone",
                next_step="check it with the release that wrote it",
            )

    def _write(self, told: Mapping[str, Any]) -> bytes:
        return f"{self.name}-{self.version}".encode() + dump_canonical(dict(told))


def _recover(data: bytes, signature: bytes) -> list[Address]:
    """Return the addresses of the two keys that may have made a signature."""
    digest = Hash32(hashlib.sha256(data).digest())
    found = []
    for parity in range(2):
        try:
            found.append(recover_address(digest, signature + bytes([parity])))
        except InvalidMessage:
            continue
    return found


def _read_hex(value: Any, size: int, field: str) -> bytes:
    if isinstance(value, str) and value.startswith("0x") and len(value) == 2 + 2 * size:
        with contextlib.suppress(ValueError):
            return bytes.fromhex(value[2:])
    raise InvalidField(field, f"must be 0x and {2 * size} hexadecimal digits")
