"""The command itself, on real nodes: one episode, an interrupt, the verdict, nothing left."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.soak.course import DIARY_FILE

ROOT = Path(__file__).parents[2]
SEED = 2100
"""Its first episode kills, stops and parts, without a quorum at times, and is short."""
WAIT_S = 180.0
DYING = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", (
    "import sys, time; from tests.soak.child import _die_with;"
    f"_die_with({os.getpid()}); print('ready', flush=True); time.sleep(600)"
)], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), 9)
"""


@contextmanager
def soak(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.soak.runner", "--minutes", "30"]
    command += ["--seed", str(SEED), "--keep", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def list_children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


def wait_for(process: "subprocess.Popen[str]", diary: Path, word: str) -> None:
    end = time.monotonic() + WAIT_S
    while process.poll() is None and time.monotonic() < end:
        with suppress(FileNotFoundError):
            if word in diary.read_text(encoding="utf-8"):
                return
        time.sleep(0.2)
    pytest.fail(f"no {word!r} in the diary; exit code {process.poll()}")


@pytest.mark.processes
@pytest.mark.timeout(600)
def test_soak_that_is_interrupted_judges_and_leaves_no_process(tmp_path: Path) -> None:
    with soak(tmp_path) as process:
        wait_for(process, tmp_path / DIARY_FILE, "a new block everywhere")
        children = list_children(process)
        assert len(children) == 4
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=WAIT_S)
    lines = output.splitlines()
    assert lines[-1] == "lost 0, forked 0, stuck 0", output
    assert process.returncode == 0
    faults = next(line for line in lines if line.startswith("faults"))
    assert " 0 kills" not in faults
    assert " 0 pauses" not in faults
    assert " 0 partitions" not in faults
    assert len((tmp_path / "records.jsonl").read_text(encoding="utf-8").splitlines()) > 10
    assert not any(child.is_running() for child in children)


def test_node_of_a_soak_dies_with_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DYING],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.communicate("\n")
    assert parent.returncode == -signal.SIGKILL
    gone, alive = psutil.wait_procs([child], timeout=30)
    assert (gone, alive) == ([child], [])
