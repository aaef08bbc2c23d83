"""A new node starts from another's snapshot, follows the head, and says what it does not know."""

import json
import shutil
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from node.cli.app import app
from node.cli.devnet import RpcError, stop_node
from node.snapshot.errors import SnapshotRefused
from tests.integration.ledger_net import LedgerNet, wait_until

pytestmark = pytest.mark.processes

GIVER = 4
"""Exports while it runs; then the same agency's new machine, with its keys and an empty disk."""
OTHERS = (1, 2, 3)


@pytest.fixture
def new_machine(net: LedgerNet) -> Iterator[LedgerNet]:
    """Give the fourth node its own data back in the end."""
    node = net.node(GIVER)
    kept, settings = node.folder / "kept", node.settings_file.read_text()
    yield net
    stop_node(node)
    if kept.exists():
        shutil.rmtree(node.data_dir, ignore_errors=True)
        kept.rename(node.data_dir)
    node.settings_file.write_text(settings)


def invoke(*words: str) -> str:
    result = CliRunner().invoke(app, ["snapshot", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_new_node_starts_from_a_snapshot_and_follows(new_machine: LedgerNet) -> None:
    net, node = new_machine, new_machine.node(GIVER)
    uid, raw = net.make_attestation()
    block = int(net.receipt(net.send(raw, GIVER), GIVER)["blockNumber"], 16)

    file = node.folder / "ledger.snapshot"
    config = str(node.settings_file)
    told = invoke("export", "--config", config, "--out", str(file))
    assert f"{file}: block" in told
    net.wait_blocks(1, GIVER)  # it went on meanwhile
    assert stop_node(node)
    stopped = node.folder / "stopped.snapshot"
    made = int(told.split(": block ")[1].split(",")[0])
    assert made >= block
    invoke("export", "--config", config, "--out", str(stopped), "--height", str(made))
    assert stopped.read_bytes() == file.read_bytes(), "running or stopped, it is the same file"
    assert not list((node.data_dir / "snapshots").iterdir()), "it was taken away"
    genesis = str(net.devnet.genesis_file)
    checkpoint = str(net.rpc(1).call("eth_getBlockByNumber", hex(block), False)["hash"])
    assert "checked:" in invoke(
        "inspect", str(file), "--genesis", genesis, "--checkpoint", checkpoint
    )

    node.data_dir.rename(node.folder / "kept")
    settings = node.settings_file.read_text()
    start, end = settings.index("[validator]"), settings.index("[network]")
    node.settings_file.write_text(
        settings[:start] + "[chain]\nretain_blocks = 64\n" + settings[end:]
    )
    with pytest.raises(SnapshotRefused, match="checkpoint"):
        invoke("import", str(file), "--config", config, "--checkpoint", "0x" + "07" * 32)
    assert not (node.data_dir / "chain").exists()
    told = invoke("import", str(file), "--config", config, "--checkpoint", checkpoint)
    assert "it goes on from block" in told

    net.start(GIVER, height=net.wait_blocks(2))
    assert net.get_attestation(uid, at=GIVER) == net.get_attestation(uid, at=1)
    later, raw = net.make_attestation()
    included = net.receipt(net.send(raw, GIVER), GIVER)
    wait_until(
        lambda: net.get_attestation(later, at=1) == net.get_attestation(later, at=GIVER),
        "what came in by the new node is on the others",
    )
    number = included["blockNumber"]
    ours, theirs = (
        net.rpc(at).call("eth_getBlockByNumber", number, False)["hash"] for at in (GIVER, 1)
    )
    assert ours == theirs
    with pytest.raises(RpcError, match="not retained"):
        net.rpc(GIVER).call("eth_getProof", net.address(1), [], hex(block - 1))
    proof = net.rpc(GIVER).call("eth_getProof", net.address(1), [], number)
    assert proof == net.rpc(1).call("eth_getProof", net.address(1), [], number)

    def is_listed() -> bool:
        """Whether the index, which begins at the snapshot, has what came later."""
        with urlopen(f"{node.url}/v1/attestations") as answer:
            return later.hex() in json.dumps(json.load(answer))

    wait_until(is_listed, "the record is in the new node's index")
