"""Spaces of numbers are swept beside the guesses, and the report says how far."""

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.firewall.search.guesses import (
    COMPARED,
    MACAO_PATTERNS,
    RECIPES,
    SWEPT,
    Guess,
    GuessTable,
    Pattern,
    Sweep,
)

MOBILE, IDENTITY = MACAO_PATTERNS
SMALL = Pattern(name="small numbers", beginnings=("1", "5", "70"), digits=3)
GUESSES = (Guess(text="澳門", label="a city"), Guess(text="1000", label="a thousand"))


def find(table: GuessTable, *texts: str) -> list[tuple[str, str]]:
    digests = (hashlib.sha256(text.encode()).digest()[:COMPARED] for text in texts)
    data = b"".join(os.urandom(7) + digest + os.urandom(3) for digest in digests)
    return [table.describe(number) for _, number in table.find(data)]


@given(st.integers(1, 3_500))
def test_sweep_has_the_first_numbers_of_each_beginning_and_says_how_many(limit: int) -> None:
    sweep, space = SMALL.make_sweep(limit)
    each = min(limit // 3, 1_000)
    assert (space.name, space.size, space.tried) == ("small numbers, SHA-256 once", 3_000, 3 * each)
    assert sweep.size == space.tried
    digests = b"".join(sweep.iterate_prefixes())
    expected = [
        hashlib.sha256(f"{beginning}{number:03}".encode()).digest()[:COMPARED]
        for beginning in SMALL.beginnings
        for number in range(each)
    ]
    assert digests == b"".join(expected)


@pytest.mark.parametrize("guesses", [(), GUESSES])
def test_numbers_of_sweeps_are_found_and_named_by_their_space(guesses: tuple[Guess, ...]) -> None:
    other = Sweep(label="another number", beginnings=("+",), digits=4, each=60_000)
    table = GuessTable(guesses, sweeps=[SMALL.make_sweep(2_999)[0], other])
    small = "a number of small numbers"
    assert find(table, "1000", "1998", "5000", "70998") == [
        ("a thousand" if guesses else small, SWEPT),
        *[(small, SWEPT)] * 3,
    ]
    assert find(table, "+0000", "+59999") == [("another number", SWEPT)] * 2
    assert find(table, "1999", "70999", "+60000") == []
    if guesses:
        assert find(table, "澳門") == [("a city", SWEPT)]
    assert table.digest_count == len(guesses) * len(RECIPES) + 2_997 + 60_000


def test_sweep_tells_of_every_number_hashed() -> None:
    told: list[int] = []
    sweeps = [MOBILE.make_sweep(120_000)[0], IDENTITY.make_sweep(3_000)[0]]
    table = GuessTable((), sweeps=sweeps, progress=told.append)
    assert (sum(told), len(told)) == (123_000, 6)
    assert find(table, "60119999", "70000999") == [
        ("a number of Macao mobile numbers", SWEPT),
        ("a number of Macao identity numbers", SWEPT),
    ]


def test_sweep_of_a_whole_space_has_every_number_of_it() -> None:
    _, mobile = MOBILE.make_sweep(10_000_000)
    _, identity = IDENTITY.make_sweep(30_000_000)
    assert (mobile.tried, mobile.size) == (10_000_000, 10_000_000)
    assert (identity.tried, identity.size) == (30_000_000, 30_000_000)
