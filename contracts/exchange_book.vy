# pragma version 0.4.3
"""
@title The exchanges themselves, and whether the law covers them
@license Apache-2.0
@notice An exchange is covered only while a legal basis covers all of it. When that basis is consent,
        the resident has consented; sensitive data and data that leave a jurisdiction need a consent
        of their own besides. A statutory basis needs none. Data that came from elsewhere are handed
        on only by who received them, while they may be kept, where the instrument under which they
        crossed a border allows it, and never against a withdrawal. Who acts for somebody else has a
        live mandate for it.
@dev A module of `exchanges`. Every entry moves three heads: the requester's, the provider's, and
     that of the pair, keccak256(requester ‖ provider).
"""

import acts
import codes
import completeness
from interfaces import IBases
from interfaces import IConsents
from interfaces import IExchanges
from interfaces import IMandates

uses: acts
uses: completeness

# States of an exchange.
REQUESTED: constant(uint8) = 1
APPROVED: constant(uint8) = 2
REFUSED: constant(uint8) = 3
RELEASED: constant(uint8) = 4
RECEIVED: constant(uint8) = 5
DISPUTED: constant(uint8) = 6
VOID: constant(uint8) = 7
CANCELLED: constant(uint8) = 8
ENDED: constant(uint8) = 9
# In heads and events only: one side has signed the void.
VOID_SIGNED: constant(uint8) = 10

# Modes.
ONCE: constant(uint8) = 1
STANDING: constant(uint8) = 2
BULK: constant(uint8) = 3

# Kinds of bases, as in `bases`.
BY_CONSENT: constant(uint8) = 2

# Each question walks up the exchanges by which the data came.
MAX_STEPS: constant(uint256) = 4

BASES: immutable(IBases)
CONSENTS: immutable(IConsents)
MANDATES: immutable(IMandates)

exchanges: HashMap[bytes32, IExchanges.Exchange]
_links: HashMap[bytes32, IExchanges.Links]
_book_reserved: uint256[30]


@deploy
def __init__(bases: address, consents: address, mandates: address):
    """
    @param bases The proxy of the legal bases.
    @param consents The proxy of the consents.
    @param mandates The proxy of the mandates.
    """
    BASES = IBases(bases)
    CONSENTS = IConsents(consents)
    MANDATES = IMandates(mandates)


@view
@external
def exchange(uid: bytes32) -> IExchanges.Exchange:
    """
    @notice What is recorded of an exchange; all zero if there is none.
    """
    return self.exchanges[uid]


@view
@external
def links(uid: bytes32) -> IExchanges.Links:
    """
    @notice What an exchange builds on beside the law: the exchange by which the data came to the
            provider, and the mandate of whoever it was requested for; zero for none.
    """
    return self._links[uid]


@view
@external
def pair_head(requester: bytes32, provider: bytes32) -> bytes32:
    """
    @notice The running fingerprint of all exchanges that one agency requested of another.
    """
    return completeness.histories[self._pair(requester, provider)].head


@view
@external
def pair_count(requester: bytes32, provider: bytes32) -> uint256:
    """
    @notice How many creations and changes of state the pair's fingerprint holds.
    """
    return completeness.histories[self._pair(requester, provider)].count


@view
@internal
def _check_law(
    requester: bytes32, request: IExchanges.Request, links: IExchanges.Links
) -> IBases.Answer:
    """
    @dev Asked at the request, at the decision and at each release, each time for that very block.
    """
    answer: IBases.Answer = staticcall BASES.check(
        request.basis,
        request.instrument,
        request.provider,
        requester,
        request.dataset,
        request.fields,
        request.purpose,
    )
    assert (
        answer.is_crossing or request.instrument == empty(bytes32)
    ), "exchange: no instrument needed"
    self._check_onward(request.provider, links.onward_of)
    if links.mandate == empty(bytes32):
        assert links.mandate_scope == 0 and links.mandate_amount == 0, "exchange: mandate missing"
    else:
        assert staticcall MANDATES.check(
            links.mandate, links.mandate_scope, links.mandate_amount
        ), "mandate: not live"
    if answer.kind != BY_CONSENT:
        assert (
            request.consent == empty(bytes32)
            and request.sensitive_consent == empty(bytes32)
            and request.cross_border_consent == empty(bytes32)
        ), "exchange: a statute needs no consent"
        return answer
    self._check_consent(request.consent, codes.GENERAL_CONSENT, requester, request)
    if answer.sensitivity == codes.SENSITIVE:
        self._check_consent(
            request.sensitive_consent, codes.SENSITIVE_CONSENT, requester, request
        )
    else:
        assert request.sensitive_consent == empty(bytes32), "exchange: not sensitive"
    if answer.is_crossing:
        self._check_consent(
            request.cross_border_consent, codes.CROSS_BORDER_CONSENT, requester, request
        )
    else:
        assert request.cross_border_consent == empty(bytes32), "exchange: crosses no border"
    return answer


