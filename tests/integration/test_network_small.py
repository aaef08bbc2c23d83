"""Networks of one, two and three real validators: what they survive, what they say, how they heal.

A validator that lost its disk keeps its key. It refuses to run until its operator has followed the
procedure of docs/operations.md; then it takes all blocks from the others and signs above them.
"""

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consensus.resilience import describe_resilience
from contracts.genesis_spec import QbftSpec
from contracts.testkeys import get_address
from node.cli.app import app
from node.cli.devnet import DevnetOptions, add_node
from node.cli.devnet.processes import find_pid, read_last_words
from node.cli.founding import TLS_CERTIFICATE_FILE, TLS_KEY_FILE
from node.keys import load_tls_identity
from node.network import PeerAddress
from node.network.invite import decode_invite, encode_invite
from tests.integration.ledger_net import LedgerNet, read_log, wait_until

pytestmark = pytest.mark.processes

OBSERVER = 3
QUICK = QbftSpec(block_period_ms=250, empty_block_period_s=0, request_timeout_s=1)


@pytest.fixture
def small(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LedgerNet]:
    """A network of as many validators as the test's parameter says, all running."""
    count = int(request.param)
    net = LedgerNet.make(tmp_path / "net", DevnetOptions(agencies=count, qbft=QUICK))
    try:
        net.launch(*range(1, count + 1))
        net.wait_height(4, range(1, count + 1))
        yield net
    except BaseException:
        print(net.explain())  # noqa: T201 - read by whoever reads the failure
        raise
    finally:
        net.stop()


def tell(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def assert_says_what_it_survives(net: LedgerNet, count: int) -> None:
    sentence = describe_resilience(count)
    assert sentence in tell("status", "--url", net.node(1).url)
    assert sentence in tell("devnet", "status", "--dir", str(net.devnet.folder))
    (event,) = read_log(net.node(1), "resilience")
    assert (event["level"], event["resilience"]) == ("warning", sentence)


def lose_disk(net: LedgerNet, number: int) -> None:
    """Kill a node and take everything from it but its keys and settings."""
    net.kill(number)
    shutil.rmtree(net.node(number).data_dir)


def resume(net: LedgerNet, number: int) -> None:
    """Start it, be refused, do what the refusal says, start it again."""
    node = net.node(number)
    net.launch(number)
    wait_until(lambda: find_pid(node) is None, "a node without its sign state ends")
    assert "atesta keys resume" in read_last_words(node)
    tell("keys", "resume", "--yes", "--config", str(node.settings_file))
    net.launch(number)


def add_observer(net: LedgerNet) -> None:
    """Give the only validator, which must be down, an observer that it knows by an invite."""
    first = net.node(1)
    second = replace(first, number=2)  # so that the newcomer is agency 3
    crowd = replace(net.devnet, nodes=(first, second))
    larger, observer = add_node(crowd, is_validator=False)
    net.devnet = replace(larger, nodes=(first, observer))
    identity = load_tls_identity(
        observer.folder / TLS_KEY_FILE, observer.folder / TLS_CERTIFICATE_FILE
    )
    own = decode_invite((observer.folder / "invites" / f"{first.name}.json").read_text())
    invite = replace(
        own,
        address=PeerAddress(host="127.0.0.1", port=observer.network_port),
        certificate=identity.certificate,
        pin=identity.pin,
        validator=get_address(
            OBSERVER, "account"
        ),  # an observer signs its handshakes as its agency
    )
    (first.folder / "observer.json").write_text(encode_invite(invite))
    settings = first.settings_file.read_text()
    assert "bootstrap_peers = []" in settings
    first.settings_file.write_text(
        settings.replace("bootstrap_peers = []", 'bootstrap_peers = ["observer.json"]')
    )


def find_proposal(net: LedgerNet, number: int, *, since: int, at: int) -> int:
    """Wait for a final block above `since` that a validator proposed; return its height."""
    address, place = net.address(number, "validator"), [since]

    def is_found() -> bool:
        while place[0] < net.height(at):
            place[0] += 1
            block = net.rpc(at).call("eth_getBlockByNumber", hex(place[0]), False)
            if block["miner"] == address:
                return True
        return False

    wait_until(is_found, f"validator {number} proposes above block {since}")
    return place[0]


def assert_nobody_is_accused(net: LedgerNet) -> None:
    for number in net.get_running():
        assert net.rpc(number).call("atesta_evidence", 10) == []


@pytest.mark.parametrize("small", [3], indirect=True)
def test_three_validators_survive_one_absence_and_its_lost_disk(small: LedgerNet) -> None:
    assert_says_what_it_survives(small, 3)
    lost = small.height(3)
    lose_disk(small, 3)
    small.wait_height(lost + 4, (1, 2))
    small.kill(2)
    stopped = small.height(1)
    time.sleep(1.5)
    assert small.height(1) <= stopped + 1, "one of three makes nothing final"
    small.launch(2)
    small.wait_height(stopped + 2, (1, 2))
    resume(small, 3)
    found = find_proposal(small, 3, since=lost + 2, at=1)
    small.wait_height(found, (1, 2, 3))
    small.assert_one_chain()
    assert_nobody_is_accused(small)


@pytest.mark.parametrize("small", [2], indirect=True)
def test_two_validators_wait_for_each_other_and_survive_a_lost_disk(small: LedgerNet) -> None:
    assert_says_what_it_survives(small, 2)
    lose_disk(small, 2)
    _, raw = small.make_attestation()
    waiting = small.send(raw, 1)
    height = small.height(1)
    resume(small, 2)
    assert int(small.receipt(waiting, 1)["blockNumber"], 16) > height
    found = find_proposal(small, 2, since=height, at=1)
    small.wait_height(found, (1, 2))
    small.assert_one_chain()
    assert_nobody_is_accused(small)


@pytest.mark.parametrize("small", [1], indirect=True)
def test_one_validator_that_lost_its_disk_never_begins_the_ledger_anew(small: LedgerNet) -> None:
    assert_says_what_it_survives(small, 1)
    lose_disk(small, 1)
    resume(small, 1)
    small.wait_height(0, (1,))
    _, raw = small.make_attestation()
    waiting = small.send(raw, 1)
    time.sleep(2.5)
    status = small.rpc(1).call("atesta_status")
    assert status["consensus"]["signing"] is False
    assert "Waiting for the others" in status["consensus"]["note"]
    assert small.rpc(1).call("eth_getTransactionReceipt", waiting) is None
    assert small.height(1) == 0


@pytest.mark.parametrize("small", [1], indirect=True)
def test_one_validator_takes_its_blocks_back_from_an_observer(small: LedgerNet) -> None:
    small.kill(1)
    add_observer(small)
    small.launch(1, OBSERVER)
    small.wait_height(8, (1, OBSERVER))
    lose_disk(small, 1)
    kept = small.rpc(OBSERVER).call("eth_getBlockByNumber", "latest", False)
    small.kill(OBSERVER)
    resume(small, 1)
    small.launch(OBSERVER)
    small.wait_height(int(kept["number"], 16) + 3, (1, OBSERVER))
    again = small.rpc(1).call("eth_getBlockByNumber", kept["number"], False)
    assert again["hash"] == kept["hash"], "the ledger that the observer kept goes on"
    small.assert_one_chain()
