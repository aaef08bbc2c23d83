"""Every control is found in every store, and every hash of what can be guessed."""

import base64
import hashlib
import json
import random
import secrets
import sqlite3
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import cramjam
import plyvel
import pytest
import sha3
from hypothesis import given
from hypothesis import strategies as st

from api.firewall.search.clean import CleanValues
from api.firewall.search.containers import iterate_log_records, iterate_streams
from api.firewall.search.controls import Controls, describe_methods
from api.firewall.search.folders import search_folder
from api.firewall.search.guesses import (
    PATTERNS,
    RECIPES,
    Guess,
    GuessTable,
    list_birth_dates,
    list_neighbours,
)
from api.firewall.search.matcher import Batch, Matcher
from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import CONTROL, MAX_HITS, Hit, SearchReport
from api.firewall.search.searcher import Searcher

open_leveldb: Callable[..., Any] = plyvel.DB  # type: ignore[attr-defined]
HEALTH = b"positive 1963-05-17"


def make_node(folder: Path) -> None:
    """Make one store of each kind, with contents of no interest."""
    database = open_leveldb(str(folder / "chain"), create_if_missing=True)
    for number in range(300):
        database.put(b"b%04d" % number, b"block " * 30 + secrets.token_bytes(40))
    database.close()
    index = sqlite3.connect(folder / "index.sqlite")
    index.execute("CREATE TABLE rows (uid BLOB)")
    index.executemany("INSERT INTO rows VALUES (?)", [(secrets.token_bytes(32),)] * 50)
    index.commit()
    index.close()
    (folder / "log.jsonl").write_text('{"event": "started"}\n')
    (folder / "traffic.tap").write_bytes(b"sent 0011223344556677 3\nabc\n")


def search(folder: Path, controls: Controls) -> SearchReport:
    return search_folder(
        folder,
        NeedleSet(controls.needles),
        guesses=GuessTable(controls.guesses),
        controls=controls,
    )


def test_control_of_every_encoding_container_and_hash_is_found_in_every_store(
    tmp_path: Path,
) -> None:
    make_node(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    controls = Controls()
    report = search(tmp_path, controls)
    assert controls.find_missed(report) == []
    assert controls.count() > 5 * len(describe_methods())
    assert set(report.stores) >= {
        "chain: LevelDB",
        "chain: LevelDB files, opened",
        "index.sqlite: SQLite",
        "traffic.tap: traffic",
        "log.jsonl: lines",
        "raw files",
    }
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before, "the store itself is never touched"


@pytest.mark.parametrize("blind", ["utf-16-be", "big5", "packed"])
def test_search_that_is_blind_for_an_encoding_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    from api.firewall.search import needles

    if blind == "packed":
        monkeypatch.setattr(needles, "_iterate_packed", lambda _text: iter(()))
    else:
        left = tuple(name for name in needles.ENCODINGS if name != blind)
        monkeypatch.setattr(needles, "ENCODINGS", left)
    make_node(tmp_path)
    controls = Controls()
    missed = controls.find_missed(search(tmp_path, controls))
    assert {store for store, _ in missed} >= {"chain: LevelDB", "index.sqlite: SQLite", "raw files"}


def test_deleted_record_is_found_where_leveldb_still_holds_it(tmp_path: Path) -> None:
    database = open_leveldb(str(tmp_path / "chain"), create_if_missing=True)
    for number in range(100):
        database.put(b"k%03d" % number, (HEALTH + b" ") * 8 + b"%d" % number)
    database.compact_range()
    for number in range(100):
        database.delete(b"k%03d" % number)
    database.close()
    report = search_folder(tmp_path, NeedleSet([Needle(label="result", value=HEALTH.decode())]))
    assert "chain: LevelDB files, opened" in report.get_stores_with("result")
    assert "chain: LevelDB" not in report.get_stores_with("result")


HASHES: dict[str, Callable[[bytes], bytes]] = {
    "SHA-1": lambda data: hashlib.sha1(data).digest(),
    "MD5": lambda data: hashlib.md5(data).digest(),
    "SHA-256": lambda data: hashlib.sha256(data).digest(),
    "SM3": lambda data: hashlib.new("sm3", data).digest(),
    "keccak-256": lambda data: bytes(sha3.keccak_256(data).digest()),
}


WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "hex": lambda data: data.hex().encode(),
    "capitals": lambda data: b"0x" + data.hex().upper().encode(),
    "base64": base64.b64encode,
    "shifted": lambda data: b"abc" + data,
}


def test_hash_of_a_birth_date_is_found_however_it_was_made_and_written(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "index.sqlite")
    database.execute(f"CREATE TABLE rows ({', '.join(WRITTEN)})")
    expected = set()
    for name, compute in HASHES.items():
        once = compute(b"17/05/1963")
        for rounds, digest in (
            ("once", once),
            ("twice", compute(once)),
            ("twice, over hex", compute(once.hex().encode())),
        ):
            values = [write(digest) for write in WRITTEN.values()]
            database.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", values)
            expected |= {(f"rows.{written}", f"{name} {rounds}") for written in WRITTEN}
    database.commit()
    database.close()
    guesses, space = list_birth_dates(date(1963, 12, 31), first=date(1963, 1, 1))
    assert space.size == 365 * 11
    report = search_folder(tmp_path, NeedleSet([]), guesses=GuessTable(guesses))
    found = {(hit.place, hit.encoding) for hit in report.hits if hit.store.endswith("SQLite")}
    assert found == expected
    assert {hit.label for hit in report.hits} == {"a birth date"}
    assert "1963" not in repr(report.hits)


