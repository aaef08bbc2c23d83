# pragma version 0.4.3
"""
@title The mandates themselves, and what they cover
@license Apache-2.0
@notice A mandate covers an act only while it is live and names it, and so does each one that it was
        handed on from. What is handed on is never more than what it was handed on from.
@dev A module of `mandates`. A mandate takes ten storage slots at most, so that eight fit into one
     transaction, also when it is late and signed elsewhere: small numbers share two words. The
     facts, from the low end: kind (8 bits), whether it may be handed on (8), state (8), reason (8),
     agency's index (16), event time (48), block of record (48), block of the last change of state
     (48), board (48). The term: from (48), until (48).
"""

import acts
import codes
from interfaces import IMandates

uses: acts

OFFICE: constant(uint8) = 1
POWER: constant(uint8) = 2
GUARDIANSHIP: constant(uint8) = 3

# Each question walks up the chain of delegations.
MAX_DEPTH: constant(uint256) = 4

# Places of the facts in their word, in bits.
DELEGATE_AT: constant(uint256) = 8
STATE_AT: constant(uint256) = 16
REASON_AT: constant(uint256) = 24
AGENCY_AT: constant(uint256) = 32
EVENT_AT: constant(uint256) = 48
BLOCK_AT: constant(uint256) = 96
STATE_BLOCK_AT: constant(uint256) = 144
BOARD_AT: constant(uint256) = 192
# Place of the end in the term's word, in bits.
UNTIL_AT: constant(uint256) = 48

BYTE: constant(uint256) = 2**8 - 1
AGENCY: constant(uint256) = 2**16 - 1
TIME: constant(uint256) = 2**48 - 1
# state, reason and state block, that is all that an end writes
CHANGING: constant(uint256) = (BYTE << STATE_AT) | (BYTE << REASON_AT) | (TIME << STATE_BLOCK_AT)


struct Stored:
    facts: uint256
    body: bytes32
    grantor: bytes32
    grantee: bytes32
    scope: uint256
    scope_list_hash: bytes32
    limit: uint256
    term: uint256
    parent: bytes32
    record: bytes32


# slot 64
mandates: HashMap[bytes32, Stored]
# (body, board) -> from when that board is in office; the first one is from the beginning
effective: HashMap[bytes32, HashMap[uint256, uint256]]
_book_reserved: uint256[30]


@view
@external
def mandate(uid: bytes32) -> IMandates.Mandate:
    """
    @notice What is recorded of a mandate; all zero if there is none.
    """
    stored: Stored = self.mandates[uid]
    if stored.facts == 0:
        return empty(IMandates.Mandate)
    return IMandates.Mandate(
        agency=staticcall acts.REGISTRY.agency_at((stored.facts >> AGENCY_AT) & AGENCY),
        terms=IMandates.MandateTerms(
            kind=convert(stored.facts & BYTE, uint8),
            body=stored.body,
            grantor=stored.grantor,
            grantee=stored.grantee,
            scope=stored.scope,
            scope_list_hash=stored.scope_list_hash,
            limit=stored.limit,
            valid_from=stored.term & TIME,
            valid_until=stored.term >> UNTIL_AT,
            parent=stored.parent,
            may_delegate=(stored.facts >> DELEGATE_AT) & BYTE != 0,
            record=stored.record,
        ),
        board=stored.facts >> BOARD_AT,
        state=convert((stored.facts >> STATE_AT) & BYTE, uint8),
        reason=convert((stored.facts >> REASON_AT) & BYTE, uint8),
        event_time=(stored.facts >> EVENT_AT) & TIME,
        block_number=(stored.facts >> BLOCK_AT) & TIME,
        state_block=(stored.facts >> STATE_BLOCK_AT) & TIME,
    )


@view
@external
def check(uid: bytes32, scope: uint256, amount: uint256) -> bool:
    """
    @notice Refuses with the reason unless a mandate, and each one that it was handed on from, is
            live in this block and covers these acts and this amount.
    @return True.
    """
    at: bytes32 = uid
    for _: uint256 in range(MAX_DEPTH):
        self._check_live(at)
        assert scope != 0 and scope & ~self.mandates[at].scope == 0, "mandate: out of scope"
        limit: uint256 = self.mandates[at].limit
        assert limit == 0 or amount <= limit, "mandate: over the limit"
        at = self.mandates[at].parent
        if at == empty(bytes32):
            break
    return True


