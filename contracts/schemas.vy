# pragma version 0.4.3
"""
@title Which fields a document has, and who may issue it
@license Apache-2.0
@notice An agency registers a schema: an ordered list of fields. It then accredits the agencies that
        may issue documents of this schema, and may end an accreditation. Documents issued before
        the end stay what they were.
@dev An accreditation is judged at the block of issue. `attestations` is told of every change in the
     same transaction, so that issuing a record needs no question to this contract. Past intervals
     are kept, so that `is_accredited_at` answers for any block.
     Composed of `completeness` (slots 0 to 31) and, after its own variables, `acts`.
"""

import acts
import codes
import completeness
from interfaces import IActs
from interfaces import IAttestations
from interfaces import ISchemas

implements: ISchemas
initializes: completeness
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)

# A schema with more leaves than this would make its proofs needlessly long.
MAX_LEAVES: constant(uint256) = 1024
FIRST_64: constant(uint256) = 2**64 - 1

ATTESTATIONS: immutable(IAttestations)

# slot 32
_schemas: HashMap[bytes32, ISchemas.Schema]
_uids: HashMap[uint256, bytes32]
_uid_count: uint256
# (schema, agency) -> the latest accreditation: its first block in the low 64 bits, and above them
# the block from which it no longer holds
_latest: HashMap[bytes32, HashMap[bytes32, uint256]]
# those before it
_past: HashMap[bytes32, HashMap[bytes32, HashMap[uint256, uint256]]]
_past_count: HashMap[bytes32, HashMap[bytes32, uint256]]
_issuers: HashMap[bytes32, HashMap[uint256, bytes32]]
_issuer_count: HashMap[bytes32, uint256]
# in place of what was reserved here
initializes: acts[completeness := completeness]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256, attestations: address):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    @param attestations The proxy of the attestations, which is told who may issue.
    """
    acts.__init__(registry, salt, late_after_s)
    ATTESTATIONS = IAttestations(attestations)


@external
def register(
    uid: bytes32,
    pointers_hash: bytes32,
    document_hash: bytes32,
    leaf_count: uint256,
    event_time: uint256,
    previous: bytes32,
):
    """
    @notice Registers a schema of which the caller's agency is the owner. If it takes the place of
            an older schema of the same owner, that one serves old documents only from now on.
    @param uid 32 random bytes chosen by the owner; never used before.
    @param pointers_hash SHA-256 of the RFC 8785 form of the ordered list of JSON pointers.
    @param document_hash Hash of the description that people read; zero if there is none.
    @param leaf_count Number of pointers, which is the size of every commitment's tree.
    @param event_time When the owner decided it, in seconds.
    @param previous The schema that this one replaces, or zero.
    """
    owner: bytes32 = self._authorise(event_time)
    assert uid != empty(bytes32), "schema: uid missing"
    assert self._schemas[uid].state == 0, "schema: uid already used"
    assert pointers_hash != empty(bytes32), "schema: pointers missing"
    assert leaf_count != 0 and leaf_count <= MAX_LEAVES, "schema: leaf count out of bounds"
    self._schemas[uid] = ISchemas.Schema(
        owner=owner,
        pointers_hash=pointers_hash,
        document_hash=document_hash,
        leaf_count=leaf_count,
        state=codes.ACTIVE,
        reason=codes.NO_REASON,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
        previous=previous,
        successor=empty(bytes32),
    )
    self._uids[self._uid_count] = uid
    self._uid_count += 1
    extcall ATTESTATIONS.note_schema(uid, True)
    sequence: uint256 = completeness._advance(owner, codes.KIND_SCHEMA, uid, codes.ACTIVE)
    log ISchemas.SchemaRegistered(
        uid=uid,
        owner=owner,
        pointers_hash=pointers_hash,
        document_hash=document_hash,
        leaf_count=leaf_count,
        event_time=event_time,
        previous=previous,
        key=acts._actor(),
        sequence=sequence,
    )
    if previous != empty(bytes32):
        assert previous != uid, "schema: previous is itself"
        state: uint8 = self._schemas[previous].state
        assert state != 0, "schema: previous unknown"
        assert self._schemas[previous].owner == owner, "schema: previous not yours"
        assert state == codes.ACTIVE or state == codes.SUSPENDED, "schema: previous not in force"
        self._schemas[previous].successor = uid
        self._change_state(
            owner, previous, codes.SUPERSEDED, codes.REASON_SUPERSEDED, event_time
        )


@external
def set_state(uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    """
    @notice Suspends, reinstates or withdraws a schema. Nothing new can be issued while it is not
            active; what was issued keeps its own state.
    """
    owner: bytes32 = self._authorise(event_time)
    before: uint8 = self._schemas[uid].state
    assert before != 0, "schema: unknown"
    assert self._schemas[uid].owner == owner, "schema: not yours"
    assert before == codes.ACTIVE or before == codes.SUSPENDED, "schema: state is final"
    assert state != before, "schema: state unchanged"
    assert (
        state == codes.ACTIVE or state == codes.SUSPENDED or state == codes.REVOKED
    ), "schema: state not allowed"
    assert reason != codes.NO_REASON, "schema: reason missing"
    assert reason <= codes.LAST_REASON, "schema: unknown reason"
    self._change_state(owner, uid, state, reason, event_time)


@external
def accredit(schema_uid: bytes32, agency_id: bytes32, event_time: uint256):
    """
    @notice Lets an agency issue documents of this schema, from this block on.
    """
    owner: bytes32 = self._authorise_owner(schema_uid, event_time)
    state: uint8 = self._schemas[schema_uid].state
    assert state == codes.ACTIVE or state == codes.SUSPENDED, "schema: not in force"
    assert staticcall acts.REGISTRY.is_active(agency_id), "accreditation: agency not active"
    latest: uint256 = self._latest[schema_uid][agency_id]
    if latest == 0:
        position: uint256 = self._issuer_count[schema_uid]
        self._issuers[schema_uid][position] = agency_id
        self._issuer_count[schema_uid] = position + 1
    else:
        assert latest >> 64 != 0, "accreditation: already given"
        past: uint256 = self._past_count[schema_uid][agency_id]
        self._past[schema_uid][agency_id][past] = latest
        self._past_count[schema_uid][agency_id] = past + 1
    self._latest[schema_uid][agency_id] = block.number
    extcall ATTESTATIONS.note_issuer(schema_uid, agency_id, True)
    sequence: uint256 = completeness._advance(
        owner,
        codes.KIND_ACCREDITATION,
        keccak256(concat(schema_uid, agency_id)),
        codes.ACTIVE,
    )
    log ISchemas.IssuerAccredited(
        schema=schema_uid,
        agency=agency_id,
        owner=owner,
        event_time=event_time,
        key=acts._actor(),
        sequence=sequence,
    )


@external
def withdraw_accreditation(
    schema_uid: bytes32, agency_id: bytes32, reason: uint8, event_time: uint256
):
    """
    @notice Ends an accreditation. What the agency issued before this block stays valid.
    """
    owner: bytes32 = self._authorise_owner(schema_uid, event_time)
    assert reason != codes.NO_REASON, "accreditation: reason missing"
    assert reason <= codes.LAST_REASON, "accreditation: unknown reason"
    assert self._is_accredited(schema_uid, agency_id), "accreditation: not given"
    self._latest[schema_uid][agency_id] |= block.number << 64
    extcall ATTESTATIONS.note_issuer(schema_uid, agency_id, False)
    sequence: uint256 = completeness._advance(
        owner,
        codes.KIND_ACCREDITATION,
        keccak256(concat(schema_uid, agency_id)),
        codes.REVOKED,
    )
    log ISchemas.AccreditationWithdrawn(
        schema=schema_uid,
        agency=agency_id,
        owner=owner,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=sequence,
    )


@view
@external
def schema(uid: bytes32) -> ISchemas.Schema:
    """
    @notice What is recorded of a schema; all zero if there is none.
    """
    return self._schemas[uid]


@view
@external
def schema_count() -> uint256:
    """
    @notice How many schemas were ever registered.
    """
    return self._uid_count


@view
@external
def schema_at(index: uint256) -> bytes32:
    """
    @notice The uid of the schema registered at this place, beginning with zero.
    """
    assert index < self._uid_count, "schema: no such index"
    return self._uids[index]


@view
@external
def issuer_count(schema_uid: bytes32) -> uint256:
    """
    @notice How many agencies were ever accredited for a schema.
    """
    return self._issuer_count[schema_uid]


@view
@external
def issuer_at(schema_uid: bytes32, index: uint256) -> bytes32:
    """
    @notice The agency at this place among those ever accredited for a schema.
    """
    assert index < self._issuer_count[schema_uid], "accreditation: no such index"
    return self._issuers[schema_uid][index]


@view
@external
def is_accredited(schema_uid: bytes32, agency_id: bytes32) -> bool:
    """
    @notice Whether the agency is accredited for the schema now.
    """
    return self._is_accredited(schema_uid, agency_id)


@view
@external
def is_accredited_at(schema_uid: bytes32, agency_id: bytes32, block_number: uint256) -> bool:
    """
    @notice Whether the agency was accredited for the schema at the end of a block.
    @dev Walks back over the last 256 intervals of this pair; an older block is answered "no".
    """
    latest: uint256 = self._latest[schema_uid][agency_id]
    if latest == 0:
        return False
    if latest & FIRST_64 <= block_number:
        return latest >> 64 == 0 or block_number < latest >> 64
    past: uint256 = self._past_count[schema_uid][agency_id]
    for i: uint256 in range(min(past, 256), bound=256):
        interval: uint256 = self._past[schema_uid][agency_id][past - 1 - i]
        if interval & FIRST_64 <= block_number:
            return block_number < interval >> 64
    return False


@view
@external
def may_issue(schema_uid: bytes32, agency_id: bytes32) -> bool:
    """
    @notice Whether the agency may issue a document of this schema in this block.
    """
    return (
        self._is_accredited(schema_uid, agency_id)
        and self._schemas[schema_uid].state == codes.ACTIVE
    )


@internal
def _change_state(
    owner: bytes32, uid: bytes32, state: uint8, reason: uint8, event_time: uint256
):
    self._schemas[uid].state = state
    self._schemas[uid].reason = reason
    self._schemas[uid].state_block = block.number
    extcall ATTESTATIONS.note_schema(uid, state == codes.ACTIVE)
    sequence: uint256 = completeness._advance(owner, codes.KIND_SCHEMA, uid, state)
    log ISchemas.SchemaStateChanged(
        uid=uid,
        owner=owner,
        state=state,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=sequence,
    )


@view
@internal
def _authorise(event_time: uint256) -> bytes32:
    assert event_time != 0, "schema: event time missing"
    assert (
        event_time <= block.timestamp + codes.EVENT_TIME_TOLERANCE_S
    ), "schema: event time in the future"
    return acts._authorise(codes.SCHEMA, event_time)


@view
@internal
def _authorise_owner(schema_uid: bytes32, event_time: uint256) -> bytes32:
    owner: bytes32 = self._authorise(event_time)
    assert self._schemas[schema_uid].state != 0, "schema: unknown"
    assert self._schemas[schema_uid].owner == owner, "schema: not yours"
    return owner


@view
@internal
def _is_accredited(schema_uid: bytes32, agency_id: bytes32) -> bool:
    latest: uint256 = self._latest[schema_uid][agency_id]
    return latest != 0 and latest >> 64 == 0
