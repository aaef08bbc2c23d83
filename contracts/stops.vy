# pragma version 0.4.3
"""
@title What the supervisor has stopped
@license Apache-2.0
@notice The data-protection authority stops a dataset, all exchange between two agencies, or a legal
        basis, by a decision with an end date. While a stop lasts nothing is asked, approved or
        released. Who made a stop can lift it earlier.
@dev A module of `bases`. Several stops of one subject form a chain from the latest to the earliest.
"""

import acts
import codes
import completeness
from interfaces import IBases

uses: acts
uses: completeness

STOP_DATASET: constant(uint8) = 1
STOP_PAIR: constant(uint8) = 2
STOP_BASIS: constant(uint8) = 3
# Every question walks over the stops of a subject.
MAX_STOPS: constant(uint256) = 8
LONGEST_STOP_S: constant(uint256) = 10 * 366 * 86400

_stops: HashMap[bytes32, IBases.Stop]
# subject -> the latest stop of it that was not lifted
_latest_stops: HashMap[bytes32, bytes32]
_stops_reserved: uint256[30]


@external
def stop(
    uid: bytes32,
    kind: uint8,
    subject: bytes32,
    until: uint256,
    decision_hash: bytes32,
    event_time: uint256,
):
    """
    @notice Stops a dataset (1), a pair of agencies (2) or a legal basis (3) until a date.
    @param subject The uid of the dataset or basis; for a pair what `pair_of` answers.
    @param decision_hash Hash of the supervisor's decision.
    """
    supervisor: bytes32 = acts._authorise(codes.SUPERVISE, event_time)
    assert uid != empty(bytes32), "stop: uid missing"
    assert self._stops[uid].state == 0, "stop: uid already used"
    assert kind >= STOP_DATASET and kind <= STOP_BASIS, "stop: unknown kind"
    assert subject != empty(bytes32), "stop: subject missing"
    assert decision_hash != empty(bytes32), "stop: decision missing"
    assert until > block.timestamp, "stop: already over"
    assert until <= block.timestamp + LONGEST_STOP_S, "stop: ends too late"
    previous: bytes32 = self._drop_ended(subject)
    self._stops[uid] = IBases.Stop(
        entered_by=supervisor,
        kind=kind,
        subject=subject,
        until=until,
        decision_hash=decision_hash,
        state=codes.ACTIVE,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
        previous=previous,
    )
    self._latest_stops[subject] = uid
    log IBases.Stopped(
        uid=uid,
        entered_by=supervisor,
        subject=subject,
        kind=kind,
        until=until,
        decision_hash=decision_hash,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(supervisor, codes.KIND_STOP, uid, codes.ACTIVE),
    )


@external
def lift(uid: bytes32, event_time: uint256):
    """
    @notice Ends a stop before its date. Only the supervisor who made it may do so.
    """
    supervisor: bytes32 = acts._authorise(codes.SUPERVISE, event_time)
    assert self._stops[uid].state != 0, "stop: unknown"
    assert self._stops[uid].entered_by == supervisor, "stop: not yours"
    assert self._stops[uid].state == codes.ACTIVE, "stop: already lifted"
    assert block.timestamp < self._stops[uid].until, "stop: already over"
    self._stops[uid].state = codes.REVOKED
    self._stops[uid].state_block = block.number
    log IBases.StopLifted(
        uid=uid,
        entered_by=supervisor,
        subject=self._stops[uid].subject,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(supervisor, codes.KIND_STOP, uid, codes.REVOKED),
    )


@view
@external
def stop_record(uid: bytes32) -> IBases.Stop:
    """
    @notice What is recorded of a stop; all zero if there is none.
    """
    return self._stops[uid]


@view
@external
def is_stopped(subject: bytes32) -> bool:
    """
    @notice Whether a dataset, pair or basis is stopped now.
    """
    return self._is_stopped(subject)


@pure
@external
def pair_of(one: bytes32, other: bytes32) -> bytes32:
    """
    @notice The subject that stands for two agencies, in whichever order they are named.
    """
    return self._pair_of(one, other)


@view
@internal
def _is_stopped(subject: bytes32) -> bool:
    uid: bytes32 = self._latest_stops[subject]
    for _: uint256 in range(MAX_STOPS):
        if uid == empty(bytes32):
            return False
        if self._is_in_force(uid):
            return True
        uid = self._stops[uid].previous
    return False


@internal
def _drop_ended(subject: bytes32) -> bytes32:
    """
    @return The latest stop that is still in force; the ended ones in front of it leave the chain.
    """
    uid: bytes32 = self._latest_stops[subject]
    first: bytes32 = empty(bytes32)
    for i: uint256 in range(MAX_STOPS):
        if uid == empty(bytes32):
            return first
        if first == empty(bytes32) and self._is_in_force(uid):
            first = uid
        uid = self._stops[uid].previous
    # As many as are walked over: with one more the earliest would be overlooked.
    assert first == empty(bytes32), "stop: too many"
    return first


@view
@internal
def _is_in_force(uid: bytes32) -> bool:
    return self._stops[uid].state == codes.ACTIVE and block.timestamp < self._stops[uid].until


@pure
@internal
def _pair_of(one: bytes32, other: bytes32) -> bytes32:
    if convert(one, uint256) < convert(other, uint256):
        return keccak256(concat(one, other))
    return keccak256(concat(other, one))
