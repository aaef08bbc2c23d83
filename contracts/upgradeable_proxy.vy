# pragma version 0.4.3
"""
@title A fixed address whose code can be replaced by vote
@license Apache-2.0
@notice Records live at this address for good. The code that guards them is kept elsewhere, and is
        replaced only when the agency registry carries out a vote of the agencies.
@dev A proxy after ERC-1967: the implementation's address is in slot
     keccak256("eip1967.proxy.implementation") - 1, set by `upgradeable_proxy.layout.json`, so it
     never meets the implementation's own storage; who wants to know it reads that slot. Every call
     but the registry's order is passed on with all of its data; what comes back, answer or revert,
     is passed through unchanged. An answer may have up to MAX_ANSWER bytes; no view of the ledger
     returns more.
"""

from interfaces import IUpgradeable

MAX_ANSWER: constant(uint256) = 4096
UPGRADE_TO: constant(Bytes[4]) = method_id("upgrade_to(address)")

REGISTRY: immutable(address)

_implementation: address


@deploy
def __init__(registry: address, first_implementation: address):
    """
    @param registry The one address that may order an upgrade: the proxy of the agency registry.
    @param first_implementation The contract whose code serves this address from the beginning.
    """
    REGISTRY = registry
    self._set_implementation(first_implementation)


@payable
@external
@raw_return
def __default__() -> Bytes[MAX_ANSWER]:
    """
    @notice Runs the implementation's code on this address's records. The agency registry alone can
            order `upgrade_to(address)`, and it does so only to carry out a vote.
    @dev There is no other function, so every call is passed on without a search for its name.
         `raw_call` hands a revert on with its data.
    """
    if msg.sender == REGISTRY:
        if len(msg.data) == 36 and slice(msg.data, 0, 4) == UPGRADE_TO:
            self._set_implementation(abi_decode(slice(msg.data, 4, 32), address))
            return b""
    return raw_call(
        self._implementation, msg.data, max_outsize=MAX_ANSWER, is_delegate_call=True
    )


@internal
def _set_implementation(new_implementation: address):
    assert new_implementation.is_contract, "proxy: no code there"
    self._implementation = new_implementation
    log IUpgradeable.Upgraded(implementation=new_implementation)
