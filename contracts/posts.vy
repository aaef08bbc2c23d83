# pragma version 0.4.3
"""
@title The posts of the agencies
@license Apache-2.0
@notice An agency acts through posts, and people come and go. The ledger says of each post from when
        to when which officer held it and who stood in, by commitments that only the agency can
        open, and which keys belong to the post. When the officer changes, one act ends the old
        term and its keys and begins the new one with its own.
@dev Who is in office is kept by the module `terms`. Only the agency's own administrators write
     here. Keys live in the agency registry, which judges each change of theirs itself; it believes
     this contract only who acts. A key that the registry ended for another reason stays ended,
     whatever is listed here.
"""

import acts
import codes
import completeness
import terms
from interfaces import IAgencyRegistry
from interfaces import IPosts

implements: IPosts

initializes: completeness
initializes: acts[completeness := completeness]
initializes: terms[acts := acts, completeness := completeness]

exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)
exports: (
    terms.term_count,
    terms.term_at,
    terms.holder_at,
    terms.deputies_at,
    terms.capacity_of,
    terms.is_in_office,
)

MAX_KEYS: constant(uint256) = 4

_posts: HashMap[bytes32, IPosts.Post]
_keys: HashMap[bytes32, DynArray[address, MAX_KEYS]]
# the post of each key that ever belonged to one
_posts_of_keys: HashMap[address, bytes32]
_posts_reserved: uint256[32]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    """
    acts.__init__(registry, salt, late_after_s)


# ------------------------------------------------------------------ writing


@external
def establish(uid: bytes32, duties_hash: bytes32, event_time: uint256):
    """
    @notice Enters a post of the caller's own agency.
    @param duties_hash Hash of the published document that says what the post is for.
    """
    own: bytes32 = acts._authorise(codes.ADMIN, event_time)
    assert uid != empty(bytes32), "post: uid missing"
    assert self._posts[uid].state == 0, "post: uid already used"
    assert duties_hash != empty(bytes32), "post: duties missing"
    self._posts[uid] = IPosts.Post(
        agency=own,
        duties_hash=duties_hash,
        state=codes.ACTIVE,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
    )
    log IPosts.PostEstablished(
        uid=uid,
        agency=own,
        duties_hash=duties_hash,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(own, codes.KIND_POST, uid, codes.ACTIVE),
    )


@external
def appoint(
    uid: bytes32, seat: uint256, appointment: IPosts.Appointment, event_time: uint256
):
    """
    @notice Appoints an officer to a seat that is free from then on: 0 the holder, 1 to 4 deputies
            in the order in which they stand in.
    @param appointment Salted commitment of the officer, beginning (zero for now), end (zero for
           none), and a commitment to the resolution.
    """
    own: bytes32 = self._authorise(uid, event_time)
    assert seat <= terms.LAST_SEAT, "post: no such seat"
    terms._begin_term(own, uid, seat, appointment, event_time)


@external
def end_term(
    uid: bytes32, seat: uint256, effective: uint256, resolution: bytes32, event_time: uint256
):
    """
    @notice Ends the latest term of a seat and leaves the seat free. A post that nobody holds signs
            nothing: with the holder's term its keys end.
    @param effective From when on, in seconds; zero for now.
    """
    own: bytes32 = self._authorise(uid, event_time)
    assert seat <= terms.LAST_SEAT, "post: no such seat"
    moment: uint256 = terms._read_moment(effective)
    assert resolution != empty(bytes32), "post: resolution missing"
    assert terms._ends_after(uid, seat, moment), "post: seat is free"
    terms._end_term(own, uid, seat, moment, resolution, event_time)
    if seat == terms.HOLDER:
        self._change_keys(own, uid, [], moment, event_time)


@external
def hand_over(
    uid: bytes32,
    successor: IPosts.Appointment,
    keys: DynArray[IAgencyRegistry.NewKey, 4],
    ends_deputies: bool,
    event_time: uint256,
):
    """
    @notice Hands the post over to the next officer. At one moment the old term ends and the new one
            begins, all keys of the post end and the new ones begin.
    @param successor As in `appoint`; its beginning is the moment of the hand-over.
    @param keys The post's new keys, which nobody has used before.
    @param ends_deputies Whether the deputies go with the old holder.
    """
    own: bytes32 = self._authorise(uid, event_time)
    assert terms.term_counts[uid][terms.HOLDER] != 0, "post: nobody holds it"
    moment: uint256 = terms._read_moment(successor.valid_from)
    for seat: uint256 in range(terms.LAST_SEAT + 1):
        if (seat == terms.HOLDER or ends_deputies) and terms._ends_after(uid, seat, moment):
            # A deputy whose term only begins later was appointed with the hand-over in mind.
            if seat == terms.HOLDER or terms._get_latest(uid, seat).valid_from < moment:
                terms._end_term(own, uid, seat, moment, successor.resolution, event_time)
    terms._begin_term(own, uid, terms.HOLDER, successor, event_time)
    self._change_keys(own, uid, keys, moment, event_time)
    log IPosts.HandedOver(
        uid=uid,
        agency=own,
        effective=moment,
        resolution=successor.resolution,
        event_time=event_time,
        key=acts._actor(),
    )


@external
def give_key(uid: bytes32, new: IAgencyRegistry.NewKey, event_time: uint256):
    """
    @notice Enters a new key of the agency that the post holds from now on.
    """
    own: bytes32 = self._authorise(uid, event_time)
    self._check_key_end(uid, block.timestamp, new.valid_until)
    self._enter_keys([], [new], 0)
    self._hold_key(own, uid, new.account, event_time)


@external
def assign_key(uid: bytes32, account: address, event_time: uint256):
    """
    @notice Puts a key that the agency already has into the hands of the post.
    """
    own: bytes32 = self._authorise(uid, event_time)
    known: IAgencyRegistry.Key = staticcall acts.REGISTRY.key(account)
    assert known.agency == own, "key: not yours"
    assert known.valid_until == 0 or known.valid_until > block.timestamp, "key: ended"
    self._check_key_end(uid, block.timestamp, known.valid_until)
    self._hold_key(own, uid, account, event_time)


@external
def end_key(uid: bytes32, account: address, event_time: uint256):
    """
    @notice Ends a key of the post at once.
    """
    own: bytes32 = self._authorise(uid, event_time)
    kept: DynArray[address, MAX_KEYS] = []
    held: DynArray[address, MAX_KEYS] = self._keys[uid]
    for other: address in held:
        if other != account:
            kept.append(other)
    assert len(kept) != len(held), "post: key not held"
    self._keys[uid] = kept
    self._enter_keys([account], [], 0)
    self._log_key_end(own, uid, account, block.timestamp, event_time)


@external
def abolish(uid: bytes32, resolution: bytes32, event_time: uint256):
    """
    @notice Ends a post for good, and with it all its terms and keys.
    """
    own: bytes32 = self._authorise(uid, event_time)
    assert resolution != empty(bytes32), "post: resolution missing"
    for seat: uint256 in range(terms.LAST_SEAT + 1):
        if terms._ends_after(uid, seat, block.timestamp):
            moment: uint256 = max(block.timestamp, terms._get_latest(uid, seat).valid_from)
            terms._end_term(own, uid, seat, moment, resolution, event_time)
    self._change_keys(own, uid, [], block.timestamp, event_time)
    self._posts[uid].state = codes.REVOKED
    self._posts[uid].state_block = block.number
    log IPosts.PostAbolished(
        uid=uid,
        agency=own,
        resolution=resolution,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(own, codes.KIND_POST, uid, codes.REVOKED),
    )


# ------------------------------------------------------------------ reading


@view
@external
def post(uid: bytes32) -> IPosts.Post:
    """
    @notice What is recorded of a post; all zero if there is none.
    """
    return self._posts[uid]


@view
@external
def keys_of(uid: bytes32) -> DynArray[address, 4]:
    """
    @notice The keys that a post holds; after a hand-over that is still to come, those to come.
    """
    return self._keys[uid]


@view
@external
def post_of(account: address) -> bytes32:
    """
    @notice The post that holds, or once held, a key; zero if none ever did.
    """
    return self._posts_of_keys[account]


# ------------------------------------------------------------------ rules


@view
@internal
def _authorise(uid: bytes32, event_time: uint256) -> bytes32:
    """
    @return The agency of the actor, which is the post's.
    """
    own: bytes32 = acts._authorise(codes.ADMIN, event_time)
    assert self._posts[uid].state != 0, "post: unknown"
    assert self._posts[uid].agency == own, "post: not yours"
    assert self._posts[uid].state == codes.ACTIVE, "post: abolished"
    return own


@internal
def _change_keys(
    agency: bytes32,
    uid: bytes32,
    added: DynArray[IAgencyRegistry.NewKey, 4],
    effective: uint256,
    event_time: uint256,
):
    """
    @dev Ends all keys of the post and enters its new ones, at one moment that is not in the past.
    """
    moment: uint256 = max(effective, block.timestamp)
    held: DynArray[address, MAX_KEYS] = self._keys[uid]
    if len(held) == 0 and len(added) == 0:
        return
    self._keys[uid] = []
    for account: address in held:
        self._log_key_end(agency, uid, account, moment, event_time)
    self._enter_keys(held, added, moment)
    for new: IAgencyRegistry.NewKey in added:
        self._check_key_end(uid, moment, new.valid_until)
        self._hold_key(agency, uid, new.account, event_time)


@internal
def _enter_keys(
    ended: DynArray[address, MAX_KEYS],
    added: DynArray[IAgencyRegistry.NewKey, 4],
    moment: uint256,
):
    extcall acts.REGISTRY.change_post_keys(acts._actor(), ended, added, moment)


@internal
def _hold_key(agency: bytes32, uid: bytes32, account: address, event_time: uint256):
    assert self._posts_of_keys[account] == empty(bytes32), "post: key already held"
    assert len(self._keys[uid]) < MAX_KEYS, "post: too many keys"
    self._posts_of_keys[account] = uid
    self._keys[uid].append(account)
    log IPosts.PostKeyGiven(
        uid=uid,
        agency=agency,
        account=account,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(
            agency, codes.KIND_POST_KEY, convert(account, bytes32), codes.ACTIVE
        ),
    )


@internal
def _log_key_end(
    agency: bytes32, uid: bytes32, account: address, moment: uint256, event_time: uint256
):
    log IPosts.PostKeyEnded(
        uid=uid,
        agency=agency,
        account=account,
        valid_until=moment,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(
            agency, codes.KIND_POST_KEY, convert(account, bytes32), codes.REVOKED
        ),
    )


@view
@internal
def _check_key_end(uid: bytes32, moment: uint256, valid_until: uint256):
    """
    @dev The latest term is the one in which the key is used, or will be.
    """
    assert terms._ends_after(uid, terms.HOLDER, moment), "post: nobody holds it"
    end: uint256 = terms._get_latest(uid, terms.HOLDER).valid_until
    assert end == 0 or (valid_until != 0 and valid_until <= end), "post: key outlives the term"
