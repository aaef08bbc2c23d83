"""What a soak has to say at its end."""

import statistics
from collections import Counter
from dataclasses import dataclass, field

from tests.soak.findings import Finding, count_findings

MAX_SHOWN = 20


@dataclass(slots=True, kw_only=True)
class Report:
    """The figures of one run."""

    seed: int
    nodes: int
    seconds: float = 0.0
    """Under load and faults, without preparation and judging."""
    by_rpc: int = 0
    by_rest: int = 0
    never_acknowledged: int = 0
    blocks: int = 0
    signatures: int = 0
    """Different signed messages that validators sent each other."""
    faults: Counter[str] = field(default_factory=Counter)
    log_errors: Counter[str] = field(default_factory=Counter)
    """Lines of level error in the nodes' logs, by event; for whoever reads, not for the verdict."""
    recoveries_s: list[float] = field(default_factory=list)
    """From each healing to a new block at every node."""
    bound_s: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.findings

    def format(self, shown: int | None = MAX_SHOWN) -> str:
        """Return the report as text with some findings, or all; its last line counts them."""
        return "\n".join(
            [
                f"seed {self.seed}, {self.nodes} nodes, {self.seconds / 60:.1f} minutes",
                f"records     {self._format_records()}",
                f"faults      {self._format_faults()}",
                f"recoveries  {self._format_recoveries()}",
                *self._format_log_errors(),
                *(f"{finding.kind}: {finding.text}" for finding in self.findings[:shown]),
                *self._format_rest(shown),
                count_findings(self.findings),
            ]
        )

    def _format_records(self) -> str:
        return (
            f"{self.by_rpc + self.by_rest:,} acknowledged ({self.by_rpc:,} by JSON-RPC, "
            f"{self.by_rest:,} by REST), {self.never_acknowledged} never; {self.blocks:,} blocks, "
            f"{self.signatures:,} signed messages compared"
        )

    def _format_faults(self) -> str:
        faults = self.faults
        return (
            f"{faults['kills']} kills ({faults['all killed']} times all at once), "
            f"{faults['pauses']} pauses, {faults['partitions']} partitions, "
            f"{faults['slow links']} slow links, in {faults['episodes']} episodes "
            f"({faults['without quorum']} without a quorum)"
        )

    def _format_recoveries(self) -> str:
        if not self.recoveries_s:
            return "none"
        return (
            f"{len(self.recoveries_s)}, a new block at every node after "
            f"{statistics.median(self.recoveries_s):.1f} s in the median, "
            f"{max(self.recoveries_s):.1f} s at the longest (bound {self.bound_s:.0f} s after the "
            "last node answers)"
        )

    def _format_log_errors(self) -> list[str]:
        events = ", ".join(f"{event} {count}" for event, count in self.log_errors.most_common(5))
        return [f"log errors  {events}"] if events else []

    def _format_rest(self, shown: int | None) -> list[str]:
        more = 0 if shown is None else len(self.findings) - shown
        return [f"and {more} more findings, in report.txt"] if more > 0 else []
