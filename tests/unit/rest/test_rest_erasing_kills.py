"""Killed at any durable step of erasing, a node comes to the old state or to the new one.

Every child is a real process that dies by SIGKILL, at a commit of outbox or vault or at a file of
the keys. By default a few steps are tried; with --long, every step of both halves.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
MANY = 60
"""More steps than either half has."""

pytestmark = pytest.mark.processes


def kill_at(folder: Path, steps: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Erase once for each step; return how the process ended and which state came of it."""
    jobs = [
        step | {"folder": str(folder / "_".join(str(value) for value in step.values()))}
        for step in steps
    ]
    run = subprocess.run(
        [sys.executable, "-m", "tests.unit.rest.erasing_victim", str(folder / "base")],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1_800,
        check=False,
    )
    told = [
        json.loads(line.removeprefix("outcome "))
        for line in run.stdout.splitlines()
        if line.startswith("outcome ")
    ]
    assert len(told) == len(jobs), run.stderr[-4_000:]
    return [(one["end"], one["left"]) for one in told]


def test_kill_while_erasing_leaves_old_or_new(tmp_path: Path) -> None:
    steps = [
        {"phase": "order", "number": 1, "moment": "before"},
        {"phase": "order", "number": 1, "moment": "after"},
        {"phase": "carry", "number": 3, "moment": "torn"},
    ]
    ends = kill_at(tmp_path, steps)
    assert ends == [("killed", "old"), ("killed", "new"), ("killed", "new")]


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("phase", ["order", "carry"])
def test_kill_at_any_step_of_erasing_leaves_old_or_new(
    tmp_path: Path, phase: str, moment: str
) -> None:
    steps = [{"phase": phase, "number": n, "moment": moment} for n in range(1, MANY)]
    ends = kill_at(tmp_path, steps)
    left = [state for _, state in ends]
    assert sorted(left, reverse=True) == left, "once new, always new"
    assert left[-1] == "new"
    killed = [end for end, _ in ends if end == "killed"]
    assert 2 <= len(killed) < len(ends), "every step there is was tried"
    assert phase == "order" or set(left) == {"new"}
