# pragma version 0.4.3
"""
@title The instruments under which data may leave a jurisdiction
@license Apache-2.0
@notice A standard contract, an assessment or a permit that the supervisor has on file, for one
        provider, one recipient, one direction and one dataset.
@dev A module of `bases`. The direction is from the provider to the recipient.
"""

import acts
import codes
import completeness
from interfaces import IBases

uses: acts
uses: completeness

CONTRACT: constant(uint8) = 1
ASSESSMENT: constant(uint8) = 2
PERMIT: constant(uint8) = 3

_instruments: HashMap[bytes32, IBases.Instrument]
_instruments_reserved: uint256[31]


@external
def enter_instrument(uid: bytes32, terms: IBases.InstrumentTerms, event_time: uint256):
    """
    @notice Records an instrument. The supervisor does, and never for its own agency's exchanges.
    @param terms Kind (1 contract, 2 assessment, 3 permit), commitment to the filing, hash of the
                 assessment, provider, recipient, dataset, whether the recipient may hand the data
                 on, and from when to when.
    """
    supervisor: bytes32 = acts._authorise(codes.SUPERVISE, event_time)
    assert uid != empty(bytes32), "instrument: uid missing"
    assert self._instruments[uid].state == 0, "instrument: uid already used"
    assert terms.kind >= CONTRACT and terms.kind <= PERMIT, "instrument: unknown kind"
    assert terms.filing != empty(bytes32), "instrument: filing missing"
    assert terms.dataset != empty(bytes32), "instrument: dataset missing"
    assert staticcall acts.REGISTRY.is_active(terms.provider), "instrument: provider not active"
    assert staticcall acts.REGISTRY.is_active(terms.recipient), "instrument: recipient not active"
    assert (
        supervisor != terms.provider and supervisor != terms.recipient
    ), "instrument: entered by its user"
    assert (
        terms.valid_until == 0 or terms.valid_until > terms.valid_from
    ), "instrument: ends before it begins"
    self._instruments[uid] = IBases.Instrument(
        entered_by=supervisor,
        terms=terms,
        state=codes.ACTIVE,
        reason=codes.NO_REASON,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
    )
    log IBases.InstrumentEntered(
        uid=uid,
        entered_by=supervisor,
        terms=terms,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(supervisor, codes.KIND_INSTRUMENT, uid, codes.ACTIVE),
    )


@external
def set_instrument_state(uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    """
    @notice Suspends, reinstates or ends an instrument. Only the supervisor who entered it.
    """
    supervisor: bytes32 = acts._authorise(codes.SUPERVISE, event_time)
    before: uint8 = self._instruments[uid].state
    assert before != 0, "instrument: unknown"
    assert self._instruments[uid].entered_by == supervisor, "instrument: not yours"
    self._check_change(before, state, reason)
    self._instruments[uid].state = state
    self._instruments[uid].reason = reason
    self._instruments[uid].state_block = block.number
    log IBases.InstrumentStateChanged(
        uid=uid,
        agency=supervisor,
        state=state,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(supervisor, codes.KIND_INSTRUMENT, uid, state),
    )


@view
@external
def instrument(uid: bytes32) -> IBases.Instrument:
    """
    @notice What is recorded of an instrument; all zero if there is none.
    """
    return self._instruments[uid]


@view
@external
def check_onward(uid: bytes32) -> bool:
    """
    @notice Refuses with the reason unless what came under this instrument may be handed on by who
            received it, in this block.
    @return True.
    """
    self._check_in_force(uid)
    assert self._instruments[uid].terms.is_onward_allowed, "instrument: not to be handed on"
    return True


@view
@internal
def _check_instrument(uid: bytes32, provider: bytes32, recipient: bytes32, dataset: bytes32):
    assert uid != empty(bytes32), "instrument: missing"
    self._check_in_force(uid)
    terms: IBases.InstrumentTerms = self._instruments[uid].terms
    assert terms.provider == provider, "instrument: not for this direction"
    assert terms.recipient == recipient, "instrument: not for this recipient"
    assert terms.dataset == dataset, "instrument: not for this dataset"


@view
@internal
def _check_in_force(uid: bytes32):
    state: uint8 = self._instruments[uid].state
    assert state != 0, "instrument: unknown"
    assert state == codes.ACTIVE, "instrument: not in force"
    assert (
        block.timestamp >= self._instruments[uid].terms.valid_from
    ), "instrument: not live yet"
    valid_until: uint256 = self._instruments[uid].terms.valid_until
    assert valid_until == 0 or block.timestamp < valid_until, "instrument: expired"


@pure
@internal
def _check_change(before: uint8, state: uint8, reason: uint8):
    """
    @dev For bases and instruments alike.
    """
    assert before <= codes.SUSPENDED, "law: state is final"
    assert state != before, "law: state unchanged"
    assert state >= codes.ACTIVE and state <= codes.REVOKED, "law: state not allowed"
    assert reason != codes.NO_REASON, "law: reason missing"
    assert reason <= codes.LAST_REASON, "law: unknown reason"
