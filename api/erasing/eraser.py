"""Carrying out orders to erase, one durable step after the other.

The order of duties for one record:

1. the order is on disk. From here on the record will be erased, whatever process dies;
2. the tombstone is promised: the outbox holds the signed change of state to `erased`;
3. the tombstone is in a final block;
4. the vault erases: salts, document, keys and every copy of them (`api.vault.erasure`), and the
   outboxes forget what requests said of it;
5. the order says that it is done, with the block of the tombstone.

Each step looks at what is there, not at what it remembers: the ledger's state decides whether a
tombstone is needed, the outbox whether it is promised, the erasure list whether the vault is done.
So every step may happen twice, and a process that dies leaves work that the next turn finds.

What was never attested needs no tombstone. An attestation that another request promises in that
very moment is watched for: then the tombstone follows it.

Step 4 rewraps whole epochs, so what is ready is gathered while more is under way, and erased at
once: a thousand records cost each epoch that holds any of them once, not a thousand times.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from api.background import run_beside
from api.cases.marks import keep_marks
from api.erasing.carried import reach_carried
from api.erasing.forgetting import Forgetting
from api.erasing.orders import ErasureOrder, ErasureOrders
from api.errors import ApiError
from api.outbox.store import WriteRequest
from api.rest.missing_roles import name_missing_role
from api.rest.services import NoVault, RestServices
from api.rest.values import Reason, encode_hex
from api.rest.views import find_reason_code
from api.rest.writes import LedgerAct, build_request, claim_attestation
from api.vault.witness import UNWITNESSED
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import RecordState, Role

log = structlog.get_logger(__name__)

WATCH_S: Final = 60
"""An attestation may be promised for so long by a request that began before the order."""

TURN_S: Final = 2.0
"""Pause between two turns while an order is open."""

IDLE_S: Final = 30.0
"""Pause where none is; a new order ends it early."""

GATHER_S: Final = 30
"""What is ready waits at most so long for more that is under way, to be erased together."""

AT_ONCE: Final = 2_000
"""Orders looked at in one turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """One place of a ledger where a record stands: by itself, or as a member of a batch."""

    services: RestServices
    """The services of that ledger."""
    is_member: bool
    state: RecordState
    state_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """How far an order has come, up to erasing."""

    order: ErasureOrder
    is_ready: bool = False
    """The vault may erase it now."""
    is_last: bool = False
    """Nothing is left to do after that."""
    is_under_way: bool = False
    """Its turn comes within some blocks."""
    since_s: int = 0
    """Since when it has been ready."""


