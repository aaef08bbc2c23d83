"""Carrying out orders to erase, one durable step after the other.

The order of duties for one record:

1. the order is on disk. From here on the record will be erased, whatever process dies;
2. the tombstone is promised: the outbox holds the signed change of state to `erased`;
3. the tombstone is in a final block;
4. the vault erases: salts, document, keys and every copy of them (`api.vault.erasure`);
5. the order says that it is done, with the block of the tombstone.

Each step looks at what is there, not at what it remembers: the ledger's state decides whether a
tombstone is needed, the outbox whether it is promised, the erasure list whether the vault is done.
So every step may happen twice, and a process that dies leaves work that the next turn finds.

What was never attested needs no tombstone. An attestation that another request promises in that
very moment is watched for: then the tombstone follows it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import structlog

from api.erasing.orders import ErasureOrder, ErasureOrders
from api.errors import ApiError
from api.outbox.store import WriteRequest
from api.rest.missing_roles import name_missing_role
from api.rest.services import NoVault, RestServices
from api.rest.values import Reason, encode_hex
from api.rest.views import find_reason_code
from api.rest.writes import LedgerAct, build_request, claim_attestation
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import RecordState, Role

log = structlog.get_logger(__name__)

WATCH_S: Final = 60
"""An attestation may be promised for so long by a request that began before the order."""

TURN_S: Final = 2.0
"""Pause between two turns while an order is open."""

IDLE_S: Final = 30.0
"""Pause where none is; a new order ends it early."""

_AT_ONCE: Final = 200
"""Orders looked at in one turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """One place of the ledger where a record stands: by itself, or as a member of a batch."""

    is_member: bool
    state: RecordState
    state_block: int


