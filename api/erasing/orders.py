"""Orders to erase, in the vault's database: from the decision until nothing is left to do.

Erasing all of a person is an act of many orders, which are stored in one transaction together with
the restrictions of what a law asks to keep: it is ordered as a whole or not at all. Which records
belonged together stands with the orders only until the last of them is done.

Orders and restrictions are on the erasure list beside the keys as well (`api.vault.decisions`), for
a database that comes back from a backup. An order is there first: once the database has it, a
repeated request is answered as if all was well. A restriction is there last: it counts at once.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from api.vault.decisions import note_decisions
from api.vault.erasure import ErasureReason
from api.vault.erasure_journal import Decision, Ordered
from api.vault.holdings import Holding, list_holdings
from api.vault.keyring import Keyring
from api.vault.restrictions import Restriction, build_decisions, put_restrictions
from api.vault.tables import ERASURE_ORDERS, MEMBERS, PERSON_ERASURES

YIELDING: Final = frozenset((ErasureReason.HOLDER_REQUEST, ErasureReason.SUPERSEDED))
"""Reasons that a duty to keep outweighs; what is wrong, unsafe or ended by law goes anyway."""

_PROBLEM_SIZE: Final = 500
_PROBLEMS: Final = 5


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
    act: bytes | None = None
    """The erasure of a person that it is part of, until all of that is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonErasure:
    """The erasure of all that the vault has of one person."""

    id: bytes
    """32 bytes; it says nothing of the person."""
    reason: ErasureReason
    caller: str
    ordered_s: int
    records: int
    """Records that were ordered to be erased."""
    kept: int
    """Records that a law asks to keep; they are kept for storage only."""
    finished_s: int | None = None
    open: int = 0
    """Orders of which something is left to do."""
    problems: tuple[str, ...] = ()
    """Why some of them do not go on for now."""


class ErasureOrders:
    """The orders of one agency."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._database = keyring.database

    async def locate(self, order: ErasureOrder) -> ErasureOrder:
        """Return an order with the place of its record in a batch; keeps nothing."""
        return await self._database.read(lambda c: _locate(c, order))

    async def put(self, order: ErasureOrder) -> ErasureOrder:
        """Keep an order, with the place of its record in a batch; durable on return.

        An order that exists stays as it is and is returned. Raises `KeyFolderFault` while a place
        of the keys is away.
        """
        return (await self.put_all([order]))[0]

    async def put_all(self, orders: Sequence[ErasureOrder]) -> list[ErasureOrder]:
        """Keep orders, all or none, as `put` does."""
        await self._note(_build_decisions(orders))
        return await self._database.write(lambda c: [_put(c, order) for order in orders])

    async def put_person(
        self,
        erasure: PersonErasure,
        orders: Sequence[ErasureOrder],
        restrictions: Iterable[Restriction],
    ) -> list[ErasureOrder]:
        """Keep the erasure of a person with all its orders and restrictions; durable on return.

        All or none. Records that were ordered before keep their own order. Raises `KeyFolderFault`
        while a place of the keys is away.
        """
        wanted = list(restrictions)
        await self._note([*_build_decisions(orders), *build_decisions(wanted)])

        def add(connection: Connection) -> list[ErasureOrder]:
            connection.execute(
                insert(PERSON_ERASURES).values(
                    id=erasure.id,
                    reason=erasure.reason.value,
                    caller=erasure.caller,
                    ordered_s=erasure.ordered_s,
                    records=erasure.records,
                    kept=erasure.kept,
                )
            )
            put_restrictions(connection, wanted)
            return [_put(connection, replace(order, act=erasure.id)) for order in orders]

        return await self._database.write(add)

    async def list_holdings(self, uids: Sequence[bytes]) -> dict[bytes, list[Holding]]:
        """Return what the vault holds of these records; those of which nothing is are left out."""
        return await self._database.read(lambda c: list_holdings(c, uids))

    async def restrict(self, restrictions: Iterable[Restriction]) -> int:
        """Keep records for storage only; durable on return. Returns how many are new.

        Raises `KeyFolderFault` while a place of the keys is away; they are restricted even then,
        but a backup that comes back knows of it only once the vault has been opened again.
        """
        wanted = list(restrictions)
        count = await self._database.write(lambda c: put_restrictions(c, wanted))
        await self._note(build_decisions(wanted))
        return count

    async def find_person(self, erasure_id: bytes) -> PersonErasure | None:
        """Return how far the erasure of a person has come; None if there is none."""
        return await self._database.read(lambda c: _find_person(c, erasure_id))

    async def finish_persons(self, now_s: int) -> int:
        """Forget which records were one person's wherever all of them are erased; how many acts."""

        def forget(connection: Connection) -> int:
            is_open = (
                select(ERASURE_ORDERS.c.uid)
                .where(
                    ERASURE_ORDERS.c.act == PERSON_ERASURES.c.id,
                    ERASURE_ORDERS.c.finished_s.is_(None),
                )
                .exists()
            )
            query = select(PERSON_ERASURES.c.id).where(
                PERSON_ERASURES.c.finished_s.is_(None), ~is_open
            )
            done = [bytes(found) for found in connection.execute(query).scalars()]
            for act in done:
                connection.execute(
                    update(ERASURE_ORDERS).where(ERASURE_ORDERS.c.act == act).values(act=None)
                )
                connection.execute(
                    update(PERSON_ERASURES)
                    .where(PERSON_ERASURES.c.id == act)
                    .values(finished_s=now_s)
                )
            return len(done)

        return await self._database.write(forget)

    async def save(self, order: ErasureOrder) -> ErasureOrder:
        """Note how far an order has come; durable on return."""
        await self.save_all([order])
        return order

    async def save_all(self, orders: Sequence[ErasureOrder]) -> None:
        """Note how far orders have come, all or none; durable on return."""
        await self._save(orders)

    async def save_blocks(self, orders: Sequence[ErasureOrder]) -> None:
        """Note the blocks of the tombstones, before anything is erased; durable on return."""
        known = [order for order in orders if order.block is not None]
        if known:
            await self._save(known)

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

    async def _save(self, orders: Sequence[ErasureOrder]) -> None:
        def change(connection: Connection) -> None:
            for order in orders:
                query = update(ERASURE_ORDERS).where(ERASURE_ORDERS.c.uid == order.uid)
                connection.execute(query.values(**_write(order)))

        await self._database.write(change)

    async def _note(self, decisions: Sequence[Decision]) -> None:
        await asyncio.to_thread(note_decisions, self._keyring, decisions)


