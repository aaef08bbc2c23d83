"""Pruning: finding what is kept no longer, and erasing it.

A record goes as a whole, so it is due only when everything of it is: the credential, and each
material of the same uid. Anything that no class covers keeps the whole record. Credentials go by an
order (`api.erasing`), so that the ledger says so first; what has no credential is erased in the
vault at once. Both are final in every copy and backup.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from api.erasing.orders import ErasureOrder, ErasureOrders
from api.retention.classes import RetentionClass, RetentionPlan, name_kind
from api.vault.erasure import ErasureReason, erase_records
from api.vault.keyring import Keyring
from api.vault.tables import MATERIALS, RECORDS

CALLER: Final = "retention"
"""Who orders what is pruned."""

_CHUNK: Final = 1_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A record that is kept no longer."""

    uid: bytes
    is_credential: bool
    names: tuple[str, ...]
    """Names of the classes that covered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at the whole vault came to."""

    due: tuple[Due, ...]
    kept: int
    """Records whose time is not over."""
    uncovered: dict[str, int]
    """Things that no class covers, by schema or role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneReport:
    """What pruning did, or would do."""

    is_dry_run: bool
    pruned_s: int
    plan: RetentionPlan
    findings: Findings
    ordered: int
    """Credentials that are ordered to be erased, once the ledger says so."""
    erased: int
    """Records that were erased in the vault at once."""

    def encode(self) -> dict[str, Any]:
        """Return the report as JSON values; uids are random and tell nothing of persons."""
        counts = Counter(name for due in self.findings.due for name in due.names)
        return {
            "is_dry_run": self.is_dry_run,
            "pruned": self.pruned_s,
            "classes": [
                {
                    "name": one.name,
                    "legal_reference": one.legal_reference,
                    "checked": one.checked,
                    "due": counts[one.name],
                }
                for one in self.plan.classes
            ],
            "credentials": ["0x" + d.uid.hex() for d in self.findings.due if d.is_credential],
            "records": ["0x" + d.uid.hex() for d in self.findings.due if not d.is_credential],
            "ordered": self.ordered,
            "erased": self.erased,
            "kept": self.findings.kept,
            "uncovered": self.findings.uncovered,
        }


def find_due(keyring: Keyring, plan: RetentionPlan, *, now_s: int) -> Findings:
    """Look at everything in the vault, opening nothing."""
    ends: dict[bytes, list[tuple[RetentionClass, int] | None]] = {}
    credentials: set[bytes] = set()
    uncovered: Counter[str] = Counter()
    for row in _iterate(keyring, RECORDS):
        uid = bytes(row.uid)
        credentials.add(uid)
        found = plan.find_for_schema(bytes(row.schema_uid))
        if found is None:
            uncovered["schema 0x" + bytes(row.schema_uid).hex()] += 1
            ends.setdefault(uid, []).append(None)
            continue
        start_s = row.created_s
        if found.start == "valid_until" and row.valid_until_s:
            start_s = row.valid_until_s
        ends.setdefault(uid, []).append((found, found.compute_end(start_s)))
    for row in _iterate(keyring, MATERIALS):
        found = plan.find_for_role(row.role)
        if found is None:
            uncovered[f"role {name_kind(row.role)}"] += 1
        ends.setdefault(bytes(row.uid), []).append(
            None if found is None else (found, found.compute_end(row.created_s))
        )
    due = tuple(
        Due(
            uid=uid,
            is_credential=uid in credentials,
            names=tuple(sorted({one[0].name for one in mine if one is not None})),
        )
        for uid, mine in ends.items()
        if all(one is not None and one[1] <= now_s for one in mine)
    )
    return Findings(due=due, kept=len(ends) - len(due), uncovered=dict(sorted(uncovered.items())))


async def prune(
    keyring: Keyring,
    plan: RetentionPlan,
    *,
    now_s: int,
    is_dry_run: bool,
    progress: Progress | None = None,
) -> PruneReport:
    """Erase what is due, or only say what is; may be repeated after a crash.

    Raises what `erase_records` and the database raise; then the next call goes on.
    """
    findings = find_due(keyring, plan, now_s=now_s)
    ordered = erased = 0
    if not is_dry_run:
        orders = ErasureOrders(keyring.database)
        for due in findings.due:
            if due.is_credential:
                await orders.put(
                    ErasureOrder(
                        uid=due.uid,
                        reason=ErasureReason.ENDED_BY_LAW,
                        caller=CALLER,
                        ordered_s=now_s,
                    )
                )
                ordered += 1
        uids = [due.uid for due in findings.due if not due.is_credential]
        if uids:
            erased = erase_records(
                keyring, uids, reason=ErasureReason.ENDED_BY_LAW, now_s=now_s, progress=progress
            ).erased
    return PruneReport(
        is_dry_run=is_dry_run,
        pruned_s=now_s,
        plan=plan,
        findings=findings,
        ordered=ordered,
        erased=erased,
    )


def _iterate(keyring: Keyring, table: Any) -> Iterator[Row[Any]]:
    names = ("sequence", "uid", "created_s", "schema_uid", "valid_until_s", "role")
    columns = [table.c[name] for name in names if name in table.c]
    last = 0
    while True:

        def load(connection: Connection, last: int = last) -> list[Row[Any]]:
            query = select(*columns).where(table.c.sequence > last).order_by(table.c.sequence)
            return list(connection.execute(query.limit(_CHUNK)))

        rows = keyring.database.read_now(load)
        if not rows:
            return
        yield from rows
        last = rows[-1].sequence
