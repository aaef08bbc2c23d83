# pragma version 0.4.3
"""
@title On which law data may be exchanged
@license Apache-2.0
@notice A legal basis names the law and article, and all that it covers: who may provide what to
        whom, for which purpose, which fields, how sensitive, in which direction, from when to when.
        The supervisor enters it, or the agencies by vote; never an agency that uses it. Whether an
        exchange is covered is asked here when it is requested, decided and released.
@dev Composed of `completeness` (slots 0 to 31), `acts` (32 to 63), `stops` and `instruments`. A scope
     is stored by the hash of its four parties, so a question reads a few slots however many scopes
     a basis has. In a scope a provider or recipient of zero means "any".
"""

import acts
import codes
import completeness
import instruments
import stops
from interfaces import IActs
from interfaces import IBases
from interfaces import ICatalogue

implements: IBases
initializes: completeness
initializes: acts[completeness := completeness]
initializes: stops[acts := acts, completeness := completeness]
initializes: instruments[acts := acts, completeness := completeness]
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)
exports: (stops.stop, stops.lift, stops.stop_record, stops.is_stopped, stops.pair_of)
exports: (
    instruments.enter_instrument,
    instruments.set_instrument_state,
    instruments.instrument,
    instruments.check_onward,
)

STATUTE: constant(uint8) = 1
CONSENT: constant(uint8) = 2

CATALOGUE: immutable(ICatalogue)

