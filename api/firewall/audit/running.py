"""Running an audit: every source is searched with controls in it, and one report comes out.

A source is a node's folder (of this agency or another), a database that a server keeps, or a chain
that is read through JSON-RPC: blocks with their transactions, and receipts with their logs. A
folder is copied before it is searched; of a node that runs, the copy may be torn, so stop it or
give a snapshot of its disk.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from api.databases import open_replica
from api.errors import InvalidField
from api.firewall.audit.chains import CHAIN_STORE, CallRpc, search_chain
from api.firewall.audit.report import describe_chance, list_stores
from api.firewall.audit.values import VaultValues
from api.firewall.search.clean import CleanValues
from api.firewall.search.controls import Controls, describe_methods
from api.firewall.search.databases import find_files, make_skip, search_database
from api.firewall.search.folders import measure_folder, search_folder
from api.firewall.search.guesses import (
    FIRST_BIRTH,
    MACAO_PATTERNS,
    PATTERNS,
    RECIPES,
    Guess,
    GuessTable,
    Space,
    Sweep,
    list_birth_dates,
    list_neighbours,
    name_spaces,
)
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import CONTROL, SearchReport
from api.firewall.search.searcher import Searcher, add_unlikely

PATTERN_LIMIT: Final = 100_000
"""Guesses of each pattern that are hashed in all ways unless the operator asks for more."""
SWEEP_LIMIT: Final = 10_000_000
"""Numbers of each space of Macao that are hashed once; both take about half a minute.

So many are all mobile numbers, and a third of all identity numbers; each number takes 40 bytes of
memory until it is sorted, and 16 from then on.
"""

ROWS_STORE: Final = "database: rows"

NOT_COVERED: Final = (
    "values encrypted or hashed with a salt or key that the vault does not hold",
    "values split over several fields, or shortened to fewer than six bytes inside others",
    "numbers of the spaces named under guesses beyond those tried, and other hashes of them",
    "the state of a chain that is read through JSON-RPC: its storage cannot be listed that way",
    "memory, swap and free blocks of file systems, and what was sent without being recorded",
)
"""Said in every report."""

Tell = Callable[[str, int, int | None], None]
"""Is told what is being done, how much of it is done and how much there is (None: unknown)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSources:
    """What is searched."""

    folders: Mapping[str, Path] = field(default_factory=dict)
    """Folders by the name under which the report lists them."""
    chains: Mapping[str, CallRpc] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)
    """Addresses of databases that a server keeps; the report has their names only."""


def run_audit(
    values: VaultValues,
    sources: AuditSources,
    *,
    tell: Tell,
    today: date,
    first_birth: date = FIRST_BIRTH,
    pattern_limit: int = PATTERN_LIMIT,
    sweep_limit: int = SWEEP_LIMIT,
    skip: Callable[[Path], bool] = lambda _path: False,
) -> dict[str, Any]:
    """Search all sources; returns the content of the report, which is still to be signed.

    `skip` leaves files out of the folders: those that hold the keys themselves.
    """
    if not sources.folders and not sources.chains and not sources.databases:
        raise InvalidField("sources", "name at least one folder, database or chain to search")
    started = datetime.now(UTC)
    controls = Controls()
    guesses, spaces = _list_guesses(values, (first_birth, today), pattern_limit)
    sweeps, swept = _list_sweeps(sweep_limit)
    table = _hash_guesses([*controls.guesses, *guesses], sweeps, tell)
    tell("writing all forms", 0, None)
    run = _Run(
        needles=NeedleSet([*controls.needles, *values.needles]),
        guesses=table,
        controls=controls,
        tell=tell,
        skip=skip,
    )
    clock_s = time.monotonic()
    for name, folder in sources.folders.items():
        run.search_folder(name, folder)
    for name, address in sources.databases.items():
        run.search_database(name, address)
    for name, call in sources.chains.items():
        run.search_chain(name, call)
    elapsed_s = max(time.monotonic() - clock_s, 0.001)
    spaces += swept
    return _describe(run, values=values, started=started, spaces=spaces, elapsed_s=elapsed_s)


