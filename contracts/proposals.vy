# pragma version 0.4.3
"""
@title What is put to the vote, and how the agencies voted
@license Apache-2.0
@notice The agencies decide together. A decision takes more than half of all active agencies, and
        more than half of those of each jurisdiction, so that no side decides over the other. A
        proposal names what shall be done and the document that gives the reasons, and lapses at
        its end.
@dev A module of `agency_registry`, which carries decisions out; here they are only counted.
"""

import agencies
import codes
import keys
from interfaces import IAgencyRegistry

uses: agencies
uses: keys

# Kinds of decisions, each with the ABI types of its payload.
ADMIT_AGENCY: constant(uint8) = 1  # (bytes32 agency, bytes32 jurisdiction, bytes32 profile,
#                                      uint256 roles, address first key or 0, bytes32 pin or 0)
SUSPEND_AGENCY: constant(uint8) = 2  # (bytes32 agency)
REINSTATE_AGENCY: constant(uint8) = 3  # (bytes32 agency)
SET_PROFILE: constant(uint8) = 4  # (bytes32 agency, bytes32 profile)
SET_ROLES: constant(uint8) = 5  # (bytes32 agency, uint256 roles)
ADD_KEY: constant(uint8) = 6  # (bytes32 agency, address, uint256 roles, uint256 from, uint256 to)
REVOKE_KEY: constant(uint8) = 7  # (address)
ADD_PIN: constant(uint8) = 8  # (bytes32 agency, bytes32 pin, uint256 from, uint256 until)
WITHDRAW_PIN: constant(uint8) = 9  # (bytes32 pin)
ADD_VALIDATOR: constant(uint8) = 10  # (bytes32 agency, address)
REMOVE_VALIDATOR: constant(uint8) = 11  # (address)
SET_VALIDATOR_MINIMUM: constant(uint8) = 12  # (uint256)
UPGRADE: constant(uint8) = 13  # (address proxy, address implementation)
RESOLVE: constant(uint8) = 14  # (bytes32 subject)
LAST_KIND: constant(uint8) = 14

# Words of each kind's payload, from kind 1 on.
PAYLOAD_WORDS: constant(uint256[14]) = [6, 1, 1, 2, 2, 5, 1, 4, 1, 2, 1, 1, 2, 1]

# States of a proposal.
OPEN: constant(uint8) = 1
EXECUTED: constant(uint8) = 2
WITHDRAWN: constant(uint8) = 3
EXPIRED: constant(uint8) = 4

# Votes.
APPROVED: constant(uint8) = 1
REJECTED: constant(uint8) = 2

LONGEST_PROPOSAL_S: constant(uint256) = 366 * 86400


struct Tally:
    status: uint8
    kind: uint8
    proposer: bytes32
    document_hash: bytes32
    expires: uint256
    approvals: uint256
    rejections: uint256
    payload: Bytes[256]


tallies: HashMap[uint256, Tally]
_proposal_count: uint256
# subject -> the block in which the agencies resolved on it
_resolutions: HashMap[bytes32, uint256]
_proposals_reserved: uint256[31]


@external
def propose(
    kind: uint8, payload: Bytes[256], document_hash: bytes32, expires: uint256
) -> uint256:
    """
    @notice Puts a decision to the vote of all agencies. A proposal is not yet a vote.
    @param kind What shall be done, a number from the table of this contract.
    @param payload To whom or what, ABI-encoded.
    @param document_hash Hash of the document that gives the reasons; zero if there is none.
    @param expires Until when votes count, in seconds.
    @return The number of the proposal, beginning with one.
    """
    proposer: bytes32 = keys._authorise(msg.sender, codes.GOVERN)[0]
    assert expires > block.timestamp, "proposal: already expired"
    assert expires <= block.timestamp + LONGEST_PROPOSAL_S, "proposal: expires too late"
    self._check_payload(kind, payload)
    proposal_id: uint256 = self._proposal_count + 1
    self._proposal_count = proposal_id
    self.tallies[proposal_id] = Tally(
        status=OPEN,
        kind=kind,
        proposer=proposer,
        document_hash=document_hash,
        expires=expires,
        approvals=0,
        rejections=0,
        payload=payload,
    )
    log IAgencyRegistry.Proposed(
        proposal=proposal_id,
        proposer=proposer,
        kind=kind,
        payload=payload,
        document_hash=document_hash,
        expires=expires,
        key=msg.sender,
    )
    return proposal_id


@external
def withdraw_proposal(proposal_id: uint256):
    """
    @notice Takes an open proposal back. Only the agency that made it may do so.
    """
    own: bytes32 = keys._authorise(msg.sender, codes.GOVERN)[0]
    status: uint8 = self._status(proposal_id)
    assert status != 0, "proposal: unknown"
    assert self.tallies[proposal_id].proposer == own, "proposal: not yours"
    assert status == OPEN, "proposal: not open"
    self.tallies[proposal_id].status = WITHDRAWN
    log IAgencyRegistry.ProposalWithdrawn(proposal=proposal_id, key=msg.sender)


