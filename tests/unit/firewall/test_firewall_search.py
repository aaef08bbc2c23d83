"""The privacy search finds what it should, in every store and form, and nothing by chance."""

import base64
import json
import random
import re
import sqlite3
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import plyvel
import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from api.firewall.search.fields import iterate_fields
from api.firewall.search.folders import search_folder
from api.firewall.search.needles import Needle, NeedleSet

NAME = "Gößinger-Åström"
# These three libraries carry no types.
open_leveldb: Callable[..., Any] = plyvel.DB  # type: ignore[attr-defined]
encode_rlp: Callable[..., bytes] = rlp.encode  # type: ignore[attr-defined]
pack: Callable[..., bytes] = msgpack.packb

CHINESE = "歐陽美玲子"
SHORT = "1963"
IDENTIFIER = bytes(range(100, 132))
NEEDLES = NeedleSet(
    [
        Needle(label="name", value=NAME),
        Needle(label="chinese name", value=CHINESE),
        Needle(label="birth year", value=SHORT),
        Needle(label="identifier", value=IDENTIFIER),
    ]
)


def found_inside(data: bytes) -> set[str]:
    return {needle.label for needle, _ in NEEDLES.find_inside(data)}


def found_in_fields(data: bytes) -> set[str]:
    found = set()
    for part in iterate_fields(data):
        whole = NEEDLES.find_whole(part)
        found |= {whole[0].label} if whole else set()
        found |= found_inside(part)
    return found


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("shift", range(7))
def test_name_is_found_in_every_encoding_and_alignment(
    form: str, encoding: str, shift: int
) -> None:
    text = unicodedata.normalize(form, NAME)  # type: ignore[arg-type]
    plain = b"q" * shift + text.encode(encoding) + b"rest"
    for data in (
        plain,
        plain.hex().encode(),
        plain.hex().upper().encode(),
        base64.b64encode(plain),
        base64.urlsafe_b64encode(plain),
    ):
        assert found_inside(data) == {"name"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_name_is_found_behind_json_escapes(form: str) -> None:
    text = unicodedata.normalize(form, NAME)  # type: ignore[arg-type]
    escaped = json.dumps({"name": text}).encode()
    assert b"\\u" in escaped
    assert found_inside(escaped) == {"name"}
    upper = re.sub(rb"\\u(....)", lambda match: b"\\u" + match.group(1).upper(), escaped)
    assert found_inside(upper) == {"name"}


@given(st.binary(max_size=30), st.binary(max_size=30), st.sampled_from(NEEDLES.needles))
def test_needle_is_found_between_any_bytes(before: bytes, after: bytes, needle: Needle) -> None:
    value = needle.value.encode() if isinstance(needle.value, str) else needle.value
    if len(value) < 6:
        assert NEEDLES.find_whole(value) is not None
        return
    for data in (before + value + after, base64.b64encode(before + value + after)):
        assert needle.label in found_inside(data)


def test_short_value_counts_only_as_whole_field() -> None:
    assert found_in_fields(b"block 1963 of 1963") == set()
    for data in (
        b"1963",
        b"31393633",
        base64.b64encode(b"1963"),
        encode_rlp([b"a", [b"1963", b"b"]]),
        b"\x02" + encode_rlp([b"1963", b"bb"]),
        b"\x00" * 8 + encode_rlp([b"1963", b"bb"]),
        b"\xaa\xbb\xcc\xdd" + b"1963".ljust(32, b"\x00") + bytes(32),
        pack({"a": [1, "1963"]}),
        json.dumps({"event": "x", "born": "1963"}).encode(),
        b"0x31393633",
    ):
        assert found_in_fields(data) == {"birth year"}, data


def test_name_too_short_in_one_encoding_counts_there_only_as_whole_field() -> None:
    needles = NeedleSet([Needle(label="given name", value="美玲")])
    short, long = "美玲".encode("utf-16-le"), "美玲".encode()
    assert (len(short), len(long)) == (4, 6)
    assert not list(needles.find_inside(b"x" + short + b"x"))
    assert needles.find_whole(short) is not None
    assert needles.find_whole(base64.b64encode(short)) is not None
    assert list(needles.find_inside(b"x" + long + b"x"))


def test_random_bytes_hold_no_needle() -> None:
    chance = random.Random(7)
    data = chance.randbytes(3_000_000)
    assert found_inside(data) == set()
    assert found_inside(base64.b64encode(data)) == set()
    for start in range(0, 300_000, 100):
        assert found_in_fields(data[start : start + 100]) == set()


def test_fields_of_hostile_bytes_stay_bounded() -> None:
    nested = b"\xc0"
    for _ in range(50):
        nested = bytes([0xC0 + len(nested)]) + nested
    for data in (nested, b"\x91" * 2000, b"[" * 5000, b"\xf8", b"\xb8\xff", b"\xff" * 99):
        assert sum(1 for _ in iterate_fields(data)) < 5000


def test_needle_is_found_in_compressed_leveldb_but_not_by_raw_search(tmp_path: Path) -> None:
    database = open_leveldb(str(tmp_path / "chain"), create_if_missing=True)
    # LevelDB's compression replaces what it saw before: each value shares half with the one before.
    for number in range(200):
        database.put(b"k%03d" % number, CHINESE.encode()[:8] * 20 + b"x%d" % number)
    database.put(b"z", CHINESE.encode()[:8] * 20 + CHINESE.encode())
    database.compact_range()
    database.close()
    report = search_folder(tmp_path, NEEDLES)
    opened = "chain: LevelDB files, opened"
    assert report.get_stores_with("chinese name") == {"chain: LevelDB", opened}
    assert report.stores["chain: LevelDB"] == 201


def test_needle_is_found_in_key_of_leveldb_write_ahead_log(tmp_path: Path) -> None:
    database = open_leveldb(str(tmp_path / "chain"), create_if_missing=True)
    database.put(b"key " + IDENTIFIER, b"1963")
    database.close()
    report = search_folder(tmp_path, NEEDLES)
    assert report.get_stores_with("identifier") == {
        "chain: LevelDB",
        "chain: LevelDB files, opened",
        "raw files",
    }
    assert report.get_stores_with("birth year") == {"chain: LevelDB"}


def test_needle_is_found_in_sqlite_column_and_write_ahead_log(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE people (id INTEGER, name TEXT, born BLOB)")
    database.execute("INSERT INTO people VALUES (1963, ?, ?)", (NAME, b"1963"))
    database.commit()
    # Not closed: the row stands in the write-ahead log alone.
    report = search_folder(tmp_path, NEEDLES)
    database.close()
    assert report.get_stores_with("birth year") == {"index.sqlite: SQLite"}
    assert "index.sqlite: SQLite" in report.get_stores_with("name")
    places = {hit.place for hit in report.hits if hit.store == "index.sqlite: SQLite"}
    assert places == {"people.name", "people.born"}


def test_needle_is_found_in_traffic_log_line_and_file_name(tmp_path: Path) -> None:
    frame = pack([1, {"year": "1963"}])
    (tmp_path / "tap").write_bytes(b"sent 0011223344556677 %d\n%b\n" % (len(frame), frame))
    (tmp_path / "log.jsonl").write_text(json.dumps({"event": "seen", "who": NAME}) + "\n")
    (tmp_path / f"{IDENTIFIER.hex()}.json").write_text("{}")
    report = search_folder(tmp_path, NEEDLES)
    assert report.get_stores_with("birth year") == {"tap: traffic"}
    assert report.get_stores_with("name") == {"raw files", "log.jsonl: lines"}
    assert report.get_stores_with("identifier") == {"raw files"}


def test_search_leaves_folder_untouched_and_reports_no_values(tmp_path: Path) -> None:
    database = open_leveldb(str(tmp_path / "chain"), create_if_missing=True)
    database.put(b"k", NAME.encode())
    database.close()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    report = search_folder(tmp_path, NEEDLES)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert report.hits
    assert NAME not in repr(report)
