"""Digits inside random hexadecimal digits are chance, unless chance cannot have made them."""

import base64
import json
import random
import secrets
import sqlite3
from pathlib import Path

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from api.firewall.search.expectation import (
    LEAST_LIKELY,
    ChanceTally,
    FormLengths,
    compute_tail,
)
from api.firewall.search.folders import search_folder
from api.firewall.search.hex_runs import (
    FIELD_DIGITS,
    count_characters,
    is_left_to_chance,
)
from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import SearchReport
from api.firewall.search.searcher import UNLIKELY, Searcher
from api.firewall.search.stores import CHUNK_SIZE

SEED = 20261122
PEOPLE = 1_000
NUMBER = "51334144"
UID = b"f3fa7bc8" + NUMBER.encode() + b"78996cd07ab4e1f2" * 3
numbers = st.from_regex(r"[1-9][0-9]{5,10}", fullmatch=True)
hexadecimal = st.text("0123456789abcdef", max_size=80)


def find(data: bytes, text: str) -> bool:
    """Say whether a text stands in the data as more than chance, as one match of the raw search."""
    needle = text.encode()
    start = data.index(needle)
    return not is_left_to_chance(data, start, start + len(needle))


def search(*values: bytes, needles: NeedleSet, raw: bool = False) -> SearchReport:
    report = SearchReport()
    searcher = Searcher(needles, report)
    for value in values:
        if raw:
            searcher.search_raw(value, store="store", place="place")
        else:
            searcher.search(value, store="store", place="place")
    searcher.finish()
    return report


@pytest.fixture(scope="module")
def crowd() -> NeedleSet:
    chance = random.Random(SEED)
    people = [f"{chance.choice('157')}{chance.randrange(10**7):07}" for _ in range(PEOPLE)]
    phones = [f"6{chance.randrange(10**7):07}" for _ in range(PEOPLE)]
    return NeedleSet(
        Needle(label=f"number {place}", value=text) for place, text in enumerate(people + phones)
    )


def test_ten_million_random_digits_hold_no_number_of_two_thousand(crowd: NeedleSet) -> None:
    fields = [random.Random(SEED).randbytes(size) for size in (8, 12, 16, 20, 32, 65)]
    chance = random.Random(SEED + 1)
    texts = [
        json.dumps({"uid": "0x" + chance.randbytes(len(chance.choice(fields))).hex()}).encode()
        for _ in range(180_000)
    ]
    data = b"\n".join(texts)
    report = search(data, needles=crowd, raw=True)
    assert report.chance.hex_digits > 9_000_000
    assert report.hits == []
    expected = report.chance.compute_left(crowd.lengths)
    assert expected / 3 < report.chance.count < expected * 3, "this is what chance makes"
    assert report.chance.compute_expected(crowd.lengths) < 0.01


def test_number_written_into_random_fields_too_often_is_found(crowd: NeedleSet) -> None:
    chance = random.Random(SEED)
    noise = [chance.randbytes(32).hex().encode() for _ in range(100_000)]
    number = crowd.needles[7].value
    assert isinstance(number, str)
    leaks = [
        chance.randbytes(12).hex().encode() + number.encode() + chance.randbytes(16).hex().encode()
        for _ in range(6)
    ]
    report = search(b"\n".join([*noise, *leaks]), needles=crowd, raw=True)
    assert {(hit.label, hit.encoding.endswith(UNLIKELY)) for hit in report.hits} == {
        (crowd.needles[7].label, True)
    }
    again = search(b"\n".join([*noise, *leaks[:1] * 6]), needles=crowd, raw=True)
    assert again.hits == [], "one field that is stored six times was drawn once"


def test_number_of_everybody_in_a_random_field_each_is_found(crowd: NeedleSet) -> None:
    chance = random.Random(SEED)
    leaks = [
        chance.randbytes(9).hex() + str(needle.value) + chance.randbytes(19).hex()
        for needle in crowd.needles[:100]
    ]
    noise = [chance.randbytes(32).hex() for _ in range(100_000)]
    report = search("\n".join([*noise, *leaks]).encode(), needles=crowd, raw=True)
    assert len({hit.label for hit in report.hits}) >= 100


def test_single_match_in_a_small_store_is_already_too_many() -> None:
    needles = NeedleSet([Needle(label="number", value=NUMBER)])
    (hit,) = search(UID, needles=needles, raw=True).hits
    assert hit.encoding.endswith(UNLIKELY)


@given(numbers, hexadecimal, hexadecimal)
def test_number_beside_what_is_no_hexadecimal_digit_is_found(
    number: str, before: str, after: str
) -> None:
    for left, right in ((" ", " "), ("-", '"'), ("\0", "\n"), ("=", "&"), ("没", "號")):
        assert find(f"{before}{left}{number}{right}{after}".encode(), number)


@given(numbers, st.sampled_from(sorted(FIELD_DIGITS)), st.booleans())
def test_number_beside_a_field_without_a_mark_between_is_found(
    number: str, size: int, is_before: bool
) -> None:
    if size + len(number) in FIELD_DIGITS:
        return
    field = ("bcade" * size)[:size]  # no digits, so the number is where it was put
    text = number + field if is_before else field + number
    assert find(text.encode(), number)


