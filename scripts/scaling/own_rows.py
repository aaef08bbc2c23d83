"""Filling an agency's own databases, vault and outbox, with as many rows as years leave there.

The rows are made up and open nothing: what is sealed in earnest is chance here, of the usual size.
Their words are uneven on purpose, so that two filters of the record of reads each fit half of it
and hardly ever the same line. Each table is filled from where it is, so a killed run goes on.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Table, func, insert, select

from api.access.read_table import READS
from api.databases import Database, open_database
from api.imports.queries import DONE, REJECTED
from api.imports.tables import IMPORT_LINES, IMPORTS
from api.migrations.migrating import OUTBOX_MIGRATIONS, VAULT_MIGRATIONS
from api.outbox.tables import METADATA as OUTBOX_METADATA
from api.outbox.tables import OPERATIONS
from api.vault.tables import MERGES, RECORDS
from api.vault.tables import METADATA as VAULT_METADATA
from scripts.scaling.keeping import Stores
from scripts.scaling.sizes import Plan

START_S: Final = 1_780_000_000
"""When the first of each was made."""

CALLERS: Final = 20
OPERATIONS_READ: Final = ("get_credential", "find_subject", "export_credential", "get_case")
PURPOSES_READ: Final = ("service", "exchange", "audit", "rights")
WHATS: Final = ("credential", "subject", "request", "case")
LINES_EACH: Final = 100
"""Lines of an import; one in ten is rejected."""

_CHUNK: Final = 2_000
_EVERY_S: Final = 60

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSizes:
    """How many rows the agency has of each; the defaults are what this project promises."""

    reads: int = 400_000
    credentials: int = 100_000
    operations: int = 100_000
    imports: int = 1_000
    merges: int = 1_000

    def divide(self, part: int) -> "OwnSizes":
        """Return smaller ones, of each at least a few pages."""
        return OwnSizes(
            reads=max(200, self.reads // part),
            credentials=max(200, self.credentials // part),
            operations=max(200, self.operations // part),
            imports=max(20, self.imports // part),
            merges=max(20, self.merges // part),
        )


async def fill_own(plan: Plan, sizes: OwnSizes, stores: Stores, *, is_quiet: bool = False) -> Row:
    """Fill vault and outbox up to these sizes; returns the rows of each table."""
    return await asyncio.to_thread(_fill, plan, sizes, stores, is_quiet=is_quiet)


def _fill(plan: Plan, sizes: OwnSizes, stores: Stores, *, is_quiet: bool) -> Row:
    vault = open_database(
        stores.vault, VAULT_METADATA, migrations=VAULT_MIGRATIONS, secure_delete=True, name="vault"
    )
    outbox = open_database(
        stores.outbox, OUTBOX_METADATA, migrations=OUTBOX_MIGRATIONS, name="outbox"
    )
    work: tuple[tuple[Database, Table, int, Callable[[Plan, int], Row]], ...] = (
        (vault, READS, sizes.reads, _make_read),
        (vault, RECORDS, sizes.credentials, _make_record),
        (vault, IMPORTS, sizes.imports, _make_import),
        (vault, IMPORT_LINES, sizes.imports * LINES_EACH, _make_line),
        (vault, MERGES, sizes.merges, _make_merge),
        (outbox, OPERATIONS, sizes.operations, _make_operation),
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    filled: Row = {}
    try:
        with Progress(*columns, console=Console(stderr=True, quiet=is_quiet)) as progress:
            for database, table, total, make in work:
                done = _count(database, table)
                bar = progress.add_task(table.name, total=total, completed=min(done, total))
                for first in range(done, total, _CHUNK):
                    last = min(first + _CHUNK, total)
                    rows = [make(plan, number) for number in range(first, last)]
                    database.write_now(_build_insert(table, rows))
                    progress.update(bar, completed=last)
                filled[table.name] = max(done, total)
    finally:
        vault.close()
        outbox.close()
    return filled


def _build_insert(table: Table, rows: list[Row]) -> Callable[[Any], None]:
    def add(connection: Any) -> None:
        connection.execute(insert(table), rows)

    return add


def _count(database: Database, table: Table) -> int:
    return int(
        database.read_now(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())
    )


def iterate_words(plan: Plan, number: int) -> Iterator[str]:
    """Yield caller, purpose, operation and what of a made-up read."""
    chance = plan.name("read", number)
    side = chance[0] % 2
    # Half of all lines are of one kind, half of the other; one in 250 mixes them.
    other = side if chance[1] else 1 - side
    yield f"counter-{0 if side else chance[2] % CALLERS}"
    yield PURPOSES_READ[other if chance[3] > 8 else 2 + side]
    yield OPERATIONS_READ[side if chance[4] > 8 else 2 + side]
    yield WHATS[side if chance[5] > 8 else 2 + other]


def _make_read(plan: Plan, number: int) -> Row:
    caller, purpose, operation, what = iterate_words(plan, number)
    return {
        "read_s": START_S + number * _EVERY_S // 4,
        "caller": caller,
        "method": "token",
        "operation": operation,
        "purpose": purpose,
        "uid": plan.name("credential", number // 4),
        "what": what,
        "request_id": plan.name("request", number)[:8].hex(),
    }


def _make_record(plan: Plan, number: int) -> Row:
    chance = plan.name("sealed", number)
    return {
        "uid": plan.name("credential", number),
        "schema_uid": plan.name(
            "schema", plan.choose_unevenly("schema of", number, plan.sizes.agencies)
        ),
        "version": 1,
        "algorithm": 1,
        "commitment": chance,
        "valid_until_s": 0,
        "reference": chance[::-1],
        "created_s": START_S + number * _EVERY_S,
        "wrapped_key": chance * 2,
        "ciphertext": chance * 24,
        "epoch": 1,
    }


def _make_operation(plan: Plan, number: int) -> Row:
    chance = plan.name("operation", number)
    uid = plan.name("credential", number // 3)
    return {
        "id": chance[:16].hex(),
        "idempotency_key": chance.hex(),
        "body_fingerprint": chance,
        "kind": "credential.attest",
        "uid": uid,
        "account": plan.address("account", 0),
        "nonce": number,
        "target": plan.address("target", 0),
        "data": chance * 10,
        "gas": 1_000_000,
        "raw": chance * 14,
        "transaction_hash": chance[::-1],
        "state": "failed" if chance[0] == 0 else "final",
        "unopened": False,
        "record": f"/v1/attestations/0x{uid.hex()}",
        "created_s": START_S + number * _EVERY_S,
        "block": number + 1,
        "block_time_s": START_S + number * _EVERY_S + 2,
    }


def _make_import(plan: Plan, number: int) -> Row:
    chance = plan.name("import", number)
    return {
        "id": name_import(plan, number),
        "act": "mandate.create",
        "idempotency_key": chance.hex(),
        "body_fingerprint": chance,
        "state": DONE,
        "lines": LINES_EACH,
        "created_s": START_S + number * _EVERY_S,
        "finished_s": START_S + number * _EVERY_S + 30,
    }


def name_import(plan: Plan, number: int) -> str:
    """Return the id of an import."""
    return plan.name("import", number)[:16].hex()


def _make_line(plan: Plan, number: int) -> Row:
    is_rejected = number % 10 == 0
    return {
        "import_id": name_import(plan, number // LINES_EACH),
        "line": number % LINES_EACH + 1,
        "state": REJECTED if is_rejected else DONE,
        "uid": plan.name("mandate of import", number),
        "weight": 1,
        "is_single": False,
        "field": "uid" if is_rejected else None,
        "code": "invalid_field" if is_rejected else None,
        "reason": "it is no uid" if is_rejected else None,
    }


def _make_merge(plan: Plan, number: int) -> Row:
    states = ("applied", "applied", "applied", "refused", "proposed")
    state = states[number % len(states)]
    return {
        "uid": plan.name("merge", number),
        "state": state,
        "proposer": f"counter-{number % CALLERS}",
        "proposed_s": START_S + number * _EVERY_S,
        "decider": None if state == "proposed" else f"counter-{(number + 1) % CALLERS}",
        "decided_s": None if state == "proposed" else START_S + number * _EVERY_S + 30,
    }
