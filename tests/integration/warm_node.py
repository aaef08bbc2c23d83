"""Starting one node many times: a process that has everything imported and forks a life on demand.

Most of the time that a node takes to start goes into imports, which no crash can harm. Run as
`python -m tests.integration.warm_node SETTINGS_FILE`; each line on standard input is the plan of
one life (`node.storage.crashpoints`, may be empty), each answer the pid of its process. A life is
`atesta run` in all else: its own session, its own console file, opened and ended like any other.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from node.cli.devnet import DevnetNode
from node.cli.devnet.processes import CONSOLE_FILE, PID_FILE
from node.storage.crashpoints import VARIABLE


class WarmNode:
    """The test's end: starts lives of one node."""

    def __init__(self, node: DevnetNode) -> None:
        self._node = node
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(node.settings_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)  # the end of its input ends it, not its lives

    def start(self, plan: str = "") -> None:
        """Start a life and write its pid where `find_pid` looks for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(plan + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        (self._node.folder / PID_FILE).write_text(f"{pid}\n", encoding="ascii")


def main(settings_file: Path) -> None:
    import node.cli.app
    import node.daemon.daemon  # noqa: F401 - what `atesta run` imports when it runs

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            live(settings_file, line.strip())
        print(pid, flush=True)  # noqa: T201 - the answer


def live(settings_file: Path, plan: str) -> NoReturn:
    from node.cli.app import run

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
    main(Path(sys.argv[1]))
