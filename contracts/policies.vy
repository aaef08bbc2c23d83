# pragma version 0.4.3
"""
@title Which documents one side recognises of the other
@license Apache-2.0
@notice An agency of one side proposes and signs a recognition policy; an agency of the other side
        signs the very same. From then on it is in force, in place of an older one for the same
        documents and direction. Either side suspends it at once and alone; it is in force again
        when every side that suspended it has reinstated it. Either side ends it for good.
@dev Composed of `completeness` (slots 0 to 31) and `acts` (32 to 63). An act moves the head of the
     agency that did it.
"""

import acts
import codes
import completeness
from interfaces import IActs
from interfaces import IPolicies
from interfaces import ISchemas

implements: IPolicies
initializes: completeness
initializes: acts[completeness := completeness]
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)

# Beside the states of records: signed by one side only.
PROPOSED: constant(uint8) = 6
# Sides, as bits.
FROM_SIDE: constant(uint8) = 1
TO_SIDE: constant(uint8) = 2

MAX_ISSUERS: constant(uint256) = 32
LAST_ASSURANCE: constant(uint8) = 3

SCHEMAS: immutable(ISchemas)

# slot 64
_policies: HashMap[bytes32, IPolicies.Policy]
# policy -> issuer -> whether it is named; a policy that names none is for all accredited ones
_issuers: HashMap[bytes32, HashMap[bytes32, bool]]
# hash of the two jurisdictions and the schema -> the policy signed last
_latest: HashMap[bytes32, bytes32]
_reserved: uint256[32]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256, schemas: address):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    @param schemas The proxy of the schemas.
    """
    acts.__init__(registry, salt, late_after_s)
    SCHEMAS = ISchemas(schemas)


@external
def propose_policy(
    uid: bytes32,
    terms: IPolicies.PolicyTerms,
    issuers: DynArray[bytes32, MAX_ISSUERS],
    event_time: uint256,
):
    """
    @notice Proposes a policy and signs it for the caller's side.
    @param terms From and to which jurisdiction, schema, highest age of a document in seconds (zero
                 for any), least assurance (1 low, 2 substantial, 3 high), from when to when, and
                 hash of the agreement.
    @param issuers The issuers whose documents are recognised; none for all accredited ones.
    """
    agency: bytes32 = acts._authorise(codes.GOVERN, event_time)
    assert uid != empty(bytes32), "policy: uid missing"
    assert self._policies[uid].state == 0, "policy: uid already used"
    assert terms.from_jurisdiction != terms.to_jurisdiction, "policy: of one side with itself"
    side: uint8 = self._get_side(agency, terms)
    assert (staticcall SCHEMAS.schema(terms.schema)).state == codes.ACTIVE, "policy: unknown schema"
    assert (
        terms.assurance != 0 and terms.assurance <= LAST_ASSURANCE
    ), "policy: unknown assurance"
    assert (
        terms.valid_until == 0 or terms.valid_until > terms.valid_from
    ), "policy: ends before it begins"
    assert terms.document_hash != empty(bytes32), "policy: document missing"
    for issuer: bytes32 in issuers:
        jurisdiction: bytes32 = (staticcall acts.REGISTRY.agency(issuer)).jurisdiction
        assert jurisdiction == terms.from_jurisdiction, "policy: issuer of another side"
        self._issuers[uid][issuer] = True
    self._policies[uid] = IPolicies.Policy(
        terms=terms,
        issuer_count=len(issuers),
        signed_from=agency if side == FROM_SIDE else empty(bytes32),
        signed_to=agency if side == TO_SIDE else empty(bytes32),
        state=PROPOSED,
        reason=codes.NO_REASON,
        suspended_by=0,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
        previous=empty(bytes32),
    )
    log IPolicies.PolicyProposed(
        uid=uid,
        agency=agency,
        terms=terms,
        issuers=issuers,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_POLICY, uid, PROPOSED),
    )


@external
def sign_policy(uid: bytes32, document_hash: bytes32, event_time: uint256):
    """
    @notice Signs a proposed policy for the other side, which puts it in force.
    @param document_hash Hash of the agreement, as the signer has it.
    """
    agency: bytes32 = acts._authorise(codes.GOVERN, event_time)
    assert self._policies[uid].state != 0, "policy: unknown"
    assert self._policies[uid].state == PROPOSED, "policy: already signed"
    terms: IPolicies.PolicyTerms = self._policies[uid].terms
    side: uint8 = self._get_side(agency, terms)
    if side == FROM_SIDE:
        assert self._policies[uid].signed_from == empty(bytes32), "policy: signed by your side"
        self._policies[uid].signed_from = agency
    else:
        assert self._policies[uid].signed_to == empty(bytes32), "policy: signed by your side"
        self._policies[uid].signed_to = agency
    assert document_hash == terms.document_hash, "policy: another document"
    place: bytes32 = self._place(
        terms.from_jurisdiction, terms.to_jurisdiction, terms.schema
    )
    previous: bytes32 = self._latest[place]
    self._latest[place] = uid
    self._policies[uid].previous = previous
    self._policies[uid].state = codes.ACTIVE
    self._policies[uid].state_block = block.number
    log IPolicies.PolicySigned(
        uid=uid,
        agency=agency,
        previous=previous,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_POLICY, uid, codes.ACTIVE),
    )
    if previous != empty(bytes32) and self._policies[previous].state <= codes.SUSPENDED:
        self._change(
            agency,
            previous,
            codes.SUPERSEDED,
            codes.REASON_SUPERSEDED,
            self._policies[previous].suspended_by,
            event_time,
        )


@external
def suspend_policy(uid: bytes32, reason: uint8, event_time: uint256):
    """
    @notice Suspends a policy for the caller's side, at once and alone.
    """
    agency: bytes32 = empty(bytes32)
    side: uint8 = 0
    agency, side = self._authorise_side(uid, reason, event_time)
    before: uint8 = self._policies[uid].suspended_by
    assert before & side == 0, "policy: already suspended"
    self._change(agency, uid, codes.SUSPENDED, reason, before | side, event_time)


@external
def reinstate_policy(uid: bytes32, reason: uint8, event_time: uint256):
    """
    @notice Takes the suspension of the caller's side back. That of the other side holds on.
    """
    agency: bytes32 = empty(bytes32)
    side: uint8 = 0
    agency, side = self._authorise_side(uid, reason, event_time)
    before: uint8 = self._policies[uid].suspended_by
    assert before & side != 0, "policy: not suspended by your side"
    rest: uint8 = before ^ side
    state: uint8 = codes.ACTIVE if rest == 0 else codes.SUSPENDED
    self._change(agency, uid, state, reason, rest, event_time)


@external
def end_policy(uid: bytes32, reason: uint8, event_time: uint256):
    """
    @notice Ends a policy for good. Either side may, alone.
    """
    agency: bytes32 = empty(bytes32)
    side: uint8 = 0
    agency, side = self._authorise_side(uid, reason, event_time)
    self._change(
        agency, uid, codes.REVOKED, reason, self._policies[uid].suspended_by, event_time
    )


@view
@external
def policy(uid: bytes32) -> IPolicies.Policy:
    """
    @notice What is recorded of a policy; all zero if there is none.
    """
    return self._policies[uid]


@view
@external
def policy_for(
    from_jurisdiction: bytes32, to_jurisdiction: bytes32, schema: bytes32
) -> bytes32:
    """
    @notice The policy that both sides signed last for these documents and this direction; zero if
            there is none.
    """
    return self._latest[self._place(from_jurisdiction, to_jurisdiction, schema)]


@view
@external
def check(uid: bytes32, issuer: bytes32, issued_at: uint256, assurance: uint8) -> bool:
    """
    @notice Refuses with the reason unless a policy is in force in this block and recognises a
            document of this issuer, age and assurance.
    @return True.
    """
    state: uint8 = self._policies[uid].state
    assert state != 0, "policy: unknown"
    assert state != PROPOSED, "policy: not signed by both sides"
    assert state != codes.SUSPENDED, "policy: suspended"
    assert state == codes.ACTIVE, "policy: ended"
    terms: IPolicies.PolicyTerms = self._policies[uid].terms
    assert block.timestamp >= terms.valid_from, "policy: not live yet"
    assert terms.valid_until == 0 or block.timestamp < terms.valid_until, "policy: expired"
    if self._policies[uid].issuer_count == 0:
        jurisdiction: bytes32 = (staticcall acts.REGISTRY.agency(issuer)).jurisdiction
        assert jurisdiction == terms.from_jurisdiction, "policy: not for this issuer"
    else:
        assert self._issuers[uid][issuer], "policy: not for this issuer"
    assert issued_at <= block.timestamp, "policy: issued in the future"
    if terms.max_age_s != 0:
        assert block.timestamp - issued_at <= terms.max_age_s, "policy: document too old"
    assert assurance >= terms.assurance, "policy: assurance too low"
    return True


# ------------------------------------------------------------------ rules


@view
@internal
def _authorise_side(uid: bytes32, reason: uint8, event_time: uint256) -> (bytes32, uint8):
    agency: bytes32 = acts._authorise(codes.GOVERN, event_time)
    state: uint8 = self._policies[uid].state
    assert state != 0, "policy: unknown"
    side: uint8 = self._get_side(agency, self._policies[uid].terms)
    assert state != PROPOSED, "policy: not signed by both sides"
    assert state <= codes.SUSPENDED, "policy: ended"
    assert reason != codes.NO_REASON, "policy: reason missing"
    assert reason <= codes.LAST_REASON, "policy: unknown reason"
    return agency, side


@view
@internal
def _get_side(agency: bytes32, terms: IPolicies.PolicyTerms) -> uint8:
    jurisdiction: bytes32 = (staticcall acts.REGISTRY.agency(agency)).jurisdiction
    if jurisdiction == terms.from_jurisdiction:
        return FROM_SIDE
    assert jurisdiction == terms.to_jurisdiction, "policy: of neither side"
    return TO_SIDE


@internal
def _change(
    agency: bytes32,
    uid: bytes32,
    state: uint8,
    reason: uint8,
    suspended_by: uint8,
    event_time: uint256,
):
    self._policies[uid].state = state
    self._policies[uid].reason = reason
    self._policies[uid].suspended_by = suspended_by
    self._policies[uid].state_block = block.number
    log IPolicies.PolicyStateChanged(
        uid=uid,
        agency=agency,
        state=state,
        reason=reason,
        suspended_by=suspended_by,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_POLICY, uid, state),
    )


@pure
@internal
def _place(from_jurisdiction: bytes32, to_jurisdiction: bytes32, schema: bytes32) -> bytes32:
    return keccak256(concat(from_jurisdiction, to_jurisdiction, schema))
