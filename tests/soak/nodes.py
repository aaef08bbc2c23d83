"""The node processes of a soak: killed, stopped and started again, and counted when they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from node.cli.devnet import DevnetNode
from node.cli.devnet.processes import CONSOLE_FILE, PID_FILE, read_last_words
from tests.integration.ledger_net import LedgerNet
from tests.soak.signatures import keep_sent

STOP_S = 30.0
_ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Nodes:
    """The processes of a network, children of this one (see `child`)."""

    net: LedgerNet
    _running: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(node.number for node in self.net.devnet.nodes)

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(node.folder for node in self.net.devnet.nodes)

    def start(self, *numbers: int) -> None:
        """Start those that do not run; waits for nothing."""
        for number in numbers:
            if number not in self._running:
                self._running[number] = _spawn(self.net.node(number))

    def kill(self, *numbers: int) -> None:
        """Kill those that run, all before waiting for the end of any."""
        ended = [(n, self._running.pop(n)) for n in numbers if n in self._running]
        for _, process in ended:
            process.kill()
        for number, process in ended:
            process.wait()
            _forget(self.net.node(number))

    def pause(self, *numbers: int) -> None:
        self._signal(numbers, signal.SIGSTOP)

    def wake(self, *numbers: int) -> None:
        self._signal(numbers, signal.SIGCONT)

    def collect_ended(self) -> list[tuple[int, str]]:
        """Return nodes that ended by themselves since the last call, with their last words."""
        ended = [number for number, process in self._running.items() if process.poll() is not None]
        words = []
        for number in ended:
            code = self._running.pop(number).returncode
            node = self.net.node(number)
            _forget(node)
            words.append((number, f"exit code {code}: {read_last_words(node)}"))
        return words

    def stop(self) -> None:
        """Stop all in good order; kill what takes too long."""
        self.wake(*self.numbers)
        self._signal(self.numbers, signal.SIGTERM)
        for number, process in list(self._running.items()):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill(number)
            _forget(self.net.node(number))
        self._running.clear()

    def _signal(self, numbers: Iterable[int], number: signal.Signals) -> None:
        for process in (self._running[n] for n in numbers if n in self._running):
            process.send_signal(number)


def _spawn(node: DevnetNode) -> "subprocess.Popen[bytes]":
    keep_sent(node.folder)
    with (node.folder / CONSOLE_FILE).open("ab") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.child", str(node.settings_file), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            cwd=_ROOT,
            start_new_session=True,  # an interrupt typed at the terminal is for the soak
        )
    (node.folder / PID_FILE).write_text(f"{process.pid}\n", encoding="ascii")
    return process


def _forget(node: DevnetNode) -> None:
    (node.folder / PID_FILE).unlink(missing_ok=True)
