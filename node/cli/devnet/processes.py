"""Node processes of a devnet: started one by one, stopped only by the pid that was written down."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from node.cli.devnet.plan import DevnetNode
from node.cli.devnet.rpc import NodeRpc, NodeUnreachable
from node.errors import OperationalFault

PID_FILE = "node.pid"
CONSOLE_FILE = "console.log"
"""What the process itself prints: nothing, unless it fails to start."""

_POLL_S = 0.1
_STOP_S = 30.0


class NodeFailed(OperationalFault):
    """A node process ended when it should run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProcess:
    """A running node of a devnet."""

    node: DevnetNode
    pid: int


def start_node(
    node: DevnetNode,
    *,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = ("run",),
) -> int:
    """Start a node's process, write its pid into its folder and return it; does not wait for it.

    `command` is what of `atesta` it runs, with options; the settings file is added.

    The process has a session of its own, so that an interrupt typed at the terminal, meant for the
    command, does not reach it.
    """
    if find_pid(node) is not None:
        raise OperationalFault(f"{node.name} runs already", next_step="Run `atesta devnet down`")
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "node.cli", *command, "--config", str(node.settings_file)],
        {**os.environ, **(environment or {})},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(node.folder / CONSOLE_FILE), append, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    (node.folder / PID_FILE).write_text(f"{pid}\n", encoding="ascii")
    return pid


def find_pid(node: DevnetNode) -> int | None:
    """Return the pid of a node's process if it runs, told by its pid file and command line."""
    try:
        pid = int((node.folder / PID_FILE).read_text(encoding="ascii"))
        command = _read_command(pid)
    except (OSError, ValueError):
        return None
    # A pid is used again after a time, so the process must also be the one that was started.
    return pid if str(node.settings_file).encode() in command.split(b"\0") else None


def find_running(nodes: Iterable[DevnetNode]) -> tuple[NodeProcess, ...]:
    """Return the processes of a devnet that run now."""
    found = ((node, find_pid(node)) for node in nodes)
    return tuple(NodeProcess(node=node, pid=pid) for node, pid in found if pid is not None)


def stop_node(node: DevnetNode, *, kill: bool = False, timeout_s: float = _STOP_S) -> bool:
    """Stop a node's process and wait for its end; return False if it did not run.

    It gets SIGTERM and time to finish; with `kill`, or past the time, SIGKILL.
    """
    return bool(stop_nodes([node], kill=kill, timeout_s=timeout_s))


def stop_nodes(
    nodes: Iterable[DevnetNode], *, kill: bool = False, timeout_s: float = _STOP_S
) -> tuple[DevnetNode, ...]:
    """Stop several nodes side by side, as `stop_node` does; return those that ran."""
    running = [(node, find_pid(node)) for node in nodes]
    for _, pid in running:
        if pid is not None:
            _signal(pid, signal.SIGKILL if kill else signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    for node, pid in running:
        while pid is not None and _is_alive(pid):
            if time.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
            time.sleep(_POLL_S / 4)
        (node.folder / PID_FILE).unlink(missing_ok=True)
    return tuple(node for node, pid in running if pid is not None)


def wait_final(
    nodes: Iterable[DevnetNode],
    *,
    height: int = 1,
    timeout_s: float = 60.0,
    on_progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Wait until every given node has a final block of at least this height.

    Raises NodeFailed if a process ends first or the time is over, with what it printed last.
    """
    waiting = list(nodes)
    deadline = time.monotonic() + timeout_s
    while waiting:
        node = waiting[0]
        with suppress(NodeUnreachable):
            if NodeRpc(node.url).get_height() >= height:
                on_progress(node.name)
                waiting.pop(0)
                continue
        if find_pid(node) is None:
            raise NodeFailed(f"{node.name} ended: {read_last_words(node)}")
        if time.monotonic() > deadline:
            raise NodeFailed(
                f"{node.name} has no final block of height {height} after {timeout_s:.0f} s",
                next_step=f"Read {node.folder / 'log.jsonl'}",
            )
        time.sleep(_POLL_S)


def read_last_words(node: DevnetNode) -> str:
    """Return the last line that a node's process printed."""
    try:
        lines = (
            (node.folder / CONSOLE_FILE).read_text(encoding="utf-8", errors="replace").split("\n")
        )
    except OSError:
        return "without a word"
    words = [line for line in lines if line.strip()]
    return words[-1].strip() if words else "without a word"


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _read_command(pid: int) -> bytes:
    """Return a process's command line; empty for one that has ended and was not reaped yet."""
    folder = Path(f"/proc/{pid}")
    for _ in range(100):
        command = (folder / "cmdline").read_bytes()
        state = (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        if command or state in {"Z", "X"}:
            return command
        time.sleep(_POLL_S / 10)  # it is between being made and being itself
    return b""


def _is_alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:  # reap it if it is our child
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
