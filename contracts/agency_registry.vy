# pragma version 0.4.3
"""
@title Who takes part in this ledger
@license Apache-2.0
@notice The agencies of this ledger decide together who belongs to it, whose keys sign, whose nodes
        make blocks and which rules are in force. In its own house each agency rules alone: its
        administrator's key changes the agency's keys and certificates, and an agency can pause
        itself.
@dev Composed of the modules `validators`, `keys`, `agencies`, `pins`, `proposals`, `pauses`
     and `rules`, whose storage follows in this order. The code of one account may have 24,576 bytes at most
     (EIP-170), so it is kept in two: here is what is asked for every act and what an agency does
     in its own house; every other call is passed on to `registry_decisions`, which runs on this
     very storage. `interfaces/IAgencyRegistry.vyi` describes both; a test compares.
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
from interfaces import IActs
from interfaces import IAgencyRegistry

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
    proposals.resolved_at,
    pauses.pause_own,
    pauses.resume_own,
    pauses.pause_agency,
    pauses.lift_pause,
    pauses.pause,
    pauses.is_paused,
    acts.eip712Domain,
    acts.is_nonce_used,
)

# The proxy takes this order from the registry's own address, so it is never passed on.
UPGRADE_TO: constant(Bytes[4]) = method_id("upgrade_to(address)")
# As in `upgradeable_proxy`, through which every answer goes.
MAX_ANSWER: constant(uint256) = 4096

# The code of the decisions.
DECISIONS: immutable(address)
# The proxy of the posts of the agencies, which changes the keys that a post holds.
POSTS: immutable(address)


@deploy
def __init__(registry: address, salt: bytes32, decisions: address, posts: address):
    """
    @dev The implementation itself is never a register: only a proxy's storage can be founded.
    @param registry The proxy of this very register.
    @param salt Tells this ledger from any other in signed acts.
    @param decisions The other half of this code, made for the same storage.
    @param posts The proxy of the agencies' posts.
    """
    # Nothing in the register is marked late: it says what is, from the block on.
    acts.__init__(registry, salt, 0)
    assert decisions.is_contract, "registry: no code there"
    DECISIONS = decisions
    POSTS = posts
    validators.founded = True


@view
@external
def is_founded() -> bool:
    """
    @notice Whether the register is in force. It is from the first block on.
    """
    return validators.founded


@external
def change_post_keys(
    actor: address,
    ended: DynArray[address, 4],
    added: DynArray[IAgencyRegistry.NewKey, 4],
    effective: uint256,
) -> bytes32:
    """
    @notice Ends the keys that a post held and enters its new ones, at one moment.
    @dev Only for the contract of the posts, which says who acts; what they may is judged here.
    @return The agency for which the actor acts.
    """
    assert msg.sender == POSTS, "registry: only for posts"
    return keys._change_post_keys(actor, ended, added, effective)


@external
def relay(
    signer: address, call: Bytes[4096], nonce: uint256, deadline: uint256, signature: Bytes[65]
):
    """
    @notice Carries out an act that was signed elsewhere: a vote, a change of the own keys, a pause.
            Its author is the signer. Works as in every other contract of the ledger.
    @dev The register calls its own address here, from which the proxy would take an upgrade without
         a vote; so this one call is refused.
    """
    assert acts._author == empty(address), "act: relayed twice"
    assert len(call) >= 4 and slice(call, 0, 4) != UPGRADE_TO, "registry: only by vote"
    acts._check_message(signer, nonce, deadline)
    acts._check_signature(
        keccak256(abi_encode(acts.ACT_TYPE, keccak256(call), nonce, deadline)), signer, signature
    )
    acts._author = signer
    raw_call(self, call)
    acts._author = empty(address)
    log IActs.Relayed(signer=signer, nonce=nonce, submitter=msg.sender)


@external
@raw_return
def __default__() -> Bytes[MAX_ANSWER]:
    """
    @notice Whatever concerns deciding together is in the other half of the code.
    """
    return raw_call(DECISIONS, msg.data, max_outsize=MAX_ANSWER, is_delegate_call=True)
