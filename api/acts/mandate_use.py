"""Using a mandate: who acts for somebody names it, and for which of its acts.

The mandate says on the ledger in which list its acts stand; the caller gives their codes. Whether
it is live and covers them is the contract's to say.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from api.acts.context import ActContext
from api.acts.mandate_items import ActCode, get_scope
from api.errors import NotFound
from api.records import NO_UID
from api.rest.values import EXAMPLE_UID, Model, Uid, decode_hex, encode_hex
from contracts.addresses import MANDATES_NAME


class MandateActs(Model):
    """A mandate, and what it is used for."""

    uid: Uid = Field(description="The mandate.", examples=[EXAMPLE_UID])
    acts: Annotated[list[ActCode], Field(min_length=1, max_length=256)] = Field(
        description="Codes of the acts of its list that this is.", examples=[["file-return"]]
    )


class MandateUse(MandateActs):
    """A mandate, what it is used for, and the amount."""

    amount: Annotated[int, Field(ge=0, lt=2**128)] = Field(
        default=0, description="In the unit of the mandate's list; 0 for none.", examples=[0]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedMandate:
    """A mandate as the contracts take it; zero for none."""

    uid: bytes = NO_UID
    scope: int = 0
    amount: int = 0


async def read_mandate(
    context: ActContext, item: MandateActs | None, *, place: str = "mandate"
) -> UsedMandate:
    """Return a mandate with the word of its acts; raises `UserFault` by field."""
    if item is None:
        return UsedMandate()
    uid = decode_hex(item.uid)
    record = await context.read(MANDATES_NAME, "mandate", uid)
    if record["state"] == 0:
        raise NotFound(
            "the ledger has no mandate with this uid",
            field=f"{place}.uid",
            code="mandate_not_found",
        )
    act_list = encode_hex(bytes(record["terms"]["scope_list_hash"]))
    scope = await get_scope(context, act_list, item.acts, place=place)
    amount = item.amount if isinstance(item, MandateUse) else 0
    return UsedMandate(uid=uid, scope=scope, amount=amount)
