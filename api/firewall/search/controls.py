"""Controls: values that the search must find, planted into the copy that it searches.

A search that finds nothing proves something only if it would have found it. So before each search a
control of every encoding, every container and every hash is written into every store of the copy:
as a value of each LevelDB, a record that was deleted from it, a column of each SQLite database, a
recorded frame, a line of each log, and a file of bytes. A store in which one of them is not found
fails the audit. The store itself is never touched, and the controls are random, so that nothing of
an earlier audit can be found in their place.
"""

import base64
import json
import secrets
import sqlite3
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cramjam
import msgpack
import rlp
from eth_abi.abi import encode

from api.firewall.search import stores
from api.firewall.search.guesses import RECIPES, Guess, iterate_digests
from api.firewall.search.needles import Needle
from api.firewall.search.report import CONTROL, SearchReport

_TAP_HEAD: Final = b"received 0123456789abcdef %d\n"
_LATIN: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzáéíóúçãõ"
# Characters that Big5 and GB18030 both have.
_CHINESE: Final = "王李陳林黃吳美玲子明文英華春山海光大安平和中正心天水木火土金日月星雲雨花"
_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_encode_rlp: Callable[..., bytes] = rlp.encode  # type: ignore[attr-defined]
_pack: Callable[..., bytes] = msgpack.packb

Write = Callable[[str], bytes]


def _latin() -> str:
    return "Xé" + "".join(secrets.choice(_LATIN) for _ in range(18))


def _chinese() -> str:
    return "".join(secrets.choice(_CHINESE) for _ in range(9))


def _digits() -> str:
    return secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(17))


def _number() -> str:
    return _digits()[:8]


def _percent(data: bytes) -> bytes:
    return "".join(f"%{byte:02X}" for byte in data).encode()


