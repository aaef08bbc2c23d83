# pragma version 0.4.3
"""
@title What an agency attests
@license Apache-2.0
@notice An agency that is accredited for a schema attests documents, one by one or in batches. The
        ledger keeps a commitment, never the document. Only the agency that issued a record can
        suspend, reinstate, revoke, supersede or erase it, and it can do so at any later time, even
        when its accreditation has ended.
@dev A record takes three new storage slots: schema, commitment, and one word of facts. The facts,
     from the low end: agency index + 1 (16 bits), kind (8), state (8), reason (8), algorithm (8),
     valid until, or the number of leaves of a batch (48), event time (48), block of issue (48),
     block of the last change of state (48). The two links to other records are written only where
     there are any.
"""

import codes
import completeness
from interfaces import IAgencyRegistry
from interfaces import IAttestations

implements: IAttestations
initializes: completeness
exports: (completeness.head, completeness.count)

# A leaf's index has 32 bits in its commitment, and this many states fit in nobody's patience.
MAX_LEAVES: constant(uint256) = 2**32 - 1

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
SCHEMAS: immutable(address)


struct Record:
    facts: uint256
    schema: bytes32
    commitment: bytes32


struct Links:
    previous: bytes32
    successor: bytes32


# slot 32
_records: HashMap[bytes32, Record]
# slot 33
_links: HashMap[bytes32, Links]
# (batch uid, leaf index) -> state (low 8 bits), reason (8), event time (48 at 16), block (48 at 64)
_leaf_states: HashMap[bytes32, HashMap[uint256, uint256]]
# what `schemas` has said: kept here too, because it is asked for every record
_schemas_in_force: HashMap[bytes32, bool]
_issuers: HashMap[bytes32, HashMap[bytes32, bool]]
_reserved: uint256[32]


@deploy
def __init__(registry: address, schemas: address):
    """
    @param registry The proxy of the agency registry.
    @param schemas The proxy of the schemas, which says who may issue.
    """
    REGISTRY = IAgencyRegistry(registry)
    SCHEMAS = schemas


@external
def attest(
    uid: bytes32,
    schema_uid: bytes32,
    commitment: bytes32,
    alg: uint8,
    valid_until: uint256,
    event_time: uint256,
    previous: bytes32,
):
    """
    @notice Attests one document.
    @param uid 32 random bytes chosen by the issuer, never used before.
    @param schema_uid The schema of the document, for which the issuer is accredited.
    @param commitment The root of the document's salted tree.
    @param alg The hash of the commitment: 1 for SHA-256, 2 for SM3.
    @param valid_until When the document ends, rounded outward; zero if it has no end.
    @param event_time When the issuer signed it, in seconds.
    @param previous The issuer's own record that this one replaces, or zero. The old one becomes
                    superseded in the same step.
    """
    issuer: bytes32 = empty(bytes32)
    index: uint256 = 0
    issuer, index = self._authorise(event_time)
    assert valid_until == 0 or valid_until > event_time, "attestation: ends before it begins"
    assert valid_until <= codes.LAST_TIME, "attestation: end out of bounds"
    sequence: uint256 = self._create(
        uid,
        codes.KIND_ATTESTATION,
        issuer,
        schema_uid,
        commitment,
        alg,
        unsafe_add(index, 1) | (valid_until << UNTIL_AT) | (event_time << EVENT_AT),
    )
    log IAttestations.Attested(
        uid=uid,
        issuer=issuer,
        schema=schema_uid,
        commitment=commitment,
        alg=alg,
        valid_until=valid_until,
        event_time=event_time,
        previous=previous,
        key=msg.sender,
        sequence=sequence,
    )
    if previous != empty(bytes32):
        assert previous != uid, "attestation: previous is itself"
        self._supersede(previous, uid, issuer, index, event_time)


@external
def attest_batch(
    uid: bytes32,
    schema_uid: bytes32,
    root: bytes32,
    leaf_count: uint256,
    alg: uint8,
    event_time: uint256,
):
    """
    @notice Attests any number of documents of one schema in one step.
    @param uid 32 random bytes chosen by the issuer, never used before.
    @param root The root of the tree of the documents' commitments.
    @param leaf_count How many documents the tree holds.
    """
    issuer: bytes32 = empty(bytes32)
    index: uint256 = 0
    issuer, index = self._authorise(event_time)
    assert leaf_count != 0 and leaf_count <= MAX_LEAVES, "batch: leaf count out of bounds"
    sequence: uint256 = self._create(
        uid,
        codes.KIND_BATCH,
        issuer,
        schema_uid,
        root,
        alg,
        unsafe_add(index, 1) | (leaf_count << UNTIL_AT) | (event_time << EVENT_AT),
    )
    log IAttestations.BatchAttested(
        uid=uid,
        issuer=issuer,
        schema=schema_uid,
        root=root,
        count=leaf_count,
        alg=alg,
        event_time=event_time,
        key=msg.sender,
        sequence=sequence,
    )


