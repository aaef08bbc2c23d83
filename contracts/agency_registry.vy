# pragma version 0.4.3
"""
@title Who takes part in this ledger, and how they decide together
@license Apache-2.0
@notice The agencies of this ledger decide together who belongs to it, whose keys sign, whose nodes
        make blocks and which rules are in force. A decision takes more than half of all active
        agencies, and more than half of those of each jurisdiction, so that no side decides over
        the other. It is carried out by the vote that reaches this threshold. In its own house each
        agency rules alone: its administrator's key changes the agency's keys and certificates.
@dev Slots 0 and 1 hold `set_number` and `validator_set_hash`, which receipts prove against block
     headers; they never move. `getValidators` is a pure function of storage, because it is asked
     on a parent block by nodes that do not share a clock. What is asked for every transaction is
     packed in one word for each key and each agency.

     Before block 0 the register is filled by the same decisions, carried out one by one by
     `found`, which is shut for good by `finish_founding`.
"""

import codes
from interfaces import IAgencyRegistry
from interfaces import IUpgradeable

implements: IAgencyRegistry

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
LAST_KIND: constant(uint8) = 13

# Words of each kind's payload, from kind 1 on.
PAYLOAD_WORDS: constant(uint256[13]) = [6, 1, 1, 2, 2, 5, 1, 4, 1, 2, 1, 1, 2]

# States of a proposal.
OPEN: constant(uint8) = 1
EXECUTED: constant(uint8) = 2
WITHDRAWN: constant(uint8) = 3
EXPIRED: constant(uint8) = 4

# Votes.
APPROVED: constant(uint8) = 1
REJECTED: constant(uint8) = 2

# One bit of a word for each agency.
MAX_AGENCIES: constant(uint256) = 256
MAX_VALIDATORS: constant(uint256) = 64
MAX_JURISDICTIONS: constant(uint256) = 32
# Nodes read all keys and pins at each change of the register, so no agency can fill it; a new key
# and a new certificate every month last for ten years and more.
MAX_AGENCY_KEYS: constant(uint256) = 256
MAX_AGENCY_PINS: constant(uint256) = 128
LONGEST_PROPOSAL_S: constant(uint256) = 366 * 86400

# Places of the facts of a key in its word: roles (64 bits), valid from (64), valid until (64).
FROM_AT: constant(uint256) = 64
UNTIL_AT: constant(uint256) = 128
# Places of the facts of an agency: roles (64 bits), status (8), index (16), jurisdiction (8).
STATUS_AT: constant(uint256) = 64
INDEX_AT: constant(uint256) = 72
JURISDICTION_AT: constant(uint256) = 88
LOW_64: constant(uint256) = 2**64 - 1
BYTE: constant(uint256) = 2**8 - 1
INDEX: constant(uint256) = 2**16 - 1


struct StoredKey:
    agency: bytes32
    facts: uint256


struct Tally:
    status: uint8
    kind: uint8
    proposer: bytes32
    document_hash: bytes32
    expires: uint256
    approvals: uint256
    rejections: uint256
    payload: Bytes[256]


# slot 0: the number of the present validator set; the founders' set has number one
set_number: public(uint256)
# slot 1: keccak256 of the validators' 20-byte addresses in ascending order
validator_set_hash: public(bytes32)
# slot 2
minimum_validators: public(uint256)
# slot 3
_founded: bool
# slots 4 to 31
_reserved_head: uint256[28]

# slot 32: every key that ever was, by its address
_keys: HashMap[address, StoredKey]
# slot 33: the facts of each agency, by its id
_agencies: HashMap[bytes32, uint256]
_profiles: HashMap[bytes32, bytes32]
_agency_ids: HashMap[uint256, bytes32]
_agency_count: uint256
# active agencies, one bit each, in total and by jurisdiction
_active: uint256
_members: HashMap[uint256, uint256]
_jurisdictions: HashMap[uint256, bytes32]
_jurisdiction_count: uint256
_agency_keys: HashMap[bytes32, HashMap[uint256, address]]
_agency_key_count: HashMap[bytes32, uint256]
_agency_pin_count: HashMap[bytes32, uint256]
_pins: HashMap[bytes32, IAgencyRegistry.Pin]
_pin_list: HashMap[uint256, bytes32]
_pin_count: uint256
_validators: DynArray[address, MAX_VALIDATORS]
_validator_agency: HashMap[address, bytes32]
_proposals: HashMap[uint256, Tally]
_proposal_count: uint256
_reserved: uint256[32]


