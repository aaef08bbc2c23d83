"""The account of a pruning: what was due, by which class and law, what was erased; signed.

A report names classes, counts and the uids of records, which are random, so it can be shown to an
auditor. It is one JSON object, signed with a key of the agency:

    signed    = "atesta-retention-report-2" ‖ RFC 8785(report without "signature")
    signature = r ‖ s over the SHA-256 of these bytes, secp256k1; `account` is who signed

The signature says who reports. Whether the account was the agency's key is for the ledger to say.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import ClientError
from coincurve import PublicKey
from eth_hash.auto import keccak

from api.errors import InvalidField

FORMAT: Final = "atesta-retention-report"
VERSION: Final = 2

_DOMAIN: Final = b"atesta-retention-report-2"
_MEMBERS: Final = frozenset(
    {
        "format",
        "version",
        "account",
        "is_dry_run",
        "pruned",
        "classes",
        "credentials",
        "records",
        "restricted",
        "ordered",
        "erased",
        "kept",
        "uncovered",
        "reads",
    }
)

Sign = Callable[[bytes], bytes]
"""Signs the SHA-256 of the bytes given: r ‖ s, 64 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """A report, read and its signature checked."""

    account: bytes
    """Address of the key that signed it."""
    content: Mapping[str, Any]


def sign_report(content: Mapping[str, Any], account: bytes, sign: Sign) -> dict[str, Any]:
    """Return the whole report as JSON values; `content` is what `PruneReport.encode` returns."""
    told = {"format": FORMAT, "version": VERSION, "account": "0x" + account.hex(), **content}
    assert told.keys() == _MEMBERS, told.keys() ^ _MEMBERS
    return {**told, "signature": "0x" + sign(_write(told)).hex()}


def read_report(data: bytes) -> RetentionReport:
    """Read a report and check its signature; raises `InvalidField` that names what is wrong."""
    try:
        content = load_json(data)
    except ClientError as error:
        raise InvalidField("report", "is not a report of retention") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InvalidField("format", f"is not {FORMAT}")
    if content.get("version") != VERSION:
        raise InvalidField("version", f"is not {VERSION}")
    if content.keys() != _MEMBERS | {"signature"}:
        raise InvalidField("report", "has not the members of a report")
    signature = _read_hex(content.pop("signature"), 64, "signature")
    account = _read_hex(content["account"], 20, "account")
    if account not in _recover(_write(content), signature):
        raise InvalidField("signature", "is not the account's, or the report was changed")
    return RetentionReport(account=account, content=content)


def _write(told: Mapping[str, Any]) -> bytes:
    return _DOMAIN + dump_canonical(dict(told))


def _recover(data: bytes, signature: bytes) -> list[bytes]:
    """Return the addresses of the two keys that may have made a signature."""
    digest = hashlib.sha256(data).digest()
    found = []
    for parity in range(2):
        try:
            key = PublicKey.from_signature_and_message(
                signature + bytes([parity]), digest, hasher=None
            )
        except ValueError:
            continue
        found.append(bytes(keccak(key.format(compressed=False)[1:])[12:]))
    return found


def _read_hex(value: Any, size: int, field: str) -> bytes:
    if isinstance(value, str) and value.startswith("0x") and len(value) == 2 + 2 * size:
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise InvalidField(field, f"is not 0x and {2 * size} hexadecimal digits")