class Eraser:
    """Carries out one agency's orders; it opens nothing."""

    def __init__(self, services: RestServices) -> None:
        """Work on the services of a node with a vault; raises `NoVault`."""
        self._services = services
        self._orders = open_orders(services)
        self._forgetting = Forgetting(services)

    async def check(self, order: ErasureOrder) -> None:
        """Raise the refusal if the ledger would not take the tombstone now; changes nothing."""
        for mark in await self._list_marks(order):
            if mark.state is not RecordState.ERASED:
                request = await self._build_tombstone(order, mark)
                try:
                    await mark.services.outbox.check(request)
                except ApiError as refusal:
                    await name_missing_role(mark.services, refusal, Role.ISSUE, request.account)
                    raise

    async def advance(self, order: ErasureOrder) -> ErasureOrder:
        """Do what can be done for an order now, and return how far it has come.

        Raises `ApiError` where something is out of reach, or the ledger refuses for now.
        """
        if order.finished_s is not None:
            return order
        step = await self._look(order)
        return (await self._erase([step]))[0] if step.is_ready else step.order

    async def carry_out(
        self, orders: Sequence[ErasureOrder], *, gathers: bool
    ) -> list[ErasureOrder]:
        """Do what can be done for many orders, erasing all that is ready at once.

        With `gathers`, what is ready may wait for the rest. An order that something is out of reach
        for says why, and the others go on.
        """
        steps = []
        for order in orders:
            try:
                steps.append(await self._look(order))
            except ApiError as error:
                steps.append(_Step(order=await self._note(order, error)))
        ready = [step for step in steps if step.is_ready]
        done: dict[bytes, ErasureOrder] = {}
        if ready and not (gathers and self._waits(steps)):
            try:
                done = {order.uid: order for order in await self._erase(ready)}
            except ApiError as error:
                done = {step.order.uid: await self._note(step.order, error) for step in ready}
        return [done.get(step.order.uid, step.order) for step in steps]

    async def turn(self) -> int:
        """Advance every open order; returns how many are still open."""
        orders = await self._orders.list_open(AT_ONCE)
        advanced = await self.carry_out(orders, gathers=True)
        await self._orders.finish_persons(int(self._services.now()))
        # Also what a command of the vault has erased.
        await self._forgetting.turn()
        return sum(order.finished_s is None for order in advanced)

    async def _look(self, order: ErasureOrder) -> "_Step":
        """Do everything for an order but erasing, and say whether that is due."""
        if order.finished_s is not None:
            return _Step(order=order)
        await reach_carried(self._services, self._orders, order)
        marks = await self._list_marks(order)
        alive = [mark for mark in marks if mark.state is not RecordState.ERASED]
        if alive:
            promised = await self._promise(order, alive[0])
            return _Step(order=promised, is_under_way=True)
        if marks:
            last = max(marks, key=lambda mark: mark.state_block)
            number = last.state_block
            block = await last.services.ledger.get_block(number)
            assert block is not None, "a record's block is known"
            noted = replace(order, block=number, block_time_s=block.time_s)
            return _Step(order=noted, is_ready=True, is_last=True, since_s=block.time_s)
        if await self._is_promised(order):
            # It will be on the ledger in a moment; then it gets its tombstone.
            return _Step(order=order, is_under_way=True)
        is_over = int(self._services.now()) >= order.ordered_s + WATCH_S
        if order.batch is not None and not is_over:
            # Somebody may be sealing a batch with it.
            return _Step(order=order)
        is_gone = await self._services.vault.find_erased(order.uid) is not None
        return _Step(
            order=order, is_ready=is_over or not is_gone, is_last=is_over, since_s=order.ordered_s
        )

    def _waits(self, steps: Sequence["_Step"]) -> bool:
        """Tell whether what is ready is worth holding back until more is."""
        if not any(step.is_under_way for step in steps):
            return False
        return int(self._services.now()) < GATHER_S + min(
            step.since_s for step in steps if step.is_ready
        )

    async def _note(self, order: ErasureOrder, error: ApiError) -> ErasureOrder:
        log.warning("erasure waits", reason=error.reason, code=error.code)
        if order.problem == error.reason:
            return order
        return await self._orders.save_problem(order, error.reason)

    async def _list_marks(self, order: ErasureOrder) -> list[_Mark]:
        """Return where any ledger has the record; a ledger that is away is waited for."""
        found = [await _list_on(one, order) for one in self._services.ledgers]
        return [mark for marks in found for mark in marks]

    async def _is_promised(self, order: ErasureOrder) -> bool:
        claims = [claim_attestation(uid) for uid in (order.uid, order.batch) if uid is not None]
        for one in self._services.ledgers:
            if await one.outbox.find_creations(claims):
                return True
        return False

    async def _promise(self, order: ErasureOrder, mark: _Mark) -> ErasureOrder:
        outbox = mark.services.outbox
        operation = await outbox.find(*self._name_tombstone(order, is_member=mark.is_member))
        if operation is not None and operation.state == "failed":
            order = replace(order, attempt=order.attempt + 1, problem=operation.error)
            operation = None
        if operation is None:
            operation = await outbox.submit(await self._build_tombstone(order, mark))
        if order.operation == operation.id:
            return order
        return await self._orders.save(replace(order, operation=operation.id))

    async def _build_tombstone(self, order: ErasureOrder, mark: _Mark) -> WriteRequest:
        is_member = mark.is_member
        key, fingerprint = self._name_tombstone(order, is_member=is_member)
        reason = find_reason_code(Reason(order.reason.value))
        named = (order.batch, order.place) if is_member else (order.uid,)
        return await build_request(
            mark.services,
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
                record=f"/v1/records/{encode_hex(order.uid)}/erasure",
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

    async def _erase(self, steps: Sequence["_Step"]) -> list[ErasureOrder]:
        """Erase what is ready, all of one reason at once; returns the orders in the same order."""
        services, now_s = self._services, int(self._services.now())
        # Whoever finds the record erased must find the tombstone's block beside it.
        await self._orders.save_blocks([step.order for step in steps])
        fresh = [
            step.order for step in steps if await services.vault.find_erased(step.order.uid) is None
        ]
        for reason in dict.fromkeys(order.reason for order in fresh):
            uids = [order.uid for order in fresh if order.reason is reason]
            await keep_marks(
                services.materials.under(UNWITNESSED), uids, reason=reason, now_s=now_s
            )
            await services.vault.erase(uids, reason=reason, now_s=now_s)
        await self._forgetting.forget([step.order.uid for step in steps])
        orders = [
            replace(step.order, finished_s=now_s, problem=None) if step.is_last else step.order
            for step in steps
        ]
        ended = [order for order in orders if order.finished_s is not None]
        await self._orders.save_all(ended)
        for order in ended:
            log.info("record erased", target=encode_hex(order.uid), height=order.block)
        return orders


async def _list_on(services: RestServices, order: ErasureOrder) -> list[_Mark]:
    """Return where one ledger has the record, at its last final block."""
    block, records = (await services.ledger.get_head()).number, services.records
    marks = []
    single = await records.get_attestation(order.uid, block)
    if single is not None:
        marks.append(
            _Mark(
                services=services,
                is_member=False,
                state=single.state,
                state_block=single.state_block,
            )
        )
    if order.batch is not None and order.place is not None:
        leaf = await records.get_leaf(order.batch, order.place, block)
        if leaf is not None:
            marks.append(
                _Mark(services=services, is_member=True, state=leaf.state, state_block=leaf.block)
            )
    return marks


def open_orders(services: RestServices) -> ErasureOrders:
    """Return the orders of a node; raises `NoVault`."""
    if services.maybe_keyring is None:
        raise NoVault
    return ErasureOrders(services.maybe_keyring)


@contextlib.asynccontextmanager
async def run_erasures(services: RestServices) -> AsyncIterator[None]:
    """Carry out orders for as long as the context lasts; a node without a vault has none."""
    if services.maybe_vault is None:
        yield
        return
    async with run_beside(_loop(Eraser(services)), "erasures"):
        yield


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
