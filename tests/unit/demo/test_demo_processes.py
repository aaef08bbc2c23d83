"""The whole demonstration as a user starts it, with real node processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.demos.anvil import AnvilMissing, find_anvil
from scripts.demos.everything import list_stories
from scripts.postgresql.server import PostgresMissing, find_programs

ROOT = Path(__file__).parents[3]


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


@pytest.mark.processes
@pytest.mark.parametrize("agencies", [1, pytest.param(4, marks=pytest.mark.long)])
def test_demo_ends_ok_and_leaves_nothing_running(agencies: int, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "scripts.demos.d1", "--agencies", str(agencies)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert run.stdout.strip().splitlines()[-1] == "demo: ok", run.stdout + run.stderr
    assert run.returncode == 0
    assert list_node_processes(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
@pytest.mark.long
def test_demo_on_postgresql_ends_ok_and_finds_its_controls_there(tmp_path: Path) -> None:
    try:
        find_programs()
    except PostgresMissing as error:
        pytest.skip(str(error))
    run = subprocess.run(
        [sys.executable, "-m", "scripts.demos.d1", "--database", "postgresql"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert run.stdout.strip().splitlines()[-1] == "demo: ok", run.stdout + run.stderr
    searched = [line for line in run.stdout.splitlines() if "postgresql-rows" in line]
    assert len(searched) == 4
    assert all("found" in line for line in searched)
    assert list_node_processes(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
@pytest.mark.long
@pytest.mark.parametrize("name", list_stories())
def test_story_in_front_of_anvil_ends_ok_and_leaves_nothing_running(
    name: str, tmp_path: Path
) -> None:
    try:
        find_anvil()
    except AnvilMissing as error:
        pytest.skip(str(error))
    run = subprocess.run(
        [sys.executable, "-m", f"scripts.demos.{name}", "--network", "anvil"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert run.stdout.strip().splitlines()[-1].endswith(": ok"), run.stdout + run.stderr
    assert "as reported by that network" in " ".join(run.stdout.split())
    assert " final " not in run.stdout.replace("Nothing is final here", "")
    assert list_node_processes(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in list_stories() if name != "d1"])
def test_story_ends_ok_and_leaves_nothing_running(name: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", f"scripts.demos.{name}"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert run.stdout.strip().splitlines()[-1] == f"{name}: ok", run.stdout + run.stderr
    assert run.returncode == 0
    assert list_node_processes(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
def test_demo_interrupted_says_so_and_leaves_nothing_running(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "scripts.demos.d1"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list_node_processes(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert output.strip().splitlines()[-1].startswith("demo: failed: interrupted")
    assert run.returncode == 1
    assert list_node_processes(str(tmp_path)) == []
