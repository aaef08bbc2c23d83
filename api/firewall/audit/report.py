"""The account of an audit: what was looked for, where, with which controls, what was found; signed.

A report holds labels, places and counts, never a value, so it can be shown to an auditor of another
agency. `api.firewall.audit.running` makes its content; `api.signed_report` says how it is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import Address

from api.errors import InvalidField
from api.firewall.search.guesses import COMPARED
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import SearchReport
from api.signed_report import ReportFormat

AUDIT_REPORT: Final = ReportFormat(
    name="atesta-privacy-audit",
    version=3,
    members=frozenset(
        {
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
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """A report, read and its signature checked."""

    account: Address
    """Address of the key that signed it."""
    content: Mapping[str, Any]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found and every control was."""
        return bool(self.content["is_clean"])


def read_report(data: bytes) -> AuditReport:
    """Read a report and check it; raises `InvalidField` that names what is wrong."""
    report = AUDIT_REPORT.read(data)
    content = report.content
    says = not content["hits"] and not content["further_hits"] and not content["missed"]
    if content["is_clean"] is not says:
        raise InvalidField("is_clean", "is not what the report says")
    return AuditReport(account=report.account, content=content)


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
