"""The account of a pruning: what was due, by which class and law, what was erased; signed.

A report names classes, counts and the uids of records, which are random, so it can be shown to an
auditor. `PruneReport.encode` makes its content; `api.signed_report` says how it is signed.
"""

from typing import Final

from api.signed_report import ReportFormat

RETENTION_REPORT: Final = ReportFormat(
    name="atesta-retention-report",
    version=2,
    members=frozenset(
        {
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
    ),
)
