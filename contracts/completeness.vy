# pragma version 0.4.3
"""
@title The chained head of each agency
@license Apache-2.0
@notice For every agency the ledger keeps a count and a running fingerprint of all that the agency
        has ever recorded or changed. Whoever holds the list can prove that it is the whole list.
@dev `head = keccak256(head ‖ kind ‖ uid ‖ new state ‖ block number)` over 32 + 1 + 32 + 1 + 8
     bytes, numbers big-endian, starting from zero. Contracts that keep records initialise this
     module before their own storage, so that in each of them `heads` is at slot 0 and `counts` at
     slot 1; Vyper puts an entry at keccak256(slot ‖ key).
"""

heads: HashMap[bytes32, bytes32]
counts: HashMap[bytes32, uint256]
completeness_reserved: uint256[30]


@internal
def _advance(agency_id: bytes32, kind: uint8, uid: bytes32, state: uint8) -> uint256:
    """
    @notice Adds one creation or change of state to the agency's history.
    @return The number of this entry, beginning with one.
    """
    self.heads[agency_id] = keccak256(
        concat(
            self.heads[agency_id],
            convert(kind, bytes1),
            uid,
            convert(state, bytes1),
            convert(convert(block.number, uint64), bytes8),
        )
    )
    sequence: uint256 = unsafe_add(self.counts[agency_id], 1)
    self.counts[agency_id] = sequence
    return sequence


@view
@external
def head(agency_id: bytes32) -> bytes32:
    """
    @notice The running fingerprint of all that this agency has recorded.
    """
    return self.heads[agency_id]


@view
@external
def count(agency_id: bytes32) -> uint256:
    """
    @notice How many creations and changes of state the fingerprint holds.
    """
    return self.counts[agency_id]
