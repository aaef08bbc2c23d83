"""All demonstrations, one after the other, each as a user starts it: ``scripts/demo --all``.

Each is a process of its own with a network of its own. Ends with a table of what each took and with
``demo: ok``, or with ``demo: failed: `` and the stories that failed.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from scripts.demos.databases import ENGINES
from scripts.demos.ground import NETWORKS, add_network_option
from scripts.demos.narrator import Narrator
from scripts.demos.telling import INTERRUPTS

FOLDER: Final = Path(__file__).parent
OWN_STORIES: Final = ("ledgers",)
"""Told at the end, on nodes of our own with SQLite files only."""


class Interrupted(Exception):
    """Somebody wants it to end."""


def list_stories() -> tuple[str, ...]:
    """Return the names of all demonstrations, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("d[0-9].py")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all demonstrations; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo --all", description="Tells every demonstration, one after the other."
    )
    parser.add_argument(
        "--database",
        choices=ENGINES,
        default=ENGINES[0],
        help="where agencies keep vault, outbox and index (default: SQLite files)",
    )
    add_network_option(parser)
    options = parser.parse_args(arguments)
    narrator = Narrator()
    failed: list[str] = []
    rows: list[tuple[str, str, str]] = []
    is_own = options.network == NETWORKS[0]
    for name in (*list_stories(), *(OWN_STORIES if is_own else ())):
        started = time.monotonic()
        print(f"\n===== {name} =====", flush=True)
        try:
            code = _run(name, options.database, options.network)
        except Interrupted:
            narrator.finish(f"interrupted during {name}")
            return 1
        rows.append((name, "ok" if code == 0 else "failed", f"{time.monotonic() - started:.0f} s"))
        if code != 0:
            failed.append(name)
    print(flush=True)
    if not is_own:
        narrator.say(
            f"Left out here: {', '.join(OWN_STORIES)}, which is about our own nodes and what their "
            "own stores hold."
        )
    narrator.show(("story", "end", "time"), rows)
    narrator.finish(", ".join(failed) if failed else None)
    return 1 if failed else 0


def _run(name: str, database: str, network: str) -> int:
    """Run one as a process; an interrupt is passed on, and it ends by itself."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", f"scripts.demos.{name}"),
            *("--database", database, "--network", network),
        ]
    )
    is_interrupted = False

    def pass_on(number: int, _: FrameType | None) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in INTERRUPTS}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if is_interrupted:
        raise Interrupted
    return code


if __name__ == "__main__":
    sys.exit(main())
