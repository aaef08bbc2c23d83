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
     the count. An entry that was posted late keeps the commitment to the second officer.
"""

from interfaces import IActs


struct History:
    head: bytes32
    count: uint256


# slot 0
histories: HashMap[bytes32, History]
# slot 1: agency -> number of an entry -> who answered for its lateness
late_officers: HashMap[bytes32, HashMap[uint256, bytes32]]
# slots 2 to 31
completeness_reserved: uint256[30]
# while an act is carried out that is posted late: who answers for it, and why it is late
late_by: transient(bytes32)
late_for: transient(uint8)


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
    if self.late_by != empty(bytes32):
        self.late_officers[agency_id][history.count] = self.late_by
        log IActs.MarkedLate(
            agency=agency_id,
            uid=uid,
            kind=kind,
            state=state,
            sequence=history.count,
            officer=self.late_by,
            reason=self.late_for,
        )
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


@view
@external
def late_officer(agency_id: bytes32, sequence: uint256) -> bytes32:
    """
    @notice The commitment to the second officer who answered for an entry that was posted late;
            zero for an entry in time.
    @param sequence The number of the entry in the agency's history, beginning with one.
    """
    return self.late_officers[agency_id][sequence]
