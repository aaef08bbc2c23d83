"""The erasure list as bytes: whatever a crash left at its end, what was promised is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.vault.erasure_journal import (
    Destroyed,
    Entry,
    Erased,
    ErasureList,
    JournalDamaged,
    Ordered,
    Restricted,
    decode_journal,
    encode_entry,
)

TIMES = st.integers(0, 2**40)
UIDS = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4).map(tuple)
ERASED = st.builds(
    Erased,
    uids=UIDS,
    reason=st.sampled_from(["error", "holder_request"]),
    erased_s=TIMES,
)
ORDERED = st.builds(Ordered, uids=UIDS, reason=st.sampled_from(["security"]), ordered_s=TIMES)
RESTRICTED = st.builds(
    Restricted,
    uids=UIDS,
    cause=st.sampled_from(["request", "term"]),
    basis=st.none() | st.binary(min_size=32, max_size=32),
    legal_reference=st.none() | st.text(max_size=20),
    restricted_s=TIMES,
    until_s=st.none() | TIMES,
)
DESTROYED = st.builds(Destroyed, epoch=st.integers(1, 10**6), destroyed_s=TIMES)
ENTRIES = st.lists(ERASED | DESTROYED | ORDERED | RESTRICTED)

OLD = (
    "00000032ffffffcd94a665726173656491c42001010101010101010101010101010101010101010101010101"
    "01010101010101a56572726f7205b91f3ebd9064252e0000000dfffffff293a964657374726f7965640306b5"
    "328dd2e04c8edd"
)
"""An erasure and an epoch that was destroyed."""


def write(entries: list[Entry]) -> bytes:
    return b"".join(encode_entry(entry) for entry in entries)


@given(entries=ENTRIES)
def test_journal_is_read_as_it_was_written(entries: list[Entry]) -> None:
    data = write(entries)
    assert decode_journal(data) == (tuple(entries), len(data))


@given(entries=ENTRIES, last=ERASED, data=st.data())
def test_journal_torn_anywhere_in_its_last_entry_has_all_before_it(
    entries: list[Entry], last: Entry, data: st.DataObject
) -> None:
    before, frame = write(entries), encode_entry(last)
    cut = data.draw(st.integers(0, len(frame) - 1))
    for tail in (frame[:cut], frame[:cut] + bytes(len(frame) - cut), bytes(cut)):
        if tail != frame:
            assert decode_journal(before + tail) == (tuple(entries), len(before))


@given(entries=ENTRIES, last=ERASED, data=st.data())
def test_journal_damaged_before_its_last_entry_is_refused(
    entries: list[Entry], last: Entry, data: st.DataObject
) -> None:
    whole = bytearray(write([last, *entries, last]))
    frame = len(encode_entry(last))
    place = data.draw(st.integers(0, len(whole) - frame - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(JournalDamaged):
        decode_journal(bytes(whole))


@given(entries=ENTRIES)
def test_erasure_list_keeps_the_first_erasure_of_each(entries: list[Entry]) -> None:
    found = ErasureList([*entries, *entries])
    for uid, entry in found.erased.items():
        first = next(e for e in entries if isinstance(e, Erased) and uid in e.uids)
        assert entry == first
    assert found.destroyed == {e.epoch for e in entries if isinstance(e, Destroyed)}


def test_journal_of_an_earlier_version_is_read() -> None:
    """Two frames as the first version wrote them, byte for byte."""
    data = bytes.fromhex(OLD)
    assert decode_journal(data) == (
        (
            Erased(uids=(bytes([1]) * 32,), reason="error", erased_s=5),
            Destroyed(epoch=3, destroyed_s=6),
        ),
        len(data),
    )


def test_restriction_ends_with_the_erasure_and_the_first_one_counts() -> None:
    uid = bytes([1]) * 32

    def restrict(restricted_s: int) -> Restricted:
        return Restricted(
            uids=(uid,),
            cause="request",
            basis=None,
            legal_reference="a law",
            restricted_s=restricted_s,
            until_s=restricted_s + 100,
        )

    known = ErasureList([restrict(1), restrict(2)])
    assert known.list_restricted() == {uid: restrict(1)}
    known.add(Erased(uids=(uid,), reason="ended_by_law", erased_s=50))
    assert known.list_restricted() == {}
    assert known.find_restricted(uid) is None
    known.add(restrict(51))
    assert known.find_restricted(uid) == restrict(51), "something else was kept for the uid since"
