# pragma version 0.4.3
"""
@title Whose key an address is
@license Apache-2.0
@notice The keys that sign for the agencies, what each may do and from when to when. In its own
        house each agency rules alone: its administrator enters and ends the agency's own keys.
@dev A module of `agency_registry`. An address is the key of an account or of a validator and never
     both, and stays with its first agency for good; so both kinds are kept here. What is asked for
     every transaction is packed in one word for each key.
"""

import acts
import agencies
import codes
from interfaces import IAgencyRegistry

uses: acts
uses: agencies

# Nodes read all keys at each change of the register, so no agency can fill it; a new key every
# month lasts for ten years and more.
MAX_AGENCY_KEYS: constant(uint256) = 256

# What a paused agency's keys can still do: rule their own house, and vote.
HOUSE_ROLES: constant(uint256) = codes.ADMIN | codes.GOVERN
# A hand-over may be entered before it takes effect, but nobody's end years ahead.
FARTHEST_END_S: constant(uint256) = 90 * 86400

# Places of the facts of a key in its word: roles (64 bits), valid from (64), valid until (64).
FROM_AT: constant(uint256) = 64
UNTIL_AT: constant(uint256) = 128


struct StoredKey:
    agency: bytes32
    facts: uint256


# every key that ever was, by its address
stored_keys: HashMap[address, StoredKey]
_agency_keys: HashMap[bytes32, HashMap[uint256, address]]
_agency_key_count: HashMap[bytes32, uint256]
# the agency of every address that is or was a validator's
validator_agencies: HashMap[address, bytes32]
_keys_reserved: uint256[32]


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