def _build_decisions(orders: Iterable[ErasureOrder]) -> list[Decision]:
    """Return orders as the erasure list has them: those of one reason and second together."""
    found: dict[tuple[ErasureReason, int], list[bytes]] = {}
    for order in orders:
        found.setdefault((order.reason, order.ordered_s), []).append(order.uid)
    return [
        Ordered(uids=tuple(sorted(uids)), reason=reason.value, ordered_s=ordered_s)
        for (reason, ordered_s), uids in found.items()
    ]


def _put(connection: Connection, order: ErasureOrder) -> ErasureOrder:
    known = _find(connection, order.uid)
    if known is not None:
        return known
    located = _locate(connection, order)
    connection.execute(insert(ERASURE_ORDERS).values(uid=order.uid, **_write(located)))
    return located


def _find_person(connection: Connection, erasure_id: bytes) -> PersonErasure | None:
    row = connection.execute(
        select(PERSON_ERASURES).where(PERSON_ERASURES.c.id == erasure_id)
    ).one_or_none()
    if row is None:
        return None
    mine = (ERASURE_ORDERS.c.act == erasure_id, ERASURE_ORDERS.c.finished_s.is_(None))
    left = connection.execute(select(func.count()).select_from(ERASURE_ORDERS).where(*mine))
    problems = connection.execute(
        select(ERASURE_ORDERS.c.problem)
        .where(*mine, ERASURE_ORDERS.c.problem.is_not(None))
        .distinct()
        .limit(_PROBLEMS)
    ).scalars()
    return PersonErasure(
        id=bytes(row.id),
        reason=ErasureReason(row.reason),
        caller=row.caller,
        ordered_s=row.ordered_s,
        records=row.records,
        kept=row.kept,
        finished_s=row.finished_s,
        open=left.scalar_one(),
        problems=tuple(problems),
    )


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
        "act": order.act,
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
        act=None if row.act is None else bytes(row.act),
    )
