"""May this person do this for that one, on this date? The answer of a mandate.

For now it is the contract's own: its `check` at the last final block. For another date the same
rules are held against what the ledger says of the mandate and of each one that it was handed on
from: since when it is recorded, its term, when it was ended, when its board went out of office. A
past date is answered as the ledger would have answered then, a future one as things stand now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from api.acts.calls import read_contract
from api.acts.context import ActContext
from api.acts.mandate_items import get_scope
from api.errors import InvalidField, NotFound, UserFault
from api.index import law_queries
from api.ledger import BlockSummary, Reverted
from api.rest.call import Call, Reply
from api.rest.refusals import translate_revert
from api.rest.route import Parameter
from api.rest.values import (
    EXAMPLE_COMMITMENT,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    Model,
    Time,
    Uid,
    encode_hex,
    parse_time,
)
from contracts.addresses import MANDATES_NAME
from contracts.codes import MandateKind, RecordState

MAX_AMOUNT: Final = 2**128 - 1
_MAX_ACTS: Final = 256
"""As many as a list of acts has."""

QUERY: Final = (
    Parameter(
        name="acts",
        description="Codes of the acts of the mandate's list.",
        schema={
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._:-]{0,99}$"},
            "minItems": 1,
            "maxItems": _MAX_ACTS,
            "example": ["sign-contract"],
        },
        is_required=True,
    ),
    Parameter(
        name="amount",
        description="In the list's unit; 0 when absent.",
        schema={"type": "string", "pattern": "^[0-9]{1,39}$", "example": "100000"},
    ),
    Parameter(
        name="at",
        description="On which date (RFC 3339); now when absent.",
        schema={"type": "string", "format": "date-time", "example": EXAMPLE_TIME},
    ),
)


class MandateCheck(Model):
    """Whether a mandate covers an act, and if not, why not."""

    uid: Uid = Field(description="The mandate.", examples=[EXAMPLE_UID])
    covered: bool = Field(description="Whether it covers all of it.", examples=[True])
    rule: str | None = Field(
        description="The rule that speaks against it.", examples=["mandate: expired"]
    )
    reason: str | None = Field(
        description="What is the matter, one sentence.", examples=["The mandate has ended."]
    )
    next_step: str | None = Field(description="What to do.", examples=["Ask for a new mandate."])
    acts: list[str] = Field(description="What was asked about.", examples=[["sign-contract"]])
    amount: int = Field(ge=0, description="The amount asked about.", examples=[100_000])
    at: Time = Field(description="The date asked about.", examples=[EXAMPLE_TIME])
    grantor: Uid = Field(
        description="Commitment to who gave it; opens with its envelope.",
        examples=[EXAMPLE_COMMITMENT],
    )
    grantee: Uid = Field(
        description="Commitment to who may act; opens with its envelope.",
        examples=[EXAMPLE_COMMITMENT],
    )
    handed_on_from: list[Uid] = Field(
        description="Mandates above it, each of which has to cover it too.", examples=[[]]
    )
    read_at_block: int = Field(ge=0, description="Last final block read.", examples=[1250])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A mandate as far as its rules go; times in seconds, None for never."""

    uid: bytes
    recorded_s: int
    """Time of its block."""
    ended_s: int | None
    """Time of the block that ended it."""
    valid_from_s: int
    valid_until_s: int | None
    board_ended_s: int | None
    """When the board of an office went out; None for other mandates."""
    scope: int
    limit: int
    """0 for none."""


async def check_mandate(call: Call) -> Reply:
    """Answer whether a mandate covers acts and an amount, now or on another date."""
    services, uid = call.services, call.get_digest("uid")
    amount, at_s = _read_amount(call), call.find_time("at")
    head = await services.ledger.get_head()
    records = await _climb(call, uid, head.number)
    terms = records[0]["terms"]
    codes = _read_codes(call)
    context = ActContext(
        services=services, caller=call.caller, agency=b"", path={}, now_s=int(services.now())
    )
    scope = await _find_scope(context, terms["scope_list_hash"], codes)
    if at_s is None:
        rule = await _ask_contract(call, head, uid, scope, amount)
    else:
        rungs = [await _read_rung(call, record) for record in records]
        rule = find_rule(rungs, at_s, scope=scope, amount=amount)
    refusal = None if rule is None else translate_revert(rule)
    return Reply(
        model=MandateCheck(
            uid=encode_hex(uid),
            covered=rule is None,
            rule=rule,
            reason=None if refusal is None else refusal.reason,
            next_step=None if refusal is None else refusal.next_step,
            acts=codes,
            amount=amount,
            at=parse_time(head.time_s if at_s is None else at_s),
            grantor=encode_hex(bytes(terms["grantor"])),
            grantee=encode_hex(bytes(terms["grantee"])),
            handed_on_from=[encode_hex(record["uid"]) for record in records[1:]],
            read_at_block=head.number,
        )
    )


