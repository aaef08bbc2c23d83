# pragma version 0.4.3
"""
@title What data there is, and how people are told of its use
@license Apache-2.0
@notice Each agency enters the datasets that it keeps and says under which conditions it shares
        them. One that is not shared names the law that forbids it; one that is shared on conditions
        states them. The agencies publish the notices that residents are shown and the purposes for
        which data may be used. What was replaced by a later version serves old records only.
@dev A change never rewrites an entry: a later one takes its place and carries the next version.
     Composed of `completeness` (slots 0 to 31) and `acts` (32 to 63).
"""

import acts
import codes
import completeness
from interfaces import IActs
from interfaces import ICatalogue

implements: ICatalogue
initializes: completeness
initializes: acts[completeness := completeness]
exports: (completeness.head, completeness.count, completeness.late_officer)
exports: (
    acts.relay,
    acts.act_late,
    acts.late_after_s,
    acts.eip712Domain,
    acts.is_nonce_used,
)

# A set of fields is one word.
MAX_FIELDS: constant(uint256) = 256

# slot 64
_datasets: HashMap[bytes32, ICatalogue.Dataset]
_dataset_uids: HashMap[uint256, bytes32]
_dataset_count: uint256
# slot 67
_texts: HashMap[bytes32, ICatalogue.Text]
_text_uids: HashMap[uint256, bytes32]
_text_count: uint256
_reserved: uint256[32]


@deploy
def __init__(registry: address, salt: bytes32, late_after_s: uint256):
    """
    @param registry The proxy of the agency registry.
    @param salt Tells this ledger from any other in signed acts.
    @param late_after_s An act is late if it was captured more than so many seconds ago.
    """
    acts.__init__(registry, salt, late_after_s)


# ------------------------------------------------------------------ datasets


@external
def register_dataset(
    uid: bytes32, terms: ICatalogue.DatasetTerms, event_time: uint256, previous: bytes32
):
    """
    @notice Enters a dataset of which the caller's agency is the owner.
    @param uid 32 random bytes chosen by the owner; never used before.
    @param terms Sharing class (1 unconditional, 2 conditional, 3 not shared), sensitivity
                 (1 ordinary, 2 sensitive), number of fields, hash of their ordered list, hash of
                 the conditions, hash of the legal reference.
    @param event_time When the owner decided it, in seconds.
    @param previous The owner's own dataset of which this is the next version, or zero.
    """
    owner: bytes32 = acts._authorise(codes.SCHEMA, event_time)
    assert uid != empty(bytes32), "dataset: uid missing"
    assert self._datasets[uid].state == 0, "dataset: uid already used"
    self._check_terms(terms)
    version: uint256 = 1
    if previous != empty(bytes32):
        older: ICatalogue.Dataset = self._datasets[previous]
        assert older.state != 0, "dataset: previous unknown"
        assert older.owner == owner, "dataset: previous not yours"
        assert older.state <= codes.SUSPENDED, "dataset: previous not in force"
        version = older.version + 1
    self._datasets[uid] = ICatalogue.Dataset(
        owner=owner,
        terms=terms,
        version=version,
        state=codes.ACTIVE,
        reason=codes.NO_REASON,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
        previous=previous,
        successor=empty(bytes32),
    )
    self._dataset_uids[self._dataset_count] = uid
    self._dataset_count += 1
    log ICatalogue.DatasetRegistered(
        uid=uid,
        owner=owner,
        terms=terms,
        version=version,
        event_time=event_time,
        previous=previous,
        key=acts._actor(),
        sequence=completeness._advance(owner, codes.KIND_DATASET, uid, codes.ACTIVE),
    )
    if previous != empty(bytes32):
        self._datasets[previous].successor = uid
        self._change_dataset(
            owner, previous, codes.SUPERSEDED, codes.REASON_SUPERSEDED, event_time
        )