_bases: HashMap[bytes32, IBases.Basis]
# basis -> hash of provider, recipient, dataset and purpose -> fields
_scopes: HashMap[bytes32, HashMap[bytes32, uint256]]
# basis -> each dataset, purpose and agency that its scopes name
_named: HashMap[bytes32, HashMap[bytes32, bool]]
_reserved: uint256[32]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256, catalogue: address):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    @param catalogue The proxy of the catalogue.
    """
    acts.__init__(registry, salt, late_after_s)
    CATALOGUE = ICatalogue(catalogue)


@external
def enter_basis(
    uid: bytes32,
    terms: IBases.BasisTerms,
    scopes: DynArray[IBases.Scope, 16],
    event_time: uint256,
):
    """
    @notice Enters a legal basis. A supervisor's key does so by itself; any other agency's key with
            the role to govern does so once the agencies have resolved on this very basis.
    @param uid 32 random bytes, never used before.
    @param terms Kind (1 statute, 2 consent), hash of law and article, highest sensitivity, from
                 and to which jurisdiction (zero for any), whether people must be notified, and from
                 when to when.
    @param scopes What it covers: provider, recipient, dataset, purpose, fields. Zero for any
                  provider or recipient.
    """
    agency: bytes32 = empty(bytes32)
    is_voted: bool = False
    agency, is_voted = self._authorise_entry(
        keccak256(abi_encode(uid, terms, scopes)), event_time
    )
    assert uid != empty(bytes32), "basis: uid missing"
    assert self._bases[uid].state == 0, "basis: uid already used"
    assert terms.kind == STATUTE or terms.kind == CONSENT, "basis: unknown kind"
    assert terms.law_hash != empty(bytes32), "basis: law missing"
    assert (
        terms.sensitivity == codes.ORDINARY or terms.sensitivity == codes.SENSITIVE
    ), "basis: unknown sensitivity"
    assert (
        terms.valid_until == 0 or terms.valid_until > terms.valid_from
    ), "basis: ends before it begins"
    assert len(scopes) != 0, "basis: scope missing"
    for scope: IBases.Scope in scopes:
        self._add_scope(uid, scope)
    assert is_voted or not self._named[uid][agency], "basis: entered by its user"
    self._bases[uid] = IBases.Basis(
        entered_by=agency,
        is_voted=is_voted,
        terms=terms,
        state=codes.ACTIVE,
        reason=codes.NO_REASON,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
    )
    log IBases.BasisEntered(
        uid=uid,
        entered_by=agency,
        is_voted=is_voted,
        terms=terms,
        scopes=scopes,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_BASIS, uid, codes.ACTIVE),
    )


@external
def set_basis_state(uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    """
    @notice Suspends, reinstates or ends a basis. A supervisor that does not use it may; the
            agencies end it for good by a vote.
    """
    agency: bytes32 = empty(bytes32)
    is_voted: bool = False
    agency, is_voted = self._authorise_entry(self._hash_change(uid, state, reason), event_time)
    before: uint8 = self._bases[uid].state
    assert before != 0, "basis: unknown"
    # A resolution stays, so by vote only that is done which can be done only once.
    assert not is_voted or state == codes.REVOKED, "basis: a vote only ends it"
    assert is_voted or not self._named[uid][agency], "basis: changed by its user"
    instruments._check_change(before, state, reason)
    self._bases[uid].state = state
    self._bases[uid].reason = reason
    self._bases[uid].state_block = block.number
    log IBases.BasisStateChanged(
        uid=uid,
        agency=agency,
        state=state,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_BASIS, uid, state),
    )


@view
@external
def basis(uid: bytes32) -> IBases.Basis:
    """
    @notice What is recorded of a legal basis; all zero if there is none.
    """
    return self._bases[uid]


@view
@external
def scope_of(
    uid: bytes32, provider: bytes32, recipient: bytes32, dataset: bytes32, purpose: bytes32
) -> uint256:
    """
    @notice The fields that a basis lets a provider give to a recipient out of a dataset for a
            purpose, whether or not the basis is in force.
    """
    return self._get_fields(uid, provider, recipient, dataset, purpose)


@pure
@external
def hash_basis(
    uid: bytes32, terms: IBases.BasisTerms, scopes: DynArray[IBases.Scope, 16]
) -> bytes32:
    """
    @notice The subject on which the agencies resolve to enter this basis.
    """
    return keccak256(abi_encode(uid, terms, scopes))


@pure
@external
def hash_basis_change(uid: bytes32, state: uint8, reason: uint8) -> bytes32:
    """
    @notice The subject on which the agencies resolve to end a basis.
    """
    return self._hash_change(uid, state, reason)


@view
@external
def check(
    uid: bytes32,
    instrument_uid: bytes32,
    provider: bytes32,
    recipient: bytes32,
    dataset: bytes32,
    fields: uint256,
    purpose: bytes32,
) -> IBases.Answer:
    """
    @notice Refuses with the reason unless this basis covers all of an exchange in this block, and,
            where the exchange leaves a jurisdiction, the instrument does too.
    @param instrument_uid The instrument, zero for an exchange within one jurisdiction.
    @return What the exchange has to heed: kind of basis, duty to notify, sharing class and
            sensitivity of the dataset, whether it leaves a jurisdiction.
    """
    record: ICatalogue.Dataset = staticcall CATALOGUE.dataset(dataset)
    assert record.state != 0, "dataset: unknown"
    assert record.state == codes.ACTIVE, "dataset: not in force"
    assert record.owner == provider, "dataset: not the provider's"
    assert record.terms.sharing != codes.NOT_SHARED, "dataset: not shared"
    assert fields != 0, "exchange: fields missing"
    assert fields >> record.terms.field_count == 0, "exchange: no such field"
    self._check_stops(uid, dataset, provider, recipient)
    state: uint8 = self._bases[uid].state
    assert state != 0, "basis: unknown"
    assert state == codes.ACTIVE, "basis: not in force"
    terms: IBases.BasisTerms = self._bases[uid].terms
    assert block.timestamp >= terms.valid_from, "basis: not live yet"
    assert terms.valid_until == 0 or block.timestamp < terms.valid_until, "basis: expired"
    if not self._bases[uid].is_voted:
        assert self._bases[uid].entered_by != recipient, "basis: entered by its user"
    assert record.terms.sensitivity <= terms.sensitivity, "basis: not for sensitive data"
    assert self._named[uid][dataset], "basis: not for this dataset"
    assert self._named[uid][purpose], "basis: not for this purpose"
    allowed: uint256 = self._get_fields(uid, provider, recipient, dataset, purpose)
    assert allowed != 0, "basis: not for these parties"
    assert fields & ~allowed == 0, "basis: not for these fields"
    origin: bytes32 = (staticcall acts.REGISTRY.agency(provider)).jurisdiction
    target: bytes32 = (staticcall acts.REGISTRY.agency(recipient)).jurisdiction
    if terms.from_jurisdiction != empty(bytes32):
        assert terms.from_jurisdiction == origin, "basis: not for this direction"
    if terms.to_jurisdiction != empty(bytes32):
        assert terms.to_jurisdiction == target, "basis: not for this direction"
    if origin != target:
        instruments._check_instrument(instrument_uid, provider, recipient, dataset)
    return IBases.Answer(
        kind=terms.kind,
        must_notify=terms.must_notify,
        sharing=record.terms.sharing,
        sensitivity=record.terms.sensitivity,
        is_crossing=origin != target,
    )


# ------------------------------------------------------------------ rules


@view
@internal
def _authorise_entry(subject: bytes32, event_time: uint256) -> (bytes32, bool):
    """
    @return The agency that acts, and whether it carries out a vote.
    """
    if staticcall acts.REGISTRY.is_authorised(acts._actor(), codes.SUPERVISE):
        return acts._authorise(codes.SUPERVISE, event_time), False
    agency: bytes32 = acts._authorise(codes.GOVERN, event_time)
    assert staticcall acts.REGISTRY.resolved_at(subject) != 0, "basis: neither supervisor nor vote"
    return agency, True


@internal
def _add_scope(uid: bytes32, scope: IBases.Scope):
    assert scope.fields != 0, "basis: fields missing"
    record: ICatalogue.DatasetCore = staticcall CATALOGUE.dataset_core(scope.dataset)
    assert record.state != 0, "dataset: unknown"
    assert record.sharing != codes.NOT_SHARED, "dataset: not shared"
    assert scope.fields >> record.field_count == 0, "basis: no such field"
    assert (
        scope.provider == empty(bytes32) or scope.provider == record.owner
    ), "dataset: not the provider's"
    assert staticcall CATALOGUE.is_text_live(
        scope.purpose, codes.KIND_PURPOSE
    ), "purpose: not in force"
    self._scopes[uid][
        self._key(scope.provider, scope.recipient, scope.dataset, scope.purpose)
    ] |= scope.fields
    self._named[uid][scope.dataset] = True
    self._named[uid][scope.purpose] = True
    self._named[uid][record.owner] = True
    if scope.recipient != empty(bytes32):
        self._named[uid][scope.recipient] = True


@view
@internal
def _get_fields(
    uid: bytes32, provider: bytes32, recipient: bytes32, dataset: bytes32, purpose: bytes32
) -> uint256:
    nobody: bytes32 = empty(bytes32)
    return (
        self._scopes[uid][self._key(provider, recipient, dataset, purpose)]
        | self._scopes[uid][self._key(provider, nobody, dataset, purpose)]
        | self._scopes[uid][self._key(nobody, recipient, dataset, purpose)]
        | self._scopes[uid][self._key(nobody, nobody, dataset, purpose)]
    )


@view
@internal
def _check_stops(uid: bytes32, dataset: bytes32, provider: bytes32, recipient: bytes32):
    assert not stops._is_stopped(uid), "stop: basis stopped"
    assert not stops._is_stopped(dataset), "stop: dataset stopped"
    assert not stops._is_stopped(stops._pair_of(provider, recipient)), "stop: pair stopped"


@pure
@internal
def _key(
    provider: bytes32, recipient: bytes32, dataset: bytes32, purpose: bytes32
) -> bytes32:
    return keccak256(concat(provider, recipient, dataset, purpose))


@pure
@internal
def _hash_change(uid: bytes32, state: uint8, reason: uint8) -> bytes32:
    return keccak256(abi_encode(uid, state, reason))
