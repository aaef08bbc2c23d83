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
from tests.unit.demo.demo_runs import ROOT, list_node_processes, run_demo


@pytest.mark.processes
@pytest.mark.parametrize("agencies", [1, pytest.param(4, marks=pytest.mark.long)])
def test_demo_ends_ok_and_leaves_nothing_running(agencies: int, tmp_path: Path) -> None:
    run_demo("d1", tmp_path, "--agencies", str(agencies), ends="demo: ok")


@pytest.mark.processes
@pytest.mark.long
def test_demo_on_postgresql_ends_ok_and_finds_its_controls_there(tmp_path: Path) -> None:
    try:
        find_programs()
    except PostgresMissing as error:
        pytest.skip(str(error))
    told = run_demo("d1", tmp_path, "--database", "postgresql", ends="demo: ok")
    searched = [line for line in told.splitlines() if "postgresql-rows" in line]
    assert len(searched) == 4
    assert all("found" in line for line in searched)


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
    told = run_demo(
        name, tmp_path, "--network", "anvil", ends="demo: ok" if name == "d1" else f"{name}: ok"
    )
    assert "as reported by that network" in " ".join(told.split())
    assert " final " not in told.replace("Nothing is final here", "")


@pytest.mark.processes
@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in list_stories() if name != "d1"])
def test_story_ends_ok_and_leaves_nothing_running(name: str, tmp_path: Path) -> None:
    run_demo(name, tmp_path, ends=f"{name}: ok")


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
