"""Searching everything that agencies keep and send for values that should be nowhere.

A search of raw files alone proves little: LevelDB compresses its blocks, SQLite splits long values
over pages, and neither stores a value in the encoding in which one would type it. So each data
folder is searched twice. *Raw*: every file, byte for byte. *Decoded*: every key and value of every
LevelDB, every column of every row of every SQLite database (with its write-ahead log), every frame
of the recorded traffic and every line of the logs, each opened into the fields that it consists of
(``privacy_fields``), for every needle in every form (``privacy_needles``).

The search works on a copy, taken while the nodes are stopped, so that it can compact and checkpoint
at will. It reports where a needle was found and in which encoding; it never repeats a value.

    report = search_folder(folder, NeedleSet(needles))
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import plyvel

from scripts.demos.privacy_fields import iterate_fields
from scripts.demos.privacy_needles import NeedleSet

CHUNK_SIZE: Final = 4 * 1024 * 1024
"""Bytes of a raw file searched at a time; chunks overlap by more than the longest form."""

OVERLAP: Final = 16 * 1024

_SQLITE_MAGIC = b"SQLite format 3\x00"
_TAP_DIRECTIONS = (b"sent ", b"received ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a needle was found."""

    store: str
    """The store, such as ``chain: LevelDB``."""
    place: str
    """Where in it: a file, a table and column, a kind of key."""
    label: str
    """What was found, by its label; never the value."""
    encoding: str
    """In which encoding."""


@dataclass(slots=True, kw_only=True)
class SearchReport:
    """What was searched and what was found."""

    hits: list[Hit] = field(default_factory=list)
    """Every place with a needle, each combination once."""
    stores: dict[str, int] = field(default_factory=dict)
    """The stores searched and how many keys, values, columns, frames or bytes each had."""

    def add(self, hit: Hit) -> None:
        """Note a hit once."""
        if hit not in self.hits:
            self.hits.append(hit)

    def count(self, store: str, number: int = 1) -> None:
        """Note that so many more things of a store were searched."""
        self.stores[store] = self.stores.get(store, 0) + number

    def get_stores_with(self, label: str) -> set[str]:
        """Return the stores in which the needle of this label was found."""
        return {hit.store for hit in self.hits if hit.label == label}


def search_folder(folder: Path, needles: NeedleSet) -> SearchReport:
    """Search a stopped node's folder, raw and decoded. The folder itself is left as it is."""
    report = SearchReport()
    with tempfile.TemporaryDirectory(prefix="atesta-search-") as name:
        copy = Path(name) / "copy"
        shutil.copytree(folder, copy, symlinks=True, ignore=_ignore_sockets)
        databases = [path.parent for path in sorted(copy.rglob("CURRENT"))]
        for path in sorted(copy.rglob("*")):
            if path.is_file() and not path.is_symlink():
                _search_raw(path, copy, needles, report)
        for path in databases:
            _search_leveldb(path, copy, needles, report)
        for path in sorted(copy.rglob("*")):
            if path.is_file() and path.parent not in databases:
                _search_decoded_file(path, copy, needles, report)
    return report


def search_value(
    data: bytes, needles: NeedleSet, report: SearchReport, *, store: str, place: str
) -> None:
    """Search one stored value: as a whole, inside, and in each field that it consists of."""
    for part in iterate_fields(data):
        whole = needles.find_whole(part)
        if whole is not None:
            report.add(Hit(store=store, place=place, label=whole[0].label, encoding=whole[1]))
        for needle, encoding in needles.find_inside(part):
            report.add(Hit(store=store, place=place, label=needle.label, encoding=encoding))


def _search_raw(path: Path, root: Path, needles: NeedleSet, report: SearchReport) -> None:
    name = str(path.relative_to(root))
    report.count("raw files", path.stat().st_size)
    for needle, encoding in needles.find_inside(name.encode("utf-8", "surrogateescape")):
        report.add(Hit(store="raw files", place="file name", label=needle.label, encoding=encoding))
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK_SIZE):
            for needle, encoding in needles.find_inside(kept + chunk):
                report.add(
                    Hit(store="raw files", place=name, label=needle.label, encoding=encoding)
                )
            kept = chunk[-OVERLAP:]


def _search_leveldb(path: Path, root: Path, needles: NeedleSet, report: SearchReport) -> None:
    store = f"{path.relative_to(root)}: LevelDB"
    database = plyvel.DB(  # type: ignore[attr-defined]
        str(path), create_if_missing=False, paranoid_checks=True
    )
    try:
        # What only the write-ahead log held so far is now in compressed tables.
        database.compact_range()
        for key, value in database.iterator():
            report.count(store)
            place = f"keys that begin with {key[:1]!r}"
            search_value(key, needles, report, store=store, place=place)
            search_value(value, needles, report, store=store, place=f"values of {place}")
    finally:
        database.close()


def _search_decoded_file(path: Path, root: Path, needles: NeedleSet, report: SearchReport) -> None:
    with path.open("rb") as file:
        head = file.read(len(_SQLITE_MAGIC))
    name = str(path.relative_to(root))
    if head == _SQLITE_MAGIC:
        _search_sqlite(path, name, needles, report)
    elif head.startswith(_TAP_DIRECTIONS):
        store = f"{name}: traffic"
        for body in _iterate_frames(path):
            report.count(store)
            search_value(body, needles, report, store=store, place="frames")
    elif not path.name.endswith(("-wal", "-shm")):
        store = f"{name}: lines" if path.suffix == ".jsonl" else "other files: lines"
        for line in path.read_bytes().split(b"\n"):
            report.count(store)
            search_value(line, needles, report, store=store, place="lines")


def _search_sqlite(path: Path, name: str, needles: NeedleSet, report: SearchReport) -> None:
    store = f"{name}: SQLite"
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
                        report.count(store)
                        place = f"{table}.{column}"
                        search_value(value, needles, report, store=store, place=place)
    finally:
        database.close()


def _iterate_frames(path: Path) -> Iterator[bytes]:
    """Yield the bodies of recorded frames: ``direction peer length``, newline, body, newline."""
    with path.open("rb") as file:
        while head := file.readline():
            parts = head.split()
            if len(parts) != 3 or not parts[2].isdigit():
                return
            body = file.read(int(parts[2]) + 1)
            yield body[:-1]


def _ignore_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]
