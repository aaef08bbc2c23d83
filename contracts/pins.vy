# pragma version 0.4.3
"""
@title The certificates of the agencies' nodes
@license Apache-2.0
@notice Whose node has a certificate with which fingerprint, and from when to when. Nodes talk only
        to nodes with a live certificate. Each agency changes its own.
@dev A module of `agency_registry`. A fingerprint is the SHA-256 of the certificate's public key.
"""

import acts
import agencies
import codes
import keys
from interfaces import IAgencyRegistry

uses: acts
uses: agencies
uses: keys

# Nodes read all pins at each change of the register, so no agency can fill it.
MAX_AGENCY_PINS: constant(uint256) = 128

_agency_pin_count: HashMap[bytes32, uint256]
_pins: HashMap[bytes32, IAgencyRegistry.Pin]
_pin_list: HashMap[uint256, bytes32]
_pin_count: uint256
_pins_reserved: uint256[32]


@view
@external
def pin(fingerprint: bytes32) -> IAgencyRegistry.Pin:
    """
    @notice Whose node has a certificate with this fingerprint, and from when to when.
    """
    return self._pins[fingerprint]


@view
@external
def pin_count() -> uint256:
    """
    @notice How many certificates were ever entered.
    """
    return self._pin_count


@view
@external
def pin_at(index: uint256) -> bytes32:
    """
    @notice The fingerprint entered at this place, beginning with zero.
    """
    assert index < self._pin_count, "pin: no such index"
    return self._pin_list[index]


@external
def add_own_pin(fingerprint: bytes32, valid_from: uint256, valid_until: uint256):
    """
    @notice Enters a further certificate for the nodes of the caller's own agency, beside the old
            one, so that a change of certificates interrupts nothing.
    """
    own: bytes32 = keys._authorise(acts._actor(), codes.ADMIN)[0]
    self._add_pin(own, fingerprint, valid_from, valid_until)


@external
def withdraw_own_pin(fingerprint: bytes32):
    """
    @notice Ends a certificate of the caller's own agency at once.
    """
    own: bytes32 = keys._authorise(acts._actor(), codes.ADMIN)[0]
    assert self._pins[fingerprint].agency == own, "pin: not yours"
    self._withdraw_pin(fingerprint)


@internal
def _add_pin(agency_id: bytes32, fingerprint: bytes32, valid_from: uint256, valid_until: uint256):
    assert agencies.facts_of[agency_id] != 0, "agency: unknown"
    assert fingerprint != empty(bytes32), "pin: fingerprint missing"
    assert self._pins[fingerprint].agency == empty(bytes32), "pin: already entered"
    agencies._check_interval(valid_from, valid_until)
    count: uint256 = self._agency_pin_count[agency_id]
    assert count < MAX_AGENCY_PINS, "pin: too many"
    self._agency_pin_count[agency_id] = count + 1
    position: uint256 = self._pin_count
    self._pin_list[position] = fingerprint
    self._pin_count = position + 1
    self._pins[fingerprint] = IAgencyRegistry.Pin(
        agency=agency_id, valid_from=valid_from, valid_until=valid_until
    )
    log IAgencyRegistry.PinAdded(
        agency=agency_id, pin=fingerprint, valid_from=valid_from, valid_until=valid_until
    )


@internal
def _withdraw_pin(fingerprint: bytes32):
    stored: IAgencyRegistry.Pin = self._pins[fingerprint]
    assert stored.agency != empty(bytes32), "pin: unknown"
    assert stored.valid_until == 0 or stored.valid_until > block.timestamp, "pin: already ended"
    self._pins[fingerprint].valid_until = block.timestamp
    log IAgencyRegistry.PinWithdrawn(agency=stored.agency, pin=fingerprint)