def test_salted_hash_and_chance_are_not_found(tmp_path: Path) -> None:
    salted = hashlib.sha256(secrets.token_bytes(32) + b"1963-05-17").digest()
    (tmp_path / "stored.bin").write_bytes(salted + random.Random(5).randbytes(2**20))
    guesses, _ = list_birth_dates(date(1963, 12, 31), first=date(1960, 1, 1))
    assert search_folder(tmp_path, NeedleSet([]), guesses=GuessTable(guesses)).hits == []


def test_spaces_state_how_much_of_them_was_tried() -> None:
    mobile = PATTERNS[0]
    guesses, space = mobile.list_guesses(1_000)
    assert (space.size, space.tried, len(guesses)) == (10_000_000, 1_000, 1_000)
    assert guesses[-1].text == "60000999"
    near, space = list_neighbours(["1234567(8)", "12345678", "short"])
    assert "12345601" in {guess.text for guess in near}
    assert space.size == len(near) == 200
    assert GuessTable([Guess(text="1", label="one")]).digest_count == len(RECIPES) == 15


@given(
    st.lists(st.binary(min_size=6, max_size=20), min_size=1, max_size=20),
    st.lists(st.binary(max_size=40), max_size=20),
    st.randoms(use_true_random=False),
)
def test_matcher_finds_what_a_plain_search_finds(
    strings: list[bytes], noise: list[bytes], chance: random.Random
) -> None:
    data = b"".join(chance.sample([*noise, *strings], len(noise) + len(strings)))
    expected = {
        (place, number)
        for number, string in enumerate(strings)
        for place in range(len(data))
        if data.startswith(string, place)
    }
    assert set(Matcher(strings).find(data)) == expected


def test_matcher_finds_across_the_parts_that_it_reads() -> None:
    string = b"needle in a haystack"
    for at in (2**20 - 30, 2**20 - 5, 2**20, 2**20 + 3):
        data = bytes(at) + string + bytes(2**20)
        assert list(Matcher([string]).find(data)) == [(at, 0)]


def test_batch_joins_no_two_pieces() -> None:
    found: list[tuple[int, int, bytes, int]] = []

    def note(mark: int, number: int, piece: bytes, place: int) -> None:
        found.append((mark, number, piece, place))

    read: list[bytes] = []
    batch = Batch((Matcher([b"needle"]), note), on_data=read.append, size=50)
    for mark, piece in enumerate((b"-nee", b"dle----", b"--needle", b"needle")):
        batch.add(piece, mark)
    batch.flush()
    assert found == [(2, 0, b"--needle", 2), (3, 0, b"needle", 0)]
    assert read == [b"dle------needleneedle"]


@pytest.mark.parametrize(
    "pack",
    [
        zlib.compress,
        lambda data: zlib.compress(data, wbits=31),
        lambda data: bytes(cramjam.snappy.compress_raw(data)),
        lambda data: bytes(cramjam.snappy.compress(data)),
        lambda data: bytes(cramjam.lz4.compress(data)),
        lambda data: bytes(cramjam.zstd.compress(data)),
    ],
)
def test_compressed_streams_are_opened(pack: Callable[[bytes], bytes]) -> None:
    data = b"block of " * 40
    assert data in list(iterate_streams(pack(data)))
    assert not list(iterate_streams(pack(data)[: len(pack(data)) // 8])) or pack is zlib.compress


@given(st.binary(max_size=300))
def test_containers_of_anything_are_no_error(data: bytes) -> None:
    list(iterate_streams(data))
    list(iterate_log_records(data))


def test_report_of_controls_names_methods_and_no_values() -> None:
    controls = Controls()
    texts = [control.text for control in controls.planted]
    assert len(set(texts)) == len(texts), "every control is random"
    assert not any(text in json.dumps(list(describe_methods())) for text in texts)
    assert all(control.label.startswith(CONTROL) for control in controls.planted)


def test_controls_take_no_room_from_findings() -> None:
    report = SearchReport()
    for number in range(2 * MAX_HITS):
        report.add(Hit(store=f"{number}", place="", label=f"{CONTROL}hex", encoding="hex"))
    assert (len(report.hits), report.further_hits) == (2 * MAX_HITS, 0)
    for number in range(MAX_HITS + 1):
        report.add(Hit(store=f"{number}", place="", label="a name", encoding="hex"))
    assert (len(report.hits), report.further_hits) == (3 * MAX_HITS, 1)


def test_what_held_something_is_found_in_every_folder(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        make_node(tmp_path / name)
        with sqlite3.connect(tmp_path / name / "index.sqlite") as database:
            database.execute("CREATE TABLE people (born BLOB)")
            database.execute("INSERT INTO people VALUES (?)", (HEALTH,))
        database.close()
    controls, clean = Controls(), CleanValues()
    needle = Needle(label="result", value=HEALTH.decode())
    for name in ("first", "second"):
        report = search_folder(
            tmp_path / name,
            NeedleSet([*controls.needles, needle]),
            guesses=GuessTable(controls.guesses),
            controls=controls,
            clean=clean,
        )
        assert controls.find_missed(report) == []
        assert "index.sqlite: SQLite" in report.get_stores_with("result")
    assert HEALTH not in clean
    assert b"block " * 30 not in clean
    assert b'{"event": "started"}' in clean


def test_what_is_known_to_hold_nothing_is_not_opened_again() -> None:
    clean = CleanValues()
    opened = []
    for value in (b"some value", b"some value", HEALTH, HEALTH):
        report = SearchReport()
        needles = NeedleSet([Needle(label="result", value=HEALTH.decode())])
        searcher = Searcher(needles, report, clean=clean)
        searcher.search(value, store="store", place="place")
        searcher.finish()
        opened.append((report.chance.size > 0, len(report.hits)))
    assert opened == [(True, 0), (False, 0), (True, 1), (True, 1)]
