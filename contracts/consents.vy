# pragma version 0.4.3
"""
@title What residents have consented to
@license Apache-2.0
@notice A resident gives a consent with a key made for this one consent, which an agency other than
        the beneficiary has bound to the person; or an agency records it, and says how it was given,
        by which clerk and on which form. One that its own beneficiary recorded is marked so, and
        the provider may demand that another agency confirms it. General, sensitive and cross-border
        consent are three records; none stands for another.
@dev Composed of `completeness` (slots 0 to 31), `acts` (32 to 63), `consent_book` and `withdrawals`.
     A consent moves the heads of its provider and of its recipient. Notice, purpose and dataset are
     judged when it is given: later versions leave it as it is.
"""

import acts
import codes
import completeness
import consent_book
import withdrawals
from interfaces import IActs
from interfaces import ICatalogue
from interfaces import IConsents
from interfaces import IMandates

implements: IConsents
initializes: completeness
initializes: acts[completeness := completeness]
initializes: consent_book[completeness := completeness]
initializes: withdrawals[
    acts := acts, completeness := completeness, consent_book := consent_book
]
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)
exports: (
    consent_book.reserve,
    consent_book.use,
    consent_book.give_back,
    consent_book.note_onward,
    consent_book.consent,
    consent_book.check,
    consent_book.is_withdrawn,
    consent_book.recipients,
    consent_book.release_count,
    consent_book.release_at,
)
exports: (
    withdrawals.withdraw,
    withdrawals.withdraw_signed,
    withdrawals.answer_withdrawal,
    withdrawals.withdrawal,
    withdrawals.declaration,
    withdrawals.is_overdue,
)

LAST_CHANNEL: constant(uint8) = 4  # counter, paper, telephone, online
LAST_ASSURANCE: constant(uint8) = 3  # low, substantial, high
LONGEST_RESPONSE_S: constant(uint256) = 366 * 86400

CONSENT_TYPE: constant(bytes32) = keccak256(
    "Consent(bytes32 uid,bytes32 provider,bytes32 recipient,bytes32 dataset,uint256 fields,bytes32 purpose,uint8 kind,bytes32 notice,uint256 validFrom,uint256 validUntil,uint256 quota,uint256 responseTime,bytes32 subject,bytes32 record,uint256 eventTime,uint256 nonce,uint256 deadline)"
)

CATALOGUE: immutable(ICatalogue)
MANDATES: immutable(IMandates)

_bindings: HashMap[address, IConsents.Binding]
# consent -> the mandate under which it was given for the person; zero if the person gave it
_mandates: HashMap[bytes32, bytes32]
_reserved: uint256[31]


