# pragma version 0.4.3
"""
@title What is recorded of attestations and batches
@license Apache-2.0
@notice The records themselves, and what everybody may read of them.
@dev A module of `attestations`, which writes them. A record takes three new storage slots: schema,
     commitment, and one word of facts. The facts, from the low end: agency index + 1 (16 bits),
     kind (8), state (8), reason (8), algorithm (8), valid until, or the number of leaves of a batch
     (48), event time (48), block of issue (48), block of the last change of state (48). The two
     links to other records are written only where there are any.
"""

import codes
from interfaces import IAgencyRegistry
from interfaces import IAttestations

# Places of the facts in their word, in bits.
KIND_AT: constant(uint256) = 16
STATE_AT: constant(uint256) = 24
REASON_AT: constant(uint256) = 32
ALG_AT: constant(uint256) = 40
UNTIL_AT: constant(uint256) = 48
EVENT_AT: constant(uint256) = 96
BLOCK_AT: constant(uint256) = 144
STATE_BLOCK_AT: constant(uint256) = 192

BYTE: constant(uint256) = 2**8 - 1
AGENCY: constant(uint256) = 2**16 - 1
TIME: constant(uint256) = 2**48 - 1
# state, reason and state block, that is all that a change of state writes
CHANGING: constant(uint256) = (BYTE << STATE_AT) | (BYTE << REASON_AT) | (TIME << STATE_BLOCK_AT)

REGISTRY: immutable(IAgencyRegistry)


struct Record:
    facts: uint256
    schema: bytes32
    commitment: bytes32


struct Links:
    previous: bytes32
    successor: bytes32


# slot 32
stored: HashMap[bytes32, Record]
# slot 33
links: HashMap[bytes32, Links]
# slot 34: (batch uid, leaf index) -> state (low 8 bits), reason (8), event time (48 at 16), block
# (48 at 64)
leaf_states: HashMap[bytes32, HashMap[uint256, uint256]]


@deploy
def __init__(registry: address):
    """
    @param registry The proxy of the agency registry.
    """
    REGISTRY = IAgencyRegistry(registry)


@view
@external
def attestation(uid: bytes32) -> IAttestations.Attestation:
    """
    @notice What is recorded under a uid; all zero if there is no such attestation.
    """
    record: Record = self.stored[uid]
    facts: uint256 = record.facts
    if (facts >> KIND_AT) & BYTE != convert(codes.KIND_ATTESTATION, uint256):
        return empty(IAttestations.Attestation)
    return IAttestations.Attestation(
        issuer=staticcall REGISTRY.agency_at((facts & AGENCY) - 1),
        schema=record.schema,
        commitment=record.commitment,
        alg=convert((facts >> ALG_AT) & BYTE, uint8),
        state=convert((facts >> STATE_AT) & BYTE, uint8),
        reason=convert((facts >> REASON_AT) & BYTE, uint8),
        valid_until=(facts >> UNTIL_AT) & TIME,
        event_time=(facts >> EVENT_AT) & TIME,
        block_number=(facts >> BLOCK_AT) & TIME,
        state_block=(facts >> STATE_BLOCK_AT) & TIME,
        previous=self.links[uid].previous,
        successor=self.links[uid].successor,
    )


@view
@external
def batch(uid: bytes32) -> IAttestations.Batch:
    """
    @notice What is recorded of a batch; all zero if there is no such batch.
    """
    record: Record = self.stored[uid]
    facts: uint256 = record.facts
    if (facts >> KIND_AT) & BYTE != convert(codes.KIND_BATCH, uint256):
        return empty(IAttestations.Batch)
    return IAttestations.Batch(
        issuer=staticcall REGISTRY.agency_at((facts & AGENCY) - 1),
        schema=record.schema,
        root=record.commitment,
        count=(facts >> UNTIL_AT) & TIME,
        alg=convert((facts >> ALG_AT) & BYTE, uint8),
        state=convert((facts >> STATE_AT) & BYTE, uint8),
        reason=convert((facts >> REASON_AT) & BYTE, uint8),
        event_time=(facts >> EVENT_AT) & TIME,
        block_number=(facts >> BLOCK_AT) & TIME,
        state_block=(facts >> STATE_BLOCK_AT) & TIME,
    )


@view
@external
def leaf_state(batch_uid: bytes32, index: uint256) -> IAttestations.LeafState:
    """
    @notice The state that holds for one document of a batch: its own, or the whole batch's where
            that is graver. All zero if there is no such batch or place.
    @dev A document without an entry of its own is active since the batch was issued.
    """
    facts: uint256 = self.stored[batch_uid].facts
    if (facts >> KIND_AT) & BYTE != convert(codes.KIND_BATCH, uint256):
        return empty(IAttestations.LeafState)
    if index >= (facts >> UNTIL_AT) & TIME:
        return empty(IAttestations.LeafState)
    own: uint256 = self.leaf_states[batch_uid][index]
    batch_state: uint256 = (facts >> STATE_AT) & BYTE
    if own & BYTE >= batch_state:
        return IAttestations.LeafState(
            state=convert(own & BYTE, uint8),
            reason=convert((own >> 8) & BYTE, uint8),
            event_time=(own >> 16) & TIME,
            block_number=(own >> 64) & TIME,
        )
    return IAttestations.LeafState(
        state=convert(batch_state, uint8),
        reason=convert((facts >> REASON_AT) & BYTE, uint8),
        event_time=(facts >> EVENT_AT) & TIME,
        block_number=(facts >> STATE_BLOCK_AT) & TIME,
    )
