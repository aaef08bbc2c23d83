"""Orders to erase, in the vault's database: from the decision until nothing is left to do."""

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from api.databases import Database
from api.vault.erasure import ErasureReason
from api.vault.tables import ERASURE_ORDERS, MEMBERS

_PROBLEM_SIZE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
    """One record that is to be erased, or was."""

    uid: bytes
    reason: ErasureReason
    caller: str
    """Who ordered it, by label."""
    ordered_s: int
    batch: bytes | None = None
    """The batch that sealed it."""
    place: int | None = None
    """Its place in that batch."""
    attempt: int = 0
    """How many tombstones the ledger refused in a block."""
    operation: str | None = None
    """The promised tombstone."""
    problem: str | None = None
    """Why it does not go on for now."""
    block: int | None = None
    """The block of the tombstone; None until it is final, and for what was never attested."""
    block_time_s: int | None = None
    finished_s: int | None = None
    """When nothing was left to do."""


class ErasureOrders:
    """The orders of one agency."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def locate(self, order: ErasureOrder) -> ErasureOrder:
        """Return an order with the place of its record in a batch; keeps nothing."""
        return await self._database.read(lambda c: _locate(c, order))

    async def put(self, order: ErasureOrder) -> ErasureOrder:
        """Keep an order, with the place of its record in a batch; durable on return.

        An order that exists stays as it is and is returned.
        """

        def add(connection: Connection) -> ErasureOrder:
            known = _find(connection, order.uid)
            if known is not None:
                return known
            located = _locate(connection, order)
            connection.execute(insert(ERASURE_ORDERS).values(uid=order.uid, **_write(located)))
            return located

        return await self._database.write(add)

    async def save(self, order: ErasureOrder) -> ErasureOrder:
        """Note how far an order has come; durable on return."""
        query = update(ERASURE_ORDERS).where(ERASURE_ORDERS.c.uid == order.uid)

        def change(connection: Connection) -> None:
            connection.execute(query.values(**_write(order)))

        await self._database.write(change)
        return order

    async def save_problem(self, order: ErasureOrder, problem: str) -> ErasureOrder:
        """Note why an order does not go on for now."""
        return await self.save(replace(order, problem=problem[:_PROBLEM_SIZE]))

    async def find(self, uid: bytes) -> ErasureOrder | None:
        """Return the order of a record; None if there is none."""
        return await self._database.read(lambda c: _find(c, uid))

    async def list_open(self, limit: int) -> list[ErasureOrder]:
        """Return orders of which something is left to do, oldest first."""
        query = (
            select(ERASURE_ORDERS)
            .where(ERASURE_ORDERS.c.finished_s.is_(None))
            .order_by(ERASURE_ORDERS.c.ordered_s)
            .limit(limit)
        )
        return await self._database.read(lambda c: [_read(row) for row in c.execute(query)])


def _locate(connection: Connection, order: ErasureOrder) -> ErasureOrder:
    member = connection.execute(
        select(MEMBERS.c.batch, MEMBERS.c.place).where(MEMBERS.c.uid == order.uid)
    ).one_or_none()
    if member is None:
        return order
    return replace(order, batch=bytes(member.batch), place=member.place)


def _find(connection: Connection, uid: bytes) -> ErasureOrder | None:
    row = connection.execute(
        select(ERASURE_ORDERS).where(ERASURE_ORDERS.c.uid == uid)
    ).one_or_none()
    return None if row is None else _read(row)


def _write(order: ErasureOrder) -> dict[str, Any]:
    return {
        "reason": order.reason.value,
        "caller": order.caller,
        "ordered_s": order.ordered_s,
        "batch": order.batch,
        "place": order.place,
        "attempt": order.attempt,
        "operation": order.operation,
        "problem": None if order.problem is None else order.problem[:_PROBLEM_SIZE],
        "block": order.block,
        "block_time_s": order.block_time_s,
        "finished_s": order.finished_s,
    }


def _read(row: Row[Any]) -> ErasureOrder:
    return ErasureOrder(
        uid=bytes(row.uid),
        reason=ErasureReason(row.reason),
        caller=row.caller,
        ordered_s=row.ordered_s,
        batch=None if row.batch is None else bytes(row.batch),
        place=row.place,
        attempt=row.attempt,
        operation=row.operation,
        problem=row.problem,
        block=row.block,
        block_time_s=row.block_time_s,
        finished_s=row.finished_s,
    )
