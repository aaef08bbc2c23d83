"""Any m of n shares make the key again; wrong ones are named, not used."""

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.vault.keys import MasterKey
from api.vault.shares import ShareRefused, combine_shares, read_share, split_master_key


@pytest.fixture
def key() -> MasterKey:
    return MasterKey(os.urandom(32))


def test_shares_any_three_of_five_make_the_key(key: MasterKey) -> None:
    shares = split_master_key(key, threshold=3, count=5)
    assert [read_share(text).number for text in shares] == [1, 2, 3, 4, 5]
    for chosen in itertools.permutations(shares, 3):
        assert combine_shares(chosen).reveal_secret() == key.reveal_secret()
    assert combine_shares(shares).id == key.id
    for few in itertools.combinations(shares, 2):
        with pytest.raises(ShareRefused, match="2 of 3"):
            combine_shares(few)
    with pytest.raises(ShareRefused, match="1 of 3"):
        combine_shares([shares[0]] * 3)


@settings(max_examples=30)
@given(data=st.data(), count=st.integers(2, 32), secret=st.binary(min_size=32, max_size=32))
def test_shares_of_every_size_make_the_key(data: st.DataObject, count: int, secret: bytes) -> None:
    threshold = data.draw(st.integers(2, count))
    shares = split_master_key(MasterKey(secret), threshold=threshold, count=count)
    chosen = data.draw(st.permutations(shares))[:threshold]
    assert combine_shares(chosen).reveal_secret() == secret


@given(place=st.integers(8, 89), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_share_with_a_wrong_letter_is_refused(place: int, letter: str) -> None:
    text = split_master_key(MasterKey(bytes(32)), threshold=2, count=2)[0]
    if text[place] == "-":
        return
    wrong = text[:place] + letter + text[place + 1 :]
    if read_letters(wrong) == read_letters(text):
        return
    with pytest.raises(ShareRefused, match="wrong letter"):
        read_share(wrong)


def read_letters(text: str) -> str:
    # The last letter holds bits beyond the payload, which carry nothing.
    return text.upper()


def test_share_is_read_however_it_was_typed(key: MasterKey) -> None:
    text = split_master_key(key, threshold=2, count=2)[0]
    typed = text.replace("-", " ").lower().replace("o", "0").replace("i", "1").replace("b", "8")
    typed = typed.replace("atesta1", "ATESTA1", 1)
    assert read_share(typed) == read_share(text)


def test_shares_of_two_sets_are_not_mixed(key: MasterKey) -> None:
    first, second = (split_master_key(key, threshold=2, count=2) for _ in range(2))
    with pytest.raises(ShareRefused, match="different sets"):
        combine_shares([first[0], second[1]])
    for text in ("", "atesta1", "atesta1-AAAAA", "other-share"):
        with pytest.raises(ShareRefused):
            read_share(text)
    with pytest.raises(ShareRefused, match="no share"):
        combine_shares([])


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (4, 3), (2, 33), (0, 0)])
def test_shares_that_make_no_sense_are_refused(key: MasterKey, threshold: int, count: int) -> None:
    with pytest.raises(ShareRefused):
        split_master_key(key, threshold=threshold, count=count)