@deploy
def __init__():
    """
    @dev The implementation itself is never a register: only a proxy's storage can be founded.
    """
    self._founded = True


# ------------------------------------------------------------------ what every node asks


@view
@external
def getValidators() -> DynArray[address, MAX_VALIDATORS]:
    """
    @notice The addresses of the nodes that make the next block, in ascending order.
    @dev Read by Besu's contract mode under this very name.
    """
    return self._validators


@view
@external
def may_send(account: address) -> bool:
    """
    @notice Whether an account may send transactions: a live key with any role of an active agency.
    """
    return self._live_roles(account) != 0


@view
@external
def may_deploy(account: address) -> bool:
    """
    @notice Whether an account may put new contracts on this ledger.
    """
    return self._live_roles(account) & codes.DEPLOY != 0


@view
@external
def is_authorised(account: address, role: uint256) -> bool:
    """
    @notice Whether an account is a live key of an active agency and holds all the named roles.
    """
    return role != 0 and self._live_roles(account) & role == role


@view
@external
def authorise(account: address, role: uint256) -> (bytes32, uint256):
    """
    @notice The agency for which an account acts in a role; refused if it may not.
    @return The agency's id, and its index in this register.
    """
    return self._authorise(account, role)


# ------------------------------------------------------------------ agencies, keys, pins


@view
@external
def agency(agency_id: bytes32) -> IAgencyRegistry.Agency:
    """
    @notice What is recorded of an agency; all zero if there is none.
    """
    facts: uint256 = self._agencies[agency_id]
    if facts == 0:
        return empty(IAgencyRegistry.Agency)
    return IAgencyRegistry.Agency(
        agency_id=agency_id,
        jurisdiction=self._jurisdictions[(facts >> JURISDICTION_AT) & BYTE],
        profile_hash=self._profiles[agency_id],
        status=convert((facts >> STATUS_AT) & BYTE, uint8),
        roles=facts & LOW_64,
        index=(facts >> INDEX_AT) & INDEX,
    )


@view
@external
def agency_count() -> uint256:
    """
    @notice How many agencies were ever admitted.
    """
    return self._agency_count


@view
@external
def agency_at(index: uint256) -> bytes32:
    """
    @notice The agency admitted at this place, beginning with zero.
    """
    assert index < self._agency_count, "agency: no such index"
    return self._agency_ids[index]


@view
@external
def is_active(agency_id: bytes32) -> bool:
    """
    @notice Whether an agency is admitted and not suspended.
    """
    return self._is_active(agency_id)


@view
@external
def jurisdiction_count() -> uint256:
    """
    @notice How many jurisdictions have had an agency here.
    """
    return self._jurisdiction_count


@view
@external
def jurisdiction_at(index: uint256) -> bytes32:
    """
    @notice The jurisdiction at this place, beginning with zero.
    """
    assert index < self._jurisdiction_count, "agency: no such jurisdiction"
    return self._jurisdictions[index]


@view
@external
def key(account: address) -> IAgencyRegistry.Key:
    """
    @notice Whose key an address is or was, with its roles and dates; all zero if nobody's.
    """
    stored: StoredKey = self._keys[account]
    return IAgencyRegistry.Key(
        agency=stored.agency,
        roles=stored.facts & LOW_64,
        valid_from=(stored.facts >> FROM_AT) & LOW_64,
        valid_until=stored.facts >> UNTIL_AT,
    )


