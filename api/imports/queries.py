"""Reading imports and choosing their next lines, inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from api.errors import IdempotencyKeyReused
from api.imports.tables import IMPORT_LINES, IMPORTS
from api.vault.tables import ERASURES

RUNNING: Final = "running"
DONE: Final = "done"
WAITING: Final = "waiting"
GROUPED: Final = "grouped"
PROMISED: Final = "promised"
REJECTED: Final = "rejected"
OPEN_STATES: Final = (WAITING, GROUPED, PROMISED)

FORGOTTEN: Final = bytes(32)
"""A fingerprint that no file has."""

_L = IMPORT_LINES.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImport:
    """One import and how far it is."""

    sequence: int
    id: str
    act: str
    state: str
    lines: int
    waiting: int
    promised: int
    done: int
    rejected: int
    created_s: int
    finished_s: int | None
    problem: str | None


def choose(connection: Connection, import_id: str, size: int, budget: int) -> list[Row[Any]]:
    """Choose waiting lines whose predecessors are settled, as many as one transaction bears.

    If nothing else moves, one that waits is taken all the same: the ledger judges it.
    """
    unsettled = select(_L.uid).where(
        _L.import_id == import_id, _L.state.in_(OPEN_STATES), _L.uid.is_not(None)
    )
    waiting = and_(_L.import_id == import_id, _L.state == WAITING)
    ready = and_(waiting, or_(_L.depends.is_(None), _L.depends.not_in(unsettled)))
    query = select(IMPORT_LINES).where(ready).order_by(_L.line).limit(size)
    rows = list(connection.execute(query).all())
    if not rows and not list_lines(connection, import_id, PROMISED, limit=1):
        # Lines that wait for each other, or for nothing that will come: the ledger judges them.
        first = select(IMPORT_LINES).where(waiting).order_by(_L.line).limit(1)
        rows = list(connection.execute(first).all())
    if rows and rows[0].is_single:
        return rows[:1]
    chosen: list[Row[Any]] = []
    for row in rows:
        budget -= row.weight
        if row.is_single or (chosen and budget < 0):
            break
        chosen.append(row)
    return chosen


def list_lines(
    connection: Connection, import_id: str, state: str, limit: int = 1000
) -> list[Row[Any]]:
    """Return lines in one state, in the order of the file."""
    query = (
        select(IMPORT_LINES)
        .where(_L.import_id == import_id, _L.state == state)
        .order_by(_L.line)
        .limit(limit)
    )
    return list(connection.execute(query).all())


def find_by_key(connection: Connection, key: str, body_fingerprint: bytes) -> StoredImport | None:
    """Return what the key was used for; raises `IdempotencyKeyReused` for another body."""
    row = connection.execute(select(IMPORTS).where(IMPORTS.c.idempotency_key == key)).one_or_none()
    if row is None:
        return None
    if bytes(row.body_fingerprint) != body_fingerprint:
        raise IdempotencyKeyReused
    return read(connection, row)


def forget_erased(connection: Connection) -> int:
    """Take the fingerprints from files that named what is erased by now; returns how many had one.

    An equal file is told afterwards that its idempotency key was used for another one.
    """
    erased = _L.uid.in_(select(ERASURES.c.uid))
    query = update(IMPORTS).where(
        IMPORTS.c.body_fingerprint != FORGOTTEN,
        IMPORTS.c.id.in_(select(_L.import_id).where(erased)),
    )
    return connection.execute(query.values(body_fingerprint=FORGOTTEN)).rowcount


def find(connection: Connection, import_id: str, here: ColumnElement[bool]) -> StoredImport | None:
    """Return an import with its progress; None if it is not one of those `here`."""
    query = select(IMPORTS).where(IMPORTS.c.id == import_id, here)
    row = connection.execute(query).one_or_none()
    return None if row is None else read(connection, row)


def stands_on(ledger: bytes, *, is_own: bool) -> ColumnElement[bool]:
    """Return the condition of being for a ledger, named by the hash of its block 0.

    What names none was made before there were several ledgers, or while the own one had never been
    reached: it is for the own one.
    """
    named = IMPORTS.c.ledger == ledger
    return or_(named, IMPORTS.c.ledger.is_(None)) if is_own else named


def read(connection: Connection, row: Row[Any]) -> StoredImport:
    """Return an import with its progress from its row."""
    return read_all(connection, [row])[0]


def read_all(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredImport]:
    """Return imports with their progress from their rows, all counted at once."""
    over = [row.id for row in rows if row.state == DONE]
    going_on = [row.id for row in rows if row.state != DONE]
    # What was not rejected of one that is over is done, and need not be counted.
    counted = or_(
        and_(_L.import_id.in_(over), _L.state == REJECTED),
        and_(_L.import_id.in_(going_on), _L.state.in_((*OPEN_STATES, DONE, REJECTED))),
    )
    query = select(_L.import_id, _L.state, func.count()).where(counted)
    counts = {
        (str(import_id), str(state)): int(count)
        for import_id, state, count in connection.execute(query.group_by(_L.import_id, _L.state))
    }

    def count(row: Row[Any], *states: str) -> int:
        return sum(counts.get((row.id, state), 0) for state in states)

    return [
        StoredImport(
            sequence=row.sequence,
            id=row.id,
            act=row.act,
            state=row.state,
            lines=row.lines,
            waiting=count(row, WAITING, GROUPED),
            promised=count(row, PROMISED),
            done=(row.lines - count(row, REJECTED) if row.state == DONE else count(row, DONE)),
            rejected=count(row, REJECTED),
            created_s=row.created_s,
            finished_s=row.finished_s,
            problem=row.problem,
        )
        for row in rows
    ]
