"""What was published of a record on other ledgers, when the record is erased.

Each published credential is sealed by itself in the vault (`docs/adr/0013-two-sealed-copies.md`)
and has its own tombstone. Why the record goes decides what becomes of it:

- the holder asked, or the record was wrong, unsafe or replaced: what was published goes as well;
- a law asks to keep what was published, and the reason yields to it: it is kept for storage only,
  until that law's time is over;
- the record's own time is over (`ended_by_law`): what was published has a time of its own.
"""

from dataclasses import replace

from api.erasing.orders import YIELDING, ErasureOrder, ErasureOrders
from api.publishing.evidence import list_published
from api.rest.services import RestServices
from api.retention.duties import Duty, find_duty
from api.vault.erasure import ErasureReason
from api.vault.restrictions import Restriction, RestrictionCause


async def reach_carried(services: RestServices, orders: ErasureOrders, order: ErasureOrder) -> None:
    """Order that what was published of a record is erased, or restrict it; may be repeated."""
    if len(services.ledgers) == 1 or order.reason is ErasureReason.ENDED_BY_LAW:
        return
    published = await list_published(services, order.uid)
    held = await orders.list_holdings(published)
    for uid in published:
        duty = None
        if order.reason in YIELDING:
            duty = find_duty(services.retention, held.get(uid, []), now_s=order.ordered_s)
        if duty is not None:
            await orders.restrict([_restrict(uid, duty, order)])
        elif await orders.find(uid) is None:
            told = replace(order, uid=uid, batch=None, place=None, operation=None, attempt=0)
            await orders.put(replace(told, block=None, block_time_s=None, problem=None))


def _restrict(uid: bytes, duty: Duty, order: ErasureOrder) -> Restriction:
    return Restriction(
        uid=uid,
        cause=RestrictionCause.REQUEST,
        basis=duty.basis,
        legal_reference=duty.of.legal_reference,
        restricted_s=order.ordered_s,
        until_s=duty.until_s,
    )
