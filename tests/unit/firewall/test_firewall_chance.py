"""The commitment rule refuses texts and numbers, and true chance no more often than it states."""

import itertools
import random
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.firewall.chance import WIDTH, find_disguise
from api.firewall.readings import (
    LOOSE_READINGS,
    NARROW_READINGS,
    STRICT_READINGS,
    Reading,
)

SEED: Final = 20261123
FEW: Final = 20_000
MANY: Final = 500_000

WHOLE_NAMES: Final = {
    "Latin-1": "José António da Conceição Simões".encode("latin-1"),
    "CP1252": "Conceição D\u2019Ávila, 3.º andar, nº 5".encode("cp1252")[:32],
    "Latin-1 and zeros": "João Gonçalves Simão Brandão".encode("latin-1").ljust(32, b"\0"),
    "GBK": "陳大文澳門特別行政區高士德大馬路十二".encode("gbk")[:32],
    "GBK with numbers": "陳大文 12345678 澳門高士德大馬路".encode("gbk")[:32],
    "GBK, cut": "1陳大文澳門特別行政區高士德大馬路十二".encode("gbk")[:32],
    "GBK and zeros": "陳大文澳門特別行政區高士德大馬".encode("gbk").ljust(32, b"\0"),
    "GB18030": "㐂陳大文澳門特別行政區高士德大馬路".encode("gb18030")[:32],
    "Big5": "陳大文澳門特別行政區高士德大馬路十二".encode("big5")[:32],
    "Big5 with numbers": "陳大文 (1990) 澳門高士德大馬路十二".encode("big5")[:32],
    "Hong Kong's Big5": "鰂魚涌邨陳大文澳門高士德大馬路十二".encode("big5hkscs")[:32],
    "UTF-8, decomposed": "Joa\u0303o Concei\u00e7a\u0303o Simo\u0303es Brito Sá".encode()[:32],
    "UTF-8, cut": "Goncalo Á É Í Ó Ú ã õ ç â ê 陳".encode()[:32],
}


@pytest.mark.parametrize("is_strict", [True, False])
@pytest.mark.parametrize("name", WHOLE_NAMES)
def test_whole_name_in_a_usual_encoding_is_refused(name: str, is_strict: bool) -> None:
    value = WHOLE_NAMES[name]
    assert len(value) == WIDTH
    assert find_disguise(value, is_strict=is_strict) is not None


@pytest.mark.parametrize("is_strict", [True, False])
@pytest.mark.parametrize(
    "number", ["+853 6612-3456", "1990-01-31", "31/01/1990", "1234 567(8)", "1/234567/8"]
)
def test_number_with_separators_is_refused_beside_random_bytes(
    number: str, is_strict: bool
) -> None:
    random_bytes = random.Random(SEED).randbytes
    for before in (0, 7, 18):
        value = random_bytes(before) + number.encode() + random_bytes(WIDTH)
        assert find_disguise(value[:WIDTH], is_strict=is_strict) == "digits"


@pytest.mark.parametrize(
    "start",
    [
        "José da Conceição Simões".encode("latin-1"),
        "澳门特别行政区".encode("gb2312"),
        "陳大文住在澳門".encode("big5"),
    ],
)
def test_text_beside_random_bytes_is_refused_strictly(start: bytes) -> None:
    random_bytes = random.Random(SEED).randbytes
    for before in (0, 3, 8):
        value = random_bytes(before) + start + random_bytes(WIDTH)
        assert find_disguise(value[:WIDTH], is_strict=True) == "text"


@given(
    st.text("aáàâãbcçdeéêfghiíjlmnoóôõprstuúvxzABCDEFGHIJLMNOPRSTUV '-", min_size=27, max_size=31)
)
def test_name_in_latin_letters_is_refused_by_both_measures(text: str) -> None:
    value = ("Zé" + text).encode("latin-1")[:WIDTH].ljust(WIDTH, b"\0")
    assert find_disguise(value) is not None
    assert find_disguise(value, is_strict=True) is not None


