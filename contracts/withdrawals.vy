# pragma version 0.4.3
"""
@title What happens when a resident withdraws a consent
@license Apache-2.0
@notice The resident's own key withdraws, or an agency that received the withdrawal records it. It
        binds from its declaration. Within the time that the consent itself sets every recipient,
        also one to which the data were handed on, declares that it stopped, that it deleted the
        data, or that it keeps them, for storage only, under a cited legal basis and until a date.
        What was released between declaration and block is listed for remedy.
@dev A module of `consents`. In the heads a withdrawal has state 3, the answers have states 11
     (stopped), 12 (deleted) and 13 (retained). An answer moves the heads of the provider and of
     the recipient that answers.
"""

import acts
import codes
import completeness
import consent_book
from interfaces import IBases
from interfaces import IConsents

uses: acts
uses: completeness
uses: consent_book

STOPPED: constant(uint8) = 1
DELETED: constant(uint8) = 2
RETAINED: constant(uint8) = 3
ANSWERS_FROM: constant(uint8) = 10

WITHDRAWAL_TYPE: constant(bytes32) = keccak256(
    "Withdrawal(bytes32 uid,uint256 declaredAt,uint256 nonce,uint256 deadline)"
)

BASES: immutable(IBases)

_withdrawals: HashMap[bytes32, IConsents.Withdrawal]
_declarations: HashMap[bytes32, IConsents.Declaration]
# (consent, agency to which the data were handed on) -> what it declared last
_onward_declarations: HashMap[bytes32, HashMap[bytes32, IConsents.Declaration]]
_withdrawals_reserved: uint256[29]


@deploy
def __init__(bases: address):
    """
    @param bases The proxy of the legal bases.
    """
    BASES = IBases(bases)


@external
def withdraw(uid: bytes32, form: bytes32, declared_at: uint256, event_time: uint256):
    """
    @notice Records that the resident has withdrawn. The provider, the recipient, or the agency
            through which the consent was given does so, whichever received it.
    @param form Commitment to the form on which the resident declared it.
    @param declared_at When the resident declared it, in seconds. From then on it binds.
    """
    agency: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    record: IConsents.Consent = consent_book.consents[uid]
    assert record.state != 0, "consent: unknown"
    assert (
        agency == record.terms.provider
        or agency == record.terms.recipient
        or agency == record.origin.agency
    ), "consent: not yours"
    assert form != empty(bytes32), "consent: form missing"
    self._withdraw(uid, agency, form, declared_at)


@external
def withdraw_signed(
    uid: bytes32, declared_at: uint256, nonce: uint256, deadline: uint256, signature: Bytes[65]
):
    """
    @notice Withdraws a consent by the very key that gave it. Anybody may submit it.
    @param signature Of `Withdrawal(bytes32 uid,uint256 declaredAt,uint256 nonce,uint256 deadline)`.
    """
    assert consent_book.consents[uid].state != 0, "consent: unknown"
    holder: address = consent_book.consents[uid].origin.holder
    acts._check_message(holder, nonce, deadline)
    acts._check_signature(
        keccak256(abi_encode(WITHDRAWAL_TYPE, uid, declared_at, nonce, deadline)),
        holder,
        signature,
    )
    self._withdraw(uid, empty(bytes32), empty(bytes32), declared_at)


