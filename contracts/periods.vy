# pragma version 0.4.3
"""
@title What standing and bulk exchanges delivered, period by period
@license Apache-2.0
@notice A standing or bulk exchange is authorised once. For each period the provider begins the
        delivery, which needs a live basis then; afterwards both sides state how many records there
        were and the root over the same leaves. Unequal statements are a mismatch for all to see,
        until one side names the leaf and one corrects itself.
@dev A module of `exchanges`. In the heads a period is keccak256(exchange ‖ period number).
"""

import acts
import codes
import exchange_book
from interfaces import IExchanges

uses: acts
uses: exchange_book

# States of a period.
BEGUN: constant(uint8) = 1
AGREED: constant(uint8) = 2
MISMATCHED: constant(uint8) = 3

MAX_NAMED: constant(uint256) = 1024

_periods: HashMap[bytes32, HashMap[uint256, IExchanges.Period]]
_periods_reserved: uint256[31]


@external
def begin_period(uid: bytes32, period: uint256, event_time: uint256):
    """
    @notice Begins the delivery of a period, as the provider. The law is checked for this block.
    @param period The period's number, such as 202611; each is begun once.
    """
    is_requester: bool = (exchange_book._authorise_side(uid, event_time))[1]
    assert not is_requester, "exchange: not yours"
    record: IExchanges.Exchange = exchange_book.exchanges[uid]
    assert record.request.mode != exchange_book.ONCE, "exchange: has no periods"
    assert record.state == exchange_book.APPROVED, "exchange: not approved"
    assert block.timestamp < record.request.valid_until, "exchange: expired"
    assert self._periods[uid][period].state == 0, "period: already begun"
    exchange_book._check_law(record.requester, record.request)
    exchange_book._use_quotas(uid, record.request)
    exchange_book.exchanges[uid].deliveries += 1
    self._periods[uid][period].begun_at = block.timestamp
    self._change_period(uid, period, BEGUN, 0, empty(bytes32), event_time)


@external
def state_period(
    uid: bytes32, period: uint256, count: uint256, root: bytes32, event_time: uint256
):
    """
    @notice States, for the caller's side, what was delivered in a period. A side may correct its
            statement while the two are unequal.
    @param count How many records.
    @param root The root over their leaves; zero if there were none.
    """
    is_requester: bool = (exchange_book._authorise_side(uid, event_time))[1]
    stated: IExchanges.Period = self._periods[uid][period]
    assert stated.state != 0, "period: not begun"
    assert stated.state != AGREED, "period: already agreed"
    assert (count == 0) == (root == empty(bytes32)), "period: root and count do not fit"
    own: uint256 = stated.requester_count if is_requester else stated.provider_count
    assert own == 0 or stated.state == MISMATCHED, "period: already stated"
    # Stored one higher, so that "none delivered" differs from "not stated yet".
    if is_requester:
        stated.requester_count = count + 1
        stated.requester_root = root
    else:
        stated.provider_count = count + 1
        stated.provider_root = root
    state: uint8 = BEGUN
    if stated.requester_count != 0 and stated.provider_count != 0:
        state = MISMATCHED
        if (
            stated.requester_count == stated.provider_count
            and stated.requester_root == stated.provider_root
        ):
            state = AGREED
    self._periods[uid][period] = stated
    self._change_period(uid, period, state, count, root, event_time)


@external
def name_leaf(
    uid: bytes32, period: uint256, index: uint256, leaf: bytes32, event_time: uint256
):
    """
    @notice Names a leaf at which the two statements differ, as the caller's side has it.
    @param leaf The leaf's hash, or zero if the caller has none at this place.
    """
    agency: bytes32 = (exchange_book._authorise_side(uid, event_time))[0]
    stated: IExchanges.Period = self._periods[uid][period]
    assert stated.state == MISMATCHED, "period: no mismatch"
    assert index + 1 < max(stated.requester_count, stated.provider_count), "period: no such leaf"
    assert stated.named_leaves < MAX_NAMED, "period: too many leaves named"
    self._periods[uid][period].named_leaves += 1
    log IExchanges.LeafNamed(
        uid=uid,
        period=period,
        index=index,
        agency=agency,
        leaf=leaf,
        event_time=event_time,
        key=acts._actor(),
    )


@view
@external
def period_of(uid: bytes32, period: uint256) -> IExchanges.Period:
    """
    @notice What both sides stated of a period; all zero if it was not begun. Counts are one higher
            than stated, zero where a side has not stated yet.
    """
    return self._periods[uid][period]


@internal
def _change_period(
    uid: bytes32, period: uint256, state: uint8, count: uint256, root: bytes32, event_time: uint256
):
    self._periods[uid][period].state = state
    requester: bytes32 = exchange_book.exchanges[uid].requester
    provider: bytes32 = exchange_book.exchanges[uid].request.provider
    log IExchanges.PeriodChanged(
        uid=uid,
        requester=requester,
        provider=provider,
        period=period,
        state=state,
        count=count,
        root=root,
        event_time=event_time,
        key=acts._actor(),
        sequences=exchange_book._advance(
            requester,
            provider,
            codes.KIND_PERIOD,
            keccak256(concat(uid, convert(period, bytes32))),
            state,
        ),
    )
