"""Starting nodes many times: a process that has everything imported and forks a life on demand.

Most of the time that a node takes to start goes into imports, which are the same for every node.
One process serves a whole run of tests: `python -m tests.integration.warm_node`, with a request a
line on standard input and an answer a line on standard output, both in JSON. A life is `atesta run`
in all else: its own session, its own command line, its own console file, opened and ended like any
other. Some tests of `test_network_start.py`, and all demonstrations, use the command itself.
"""

import atexit
import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from node.cli.devnet import DevnetNode
from node.cli.devnet.processes import CONSOLE_FILE, PID_FILE, find_pid
from node.errors import OperationalFault
from node.storage.crashpoints import VARIABLE

ROOM: Final = "-" * 4_000
"""An argument that makes place for the command lines of the lives."""

_ARGUMENTS_START: Final = 47
_ARGUMENTS_END: Final = 48
"""Where `/proc/PID/stat` tells the addresses of the command line, counted from zero."""


class WarmNodes:
    """The test's end: starts lives of nodes, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, ROOM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def start(self, node: DevnetNode, plan: str = "") -> int:
        """Start a life, write its pid where `find_pid` looks for it, and return it.

        `plan` tells at which write it dies (`node.storage.crashpoints`); it may be empty.
        """
        if find_pid(node) is not None:
            raise OperationalFault(f"{node.name} runs already")
        pid = int(self._ask({"settings": str(node.settings_file), "plan": plan}))
        (node.folder / PID_FILE).write_text(f"{pid}\n", encoding="ascii")
        return pid

    def find_code(self, pid: int) -> int | None:
        """Return the exit code of a life that has ended; minus the signal that ended it."""
        code = self._ask({"code": pid})
        return None if code is None else int(code)

    def close(self) -> None:
        """End the process; lives go on."""
        self._process.communicate(timeout=120)

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@cache
def open_warm_nodes() -> WarmNodes:
    """Return the one of this run of tests, started when it is first needed."""
    nodes = WarmNodes()
    atexit.register(nodes.close)
    return nodes


def main() -> None:
    """Serve until the input ends."""
    import node.cli.app
    import node.daemon.daemon  # noqa: F401 - what `atesta run` imports when it runs

    codes: dict[int, int] = {}
    signal.signal(signal.SIGCHLD, lambda _number, _frame: bury(codes))
    assert threading.active_count() == 1, "a fork would lose the other threads"
    gc.freeze()
    while line := sys.stdin.readline():
        request = json.loads(line)
        answer = codes.get(request["code"]) if "code" in request else give_life(**request)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


def bury(codes: dict[int, int]) -> None:
    """Note how the lives ended that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        codes[pid] = os.waitstatus_to_exitcode(status)


def give_life(settings: str, plan: str) -> int:
    """Return the pid of a new life, which has its own command line by then."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        rename([sys.executable, "-m", "node.cli", "run", "--config", settings])
        os.close(writing)
        live(Path(settings), plan)
    os.close(writing)
    os.read(reading, 1)  # returns when the child has closed its end
    os.close(reading)
    return pid


def rename(arguments: list[str]) -> None:
    """Write over this process's command line, by which nodes are told apart."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    # The number and the name, which may have spaces, stand before the fields that are left.
    start, end = (int(fields[place - 2]) for place in (_ARGUMENTS_START, _ARGUMENTS_END))
    line = b"\0".join(argument.encode() for argument in arguments)
    assert len(line) < end - start
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)


def live(settings_file: Path, plan: str) -> NoReturn:
    from node.cli.app import run

    os.setsid()
    os.environ[VARIABLE] = plan
    console = os.open(
        settings_file.parent / CONSOLE_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, console), (2, console)):
        os.dup2(source, target)
    os.closerange(3, 256)
    run(["run", "--config", str(settings_file)])


if __name__ == "__main__":
    main()
