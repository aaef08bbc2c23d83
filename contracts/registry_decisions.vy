# pragma version 0.4.3
"""
@title How the agencies of this ledger decide together
@license Apache-2.0
@notice A decision takes more than half of all active agencies, and more than half of those of each
        jurisdiction, so that no side decides over the other; the agencies can ask for more. It is
        carried out by the vote that reaches this threshold, or, where it has to wait, afterwards by
        anybody who may write here.
@dev The second half of the code of `agency_registry`, which passes calls on to it. It runs on the
     registry's storage, so the modules are initialised in the same order. Here the decisions are
     carried out.

     Before the ledger begins the register is filled by the same decisions, carried out one by one
     by `found`, which is shut for good by `finish_founding`. Only the founder calls them: nobody's
     address where a genesis file is made, and where the ledger is founded on a network that runs
     already, the account that deploys it.
"""

import acts
import agencies
import completeness
import keys
import pauses
import pins
import proposals
import rules
import validators
from interfaces import IAgencyRegistry
from interfaces import IUpgradeable

# The order is that of the storage: `set_number` and `validator_set_hash` come first. It is the same
# in both halves of the code.
initializes: validators[agencies := agencies, keys := keys]
initializes: keys[acts := acts, agencies := agencies]
initializes: agencies
initializes: pins[acts := acts, agencies := agencies, keys := keys]
initializes: proposals[acts := acts, agencies := agencies, keys := keys, rules := rules]
initializes: pauses[acts := acts, agencies := agencies, keys := keys]
initializes: rules
# Last, because the registry began without acts that are signed elsewhere.
initializes: completeness
initializes: acts[completeness := completeness]

exports: (
    proposals.propose,
    proposals.withdraw_proposal,
    proposals.proposal,
    proposals.proposal_count,
    proposals.vote_of,
    proposals.is_passing,
    rules.delay_of,
)

# With this a rehearsal ends that would have been carried out.
REHEARSED: constant(Bytes[4]) = method_id("Rehearsed()")
LONGEST_REASON: constant(uint256) = 64

# Who may found the register, until it is founded.
FOUNDER: immutable(address)


@deploy
def __init__(founder: address):
    """
    @dev Called directly it is a closed, empty register. Signatures are checked by the other half.
    @param founder The one account that carries out the founders' decisions.
    """
    acts.__init__(empty(address), empty(bytes32), 0)
    FOUNDER = founder
    validators.founded = True


@external
def vote(proposal_id: uint256, approve: bool):
    """
    @notice Votes for the caller's agency, which may change its mind while the proposal is open.
            The approval that reaches the threshold carries the decision out in the same step,
            unless a decision of this kind has to wait.
    @dev If the decision cannot be carried out, this vote fails with its reason and is not counted.
    """
    if proposals._vote(proposal_id, approve):
        self._carry_out(proposal_id)


@external
def carry_out(proposal_id: uint256):
    """
    @notice Carries out a decision that has passed and has waited for its time. Anybody who may
            write on this ledger can ask for it; the majority must still be there.
    """
    if proposals._claim(proposal_id):
        self._carry_out(proposal_id)


@external
def dry_run(kind: uint8, payload: Bytes[256]) -> IAgencyRegistry.DryRun:
    """
    @notice What would happen if this were decided: whether it could be carried out in this block
            and, if not, why not; and when it could be at the earliest, if it passed now.
    @dev For `eth_call`; changes nothing in a transaction either. See `_rehearse`.
    """
    answer: IAgencyRegistry.DryRun = self._rehearse(kind, payload)
    answer.earliest = block.timestamp + rules._delay_of(kind)
    return answer


@external
def dry_run_proposal(proposal_id: uint256) -> IAgencyRegistry.DryRun:
    """
    @notice The same of a proposal, and whether its approvals are enough now. `earliest` is zero if
            it can never be carried out any more.
    """
    status: uint8 = proposals._status(proposal_id)
    assert status != 0, "proposal: unknown"
    kind: uint8 = proposals.tallies[proposal_id].kind
    answer: IAgencyRegistry.DryRun = self._rehearse(kind, proposals.tallies[proposal_id].payload)
    answer.is_passing = proposals._is_passing(proposal_id)
    if status == proposals.OPEN:
        answer.earliest = block.timestamp + rules._delay_of(kind)
    elif status == proposals.PASSED:
        answer.earliest = max(proposals.ready_times[proposal_id], block.timestamp)
    return answer


