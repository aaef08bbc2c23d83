"""The benchmark `privacy`: megabytes a second that `atesta audit privacy` searches on one core.

Searched are the keys and values of a chain's LevelDB, as the audit reads them: of `--folder`, where
a node that stands still keeps its data, or of a chain of attestations that is made first. Looked
for are the values of `--persons` made-up persons in every form, and the digests of what they could
be guessed by (`--digests` adds numbers by pattern, as an audit does).

Each run searches the same values twice, the one way and at once the other: *at once*, as the audit
does, and *one by one*, each value opened by `fields.list_fields`, the definition. Both must find
the same, with forms that are planted among the values. Rates are by processor time, medians over
the runs.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from api.firewall.search.fields import list_fields
from api.firewall.search.guesses import PATTERNS, Guess, GuessTable
from api.firewall.search.hex_runs import is_left_to_chance
from api.firewall.search.matcher import Batch
from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import SearchReport
from api.firewall.search.searcher import Searcher
from api.firewall.search.stores import open_leveldb
from node.daemon.opening import DataFolder
from node.storage.level import LevelStore
from scripts.benchmarks.figures import Figure
from scripts.benchmarks.ledger_chain import LedgerChain, load_committed_genesis

TARGET_MEGABYTES: Final = 20.0
BLOCKS: Final = 40
TRANSACTIONS: Final = 40
_SEED: Final = 20_261_123
_STORE: Final = "chain"

Entries = Sequence[tuple[bytes, bytes]]
Found = set[tuple[str, str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer another chain, and another size."""
    parser.add_argument("--folder", type=Path, help="data folder of a node that stands still")
    parser.add_argument("--persons", type=int, default=200)
    parser.add_argument("--digests", type=int, default=0, help="numbers of each pattern to hash")
    parser.add_argument("--megabytes", type=float, default=12.0, help="how much to search")
    parser.add_argument("--runs", type=int, default=5)


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure; takes about a minute."""
    with tempfile.TemporaryDirectory(prefix="atesta-bench-") as name:
        folder = DataFolder(root=arguments.folder or Path(name) / "data").chain
        if arguments.folder is None:
            _make_chain(folder)
        entries = _read_entries(folder, arguments.megabytes)
    size = sum(len(key) + len(value) for key, value in entries) / 1e6
    needles, guesses = _make_persons(arguments.persons, arguments.digests)
    values = [value for entry in entries for value in entry]
    values += [form.ljust(64, b"\0") for form in (*needles.matcher.strings, *needles.short)[::997]]
    raw = b"".join(values)
    rates: dict[str, list[float]] = {}
    for _ in range(arguments.runs):
        found = []
        for name, search in (("at once", _search_at_once), ("one by one", _search_one_by_one)):
            taken_s, hits = _measure(search, values, needles, guesses)
            rates.setdefault(f"a chain's values, opened {name}", []).append(size / taken_s)
            found.append(hits)
        assert found[0] == found[1] != set(), "both ways find the same, and what is planted"
        taken_s, _ = _measure(_search_raw, [raw], needles, guesses)
        rates.setdefault("the same bytes, raw", []).append(size / taken_s)
    return [
        Figure(name="forms", value=float(needles.form_count), unit=""),
        Figure(name="digests", value=float(guesses.digest_count), unit=""),
        Figure(name="searched", value=size, unit="MB"),
        *(
            Figure(
                name=name,
                value=statistics.median(measured),
                unit="MB/s of a core",
                target=TARGET_MEGABYTES if "at once" in name else None,
            )
            for name, measured in rates.items()
        ),
    ]


def _measure(
    search: Callable[[Sequence[bytes], NeedleSet, GuessTable], Found],
    values: Sequence[bytes],
    needles: NeedleSet,
    guesses: GuessTable,
) -> tuple[float, Found]:
    began_s = time.process_time()
    found = search(values, needles, guesses)
    return time.process_time() - began_s, found


def _search_at_once(values: Sequence[bytes], needles: NeedleSet, guesses: GuessTable) -> Found:
    report = SearchReport()
    searcher = Searcher(needles, report, guesses)
    for value in values:
        searcher.search(value, store=_STORE, place=_STORE)
    searcher.flush()
    return {(hit.label, hit.encoding) for hit in report.hits}


def _search_one_by_one(values: Sequence[bytes], needles: NeedleSet, guesses: GuessTable) -> Found:
    found: Found = set()

    def on_long(_mark: int, number: int, piece: bytes, place: int) -> None:
        if not is_left_to_chance(piece, place, place + needles.matcher.get_length(number)):
            needle, encoding = needles.get_long(number)
            found.add((needle.label, encoding))

    def on_guess(_mark: int, number: int, _piece: bytes, _place: int) -> None:
        found.add(guesses.describe(number))

    batch = Batch(
        (needles.matcher, on_long), (guesses, on_guess), on_data=SearchReport().chance.read
    )
    for value in values:
        everything, decoded = list_fields(value)
        for part in needles.short.keys() & everything:
            needle, encoding = needles.short[part]
            found.add((needle.label, encoding))
        for part in decoded:
            batch.add(part, 0)
    batch.flush()
    return found


def _search_raw(values: Sequence[bytes], needles: NeedleSet, guesses: GuessTable) -> Found:
    report = SearchReport()
    searcher = Searcher(needles, report, guesses)
    for value in values:
        searcher.search_raw(value, store=_STORE, place=_STORE)
    searcher.flush()
    return {(hit.label, hit.encoding) for hit in report.hits}


def _make_persons(persons: int, digests: int) -> tuple[NeedleSet, GuessTable]:
    """Return what is looked for: a name, two numbers, a birth date and a salt of each person."""
    chance = random.Random(_SEED)  # noqa: S311 - made-up persons, the same ones each time
    needles: list[Needle] = []
    guesses: list[Guess] = []
    for person in range(persons):
        texts = (
            "".join(chance.choice("王李陳林黃吳美玲子明文英華春") for _ in range(3)),
            " ".join(chance.choice(("João", "Ana", "Chan", "Wong", "Silva")) for _ in range(4)),
            f"{chance.randrange(10**7, 8 * 10**7)}",
            f"+8536{chance.randrange(10**7):07}",
            f"{chance.randrange(1930, 2008)}-{chance.randrange(1, 13):02}-11",
        )
        needles += [Needle(label=f"person {person}", value=text) for text in texts]
        needles.append(Needle(label=f"salt {person}", value=chance.randbytes(32)))
        guesses += [Guess(text=text, label=f"person {person}") for text in texts]
    for pattern in PATTERNS if digests else ():
        guesses += pattern.list_guesses(digests)[0]
    return NeedleSet(needles), GuessTable(guesses)


def _make_chain(folder: Path) -> None:
    folder.mkdir(parents=True)
    store = LevelStore(folder)
    try:
        ledger = LedgerChain(load_committed_genesis(), store)
        ledger.prepare_schema()
        for _ in range(BLOCKS):
            ledger.require_success(ledger.grow(ledger.make_attestations(TRANSACTIONS)))
    finally:
        store.close()


def _read_entries(folder: Path, megabytes: float) -> Entries:
    """Return keys and values, evenly from all of the store, of about so many megabytes in all."""
    with tempfile.TemporaryDirectory(prefix="atesta-bench-") as name:
        copy = Path(name) / _STORE
        copy.mkdir()
        for file in folder.iterdir():
            if file.is_file():
                (copy / file.name).write_bytes(file.read_bytes())
        everything = list(_iterate_entries(copy))
    size = sum(len(key) + len(value) for key, value in everything) / 1e6
    return everything[:: max(1, int(size / megabytes))]


def _iterate_entries(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    database = open_leveldb(folder)
    try:
        yield from database.iterator()
    finally:
        database.close()
