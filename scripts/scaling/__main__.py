"""A ledger of full size: `generate` fills an index with it, `measure` times every list over it.

An agency's vault and outbox are filled and measured with it. Both take the same seed and size. A
killed `generate` goes on where it was when called again. The full size (27 agencies, 305 datasets,
10,000 entities, 100,000 consents, 1,000,000 attestations; 400,000 reads, 100,000 credentials,
100,000 operations, 1,000 imports, 1,000 merges) takes a while; `--part N` makes it N times smaller,
and single numbers may be given.

Exit code 0; 1 if `measure` finds a list whose p99 is beyond 50 ms; 2 for a wrong call, or an index
of another ledger.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TypeVar

import structlog

from api.errors import ApiError
from scripts.benchmarks.figures import describe_machine
from scripts.postgresql.server import PostgresMissing
from scripts.scaling.generating import generate
from scripts.scaling.keeping import ENGINES, Place, Stores
from scripts.scaling.measuring import TARGET_MS, Timing, Unanswered, build_report, measure
from scripts.scaling.own_rows import OwnSizes, fill_own
from scripts.scaling.sizes import Plan, Sizes

_MOST_SHOWN = 25
Chosen = TypeVar("Chosen", Sizes, OwnSizes)


def main(words: Sequence[str]) -> int:
    """Parse and do one of the two."""
    options = _parse(words)
    # A line for each of thousands of requests would be most of what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = Plan(seed=options.seed, sizes=_read_sizes(Sizes, options))
    place = Place(engine=options.database, folder=options.dir, url=options.url)
    try:
        with place.open() as stores:
            if options.do == "generate":
                return _generate(plan, stores, options)
            return _measure(plan, stores, options)
    except (ApiError, Unanswered, PostgresMissing) as error:
        print(f"scale: {error}", file=sys.stderr)
        return 2


def _generate(plan: Plan, stores: Stores, options: argparse.Namespace) -> int:
    own = asyncio.run(fill_own(plan, _read_sizes(OwnSizes, options), stores))
    filled = asyncio.run(generate(plan, stores.index))
    speed = filled.events / max(filled.seconds, 0.001)
    document = {**asdict(filled), "events_per_s": round(speed), "machine": describe_machine()}
    print(json.dumps({"seed": plan.seed, "sizes": asdict(plan.sizes), "own": own, **document}))
    return 0


def _measure(plan: Plan, stores: Stores, options: argparse.Namespace) -> int:
    timings = asyncio.run(
        measure(
            plan,
            stores.index,
            turns=options.turns,
            repeats=options.repeats,
            only=options.only,
            own=(stores, _read_sizes(OwnSizes, options)),
        )
    )
    if options.json:
        print(json.dumps({**build_report(timings), "machine": describe_machine()}))
    else:
        _print(timings)
    return 0 if all(timing.p99_ms <= TARGET_MS for timing in timings) else 1


def _print(timings: Sequence[Timing]) -> None:
    shown = timings[:_MOST_SHOWN]
    width = max(len(timing.name) for timing in shown)
    for timing in shown:
        print(f"{timing.name:<{width}}  p50 {timing.p50_ms:7.1f} ms  p99 {timing.p99_ms:7.1f} ms")
    missed = sum(timing.p99_ms > TARGET_MS for timing in timings)
    answers = sum(timing.answers for timing in timings)
    verdict = "ok" if missed == 0 else f"{missed} MISSED"
    print(f"{len(timings)} lists with filters, {answers} answers, p99 at most 50 ms: {verdict}")


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("do", choices=("generate", "measure"))
    parser.add_argument("--database", choices=ENGINES, default=ENGINES[0])
    parser.add_argument("--dir", type=Path, required=True, help="folder in which the index is kept")
    parser.add_argument("--url", help="address of a database instead of one in the folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", type=int, default=1, help="so many times smaller")
    for field in (*fields(Sizes), *fields(OwnSizes)):
        parser.add_argument(f"--{field.name}", type=int, help="instead of the part's")
    parser.add_argument("--turns", type=int, default=20, help="measure: values of each filter")
    parser.add_argument(
        "--repeats", type=int, default=1, help="measure: ask so often, the fastest counts"
    )
    parser.add_argument("--only", nargs="*", default=[], help="measure: these lists only, by name")
    parser.add_argument("--json", action="store_true", help="measure: print one JSON document")
    return parser.parse_args(words)


def _read_sizes(kind: type[Chosen], options: argparse.Namespace) -> Chosen:
    given = {field.name: getattr(options, field.name) for field in fields(kind)}
    sizes = kind() if options.part == 1 else kind().divide(options.part)
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
