# pragma version 0.4.3
"""
@title Who asked whom for what, when, why and on which basis
@license Apache-2.0
@notice An agency requests fields of a dataset for a purpose, on a legal basis. Where the dataset has
        conditions the provider's data officer decides; nobody decides what their own agency asked
        for, and a refusal gives its reason. The provider releases and the requester confirms what
        arrived, each over its own signature. The law is checked in the block of the request, of
        the decision and of each release: whatever ended in between is not released on. Data that
        came from elsewhere name the exchange by which they came, and who acts for somebody else
        names the mandate; both are judged in the same blocks.
@dev Composed of `completeness` (slots 0 to 31), `acts` (32 to 63), `exchange_book` and `periods`. A
     quota is reserved at approval, used at the first release, returned by a void of both sides.
"""

import acts
import codes
import completeness
import exchange_book
import periods
from interfaces import IActs
from interfaces import IBases
from interfaces import ICatalogue
from interfaces import IExchanges

implements: IExchanges
initializes: completeness
initializes: acts[completeness := completeness]
initializes: exchange_book[acts := acts, completeness := completeness]
initializes: periods[acts := acts, exchange_book := exchange_book]
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)
exports: (
    exchange_book.exchange,
    exchange_book.links,
    exchange_book.pair_head,
    exchange_book.pair_count,
)
exports: (
    periods.begin_period,
    periods.state_period,
    periods.name_leaf,
    periods.named_leaf,
    periods.period_of,
)

REQUESTER_SIGNED: constant(uint8) = 1
PROVIDER_SIGNED: constant(uint8) = 2
BOTH_SIGNED: constant(uint8) = 3

CATALOGUE: immutable(ICatalogue)

_reserved: uint256[32]


