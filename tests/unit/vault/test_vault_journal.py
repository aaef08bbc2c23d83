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
    decode_journal,
    encode_entry,
)

TIMES = st.integers(0, 2**40)
ERASED = st.builds(
    Erased,
    uids=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4).map(tuple),
    reason=st.sampled_from(["error", "holder_request"]),
    erased_s=TIMES,
)
ENTRIES = st.lists(ERASED | st.builds(Destroyed, epoch=st.integers(1, 10**6), destroyed_s=TIMES))


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
