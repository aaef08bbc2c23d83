"""Processes of a devnet: only what it started itself is ever signalled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from node.cli.devnet import DevnetNode, stop_node
from node.cli.devnet.processes import PID_FILE, find_pid, find_running


@pytest.fixture
def node(tmp_path: Path) -> DevnetNode:
    return DevnetNode(number=1, name="n", folder=tmp_path, network_port=1, api_port=2)


def test_process_that_took_over_a_pid_is_not_the_node_and_not_stopped(node: DevnetNode) -> None:
    """After a crash the pid file stays, and the system may have given the pid to another."""
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (node.folder / PID_FILE).write_text(f"{stranger.pid}\n", encoding="ascii")
        assert find_pid(node) is None
        assert find_running([node]) == ()
        assert not stop_node(node, kill=True)
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "no number", "99999999", "-1"])
def test_pid_file_that_names_no_process_means_that_none_runs(
    node: DevnetNode, content: str
) -> None:
    (node.folder / PID_FILE).write_text(content, encoding="ascii")
    assert find_pid(node) is None
    assert not stop_node(node)


def test_process_is_known_by_pid_and_command_line(node: DevnetNode) -> None:
    command = [sys.executable, "-c", "input()", str(node.settings_file)]
    own = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        (node.folder / PID_FILE).write_text(f"{own.pid}\n", encoding="ascii")
        assert find_pid(node) == own.pid
        assert stop_node(node)
        assert not (node.folder / PID_FILE).exists()
        with pytest.raises(ProcessLookupError):
            os.kill(own.pid, 0)
    finally:
        own.returncode = 0  # `stop_node` has reaped it
        assert own.stdin is not None
        own.stdin.close()
