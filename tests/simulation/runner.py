"""The command behind scripts/simulate.

    simulate --seeds N [--first S] [--profile P] [--workers W] [--resume FILE] [--inject NAME]

Runs the schedules of seeds S to S + N - 1 and says how many broke a safety property or did not come
back to life. The first failing one is shrunk and printed with its trace, and the exit code is 1.
With `--resume` progress is kept in a file, and an interrupted run goes on where it was.
With `--inject` one planted bug is in force, and the run stops at the first schedule that shows it.
"""

import argparse
import gc
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.schedule import PROFILES, Schedule, make_schedule
from tests.simulation.shrink import shrink
from tests.simulation.simulator import Outcome, simulate

BATCH = 25
TRACE_LINES = 120
_LINE_EVERY = 1_000
_GARBAGE_OBJECTS = 100_000
_PARENT_POLL_S = 2.0


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a run has come; what `--resume` keeps."""

    profile: str
    first: int
    next_seed: int
    violations: list[int] = field(default_factory=list)
    stalls: list[int] = field(default_factory=list)
    seconds: float = 0.0
    worst_recovery_ms: int = 0
    on_py_evm: int = 0
    """How many schedules executed their blocks on py-evm."""

    @property
    def done(self) -> int:
        return self.next_seed - self.first

    @property
    def speed(self) -> float:
        """Schedules per second."""
        return self.done / self.seconds if self.seconds else 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one more schedule."""
        self.next_seed += 1
        self.worst_recovery_ms = max(self.worst_recovery_ms, outcome.recovery_ms)
        self.on_py_evm += outcome.schedule.is_real
        if outcome.violation:
            self.violations.append(outcome.schedule.seed)
        elif outcome.stall:
            self.stalls.append(outcome.schedule.seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parse(arguments)
    if options.inject is not None:
        return _run_mutant(MUTANTS[options.inject], options.first, options.seeds)
    progress = _load(options.resume, options.profile, options.first)
    end = progress.first + options.seeds
    for outcomes, seconds in _run(progress, end, options.workers):
        progress.seconds += seconds
        for outcome in outcomes:
            progress.add(outcome)
            if not outcome.is_good:
                _say(f"seed {outcome.schedule.seed}: {outcome.failure}")
        if options.resume is not None:
            _save(options.resume, progress)
        _show(progress, options.seeds)
    _say(
        f"simulated {progress.done} schedules: {len(progress.violations)} safety violations, "
        f"{len(progress.stalls)} liveness failures"
    )
    _say(
        f"{progress.on_py_evm} on py-evm; {progress.speed:.1f} schedules a second; "
        f"slowest recovery {progress.worst_recovery_ms / 1000:.1f} s of virtual time"
    )
    failed = progress.violations + progress.stalls
    if failed:
        _explain(make_schedule(failed[0], progress.profile))
    return 1 if failed else 0


def run_mutant(mutant: Mutant, first: int, seeds: int) -> Outcome | None:
    """Run schedules with a planted bug; return the first outcome that shows it."""
    with mutant.in_force():
        for seed in range(first, first + seeds):
            outcome = _simulate(mutant.schedules(seed))
            if not outcome.is_good:
                return outcome
    return None


def _run_mutant(mutant: Mutant, first: int, seeds: int) -> int:
    _say(f"injected {mutant.name}: {mutant.story}")
    outcome = run_mutant(mutant, first, seeds)
    if outcome is None:
        _say(f"simulated {seeds} schedules: the planted bug was not found")
        return 0
    _say(f"seed {outcome.schedule.seed} shows it, violated property: {outcome.failure}")
    with mutant.in_force():
        _explain(outcome.schedule)
    return 1


def _simulate(schedule: Schedule, trace: Callable[[str], None] | None = None) -> Outcome:
    """Run a schedule; whatever the code under test raises breaks a property as well."""
    try:
        return simulate(schedule, trace)
    except AssertionError as error:
        return Outcome(schedule=schedule, violation=f"assertion: {error}")
    except Exception as error:  # noqa: BLE001 - one bad schedule must not end a long run
        return Outcome(schedule=schedule, violation=f"error: {type(error).__name__}: {error}")


def _run(progress: Progress, end: int, workers: int) -> Iterator[tuple[list[Outcome], float]]:
    batches = [
        (progress.profile, first, min(BATCH, end - first))
        for first in range(progress.next_seed, end, BATCH)
    ]
    started = time.monotonic()
    if workers == 1:
        for batch in batches:
            yield _run_batch(batch), time.monotonic() - started
            started = time.monotonic()
        return
    with multiprocessing.get_context("fork").Pool(workers, _prepare_worker) as pool:
        for outcomes in pool.imap(_run_batch, batches):
            yield outcomes, time.monotonic() - started
            started = time.monotonic()


def _run_batch(batch: tuple[str, int, int]) -> list[Outcome]:
    profile, first, count = batch
    return [_simulate(make_schedule(seed, profile)) for seed in range(first, first + count)]


def _prepare_worker() -> None:
    """Look for garbage less often, since most of it frees itself; end when the parent is gone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS, 5, 5)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _explain(schedule: Schedule) -> None:
    """Print the smallest schedule that fails alike, with the end of its trace."""
    small, _ = shrink(schedule, _simulate)
    trace: list[str] = []
    outcome = _simulate(small, trace.append)
    _say(f"\nshrunk from {len(schedule.faults)} faults to {len(small.faults)}:")
    _say(small.describe())
    _say(f"the last of {len(trace)} steps:")
    _say("\n".join(trace[-TRACE_LINES:]))
    _say(outcome.failure)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=1_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--profile", choices=PROFILES, default="mixed", help="which faults")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--resume", type=Path, help="file that keeps the progress")
    parser.add_argument("--inject", choices=sorted(MUTANTS), help="plant this bug")
    return parser.parse_args(arguments)


def _load(path: Path | None, profile: str, first: int) -> Progress:
    if path is not None and path.exists():
        progress = Progress(**json.loads(path.read_text(encoding="utf-8")))
        if (progress.profile, progress.first) != (profile, first):
            sys.exit(f"{path} is of profile {progress.profile} from seed {progress.first}")
        return progress
    return Progress(profile=profile, first=first, next_seed=first)


def _save(path: Path, progress: Progress) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(asdict(progress), indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _show(progress: Progress, wanted: int) -> None:
    """Say how far the run has come, on a terminal always, in a file now and then."""
    line = (
        f"{progress.done} of {wanted} schedules, "
        f"{len(progress.violations) + len(progress.stalls)} failed, {progress.speed:.1f} a second"
    )
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line:<70}" + ("\n" if progress.done == wanted else ""))
        sys.stderr.flush()
    elif progress.done % _LINE_EVERY == 0:
        _say(line)


if __name__ == "__main__":
    sys.exit(main())