_WRITERS: Final[tuple[tuple[str, Callable[[], str], Write], ...]] = (
    ("UTF-8", _chinese, lambda text: text.encode()),
    ("UTF-16 LE", _latin, lambda text: text.encode("utf-16-le")),
    ("UTF-16 BE", _chinese, lambda text: text.encode("utf-16-be")),
    ("GB18030", _chinese, lambda text: text.encode("gb18030")),
    ("Big5", _chinese, lambda text: text.encode("big5")),
    ("Latin-1", _latin, lambda text: text.encode("latin-1")),
    ("decomposed", _latin, lambda text: unicodedata.normalize("NFD", text).encode()),
    ("upper case", _latin, lambda text: text.upper().encode()),
    ("lower case", _latin, lambda text: text.lower().encode()),
    ("full width", _digits, lambda text: text.translate(_FULL_WIDTH).encode()),
    ("reversed", _latin, lambda text: text[::-1].encode()),
    ("hex", _chinese, lambda text: text.encode().hex().encode()),
    ("HEX", _latin, lambda text: text.encode("utf-16-le").hex().upper().encode()),
    ("base64", _latin, lambda text: base64.b64encode(b"q" + text.encode() + b"q")),
    ("base64url", _chinese, lambda text: base64.urlsafe_b64encode(b"qq" + text.encode() + b"q")),
    ("percent escapes", _chinese, lambda text: _percent(text.encode("big5"))),
    ("JSON escapes", _chinese, lambda text: json.dumps({"value": text}).encode()),
    ("packed digits", _digits, bytes.fromhex),
    ("binary number", _digits, lambda text: int(text).to_bytes(8, "big")),
    ("number", _number, lambda text: f"no. {text}.".encode()),
    ("number in a word in hex", _number, lambda text: f"0x{text:0>64}".encode()),
    ("ABI string", _chinese, lambda text: encode(["string"], [text])),
    ("ABI word", _digits, lambda text: encode(["bytes32"], [text.encode()])),
    ("msgpack", _chinese, lambda text: _pack({"value": [1, text]})),
    ("RLP", _chinese, lambda text: _encode_rlp([b"a", [text.encode(), b"b"]])),
    ("hex of base64", _latin, lambda text: base64.b64encode(text.encode()).hex().encode()),
)
_COMPRESSED: Final[tuple[tuple[str, Callable[[], str], Write], ...]] = (
    ("gzip", _chinese, lambda text: zlib.compress(text.encode() * 3, wbits=31)),
    ("deflate", _chinese, lambda text: zlib.compress(text.encode() * 3)),
    ("snappy", _chinese, lambda text: bytes(cramjam.snappy.compress_raw(text.encode() * 3))),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One planted value."""

    name: str
    """The encoding, container or hash."""
    text: str
    data: bytes
    """What is planted."""
    needs_decoding: bool
    """Whether it cannot be found in a raw file."""

    @property
    def label(self) -> str:
        """Its label among needles and guesses."""
        return CONTROL + self.name


class Controls:
    """A fresh set of controls."""

    def __init__(self) -> None:
        self.planted = tuple(_make_all())
        # Also random, in letters that no form of a word has: the search reads these names as well.
        self._name = "x" + secrets.token_hex(8)
        self._stores: dict[str, bool] = {stores.RAW_FILES: True}

    @property
    def needles(self) -> tuple[Needle, ...]:
        """The needles that find them."""
        return tuple(
            Needle(label=control.label, value=control.text)
            for control in self.planted
            if control.name not in _HASHED
        )

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """The guesses that find the hashed ones."""
        return tuple(
            Guess(text=control.text, label=control.label)
            for control in self.planted
            if control.name in _HASHED
        )

    def plant_raw(self, copy: Path) -> None:
        """Write a file of controls into a copied folder; whatever an earlier copy had is over."""
        self._stores = {stores.RAW_FILES: True}
        (copy / self._name).write_bytes(b"\0".join(control.data for control in self.planted))

    def plant_stores(self, copy: Path) -> None:
        """Write every control into every store of a copied folder."""
        databases = {path.parent for path in copy.rglob("CURRENT")}
        for path in [path for path in copy.rglob("*") if path.is_file()]:
            name = str(path.relative_to(copy))
            if path.parent in databases or path.is_symlink() or name.endswith(("-wal", "-shm")):
                continue
            self._plant_file(path, name)
        for path in databases:
            self._plant_leveldb(path, str(path.relative_to(copy)))

    def find_missed(self, report: SearchReport) -> list[tuple[str, str]]:
        """Return (store, control) for each control that the search of the copy did not find."""
        found = {(hit.store, hit.label) for hit in report.hits}
        return [
            (store, control.name)
            for store, is_raw in sorted(self._stores.items())
            for control in self.planted
            if not (is_raw and control.needs_decoding) and (store, control.label) not in found
        ]

    def count(self) -> int:
        """Return how many controls were planted, in all stores."""
        raw = sum(not control.needs_decoding for control in self.planted)
        return sum(raw if is_raw else len(self.planted) for is_raw in self._stores.values())

    def _plant_file(self, path: Path, name: str) -> None:
        with path.open("rb") as file:
            head = file.read(len(stores.SQLITE_MAGIC))
        if head == stores.SQLITE_MAGIC:
            database = sqlite3.connect(path)
            with database:
                database.execute(f"CREATE TABLE {self._name} (value BLOB)")
                database.executemany(
                    f"INSERT INTO {self._name} VALUES (?)",  # noqa: S608 - a constant
                    [(control.data,) for control in self.planted],
                )
            database.close()
            self._stores[f"{name}: SQLite"] = False
        elif head.startswith(stores.TAP_DIRECTIONS):
            with path.open("ab") as file:
                for control in self.planted:
                    file.write(_TAP_HEAD % len(control.data) + control.data + b"\n")
            self._stores[f"{name}: traffic"] = False
        elif path.suffix == ".jsonl":
            with path.open("ab") as file:
                for control in self.planted:
                    file.write(control.data + b"\n")
            self._stores[f"{name}: lines"] = False

    def _plant_leveldb(self, path: Path, name: str) -> None:
        database = stores.open_leveldb(path)
        first = b"\xff\xff" + self._name.encode()
        last = first + b"\xff"
        for number, control in enumerate(self.planted):
            database.put(first + b"-%d" % number, control.data)
        database.compact_range(start=first, stop=last)
        for number, control in enumerate(self.planted):
            database.delete(first + b"-%d" % number)
            database.put(first + b"+%d" % number, control.data)
        database.close()
        self._stores[f"{name}: LevelDB"] = False
        self._stores[f"{name}: LevelDB files, opened"] = True


_HASHED: Final = frozenset(RECIPES) | frozenset(f"{recipe} in hex" for recipe in RECIPES)


def _make_all() -> Iterator[Control]:
    for name, choose, write in _WRITERS:
        yield _make(name, choose, write, needs_decoding=name == "hex of base64")
    for name, choose, write in _COMPRESSED:
        yield _make(name, choose, write, needs_decoding=True)
    for place, recipe in enumerate(RECIPES):
        yield _make(recipe, _digits, _write_digest(place), needs_decoding=False)
        yield _make(
            f"{recipe} in hex", _digits, _write_digest(place, in_hex=True), needs_decoding=False
        )


def _make(name: str, choose: Callable[[], str], write: Write, *, needs_decoding: bool) -> Control:
    """Make one control whose bytes fit on a line of a log."""
    while True:
        text = choose()
        data = write(text)
        if b"\n" not in data and b"\r" not in data:
            return Control(name=name, text=text, data=data, needs_decoding=needs_decoding)


def _write_digest(place: int, *, in_hex: bool = False) -> Write:
    def write(text: str) -> bytes:
        digest = list(iterate_digests(text.encode()))[place]
        return digest.hex().encode() if in_hex else digest

    return write


def describe_methods() -> Sequence[str]:
    """Return the names of all encodings, containers and hashes that have a control."""
    names = [name for name, *_ in (*_WRITERS, *_COMPRESSED)]
    return [*names, *RECIPES, *(f"{recipe} in hex" for recipe in RECIPES)]