class Eraser:
    """Carries out one agency's orders; it opens nothing."""

    def __init__(self, services: RestServices) -> None:
        """Work on the services of a node with a vault; raises `NoVault`."""
        self._services = services
        self._orders = open_orders(services)

    async def check(self, order: ErasureOrder) -> None:
        """Raise the refusal if the ledger would not take the tombstone now; changes nothing."""
        head = await self._services.ledger.get_head()
        for mark in await self._list_marks(order, head.number):
            if mark.state is not RecordState.ERASED:
                request = await self._build_tombstone(order, is_member=mark.is_member)
                try:
                    await self._services.outbox.check(request)
                except ApiError as refusal:
                    await name_missing_role(self._services, refusal, Role.ISSUE, request.account)
                    raise

    async def advance(self, order: ErasureOrder) -> ErasureOrder:
        """Do what can be done for an order now, and return how far it has come.

        Raises `ApiError` where something is out of reach, or the ledger refuses for now.
        """
        if order.finished_s is not None:
            return order
        head = await self._services.ledger.get_head()
        marks = await self._list_marks(order, head.number)
        alive = [mark for mark in marks if mark.state is not RecordState.ERASED]
        if alive:
            return await self._promise(order, is_member=alive[0].is_member)
        if marks:
            number = max(mark.state_block for mark in marks)
            block = await self._services.ledger.get_block(number)
            assert block is not None, "a record's block is known"
            noted = replace(order, block=number, block_time_s=block.time_s)
            return await self._erase(noted, is_done=True)
        if await self._is_promised(order):
            # It will be on the ledger in a moment; then it gets its tombstone.
            return order
        is_over = int(self._services.now()) >= order.ordered_s + WATCH_S
        if order.batch is not None and not is_over:
            # Somebody may be sealing a batch with it.
            return order
        return await self._erase(order, is_done=is_over)

    async def turn(self) -> int:
        """Advance every open order; returns how many are still open."""
        left = 0
        for order in await self._orders.list_open(_AT_ONCE):
            try:
                advanced = await self.advance(order)
            except ApiError as error:
                log.warning("erasure waits", reason=error.reason, code=error.code)
                advanced = order
                if order.problem != error.reason:
                    advanced = await self._orders.save_problem(order, error.reason)
            left += advanced.finished_s is None
        return left

    async def _list_marks(self, order: ErasureOrder, block: int) -> list[_Mark]:
        """Return where the ledger has the record."""
        records = self._services.records
        marks = []
        single = await records.get_attestation(order.uid, block)
        if single is not None:
            marks.append(_Mark(is_member=False, state=single.state, state_block=single.state_block))
        if order.batch is not None and order.place is not None:
            leaf = await records.get_leaf(order.batch, order.place, block)
            if leaf is not None:
                marks.append(_Mark(is_member=True, state=leaf.state, state_block=leaf.block))
        return marks

    async def _is_promised(self, order: ErasureOrder) -> bool:
        claims = [claim_attestation(uid) for uid in (order.uid, order.batch) if uid is not None]
        return bool(await self._services.outbox.find_creations(claims))

    async def _promise(self, order: ErasureOrder, *, is_member: bool) -> ErasureOrder:
        outbox = self._services.outbox
        operation = await outbox.find(*self._name_tombstone(order, is_member=is_member))
        if operation is not None and operation.state == "failed":
            order = replace(order, attempt=order.attempt + 1, problem=operation.error)
            operation = None
        if operation is None:
            operation = await outbox.submit(await self._build_tombstone(order, is_member=is_member))
        if order.operation == operation.id:
            return order
        return await self._orders.save(replace(order, operation=operation.id))

    async def _build_tombstone(self, order: ErasureOrder, *, is_member: bool) -> WriteRequest:
        key, fingerprint = self._name_tombstone(order, is_member=is_member)
        reason = find_reason_code(Reason(order.reason.value))
        named = (order.batch, order.place) if is_member else (order.uid,)
        return await build_request(
            self._services,
            LedgerAct(
                kind="credential.erase",
                uid=order.uid,
                contract=ATTESTATIONS_NAME,
                function="set_leaf_state" if is_member else "set_state",
                build_args=lambda event_time_s: (
                    *named,
                    int(RecordState.ERASED),
                    reason,
                    event_time_s,
                ),
                record=f"/v1/credentials/{encode_hex(order.uid)}/erasure",
                role=Role.ISSUE,
                event_time=None,
            ),
            key=key,
            fingerprint=fingerprint,
        )

    def _name_tombstone(self, order: ErasureOrder, *, is_member: bool) -> tuple[str, bytes]:
        """Return key and fingerprint of a tombstone: the same after a crash."""
        name = order.uid + bytes([is_member]) + order.attempt.to_bytes(4, "big")
        fingerprint = self._services.compute_body_fingerprint
        return fingerprint(b"key of tombstone" + name).hex(), fingerprint(b"tombstone" + name)

    async def _erase(self, order: ErasureOrder, *, is_done: bool) -> ErasureOrder:
        now_s = int(self._services.now())
        await self._services.vault.erase([order.uid], reason=order.reason, now_s=now_s)
        if not is_done:
            return order
        log.info("credential erased", target=encode_hex(order.uid), height=order.block)
        return await self._orders.save(replace(order, finished_s=now_s, problem=None))


def open_orders(services: RestServices) -> ErasureOrders:
    """Return the orders of a node; raises `NoVault`."""
    if services.maybe_keyring is None:
        raise NoVault
    return ErasureOrders(services.maybe_keyring.database)


@contextlib.asynccontextmanager
async def run_erasures(services: RestServices) -> AsyncIterator[None]:
    """Carry out orders for as long as the context lasts; a node without a vault has none."""
    if services.maybe_vault is None:
        yield
        return
    task = asyncio.create_task(_loop(Eraser(services)), name="erasures")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _loop(eraser: Eraser) -> None:
    while True:
        left = 1
        try:
            left = await eraser.turn()
        except ApiError as error:
            log.warning("erasures fail", reason=error.reason, code=error.code)
        except Exception:
            log.exception("erasures fail")
        await asyncio.sleep(TURN_S if left else IDLE_S)
