"""Storing imports and advancing their lines; each method is one database transaction.

One vault holds the imports of all ledgers of an API. A store is that of one ledger: it makes, shows
and hands out those that are for it, and knows them by the hash of its block 0. So an import goes on
on the ledger that it was sent to, whichever name that has in the settings by then; one for a ledger
that the API serves no longer waits.
"""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from atesta_client.canonical import dump_canonical, load_json
from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from api.databases import Database
from api.errors import UpstreamFault
from api.imports.parsing import Fault, ParsedLine
from api.imports.queries import (
    DONE,
    GROUPED,
    OPEN_STATES,
    PROMISED,
    REJECTED,
    RUNNING,
    WAITING,
    StoredImport,
    choose,
    find,
    find_by_key,
    list_lines,
    read,
    read_all,
    stands_on,
)
from api.imports.tables import IMPORT_LINES, IMPORTS
from api.ledger import Ledger
from api.vault.ciphers import Sealed
from api.vault.epoch_keys import EpochKey
from api.vault.keyring import Keyring
from api.vault.sealed_tables import build_line_identity

_L = IMPORT_LINES.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines that go into one transaction."""

    import_id: str
    first: int
    """The line that names it."""
    is_single: bool
    bodies: tuple[dict[str, Any], ...]

    @property
    def key(self) -> str:
        """The idempotency key of its promise; a line tried alone has another than its group."""
        return f"import:{self.import_id}:{self.first}:{'one' if self.is_single else 'group'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """A line that made nothing, and why."""

    line: int
    uid: bytes | None
    fault: Fault


class ImportStore:
    """The imports of one agency for one ledger."""

    def __init__(self, keyring: Keyring, ledger: Ledger, *, is_own: bool) -> None:
        """Open on a ledger; `is_own` tells whether it is the API's own."""
        self._ledger = ledger
        self._is_own = is_own
        self._keyring = keyring
        self._database = keyring.database
        self.added = asyncio.Event()
        """Set whenever there is a new import; the worker waits for it."""

    async def create(
        self,
        act: str,
        lines: Sequence[ParsedLine],
        *,
        idempotency_key: str,
        body_fingerprint: bytes,
        now_s: int,
    ) -> StoredImport:
        """Keep an import; durable on return. The same key and body return the same import.

        Raises `IdempotencyKeyReused`, or `UpstreamFault` for another ledger than the own one that
        has never been reached; then nothing was stored.
        """
        import_id = "im-" + secrets.token_hex(12)
        ledger = await self._find_ledger()

        def seal(key: EpochKey) -> list[dict[str, Any]]:
            return [_seal(key, import_id, line) for line in lines]

        def add(connection: Connection, rows: list[dict[str, Any]]) -> StoredImport:
            known = find_by_key(connection, idempotency_key, body_fingerprint)
            if known is not None:
                return known
            connection.execute(
                insert(IMPORTS).values(
                    id=import_id,
                    act=act,
                    idempotency_key=idempotency_key,
                    body_fingerprint=body_fingerprint,
                    state=RUNNING,
                    lines=len(rows),
                    created_s=now_s,
                    ledger=ledger,
                )
            )
            connection.execute(insert(IMPORT_LINES), rows)
            row = connection.execute(select(IMPORTS).where(IMPORTS.c.id == import_id)).one()
            return read(connection, row)

        stored = await self._keyring.write(seal, add, count=len(lines))
        self.added.set()
        return stored

    async def find_by_key(self, key: str, body_fingerprint: bytes) -> StoredImport | None:
        """Return the import of an earlier, equal request; raises `IdempotencyKeyReused`."""
        return await self._database.read(lambda c: find_by_key(c, key, body_fingerprint))

    async def find(self, import_id: str) -> StoredImport | None:
        """Return an import of this ledger with its progress."""
        here = await self._read_here()
        return await self._database.read(lambda c: find(c, import_id, here))

    async def get_page(self, *, limit: int, before: int | None) -> list[StoredImport]:
        """Return imports of this ledger, newest first."""
        here = await self._read_here()

        def load(connection: Connection) -> list[StoredImport]:
            query = select(IMPORTS).where(here).order_by(IMPORTS.c.sequence.desc()).limit(limit)
            if before is not None:
                query = query.where(IMPORTS.c.sequence < before)
            return read_all(connection, connection.execute(query).all())

        return await self._database.read(load)

    async def get_rejected(
        self, import_id: str, *, limit: int, after: int | None
    ) -> list[RejectedLine]:
        """Return the rejected lines in the order of the file."""
        query = (
            select(IMPORT_LINES)
            .where(_L.import_id == import_id, _L.state == REJECTED, _L.line > (after or 0))
            .order_by(_L.line)
            .limit(limit)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [
            RejectedLine(
                line=row.line,
                uid=None if row.uid is None else bytes(row.uid),
                fault=Fault(field=row.field, code=row.code, reason=row.reason, rule=row.rule),
            )
            for row in rows
        ]

    @property
    def database(self) -> Database:
        """Where the imports are: who shares it shares the work."""
        return self._database

    async def take(self, worker: str, *, now_s: int) -> str | None:
        """Return the oldest running import and note who works on it since when; None if none runs.

        Whoever worked on it before is gone: only who leads takes any. It is this ledger's from now
        on, also if it named none. Raises `UpstreamFault` if the ledger has never been reached.
        """
        ledger = await self._ledger.get_genesis_hash()
        here = stands_on(ledger, is_own=self._is_own)

        def take(connection: Connection) -> str | None:
            row = connection.execute(
                select(IMPORTS.c.id)
                .where(IMPORTS.c.state == RUNNING, here)
                # What something stops for now does not hold up what comes after it.
                .order_by(IMPORTS.c.problem.is_not(None), IMPORTS.c.sequence)
                .limit(1)
            ).one_or_none()
            if row is None:
                return None
            connection.execute(
                update(IMPORTS)
                .where(IMPORTS.c.id == row.id)
                .values(worker=worker, lease_until_s=now_s, ledger=ledger)
            )
            return str(row.id)

        return await self._database.write(take)

    async def take_group(self, import_id: str, size: int, budget: int) -> Group | None:
        """Return the next lines to promise, by number and weight; None if none can be now.

        Lines that were taken before and not promised, because the process ended, come again as the
        same group.
        """

        def take(connection: Connection) -> list[Row[Any]]:
            taken = list_lines(connection, import_id, GROUPED)
            if taken:
                first = min(row.group_line for row in taken)
                return [row for row in taken if row.group_line == first]
            rows = choose(connection, import_id, size, budget)
            if rows:
                connection.execute(
                    update(IMPORT_LINES)
                    .where(_L.import_id == import_id, _L.line.in_([row.line for row in rows]))
                    .values(state=GROUPED, group_line=rows[0].line)
                )
            return rows

        async def open_taken() -> Group | None:
            rows = await self._database.write(take)
            if not rows:
                return None
            return Group(
                import_id=import_id,
                first=rows[0].line,
                is_single=rows[0].is_single,
                bodies=tuple(self._open(row) for row in rows),
            )

        return await self._keyring.retry(open_taken)

    async def mark_promised(self, group: Group, operation: str) -> None:
        """Note the operation that carries a group."""
        await self._change(group, state=PROMISED, operation=operation)

    async def split(self, import_id: str, first: int) -> None:
        """Let the lines of a refused group be tried one by one."""
        await self._database.write(
            lambda c: c.execute(
                update(IMPORT_LINES)
                .where(_L.import_id == import_id, _L.group_line == first)
                .values(state=WAITING, is_single=True, group_line=None, operation=None)
            )
        )

    async def reject(self, import_id: str, first: int, fault: Fault) -> None:
        """Note why a line made nothing, and drop its content."""
        await self._finish(
            import_id,
            [first],
            state=REJECTED,
            field=fault.field,
            code=fault.code,
            reason=fault.reason,
            rule=fault.rule,
        )

    async def mark_done(self, import_id: str, firsts: Sequence[int]) -> None:
        """Note that groups are final on the ledger, and drop their contents."""
        await self._finish(import_id, firsts, state=DONE)

    async def list_promised(self, import_id: str) -> dict[int, tuple[str, int]]:
        """Return operation and number of lines of each promised group, by its first line."""
        query = (
            select(_L.group_line, _L.operation, func.count())
            .where(_L.import_id == import_id, _L.state == PROMISED)
            .group_by(_L.group_line, _L.operation)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        return {int(first): (str(operation), int(count)) for first, operation, count in rows}

    async def finish(self, import_id: str, *, now_s: int) -> bool:
        """End an import that has no open line; returns whether it has ended."""

        def end(connection: Connection) -> bool:
            open_lines = connection.execute(
                select(func.count()).where(_L.import_id == import_id, _L.state.in_(OPEN_STATES))
            ).scalar_one()
            if open_lines:
                return False
            connection.execute(
                update(IMPORTS)
                .where(IMPORTS.c.id == import_id)
                .values(state=DONE, finished_s=now_s, problem=None)
            )
            return True

        return await self._database.write(end)

    async def note_problem(self, import_id: str, problem: str | None) -> None:
        """Note what stops an import for now."""
        await self._database.write(
            lambda c: c.execute(
                update(IMPORTS).where(IMPORTS.c.id == import_id).values(problem=problem)
            )
        )

    async def _find_ledger(self) -> bytes | None:
        """Return what names the ledger; None for an own one that has never been reached."""
        try:
            return await self._ledger.get_genesis_hash()
        except UpstreamFault:
            if self._is_own:
                return None
            raise

    async def _read_here(self) -> ColumnElement[bool]:
        return stands_on(await self._ledger.get_genesis_hash(), is_own=self._is_own)

    async def _change(self, group: Group, **values: Any) -> None:
        await self._database.write(
            lambda c: c.execute(
                update(IMPORT_LINES)
                .where(_L.import_id == group.import_id, _L.group_line == group.first)
                .values(**values)
            )
        )

    async def _finish(self, import_id: str, firsts: Iterable[int], **values: Any) -> None:
        groups = list(firsts)
        await self._database.write(
            lambda c: c.execute(
                update(IMPORT_LINES)
                .where(_L.import_id == import_id, _L.group_line.in_(groups))
                .values(**values, epoch=None, wrapped_key=None, ciphertext=None)
            )
        )

    def _open(self, row: Row[Any]) -> dict[str, Any]:
        sealed = Sealed(
            epoch=row.epoch, wrapped_key=bytes(row.wrapped_key), ciphertext=bytes(row.ciphertext)
        )
        identity = build_line_identity(row.import_id, row.line)
        found = load_json(self._keyring.open(sealed, identity))
        assert isinstance(found, dict), "only objects are stored"
        return dict(found)


def _seal(key: EpochKey, import_id: str, line: ParsedLine) -> dict[str, Any]:
    fault = line.fault
    sealed = None
    if line.body is not None:
        sealed = key.seal(
            dump_canonical(dict(line.body)), build_line_identity(import_id, line.line)
        )
    return {
        "import_id": import_id,
        "line": line.line,
        "state": WAITING if fault is None else REJECTED,
        "uid": line.uid,
        "depends": line.depends,
        "weight": line.weight,
        "is_single": False,
        "field": None if fault is None else fault.field,
        "code": None if fault is None else fault.code,
        "reason": None if fault is None else fault.reason,
        "rule": None if fault is None else fault.rule,
        "epoch": None if sealed is None else sealed.epoch,
        "wrapped_key": None if sealed is None else sealed.wrapped_key,
        "ciphertext": None if sealed is None else sealed.ciphertext,
    }
