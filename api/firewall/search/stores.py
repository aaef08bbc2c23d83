"""The stores that a node keeps, each read in its own way and handed to the search value by value.

*LevelDB*: every key and value as the database reads them, and besides every block of its tables and
every record of its log, where what was overwritten or deleted still stands. *SQLite*: every column
of every row, with the write-ahead log; free pages are in the raw file. *Traffic*: every recorded
frame. *Lines*: every line of logs and other files. All of it works on a copy.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import plyvel

from api.firewall.search.containers import iterate_log_records, iterate_table_blocks
from api.firewall.search.searcher import OVERLAP, Searcher

CHUNK_SIZE: Final = 4 * 1024 * 1024
"""Bytes of a raw file searched at a time; chunks overlap by more than the longest form."""

RAW_FILES: Final = "raw files"
OTHER_LINES: Final = "other files: lines"
SQLITE_MAGIC: Final = b"SQLite format 3\x00"
TAP_DIRECTIONS: Final = (b"sent ", b"received ")

_TABLE_SUFFIXES: Final = frozenset({".ldb", ".sst"})
_LOG_SUFFIX: Final = ".log"


def open_leveldb(path: Path) -> Any:
    """Open a copied LevelDB."""
    return plyvel.DB(str(path), create_if_missing=False)  # type: ignore[attr-defined]


def search_raw(path: Path, name: str, searcher: Searcher) -> None:
    """Search a file byte for byte, and its name."""
    searcher.report.count(RAW_FILES, path.stat().st_size, size=path.stat().st_size)
    searcher.search_raw(name.encode("utf-8", "surrogateescape"), store=RAW_FILES, place="file name")
    size, done = path.stat().st_size, 0
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK_SIZE):
            done += len(chunk)
            searcher.search_raw(
                kept + chunk,
                store=RAW_FILES,
                place=name,
                has_before=done > len(chunk),
                has_after=done < size,
            )
            kept = chunk[-OVERLAP:]


def search_leveldb(path: Path, name: str, searcher: Searcher) -> None:
    """Search every living key and value."""
    store = f"{name}: LevelDB"
    database = open_leveldb(path)
    try:
        for key, value in database.iterator():
            searcher.report.count(store, size=len(key) + len(value))
            place = f"keys that begin with {key[:1]!r}"
            searcher.search(key, store=store, place=place)
            searcher.search(value, store=store, place=f"values of {place}")
    finally:
        database.close()


def search_leveldb_files(path: Path, name: str, searcher: Searcher) -> None:
    """Search the blocks of all tables and the records of the log: also what is no longer there."""
    store = f"{name}: LevelDB files, opened"
    for file in sorted(path.iterdir()):
        if file.suffix in _TABLE_SUFFIXES:
            parts, what = iterate_table_blocks(file.read_bytes()), "blocks of tables"
        elif file.suffix == _LOG_SUFFIX:
            parts, what = iterate_log_records(file.read_bytes()), "records of the log"
        else:
            continue
        for part in parts:
            searcher.report.count(store, size=len(part))
            searcher.search_raw(part, store=store, place=what)


def search_sqlite(path: Path, name: str, searcher: Searcher) -> None:
    """Search every text and every byte string in every table."""
    store = f"{name}: SQLite"
    for table, column, value in iterate_sqlite(path):
        searcher.report.count(store, size=len(value))
        searcher.search(value, store=store, place=f"{table}.{column}")


def iterate_sqlite(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield table, column and value of everything in a database that is text or bytes."""
    database = sqlite3.connect(path)
    # Texts as bytes: a column may hold what is not UTF-8.
    database.text_factory = bytes
    try:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for table in ("sqlite_master", *(row[0].decode() for row in rows)):
            quoted = table.replace('"', '""')
            cursor = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - its own names
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                for column, value in zip(columns, row, strict=True):
                    if isinstance(value, bytes):
                        yield table, column, value
    finally:
        database.close()


def search_traffic(path: Path, name: str, searcher: Searcher) -> None:
    """Search every frame of recorded traffic."""
    store = f"{name}: traffic"
    for body in iterate_frames(path):
        searcher.report.count(store, size=len(body))
        searcher.search(body, store=store, place="frames")


def search_lines(path: Path, name: str, searcher: Searcher) -> None:
    """Search every line of a log, or of a file of no known kind."""
    store = f"{name}: lines" if path.suffix == ".jsonl" else OTHER_LINES
    with path.open("rb") as file:
        for line in file:
            searcher.report.count(store, size=len(line))
            searcher.search(line.rstrip(b"\r\n"), store=store, place="lines")


def iterate_frames(path: Path) -> Iterator[bytes]:
    """Yield the bodies of recorded frames: ``direction peer length``, newline, body, newline."""
    with path.open("rb") as file:
        while head := file.readline():
            parts = head.split()
            if len(parts) != 3 or not parts[2].isdigit():
                return
            body = file.read(int(parts[2]) + 1)
            yield body[:-1]
