# pragma version 0.4.3
"""
@title Pauses of single agencies
@license Apache-2.0
@notice An agency stops its own writes at once when something is wrong with it, and goes on when it
        chooses. The data-protection authority of its jurisdiction can stop it too, by a decision
        and for thirty days at most. Nobody can stop so many agencies that the ledger stands still.
@dev A module of `agency_registry`. While an agency is paused its keys can still rule its house
     (`ADMIN`) and vote (`GOVERN`); its validators go on sealing and its past acts stand. Both ends
     are kept in the agency's facts, so asking for them costs an act nothing.

     A supervisor's pauses leave more than half of the active agencies at work, in total and in its
     jurisdiction. Those that paused themselves count as at work, or a friend that pauses itself
     would protect an agency from its supervisor. See docs/adr/0003-pauses.md.
"""

import acts
import agencies
import codes
import keys
from interfaces import IAgencyRegistry

uses: acts
uses: agencies
uses: keys

LONGEST_PAUSE_S: constant(uint256) = 30 * 86400
# After a supervisor's pause the agency works for at least so long before the next one: who wants
# more than that needs the vote of all.
REST_S: constant(uint256) = 30 * 86400


struct StoredPause:
    paused_by: bytes32
    begun: uint256
    decision_hash: bytes32
    rests_until: uint256


# the latest pause of each agency by a supervisor
_pauses: HashMap[bytes32, StoredPause]
# agencies that a supervisor has paused, one bit each; some of these pauses may be over
_paused: uint256
_pauses_reserved: uint256[32]


@external
def pause_own(until: uint256):
    """
    @notice Stops all writes of the caller's own agency at once; its votes and its keys stay.
    @param until When it works again by itself, in seconds; zero for until it resumes.
    """
    own: bytes32 = self._authorise_house()
    assert until == 0 or until > block.timestamp, "pause: already over"
    assert until <= codes.LAST_TIME, "pause: ends too late"
    agencies._set_pause(
        own, agencies.OWN_PAUSE_AT, until if until != 0 else codes.LAST_TIME
    )
    log IAgencyRegistry.AgencyPausedItself(agency=own, until=until, key=acts._actor())


@external
def resume_own():
    """
    @notice Ends the pause that the caller's own agency has put on itself.
    """
    own: bytes32 = self._authorise_house()
    until: uint256 = (
        agencies.facts_of[own] >> agencies.OWN_PAUSE_AT
    ) & agencies.LOW_48
    assert block.timestamp < until, "pause: none"
    agencies._set_pause(own, agencies.OWN_PAUSE_AT, 0)
    log IAgencyRegistry.AgencyResumed(agency=own, key=acts._actor())


@external
def pause_agency(agency_id: bytes32, until: uint256, decision_hash: bytes32):
    """
    @notice Stops all writes of an agency of the supervisor's own jurisdiction, for thirty days at
            most. The agency still votes, and the agencies' vote can end the pause at any time.
    @param decision_hash Hash of the supervisor's decision.
    """
    supervisor: bytes32 = keys._authorise(acts._actor(), codes.SUPERVISE)[0]
    facts: uint256 = agencies.facts_of[agency_id]
    assert agencies._is_active(agency_id), "agency: not active"
    assert agency_id != supervisor, "pause: your own agency"
    place: uint256 = (facts >> agencies.JURISDICTION_AT) & agencies.BYTE
    assert place == (
        agencies.facts_of[supervisor] >> agencies.JURISDICTION_AT
    ) & agencies.BYTE, "pause: another jurisdiction"
    assert decision_hash != empty(bytes32), "pause: decision missing"
    assert until > block.timestamp, "pause: already over"
    assert until <= block.timestamp + LONGEST_PAUSE_S, "pause: ends too late"
    assert block.timestamp >= self._pauses[agency_id].rests_until, "pause: again too soon"
    paused: uint256 = self._drop_ended() | (1 << ((facts >> agencies.INDEX_AT) & agencies.INDEX))
    self._check_at_work(paused, agencies.active)
    self._check_at_work(paused, agencies.members[place] & agencies.active)
    self._paused = paused
    self._pauses[agency_id] = StoredPause(
        paused_by=supervisor,
        begun=block.timestamp,
        decision_hash=decision_hash,
        rests_until=until + REST_S,
    )
    agencies._set_pause(agency_id, agencies.PAUSE_AT, until)
    log IAgencyRegistry.AgencyPaused(
        agency=agency_id,
        paused_by=supervisor,
        until=until,
        decision_hash=decision_hash,
        key=acts._actor(),
    )


@external
def lift_pause(agency_id: bytes32):
    """
    @notice Ends a pause before its date. Only the supervisor that made it does so alone; otherwise
            the agencies decide.
    """
    supervisor: bytes32 = keys._authorise(acts._actor(), codes.SUPERVISE)[0]
    assert self._pauses[agency_id].paused_by == supervisor, "pause: not yours"
    self._lift(agency_id)


@view
@external
def pause(agency_id: bytes32) -> IAgencyRegistry.Pause:
    """
    @notice Until when an agency has paused itself, and until when and by whose decision it was
            paused last; ends that lie in the past are over.
    """
    facts: uint256 = agencies.facts_of[agency_id]
    stored: StoredPause = self._pauses[agency_id]
    return IAgencyRegistry.Pause(
        own_until=(facts >> agencies.OWN_PAUSE_AT) & agencies.LOW_48,
        until=(facts >> agencies.PAUSE_AT) & agencies.LOW_48,
        paused_by=stored.paused_by,
        begun=stored.begun,
        decision_hash=stored.decision_hash,
        rests_until=stored.rests_until,
    )


@view
@external
def is_paused(agency_id: bytes32) -> bool:
    """
    @notice Whether an agency writes nothing now, by its own choice or its supervisor's.
    """
    return agencies._is_paused(agencies.facts_of[agency_id])


@internal
def _lift(agency_id: bytes32):
    until: uint256 = (
        agencies.facts_of[agency_id] >> agencies.PAUSE_AT
    ) & agencies.LOW_48
    assert block.timestamp < until, "pause: none"
    agencies._set_pause(agency_id, agencies.PAUSE_AT, block.timestamp)
    self._pauses[agency_id].rests_until = block.timestamp + REST_S
    log IAgencyRegistry.PauseLifted(
        agency=agency_id, paused_by=self._pauses[agency_id].paused_by
    )


@view
@internal
def _authorise_house() -> bytes32:
    """
    @return The agency of the sender, which holds `ADMIN` or `GOVERN`.
    """
    if keys._live_roles(acts._actor()) & codes.ADMIN != 0:
        return keys._authorise(acts._actor(), codes.ADMIN)[0]
    return keys._authorise(acts._actor(), codes.GOVERN)[0]


@view
@internal
def _drop_ended() -> uint256:
    """
    @return The agencies whose pause by a supervisor is not over, one bit each.
    """
    paused: uint256 = self._paused
    for i: uint256 in range(agencies.admitted, bound=agencies.MAX_AGENCIES):
        if paused & (1 << i) != 0:
            facts: uint256 = agencies.facts_of[agencies._agency_ids[i]]
            if block.timestamp >= (facts >> agencies.PAUSE_AT) & agencies.LOW_48:
                paused &= ~(1 << i)
    return paused


@pure
@internal
def _check_at_work(paused: uint256, active: uint256):
    at_work: uint256 = agencies._popcount(active & ~paused)
    assert at_work * 2 > agencies._popcount(active), "pause: too few left at work"
