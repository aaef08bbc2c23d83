"""What a node says, in one line and with an exit code, when it cannot or must not start."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from contracts.genesis_spec import QbftSpec
from node.cli.devnet import (
    DevnetNode,
    DevnetOptions,
    make_devnet,
    start_node,
    stop_node,
    wait_final,
)
from node.cli.devnet.processes import CONSOLE_FILE, NodeFailed
from tests.integration.ledger_net import WAIT_S, LedgerNet, read_log, wait_until
from tests.integration.warm_node import open_warm_nodes

pytestmark = pytest.mark.processes

QUICK = QbftSpec(block_period_s=1, empty_block_period_s=0, request_timeout_s=2)
USER_FAULT = 2
OPERATIONAL_FAULT = 3


@pytest.fixture
def node(tmp_path: Path) -> Iterator[DevnetNode]:
    """A network of one node that has made a block and was stopped in good order."""
    devnet = make_devnet(tmp_path / "net", DevnetOptions(agencies=1, qbft=QUICK))
    node = devnet.get_node(1)
    yield node
    stop_node(node)


def make_history(node: DevnetNode) -> None:
    open_warm_nodes().start(node)
    wait_final([node], timeout_s=WAIT_S)
    assert stop_node(node)


def run(node: DevnetNode) -> tuple[int, str]:
    """Start a node that must refuse to run; return its exit code and the one line it says."""
    console = node.folder / CONSOLE_FILE
    console.unlink(missing_ok=True)
    return wait_refusal(open_warm_nodes().start(node), console)


def run_beside(node: DevnetNode) -> tuple[int, str]:
    """As `run`, by the command itself, which looks for no process that runs already."""
    result = subprocess.run(
        [sys.executable, "-m", "node.cli", "run", "--config", str(node.settings_file)],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    return result.returncode, read_line(result.stderr)


def wait_refusal(pid: int, console: Path) -> tuple[int, str]:
    codes: list[int] = []

    def has_ended() -> bool:
        code = open_warm_nodes().find_code(pid)
        codes.extend([] if code is None else [code])
        return bool(codes)

    wait_until(has_ended, "the node ends")
    return codes[0], read_line(console.read_text())


def read_line(said: str) -> str:
    (line,) = said.strip().splitlines()
    assert line.startswith("atesta: ")
    return line


def change_settings(node: DevnetNode, old: str, new: str) -> None:
    text = node.settings_file.read_text()
    assert old in text
    node.settings_file.write_text(text.replace(old, new))


@pytest.mark.parametrize("which", ["api", "network"])
def test_occupied_port_is_named(node: DevnetNode, which: str) -> None:
    port = node.api_port if which == "api" else node.network_port
    with closing(socket.create_server(("127.0.0.1", port))):
        code, line = run(node)
    assert code in {USER_FAULT, OPERATIONAL_FAULT}
    assert f"{which}.port" in line


def test_wrong_passphrase_is_named(node: DevnetNode) -> None:
    (node.folder / "secrets" / "passphrase").write_text("wrong\n")
    code, line = run_beside(node)
    assert code == USER_FAULT
    assert "the passphrase is wrong" in line
    assert "validator.json" in line


def test_readable_secret_is_refused(node: DevnetNode) -> None:
    (node.folder / "keys" / "validator.json").chmod(0o644)
    code, line = run(node)
    assert code == USER_FAULT
    assert "chmod 600" in line


def test_genesis_of_another_network_is_refused(node: DevnetNode, tmp_path: Path) -> None:
    other = make_devnet(tmp_path / "other", DevnetOptions(agencies=2))
    (node.folder / "genesis.json").write_bytes(other.genesis_file.read_bytes())
    code, line = run(node)
    assert code == USER_FAULT
    assert "validator.json" in line
    assert "is a validator key of chain" in line


def test_store_of_another_network_is_refused(node: DevnetNode, tmp_path: Path) -> None:
    make_history(node)
    other = make_devnet(tmp_path / "other", DevnetOptions(agencies=2)).get_node(1)
    (node.folder / "data" / "chain").rename(other.data_dir / "chain")
    code, line = run(other)
    assert code == OPERATIONAL_FAULT
    assert "genesis" in line


def test_published_keys_are_refused_beyond_loopback(node: DevnetNode) -> None:
    change_settings(node, '[network]\nhost = "127.0.0.1"', '[network]\nhost = "0.0.0.0"')
    code, line = run(node)
    assert code == USER_FAULT
    assert "published test key" in line


def test_api_beyond_loopback_needs_tls(node: DevnetNode) -> None:
    change_settings(node, '[api]\nhost = "127.0.0.1"', '[api]\nhost = "0.0.0.0"')
    code, line = run(node)
    assert code == USER_FAULT
    assert line.startswith("atesta: api.tls_certificate: ")


def test_damaged_database_is_named(node: DevnetNode) -> None:
    make_history(node)
    chain = node.data_dir / "chain"
    for file in chain.iterdir():
        if file.suffix in {".log", ".ldb"} and file.stat().st_size > 200:
            data = bytearray(file.read_bytes())
            for position in range(60, len(data), 97):
                data[position] ^= 0xFF
            file.write_bytes(data)
    code, line = run(node)
    assert code == OPERATIONAL_FAULT
    assert str(chain) in line


def test_damaged_sign_state_is_named_and_resume_heals_it(node: DevnetNode) -> None:
    make_history(node)
    for file in (node.data_dir / "sign_state").iterdir():
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    code, line = run(node)
    assert code == OPERATIONAL_FAULT
    assert "sign state" in line
    assert "atesta keys resume" in line
    result = subprocess.run(
        [
            *(sys.executable, "-m", "node.cli", "keys", "resume", "--yes"),
            *("--config", str(node.settings_file)),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    open_warm_nodes().start(node)
    wait_final([node], height=4, timeout_s=WAIT_S)


def test_second_process_on_one_folder_is_refused(node: DevnetNode) -> None:
    open_warm_nodes().start(node)
    wait_final([node], timeout_s=WAIT_S)
    code, line = run_beside(node)
    assert code == OPERATIONAL_FAULT
    assert str(node.data_dir / "chain") in line


def test_damaged_mempool_journal_is_named(node: DevnetNode) -> None:
    node.data_dir.mkdir(exist_ok=True)
    (node.data_dir / "mempool.journal").write_bytes(b"this is not a journal at all")
    code, line = run(node)
    assert code == OPERATIONAL_FAULT
    assert "mempool.journal" in line


def test_invite_of_another_network_is_refused(node: DevnetNode, tmp_path: Path) -> None:
    other = make_devnet(tmp_path / "other", DevnetOptions(agencies=2))
    invite = next((other.get_node(1).folder / "invites").iterdir())
    change_settings(node, "bootstrap_peers = []", f'bootstrap_peers = ["{invite}"]')
    code, line = run(node)
    assert code == USER_FAULT
    assert "genesis_hash" in line


def test_peer_with_another_genesis_is_told_so(net: LedgerNet, tmp_path: Path) -> None:
    other = make_devnet(tmp_path / "other", DevnetOptions(agencies=2)).get_node(2)
    invite = next((other.folder / "invites").iterdir())
    document = json.loads(invite.read_text())
    document["address"] = f"127.0.0.1:{net.node(1).network_port}"
    invite.write_text(json.dumps(document))
    open_warm_nodes().start(other)
    try:
        wait_until(
            lambda: (
                (other.folder / "log.jsonl").exists()
                and any("chain" in line["reason"] for line in read_log(other, "call failed"))
            ),
            "the stranger is told that the chain is another",
        )
    finally:
        stop_node(other)
    net.wait_blocks(1)


def test_console_of_a_node_that_runs_is_empty(node: DevnetNode) -> None:
    start_node(node)
    wait_final([node], timeout_s=WAIT_S)
    assert stop_node(node)
    assert (node.folder / "console.log").read_text() == ""


def test_devnet_reports_a_node_that_ends_early(node: DevnetNode) -> None:
    (node.folder / "secrets" / "passphrase").write_text("wrong\n")
    open_warm_nodes().start(node)
    with pytest.raises(NodeFailed, match="the passphrase is wrong"):
        wait_final([node])
