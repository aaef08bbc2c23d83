"""Acts on the periods of standing and bulk exchanges: beginning one, stating it, naming a leaf.

In each period the provider delivers records, each as an envelope of kind `delivery`
(`atesta_client.statements`). Both sides then state how many there were and the root over the same
leaves. A side gives the list of its deliveries' commitments, and this node computes count and root
and keeps the list, so that it can prove a leaf later (50,000 commitments are a body of 3.5 MB, and
100,000 are taken); or it gives count and root, and keeps the list itself.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Self

from atesta_client.envelopes import seal_envelope
from atesta_client.statements import Statement, make_statement
from eth_hash.auto import keccak
from pydantic import Field, model_validator

from api.access.callers import Role
from api.acts.act import MAX_GAS, Act, ActBody, PreparedAct
from api.acts.context import ActContext
from api.acts.exchanges import get_exchange
from api.acts.private import keep_materials
from api.errors import InvalidField, UserFault
from api.records import NO_UID
from api.rest.faults import Contradiction
from api.rest.refusals import translate_revert
from api.rest.values import EXAMPLE_COMMITMENT, Uid, decode_hex, encode_hex
from api.vault.materials import Material
from contracts.addresses import EXCHANGES_NAME
from contracts.codes import Role as KeyRole

DELIVERIES_ROLE: Final = "deliveries"
"""Role of the list of deliveries among the materials of a period: `deliveries_0` and so on."""

PART_SIZE: Final = 10_000
"""Commitments in one part of the list; a longer part would not fit into an envelope."""

MAX_DELIVERIES: Final = 100_000
"""Most commitments in one body; more are stated by count and root."""

_KIND: Final = "deliveries"
_SIZE: Final = 32


class PeriodBegin(ActBody):
    """Begin the delivery of a period, as the provider; the law must cover it now."""


class StatementMake(ActBody):
    """State what was delivered in a period: the list of deliveries, or count and root.

    A side may correct its statement while the two are unequal.
    """

    deliveries: Annotated[list[Uid], Field(max_length=MAX_DELIVERIES)] | None = Field(
        default=None,
        description="Commitments of the deliveries' envelopes, in the order of delivery.",
        examples=[[EXAMPLE_COMMITMENT]],
    )
    count: Annotated[int, Field(ge=0, le=2**32)] | None = Field(
        default=None, description="Number of deliveries, without the list.", examples=[None]
    )
    root: Uid | None = Field(
        default=None,
        description="RFC 6962 root over their leaves, without the list; null if there were none. "
        "It needs the role `unopened`.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        if (self.deliveries is None) == (self.count is None):
            raise Contradiction("give exactly one of deliveries, count", "deliveries", "count")
        if self.deliveries is not None and self.root is not None:
            raise Contradiction("the root follows from the deliveries", "root", "deliveries")
        if self.count is not None and (self.count == 0) != (self.root is None):
            raise Contradiction("no deliveries have no root, and any have one", "root", "count")
        return self


class LeafName(ActBody):
    """Name a leaf at which the two statements differ, as this side has it.

    The proof comes from the list that was stated here; a side that stated count and root gives leaf
    and proof. Beyond this side's own count the leaf is missing, and nothing is given.
    """

    index: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        description="Place in the order of delivery, beginning with 0.", examples=[17]
    )
    leaf: Uid | None = Field(
        default=None, description="The leaf's hash, if it is proved elsewhere.", examples=[None]
    )
    proof: Annotated[list[Uid], Field(max_length=32)] | None = Field(
        default=None,
        description="Its inclusion path from below, if it is proved elsewhere.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _check_proof(self) -> Self:
        if (self.leaf is None) != (self.proof is None):
            raise Contradiction("leaf and proof come together", "leaf", "proof")
        return self


def compute_period_uid(exchange: bytes, period: int) -> bytes:
    """Return the uid under which heads and lists have a period."""
    return keccak(exchange + period.to_bytes(_SIZE, "big"))


async def _begin(context: ActContext, _body: PeriodBegin) -> PreparedAct:
    exchange, period = context.get_uid(), context.get_number("period")
    record = await get_exchange(context, exchange)
    return _prepare(
        exchange,
        period,
        {},
        basis=bytes(record["request"]["basis"]),
        dataset=bytes(record["request"]["dataset"]),
    )


async def _state(context: ActContext, body: StatementMake) -> PreparedAct:
    exchange, period = context.get_uid(), context.get_number("period")
    if body.deliveries is None:
        assert body.count is not None, "checked by the model"
        root = NO_UID if body.root is None else decode_hex(body.root)
        return _prepare(
            exchange,
            period,
            {"count": body.count, "root": root},
            unopened=body.root is not None,
        )
    commitments = [decode_hex(commitment) for commitment in body.deliveries]
    statement = await _compute(exchange, period, commitments)
    root = statement.root if commitments else NO_UID
    materials = _seal_deliveries(compute_period_uid(exchange, period), commitments)
    return _prepare(
        exchange,
        period,
        {"count": len(commitments), "root": root},
        keep=keep_materials(context, materials),
        envelope={
            "exchange": encode_hex(exchange),
            "period": period,
            "count": len(commitments),
            "root": encode_hex(root) if commitments else None,
        },
    )


async def _name_leaf(context: ActContext, body: LeafName) -> PreparedAct:
    exchange, period = context.get_uid(), context.get_number("period")
    count, root = await _read_own(context, exchange, period)
    leaf, proof = NO_UID, []
    if body.index < count:
        if body.leaf is None or body.proof is None:
            statement = await _find_statement(context, exchange, period, count, root)
            leaf = statement.tree.levels[0][body.index]
            proof = list(statement.tree.compute_path(body.index))
        else:
            leaf, proof = decode_hex(body.leaf), [decode_hex(part) for part in body.proof]
    elif body.leaf is not None:
        raise InvalidField("leaf", "this side stated fewer deliveries, so it has none here")
    return _prepare(
        exchange,
        period,
        {"index": body.index, "leaf": leaf, "proof": proof},
        facts={"leaf": encode_hex(leaf) if body.index < count else None},
    )


async def _read_own(context: ActContext, exchange: bytes, period: int) -> tuple[int, bytes]:
    """Return count and root as this side stated them; raises the refusal where it has not."""
    record = await get_exchange(context, exchange)
    stated: Mapping[str, Any] = await context.read(EXCHANGES_NAME, "period_of", exchange, period)
    if record["requester"] == context.agency:
        count, root = stated["requester_count"], stated["requester_root"]
    elif record["request"]["provider"] == context.agency:
        count, root = stated["provider_count"], stated["provider_root"]
    else:
        raise translate_revert("exchange: not yours")
    if count == 0:
        # The contract keeps counts one higher, and zero before there is a statement.
        raise translate_revert("period: no mismatch" if stated["state"] else "period: not begun")
    return count - 1, bytes(root)


async def _find_statement(
    context: ActContext, exchange: bytes, period: int, count: int, root: bytes
) -> Statement:
    """Return the statement from the list that is kept here; raises `UserFault`."""
    commitments = await _open_deliveries(context, compute_period_uid(exchange, period), count)
    if commitments is not None:
        statement = await _compute(exchange, period, commitments)
        if statement.root == root:
            return statement
    raise UserFault(
        "this node does not have the list of deliveries that was stated",
        code="deliveries_unknown",
        field="index",
        status=409,
        next_step="give leaf and proof; atesta_client.statements computes both from the list",
    )


def _seal_deliveries(uid: bytes, commitments: Sequence[bytes]) -> list[Material]:
    """Return the parts of a list of deliveries, each in an envelope of its own."""
    return [
        Material(
            uid=uid,
            role=f"{DELIVERIES_ROLE}_{number}",
            envelope=seal_envelope(
                _KIND,
                {"commitments": b"".join(commitments[first : first + PART_SIZE]).hex()},
                secrets.token_bytes,
            ),
        )
        for number, first in enumerate(range(0, len(commitments), PART_SIZE))
    ]


async def _open_deliveries(context: ActContext, uid: bytes, count: int) -> list[bytes] | None:
    """Return the list that was stated last, of so many deliveries; None if it is not here."""
    joined = b""
    for number in range(-(-count // PART_SIZE)):
        part = await context.services.materials.find(uid, f"{DELIVERIES_ROLE}_{number}")
        if part is None:
            return None
        joined += bytes.fromhex(str(part.body["commitments"]))
    commitments = [joined[at : at + _SIZE] for at in range(0, len(joined), _SIZE)]
    return commitments if len(commitments) == count else None


async def _compute(exchange: bytes, period: int, commitments: Sequence[bytes]) -> Statement:
    # Beside the loop, as long lists take a while.
    return await asyncio.to_thread(
        make_statement, exchange=exchange, period=period, commitments=commitments
    )


def _prepare(exchange: bytes, period: int, args: Mapping[str, Any], **more: Any) -> PreparedAct:
    uid = compute_period_uid(exchange, period)
    return PreparedAct(
        uid=uid,
        args={"uid": exchange, "period": period, **args},
        record=f"/v1/periods/{encode_hex(uid)}",
        **more,
    )


_PATH: Final = "/exchanges/{uid}/periods/{period}"

PERIOD_ACTS: Final = (
    Act(
        name="period.begin",
        path=_PATH,
        summary="Begin the delivery of a period, as the provider",
        contract=EXCHANGES_NAME,
        function="begin_period",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=PeriodBegin,
        prepare=_begin,
        gas=MAX_GAS,
    ),
    Act(
        name="statement.make",
        path=f"{_PATH}/statement",
        summary="State what was delivered in a period",
        contract=EXCHANGES_NAME,
        function="state_period",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=StatementMake,
        prepare=_state,
    ),
    Act(
        name="leaf.name",
        path=f"{_PATH}/leaves",
        summary="Name a leaf at which the statements of a period differ",
        contract=EXCHANGES_NAME,
        function="name_leaf",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=LeafName,
        prepare=_name_leaf,
    ),
)
"""In the order of the documentation."""
