"""The account of an audit: what was looked for, where, with which controls, what was found; signed.

A report holds labels, places and counts, never a value, so it can be shown to an auditor of another
agency. It is one JSON object, signed with the agency's account key:

    digest    = keccak256("atesta-privacy-audit-1" ‖ RFC 8785(report without "signature"))
    signature = r ‖ s ‖ v over the digest, secp256k1, v 0 or 1; `account` is who signed

The signature says who reports. Whether the account was the agency's key is for the ledger to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import ClientError
from coincurve import PublicKey
from eth_hash.auto import keccak

from api.errors import InvalidField
from api.firewall.search.guesses import COMPARED
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import SearchReport

FORMAT: Final = "atesta-privacy-audit"
VERSION: Final = 2

_DOMAIN: Final = b"atesta-privacy-audit-1"
_MEMBERS: Final = frozenset(
    {
        "format",
        "version",
        "account",
        "ledger",
        "started",
        "finished",
        "needles",
        "guesses",
        "controls",
        "chance",
        "stores",
        "megabytes_per_s",
        "hits",
        "further_hits",
        "missed",
        "is_clean",
        "not_covered",
    }
)

Sign = Callable[[bytes], bytes]
"""Signs a 32-byte digest: r ‖ s ‖ v, 65 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """A report, read and its signature checked."""

    account: bytes
    """Address of the key that signed it."""
    content: Mapping[str, Any]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found and every control was."""
        return bool(self.content["is_clean"])


def list_stores(report: SearchReport) -> list[dict[str, Any]]:
    """Return what was searched, for the report."""
    return [
        {"store": store, "entries": count, "bytes": report.sizes.get(store, 0)}
        for store, count in sorted(report.stores.items())
    ]


def describe_chance(report: SearchReport, needles: NeedleSet, digests: int) -> dict[str, Any]:
    """Return what chance had to fill, and how many hits are expected of it; two digits each."""
    tally = report.chance
    values = max(1, len(needles.needles))
    expected = tally.compute_expected(needles.lengths)
    expected += digests * tally.size * 256.0**-COMPARED
    return {
        "hexadecimal_digits": tally.hex_digits,
        "base64_characters": tally.base64_characters,
        "bytes": tally.size,
        "expected_hits": f"{expected:.1e}",
        "expected_hits_per_value": f"{expected / values:.1e}",
        "left_to_chance": tally.count,
        "expected_left": f"{tally.compute_left(needles.lengths):.1e}",
    }


def sign_report(content: Mapping[str, Any], account: bytes, sign: Sign) -> dict[str, Any]:
    """Return the whole report as JSON values."""
    told = {"format": FORMAT, "version": VERSION, "account": "0x" + account.hex(), **content}
    assert told.keys() == _MEMBERS, told.keys() ^ _MEMBERS
    return {**told, "signature": "0x" + sign(_compute_digest(told)).hex()}


def read_report(data: bytes) -> AuditReport:
    """Read a report and check its signature; raises `InvalidField` that names what is wrong."""
    try:
        content = load_json(data)
    except ClientError as error:
        raise InvalidField("report", "is not a report of an audit") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InvalidField("format", f"is not {FORMAT}")
    if content.get("version") != VERSION:
        raise InvalidField("version", f"is not {VERSION}")
    if content.keys() != _MEMBERS | {"signature"}:
        raise InvalidField("report", "has not the members of a report")
    signature = _read_hex(content.pop("signature"), 65, "signature")
    account = _read_hex(content["account"], 20, "account")
    if _recover(_compute_digest(content), signature) != account:
        raise InvalidField("signature", "is not the account's, or the report was changed")
    says = not content["hits"] and not content["further_hits"] and not content["missed"]
    if content["is_clean"] is not says:
        raise InvalidField("is_clean", "is not what the report says")
    return AuditReport(account=account, content=content)


def _compute_digest(content: Mapping[str, Any]) -> bytes:
    return bytes(keccak(_DOMAIN + dump_canonical(dict(content))))


def _recover(digest: bytes, signature: bytes) -> bytes | None:
    if signature[64] > 1:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError:
        return None
    return bytes(keccak(key.format(compressed=False)[1:])[12:])


def _read_hex(value: Any, size: int, field: str) -> bytes:
    if isinstance(value, str) and value.startswith("0x") and len(value) == 2 + 2 * size:
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise InvalidField(field, f"must be 0x and {2 * size} hexadecimal digits")
