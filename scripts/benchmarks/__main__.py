"""Runs one benchmark and prints its figures, for people or as one JSON document.

Exit code 0 if every target is met, 1 if one is not, 2 for a wrong call.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from scripts.benchmarks.figures import Figure, describe_machine

BENCHMARKS = {
    "contracts": "scripts.benchmarks.contracts",
    "execution": "scripts.benchmarks.execution",
    "imports": "scripts.benchmarks.imports",
    "index": "scripts.benchmarks.index",
    "network": "scripts.benchmarks.network",
    "privacy": "scripts.benchmarks.privacy",
    "sync": "scripts.benchmarks.sync",
    "vault": "scripts.benchmarks.vault",
}
"""Name to module; each has `run(arguments) -> list[Figure]` and may add arguments of its own."""


def main(words: Sequence[str]) -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    known, _ = parser.parse_known_args(words)
    module = import_module(BENCHMARKS[known.name])
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = getattr(
        module, "add_arguments", None
    )
    if add_arguments is not None:
        add_arguments(parser)
    arguments = parser.parse_args(words)
    machine = describe_machine()
    figures: list[Figure] = module.run(arguments)
    if arguments.json:
        print(json.dumps({"figures": [item.to_json() for item in figures], "machine": machine}))
    else:
        _print_table(figures)
    return 0 if all(figure.ok for figure in figures) else 1


def _print_table(figures: Sequence[Figure]) -> None:
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        line = f"{figure.name:<{width}}  {figure.value:>12,.2f} {figure.unit}"
        if figure.target is not None:
            bound = "at most" if figure.is_upper_bound else "at least"
            verdict = "ok" if figure.ok else "MISSED"
            line += f"  ({bound} {figure.target:,g}: {verdict})"
        print(line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