@dataclass(slots=True, kw_only=True)
class _Run:
    """The search of all sources."""

    needles: NeedleSet
    guesses: GuessTable
    controls: Controls
    tell: Tell
    skip: Callable[[Path], bool]
    report: SearchReport = field(default_factory=SearchReport)
    clean: CleanValues = field(default_factory=CleanValues)
    missed: list[dict[str, str]] = field(default_factory=list)
    planted: int = 0
    not_covered: list[str] = field(default_factory=list)
    """What of these sources could not be searched, beyond `NOT_COVERED`."""

    def search_folder(
        self, name: str, folder: Path, skip: Callable[[Path], bool] | None = None
    ) -> None:
        """Search a node's folder, or a single file."""
        if not folder.exists():
            raise InvalidField(str(folder), "does not exist")
        total, done = measure_folder(folder), 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            self.tell(f"searching {name}", min(done, total), total)

        found = search_folder(
            folder,
            self.needles,
            guesses=self.guesses,
            controls=self.controls,
            progress=count,
            clean=self.clean,
            skip=skip or self.skip,
        )
        self.missed += [
            {"store": f"{name}/{store}", "control": control}
            for store, control in self.controls.find_missed(found)
        ]
        self.planted += self.controls.count()
        self.report.merge(found, prefix=f"{name}/")

    def search_database(self, name: str, address: str) -> None:
        """Search a server's database through the server, and its files if they can be read."""
        database = open_replica(address, name=name)
        found, done = SearchReport(), 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            self.tell(f"reading rows of {name}", done, None)

        try:
            searcher = Searcher(self.needles, found, self.guesses, self.clean)
            planted = self.controls.planted
            missed = search_database(
                database, ROWS_STORE, searcher, controls=planted, progress=count
            )
            searcher.finish()
            self.missed += [
                {"store": f"{name}/{ROWS_STORE}", "control": control} for control in missed
            ]
            self.planted += len(planted)
            self.report.merge(found, prefix=f"{name}/")
            files = find_files(database)
            if files is None:
                self.not_covered.append(
                    f"deleted rows and the write-ahead log of {name}: "
                    "the files of its server cannot be read here"
                )
                return
            skip = make_skip(database)
        finally:
            database.close()
        self.search_folder(f"{name} files", files, skip)

    def search_chain(self, name: str, call: CallRpc) -> None:
        """Search a chain block by block; the controls stand in its answers, not on it."""
        found = SearchReport()
        missed = search_chain(
            call,
            Searcher(self.needles, found, self.guesses, self.clean),
            self.controls.planted,
            progress=partial(self.tell, f"reading {name}"),
        )
        self.missed += [
            {"store": f"{name}/{CHAIN_STORE}", "control": control} for control in missed
        ]
        self.planted += 2 * len(self.controls.planted)
        self.report.merge(found, prefix=f"{name}/")


def _describe(
    run: _Run,
    *,
    values: VaultValues,
    started: datetime,
    spaces: Sequence[Space],
    elapsed_s: float,
) -> dict[str, Any]:
    report = run.report
    add_unlikely(report, run.needles)  # also of all sources together
    hits = [
        {"store": hit.store, "place": hit.place, "label": hit.label, "encoding": hit.encoding}
        for hit in report.hits
        if not hit.label.startswith(CONTROL)
    ]
    return {
        "started": _write_time(started),
        "finished": _write_time(datetime.now(UTC)),
        "needles": {
            "rows": values.rows,
            "unreadable_rows": values.unreadable,
            "values": len(values.needles),
            "forms": run.needles.form_count,
            "left_out": dict(sorted(values.left_out.items())),
        },
        "guesses": {
            "spaces": name_spaces(spaces),
            "hashes": list(RECIPES),
            "digests": run.guesses.digest_count,
        },
        "controls": {"planted": run.planted, "methods": list(describe_methods())},
        "chance": describe_chance(report, run.needles, run.guesses.digest_count),
        "stores": list_stores(report),
        "hits": hits,
        "further_hits": report.further_hits,
        "missed": run.missed,
        "is_clean": not hits and not report.further_hits and not run.missed,
        "megabytes_per_s": f"{sum(report.sizes.values()) / 1e6 / elapsed_s:.1f}",
        "not_covered": [*NOT_COVERED, *run.not_covered],
    }


def _list_guesses(
    values: VaultValues, births: tuple[date, date], pattern_limit: int
) -> tuple[list[Guess], list[Space]]:
    own = values.guesses
    spaces = [Space(name="values of the vault", size=len(own), tried=len(own))]
    guesses = list(own)
    lists = [list_birth_dates(births[1], first=births[0]), list_neighbours(values.numbers)]
    if pattern_limit:
        lists += [pattern.list_guesses(pattern_limit) for pattern in PATTERNS]
    for more, space in lists:
        guesses += more
        spaces.append(space)
    return guesses, spaces


def _list_sweeps(limit: int) -> tuple[list[Sweep], list[Space]]:
    made = [pattern.make_sweep(limit) for pattern in MACAO_PATTERNS] if limit else []
    return [sweep for sweep, _ in made], [space for _, space in made]


def _hash_guesses(guesses: Sequence[Guess], sweeps: Sequence[Sweep], tell: Tell) -> GuessTable:
    done = 0
    total = len(guesses) + sum(sweep.size for sweep in sweeps)

    def count(number: int) -> None:
        nonlocal done
        done += number
        tell("hashing guesses", done, total)

    return GuessTable(guesses, sweeps=sweeps, progress=count)


def _write_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
