# pragma version 0.4.3
"""
@title What is put to the vote, and how the agencies voted
@license Apache-2.0
@notice The agencies decide together. A decision takes more than half of all active agencies, and
        more than half of those of each jurisdiction, so that no side decides over the other. A
        proposal names what shall be done and the document that gives the reasons, and lapses at
        its end. What has passed waits before it is carried out, so that everybody can still object:
        for long where the rules themselves change, for a short time where something is only ended.
@dev A module of `agency_registry`, which carries decisions out; here they are only counted.

     While a decision waits, votes can still change. One that finds the majority gone opens the
     proposal again, and the wait begins anew with the next majority. Until `expires` a proposal can
     pass; what has passed is carried out from its `ready` on, within CARRY_OUT_WITHIN_S.
"""

import acts
import agencies
import codes
import keys
import rules
from interfaces import IAgencyRegistry

uses: acts
uses: agencies
uses: keys
uses: rules

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
SET_DELAYS: constant(uint8) = 15  # (uint256 urgent, uint256 ordinary, uint256 grave), in seconds
SET_THRESHOLD: constant(uint8) = 16  # (uint256 in total, uint256 in each jurisdiction), in percent
LIFT_PAUSE: constant(uint8) = 17  # (bytes32 agency)
LAST_KIND: constant(uint8) = 17

# Words of each kind's payload, from kind 1 on.
PAYLOAD_WORDS: constant(uint256[17]) = [6, 1, 1, 2, 2, 5, 1, 4, 1, 2, 1, 1, 2, 1, 3, 2, 1]

# What has passed and is not carried out for so long has lapsed.
CARRY_OUT_WITHIN_S: constant(uint256) = 30 * 86400

# States of a proposal.
OPEN: constant(uint8) = 1
EXECUTED: constant(uint8) = 2
WITHDRAWN: constant(uint8) = 3
EXPIRED: constant(uint8) = 4
PASSED: constant(uint8) = 5  # waits until it may be carried out

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
# from when what has passed may be carried out; zero while it has not passed
ready_times: HashMap[uint256, uint256]
_proposals_reserved: uint256[30]


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
    proposer: bytes32 = keys._authorise(acts._actor(), codes.GOVERN)[0]
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
        key=acts._actor(),
    )
    return proposal_id


@external
def withdraw_proposal(proposal_id: uint256):
    """
    @notice Takes an open proposal back. Only the agency that made it may do so.
    """
    own: bytes32 = keys._authorise(acts._actor(), codes.GOVERN)[0]
    status: uint8 = self._status(proposal_id)
    assert status != 0, "proposal: unknown"
    assert self.tallies[proposal_id].proposer == own, "proposal: not yours"
    assert status == OPEN, "proposal: not open"
    self.tallies[proposal_id].status = WITHDRAWN
    log IAgencyRegistry.ProposalWithdrawn(proposal=proposal_id, key=acts._actor())


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
        ready=self.ready_times[proposal_id],
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
    return self._is_passing(proposal_id)


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
    @return Whether this vote reached the threshold and the decision is now to be carried out.
    """
    voter: bytes32 = empty(bytes32)
    index: uint256 = 0
    voter, index = keys._authorise(acts._actor(), codes.GOVERN)
    status: uint8 = self._check_votable(proposal_id)
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
        proposal=proposal_id, agency=voter, approve=approve, key=acts._actor()
    )
    if status == PASSED:
        if not self._is_passing(proposal_id):
            self.tallies[proposal_id].status = OPEN
            self.ready_times[proposal_id] = 0
            log IAgencyRegistry.ProposalReopened(
                proposal=proposal_id, kind=self.tallies[proposal_id].kind
            )
        return False
    if not approve or not self._is_passing(proposal_id):
        return False
    return self._pass(proposal_id)


@internal
def _claim(proposal_id: uint256) -> bool:
    """
    @dev Also passes what no vote will pass any more: a proposal whose approvals have become enough
         because agencies that had not approved were suspended, or the threshold was lowered.
    @return Whether the decision is now to be carried out.
    """
    assert keys._live_roles(acts._actor()) != 0, "key: may not send"
    status: uint8 = self._check_votable(proposal_id)
    assert block.timestamp >= self.ready_times[proposal_id], "proposal: still waiting"
    assert self._is_passing(proposal_id), "proposal: majority missing"
    if status == OPEN:
        return self._pass(proposal_id)
    self.tallies[proposal_id].status = EXECUTED
    return True


@internal
def _pass(proposal_id: uint256) -> bool:
    """
    @dev The state changes before the decision is carried out, which may call another contract.
    """
    kind: uint8 = self.tallies[proposal_id].kind
    delay: uint256 = rules._delay_of(kind)
    if delay == 0:
        self.tallies[proposal_id].status = EXECUTED
        return True
    ready: uint256 = block.timestamp + delay
    self.tallies[proposal_id].status = PASSED
    self.ready_times[proposal_id] = ready
    log IAgencyRegistry.ProposalPassed(proposal=proposal_id, kind=kind, ready=ready)
    return False


@view
@internal
def _check_votable(proposal_id: uint256) -> uint8:
    status: uint8 = self._status(proposal_id)
    assert status != 0, "proposal: unknown"
    assert status == OPEN or status == PASSED, "proposal: not open"
    return status


@view
@internal
def _status(proposal_id: uint256) -> uint8:
    status: uint8 = self.tallies[proposal_id].status
    if status == OPEN and block.timestamp >= self.tallies[proposal_id].expires:
        return EXPIRED
    if (
        status == PASSED
        and block.timestamp >= self.ready_times[proposal_id] + CARRY_OUT_WITHIN_S
    ):
        return EXPIRED
    return status


@view
@internal
def _is_passing(proposal_id: uint256) -> bool:
    """
    @dev More than the threshold of the active agencies, and of those of each jurisdiction that has
         any. Votes of agencies suspended since do not count. A new threshold has to be reached by
         the very decision that sets it, so that nobody puts up a bar that they cannot take.
    """
    total: uint256 = rules._get_total_percent()
    jurisdiction: uint256 = rules._get_jurisdiction_percent()
    if self.tallies[proposal_id].kind == SET_THRESHOLD:
        new_total: uint256 = 0
        new_jurisdiction: uint256 = 0
        new_total, new_jurisdiction = abi_decode(
            self.tallies[proposal_id].payload, (uint256, uint256)
        )
        # A number beyond the bounds is refused when it is carried out; here it must not overflow.
        total = min(max(total, new_total), rules.MOST_PERCENT)
        jurisdiction = min(max(jurisdiction, new_jurisdiction), rules.MOST_PERCENT)
    approvals: uint256 = self.tallies[proposal_id].approvals
    active: uint256 = agencies.active
    if not rules._is_enough(approvals, active, total):
        return False
    for i: uint256 in range(agencies.jurisdictions, bound=agencies.MAX_JURISDICTIONS):
        members: uint256 = agencies.members[i] & active
        if members != 0 and not rules._is_enough(approvals, members, jurisdiction):
            return False
    return True


@pure
@internal
def _check_payload(kind: uint8, payload: Bytes[256]):
    assert kind != 0 and kind <= LAST_KIND, "proposal: unknown kind"
    assert (
        len(payload) == PAYLOAD_WORDS[unsafe_sub(kind, 1)] * 32
    ), "proposal: malformed payload"