@view
@external
def key_count(agency_id: bytes32) -> uint256:
    """
    @notice How many keys an agency has ever had.
    """
    return self._agency_key_count[agency_id]


@view
@external
def key_at(agency_id: bytes32, index: uint256) -> address:
    """
    @notice The agency's key at this place, beginning with zero.
    """
    assert index < self._agency_key_count[agency_id], "key: no such index"
    return self._agency_keys[agency_id][index]


@view
@external
def pin(fingerprint: bytes32) -> IAgencyRegistry.Pin:
    """
    @notice Whose node has a certificate with this fingerprint, and from when to when.
    """
    return self._pins[fingerprint]


@view
@external
def pin_count() -> uint256:
    """
    @notice How many certificates were ever entered.
    """
    return self._pin_count


@view
@external
def pin_at(index: uint256) -> bytes32:
    """
    @notice The fingerprint entered at this place, beginning with zero.
    """
    assert index < self._pin_count, "pin: no such index"
    return self._pin_list[index]


# ------------------------------------------------------------------ validators


@view
@external
def is_validator(account: address) -> bool:
    """
    @notice Whether an address is in the present set of validators.
    """
    return account in self._validators


@view
@external
def validator_agency(account: address) -> bytes32:
    """
    @notice The agency whose validator an address is, or was before it was removed.
    """
    return self._validator_agency[account]


# ------------------------------------------------------------------ an agency's own keys and pins


@external
def add_own_key(account: address, roles: uint256, valid_from: uint256, valid_until: uint256):
    """
    @notice Enters a further key of the caller's own agency.
    @param roles What it may do, within the roles of the agency.
    @param valid_from When it becomes live, in seconds; zero for at once.
    @param valid_until When it ends; zero for no end.
    """
    own: bytes32 = self._authorise(msg.sender, codes.ADMIN)[0]
    self._add_key(own, account, roles, valid_from, valid_until)


@external
def revoke_own_key(account: address):
    """
    @notice Ends a key of the caller's own agency at once. Nobody ends the key in their own hand, so
            an agency always keeps an administrator.
    """
    own: bytes32 = self._authorise(msg.sender, codes.ADMIN)[0]
    assert account != msg.sender, "key: cannot end itself"
    assert self._keys[account].agency == own, "key: not yours"
    self._revoke_key(account)


@external
def add_own_pin(fingerprint: bytes32, valid_from: uint256, valid_until: uint256):
    """
    @notice Enters a further certificate for the nodes of the caller's own agency, beside the old
            one, so that a change of certificates interrupts nothing.
    """
    own: bytes32 = self._authorise(msg.sender, codes.ADMIN)[0]
    self._add_pin(own, fingerprint, valid_from, valid_until)


@external
def withdraw_own_pin(fingerprint: bytes32):
    """
    @notice Ends a certificate of the caller's own agency at once.
    """
    own: bytes32 = self._authorise(msg.sender, codes.ADMIN)[0]
    assert self._pins[fingerprint].agency == own, "pin: not yours"
    self._withdraw_pin(fingerprint)


