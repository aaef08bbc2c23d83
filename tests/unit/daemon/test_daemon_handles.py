"""The limit of open files: raised where that is allowed, refused where it is hopeless."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from node.daemon.handles import reserve_handles
from node.errors import OperationalFault
try:
    print(reserve_handles(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
except OperationalFault as fault:
    print(fault)
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("soft", "hard", "answer"),
    [
        (100, 1_000, "1000 1000"),
        (256, 6_000, "4096 4096"),
        (5_000, 6_000, "5000 5000"),
        (100, 200, "Raise the process's limit of open files"),
    ],
)
def test_handles_are_reserved_or_the_node_says_what_to_raise(
    soft: int, hard: int, answer: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(soft), str(hard)],
        check=True,
        capture_output=True,
        text=True,
        timeout=180,
        cwd=Path(__file__).parents[3],
    )
    assert answer in result.stdout