@internal
def _store(index: uint256, entry: IMandates.Entry, board: uint256, event_time: uint256):
    terms: IMandates.MandateTerms = entry.terms
    self.mandates[entry.uid] = Stored(
        facts=convert(terms.kind, uint256)
        | (convert(terms.may_delegate, uint256) << DELEGATE_AT)
        | (convert(codes.ACTIVE, uint256) << STATE_AT)
        | (index << AGENCY_AT)
        | (event_time << EVENT_AT)
        | (block.number << BLOCK_AT)
        | (block.number << STATE_BLOCK_AT)
        | (board << BOARD_AT),
        body=terms.body,
        grantor=terms.grantor,
        grantee=terms.grantee,
        scope=terms.scope,
        scope_list_hash=terms.scope_list_hash,
        limit=terms.limit,
        term=terms.valid_from | (terms.valid_until << UNTIL_AT),
        parent=terms.parent,
        record=terms.record,
    )


@internal
def _revoke(index: uint256, uid: bytes32, reason: uint8):
    facts: uint256 = self.mandates[uid].facts
    assert facts != 0, "mandate: unknown"
    assert (facts >> AGENCY_AT) & AGENCY == index, "mandate: not yours"
    assert (facts >> STATE_AT) & BYTE == convert(codes.ACTIVE, uint256), "mandate: ended"
    self.mandates[uid].facts = (
        (facts & ~CHANGING)
        | (convert(codes.REVOKED, uint256) << STATE_AT)
        | (convert(reason, uint256) << REASON_AT)
        | (block.number << STATE_BLOCK_AT)
    )


@view
@internal
def _check_delegation(terms: IMandates.MandateTerms):
    """
    @dev A delegation never has more than what it was handed on from, all of which is live.
    """
    self._check_live(terms.parent)
    parent: bytes32 = terms.parent
    limit: uint256 = self.mandates[parent].limit
    until: uint256 = self.mandates[parent].term >> UNTIL_AT
    assert (
        self.mandates[parent].facts >> DELEGATE_AT
    ) & BYTE != 0, "delegation: not allowed"
    assert (
        self.mandates[parent].scope_list_hash == terms.scope_list_hash
    ), "delegation: another list of acts"
    assert terms.scope & ~self.mandates[parent].scope == 0, "delegation: out of scope"
    assert terms.body == self.mandates[parent].body, "delegation: for another body"
    if limit != 0:
        assert terms.limit != 0 and terms.limit <= limit, "delegation: over the limit"
    if until != 0:
        assert (
            terms.valid_until != 0 and terms.valid_until <= until
        ), "delegation: beyond the term"
    depth: uint256 = 1
    at: bytes32 = self.mandates[parent].parent
    for _: uint256 in range(MAX_DEPTH):
        if at == empty(bytes32):
            break
        self._check_live(at)
        depth += 1
        at = self.mandates[at].parent
    assert depth < MAX_DEPTH, "delegation: handed on too often"


@view
@internal
def _check_live(uid: bytes32):
    facts: uint256 = self.mandates[uid].facts
    assert facts != 0, "mandate: unknown"
    assert (facts >> STATE_AT) & BYTE == convert(codes.ACTIVE, uint256), "mandate: ended"
    term: uint256 = self.mandates[uid].term
    assert block.timestamp >= term & TIME, "mandate: not live yet"
    assert (
        term >> UNTIL_AT == 0 or block.timestamp < term >> UNTIL_AT
    ), "mandate: expired"
    if facts & BYTE == convert(OFFICE, uint256):
        next_board: uint256 = self.effective[self.mandates[uid].body][(facts >> BOARD_AT) + 1]
        assert next_board == 0 or block.timestamp < next_board, "mandate: office ended"


@view
@internal
def _get_kind(uid: bytes32) -> uint8:
    return convert(self.mandates[uid].facts & BYTE, uint8)