@view
@external
def key(account: address) -> IAgencyRegistry.Key:
    """
    @notice Whose key an address is or was, with its roles and dates; all zero if nobody's.
    """
    stored: StoredKey = self.stored_keys[account]
    return IAgencyRegistry.Key(
        agency=stored.agency,
        roles=stored.facts & agencies.LOW_64,
        valid_from=(stored.facts >> FROM_AT) & agencies.LOW_64,
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
def validator_agency(account: address) -> bytes32:
    """
    @notice The agency whose validator an address is, or was before it was removed.
    """
    return self.validator_agencies[account]


@external
def add_own_key(account: address, roles: uint256, valid_from: uint256, valid_until: uint256):
    """
    @notice Enters a further key of the caller's own agency.
    @param roles What it may do, within the roles of the agency.
    @param valid_from When it becomes live, in seconds; zero for at once.
    @param valid_until When it ends; zero for no end.
    """
    own: bytes32 = self._authorise(acts._actor(), codes.ADMIN)[0]
    self._add_key(own, account, roles, valid_from, valid_until)


@external
def revoke_own_key(account: address):
    """
    @notice Ends a key of the caller's own agency at once. Nobody ends the key in their own hand, so
            an agency always keeps an administrator.
    """
    own: bytes32 = self._authorise(acts._actor(), codes.ADMIN)[0]
    assert account != acts._actor(), "key: cannot end itself"
    assert self.stored_keys[account].agency == own, "key: not yours"
    self._revoke_key(account)


@view
@internal
def _authorise(account: address, role: uint256) -> (bytes32, uint256):
    # Asked for every act on the ledger, so it calls nothing and copies little.
    key_facts: uint256 = self.stored_keys[account].facts
    assert key_facts != 0, "key: unknown"
    until: uint256 = key_facts >> UNTIL_AT
    assert block.timestamp >= (key_facts >> FROM_AT) & agencies.LOW_64, "key: not live yet"
    assert until == 0 or block.timestamp < until, "key: ended"
    agency_id: bytes32 = self.stored_keys[account].agency
    facts: uint256 = agencies.facts_of[agency_id]
    assert (facts >> agencies.STATUS_AT) & agencies.BYTE == convert(
        codes.AGENCY_ACTIVE, uint256
    ), "agency: not active"
    assert key_facts & facts & role == role, "key: role missing"
    if role & ~HOUSE_ROLES != 0:
        assert not agencies._is_paused(facts), "agency: paused"
    return agency_id, (facts >> agencies.INDEX_AT) & agencies.INDEX


@internal
def _add_key(
    agency_id: bytes32, account: address, roles: uint256, valid_from: uint256, valid_until: uint256
):
    facts: uint256 = agencies.facts_of[agency_id]
    assert facts != 0, "agency: unknown"
    assert account != empty(address), "key: address missing"
    # An address stays with its first agency, so that old signatures never change their signer.
    assert self.stored_keys[account].facts == 0, "key: already entered"
    assert self.validator_agencies[account] == empty(bytes32), "key: is a validator's"
    agencies._check_roles(roles)
    assert roles & facts == roles, "key: roles beyond the agency's"
    agencies._check_interval(valid_from, valid_until)
    position: uint256 = self._agency_key_count[agency_id]
    assert position < MAX_AGENCY_KEYS, "key: too many"
    self._agency_keys[agency_id][position] = account
    self._agency_key_count[agency_id] = position + 1
    self.stored_keys[account] = StoredKey(
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
    stored: StoredKey = self.stored_keys[account]
    assert stored.facts != 0, "key: unknown"
    until: uint256 = stored.facts >> UNTIL_AT
    assert until == 0 or until > block.timestamp, "key: already ended"
    self.stored_keys[account].facts = (stored.facts & (2**UNTIL_AT - 1)) | (
        block.timestamp << UNTIL_AT
    )
    log IAgencyRegistry.KeyRevoked(agency=stored.agency, key=account)


@internal
def _change_post_keys(
    actor: address,
    ended: DynArray[address, 4],
    added: DynArray[IAgencyRegistry.NewKey, 4],
    effective: uint256,
) -> bytes32:
    """
    @dev The actor is one of the agency's administrators, and every key is the agency's: the caller
         is believed in one thing only, who the actor is.
    """
    own: bytes32 = self._authorise(actor, codes.ADMIN)[0]
    at: uint256 = max(effective, block.timestamp)
    assert at <= block.timestamp + FARTHEST_END_S, "key: ends too late"
    has_administrator: bool = actor not in ended
    for new: IAgencyRegistry.NewKey in added:
        if new.roles & codes.ADMIN != 0 and new.valid_until == 0:
            has_administrator = True
        self._add_key(own, new.account, new.roles, at, new.valid_until)
    assert has_administrator, "key: cannot end itself"
    for account: address in ended:
        assert self.stored_keys[account].agency == own, "key: not yours"
        self._end_key(account, at)
    return own


@internal
def _end_key(account: address, at: uint256):
    """
    @dev A key that has ended by then, or will have, keeps its end.
    """
    facts: uint256 = self.stored_keys[account].facts
    until: uint256 = facts >> UNTIL_AT
    if until != 0 and until <= at:
        return
    self.stored_keys[account].facts = (facts & (2**UNTIL_AT - 1)) | (at << UNTIL_AT)
    log IAgencyRegistry.KeyEnds(
        agency=self.stored_keys[account].agency, key=account, valid_until=at
    )


@view
@internal
def _live_roles(account: address) -> uint256:
    stored: StoredKey = self.stored_keys[account]
    if stored.facts == 0 or not self._is_live(stored.facts):
        return 0
    facts: uint256 = agencies.facts_of[stored.agency]
    if (facts >> agencies.STATUS_AT) & agencies.BYTE != convert(codes.AGENCY_ACTIVE, uint256):
        return 0
    roles: uint256 = stored.facts & facts & agencies.LOW_64
    if agencies._is_paused(facts):
        return roles & HOUSE_ROLES
    return roles


@view
@internal
def _is_live(facts: uint256) -> bool:
    if block.timestamp < (facts >> FROM_AT) & agencies.LOW_64:
        return False
    until: uint256 = facts >> UNTIL_AT
    return until == 0 or block.timestamp < until
