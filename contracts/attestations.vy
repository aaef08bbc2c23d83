# pragma version 0.4.3
"""
@title What an agency attests
@license Apache-2.0
@notice An agency that is accredited for a schema attests documents, one by one or in batches. The
        ledger keeps a commitment, never the document. Only the agency that issued a record can
        suspend, reinstate, revoke, supersede or erase it, and it can do so at any later time, even
        when its accreditation has ended.
@dev Composed of the modules `completeness` (slots 0 to 31), `records` (32 to 34) and, after its own
     two variables, `acts` (37 to 68).
"""

import acts
import codes
import completeness
import records
from interfaces import IActs
from interfaces import IAttestations

implements: IAttestations
initializes: completeness
initializes: records
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (records.attestation, records.batch, records.leaf_state)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)

# A leaf's index has 32 bits in its commitment, and this many states fit in nobody's patience.
MAX_LEAVES: constant(uint256) = 2**32 - 1

SCHEMAS: immutable(address)


# from slot 35: what `schemas` has said: kept here too, because it is asked for every record
_schemas_in_force: HashMap[bytes32, bool]
_issuers: HashMap[bytes32, HashMap[bytes32, bool]]
# in place of what was reserved here
initializes: acts[completeness := completeness]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256, schemas: address):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    @param schemas The proxy of the schemas, which says who may issue.
    """
    acts.__init__(registry, salt, late_after_s)
    records.__init__(registry)
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
        unsafe_add(index, 1)
        | (valid_until << records.UNTIL_AT)
        | (event_time << records.EVENT_AT),
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
        key=acts._actor(),
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
        unsafe_add(index, 1)
        | (leaf_count << records.UNTIL_AT)
        | (event_time << records.EVENT_AT),
    )
    log IAttestations.BatchAttested(
        uid=uid,
        issuer=issuer,
        schema=schema_uid,
        root=root,
        count=leaf_count,
        alg=alg,
        event_time=event_time,
        key=acts._actor(),
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
    facts: uint256 = records.stored[uid].facts
    self._check_issuer(facts, index)
    self._check_change((facts >> records.STATE_AT) & records.BYTE, state, reason)
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
    facts: uint256 = records.stored[batch_uid].facts
    self._check_issuer(facts, agency_index)
    assert (facts >> records.KIND_AT) & records.BYTE == convert(
        codes.KIND_BATCH, uint256
    ), "batch: unknown"
    assert index < (facts >> records.UNTIL_AT) & records.TIME, "batch: no such leaf"
    before: uint256 = records.leaf_states[batch_uid][index] & records.BYTE
    if before == 0:
        before = convert(codes.ACTIVE, uint256)
    self._check_change(before, state, reason)
    records.leaf_states[batch_uid][index] = (
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
        key=acts._actor(),
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
    assert records.stored[uid].facts == 0, "attestation: uid already used"
    assert commitment != empty(bytes32), "attestation: commitment missing"
    assert alg == codes.SHA256 or alg == codes.SM3, "attestation: unknown algorithm"
    assert self._issuers[schema_uid][issuer], "attestation: not accredited"
    assert self._schemas_in_force[schema_uid], "attestation: schema not in force"
    records.stored[uid] = records.Record(
        facts=facts
        | (convert(kind, uint256) << records.KIND_AT)
        | (convert(codes.ACTIVE, uint256) << records.STATE_AT)
        | (convert(alg, uint256) << records.ALG_AT)
        | (block.number << records.BLOCK_AT)
        | (block.number << records.STATE_BLOCK_AT),
        schema=schema_uid,
        commitment=commitment,
    )
    return completeness._advance(issuer, kind, uid, codes.ACTIVE)


@internal
def _supersede(
    previous: bytes32, successor: bytes32, issuer: bytes32, index: uint256, event_time: uint256
):
    facts: uint256 = records.stored[previous].facts
    assert (facts >> records.KIND_AT) & records.BYTE == convert(
        codes.KIND_ATTESTATION, uint256
    ), "attestation: previous unknown"
    assert facts & records.AGENCY == index + 1, "attestation: previous not yours"
    before: uint256 = (facts >> records.STATE_AT) & records.BYTE
    assert before == convert(codes.ACTIVE, uint256) or before == convert(
        codes.SUSPENDED, uint256
    ), "attestation: previous not in force"
    records.links[successor].previous = previous
    records.links[previous].successor = successor
    self._change_state(
        previous, facts, issuer, codes.SUPERSEDED, codes.REASON_SUPERSEDED, event_time
    )


@internal
def _change_state(
    uid: bytes32, facts: uint256, issuer: bytes32, state: uint8, reason: uint8, event_time: uint256
):
    records.stored[uid].facts = (
        (facts & ~records.CHANGING)
        | (convert(state, uint256) << records.STATE_AT)
        | (convert(reason, uint256) << records.REASON_AT)
        | (block.number << records.STATE_BLOCK_AT)
    )
    kind: uint8 = convert((facts >> records.KIND_AT) & records.BYTE, uint8)
    sequence: uint256 = completeness._advance(issuer, kind, uid, state)
    log IAttestations.StateChanged(
        uid=uid,
        issuer=issuer,
        kind=kind,
        state=state,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=sequence,
    )


@view
@internal
def _authorise(event_time: uint256) -> (bytes32, uint256):
    assert event_time != 0, "attestation: event time missing"
    assert (
        event_time <= block.timestamp + codes.EVENT_TIME_TOLERANCE_S
    ), "attestation: event time in the future"
    return acts._authorise_indexed(codes.ISSUE, event_time)


@view
@internal
def _check_issuer(facts: uint256, index: uint256):
    assert facts != 0, "attestation: unknown"
    assert facts & records.AGENCY == index + 1, "attestation: not yours"


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