@view
@external
def proposal(proposal_id: uint256) -> IAgencyRegistry.Proposal:
    """
    @notice What is proposed and where the vote stands; all zero if there is no such proposal.
    @dev `approvals` and `rejections` have one bit for each agency, at its index.
    """
    tally: Tally = self.tallies[proposal_id]
    return IAgencyRegistry.Proposal(
        kind=tally.kind,
        status=self._status(proposal_id),
        proposer=tally.proposer,
        document_hash=tally.document_hash,
        expires=tally.expires,
        approvals=tally.approvals,
        rejections=tally.rejections,
        payload=tally.payload,
    )


@view
@external
def proposal_count() -> uint256:
    """
    @notice How many proposals were ever made; the last has this number.
    """
    return self._proposal_count


@view
@external
def vote_of(proposal_id: uint256, agency_id: bytes32) -> uint8:
    """
    @notice How an agency voted: 0 not yet, 1 for, 2 against.
    """
    facts: uint256 = agencies.facts_of[agency_id]
    if facts == 0:
        return 0
    bit: uint256 = 1 << ((facts >> agencies.INDEX_AT) & agencies.INDEX)
    if self.tallies[proposal_id].approvals & bit != 0:
        return APPROVED
    if self.tallies[proposal_id].rejections & bit != 0:
        return REJECTED
    return 0


@view
@external
def is_passing(proposal_id: uint256) -> bool:
    """
    @notice Whether the approvals given so far are enough among the agencies active now.
    """
    return self._has_threshold(self.tallies[proposal_id].approvals)


@view
@external
def resolved_at(subject: bytes32) -> uint256:
    """
    @notice The block in which the agencies resolved on a subject; zero if they did not.
    """
    return self._resolutions[subject]


@internal
def _resolve(subject: bytes32):
    """
    @dev Other contracts ask for the resolution before they let the act be carried out. The subject
         is the hash of that very act, so that nothing else is resolved with it.
    """
    assert subject != empty(bytes32), "resolution: subject missing"
    assert self._resolutions[subject] == 0, "resolution: already taken"
    self._resolutions[subject] = block.number
    log IAgencyRegistry.Resolved(subject=subject)


@internal
def _vote(proposal_id: uint256, approve: bool) -> bool:
    """
    @return Whether this vote reached the threshold, so that the decision is now to be carried out.
    """
    voter: bytes32 = empty(bytes32)
    index: uint256 = 0
    voter, index = keys._authorise(msg.sender, codes.GOVERN)
    status: uint8 = self._status(proposal_id)
    assert status != 0, "proposal: unknown"
    assert status == OPEN, "proposal: not open"
    bit: uint256 = 1 << index
    if approve:
        assert self.tallies[proposal_id].approvals & bit == 0, "vote: unchanged"
        self.tallies[proposal_id].approvals |= bit
        self.tallies[proposal_id].rejections &= ~bit
    else:
        assert self.tallies[proposal_id].rejections & bit == 0, "vote: unchanged"
        self.tallies[proposal_id].rejections |= bit
        self.tallies[proposal_id].approvals &= ~bit
    log IAgencyRegistry.Voted(
        proposal=proposal_id, agency=voter, approve=approve, key=msg.sender
    )
    if not approve or not self._has_threshold(self.tallies[proposal_id].approvals):
        return False
    # The state changes before the decision is carried out, which may call another contract.
    self.tallies[proposal_id].status = EXECUTED
    return True


@view
@internal
def _status(proposal_id: uint256) -> uint8:
    status: uint8 = self.tallies[proposal_id].status
    if status == OPEN and block.timestamp >= self.tallies[proposal_id].expires:
        return EXPIRED
    return status


@view
@internal
def _has_threshold(approvals: uint256) -> bool:
    """
    @dev More than half of the active agencies, and more than half of those of each jurisdiction
         that has any. The second implies the first, which is asked to answer "no" early. Votes of
         agencies suspended since do not count.
    """
    active: uint256 = agencies.active
    if self._popcount(approvals & active) * 2 <= self._popcount(active):
        return False
    for i: uint256 in range(agencies.jurisdictions, bound=agencies.MAX_JURISDICTIONS):
        members: uint256 = agencies.members[i] & active
        if members != 0:
            if self._popcount(approvals & members) * 2 <= self._popcount(members):
                return False
    return True


@pure
@internal
def _popcount(bits: uint256) -> uint256:
    """
    @dev Counts the ones of a word: each round drops the lowest of them.
    """
    rest: uint256 = bits
    ones: uint256 = 0
    for _: uint256 in range(agencies.MAX_AGENCIES):
        if rest == 0:
            break
        rest &= unsafe_sub(rest, 1)
        ones = unsafe_add(ones, 1)
    return ones


@pure
@internal
def _check_payload(kind: uint8, payload: Bytes[256]):
    assert kind != 0 and kind <= LAST_KIND, "proposal: unknown kind"
    assert (
        len(payload) == PAYLOAD_WORDS[unsafe_sub(kind, 1)] * 32
    ), "proposal: malformed payload"