@given(numbers)
def test_number_padded_to_a_word_is_found(number: str) -> None:
    for word in (f"{number:0>64}", f"{number:0<64}", f"{number:f>64}", f"{number:0>40}"):
        for run in (word, "deadbeef" + word, "a9059cbb" + word + "ab" * 32):
            assert find(run.encode(), number), run


@settings(max_examples=15)
@given(st.from_regex(r"[1-9][0-9]{6}[1-9]", fullmatch=True), st.binary(max_size=12))
def test_number_in_every_encoding_is_found_in_hex(number: str, beside: bytes) -> None:
    needles = NeedleSet([Needle(label="number", value=number)])
    for plain in (
        number.encode(),
        number.encode("utf-16-le"),
        number.encode("utf-16-be"),
        base64.b64encode(number.encode()),
        f"{number}{number}".encode(),
    ):
        for data in (plain, beside + plain + beside):
            for text in (data.hex(), data.hex().upper(), "0x" + data.hex()):
                report = search(text.encode(), needles=needles)
                assert [hit for hit in report.hits if UNLIKELY not in hit.encoding], text
    packed = bytes.fromhex(number)
    word = encode(["uint256"], [int.from_bytes(packed, "big")])
    for whole in (packed, word, packed.ljust(32, b"\0")):
        assert search(b"0x" + whole.hex().encode(), needles=needles).hits


@given(st.text("0123456789abcdef", min_size=12, max_size=12), hexadecimal)
def test_six_bytes_count_in_every_run(match: str, beside: str) -> None:
    data = f"{beside}{match}{beside}".encode()
    assert not is_left_to_chance(data, len(beside), len(beside) + 12)


def test_decimal_digits_alone_are_no_random_field() -> None:
    assert find(f"20261122{NUMBER}20261122".encode(), NUMBER)
    assert not find(UID, NUMBER)
    assert not find(b"op-" + UID[:24], NUMBER), "twelve random bytes"
    assert not find(UID[:16], NUMBER), "eight random bytes"
    assert find(UID[1:16], NUMBER)
    assert find(UID[8:20], NUMBER)


def test_match_at_the_border_of_two_chunks_is_judged_with_both_sides(tmp_path: Path) -> None:
    needles = NeedleSet(
        [Needle(label="number", value=NUMBER), Needle(label="other", value="70000001")]
    )
    noise = [secrets.token_hex(32).encode() for _ in range(300)]
    beside = b"\n".join(noise)
    for back in (3, 20, 90, 300):
        head = b"." * (CHUNK_SIZE - back - len(beside)) + beside
        (tmp_path / "file.bin").write_bytes(head + UID + b"\n" + beside)
        report = search_folder(tmp_path, needles)
        raw = [hit for hit in report.hits if hit.store == "raw files"]
        assert all(UNLIKELY in hit.encoding for hit in raw), back
        assert len(report.chance.left["number"].beside) == 1, back
        (tmp_path / "file.bin").write_bytes(head + b"  " + NUMBER.encode() + b"  " + beside)
        report = search_folder(tmp_path, needles)
        assert [hit for hit in report.hits if hit.store == "raw files"], back


def test_random_identifier_in_a_database_is_no_finding(crowd: NeedleSet, tmp_path: Path) -> None:
    number = str(crowd.needles[0].value)
    database = sqlite3.connect(tmp_path / "outbox.sqlite")
    database.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, other TEXT)")
    uid = secrets.token_hex(9) + "a" + number + "b" + secrets.token_hex(18)
    database.execute("INSERT INTO rows VALUES (?, ?)", ("op-" + uid[:24], uid))
    database.executemany(
        "INSERT INTO rows VALUES (?, ?)",
        [(secrets.token_hex(32), secrets.token_hex(32)) for _ in range(2_000)],
    )
    database.commit()
    database.close()
    assert search_folder(tmp_path, crowd).hits == []
    database = sqlite3.connect(tmp_path / "outbox.sqlite")
    database.execute("INSERT INTO rows VALUES (?, ?)", (number, secrets.token_hex(32) + number))
    database.commit()
    database.close()
    stores = {hit.store for hit in search_folder(tmp_path, crowd).hits}
    assert stores == {"raw files", "outbox.sqlite: SQLite"}


def test_characters_of_runs_are_counted() -> None:
    assert count_characters(b"ab" * 8 + b" " + b"cd" * 7) == (16, 0)
    assert count_characters(b"x" * 40 + b"." + b"0" * 20) == (20, 20)
    assert count_characters(b"") == (0, 0)


def test_tail_of_the_law_of_poisson() -> None:
    assert compute_tail(0, 0.5) == compute_tail(3, 5.0) == 1.0
    assert compute_tail(1, 1e-9) == pytest.approx(1e-9)
    assert compute_tail(1, 0.0) == 0.0
    assert compute_tail(10, 5.0) == pytest.approx(0.031828, rel=1e-4)
    assert compute_tail(60, 5.0) < LEAST_LIKELY


def test_expectation_counts_each_kind_of_text() -> None:
    lengths = FormLengths(in_hex={12: 2}, in_base64={8: 1}, in_bytes={6: 4}, left={8: 16})
    tally = ChanceTally(hex_digits=16**8, base64_characters=64**4, size=256**3)
    assert tally.compute_left(lengths) == 16
    assert tally.compute_expected(lengths) == pytest.approx(2 * 16**-4 + 64**-4 + 4 * 256**-3)