@given(st.lists(st.integers(0x4E00, 0x9FA5), min_size=16, max_size=16))
def test_chinese_text_in_gbk_is_refused_by_both_measures(codes: list[int]) -> None:
    value = "".join(map(chr, codes)).encode("gbk")
    assert len(value) == WIDTH
    for is_strict in (True, False):
        assert find_disguise(value, is_strict=is_strict) is not None


@given(st.lists(st.sampled_from(range(0xA4, 0xC7)), min_size=16, max_size=16), st.randoms())
def test_chinese_text_in_big5_is_refused_by_both_measures(
    rows: list[int], chosen: random.Random
) -> None:
    cells = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    value = bytes(itertools.chain.from_iterable((row, chosen.choice(cells)) for row in rows))
    for is_strict in (True, False):
        assert find_disguise(value, is_strict=is_strict) is not None


def compute_chance(reading: Reading, width: int) -> float:
    """Compute how many of all values of a width read so: exactly for characters of 1 and 2 bytes.

    Of longer characters the number is an upper bound, and too small to tell.
    """
    one = re.compile(reading.unit, re.DOTALL)
    singles = sum(one.fullmatch(bytes([byte])) is not None for byte in range(256))
    pairs = sum(one.fullmatch(number.to_bytes(2, "big")) is not None for number in range(1 << 16))
    steps: tuple[float, ...] = (singles / 2**8, pairs / 2**16)
    if reading.name == "UTF-8":
        steps = (*steps, 6 / 256 / 16)
    if reading.name.startswith("GBK"):
        steps = (*steps, 0.0, (10 * 10 * 10 * 126) / 2**32)
    ways = [1.0]
    for length in range(1, width + 1):
        ways.append(
            sum(
                step * ways[length - size]
                for size, step in enumerate(steps, start=1)
                if size <= length
            )
        )
    cut = re.compile(reading.cut)
    ends = sum(cut.fullmatch(bytes([byte])) is not None for byte in range(256)) / 256
    padded: list[float] = [
        (ways[width - zeros] + ends * ways[width - zeros - 1]) * (zeros + 1) * 2.0 ** (-8 * zeros)
        for zeros in range(5)
    ]
    return sum(padded)


@pytest.mark.parametrize("reading", STRICT_READINGS, ids=lambda reading: reading.name)
def test_reading_of_32_bytes_states_its_chance(reading: Reading) -> None:
    chance = compute_chance(reading, WIDTH)
    assert chance <= reading.chance <= 4 * chance


@pytest.mark.parametrize("reading", NARROW_READINGS, ids=lambda reading: reading.name)
def test_reading_of_20_bytes_states_its_chance(reading: Reading) -> None:
    chance = compute_chance(reading, 20)
    assert chance <= reading.chance <= 4 * chance


def test_chances_of_all_readings_keep_the_sums_that_the_rule_states() -> None:
    assert sum(reading.chance for reading in LOOSE_READINGS) <= 1.6e-7
    assert sum(reading.chance for reading in STRICT_READINGS) <= 6.5e-6
    assert sum(reading.chance for reading in NARROW_READINGS) <= 1.6e-7


@pytest.mark.parametrize("width", [WIDTH, 20])
def test_chance_is_refused_no_more_often_than_stated(width: int) -> None:
    random_bytes = random.Random(SEED).randbytes
    refused = [find_disguise(random_bytes(width)) for _ in range(FEW)]
    assert [what for what in refused if what is not None] == []


def test_chance_is_refused_strictly_no_more_often_than_stated() -> None:
    check_strictly(FEW)


@pytest.mark.long
def test_chance_is_refused_strictly_no_more_often_than_stated_in_millions() -> None:
    check_strictly(MANY)


def check_strictly(count: int) -> None:
    random_bytes = random.Random(SEED).randbytes
    refused = [find_disguise(random_bytes(WIDTH), is_strict=True) for _ in range(count)]
    said = [what for what in refused if what is not None]
    expected = count / 50_000
    assert len(said) <= expected + 3 * expected**0.5, (SEED, said)