@external
def set_state(uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    """
    @notice Suspends, reinstates, revokes or erases a record, single or batch. The state of a batch
            holds for all of its documents.
    @param state 1 active, 2 suspended, 3 revoked, 5 erased.
    @param reason 1 error, 2 superseded, 3 ended by law, 4 holder's request, 5 security.
    """
    issuer: bytes32 = empty(bytes32)
    index: uint256 = 0
    issuer, index = self._authorise(event_time)
    facts: uint256 = self._records[uid].facts
    self._check_issuer(facts, index)
    self._check_change((facts >> STATE_AT) & BYTE, state, reason)
    self._change_state(uid, facts, issuer, state, reason, event_time)


@external
def set_leaf_state(
    batch_uid: bytes32, index: uint256, state: uint8, reason: uint8, event_time: uint256
):
    """
    @notice Suspends, reinstates, revokes or erases one document of a batch.
    @param index The document's place in the batch's tree, beginning with zero.
    """
    issuer: bytes32 = empty(bytes32)
    agency_index: uint256 = 0
    issuer, agency_index = self._authorise(event_time)
    facts: uint256 = self._records[batch_uid].facts
    self._check_issuer(facts, agency_index)
    assert (facts >> KIND_AT) & BYTE == convert(codes.KIND_BATCH, uint256), "batch: unknown"
    assert index < (facts >> UNTIL_AT) & TIME, "batch: no such leaf"
    before: uint256 = self._leaf_states[batch_uid][index] & BYTE
    if before == 0:
        before = convert(codes.ACTIVE, uint256)
    self._check_change(before, state, reason)
    self._leaf_states[batch_uid][index] = (
        convert(state, uint256)
        | (convert(reason, uint256) << 8)
        | (event_time << 16)
        | (block.number << 64)
    )
    sequence: uint256 = completeness._advance(
        issuer, codes.KIND_LEAF, keccak256(concat(batch_uid, convert(index, bytes32))), state
    )
    log IAttestations.LeafStateChanged(
        uid=batch_uid,
        issuer=issuer,
        index=index,
        state=state,
        reason=reason,
        event_time=event_time,
        key=msg.sender,
        sequence=sequence,
    )


@external
def note_schema(schema_uid: bytes32, is_in_force: bool):
    """
    @notice Takes note that documents of a schema can, or cannot, be issued from now on. Only the
            schemas contract says so, in the transaction in which the owner decides it.
    """
    assert msg.sender == SCHEMAS, "attestation: only the schemas"
    self._schemas_in_force[schema_uid] = is_in_force


@external
def note_issuer(schema_uid: bytes32, agency_id: bytes32, is_accredited: bool):
    """
    @notice Takes note that an agency is, or is no longer, accredited for a schema. Only the schemas
            contract says so, in the transaction in which the owner decides it.
    """
    assert msg.sender == SCHEMAS, "attestation: only the schemas"
    self._issuers[schema_uid][agency_id] = is_accredited


@view
@external
def may_issue(schema_uid: bytes32, agency_id: bytes32) -> bool:
    """
    @notice Whether an agency may issue a document of this schema in this block.
    """
    return self._schemas_in_force[schema_uid] and self._issuers[schema_uid][agency_id]


@view
@external
def attestation(uid: bytes32) -> IAttestations.Attestation:
    """
    @notice What is recorded under a uid; all zero if there is no such attestation.
    """
    record: Record = self._records[uid]
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
        previous=self._links[uid].previous,
        successor=self._links[uid].successor,
    )


@view
@external
def batch(uid: bytes32) -> IAttestations.Batch:
    """
    @notice What is recorded of a batch; all zero if there is no such batch.
    """
    record: Record = self._records[uid]
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
    facts: uint256 = self._records[batch_uid].facts
    if (facts >> KIND_AT) & BYTE != convert(codes.KIND_BATCH, uint256):
        return empty(IAttestations.LeafState)
    if index >= (facts >> UNTIL_AT) & TIME:
        return empty(IAttestations.LeafState)
    own: uint256 = self._leaf_states[batch_uid][index]
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