@deploy
def __init__(
    registry: address,
    salt: bytes32,
    late_after_s: uint256,
    catalogue: address,
    bases: address,
    consents: address,
    mandates: address,
):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    @param catalogue The proxy of the catalogue.
    @param bases The proxy of the legal bases.
    @param consents The proxy of the consents.
    @param mandates The proxy of the mandates.
    """
    acts.__init__(registry, salt, late_after_s)
    exchange_book.__init__(bases, consents, mandates)
    CATALOGUE = ICatalogue(catalogue)


@external
def request(
    uid: bytes32, asked: IExchanges.Request, links: IExchanges.Links, event_time: uint256
):
    """
    @notice Requests data of another agency. For a dataset without conditions this approves it too.
    @param asked Provider, dataset, fields, purpose, basis, instrument, the consents that the basis
                 needs, mode (1 once, 2 standing, 3 bulk), channel, commitments to the case, the
                 officer and the request, when the decision is due, until when a standing or bulk
                 exchange runs, and when what is received is deleted.
    @param links The exchange by which the data came to the provider, if they did; and the mandate
                 by which the requester's client acts for somebody, if so, with the acts of its list
                 and the amount that it is used for. Zero for none.
    """
    requester: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    assert uid != empty(bytes32), "exchange: uid missing"
    assert exchange_book.exchanges[uid].state == 0, "exchange: uid already used"
    assert asked.provider != requester, "exchange: with itself"
    self._check_request(asked)
    answer: IBases.Answer = exchange_book._check_law(requester, asked, links)
    version: uint256 = (staticcall CATALOGUE.dataset(asked.dataset)).version
    exchange_book.exchanges[uid] = IExchanges.Exchange(
        requester=requester,
        request=asked,
        dataset_version=version,
        state=exchange_book.REQUESTED,
        reason=codes.NO_REASON,
        basis_kind=answer.kind,
        decided_by=empty(bytes32),
        response=empty(bytes32),
        received=empty(bytes32),
        deliveries=0,
        void_by=0,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
    )
    exchange_book._store_links(uid, links)
    log IExchanges.Requested(
        uid=uid,
        requester=requester,
        provider=asked.provider,
        request=asked,
        links=links,
        dataset_version=version,
        basis_kind=answer.kind,
        event_time=event_time,
        key=acts._actor(),
        sequences=exchange_book._advance(
            requester, asked.provider, codes.KIND_EXCHANGE, uid, exchange_book.REQUESTED
        ),
    )
    if answer.sharing == codes.UNCONDITIONAL:
        exchange_book._reserve_quotas(uid, asked)
        exchange_book._change(
            uid, exchange_book.APPROVED, codes.NO_REASON, empty(bytes32), event_time
        )


@external
def decide(uid: bytes32, approve: bool, reason: uint8, officer: bytes32, event_time: uint256):
    """
    @notice Approves or refuses a request, as a data officer of the provider.
    @param reason Why it is refused; zero for an approval.
    @param officer Commitment to the data officer who decides.
    """
    agency: bytes32 = acts._authorise(codes.DECIDE, event_time)
    record: IExchanges.Exchange = exchange_book.exchanges[uid]
    assert record.state != 0, "exchange: unknown"
    assert agency != record.requester, "exchange: own request"
    assert agency == record.request.provider, "exchange: not yours"
    assert record.state == exchange_book.REQUESTED, "exchange: already decided"
    assert officer != empty(bytes32), "exchange: officer missing"
    exchange_book.exchanges[uid].decided_by = officer
    if approve:
        assert reason == codes.NO_REASON, "exchange: approval with a reason"
        exchange_book._check_law(record.requester, record.request, exchange_book._links[uid])
        exchange_book._reserve_quotas(uid, record.request)
        exchange_book._change(uid, exchange_book.APPROVED, reason, officer, event_time)
    else:
        assert reason != codes.NO_REASON, "exchange: reason missing"
        assert reason <= codes.LAST_REASON, "exchange: unknown reason"
        exchange_book._change(uid, exchange_book.REFUSED, reason, officer, event_time)


@external
def cancel(uid: bytes32, event_time: uint256):
    """
    @notice Takes a request back that is not decided yet, as the requester.
    """
    is_requester: bool = (exchange_book._authorise_side(uid, event_time))[1]
    assert is_requester, "exchange: not yours"
    assert (
        exchange_book.exchanges[uid].state == exchange_book.REQUESTED
    ), "exchange: already decided"
    exchange_book._change(
        uid, exchange_book.CANCELLED, codes.NO_REASON, empty(bytes32), event_time
    )


@external
def release(uid: bytes32, request_commitment: bytes32, response: bytes32, event_time: uint256):
    """
    @notice Says, as the provider, that the data were released. The law is checked for this block. A
            further delivery of the same exchange uses no further quota.
    @param request_commitment The request's own commitment, over which the response's is made.
    @param response Commitment to what was released.
    """
    is_requester: bool = (exchange_book._authorise_side(uid, event_time))[1]
    assert not is_requester, "exchange: not yours"
    record: IExchanges.Exchange = exchange_book.exchanges[uid]
    assert record.request.mode == exchange_book.ONCE, "exchange: released by periods"
    assert (
        record.state == exchange_book.APPROVED
        or record.state == exchange_book.RELEASED
        or record.state == exchange_book.RECEIVED
        or record.state == exchange_book.DISPUTED
    ), "exchange: not approved"
    assert (
        request_commitment == record.request.request_commitment
    ), "exchange: not this request's"
    assert response != empty(bytes32), "exchange: response missing"
    exchange_book._check_law(record.requester, record.request, exchange_book._links[uid])
    exchange_book._note_release(uid, record.requester, record.request, event_time)
    exchange_book.exchanges[uid].response = response
    exchange_book.exchanges[uid].deliveries = record.deliveries + 1
    exchange_book._change(
        uid, exchange_book.RELEASED, codes.NO_REASON, response, event_time
    )


@external
def acknowledge(uid: bytes32, received: bytes32, event_time: uint256):
    """
    @notice Says, as the requester, what arrived. If it is not what was released, the exchange is
            disputed for all to see.
    @param received Commitment to what arrived.
    """
    is_requester: bool = (exchange_book._authorise_side(uid, event_time))[1]
    assert is_requester, "exchange: not yours"
    assert (
        exchange_book.exchanges[uid].state == exchange_book.RELEASED
    ), "exchange: not released"
    assert received != empty(bytes32), "exchange: receipt missing"
    exchange_book.exchanges[uid].received = received
    state: uint8 = exchange_book.DISPUTED
    if received == exchange_book.exchanges[uid].response:
        state = exchange_book.RECEIVED
    exchange_book._change(uid, state, codes.NO_REASON, received, event_time)


@external
def void_exchange(uid: bytes32, reason: uint8, event_time: uint256):
    """
    @notice Signs, for the caller's side, that an exchange shall count as never made. When both have
            signed, the consents get their quota back.
    """
    is_requester: bool = (exchange_book._authorise_side(uid, event_time))[1]
    record: IExchanges.Exchange = exchange_book.exchanges[uid]
    assert (
        record.state == exchange_book.APPROVED
        or (record.state >= exchange_book.RELEASED and record.state <= exchange_book.DISPUTED)
    ), "exchange: not approved"
    self._check_reason(reason)
    side: uint8 = REQUESTER_SIGNED if is_requester else PROVIDER_SIGNED
    assert record.void_by & side == 0, "exchange: void already signed"
    signed: uint8 = record.void_by | side
    exchange_book.exchanges[uid].void_by = signed
    if signed != BOTH_SIGNED:
        exchange_book._change(
            uid, exchange_book.VOID_SIGNED, reason, empty(bytes32), event_time
        )
    else:
        exchange_book._give_quotas_back(uid, record.request)
        exchange_book._change(uid, exchange_book.VOID, reason, empty(bytes32), event_time)


@external
def end(uid: bytes32, reason: uint8, event_time: uint256):
    """
    @notice Ends a standing or bulk exchange. Either side may, alone; what was delivered stays.
    """
    exchange_book._authorise_side(uid, event_time)
    record: IExchanges.Exchange = exchange_book.exchanges[uid]
    assert record.request.mode != exchange_book.ONCE, "exchange: has no periods"
    assert record.state == exchange_book.APPROVED, "exchange: not approved"
    self._check_reason(reason)
    exchange_book._change(uid, exchange_book.ENDED, reason, empty(bytes32), event_time)


@view
@external
def explain(
    requester: bytes32, asked: IExchanges.Request, links: IExchanges.Links
) -> IBases.Answer:
    """
    @notice Answers, or refuses with the reason, whether the law would cover this request in this
            block. Nothing is recorded.
    """
    assert asked.provider != requester, "exchange: with itself"
    self._check_request(asked)
    return exchange_book._check_law(requester, asked, links)


@view
@internal
def _check_request(asked: IExchanges.Request):
    assert (
        asked.mode >= exchange_book.ONCE and asked.mode <= exchange_book.BULK
    ), "exchange: unknown mode"
    assert asked.channel != 0, "exchange: channel missing"
    assert asked.case_commitment != empty(bytes32), "exchange: case missing"
    assert asked.officer != empty(bytes32), "exchange: officer missing"
    assert asked.request_commitment != empty(bytes32), "exchange: request missing"
    assert asked.due > block.timestamp, "exchange: due time passed"
    assert asked.retention_until > block.timestamp, "exchange: retention missing"
    if asked.mode == exchange_book.ONCE:
        assert asked.valid_until == 0, "exchange: has no periods"
    else:
        assert asked.valid_until > block.timestamp, "exchange: end missing"


@pure
@internal
def _check_reason(reason: uint8):
    assert reason != codes.NO_REASON, "exchange: reason missing"
    assert reason <= codes.LAST_REASON, "exchange: unknown reason"
