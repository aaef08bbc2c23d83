# pragma version 0.4.3
"""
@title The chained head of each agency
@license Apache-2.0
@notice For every agency the ledger keeps a count and a running fingerprint of all that the agency
        has ever recorded or changed. Whoever holds the list can prove that it is the whole list.
@dev `head = keccak256(head ‖ kind ‖ uid ‖ new state ‖ block number)`, each of the five a word of 32
     bytes (the ABI encoding of bytes32, uint256, bytes32, uint256, uint256), starting from zero.
     Contracts that keep records initialise this module before their own storage, so that in each
     of them the entry of an agency is at keccak256(0 ‖ agency): first the head, in the next slot
     the count.
"""


struct History:
    head: bytes32
    count: uint256


# slot 0
histories: HashMap[bytes32, History]
# slots 1 to 31
completeness_reserved: uint256[31]


@internal
def _advance(agency_id: bytes32, kind: uint8, uid: bytes32, state: uint8) -> uint256:
    """
    @notice Adds one creation or change of state to the agency's history.
    @return The number of this entry, beginning with one.
    """
    history: History = self.histories[agency_id]
    history.head = keccak256(abi_encode(history.head, kind, uid, state, block.number))
    history.count = unsafe_add(history.count, 1)
    self.histories[agency_id] = history
    return history.count


@view
@external
def head(agency_id: bytes32) -> bytes32:
    """
    @notice The running fingerprint of all that this agency has recorded.
    """
    return self.histories[agency_id].head


@view
@external
def count(agency_id: bytes32) -> uint256:
    """
    @notice How many creations and changes of state the fingerprint holds.
    """
    return self.histories[agency_id].count
