"""The command behind scripts/soak.

    soak --minutes N [--seed S] [--nodes N] [--rate R] [--keep DIR]

Starts real nodes, writes to them all the time, and for N minutes kills them, stops them and parts
them, by chance that the seed decides. Then it heals everything and compares what was acknowledged
with what every node holds. The last line is `lost 0, forked 0, stuck 0`; another one gives the exit
code 1 and keeps the folder with the nodes' logs. Ctrl-C ends the faults early and still judges;
a second one ends at once.
"""

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.soak.course import Course, Plan
from tests.soak.records import RecordBook
from tests.soak.report import Report
from tests.soak.scene import open_scene

TICK_S = 0.5
LINE_EVERY_S = 60.0
"""Where standard error is no terminal, progress is a line a minute."""
MAX_NODES = 10
REPORT_FILE = "report.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parse(arguments)
    plan = Plan(seed=options.seed, seconds=options.minutes * 60, rate_per_s=options.rate)
    folder = _make_folder(options.keep)
    _say(f"seed {plan.seed}, {options.nodes} nodes, in {folder}")
    try:
        report = asyncio.run(run_soak(folder, plan, options.nodes))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _say(f"ended without a verdict; what there is stays in {folder}")
        return 1
    if report.is_good and options.keep is None:
        shutil.rmtree(folder)
    else:
        (folder / REPORT_FILE).write_text(report.format(None) + "\n", encoding="utf-8")
        _say(f"kept: {folder} (diary.txt, records.jsonl, report.txt, net/AGENCY/log.jsonl)")
    _say(report.format())
    return 0 if report.is_good else 1


async def run_soak(folder: Path, plan: Plan, node_count: int) -> Report:
    """Run a whole soak in an empty folder, with progress on standard error."""
    with RecordBook(folder / "records.jsonl") as book:
        async with open_scene(folder / "net", node_count) as scene:
            course = Course(scene, plan, book, folder)
            _stop_at_interrupt(course)
            showing = asyncio.create_task(_show_progress(course, plan, book))
            try:
                return await course.run()
            finally:
                showing.cancel()
                await asyncio.wait([showing])


def _stop_at_interrupt(course: Course) -> None:
    """Let the first Ctrl-C end the faults, and the second one everything."""
    loop, running = asyncio.get_running_loop(), asyncio.current_task()
    assert running is not None

    def interrupt() -> None:
        if course.is_stopped:
            running.cancel()
        course.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)


async def _show_progress(course: Course, plan: Plan, book: RecordBook) -> None:
    console = Console(stderr=True)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=plan.seconds)
        next_line_s = 0.0
        while True:
            line = f"height {course.height}, {book.count():,} records, {course.now}"
            bar.update(task, completed=min(course.elapsed_s, plan.seconds), description=line)
            if not console.is_terminal and course.elapsed_s >= next_line_s:
                next_line_s += LINE_EVERY_S
                sys.stderr.write(f"{course.elapsed_s / 60:5.1f} min  {line}\n")
            await asyncio.sleep(TICK_S)


def _make_folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="atesta-soak-"))
    if keep.exists() and any(keep.iterdir()):
        sys.exit(f"{keep} is not empty")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description="Real nodes under faults.")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long faults go on")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000), help="decides the faults"
    )
    parser.add_argument(
        "--nodes", type=int, default=4, choices=range(1, MAX_NODES + 1), help="validators"
    )
    parser.add_argument("--rate", type=float, default=8.0, help="records a second, at most")
    parser.add_argument("--keep", type=Path, help="keep everything in this folder")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
