# pragma version 0.4.3
"""
@title The consents themselves, and what they cover
@license Apache-2.0
@notice A consent covers an exchange only while it is live and names all of it: provider, recipient,
        dataset, fields and purpose. Its quota is reserved when an exchange is approved, used at the
        first release, and returned by a void that both sides sign. The book also keeps each release
        under a consent, and to whom its data were handed on: those agencies are bound by it too.
@dev A module of `consents`. Only the exchanges contract moves quotas and notes releases. In the
     head of an agency to which data came onward the consent has state 14.
"""

import codes
import completeness
from interfaces import IConsents

uses: completeness

# Where the confirmation of a consent that its beneficiary recorded stands.
DEMANDED: constant(uint8) = 1
CONFIRMED: constant(uint8) = 2
# In heads and events only: the data came to this agency onward.
BOUND_ONWARD: constant(uint8) = 14
# A withdrawal tells each of them, in one transaction.
MAX_ONWARD: constant(uint256) = 16
FIRST_128: constant(uint256) = 2**128 - 1

EXCHANGES: immutable(address)


struct StoredRelease:
    exchange: bytes32
    # the block's timestamp in the low 128 bits, the event time above
    times: uint256



consents: HashMap[bytes32, IConsents.Consent]
# (consent, exchange) -> 1 reserved, 2 used
_quota_of: HashMap[bytes32, HashMap[bytes32, uint8]]
# consent -> the agencies to which its data were handed on
_onward: HashMap[bytes32, DynArray[bytes32, MAX_ONWARD]]
_is_onward: HashMap[bytes32, HashMap[bytes32, bool]]
_releases: HashMap[bytes32, HashMap[uint256, StoredRelease]]
_release_counts: HashMap[bytes32, uint256]
_book_reserved: uint256[26]


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
def use(uid: bytes32, exchange: bytes32, event_time: uint256):
    """
    @notice Uses what was set aside, at the first release; a further delivery is free.
    @param event_time When the provider released, in seconds.
    """
    assert msg.sender == EXCHANGES, "consent: only the exchanges"
    assert self._quota_of[uid][exchange] != 0, "consent: not reserved"
    if self._quota_of[uid][exchange] == 1:
        self._quota_of[uid][exchange] = 2
        self.consents[uid].reserved -= 1
        self.consents[uid].used += 1
        self._log_quota(uid, exchange)
    self._add_release(uid, exchange, event_time)


@external
def note_onward(uid: bytes32, exchange: bytes32, recipient: bytes32, event_time: uint256):
    """
    @notice Notes that data which came under a consent were handed on to a further recipient, which
            the consent's withdrawal binds from now on.
    @param exchange The exchange by which they were handed on.
    @param event_time When that was, in seconds.
    """
    assert msg.sender == EXCHANGES, "consent: only the exchanges"
    self._add_release(uid, exchange, event_time)
    if recipient == self.consents[uid].terms.recipient or self._is_onward[uid][recipient]:
        return
    assert len(self._onward[uid]) < MAX_ONWARD, "onward: too many recipients"
    self._is_onward[uid][recipient] = True
    self._onward[uid].append(recipient)
    log IConsents.BoundOnward(
        uid=uid,
        recipient=recipient,
        exchange=exchange,
        sequence=completeness._advance(recipient, codes.KIND_CONSENT, uid, BOUND_ONWARD),
    )


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
def is_withdrawn(uid: bytes32) -> bool:
    """
    @notice Whether a consent has been withdrawn.
    """
    return self.consents[uid].state == codes.REVOKED


@view
@external
def recipients(uid: bytes32) -> DynArray[bytes32, 17]:
    """
    @notice All agencies that a withdrawal of this consent binds: its recipient, then those to which
            the data were handed on, in the order in which they first received them.
    """
    every: DynArray[bytes32, 17] = []
    if self.consents[uid].state != 0:
        every.append(self.consents[uid].terms.recipient)
        for recipient: bytes32 in self._onward[uid]:
            every.append(recipient)
    return every


@view
@external
def release_count(uid: bytes32) -> uint256:
    """
    @notice How many releases rested on a consent, further and onward deliveries included.
    """
    return self._release_counts[uid]


@view
@external
def release_at(uid: bytes32, index: uint256) -> IConsents.Release:
    """
    @notice The release at this place, beginning with zero, in the order of their blocks.
    """
    assert index < self._release_counts[uid], "consent: no such release"
    release: StoredRelease = self._releases[uid][index]
    return IConsents.Release(
        exchange=release.exchange,
        released_at=release.times & FIRST_128,
        event_time=release.times >> 128,
    )


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
    return self._advance_both(uid, self.consents[uid].terms.recipient, state)


@internal
def _advance_both(uid: bytes32, recipient: bytes32, state: uint8) -> (uint256, uint256):
    """
    @dev As `_change`, for the provider and any one of the recipients.
    """
    self.consents[uid].state_block = block.number
    provider: bytes32 = self.consents[uid].terms.provider
    first: uint256 = completeness._advance(provider, codes.KIND_CONSENT, uid, state)
    second: uint256 = completeness._advance(recipient, codes.KIND_CONSENT, uid, state)
    return first, second


@internal
def _add_release(uid: bytes32, exchange: bytes32, event_time: uint256):
    place: uint256 = self._release_counts[uid]
    self._release_counts[uid] = place + 1
    self._releases[uid][place] = StoredRelease(
        exchange=exchange, times=block.timestamp | (event_time << 128)
    )


@view
@internal
def _count_releases_since(uid: bytes32, moment: uint256) -> uint256:
    """
    @dev Blocks come in the order of their times, so the first release in question is found by
         halving.
    """
    low: uint256 = 0
    high: uint256 = self._release_counts[uid]
    for _: uint256 in range(64):
        if low == high:
            break
        middle: uint256 = (low + high) // 2
        if self._releases[uid][middle].times & FIRST_128 < moment:
            low = middle + 1
        else:
            high = middle
    return self._release_counts[uid] - low


@internal
def _log_quota(uid: bytes32, exchange: bytes32):
    log IConsents.QuotaMoved(
        uid=uid,
        exchange=exchange,
        reserved=self.consents[uid].reserved,
        used=self.consents[uid].used,
    )
