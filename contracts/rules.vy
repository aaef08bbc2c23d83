# pragma version 0.4.3
"""
@title The rules of deciding that the agencies set themselves
@license Apache-2.0
@notice More than how many of the agencies decide, and for how long a decision waits before it is
        carried out, so that everybody can still object. The agencies change these rules by a
        decision, within bounds that no decision can move.
@dev A module of `agency_registry`. Zero in storage means what the ledger has without a decision: no
     waiting, more than half.
"""

import agencies
from interfaces import IAgencyRegistry

# How long what has passed waits depends on its kind. Urgent is what ends something that may do harm
# every minute (kinds 2, 7, 9, 11, 17); grave is what changes the rules themselves (12, 13, 15, 16).
URGENT_KINDS: constant(uint256) = 2**2 + 2**7 + 2**9 + 2**11 + 2**17
GRAVE_KINDS: constant(uint256) = 2**12 + 2**13 + 2**15 + 2**16
# A stolen key must not stay for long, and no rule may become unchangeable.
LONGEST_URGENT_DELAY_S: constant(uint256) = 3 * 86400
LONGEST_DELAY_S: constant(uint256) = 90 * 86400

# "More than so many percent". Never less than half; and more than three quarters would let a few
# agencies that are lost stop all others for good.
LEAST_PERCENT: constant(uint256) = 50
MOST_PERCENT: constant(uint256) = 75

urgent_delay: uint256
ordinary_delay: uint256
grave_delay: uint256
total_percent: uint256
jurisdiction_percent: uint256
_rules_reserved: uint256[27]


@view
@external
def delay_of(kind: uint8) -> uint256:
    """
    @notice For how many seconds a decision of this kind waits after it has passed.
    """
    return self._delay_of(kind)


@internal
def _set_delays(urgent: uint256, ordinary: uint256, grave: uint256):
    assert urgent <= LONGEST_URGENT_DELAY_S, "rules: urgent delay too long"
    assert urgent <= ordinary and ordinary <= grave, "rules: delays out of order"
    assert grave <= LONGEST_DELAY_S, "rules: delay too long"
    assert (
        urgent != self.urgent_delay
        or ordinary != self.ordinary_delay
        or grave != self.grave_delay
    ), "rules: unchanged"
    self.urgent_delay = urgent
    self.ordinary_delay = ordinary
    self.grave_delay = grave
    log IAgencyRegistry.DelaysChanged(
        urgent_delay=urgent, ordinary_delay=ordinary, grave_delay=grave
    )


@internal
def _set_threshold(total: uint256, jurisdiction: uint256):
    assert min(total, jurisdiction) >= LEAST_PERCENT, "rules: less than half"
    assert max(total, jurisdiction) <= MOST_PERCENT, "rules: threshold too high"
    assert (
        total != self._get_total_percent() or jurisdiction != self._get_jurisdiction_percent()
    ), "rules: unchanged"
    self.total_percent = total
    self.jurisdiction_percent = jurisdiction
    log IAgencyRegistry.ThresholdChanged(
        total_percent=total, jurisdiction_percent=jurisdiction
    )


@view
@internal
def _delay_of(kind: uint8) -> uint256:
    bit: uint256 = 1 << convert(kind, uint256)
    if URGENT_KINDS & bit != 0:
        return self.urgent_delay
    if GRAVE_KINDS & bit != 0:
        return self.grave_delay
    return self.ordinary_delay


@view
@internal
def _get_total_percent() -> uint256:
    return max(self.total_percent, LEAST_PERCENT)


@view
@internal
def _get_jurisdiction_percent() -> uint256:
    return max(self.jurisdiction_percent, LEAST_PERCENT)


@pure
@internal
def _is_enough(approvals: uint256, voters: uint256, percent: uint256) -> bool:
    return (
        agencies._popcount(approvals & voters) * 100 > agencies._popcount(voters) * percent
    )