@internal
def _create(
    uid: bytes32,
    kind: uint8,
    issuer: bytes32,
    schema_uid: bytes32,
    commitment: bytes32,
    alg: uint8,
    facts: uint256,
) -> uint256:
    """
    @dev `facts` comes with the agency's index, the end or number of leaves, and the event time.
    """
    assert uid != empty(bytes32), "attestation: uid missing"
    assert self._records[uid].facts == 0, "attestation: uid already used"
    assert commitment != empty(bytes32), "attestation: commitment missing"
    assert alg == codes.SHA256 or alg == codes.SM3, "attestation: unknown algorithm"
    assert self._issuers[schema_uid][issuer], "attestation: not accredited"
    assert self._schemas_in_force[schema_uid], "attestation: schema not in force"
    self._records[uid] = Record(
        facts=facts
        | (convert(kind, uint256) << KIND_AT)
        | (convert(codes.ACTIVE, uint256) << STATE_AT)
        | (convert(alg, uint256) << ALG_AT)
        | (block.number << BLOCK_AT)
        | (block.number << STATE_BLOCK_AT),
        schema=schema_uid,
        commitment=commitment,
    )
    return completeness._advance(issuer, kind, uid, codes.ACTIVE)


@internal
def _supersede(
    previous: bytes32, successor: bytes32, issuer: bytes32, index: uint256, event_time: uint256
):
    facts: uint256 = self._records[previous].facts
    assert (facts >> KIND_AT) & BYTE == convert(
        codes.KIND_ATTESTATION, uint256
    ), "attestation: previous unknown"
    assert facts & AGENCY == index + 1, "attestation: previous not yours"
    before: uint256 = (facts >> STATE_AT) & BYTE
    assert before == convert(codes.ACTIVE, uint256) or before == convert(
        codes.SUSPENDED, uint256
    ), "attestation: previous not in force"
    self._links[successor].previous = previous
    self._links[previous].successor = successor
    self._change_state(
        previous, facts, issuer, codes.SUPERSEDED, codes.REASON_SUPERSEDED, event_time
    )


@internal
def _change_state(
    uid: bytes32, facts: uint256, issuer: bytes32, state: uint8, reason: uint8, event_time: uint256
):
    self._records[uid].facts = (
        (facts & ~CHANGING)
        | (convert(state, uint256) << STATE_AT)
        | (convert(reason, uint256) << REASON_AT)
        | (block.number << STATE_BLOCK_AT)
    )
    kind: uint8 = convert((facts >> KIND_AT) & BYTE, uint8)
    sequence: uint256 = completeness._advance(issuer, kind, uid, state)
    log IAttestations.StateChanged(
        uid=uid,
        issuer=issuer,
        kind=kind,
        state=state,
        reason=reason,
        event_time=event_time,
        key=msg.sender,
        sequence=sequence,
    )


@view
@internal
def _authorise(event_time: uint256) -> (bytes32, uint256):
    assert event_time != 0, "attestation: event time missing"
    assert (
        event_time <= block.timestamp + codes.EVENT_TIME_TOLERANCE_S
    ), "attestation: event time in the future"
    return staticcall REGISTRY.authorise(msg.sender, codes.ISSUE)


@view
@internal
def _check_issuer(facts: uint256, index: uint256):
    assert facts != 0, "attestation: unknown"
    assert facts & AGENCY == index + 1, "attestation: not yours"


@pure
@internal
def _check_change(before: uint256, state: uint8, reason: uint8):
    """
    @dev Active and suspended may become anything but superseded; revoked and superseded are final
         but for erasure, and erased is final.
    """
    assert convert(state, uint256) != before, "attestation: state unchanged"
    assert before != convert(codes.ERASED, uint256), "attestation: state is final"
    if state != codes.ERASED:
        assert before <= convert(codes.SUSPENDED, uint256), "attestation: state is final"
    assert (
        state == codes.ACTIVE
        or state == codes.SUSPENDED
        or state == codes.REVOKED
        or state == codes.ERASED
    ), "attestation: state not allowed"
    assert reason != codes.NO_REASON, "attestation: reason missing"
    assert reason <= codes.LAST_REASON, "attestation: unknown reason"
