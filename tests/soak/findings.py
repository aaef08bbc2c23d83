"""What a soak may find, in the three words of its last line."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    LOST = "lost"
    """Something acknowledged or final is not there exactly once, with success, at every node."""
    FORKED = "forked"
    """Two nodes, or one node at two moments, called two blocks of one height final; or a validator
    signed twice."""
    STUCK = "stuck"
    """The network, or a promise, did not come to its end within the stated bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken promise."""

    kind: Kind
    text: str
    """What, where and when, in one line."""


def count_findings(findings: list[Finding]) -> str:
    """Return the last line: `lost 0, forked 0, stuck 0`."""
    counts = {kind: sum(finding.kind == kind for finding in findings) for kind in Kind}
    return ", ".join(f"{kind} {count}" for kind, count in counts.items())
