# pragma version 0.4.3
"""
@title Who takes part in this ledger, and how they decide together
@license Apache-2.0
@notice The agencies of this ledger decide together who belongs to it, whose keys sign, whose nodes
        make blocks and which rules are in force. A decision takes more than half of all active
        agencies, and more than half of those of each jurisdiction, so that no side decides over
        the other. It is carried out by the vote that reaches this threshold. In its own house each
        agency rules alone: its administrator's key changes the agency's keys and certificates.
@dev Composed of the modules `validators`, `keys`, `agencies`, `pins` and `proposals`, whose storage
     follows in this order; here the decisions are carried out.

     Before block 0 the register is filled by the same decisions, carried out one by one by
     `found`, which is shut for good by `finish_founding`.
"""

import agencies
import keys
import pins
import proposals
import validators
from interfaces import IAgencyRegistry
from interfaces import IUpgradeable

implements: IAgencyRegistry

# The order is that of the storage: `set_number` and `validator_set_hash` come first.
initializes: validators[agencies := agencies, keys := keys]
initializes: keys[agencies := agencies]
initializes: agencies
initializes: pins[agencies := agencies, keys := keys]
initializes: proposals[agencies := agencies, keys := keys]

exports: (
    validators.getValidators,
    validators.set_number,
    validators.validator_set_hash,
    validators.minimum_validators,
    validators.is_validator,
    keys.may_send,
    keys.may_deploy,
    keys.is_authorised,
    keys.authorise,
    keys.key,
    keys.key_count,
    keys.key_at,
    keys.validator_agency,
    keys.add_own_key,
    keys.revoke_own_key,
    agencies.agency,
    agencies.agency_count,
    agencies.agency_at,
    agencies.is_active,
    agencies.jurisdiction_count,
    agencies.jurisdiction_at,
    pins.pin,
    pins.pin_count,
    pins.pin_at,
    pins.add_own_pin,
    pins.withdraw_own_pin,
    proposals.propose,
    proposals.withdraw_proposal,
    proposals.proposal,
    proposals.proposal_count,
    proposals.vote_of,
    proposals.is_passing,
    proposals.resolved_at,
)


@deploy
def __init__():
    """
    @dev The implementation itself is never a register: only a proxy's storage can be founded.
    """
    validators.founded = True


@external
def vote(proposal_id: uint256, approve: bool):
    """
    @notice Votes for the caller's agency, which may change its mind while the proposal is open.
            The approval that reaches the threshold carries the decision out in the same step.
    @dev If the decision cannot be carried out, this vote fails with its reason and is not counted.
    """
    if proposals._vote(proposal_id, approve):
        kind: uint8 = proposals.tallies[proposal_id].kind
        self._execute(kind, proposals.tallies[proposal_id].payload)
        log IAgencyRegistry.ProposalExecuted(proposal=proposal_id, kind=kind)


@view
@external
def is_founded() -> bool:
    """
    @notice Whether the register is in force. It is from the first block on.
    """
    return validators.founded


@external
def found(kind: uint8, payload: Bytes[256]):
    """
    @notice Carries out a decision of the founders, before the ledger begins.
    @dev Runs only in the scratch state from which genesis.json is made.
    """
    assert not validators.founded, "registry: already founded"
    proposals._check_payload(kind, payload)
    self._execute(kind, payload)


@external
def finish_founding():
    """
    @notice Ends the founding for good.
    """
    assert not validators.founded, "registry: already founded"
    assert agencies.active != 0, "registry: no agency"
    if validators.minimum_validators == 0:
        validators.minimum_validators = 1
    assert len(validators.present) >= validators.minimum_validators, "validators: below the minimum"
    validators.founded = True
    log IAgencyRegistry.Founded(
        agencies=agencies.admitted, validator_set_hash=validators.validator_set_hash
    )


@internal
def _execute(kind: uint8, payload: Bytes[256]):
    """
    @dev One branch for each kind of decision. Each checks for itself that it can be carried out.
    """
    if kind == proposals.ADMIT_AGENCY:
        agency_id: bytes32 = empty(bytes32)
        jurisdiction: bytes32 = empty(bytes32)
        profile_hash: bytes32 = empty(bytes32)
        roles: uint256 = 0
        first_key: address = empty(address)
        first_pin: bytes32 = empty(bytes32)
        agency_id, jurisdiction, profile_hash, roles, first_key, first_pin = abi_decode(
            payload, (bytes32, bytes32, bytes32, uint256, address, bytes32)
        )
        agencies._admit(agency_id, jurisdiction, profile_hash, roles)
        if first_key != empty(address):
            keys._add_key(agency_id, first_key, roles, 0, 0)
        if first_pin != empty(bytes32):
            pins._add_pin(agency_id, first_pin, 0, 0)
    elif kind == proposals.SUSPEND_AGENCY:
        agency_id: bytes32 = abi_decode(payload, bytes32)
        agencies._suspend(agency_id)
        validators._remove_all_of(agency_id)
    elif kind == proposals.REINSTATE_AGENCY:
        agencies._reinstate(abi_decode(payload, bytes32))
    elif kind == proposals.SET_PROFILE:
        agency_id: bytes32 = empty(bytes32)
        profile_hash: bytes32 = empty(bytes32)
        agency_id, profile_hash = abi_decode(payload, (bytes32, bytes32))
        agencies._set_profile(agency_id, profile_hash)
    elif kind == proposals.SET_ROLES:
        agency_id: bytes32 = empty(bytes32)
        roles: uint256 = 0
        agency_id, roles = abi_decode(payload, (bytes32, uint256))
        agencies._set_roles(agency_id, roles)
    elif kind == proposals.ADD_KEY:
        agency_id: bytes32 = empty(bytes32)
        account: address = empty(address)
        roles: uint256 = 0
        valid_from: uint256 = 0
        valid_until: uint256 = 0
        agency_id, account, roles, valid_from, valid_until = abi_decode(
            payload, (bytes32, address, uint256, uint256, uint256)
        )
        keys._add_key(agency_id, account, roles, valid_from, valid_until)
    elif kind == proposals.REVOKE_KEY:
        keys._revoke_key(abi_decode(payload, address))
    elif kind == proposals.ADD_PIN:
        agency_id: bytes32 = empty(bytes32)
        fingerprint: bytes32 = empty(bytes32)
        valid_from: uint256 = 0
        valid_until: uint256 = 0
        agency_id, fingerprint, valid_from, valid_until = abi_decode(
            payload, (bytes32, bytes32, uint256, uint256)
        )
        pins._add_pin(agency_id, fingerprint, valid_from, valid_until)
    elif kind == proposals.WITHDRAW_PIN:
        pins._withdraw_pin(abi_decode(payload, bytes32))
    elif kind == proposals.ADD_VALIDATOR:
        agency_id: bytes32 = empty(bytes32)
        validator: address = empty(address)
        agency_id, validator = abi_decode(payload, (bytes32, address))
        validators._add_validator(agency_id, validator)
    elif kind == proposals.REMOVE_VALIDATOR:
        validators._remove_validator(abi_decode(payload, address))
    elif kind == proposals.SET_VALIDATOR_MINIMUM:
        validators._set_validator_minimum(abi_decode(payload, uint256))
    elif kind == proposals.RESOLVE:
        proposals._resolve(abi_decode(payload, bytes32))
    else:
        proxy: address = empty(address)
        implementation: address = empty(address)
        proxy, implementation = abi_decode(payload, (address, address))
        extcall IUpgradeable(proxy).upgrade_to(implementation)
        log IAgencyRegistry.ImplementationChanged(proxy=proxy, implementation=implementation)
