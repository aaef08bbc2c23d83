# pragma version 0.4.3
"""
@title Who may act for whom
@license Apache-2.0
@notice An agency records offices, powers and guardianships. What is out of scope, over the limit or
        out of term is refused. When an association elects a new board, one step ends the offices of
        the old one at the effective time and installs the new ones; powers that the old board gave
        survive unless they are listed. Nobody hands a power on unless it says that it may be.
@dev Every office carries the number of its board. A succession notes from when the next board is in
     office, so all offices of the old one end then, however many there are, without a list of them.
     Composed of `completeness` (slots 0 to 31), `acts` (32 to 63) and `mandate_book`.
"""

import acts
import codes
import completeness
import mandate_book
from interfaces import IActs
from interfaces import IMandates

implements: IMandates
initializes: completeness
initializes: acts[completeness := completeness]
initializes: mandate_book[acts := acts]
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)
exports: (mandate_book.mandate, mandate_book.check)

# As many as fit into one transaction.
MAX_ENTRIES: constant(uint256) = 8
MAX_ENDED: constant(uint256) = 16

_bodies: HashMap[bytes32, IMandates.Body]
_successions: HashMap[bytes32, bool]
_reserved: uint256[32]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    """
    acts.__init__(registry, salt, late_after_s)


@external
def record(entries: DynArray[IMandates.Entry, MAX_ENTRIES], event_time: uint256):
    """
    @notice Records mandates, one or several at once; either all of them are recorded or none.
    @param entries For each a uid, and: kind (1 office, 2 power, 3 guardianship), body (for an
                   office), commitments to grantor and grantee, scope and hash of its list, limit,
                   term, the mandate that is handed on (for a sub-delegation), whether it may be
                   handed on, commitment to the full record.
    """
    agency: bytes32 = empty(bytes32)
    index: uint256 = 0
    agency, index = acts._authorise_indexed(codes.EXCHANGE, event_time)
    assert len(entries) != 0, "mandate: nothing to record"
    for entry: IMandates.Entry in entries:
        body: bytes32 = entry.terms.body
        board: uint256 = 0
        if entry.terms.kind == mandate_book.OFFICE:
            assert body != empty(bytes32), "mandate: body missing"
            if self._bodies[body].keeper == empty(bytes32):
                self._bodies[body] = IMandates.Body(keeper=agency, board=1, effective=0)
            board = self._bodies[body].board
        self._record(agency, index, entry, board, event_time)


@external
def end(uid: bytes32, reason: uint8, event_time: uint256):
    """
    @notice Ends a mandate at once. Only the agency that recorded it.
    """
    agency: bytes32 = empty(bytes32)
    index: uint256 = 0
    agency, index = acts._authorise_indexed(codes.EXCHANGE, event_time)
    assert reason != codes.NO_REASON, "mandate: reason missing"
    assert reason <= codes.LAST_REASON, "mandate: unknown reason"
    self._end(agency, index, uid, reason, event_time)


@external
def succeed(
    uid: bytes32,
    body: bytes32,
    effective: uint256,
    resolution: bytes32,
    ended: DynArray[bytes32, MAX_ENDED],
    entries: DynArray[IMandates.Entry, MAX_ENTRIES],
    event_time: uint256,
):
    """
    @notice Ends all offices of a body's board at the effective time and installs the next board, in
            one step. Powers survive, but for those that are listed. The agency that keeps the body
            does so.
    @param uid 32 random bytes, never used before.
    @param effective From when the new board is in office, in seconds.
    @param resolution Commitment to the record of the election.
    @param ended The powers that end with the old board.
    @param entries The offices of the new board.
    """
    agency: bytes32 = empty(bytes32)
    index: uint256 = 0
    agency, index = acts._authorise_indexed(codes.EXCHANGE, event_time)
    assert uid != empty(bytes32), "succession: uid missing"
    assert not self._successions[uid], "succession: uid already used"
    assert self._bodies[body].keeper != empty(bytes32), "succession: unknown body"
    assert self._bodies[body].keeper == agency, "succession: not yours"
    assert effective > self._bodies[body].effective, "succession: before the last one"
    assert effective <= codes.LAST_TIME, "succession: too late"
    assert resolution != empty(bytes32), "succession: resolution missing"
    assert len(entries) != 0, "succession: nobody installed"
    self._successions[uid] = True
    board: uint256 = self._bodies[body].board + 1
    self._bodies[body].board = board
    self._bodies[body].effective = effective
    mandate_book.effective[body][board] = effective
    log IMandates.BoardSucceeded(
        uid=uid,
        agency=agency,
        body=body,
        board=board,
        effective=effective,
        resolution=resolution,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_SUCCESSION, uid, codes.ACTIVE),
    )
    for mandate_uid: bytes32 in ended:
        assert (
            mandate_book._get_kind(mandate_uid) == mandate_book.POWER
        ), "succession: only powers are listed"
        assert mandate_book.mandates[mandate_uid].body == body, "succession: of another body"
        self._end(agency, index, mandate_uid, codes.REASON_SUPERSEDED, event_time)
    for entry: IMandates.Entry in entries:
        assert entry.terms.kind == mandate_book.OFFICE, "succession: only offices are installed"
        assert entry.terms.body == body, "succession: of another body"
        assert entry.terms.valid_from >= effective, "succession: in office too early"
        self._record(agency, index, entry, board, event_time)


@view
@external
def body(uid: bytes32) -> IMandates.Body:
    """
    @notice Which agency keeps a body, the number of its latest board, and from when that is in
            office.
    """
    return self._bodies[uid]


# ------------------------------------------------------------------ rules


@internal
def _record(
    agency: bytes32, index: uint256, entry: IMandates.Entry, board: uint256, event_time: uint256
):
    uid: bytes32 = entry.uid
    assert uid != empty(bytes32), "mandate: uid missing"
    assert mandate_book.mandates[uid].facts == 0, "mandate: uid already used"
    self._check_terms(agency, entry.terms)
    if entry.terms.parent != empty(bytes32):
        mandate_book._check_delegation(entry.terms)
    mandate_book._store(index, entry, board, event_time)
    log IMandates.MandateRecorded(
        uid=uid,
        agency=agency,
        body=entry.terms.body,
        terms=entry.terms,
        board=board,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_MANDATE, uid, codes.ACTIVE),
    )


@internal
def _end(
    agency: bytes32, index: uint256, uid: bytes32, reason: uint8, event_time: uint256
):
    mandate_book._revoke(index, uid, reason)
    log IMandates.MandateEnded(
        uid=uid,
        agency=agency,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(agency, codes.KIND_MANDATE, uid, codes.REVOKED),
    )


@view
@internal
def _check_terms(agency: bytes32, terms: IMandates.MandateTerms):
    assert (
        terms.kind >= mandate_book.OFFICE and terms.kind <= mandate_book.GUARDIANSHIP
    ), "mandate: unknown kind"
    assert terms.grantor != empty(bytes32), "mandate: grantor missing"
    assert terms.grantee != empty(bytes32), "mandate: grantee missing"
    assert terms.scope != 0, "mandate: scope missing"
    assert terms.scope_list_hash != empty(bytes32), "mandate: list of acts missing"
    assert terms.record != empty(bytes32), "mandate: record missing"
    assert terms.valid_from <= codes.LAST_TIME, "mandate: begins too late"
    assert terms.valid_until <= codes.LAST_TIME, "mandate: ends too late"
    assert (
        terms.valid_until == 0 or terms.valid_until > terms.valid_from
    ), "mandate: ends before it begins"
    if terms.kind == mandate_book.OFFICE:
        assert self._bodies[terms.body].keeper == agency, "mandate: another agency keeps the body"
    if terms.kind != mandate_book.POWER:
        assert not terms.may_delegate, "mandate: only powers are handed on"
        assert terms.parent == empty(bytes32), "mandate: only powers are handed on"