@deploy
def __init__(
    registry: address,
    salt: bytes32,
    late_after_s: uint256,
    catalogue: address,
    bases: address,
    exchanges: address,
    mandates: address,
):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts and consents.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    @param catalogue The proxy of the catalogue.
    @param bases The proxy of the legal bases.
    @param exchanges The proxy of the exchanges.
    @param mandates The proxy of the mandates.
    """
    acts.__init__(registry, salt, late_after_s)
    consent_book.__init__(exchanges)
    withdrawals.__init__(bases)
    CATALOGUE = ICatalogue(catalogue)
    MANDATES = IMandates(mandates)


@external
def bind_key(holder: address, commitment: bytes32, valid_until: uint256, event_time: uint256):
    """
    @notice Says that the caller's agency has checked whose key this is. The key gives one consent.
    @param holder The address of the key that the resident made.
    @param commitment Salted commitment to the person, opened only to who may know.
    @param valid_until Until when the key may give its consent, in seconds.
    """
    agency: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    assert holder != empty(address), "binding: key missing"
    assert self._bindings[holder].agency == empty(bytes32), "binding: key already bound"
    assert commitment != empty(bytes32), "binding: commitment missing"
    assert valid_until > block.timestamp, "binding: already over"
    self._bindings[holder] = IConsents.Binding(
        agency=agency, commitment=commitment, valid_until=valid_until, consent=empty(bytes32)
    )
    log IConsents.KeyBound(
        holder=holder,
        agency=agency,
        commitment=commitment,
        valid_until=valid_until,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(
            agency, codes.KIND_BINDING, convert(holder, bytes32), codes.ACTIVE
        ),
    )


@external
def give(
    uid: bytes32,
    terms: IConsents.ConsentTerms,
    event_time: uint256,
    holder: address,
    nonce: uint256,
    deadline: uint256,
    signature: Bytes[65],
):
    """
    @notice Gives a consent by the resident's own key. Anybody may submit it.
    @param event_time When the resident signed, in seconds.
    @param holder The address of the key, bound by an agency other than the recipient.
    @param signature EIP-712 over `Consent(...)`: uid, the terms in their order, event time, nonce,
                     deadline.
    """
    acts._check_message(holder, nonce, deadline)
    acts._check_signature(
        keccak256(abi_encode(CONSENT_TYPE, uid, terms, event_time, nonce, deadline)),
        holder,
        signature,
    )
    acts._check_time(event_time)
    binding: IConsents.Binding = self._bindings[holder]
    assert binding.agency != empty(bytes32), "binding: key not bound"
    assert binding.agency != terms.recipient, "binding: by the beneficiary"
    assert binding.consent == empty(bytes32), "binding: key already used"
    assert block.timestamp < binding.valid_until, "binding: expired"
    self._bindings[holder].consent = uid
    self._create(
        uid,
        terms,
        IConsents.Origin(
            holder=holder,
            agency=binding.agency,
            channel=0,
            assurance=0,
            clerk=empty(bytes32),
            form=empty(bytes32),
            is_by_beneficiary=False,
        ),
        empty(bytes32),
        event_time,
        holder,
    )


@external
def record(
    uid: bytes32,
    terms: IConsents.ConsentTerms,
    channel: uint8,
    assurance: uint8,
    clerk: bytes32,
    form: bytes32,
    mandate: bytes32,
    mandate_scope: uint256,
    event_time: uint256,
):
    """
    @notice Records a consent that a resident gave to the caller's agency.
    @param channel How it was given: 1 at a counter, 2 on paper, 3 by telephone, 4 online.
    @param assurance How well the person was identified: 1 low, 2 substantial, 3 high.
    @param clerk Commitment to the clerk.
    @param form Commitment to the form or recording.
    @param mandate The guardianship or power by which somebody else gave it for the person, live
                   in this block; zero if the person did.
    @param mandate_scope The acts of the mandate's list that giving this consent is; zero if none.
    """
    agency: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    assert channel != 0 and channel <= LAST_CHANNEL, "consent: unknown channel"
    assert assurance != 0 and assurance <= LAST_ASSURANCE, "consent: unknown assurance"
    assert clerk != empty(bytes32), "consent: clerk missing"
    assert form != empty(bytes32), "consent: form missing"
    if mandate == empty(bytes32):
        assert mandate_scope == 0, "consent: mandate missing"
    else:
        assert staticcall MANDATES.check(mandate, mandate_scope, 0), "mandate: not live"
        self._mandates[uid] = mandate
    self._create(
        uid,
        terms,
        IConsents.Origin(
            holder=empty(address),
            agency=agency,
            channel=channel,
            assurance=assurance,
            clerk=clerk,
            form=form,
            is_by_beneficiary=agency == terms.recipient,
        ),
        mandate,
        event_time,
        acts._actor(),
    )


@external
def demand_confirmation(uid: bytes32, event_time: uint256):
    """
    @notice Demands, as the provider, that a consent recorded by its own beneficiary is confirmed.
            Until then it authorises nothing.
    """
    provider: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    consent: IConsents.Consent = consent_book.consents[uid]
    assert consent.state != 0, "consent: unknown"
    assert consent.terms.provider == provider, "consent: not yours"
    assert consent.state != codes.REVOKED, "consent: withdrawn"
    assert consent.origin.is_by_beneficiary, "confirmation: not by the beneficiary"
    assert consent.confirmation == 0, "confirmation: already demanded"
    consent_book.consents[uid].confirmation = consent_book.DEMANDED
    first: uint256 = 0
    second: uint256 = 0
    first, second = consent_book._change(uid, codes.SUSPENDED)
    log IConsents.ConfirmationDemanded(
        uid=uid,
        provider=provider,
        recipient=consent.terms.recipient,
        event_time=event_time,
        key=acts._actor(),
        provider_sequence=first,
        recipient_sequence=second,
    )


@external
def confirm(uid: bytes32, commitment: bytes32, event_time: uint256):
    """
    @notice Confirms that the resident gave a consent which the beneficiary recorded. Any agency
            but the beneficiary may, after asking the resident.
    @param commitment Commitment to how the resident confirmed it.
    """
    agency: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    consent: IConsents.Consent = consent_book.consents[uid]
    assert consent.state != 0, "consent: unknown"
    assert consent.state != codes.REVOKED, "consent: withdrawn"
    assert consent.confirmation == consent_book.DEMANDED, "confirmation: not demanded"
    assert agency != consent.terms.recipient, "confirmation: by the beneficiary"
    assert commitment != empty(bytes32), "confirmation: commitment missing"
    consent_book.consents[uid].confirmation = consent_book.CONFIRMED
    first: uint256 = 0
    second: uint256 = 0
    first, second = consent_book._change(uid, codes.ACTIVE)
    log IConsents.ConsentConfirmed(
        uid=uid,
        provider=consent.terms.provider,
        recipient=consent.terms.recipient,
        agency=agency,
        commitment=commitment,
        event_time=event_time,
        key=acts._actor(),
        provider_sequence=first,
        recipient_sequence=second,
    )


@view
@external
def binding(holder: address) -> IConsents.Binding:
    """
    @notice Which agency bound a key to a person, and which consent it gave; all zero if none.
    """
    return self._bindings[holder]


@view
@external
def mandate_of(uid: bytes32) -> bytes32:
    """
    @notice The mandate under which a consent was given for the person; zero if the person gave it.
    """
    return self._mandates[uid]


@internal
def _create(
    uid: bytes32,
    terms: IConsents.ConsentTerms,
    origin: IConsents.Origin,
    mandate: bytes32,
    event_time: uint256,
    key: address,
):
    assert uid != empty(bytes32), "consent: uid missing"
    assert consent_book.consents[uid].state == 0, "consent: uid already used"
    self._check_terms(terms, event_time)
    consent_book.consents[uid] = IConsents.Consent(
        terms=terms,
        origin=origin,
        state=codes.ACTIVE,
        confirmation=0,
        reserved=0,
        used=0,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
    )
    first: uint256 = 0
    second: uint256 = 0
    first, second = consent_book._change(uid, codes.ACTIVE)
    log IConsents.ConsentGiven(
        uid=uid,
        provider=terms.provider,
        recipient=terms.recipient,
        terms=terms,
        origin=origin,
        mandate=mandate,
        event_time=event_time,
        key=key,
        provider_sequence=first,
        recipient_sequence=second,
    )


@view
@internal
def _check_terms(terms: IConsents.ConsentTerms, event_time: uint256):
    dataset: ICatalogue.Dataset = staticcall CATALOGUE.dataset(terms.dataset)
    assert dataset.state == codes.ACTIVE, "dataset: not in force"
    assert dataset.terms.sharing != codes.NOT_SHARED, "dataset: not shared"
    assert dataset.owner == terms.provider, "dataset: not the provider's"
    assert terms.fields != 0, "consent: fields missing"
    assert terms.fields >> dataset.terms.field_count == 0, "consent: no such field"
    assert staticcall acts.REGISTRY.is_active(terms.recipient), "consent: recipient not active"
    assert terms.recipient != terms.provider, "consent: recipient is the provider"
    assert staticcall CATALOGUE.is_text_live(
        terms.purpose, codes.KIND_PURPOSE
    ), "purpose: not in force"
    assert staticcall CATALOGUE.is_text_live(
        terms.notice, codes.KIND_NOTICE
    ), "notice: not in force"
    assert (
        terms.kind >= codes.GENERAL_CONSENT and terms.kind <= codes.CROSS_BORDER_CONSENT
    ), "consent: unknown kind"
    assert (
        terms.valid_until == 0 or terms.valid_until > max(terms.valid_from, event_time)
    ), "consent: ends before it begins"
    assert (
        terms.response_s != 0 and terms.response_s <= LONGEST_RESPONSE_S
    ), "consent: response time out of bounds"
    assert terms.subject != empty(bytes32), "consent: subject missing"
    assert terms.record != empty(bytes32), "consent: record missing"
