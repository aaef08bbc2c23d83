"""Pruning: finding what is kept no longer, and erasing it.

A record goes as a whole, so it is due only when everything of it is: the credential, and each
material of the same uid. Anything that no class covers keeps the whole record. A record that is
kept for storage only goes at the end that was declared for it, unless a law asks for longer.
Credentials go by an order (`api.erasing`), so that the ledger says so first; what has no credential
is erased in the vault at once. Both are final in every copy and backup. Lines of the record of
reads are rows without content; they are deleted.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from api.access.read_table import READS
from api.cases.marks import keep_marks
from api.erasing.orders import ErasureOrder, ErasureOrders
from api.retention.classes import RetentionPlan, name_kind
from api.retention.duties import find_duty, find_terms, follows
from api.vault.erasure import ErasureReason, erase_records
from api.vault.holdings import Holding, iterate_holdings
from api.vault.keyring import Keyring
from api.vault.materials import Materials
from api.vault.restrictions import (
    Restriction,
    RestrictionCause,
    list_restrictions,
)

CALLER: Final = "retention"
"""Who orders what is pruned."""

_CHUNK: Final = 500

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A record that is kept no longer."""

    uid: bytes
    is_credential: bool
    names: tuple[str, ...]
    """Names of the classes that covered it; none for one that was kept for storage only until
    now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at the whole vault came to."""

    due: tuple[Due, ...]
    restricted: tuple[Restriction, ...]
    """Records that are kept for storage only from now on."""
    kept: int
    """Records whose time is not over."""
    uncovered: dict[str, int]
    """Things that no class covers, by schema or role."""
    reads_until_s: int | None
    """Lines of the record of reads from before this go; None where no class says so."""
    reads: int
    """How many these are."""


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
        findings = self.findings
        counts = Counter(name for due in findings.due for name in due.names)
        return {
            "is_dry_run": self.is_dry_run,
            "pruned": self.pruned_s,
            "classes": [
                {
                    "name": one.name,
                    "action": one.action,
                    "legal_reference": one.legal_reference,
                    "checked": one.checked,
                    "due": findings.reads if one.tables else counts[one.name],
                }
                for one in self.plan.classes
            ],
            "credentials": _write(due.uid for due in findings.due if due.is_credential),
            "records": _write(due.uid for due in findings.due if not due.is_credential),
            "restricted": _write(one.uid for one in findings.restricted),
            "ordered": self.ordered,
            "erased": self.erased,
            "kept": findings.kept,
            "uncovered": findings.uncovered,
            "reads": findings.reads,
        }


def find_due(keyring: Keyring, plan: RetentionPlan, *, now_s: int) -> Findings:
    """Look at everything in the vault, opening nothing."""
    held: dict[bytes, list[Holding]] = {}
    uncovered: Counter[str] = Counter()
    for holding in iterate_holdings(keyring.database):
        held.setdefault(holding.uid, []).append(holding)
    for holdings in held.values():
        uncovered.update(
            _name(holding)
            for holding in holdings
            if plan.find_for(holding) is None and not follows(holding, holdings)
        )
    known = {one.uid: one for one in keyring.database.read_now(list_restrictions)}
    due, restricted = [], []
    for uid, holdings in held.items():
        names = _find_due_names(plan, holdings, known.get(uid), now_s)
        if names is not None:
            is_credential = any(holding.schema_uid is not None for holding in holdings)
            due.append(Due(uid=uid, is_credential=is_credential, names=names))
        elif uid not in known:
            restricted += _restrict(plan, holdings, now_s)
    reads_until_s = _find_reads_end(plan, now_s)
    return Findings(
        due=tuple(due),
        restricted=tuple(restricted),
        kept=len(held) - len(due),
        uncovered=dict(sorted(uncovered.items())),
        reads_until_s=reads_until_s,
        reads=0
        if reads_until_s is None
        else keyring.database.read_now(lambda c: _count_reads(c, reads_until_s)),
    )


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
    findings = await asyncio.to_thread(find_due, keyring, plan, now_s=now_s)
    ordered = erased = 0
    if not is_dry_run:
        credentials = [due.uid for due in findings.due if due.is_credential]
        orders = ErasureOrders(keyring)
        for start in range(0, len(credentials), _CHUNK):
            chunk = credentials[start : start + _CHUNK]
            await orders.put_all([_order(uid, now_s) for uid in chunk])
        ordered = len(credentials)
        await orders.restrict(findings.restricted)
        uids = [due.uid for due in findings.due if not due.is_credential]
        if uids:
            reason = ErasureReason.ENDED_BY_LAW
            await keep_marks(Materials(keyring), uids, reason=reason, now_s=now_s)
            erase = partial(erase_records, reason=reason, now_s=now_s, progress=progress)
            erased = (await asyncio.to_thread(erase, keyring, uids)).erased
        if findings.reads and findings.reads_until_s is not None:
            gone = delete(READS).where(READS.c.read_s < findings.reads_until_s)
            await keyring.database.write(lambda c: _execute(c, gone))
    return PruneReport(
        is_dry_run=is_dry_run,
        pruned_s=now_s,
        plan=plan,
        findings=findings,
        ordered=ordered,
        erased=erased,
    )


def _find_due_names(
    plan: RetentionPlan, holdings: list[Holding], known: Restriction | None, now_s: int
) -> tuple[str, ...] | None:
    """Return the classes of a record that is due; None for one that is kept."""
    if known is not None and known.until_s is not None:
        is_over = known.until_s <= now_s and find_duty(plan, holdings, now_s=now_s) is None
        return () if is_over else None
    terms = find_terms(plan, holdings)
    if terms is None or any(term.end_s > now_s for term in terms):
        return None
    return tuple(sorted({term.of.name for term in terms}))


def _restrict(plan: RetentionPlan, holdings: list[Holding], now_s: int) -> list[Restriction]:
    """Return the restriction of a record whose classes say so by now."""
    terms = find_terms(plan, holdings, "restrict")
    if terms is None or any(term.end_s > now_s for term in terms):
        return []
    last = max(terms, key=lambda term: term.end_s).of
    return [
        Restriction(
            uid=holdings[0].uid,
            cause=RestrictionCause.TERM,
            basis=None if last.basis is None else bytes.fromhex(last.basis[2:]),
            legal_reference=last.legal_reference,
            restricted_s=now_s,
            until_s=None,
        )
    ]


def _find_reads_end(plan: RetentionPlan, now_s: int) -> int | None:
    """Return before when lines of the record of reads were written that are kept no longer."""
    found = plan.find_for_table("reads")
    if found is None:
        return None
    # The calendar does not run backwards, so the latest day that is over is looked for.
    low, high = 0, now_s + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if found.compute_end(middle) <= now_s else (low, middle)
    return high


def _count_reads(connection: Connection, until_s: int) -> int:
    query = select(func.count()).select_from(READS).where(READS.c.read_s < until_s)
    return int(connection.execute(query).scalar_one())


def _order(uid: bytes, now_s: int) -> ErasureOrder:
    return ErasureOrder(uid=uid, reason=ErasureReason.ENDED_BY_LAW, caller=CALLER, ordered_s=now_s)


def _name(holding: Holding) -> str:
    if holding.schema_uid is not None:
        return "schema 0x" + holding.schema_uid.hex()
    assert holding.role is not None, "a material has a role"
    return f"role {name_kind(holding.role)}"


def _execute(connection: Connection, statement: Any) -> None:
    connection.execute(statement)


def _write(uids: Iterable[bytes]) -> list[str]:
    return ["0x" + uid.hex() for uid in uids]
