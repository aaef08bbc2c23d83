# pragma version 0.4.3
"""
@title The agencies of the ledger
@license Apache-2.0
@notice Which agencies take part, from which jurisdiction each comes, what it may do at most, and
        whether it is active or suspended.
@dev A module of `agency_registry`. What is asked for every act is packed in one word for each
     agency. Nothing here asks who decided: the functions that write are called only to carry a
     decision out.
"""

import codes
from interfaces import IAgencyRegistry

# One bit of a word for each agency.
MAX_AGENCIES: constant(uint256) = 256
MAX_JURISDICTIONS: constant(uint256) = 32

# Places of the facts of an agency: roles (64 bits), status (8), index (16), jurisdiction (8), until
# when it has paused itself (48), until when its supervisor has paused it (48).
STATUS_AT: constant(uint256) = 64
INDEX_AT: constant(uint256) = 72
JURISDICTION_AT: constant(uint256) = 88
OWN_PAUSE_AT: constant(uint256) = 96
PAUSE_AT: constant(uint256) = 144
LOW_48: constant(uint256) = 2**48 - 1
LOW_64: constant(uint256) = 2**64 - 1
BYTE: constant(uint256) = 2**8 - 1
INDEX: constant(uint256) = 2**16 - 1

# the facts of each agency, by its id
facts_of: HashMap[bytes32, uint256]
_profiles: HashMap[bytes32, bytes32]
_agency_ids: HashMap[uint256, bytes32]
# how many agencies were ever admitted
admitted: uint256
# active agencies, one bit each, in total and by jurisdiction
active: uint256
members: HashMap[uint256, uint256]
_jurisdiction_ids: HashMap[uint256, bytes32]
jurisdictions: uint256
_agencies_reserved: uint256[32]


@view
@external
def agency(agency_id: bytes32) -> IAgencyRegistry.Agency:
    """
    @notice What is recorded of an agency; all zero if there is none.
    """
    facts: uint256 = self.facts_of[agency_id]
    if facts == 0:
        return empty(IAgencyRegistry.Agency)
    return IAgencyRegistry.Agency(
        agency_id=agency_id,
        jurisdiction=self._jurisdiction_ids[(facts >> JURISDICTION_AT) & BYTE],
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
    return self.admitted


@view
@external
def agency_at(index: uint256) -> bytes32:
    """
    @notice The agency admitted at this place, beginning with zero.
    """
    assert index < self.admitted, "agency: no such index"
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
    return self.jurisdictions


@view
@external
def jurisdiction_at(index: uint256) -> bytes32:
    """
    @notice The jurisdiction at this place, beginning with zero.
    """
    assert index < self.jurisdictions, "agency: no such jurisdiction"
    return self._jurisdiction_ids[index]


@internal
def _admit(agency_id: bytes32, jurisdiction: bytes32, profile_hash: bytes32, roles: uint256):
    assert agency_id != empty(bytes32), "agency: id missing"
    assert jurisdiction != empty(bytes32), "agency: jurisdiction missing"
    assert self.facts_of[agency_id] == 0, "agency: already admitted"
    self._check_roles(roles)
    index: uint256 = self.admitted
    assert index < MAX_AGENCIES, "agency: register full"
    self._agency_ids[index] = agency_id
    self.admitted = index + 1
    place: uint256 = self._place_jurisdiction(jurisdiction)
    self.facts_of[agency_id] = (
        roles
        | (convert(codes.AGENCY_ACTIVE, uint256) << STATUS_AT)
        | (index << INDEX_AT)
        | (place << JURISDICTION_AT)
    )
    self._profiles[agency_id] = profile_hash
    self.active |= 1 << index
    self.members[place] |= 1 << index
    log IAgencyRegistry.AgencyAdmitted(
        agency=agency_id, jurisdiction=jurisdiction, profile_hash=profile_hash, roles=roles
    )


@internal
def _suspend(agency_id: bytes32):
    facts: uint256 = self.facts_of[agency_id]
    assert facts != 0, "agency: unknown"
    assert self._is_active(agency_id), "agency: already suspended"
    active: uint256 = self.active & ~(1 << ((facts >> INDEX_AT) & INDEX))
    assert active != 0, "agency: the last active one"
    self.active = active
    self.facts_of[agency_id] = (facts & ~(BYTE << STATUS_AT)) | (
        convert(codes.AGENCY_SUSPENDED, uint256) << STATUS_AT
    )
    log IAgencyRegistry.AgencySuspended(agency=agency_id)


@internal
def _reinstate(agency_id: bytes32):
    facts: uint256 = self.facts_of[agency_id]
    assert facts != 0, "agency: unknown"
    assert not self._is_active(agency_id), "agency: not suspended"
    self.active |= 1 << ((facts >> INDEX_AT) & INDEX)
    self.facts_of[agency_id] = (facts & ~(BYTE << STATUS_AT)) | (
        convert(codes.AGENCY_ACTIVE, uint256) << STATUS_AT
    )
    log IAgencyRegistry.AgencyReinstated(agency=agency_id)


@internal
def _set_profile(agency_id: bytes32, profile_hash: bytes32):
    assert self.facts_of[agency_id] != 0, "agency: unknown"
    assert self._profiles[agency_id] != profile_hash, "agency: profile unchanged"
    self._profiles[agency_id] = profile_hash
    log IAgencyRegistry.ProfileChanged(agency=agency_id, profile_hash=profile_hash)


@internal
def _set_roles(agency_id: bytes32, roles: uint256):
    """
    @dev A key's roles hold only as far as its agency's: taking one from the agency takes it from
         all of its keys at once.
    """
    facts: uint256 = self.facts_of[agency_id]
    assert facts != 0, "agency: unknown"
    self._check_roles(roles)
    assert facts & LOW_64 != roles, "agency: roles unchanged"
    self.facts_of[agency_id] = (facts & ~LOW_64) | roles
    log IAgencyRegistry.RolesChanged(agency=agency_id, roles=roles)


@view
@internal
def _is_active(agency_id: bytes32) -> bool:
    return (self.facts_of[agency_id] >> STATUS_AT) & BYTE == convert(codes.AGENCY_ACTIVE, uint256)


@internal
def _set_pause(agency_id: bytes32, place: uint256, until: uint256):
    """
    @param place Which of the two ends of a pause is meant: `OWN_PAUSE_AT` or `PAUSE_AT`.
    """
    self.facts_of[agency_id] = (self.facts_of[agency_id] & ~(LOW_48 << place)) | (until << place)


@view
@internal
def _is_paused(facts: uint256) -> bool:
    return (
        block.timestamp < (facts >> OWN_PAUSE_AT) & LOW_48
        or block.timestamp < (facts >> PAUSE_AT) & LOW_48
    )


@internal
def _place_jurisdiction(jurisdiction: bytes32) -> uint256:
    count: uint256 = self.jurisdictions
    for i: uint256 in range(count, bound=MAX_JURISDICTIONS):
        if self._jurisdiction_ids[i] == jurisdiction:
            return i
    assert count < MAX_JURISDICTIONS, "agency: too many jurisdictions"
    self._jurisdiction_ids[count] = jurisdiction
    self.jurisdictions = count + 1
    return count


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
def _check_roles(roles: uint256):
    assert roles != 0, "roles: none"
    assert roles <= codes.ALL_ROLES, "roles: unknown"


@pure
@internal
def _check_interval(valid_from: uint256, valid_until: uint256):
    assert valid_from <= codes.LAST_TIME and valid_until <= codes.LAST_TIME, "interval: too late"
    assert valid_until == 0 or valid_until > valid_from, "interval: ends before it begins"