def find_rule(rungs: Sequence[Rung], at_s: int, *, scope: int, amount: int) -> str | None:
    """Return the rule against an act at a moment, from the mandate itself upwards; None if none.

    The order is that of the contract's `check`.
    """
    for rung in rungs:
        rules = (
            ("mandate: unknown", at_s < rung.recorded_s),
            ("mandate: ended", rung.ended_s is not None and at_s >= rung.ended_s),
            ("mandate: not live yet", at_s < rung.valid_from_s),
            ("mandate: expired", rung.valid_until_s is not None and at_s >= rung.valid_until_s),
            (
                "mandate: office ended",
                rung.board_ended_s is not None and at_s >= rung.board_ended_s,
            ),
            ("mandate: out of scope", not scope or bool(scope & ~rung.scope)),
            ("mandate: over the limit", bool(rung.limit) and amount > rung.limit),
        )
        for rule, is_broken in rules:
            if is_broken:
                return rule
    return None


async def _climb(call: Call, uid: bytes, block: int) -> list[dict[str, Any]]:
    """Return a mandate and those above it; raises `NotFound`."""
    records: list[dict[str, Any]] = []
    while any(uid):
        record = await read_contract(
            call.services.ledger, MANDATES_NAME, "mandate", uid, block=block
        )
        if record["state"] == 0:
            raise NotFound(
                "the ledger has no mandate with this uid", field="uid", code="mandate_not_found"
            )
        records.append(record | {"uid": uid})
        uid = bytes(record["terms"]["parent"])
    if not records:
        raise NotFound(
            "the ledger has no mandate with this uid", field="uid", code="mandate_not_found"
        )
    return records


async def _ask_contract(
    call: Call, head: BlockSummary, uid: bytes, scope: int, amount: int
) -> str | None:
    try:
        await read_contract(
            call.services.ledger, MANDATES_NAME, "check", uid, scope, amount, block=head.number
        )
    except Reverted as reverted:
        return reverted.reason
    return None


async def _read_rung(call: Call, record: dict[str, Any]) -> Rung:
    services, terms, uid = call.services, record["terms"], bytes(record["uid"])
    row = None
    if terms["kind"] == MandateKind.OFFICE:
        row = await services.index.read(
            lambda c: law_queries.get_law_record(c, uid, kind="mandate")
        )
    is_ended = record["state"] != RecordState.ACTIVE
    return Rung(
        uid=uid,
        recorded_s=await _find_time(call, record["block_number"]),
        ended_s=await _find_time(call, record["state_block"]) if is_ended else None,
        valid_from_s=terms["valid_from"],
        valid_until_s=terms["valid_until"] or None,
        board_ended_s=None if row is None else row.ended_s,
        scope=terms["scope"],
        limit=terms["limit"],
    )


async def _find_time(call: Call, number: int) -> int:
    block = await call.services.ledger.get_block(number)
    assert block is not None, "a record's block is known"
    return block.time_s


async def _find_scope(context: ActContext, list_hash: bytes, codes: list[str]) -> int:
    try:
        return await get_scope(context, encode_hex(bytes(list_hash)), codes, place="query")
    except UserFault as fault:
        fault.field = "acts"
        raise


def _read_codes(call: Call) -> list[str]:
    text = call.query.get("acts", "")
    codes = [code for code in text.split(",") if code]
    if not codes or len(codes) > _MAX_ACTS:
        raise InvalidField("acts", "name one or more acts of the mandate's list")
    return codes


def _read_amount(call: Call) -> int:
    text = call.query.get("amount", "0")
    if not text.isascii() or not text.isdigit() or len(text) > 39 or int(text) > MAX_AMOUNT:
        raise InvalidField("amount", "must be a whole number, 0 or more")
    return int(text)