@view
@internal
def _check_onward(provider: bytes32, onward_of: bytes32):
    """
    @dev Walks up the exchanges by which the data came to the provider, as far as they are named.
         An exchange that names an instrument crossed a border; no other names one.
    """
    holder: bytes32 = provider
    uid: bytes32 = onward_of
    for _: uint256 in range(MAX_STEPS):
        if uid == empty(bytes32):
            return
        state: uint8 = self.exchanges[uid].state
        assert state != 0, "onward: unknown exchange"
        assert self.exchanges[uid].requester == holder, "onward: received by another"
        assert self.exchanges[uid].deliveries != 0, "onward: nothing received"
        assert state != VOID and state != DISPUTED, "onward: void or disputed"
        assert (
            block.timestamp < self.exchanges[uid].request.retention_until
        ), "onward: to be deleted by now"
        instrument: bytes32 = self.exchanges[uid].request.instrument
        if instrument != empty(bytes32):
            assert staticcall BASES.check_onward(instrument), "instrument: not to be handed on"
        consents: bytes32[3] = self._consents_of(uid)
        for consent: bytes32 in consents:
            if consent != empty(bytes32):
                assert not staticcall CONSENTS.is_withdrawn(consent), "onward: consent withdrawn"
        holder = self.exchanges[uid].request.provider
        uid = self._links[uid].onward_of
    assert uid == empty(bytes32), "onward: handed on too often"


@view
@internal
def _check_consent(
    uid: bytes32, kind: uint8, requester: bytes32, request: IExchanges.Request
):
    assert staticcall CONSENTS.check(
        uid,
        kind,
        request.provider,
        requester,
        request.dataset,
        request.fields,
        request.purpose,
    ), "consent: not live"


@internal
def _reserve_quotas(uid: bytes32, request: IExchanges.Request):
    for consent: bytes32 in [
        request.consent, request.sensitive_consent, request.cross_border_consent
    ]:
        if consent != empty(bytes32):
            extcall CONSENTS.reserve(consent, uid)


@internal
def _note_release(
    uid: bytes32, requester: bytes32, request: IExchanges.Request, event_time: uint256
):
    """
    @dev Tells the consents of this exchange, and those under which the data came to the provider.
    """
    for consent: bytes32 in [
        request.consent, request.sensitive_consent, request.cross_border_consent
    ]:
        if consent != empty(bytes32):
            extcall CONSENTS.use(consent, uid, event_time)
    source: bytes32 = self._links[uid].onward_of
    for _: uint256 in range(MAX_STEPS):
        if source == empty(bytes32):
            break
        consents: bytes32[3] = self._consents_of(source)
        for consent: bytes32 in consents:
            if consent != empty(bytes32):
                extcall CONSENTS.note_onward(consent, uid, requester, event_time)
        source = self._links[source].onward_of


@internal
def _store_links(uid: bytes32, links: IExchanges.Links):
    # What is not named costs nothing.
    if links.onward_of != empty(bytes32) or links.mandate != empty(bytes32):
        self._links[uid] = links


@view
@internal
def _consents_of(uid: bytes32) -> bytes32[3]:
    return [
        self.exchanges[uid].request.consent,
        self.exchanges[uid].request.sensitive_consent,
        self.exchanges[uid].request.cross_border_consent,
    ]


@internal
def _give_quotas_back(uid: bytes32, request: IExchanges.Request):
    for consent: bytes32 in [
        request.consent, request.sensitive_consent, request.cross_border_consent
    ]:
        if consent != empty(bytes32):
            extcall CONSENTS.give_back(consent, uid)


@view
@internal
def _authorise_side(uid: bytes32, event_time: uint256) -> (bytes32, bool):
    """
    @return The agency that acts, and whether it is the requester; any other is refused.
    """
    agency: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    assert self.exchanges[uid].state != 0, "exchange: unknown"
    is_requester: bool = agency == self.exchanges[uid].requester
    assert (
        is_requester or agency == self.exchanges[uid].request.provider
    ), "exchange: not yours"
    return agency, is_requester


@internal
def _change(uid: bytes32, state: uint8, reason: uint8, commitment: bytes32, event_time: uint256):
    requester: bytes32 = self.exchanges[uid].requester
    provider: bytes32 = self.exchanges[uid].request.provider
    if state != VOID_SIGNED:
        self.exchanges[uid].state = state
        self.exchanges[uid].reason = reason
        self.exchanges[uid].state_block = block.number
    log IExchanges.ExchangeChanged(
        uid=uid,
        requester=requester,
        provider=provider,
        state=state,
        reason=reason,
        commitment=commitment,
        event_time=event_time,
        key=acts._actor(),
        sequences=self._advance(requester, provider, codes.KIND_EXCHANGE, uid, state),
    )


@internal
def _advance(
    requester: bytes32, provider: bytes32, kind: uint8, uid: bytes32, state: uint8
) -> uint256[3]:
    """
    @return The numbers of the entries in the requester's, the provider's and the pair's history.
    """
    return [
        completeness._advance(requester, kind, uid, state),
        completeness._advance(provider, kind, uid, state),
        completeness._advance(self._pair(requester, provider), kind, uid, state),
    ]


@pure
@internal
def _pair(requester: bytes32, provider: bytes32) -> bytes32:
    return keccak256(concat(requester, provider))