@external
def rehearse(kind: uint8, payload: Bytes[256]):
    """
    @notice Carries a decision out and undoes it, which shows whether it could be.
    @dev Always reverts, so anybody may call it: with `Rehearsed()` or with the reason.
    """
    proposals._check_payload(kind, payload)
    self._execute(kind, payload)
    raw_revert(REHEARSED)


@view
@external
def rules_in_force() -> IAgencyRegistry.Rules:
    """
    @notice The rules of deciding that the agencies have set: for how long urgent, ordinary and
            grave decisions wait, more than how many percent decide, and the least number of
            validators.
    """
    return IAgencyRegistry.Rules(
        urgent_delay=rules.urgent_delay,
        ordinary_delay=rules.ordinary_delay,
        grave_delay=rules.grave_delay,
        total_percent=rules._get_total_percent(),
        jurisdiction_percent=rules._get_jurisdiction_percent(),
        minimum_validators=validators.minimum_validators,
    )


@external
def found(kind: uint8, payload: Bytes[256]):
    """
    @notice Carries out a decision of the founders, before the ledger begins.
    @dev Runs in the scratch state from which genesis.json is made, or, on a network that runs
         already, by the transactions of one account. After `finish_founding` nobody calls it.
    """
    self._check_founding()
    proposals._check_payload(kind, payload)
    self._execute(kind, payload)


@external
def finish_founding():
    """
    @notice Ends the founding for good.
    """
    self._check_founding()
    assert agencies.active != 0, "registry: no agency"
    if validators.minimum_validators == 0:
        validators.minimum_validators = 1
    assert len(validators.present) >= validators.minimum_validators, "validators: below the minimum"
    validators.founded = True
    log IAgencyRegistry.Founded(
        agencies=agencies.admitted, validator_set_hash=validators.validator_set_hash
    )


@view
@internal
def _check_founding():
    assert not validators.founded, "registry: already founded"
    assert msg.sender == FOUNDER, "registry: only for the founder"


@internal
def _carry_out(proposal_id: uint256):
    kind: uint8 = proposals.tallies[proposal_id].kind
    self._execute(kind, proposals.tallies[proposal_id].payload)
    log IAgencyRegistry.ProposalExecuted(proposal=proposal_id, kind=kind)


@internal
def _rehearse(kind: uint8, payload: Bytes[256]) -> IAgencyRegistry.DryRun:
    """
    @dev Runs the very code of the decision in a call that always reverts, so the answer is exact
         and nothing stays. What another contract answers is cut to a readable length.
    """
    succeeded: bool = False
    output: Bytes[164] = b""
    succeeded, output = raw_call(
        self,
        abi_encode(kind, payload, method_id=method_id("rehearse(uint8,bytes)")),
        max_outsize=164,
        revert_on_failure=False,
    )
    answer: IAgencyRegistry.DryRun = empty(IAgencyRegistry.DryRun)
    if len(output) == 4:
        answer.is_possible = slice(output, 0, 4) == REHEARSED
    elif len(output) > 68:
        # Error(string): four bytes, the place of the text, its length, the text.
        length: uint256 = min(extract32(output, 36, output_type=uint256), LONGEST_REASON)
        answer.reason = convert(
            slice(output, 68, min(length, len(output) - 68)), String[LONGEST_REASON]
        )
    return answer


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
    elif kind == proposals.SET_DELAYS:
        urgent: uint256 = 0
        ordinary: uint256 = 0
        grave: uint256 = 0
        urgent, ordinary, grave = abi_decode(payload, (uint256, uint256, uint256))
        rules._set_delays(urgent, ordinary, grave)
    elif kind == proposals.SET_THRESHOLD:
        total: uint256 = 0
        jurisdiction: uint256 = 0
        total, jurisdiction = abi_decode(payload, (uint256, uint256))
        rules._set_threshold(total, jurisdiction)
    elif kind == proposals.LIFT_PAUSE:
        pauses._lift(abi_decode(payload, bytes32))
    elif kind == proposals.RESOLVE:
        proposals._resolve(abi_decode(payload, bytes32))
    else:
        proxy: address = empty(address)
        implementation: address = empty(address)
        proxy, implementation = abi_decode(payload, (address, address))
        extcall IUpgradeable(proxy).upgrade_to(implementation)
        log IAgencyRegistry.ImplementationChanged(proxy=proxy, implementation=implementation)