@external
def answer_withdrawal(
    uid: bytes32, outcome: uint8, basis: bytes32, until: uint256, event_time: uint256
):
    """
    @notice Declares what the caller's agency, as a recipient, has done about a withdrawal. Every
            recipient does, also one to which the data were handed on.
    @param outcome 1 stopped, 2 deleted, 3 retained for storage only. Stopped may be followed by the
                   others, retained by deleted.
    @param basis The legal basis under which the data are retained; zero otherwise.
    @param until Until when they are retained; zero otherwise.
    """
    recipient: bytes32 = acts._authorise(codes.EXCHANGE, event_time)
    record: IConsents.Consent = consent_book.consents[uid]
    assert record.state != 0, "consent: unknown"
    assert (
        record.terms.recipient == recipient or consent_book._is_onward[uid][recipient]
    ), "consent: not yours"
    assert record.state == codes.REVOKED, "withdrawal: not declared"
    assert outcome >= STOPPED and outcome <= RETAINED, "withdrawal: unknown outcome"
    before: uint8 = self._get_declaration(uid, recipient).outcome
    assert before != DELETED and before != outcome, "withdrawal: already answered"
    assert before != RETAINED or outcome == DELETED, "withdrawal: already answered"
    if outcome == RETAINED:
        state: uint8 = (staticcall BASES.basis(basis)).state
        assert state == codes.ACTIVE, "withdrawal: retained without a basis"
        assert until > block.timestamp, "withdrawal: retained until missing"
    else:
        assert basis == empty(bytes32) and until == 0, "withdrawal: nothing is retained"
    is_late: bool = event_time > self._withdrawals[uid].due
    answer: IConsents.Declaration = IConsents.Declaration(
        outcome=outcome,
        is_late=is_late,
        basis=basis,
        until=until,
        event_time=event_time,
        block_number=block.number,
    )
    if recipient == record.terms.recipient:
        self._declarations[uid] = answer
    else:
        self._onward_declarations[uid][recipient] = answer
    first: uint256 = 0
    second: uint256 = 0
    first, second = consent_book._advance_both(uid, recipient, ANSWERS_FROM + outcome)
    log IConsents.WithdrawalAnswered(
        uid=uid,
        provider=record.terms.provider,
        recipient=recipient,
        outcome=outcome,
        is_late=is_late,
        basis=basis,
        until=until,
        event_time=event_time,
        key=acts._actor(),
        provider_sequence=first,
        recipient_sequence=second,
    )


@view
@external
def withdrawal(uid: bytes32) -> IConsents.Withdrawal:
    """
    @notice How and when a consent was withdrawn, until when each recipient has to answer, and how
            many releases, the last ones of the consent's list, are to be remedied because they came
            after the declaration; all zero if it was not withdrawn.
    """
    return self._withdrawals[uid]


@view
@external
def declaration(uid: bytes32, recipient: bytes32) -> IConsents.Declaration:
    """
    @notice What a recipient declared last about a withdrawal; all zero if nothing yet.
    """
    return self._get_declaration(uid, recipient)


@view
@external
def is_overdue(uid: bytes32, recipient: bytes32) -> bool:
    """
    @notice Whether a recipient has let the time pass without any answer to a withdrawal.
    """
    return (
        self._withdrawals[uid].block_number != 0
        and block.timestamp > self._withdrawals[uid].due
        and (
            recipient == consent_book.consents[uid].terms.recipient
            or consent_book._is_onward[uid][recipient]
        )
        and self._get_declaration(uid, recipient).outcome == 0
    )


@view
@internal
def _get_declaration(uid: bytes32, recipient: bytes32) -> IConsents.Declaration:
    if recipient == consent_book.consents[uid].terms.recipient:
        return self._declarations[uid]
    return self._onward_declarations[uid][recipient]


@internal
def _withdraw(uid: bytes32, agency: bytes32, form: bytes32, declared_at: uint256):
    record: IConsents.Consent = consent_book.consents[uid]
    assert record.state != codes.REVOKED, "consent: withdrawn"
    assert declared_at >= record.event_time, "withdrawal: before the consent"
    assert (
        declared_at <= block.timestamp + codes.EVENT_TIME_TOLERANCE_S
    ), "withdrawal: in the future"
    due: uint256 = declared_at + record.terms.response_s
    remedies: uint256 = consent_book._count_releases_since(uid, declared_at)
    consent_book.consents[uid].state = codes.REVOKED
    self._withdrawals[uid] = IConsents.Withdrawal(
        agency=agency,
        form=form,
        declared_at=declared_at,
        due=due,
        block_number=block.number,
        remedies=remedies,
    )
    first: uint256 = 0
    second: uint256 = 0
    first, second = consent_book._change(uid, codes.REVOKED)
    log IConsents.ConsentWithdrawn(
        uid=uid,
        provider=record.terms.provider,
        recipient=record.terms.recipient,
        agency=agency,
        form=form,
        declared_at=declared_at,
        due=due,
        remedies=remedies,
        key=acts._actor(),
        provider_sequence=first,
        recipient_sequence=second,
    )
    for recipient: bytes32 in consent_book._onward[uid]:
        log IConsents.WithdrawalPassedOn(
            uid=uid,
            recipient=recipient,
            due=due,
            sequence=completeness._advance(recipient, codes.KIND_CONSENT, uid, codes.REVOKED),
        )
    if remedies != 0:
        log IConsents.ReleasesListed(
            uid=uid,
            provider=record.terms.provider,
            recipient=record.terms.recipient,
            first=consent_book._release_counts[uid] - remedies,
            remedies=remedies,
        )
