# pragma version 0.4.3
"""
@title Who is in office, and who stands in
@license Apache-2.0
@notice Of each seat of a post, the officers who held it, one after the other.
@dev A module of `posts`. Terms of one seat never overlap, so each moment has one holder at most. A
     commitment is salted and serves one term only, so that nobody's terms can be strung together.
"""

import acts
import codes
import completeness
from interfaces import IPosts

uses: acts
uses: completeness

HOLDER: constant(uint256) = 0
LAST_SEAT: constant(uint256) = 4
# A new officer every month lasts for twenty years.
MAX_TERMS: constant(uint256) = 256
# What happened is entered within thirty days, what is to come ninety days before.
LONGEST_DELAY_S: constant(uint256) = 30 * 86400
FARTHEST_AHEAD_S: constant(uint256) = 90 * 86400

# In which capacity somebody is in office.
AS_HOLDER: constant(uint8) = 1
AS_DEPUTY: constant(uint8) = 2


struct Place:
    post: bytes32
    seat: uint256
    index: uint256


# slot 64: post -> seat -> index -> term
_terms: HashMap[bytes32, HashMap[uint256, HashMap[uint256, IPosts.Term]]]
term_counts: HashMap[bytes32, HashMap[uint256, uint256]]
# commitment -> its one term
_places: HashMap[bytes32, Place]
_terms_reserved: uint256[32]


@view
@external
def term_count(uid: bytes32, seat: uint256) -> uint256:
    """
    @notice How many terms a seat has had.
    """
    return self.term_counts[uid][seat]


@view
@external
def term_at(uid: bytes32, seat: uint256, index: uint256) -> IPosts.Term:
    """
    @notice The term at this place of a seat's history, beginning with zero.
    """
    assert index < self.term_counts[uid][seat], "post: no such term"
    return self._terms[uid][seat][index]


@view
@external
def holder_at(uid: bytes32, moment: uint256) -> bytes32:
    """
    @notice The commitment of the officer who held a post at a moment; zero if nobody did.
    """
    return self._find(uid, HOLDER, moment)


@view
@external
def deputies_at(uid: bytes32, moment: uint256) -> DynArray[bytes32, 4]:
    """
    @notice The commitments of the deputies at a moment, in the order in which they stand in.
    """
    deputies: DynArray[bytes32, 4] = []
    for seat: uint256 in range(1, LAST_SEAT + 1):
        found: bytes32 = self._find(uid, seat, moment)
        if found != empty(bytes32):
            deputies.append(found)
    return deputies


@view
@external
def capacity_of(uid: bytes32, commitment: bytes32, moment: uint256) -> uint8:
    """
    @notice As what the officer with this commitment was in office at a moment: 1 as holder, 2 as
            deputy, 0 not at all.
    """
    return self._get_capacity(uid, commitment, moment)


@view
@external
def is_in_office(uid: bytes32, commitment: bytes32, moment: uint256) -> bool:
    """
    @notice Whether the officer with this commitment held the post at a moment, or was a deputy.
    """
    return self._get_capacity(uid, commitment, moment) != 0


@internal
def _begin_term(
    agency: bytes32,
    uid: bytes32,
    seat: uint256,
    appointment: IPosts.Appointment,
    event_time: uint256,
):
    begin: uint256 = self._read_moment(appointment.valid_from)
    assert appointment.commitment != empty(bytes32), "post: officer missing"
    assert appointment.resolution != empty(bytes32), "post: resolution missing"
    assert appointment.valid_until <= codes.LAST_TIME, "post: ends too late"
    assert (
        appointment.valid_until == 0 or appointment.valid_until > begin
    ), "post: ends before it begins"
    assert not self._ends_after(uid, seat, begin), "post: seat is taken"
    assert (
        self._places[appointment.commitment].post == empty(bytes32)
    ), "post: commitment already used"
    index: uint256 = self.term_counts[uid][seat]
    assert index < MAX_TERMS, "post: too many terms"
    self._places[appointment.commitment] = Place(post=uid, seat=seat, index=index)
    self._terms[uid][seat][index] = IPosts.Term(
        commitment=appointment.commitment,
        valid_from=begin,
        valid_until=appointment.valid_until,
        resolution=appointment.resolution,
        block_number=block.number,
    )
    self.term_counts[uid][seat] = index + 1
    log IPosts.TermBegun(
        uid=uid,
        agency=agency,
        seat=seat,
        number=index,
        commitment=appointment.commitment,
        valid_from=begin,
        valid_until=appointment.valid_until,
        resolution=appointment.resolution,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(
            agency, codes.KIND_TERM, self._get_term_uid(uid, seat, index), codes.ACTIVE
        ),
    )


@internal
def _end_term(
    agency: bytes32,
    uid: bytes32,
    seat: uint256,
    moment: uint256,
    resolution: bytes32,
    event_time: uint256,
):
    index: uint256 = self.term_counts[uid][seat] - 1
    begin: uint256 = self._terms[uid][seat][index].valid_from
    # A term may end where it begins, if the officer never took the post.
    assert moment >= begin, "post: ends before it begins"
    self._terms[uid][seat][index].valid_until = moment
    log IPosts.TermEnded(
        uid=uid,
        agency=agency,
        seat=seat,
        number=index,
        valid_until=moment,
        resolution=resolution,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(
            agency, codes.KIND_TERM, self._get_term_uid(uid, seat, index), codes.REVOKED
        ),
    )


@view
@internal
def _ends_after(uid: bytes32, seat: uint256, moment: uint256) -> bool:
    """
    @return Whether a seat has a term whose end is later than this moment.
    """
    if self.term_counts[uid][seat] == 0:
        return False
    end: uint256 = self._get_latest(uid, seat).valid_until
    return end == 0 or end > moment


@view
@internal
def _get_latest(uid: bytes32, seat: uint256) -> IPosts.Term:
    return self._terms[uid][seat][self.term_counts[uid][seat] - 1]


@view
@internal
def _find(uid: bytes32, seat: uint256, moment: uint256) -> bytes32:
    """
    @dev From the latest term back; terms of one seat do not overlap.
    """
    count: uint256 = self.term_counts[uid][seat]
    for i: uint256 in range(count, bound=MAX_TERMS):
        index: uint256 = count - 1 - i
        if self._terms[uid][seat][index].valid_from <= moment:
            end: uint256 = self._terms[uid][seat][index].valid_until
            if end == 0 or moment < end:
                return self._terms[uid][seat][index].commitment
            # A term that never began hides none before it.
            if end != self._terms[uid][seat][index].valid_from:
                return empty(bytes32)
    return empty(bytes32)


@view
@internal
def _get_capacity(uid: bytes32, commitment: bytes32, moment: uint256) -> uint8:
    place: Place = self._places[commitment]
    if place.post == empty(bytes32) or place.post != uid:
        return 0
    term: IPosts.Term = self._terms[uid][place.seat][place.index]
    if moment < term.valid_from or (term.valid_until != 0 and moment >= term.valid_until):
        return 0
    return AS_HOLDER if place.seat == HOLDER else AS_DEPUTY


@view
@internal
def _read_moment(given: uint256) -> uint256:
    moment: uint256 = given if given != 0 else block.timestamp
    assert moment + LONGEST_DELAY_S >= block.timestamp, "post: too long ago"
    assert moment <= block.timestamp + FARTHEST_AHEAD_S, "post: too far ahead"
    return moment


@pure
@internal
def _get_term_uid(uid: bytes32, seat: uint256, index: uint256) -> bytes32:
    return keccak256(concat(uid, convert(seat, bytes32), convert(index, bytes32)))