# ------------------------------------------------------------------ deciding together


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
    proposer: bytes32 = self._authorise(msg.sender, codes.GOVERN)[0]
    assert expires > block.timestamp, "proposal: already expired"
    assert expires <= block.timestamp + LONGEST_PROPOSAL_S, "proposal: expires too late"
    self._check_payload(kind, payload)
    proposal_id: uint256 = self._proposal_count + 1
    self._proposal_count = proposal_id
    self._proposals[proposal_id] = Tally(
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
def vote(proposal_id: uint256, approve: bool):
    """
    @notice Votes for the caller's agency, which may change its mind while the proposal is open.
            The approval that reaches the threshold carries the decision out in the same step.
    @dev If the decision cannot be carried out, this vote fails with its reason and is not counted.
    """
    voter: bytes32 = empty(bytes32)
    index: uint256 = 0
    voter, index = self._authorise(msg.sender, codes.GOVERN)
    status: uint8 = self._status(proposal_id)
    assert status != 0, "proposal: unknown"
    assert status == OPEN, "proposal: not open"
    bit: uint256 = 1 << index
    if approve:
        assert self._proposals[proposal_id].approvals & bit == 0, "vote: unchanged"
        self._proposals[proposal_id].approvals |= bit
        self._proposals[proposal_id].rejections &= ~bit
    else:
        assert self._proposals[proposal_id].rejections & bit == 0, "vote: unchanged"
        self._proposals[proposal_id].rejections |= bit
        self._proposals[proposal_id].approvals &= ~bit
    log IAgencyRegistry.Voted(
        proposal=proposal_id, agency=voter, approve=approve, key=msg.sender
    )
    if approve and self._has_threshold(self._proposals[proposal_id].approvals):
        kind: uint8 = self._proposals[proposal_id].kind
        # The state changes before the decision is carried out, which may call another contract.
        self._proposals[proposal_id].status = EXECUTED
        self._execute(kind, self._proposals[proposal_id].payload)
        log IAgencyRegistry.ProposalExecuted(proposal=proposal_id, kind=kind)


@external
def withdraw_proposal(proposal_id: uint256):
    """
    @notice Takes an open proposal back. Only the agency that made it may do so.
    """
    own: bytes32 = self._authorise(msg.sender, codes.GOVERN)[0]
    status: uint8 = self._status(proposal_id)
    assert status != 0, "proposal: unknown"
    assert self._proposals[proposal_id].proposer == own, "proposal: not yours"
    assert status == OPEN, "proposal: not open"
    self._proposals[proposal_id].status = WITHDRAWN
    log IAgencyRegistry.ProposalWithdrawn(proposal=proposal_id, key=msg.sender)


@view
@external
def proposal(proposal_id: uint256) -> IAgencyRegistry.Proposal:
    """
    @notice What is proposed and where the vote stands; all zero if there is no such proposal.
    @dev `approvals` and `rejections` have one bit for each agency, at its index.
    """
    tally: Tally = self._proposals[proposal_id]
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
    facts: uint256 = self._agencies[agency_id]
    if facts == 0:
        return 0
    bit: uint256 = 1 << ((facts >> INDEX_AT) & INDEX)
    if self._proposals[proposal_id].approvals & bit != 0:
        return APPROVED
    if self._proposals[proposal_id].rejections & bit != 0:
        return REJECTED
    return 0


@view
@external
def is_passing(proposal_id: uint256) -> bool:
    """
    @notice Whether the approvals given so far are enough among the agencies active now.
    """
    return self._has_threshold(self._proposals[proposal_id].approvals)


# ------------------------------------------------------------------ before block 0


@view
@external
def is_founded() -> bool:
    """
    @notice Whether the register is in force. It is from the first block on.
    """
    return self._founded


@external
def found(kind: uint8, payload: Bytes[256]):
    """
    @notice Carries out a decision of the founders, before the ledger begins.
    @dev Runs only in the scratch state from which genesis.json is made.
    """
    assert not self._founded, "registry: already founded"
    self._check_payload(kind, payload)
    self._execute(kind, payload)


@external
def finish_founding():
    """
    @notice Ends the founding for good.
    """
    assert not self._founded, "registry: already founded"
    assert self._active != 0, "registry: no agency"
    if self.minimum_validators == 0:
        self.minimum_validators = 1
    assert len(self._validators) >= self.minimum_validators, "validators: below the minimum"
    self._founded = True
    log IAgencyRegistry.Founded(
        agencies=self._agency_count, validator_set_hash=self.validator_set_hash
    )


# ------------------------------------------------------------------ rules


@view
@internal
def _authorise(account: address, role: uint256) -> (bytes32, uint256):
    # Asked for every act on the ledger, so it calls nothing and copies little.
    key_facts: uint256 = self._keys[account].facts
    assert key_facts != 0, "key: unknown"
    until: uint256 = key_facts >> UNTIL_AT
    assert block.timestamp >= (key_facts >> FROM_AT) & LOW_64, "key: not live yet"
    assert until == 0 or block.timestamp < until, "key: ended"
    agency_id: bytes32 = self._keys[account].agency
    facts: uint256 = self._agencies[agency_id]
    assert (facts >> STATUS_AT) & BYTE == convert(
        codes.AGENCY_ACTIVE, uint256
    ), "agency: not active"
    assert key_facts & facts & role == role, "key: role missing"
    return agency_id, (facts >> INDEX_AT) & INDEX


@view
@internal
def _live_roles(account: address) -> uint256:
    stored: StoredKey = self._keys[account]
    if stored.facts == 0 or not self._is_live(stored.facts):
        return 0
    facts: uint256 = self._agencies[stored.agency]
    if (facts >> STATUS_AT) & BYTE != convert(codes.AGENCY_ACTIVE, uint256):
        return 0
    return stored.facts & facts & LOW_64


@view
@internal
def _is_live(facts: uint256) -> bool:
    if block.timestamp < (facts >> FROM_AT) & LOW_64:
        return False
    until: uint256 = facts >> UNTIL_AT
    return until == 0 or block.timestamp < until


@view
@internal
def _is_active(agency_id: bytes32) -> bool:
    return (self._agencies[agency_id] >> STATUS_AT) & BYTE == convert(codes.AGENCY_ACTIVE, uint256)


@view
@internal
def _status(proposal_id: uint256) -> uint8:
    status: uint8 = self._proposals[proposal_id].status
    if status == OPEN and block.timestamp >= self._proposals[proposal_id].expires:
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
    active: uint256 = self._active
    if self._popcount(approvals & active) * 2 <= self._popcount(active):
        return False
    for i: uint256 in range(self._jurisdiction_count, bound=MAX_JURISDICTIONS):
        members: uint256 = self._members[i] & active
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
    for _: uint256 in range(MAX_AGENCIES):
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


@internal
def _execute(kind: uint8, payload: Bytes[256]):
    """
    @dev One branch for each kind of decision. Each checks for itself that it can be carried out.
    """
    if kind == ADMIT_AGENCY:
        agency_id: bytes32 = empty(bytes32)
        jurisdiction: bytes32 = empty(bytes32)
        profile_hash: bytes32 = empty(bytes32)
        roles: uint256 = 0
        first_key: address = empty(address)
        first_pin: bytes32 = empty(bytes32)
        agency_id, jurisdiction, profile_hash, roles, first_key, first_pin = abi_decode(
            payload, (bytes32, bytes32, bytes32, uint256, address, bytes32)
        )
        self._admit(agency_id, jurisdiction, profile_hash, roles)
        if first_key != empty(address):
            self._add_key(agency_id, first_key, roles, 0, 0)
        if first_pin != empty(bytes32):
            self._add_pin(agency_id, first_pin, 0, 0)
    elif kind == SUSPEND_AGENCY:
        self._suspend(abi_decode(payload, bytes32))
    elif kind == REINSTATE_AGENCY:
        self._reinstate(abi_decode(payload, bytes32))
    elif kind == SET_PROFILE:
        agency_id: bytes32 = empty(bytes32)
        profile_hash: bytes32 = empty(bytes32)
        agency_id, profile_hash = abi_decode(payload, (bytes32, bytes32))
        self._set_profile(agency_id, profile_hash)
    elif kind == SET_ROLES:
        agency_id: bytes32 = empty(bytes32)
        roles: uint256 = 0
        agency_id, roles = abi_decode(payload, (bytes32, uint256))
        self._set_roles(agency_id, roles)
    elif kind == ADD_KEY:
        agency_id: bytes32 = empty(bytes32)
        account: address = empty(address)
        roles: uint256 = 0
        valid_from: uint256 = 0
        valid_until: uint256 = 0
        agency_id, account, roles, valid_from, valid_until = abi_decode(
            payload, (bytes32, address, uint256, uint256, uint256)
        )
        self._add_key(agency_id, account, roles, valid_from, valid_until)
    elif kind == REVOKE_KEY:
        self._revoke_key(abi_decode(payload, address))
    elif kind == ADD_PIN:
        agency_id: bytes32 = empty(bytes32)
        fingerprint: bytes32 = empty(bytes32)
        valid_from: uint256 = 0
        valid_until: uint256 = 0
        agency_id, fingerprint, valid_from, valid_until = abi_decode(
            payload, (bytes32, bytes32, uint256, uint256)
        )
        self._add_pin(agency_id, fingerprint, valid_from, valid_until)
    elif kind == WITHDRAW_PIN:
        self._withdraw_pin(abi_decode(payload, bytes32))
    elif kind == ADD_VALIDATOR:
        agency_id: bytes32 = empty(bytes32)
        validator: address = empty(address)
        agency_id, validator = abi_decode(payload, (bytes32, address))
        self._add_validator(agency_id, validator)
    elif kind == REMOVE_VALIDATOR:
        self._remove_validator(abi_decode(payload, address))
    elif kind == SET_VALIDATOR_MINIMUM:
        self._set_validator_minimum(abi_decode(payload, uint256))
    else:
        proxy: address = empty(address)
        implementation: address = empty(address)
        proxy, implementation = abi_decode(payload, (address, address))
        extcall IUpgradeable(proxy).upgrade_to(implementation)
        log IAgencyRegistry.ImplementationChanged(proxy=proxy, implementation=implementation)


@internal
def _admit(agency_id: bytes32, jurisdiction: bytes32, profile_hash: bytes32, roles: uint256):
    assert agency_id != empty(bytes32), "agency: id missing"
    assert jurisdiction != empty(bytes32), "agency: jurisdiction missing"
    assert self._agencies[agency_id] == 0, "agency: already admitted"
    self._check_roles(roles)
    index: uint256 = self._agency_count
    assert index < MAX_AGENCIES, "agency: register full"
    self._agency_ids[index] = agency_id
    self._agency_count = index + 1
    place: uint256 = self._place_jurisdiction(jurisdiction)
    self._agencies[agency_id] = (
        roles
        | (convert(codes.AGENCY_ACTIVE, uint256) << STATUS_AT)
        | (index << INDEX_AT)
        | (place << JURISDICTION_AT)
    )
    self._profiles[agency_id] = profile_hash
    self._active |= 1 << index
    self._members[place] |= 1 << index
    log IAgencyRegistry.AgencyAdmitted(
        agency=agency_id, jurisdiction=jurisdiction, profile_hash=profile_hash, roles=roles
    )


@internal
def _place_jurisdiction(jurisdiction: bytes32) -> uint256:
    count: uint256 = self._jurisdiction_count
    for i: uint256 in range(count, bound=MAX_JURISDICTIONS):
        if self._jurisdictions[i] == jurisdiction:
            return i
    assert count < MAX_JURISDICTIONS, "agency: too many jurisdictions"
    self._jurisdictions[count] = jurisdiction
    self._jurisdiction_count = count + 1
    return count


@internal
def _suspend(agency_id: bytes32):
    """
    @dev A suspended agency's nodes make no blocks: its validators leave the set with it, and come
         back, after its reinstatement, by a decision of their own.
    """
    facts: uint256 = self._agencies[agency_id]
    assert facts != 0, "agency: unknown"
    assert self._is_active(agency_id), "agency: already suspended"
    active: uint256 = self._active & ~(1 << ((facts >> INDEX_AT) & INDEX))
    assert active != 0, "agency: the last active one"
    self._active = active
    self._agencies[agency_id] = (facts & ~(BYTE << STATUS_AT)) | (
        convert(codes.AGENCY_SUSPENDED, uint256) << STATUS_AT
    )
    log IAgencyRegistry.AgencySuspended(agency=agency_id)
    kept: DynArray[address, MAX_VALIDATORS] = []
    before: DynArray[address, MAX_VALIDATORS] = self._validators
    for validator: address in before:
        if self._validator_agency[validator] == agency_id:
            log IAgencyRegistry.ValidatorRemoved(agency=agency_id, validator=validator)
        else:
            kept.append(validator)
    if len(kept) != len(before):
        self._set_validators(kept)


@internal
def _reinstate(agency_id: bytes32):
    facts: uint256 = self._agencies[agency_id]
    assert facts != 0, "agency: unknown"
    assert not self._is_active(agency_id), "agency: not suspended"
    self._active |= 1 << ((facts >> INDEX_AT) & INDEX)
    self._agencies[agency_id] = (facts & ~(BYTE << STATUS_AT)) | (
        convert(codes.AGENCY_ACTIVE, uint256) << STATUS_AT
    )
    log IAgencyRegistry.AgencyReinstated(agency=agency_id)


@internal
def _set_profile(agency_id: bytes32, profile_hash: bytes32):
    assert self._agencies[agency_id] != 0, "agency: unknown"
    assert self._profiles[agency_id] != profile_hash, "agency: profile unchanged"
    self._profiles[agency_id] = profile_hash
    log IAgencyRegistry.ProfileChanged(agency=agency_id, profile_hash=profile_hash)


@internal
def _set_roles(agency_id: bytes32, roles: uint256):
    """
    @dev A key's roles hold only as far as its agency's: taking one from the agency takes it from
         all of its keys at once.
    """
    facts: uint256 = self._agencies[agency_id]
    assert facts != 0, "agency: unknown"
    self._check_roles(roles)
    assert facts & LOW_64 != roles, "agency: roles unchanged"
    self._agencies[agency_id] = (facts & ~LOW_64) | roles
    log IAgencyRegistry.RolesChanged(agency=agency_id, roles=roles)


@internal
def _add_key(
    agency_id: bytes32, account: address, roles: uint256, valid_from: uint256, valid_until: uint256
):
    facts: uint256 = self._agencies[agency_id]
    assert facts != 0, "agency: unknown"
    assert account != empty(address), "key: address missing"
    # An address stays with its first agency, so that old signatures never change their signer.
    assert self._keys[account].facts == 0, "key: already entered"
    assert self._validator_agency[account] == empty(bytes32), "key: is a validator's"
    self._check_roles(roles)
    assert roles & facts == roles, "key: roles beyond the agency's"
    self._check_interval(valid_from, valid_until)
    position: uint256 = self._agency_key_count[agency_id]
    assert position < MAX_AGENCY_KEYS, "key: too many"
    self._agency_keys[agency_id][position] = account
    self._agency_key_count[agency_id] = position + 1
    self._keys[account] = StoredKey(
        agency=agency_id,
        facts=roles | (valid_from << FROM_AT) | (valid_until << UNTIL_AT),
    )
    log IAgencyRegistry.KeyAdded(
        agency=agency_id,
        key=account,
        roles=roles,
        valid_from=valid_from,
        valid_until=valid_until,
    )


@internal
def _revoke_key(account: address):
    stored: StoredKey = self._keys[account]
    assert stored.facts != 0, "key: unknown"
    until: uint256 = stored.facts >> UNTIL_AT
    assert until == 0 or until > block.timestamp, "key: already ended"
    self._keys[account].facts = (stored.facts & (2**UNTIL_AT - 1)) | (
        block.timestamp << UNTIL_AT
    )
    log IAgencyRegistry.KeyRevoked(agency=stored.agency, key=account)


@internal
def _add_pin(agency_id: bytes32, fingerprint: bytes32, valid_from: uint256, valid_until: uint256):
    assert self._agencies[agency_id] != 0, "agency: unknown"
    assert fingerprint != empty(bytes32), "pin: fingerprint missing"
    assert self._pins[fingerprint].agency == empty(bytes32), "pin: already entered"
    self._check_interval(valid_from, valid_until)
    count: uint256 = self._agency_pin_count[agency_id]
    assert count < MAX_AGENCY_PINS, "pin: too many"
    self._agency_pin_count[agency_id] = count + 1
    position: uint256 = self._pin_count
    self._pin_list[position] = fingerprint
    self._pin_count = position + 1
    self._pins[fingerprint] = IAgencyRegistry.Pin(
        agency=agency_id, valid_from=valid_from, valid_until=valid_until
    )
    log IAgencyRegistry.PinAdded(
        agency=agency_id, pin=fingerprint, valid_from=valid_from, valid_until=valid_until
    )


@internal
def _withdraw_pin(fingerprint: bytes32):
    stored: IAgencyRegistry.Pin = self._pins[fingerprint]
    assert stored.agency != empty(bytes32), "pin: unknown"
    assert stored.valid_until == 0 or stored.valid_until > block.timestamp, "pin: already ended"
    self._pins[fingerprint].valid_until = block.timestamp
    log IAgencyRegistry.PinWithdrawn(agency=stored.agency, pin=fingerprint)


@internal
def _add_validator(agency_id: bytes32, validator: address):
    assert self._is_active(agency_id), "agency: not active"
    assert validator != empty(address), "validator: address missing"
    assert self._keys[validator].facts == 0, "validator: is an account's key"
    owner: bytes32 = self._validator_agency[validator]
    assert owner == empty(bytes32) or owner == agency_id, "validator: another agency's"
    before: DynArray[address, MAX_VALIDATORS] = self._validators
    assert len(before) < MAX_VALIDATORS, "validators: the set is full"
    after: DynArray[address, MAX_VALIDATORS] = []
    is_placed: bool = False
    for other: address in before:
        assert other != validator, "validator: already in the set"
        if not is_placed and convert(other, uint160) > convert(validator, uint160):
            after.append(validator)
            is_placed = True
        after.append(other)
    if not is_placed:
        after.append(validator)
    self._validator_agency[validator] = agency_id
    log IAgencyRegistry.ValidatorAdded(agency=agency_id, validator=validator)
    self._set_validators(after)


@internal
def _remove_validator(validator: address):
    before: DynArray[address, MAX_VALIDATORS] = self._validators
    after: DynArray[address, MAX_VALIDATORS] = []
    for other: address in before:
        if other != validator:
            after.append(other)
    assert len(after) != len(before), "validator: not in the set"
    log IAgencyRegistry.ValidatorRemoved(
        agency=self._validator_agency[validator], validator=validator
    )
    self._set_validators(after)


@internal
def _set_validators(validators: DynArray[address, MAX_VALIDATORS]):
    """
    @dev The one place where the set is written. While the ledger is being founded the set grows
         from nothing; afterwards it is never empty and never below its minimum.
    """
    if self._founded:
        assert len(validators) >= max(self.minimum_validators, 1), "validators: below the minimum"
    packed: Bytes[1280] = b""
    for validator: address in validators:
        packed = concat(convert(packed, Bytes[1260]), convert(validator, bytes20))
    self._validators = validators
    self.set_number = self.set_number + 1 if self._founded else 1
    self.validator_set_hash = keccak256(packed)
    log IAgencyRegistry.ValidatorSetChanged(
        set_number=self.set_number,
        validator_set_hash=self.validator_set_hash,
        size=len(validators),
    )


@internal
def _set_validator_minimum(minimum: uint256):
    assert minimum != 0 and minimum <= MAX_VALIDATORS, "validators: minimum out of bounds"
    assert minimum != self.minimum_validators, "validators: minimum unchanged"
    if self._founded:
        assert len(self._validators) >= minimum, "validators: below the minimum"
    self.minimum_validators = minimum
    log IAgencyRegistry.ValidatorMinimumChanged(minimum=minimum)


@pure
@internal
def _check_roles(roles: uint256):
    assert roles != 0, "roles: none"
    assert roles <= codes.ALL_ROLES, "roles: unknown"


@pure
@internal
def _check_interval(valid_from: uint256, valid_until: uint256):
    assert valid_from <= codes.LAST_TIME and valid_until <= codes.LAST_TIME, "interval: too late"
    assert valid_until == 0 or valid_until > valid_from, "interval: ends before it begins"
