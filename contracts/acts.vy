# pragma version 0.4.3
"""
@title Who acts: the sender of a transaction, or who signed the act elsewhere
@license Apache-2.0
@notice An agency may sign an act on its own key device and let another account submit it. The
        signer stays the one who acts; who submits only pays the way. So an agency without a node
        remains the author of all that it does.
@dev A module of every contract that keeps records. From the catalogue on it is initialised right
     after `completeness` (slots 32 to 63); `schemas` and `attestations` are older, and have it in
     what they had reserved at their end. An act is a call of this very contract, signed as EIP-712
     typed data over a domain with chain id, this address and a deployment salt, so that no
     signature serves on another contract, chain or
     ledger. Each signer's nonces are used once, in any order. The nonces are kept in the proxy's
     storage, so an upgrade opens no old act again; one with another salt ends all that are unused.

     `relay` checks the signature, remembers the signer for the length of this transaction and
     calls the contract itself; `_actor` answers the signer where the caller is the contract.

     What was captured while the ledger was out of reach is posted later with its event time. Past
     the limit that the ledger was founded with it goes through `act_late`, which names a second
     officer and a reason; every entry that it makes in a history is marked.
"""

import codes
import completeness
from interfaces import IActs
from interfaces import IAgencyRegistry

uses: completeness

# A succession that ends sixteen powers and installs eight offices, late.
MAX_CALL: constant(uint256) = 5120
NAME: constant(String[6]) = "Atesta"
VERSION: constant(String[1]) = "1"
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
)
ACT_TYPE: constant(bytes32) = keccak256("Act(bytes call,uint256 nonce,uint256 deadline)")
# Half of the order of secp256k1's group: of the two forms of a signature only the lower is taken.
HALF_ORDER: constant(
    uint256
) = 57896044618658097711785492504343953926418782139537452191302581570759080747168

# Why an act is posted late.
LATE_OUTAGE: constant(uint8) = 1  # the ledger was out of reach
LATE_PAPER: constant(uint8) = 2  # it was captured on paper, or in the field
LATE_OMISSION: constant(uint8) = 3  # it was forgotten, and found later

REGISTRY: immutable(IAgencyRegistry)
SALT: immutable(bytes32)
LATE_AFTER_S: immutable(uint256)

# signer -> nonce -> whether it was used
used_nonces: HashMap[address, HashMap[uint256, bool]]
acts_reserved: uint256[31]
# whose act is being carried out: who signed what is relayed, or who sent what is late
_author: transient(address)


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other, also from one with the same chain id.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    """
    REGISTRY = IAgencyRegistry(registry)
    SALT = salt
    LATE_AFTER_S = late_after_s


@external
def relay(
    signer: address, call: Bytes[MAX_CALL], nonce: uint256, deadline: uint256, signature: Bytes[65]
):
    """
    @notice Carries out an act that was signed elsewhere. Its author is the signer.
    @param signer The key that signed, which needs the role that the act needs.
    @param call The act: a call of this contract, ABI-encoded.
    @param nonce Any number that the signer has not used on this contract.
    @param deadline Until when the act may be submitted, in seconds.
    @param signature r, s and v, 65 bytes.
    """
    assert self._author == empty(address), "act: relayed twice"
    self._check_message(signer, nonce, deadline)
    self._check_signature(
        keccak256(abi_encode(ACT_TYPE, keccak256(call), nonce, deadline)), signer, signature
    )
    self._author = signer
    raw_call(self, call)
    self._author = empty(address)
    log IActs.Relayed(signer=signer, nonce=nonce, submitter=msg.sender)


@external
def act_late(call: Bytes[MAX_CALL], officer: bytes32, reason: uint8):
    """
    @notice Carries out an act that was captured longer ago than the ledger's limit. Every entry
            that it makes is marked late, with the second officer and the reason. Refused for an act
            that is in time.
    @param call The act: a call of this contract, ABI-encoded.
    @param officer Commitment to a second officer, who answers for the lateness.
    @param reason 1 the ledger was out of reach, 2 captured on paper, 3 forgotten.
    """
    assert completeness.late_by == empty(bytes32), "late: noted twice"
    assert officer != empty(bytes32), "late: officer missing"
    assert reason >= LATE_OUTAGE and reason <= LATE_OMISSION, "late: unknown reason"
    author: address = self._actor()
    assert staticcall REGISTRY.may_send(author), "late: not an agency's key"
    before: address = self._author
    self._author = author
    completeness.late_by = officer
    completeness.late_for = reason
    raw_call(self, call)
    completeness.late_by = empty(bytes32)
    completeness.late_for = 0
    self._author = before


@view
@external
def late_after_s() -> uint256:
    """
    @notice After how many seconds an act is late.
    """
    return LATE_AFTER_S


@view
@external
def eip712Domain() -> (
    bytes1, String[6], String[1], uint256, address, bytes32, DynArray[uint256, 1]
):
    """
    @notice The domain under which acts and messages are signed.
    @dev The form is that of EIP-5267; the first byte says which fields the domain has.
    """
    return 0x1f, NAME, VERSION, chain.id, self, SALT, []


@view
@external
def is_nonce_used(signer: address, nonce: uint256) -> bool:
    """
    @notice Whether a signer has used this number on this contract.
    """
    return self.used_nonces[signer][nonce]


@view
@internal
def _actor() -> address:
    if msg.sender == self:
        return self._author
    return msg.sender


@view
@internal
def _authorise(role: uint256, event_time: uint256) -> bytes32:
    """
    @return The agency for which the actor acts in this role.
    """
    self._check_time(event_time)
    return (staticcall REGISTRY.authorise(self._actor(), role))[0]


@view
@internal
def _authorise_indexed(role: uint256, event_time: uint256) -> (bytes32, uint256):
    """
    @return The agency for which the actor acts in this role, and its place in the registry.
    """
    self._check_time(event_time)
    return staticcall REGISTRY.authorise(self._actor(), role)


@view
@internal
def _check_time(event_time: uint256):
    assert event_time != 0, "act: event time missing"
    assert (
        event_time <= block.timestamp + codes.EVENT_TIME_TOLERANCE_S
    ), "act: event time in the future"
    if event_time + LATE_AFTER_S < block.timestamp:
        assert completeness.late_by != empty(bytes32), "late: second officer missing"
    else:
        assert completeness.late_by == empty(bytes32), "late: act is in time"


@internal
def _check_message(signer: address, nonce: uint256, deadline: uint256):
    """
    @dev Uses the nonce up; a message that fails later is reverted with it.
    """
    assert signer != empty(address), "signature: signer missing"
    assert block.timestamp <= deadline, "signature: deadline passed"
    assert not self.used_nonces[signer][nonce], "signature: nonce already used"
    self.used_nonces[signer][nonce] = True


@view
@internal
def _check_signature(struct_hash: bytes32, signer: address, signature: Bytes[65]):
    assert len(signature) == 65, "signature: malformed"
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256(NAME), keccak256(VERSION), chain.id, self, SALT)
    )
    digest: bytes32 = keccak256(concat(x"1901", domain, struct_hash))
    r: uint256 = extract32(signature, 0, output_type=uint256)
    s: uint256 = extract32(signature, 32, output_type=uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    assert s <= HALF_ORDER, "signature: s too high"
    assert v == 27 or v == 28, "signature: malformed"
    assert ecrecover(digest, v, r, s) == signer, "signature: not the signer's"
