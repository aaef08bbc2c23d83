# pragma version 0.4.3
"""
@title What standing and bulk exchanges delivered, period by period
@license Apache-2.0
@notice A standing or bulk exchange is authorised once. For each period the provider begins the
        delivery, which needs a live basis then; afterwards both sides state how many records there
        were and the root over the same leaves. Unequal statements are a mismatch for all to see,
        until the sides name the leaf, each by a proof under its own root, and one corrects itself.
@dev A module of `exchanges`. In the heads a period is keccak256(exchange ‖ period number). The tree
     is that of RFC 6962 with SHA-256; a proof is verified as RFC 9162 says in section 2.1.3.2.
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
# With more leaves a proof would be longer than it may be.
MAX_PROOF: constant(uint256) = 32
MAX_COUNT: constant(uint256) = 2**MAX_PROOF


struct StoredLeaf:
    is_named: bool
    leaf: bytes32


_periods: HashMap[bytes32, HashMap[uint256, IExchanges.Period]]
# hash of exchange, period, place, side, and of the count and root under which it was named; so
# that what is corrected takes its named leaves with it
_named: HashMap[bytes32, StoredLeaf]
_periods_reserved: uint256[30]


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
    exchange_book._check_law(record.requester, record.request, exchange_book._links[uid])
    exchange_book._note_release(uid, record.requester, record.request, event_time)
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
    assert count <= MAX_COUNT, "period: count out of bounds"
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
    uid: bytes32,
    period: uint256,
    index: uint256,
    leaf: bytes32,
    proof: DynArray[bytes32, MAX_PROOF],
    event_time: uint256,
):
    """
    @notice Names a leaf at which the two statements differ, as the caller's side has it, and proves
            that it is the one under the root that this side stated. When both sides have named it,
            all can see whether it was altered or is missing on one side.
    @param index The leaf's place in the tree, beginning with zero.
    @param leaf The leaf's hash, or zero if the caller's tree ends before this place.
    @param proof The hashes beside the way from the leaf to the root, from below; none for a leaf
                 that is missing.
    """
    agency: bytes32 = empty(bytes32)
    is_requester: bool = False
    agency, is_requester = exchange_book._authorise_side(uid, event_time)
    stated: IExchanges.Period = self._periods[uid][period]
    assert stated.state == MISMATCHED, "period: no mismatch"
    assert index + 1 < max(stated.requester_count, stated.provider_count), "period: no such leaf"
    assert stated.named_leaves < MAX_NAMED, "period: too many leaves named"
    count: uint256 = (stated.requester_count if is_requester else stated.provider_count) - 1
    root: bytes32 = stated.requester_root if is_requester else stated.provider_root
    is_missing: bool = index >= count
    if is_missing:
        assert leaf == empty(bytes32) and len(proof) == 0, "period: leaf is missing there"
    else:
        assert self._is_included(leaf, index, count, proof, root), "period: leaf not under the root"
    key: bytes32 = self._leaf_key(uid, period, index, is_requester, stated)
    assert not self._named[key].is_named, "period: leaf already named"
    other: StoredLeaf = self._named[self._leaf_key(uid, period, index, not is_requester, stated)]
    assert not other.is_named or other.leaf != leaf, "period: leaf is the same"
    self._named[key] = StoredLeaf(is_named=True, leaf=leaf)
    self._periods[uid][period].named_leaves += 1
    log IExchanges.LeafNamed(
        uid=uid,
        period=period,
        index=index,
        agency=agency,
        leaf=leaf,
        is_missing=is_missing,
        event_time=event_time,
        key=acts._actor(),
    )


@view
@external
def named_leaf(uid: bytes32, period: uint256, index: uint256) -> IExchanges.NamedLeaf:
    """
    @notice What each side has proved to have at a place, under its latest statement. A leaf that is
            named as zero is missing there.
    """
    stated: IExchanges.Period = self._periods[uid][period]
    provider: StoredLeaf = self._named[self._leaf_key(uid, period, index, False, stated)]
    requester: StoredLeaf = self._named[self._leaf_key(uid, period, index, True, stated)]
    return IExchanges.NamedLeaf(
        is_provider_named=provider.is_named,
        provider_leaf=provider.leaf,
        is_requester_named=requester.is_named,
        requester_leaf=requester.leaf,
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


@pure
@internal
def _leaf_key(
    uid: bytes32, period: uint256, index: uint256, is_requester: bool, stated: IExchanges.Period
) -> bytes32:
    if is_requester:
        return keccak256(
            abi_encode(uid, period, index, True, stated.requester_count, stated.requester_root)
        )
    return keccak256(
        abi_encode(uid, period, index, False, stated.provider_count, stated.provider_root)
    )


@pure
@internal
def _is_included(
    leaf: bytes32,
    index: uint256,
    count: uint256,
    proof: DynArray[bytes32, MAX_PROOF],
    root: bytes32,
) -> bool:
    """
    @dev Goes up from the leaf. `place` is that of the node in its row, `last` that of the row's last
         one: a last node without a neighbour rises as it is, and takes no hash of the proof.
    """
    place: uint256 = index
    last: uint256 = count - 1
    node: bytes32 = leaf
    for sibling: bytes32 in proof:
        if last == 0:
            return False
        for _: uint256 in range(MAX_PROOF):
            if place != last or place & 1 == 1:
                break
            place >>= 1
            last >>= 1
        if place & 1 == 1:
            node = sha256(concat(x"01", sibling, node))
        else:
            node = sha256(concat(x"01", node, sibling))
        place >>= 1
        last >>= 1
    return last == 0 and node == root
