# pragma version 0.4.3
"""
@title The consents themselves, and what they cover
@license Apache-2.0
@notice A consent covers an exchange only while it is live and names all of it: provider, recipient,
        dataset, fields and purpose. Its quota is reserved when an exchange is approved, used at the
        first release, and returned by a void that both sides sign.
@dev A module of `consents`. Only the exchanges contract moves quotas.
"""

import codes
import completeness
from interfaces import IConsents

uses: completeness

# Where the confirmation of a consent that its beneficiary recorded stands.
DEMANDED: constant(uint8) = 1
CONFIRMED: constant(uint8) = 2

EXCHANGES: immutable(address)

consents: HashMap[bytes32, IConsents.Consent]
# (consent, exchange) -> 1 reserved, 2 used
_quota_of: HashMap[bytes32, HashMap[bytes32, uint8]]
_book_reserved: uint256[30]


@deploy
def __init__(exchanges: address):
    """
    @param exchanges The proxy of the exchanges, which alone moves quotas.
    """
    EXCHANGES = exchanges


@external
def reserve(uid: bytes32, exchange: bytes32):
    """
    @notice Sets one use of a consent aside for an approved exchange.
    """
    assert msg.sender == EXCHANGES, "consent: only the exchanges"
    assert self._quota_of[uid][exchange] == 0, "consent: already reserved"
    quota: uint256 = self.consents[uid].terms.quota
    assert (
        quota == 0 or self.consents[uid].reserved + self.consents[uid].used < quota
    ), "consent: quota used up"
    self._quota_of[uid][exchange] = 1
    self.consents[uid].reserved += 1
    self._log_quota(uid, exchange)


@external
def use(uid: bytes32, exchange: bytes32):
    """
    @notice Uses what was set aside, at the first release; a further delivery is free.
    """
    assert msg.sender == EXCHANGES, "consent: only the exchanges"
    assert self._quota_of[uid][exchange] != 0, "consent: not reserved"
    if self._quota_of[uid][exchange] == 1:
        self._quota_of[uid][exchange] = 2
        self.consents[uid].reserved -= 1
        self.consents[uid].used += 1
        self._log_quota(uid, exchange)


@external
def give_back(uid: bytes32, exchange: bytes32):
    """
    @notice Returns what was set aside or used, when both sides have voided the exchange.
    """
    assert msg.sender == EXCHANGES, "consent: only the exchanges"
    held: uint8 = self._quota_of[uid][exchange]
    assert held != 0, "consent: not reserved"
    self._quota_of[uid][exchange] = 0
    if held == 1:
        self.consents[uid].reserved -= 1
    else:
        self.consents[uid].used -= 1
    self._log_quota(uid, exchange)


@view
@external
def consent(uid: bytes32) -> IConsents.Consent:
    """
    @notice What is recorded of a consent; all zero if there is none.
    """
    return self.consents[uid]


@view
@external
def check(
    uid: bytes32,
    kind: uint8,
    provider: bytes32,
    recipient: bytes32,
    dataset: bytes32,
    fields: uint256,
    purpose: bytes32,
) -> bool:
    """
    @notice Refuses with the reason unless this consent is live in this block, of this kind, and
            covers all of an exchange.
    @return True.
    """
    assert uid != empty(bytes32), "consent: missing"
    record: IConsents.Consent = self.consents[uid]
    assert record.state != 0, "consent: unknown"
    assert record.state != codes.REVOKED, "consent: withdrawn"
    assert record.confirmation != DEMANDED, "consent: confirmation demanded"
    assert block.timestamp >= record.terms.valid_from, "consent: not live yet"
    assert (
        record.terms.valid_until == 0 or block.timestamp < record.terms.valid_until
    ), "consent: expired"
    assert record.terms.kind == kind, "consent: not of this kind"
    assert record.terms.provider == provider, "consent: not for this provider"
    assert record.terms.recipient == recipient, "consent: not for this recipient"
    assert record.terms.dataset == dataset, "consent: not for this dataset"
    assert record.terms.purpose == purpose, "consent: not for this purpose"
    assert fields & ~record.terms.fields == 0, "consent: not for these fields"
    return True


@internal
def _change(uid: bytes32, state: uint8) -> (uint256, uint256):
    """
    @dev Moves the heads of both parties, the provider's first.
    @return The numbers of the entries in the provider's and in the recipient's history.
    """
    self.consents[uid].state_block = block.number
    terms: IConsents.ConsentTerms = self.consents[uid].terms
    first: uint256 = completeness._advance(terms.provider, codes.KIND_CONSENT, uid, state)
    second: uint256 = completeness._advance(terms.recipient, codes.KIND_CONSENT, uid, state)
    return first, second


@internal
def _log_quota(uid: bytes32, exchange: bytes32):
    log IConsents.QuotaMoved(
        uid=uid,
        exchange=exchange,
        reserved=self.consents[uid].reserved,
        used=self.consents[uid].used,
    )