@external
def set_dataset_state(uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    """
    @notice Suspends, reinstates or withdraws a dataset. Nothing can be asked of it while it is not
            active.
    @param state 1 active, 2 suspended, 3 withdrawn.
    """
    owner: bytes32 = acts._authorise(codes.SCHEMA, event_time)
    assert self._datasets[uid].state != 0, "dataset: unknown"
    assert self._datasets[uid].owner == owner, "dataset: not yours"
    self._check_change(self._datasets[uid].state, state, reason)
    self._change_dataset(owner, uid, state, reason, event_time)


@view
@external
def dataset(uid: bytes32) -> ICatalogue.Dataset:
    """
    @notice What is recorded of a dataset; all zero if there is none.
    """
    return self._datasets[uid]


@view
@external
def dataset_core(uid: bytes32) -> ICatalogue.DatasetCore:
    """
    @notice The few facts of a dataset that a legal basis asks for; all zero if there is none.
    @dev A basis names up to sixteen datasets, and the whole record is four times as dear to read.
    """
    return ICatalogue.DatasetCore(
        owner=self._datasets[uid].owner,
        state=self._datasets[uid].state,
        sharing=self._datasets[uid].terms.sharing,
        field_count=self._datasets[uid].terms.field_count,
    )


@view
@external
def dataset_count() -> uint256:
    """
    @notice How many datasets were ever entered.
    """
    return self._dataset_count


@view
@external
def dataset_at(index: uint256) -> bytes32:
    """
    @notice The uid of the dataset entered at this place, beginning with zero.
    """
    assert index < self._dataset_count, "dataset: no such index"
    return self._dataset_uids[index]


@view
@external
def is_dataset_live(uid: bytes32) -> bool:
    """
    @notice Whether data can be asked of this dataset now.
    """
    return (
        self._datasets[uid].state == codes.ACTIVE
        and self._datasets[uid].terms.sharing != codes.NOT_SHARED
    )


# ------------------------------------------------------------------ notices and purposes


@external
def publish(
    uid: bytes32,
    kind: uint8,
    document_hash: bytes32,
    language: bytes32,
    event_time: uint256,
    previous: bytes32,
):
    """
    @notice Publishes a notice or a purpose of the caller's agency.
    @param uid 32 random bytes chosen by the owner; never used before.
    @param kind 7 for a notice, 8 for a purpose.
    @param document_hash Hash of the text.
    @param language BCP 47 tag of a notice, such as "zh-Hant", padded with zeros; zero for a purpose
                    that is the same in all languages.
    @param previous The owner's own text of the same kind of which this is the next version, or
                    zero. The older one then serves old records only.
    """
    owner: bytes32 = acts._authorise(codes.SCHEMA, event_time)
    assert uid != empty(bytes32), "text: uid missing"
    assert self._texts[uid].state == 0, "text: uid already used"
    assert kind == codes.KIND_NOTICE or kind == codes.KIND_PURPOSE, "text: unknown kind"
    assert document_hash != empty(bytes32), "text: document missing"
    if kind == codes.KIND_NOTICE:
        assert language != empty(bytes32), "text: language missing"
    version: uint256 = 1
    if previous != empty(bytes32):
        older: ICatalogue.Text = self._texts[previous]
        assert older.state != 0 and older.kind == kind, "text: previous unknown"
        assert older.owner == owner, "text: previous not yours"
        assert older.state <= codes.SUSPENDED, "text: previous not in force"
        version = older.version + 1
    self._texts[uid] = ICatalogue.Text(
        owner=owner,
        kind=kind,
        document_hash=document_hash,
        language=language,
        version=version,
        state=codes.ACTIVE,
        reason=codes.NO_REASON,
        event_time=event_time,
        block_number=block.number,
        state_block=block.number,
        previous=previous,
        successor=empty(bytes32),
    )
    self._text_uids[self._text_count] = uid
    self._text_count += 1
    log ICatalogue.TextPublished(
        uid=uid,
        owner=owner,
        kind=kind,
        document_hash=document_hash,
        language=language,
        version=version,
        event_time=event_time,
        previous=previous,
        key=acts._actor(),
        sequence=completeness._advance(owner, kind, uid, codes.ACTIVE),
    )
    if previous != empty(bytes32):
        self._texts[previous].successor = uid
        self._change_text(owner, previous, codes.SUPERSEDED, codes.REASON_SUPERSEDED, event_time)


@external
def set_text_state(uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    """
    @notice Suspends, reinstates or withdraws a notice or a purpose.
    """
    owner: bytes32 = acts._authorise(codes.SCHEMA, event_time)
    assert self._texts[uid].state != 0, "text: unknown"
    assert self._texts[uid].owner == owner, "text: not yours"
    self._check_change(self._texts[uid].state, state, reason)
    self._change_text(owner, uid, state, reason, event_time)


@view
@external
def text(uid: bytes32) -> ICatalogue.Text:
    """
    @notice What is recorded of a notice or a purpose; all zero if there is none.
    """
    return self._texts[uid]


@view
@external
def text_count() -> uint256:
    """
    @notice How many notices and purposes were ever published.
    """
    return self._text_count


@view
@external
def text_at(index: uint256) -> bytes32:
    """
    @notice The uid of the notice or purpose published at this place, beginning with zero.
    """
    assert index < self._text_count, "text: no such index"
    return self._text_uids[index]


@view
@external
def is_text_live(uid: bytes32, kind: uint8) -> bool:
    """
    @notice Whether new records may refer to this notice or purpose.
    """
    return self._texts[uid].state == codes.ACTIVE and self._texts[uid].kind == kind


# ------------------------------------------------------------------ rules


@internal
def _change_dataset(
    owner: bytes32, uid: bytes32, state: uint8, reason: uint8, event_time: uint256
):
    self._datasets[uid].state = state
    self._datasets[uid].reason = reason
    self._datasets[uid].state_block = block.number
    log ICatalogue.DatasetStateChanged(
        uid=uid,
        owner=owner,
        state=state,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(owner, codes.KIND_DATASET, uid, state),
    )


@internal
def _change_text(owner: bytes32, uid: bytes32, state: uint8, reason: uint8, event_time: uint256):
    kind: uint8 = self._texts[uid].kind
    self._texts[uid].state = state
    self._texts[uid].reason = reason
    self._texts[uid].state_block = block.number
    log ICatalogue.TextStateChanged(
        uid=uid,
        owner=owner,
        kind=kind,
        state=state,
        reason=reason,
        event_time=event_time,
        key=acts._actor(),
        sequence=completeness._advance(owner, kind, uid, state),
    )


@pure
@internal
def _check_terms(terms: ICatalogue.DatasetTerms):
    assert (
        terms.sharing >= codes.UNCONDITIONAL and terms.sharing <= codes.NOT_SHARED
    ), "dataset: unknown sharing class"
    assert (
        terms.sensitivity == codes.ORDINARY or terms.sensitivity == codes.SENSITIVE
    ), "dataset: unknown sensitivity"
    assert terms.fields_hash != empty(bytes32), "dataset: fields missing"
    assert (
        terms.field_count != 0 and terms.field_count <= MAX_FIELDS
    ), "dataset: field count out of bounds"
    if terms.sharing == codes.NOT_SHARED:
        assert terms.legal_reference != empty(bytes32), "dataset: legal reference missing"
    if terms.sharing == codes.CONDITIONAL:
        assert terms.conditions_hash != empty(bytes32), "dataset: conditions missing"


@pure
@internal
def _check_change(before: uint8, state: uint8, reason: uint8):
    assert before <= codes.SUSPENDED, "catalogue: state is final"
    assert state != before, "catalogue: state unchanged"
    assert state >= codes.ACTIVE and state <= codes.REVOKED, "catalogue: state not allowed"
    assert reason != codes.NO_REASON, "catalogue: reason missing"
    assert reason <= codes.LAST_REASON, "catalogue: unknown reason"
