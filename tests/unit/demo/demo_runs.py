"""Demonstrations as a user starts them, and what is left of them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run_demo(name: str, folder: Path, *options: str, ends: str) -> str:
    """Run a demonstration that keeps everything in `folder`; return what it said.

    Its last line is `ends`, and it leaves no file and no process.
    """
    run = subprocess.run(
        [sys.executable, "-m", f"scripts.demos.{name}", *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert run.stdout.strip().splitlines()[-1] == ends, run.stdout + run.stderr
    assert run.returncode == 0
    assert list_node_processes(str(folder)) == []
    assert list(folder.iterdir()) == []
    return run.stdout


def list_node_processes(folder: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if folder in command:
            found.append(command)
    return found
