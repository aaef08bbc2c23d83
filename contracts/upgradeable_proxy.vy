# pragma version 0.4.3
"""
@title A fixed address whose code can be replaced by vote
@license Apache-2.0
@notice Records live at this address for good. The code that guards them is kept elsewhere, and is
        replaced only when the agency registry carries out a vote of the agencies.
@dev A proxy after ERC-1967: the implementation's address is in slot
     keccak256("eip1967.proxy.implementation") - 1, set by `upgradeable_proxy.layout.json`, so it
     never meets the implementation's own storage. Every call but the two below is passed on with
     all of its data; what comes back, answer or revert, is passed through unchanged. An answer
     may have up to MAX_ANSWER bytes; no view of the ledger returns more.
"""

from interfaces import IUpgradeable

implements: IUpgradeable

MAX_ANSWER: constant(uint256) = 4096

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


@view
@external
def implementation() -> address:
    """
    @notice The contract whose code serves this address now.
    """
    return self._implementation


@external
def upgrade_to(new_implementation: address):
    """
    @notice Replaces the code of this address. Only the agency registry may order it, and it does
            so only to carry out a vote.
    """
    assert msg.sender == REGISTRY, "proxy: only by vote"
    self._set_implementation(new_implementation)


@payable
@external
@raw_return
def __default__() -> Bytes[MAX_ANSWER]:
    """
    @dev Anything else runs the implementation's code on this address's storage.
    """
    succeeded: bool = False
    answer: Bytes[MAX_ANSWER] = b""
    succeeded, answer = raw_call(
        self._implementation,
        msg.data,
        max_outsize=MAX_ANSWER,
        is_delegate_call=True,
        revert_on_failure=False,
    )
    if not succeeded:
        raw_revert(answer)
    return answer


@internal
def _set_implementation(new_implementation: address):
    assert new_implementation.is_contract, "proxy: no code there"
    self._implementation = new_implementation
    log IUpgradeable.Upgraded(implementation=new_implementation)
