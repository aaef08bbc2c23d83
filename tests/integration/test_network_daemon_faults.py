"""Real nodes on lines that fail: partitions, a lost machine, a wrong clock, a rogue peer.

Wherever a test says that nobody was blamed, it asks every running node's log, metrics and evidence.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.testkeys import get_tls_pin
from node.cli.devnet.processes import PID_FILE, find_pid
from node.network.frames import Frame
from node.network.handshake import NotAdmitted
from tests.integration.ledger_net import LedgerNet, read_log, wait_until
from tests.integration.linked_net import LinkedNet, get_metric
from tests.integration.rogue_peer import RoguePeer, sign_votes

pytestmark = pytest.mark.processes

ALL = (1, 2, 3, 4)
MAJORITY = (1, 2, 3)
FLOOD_FRAMES = 5_000


def test_halves_make_no_block_and_agree_when_healed(linked: LinkedNet) -> None:
    net = linked.net
    linked.links.partition([(1, 2), (3, 4)])
    for number, others in ((1, (3, 4)), (2, (3, 4)), (3, (1, 2)), (4, (1, 2))):
        linked.wait_apart(number, others)
    records = [(issuer, *net.make_attestation(issuer)) for issuer in (1, 3)]
    sent = [net.send(raw, at) for at, _, raw in records]
    heights = [net.height(number) for number in ALL]

    def have_tried() -> bool:
        """Tell whether every node has given a round up: it wanted a block and could not."""
        return all(get_round(net, number) >= 1 for number in ALL)

    wait_until(have_tried, "both halves have tried to make a block")
    assert [net.height(number) for number in ALL] == heights
    for number in ALL:
        assert net.rpc(number).call("eth_getTransactionReceipt", sent[0]) is None

    linked.links.heal_all()
    for transaction_hash in sent:
        for number in ALL:
            assert net.receipt(transaction_hash, number)["status"] == "0x1"
    linked.wait_connected(*ALL)
    net.wait_blocks(2)
    assert net.assert_one_chain() > max(heights)
    linked.assert_nobody_was_blamed()


def test_lost_machine_is_noticed_and_catches_up_when_it_is_back(linked: LinkedNet) -> None:
    net, links = linked.net, linked.links
    before = links.get_counters(4, 1).connections + links.get_counters(1, 4).connections
    links.partition([MAJORITY, (4,)], how="freeze")
    alone_at = net.height(4)
    target = net.wait_blocks(3, number=1)
    assert net.height(4) <= alone_at + 1, "what was on its way when the line fell silent"
    for number in MAJORITY:
        linked.wait_apart(number, (4,))
    linked.wait_apart(4, MAJORITY)
    for number, lost in ((1, 4), (4, 1)):
        pin = get_tls_pin(lost).hex()
        reasons = [r["reason"] for r in read_log(net.node(number), "peer left") if r["pin"] == pin]
        assert reasons[-1].startswith("half-open"), reasons
    assert linked.get_peers(1) == {2, 3}, "the others keep each other"

    links.heal_all()
    net.wait_height(target, [4])
    linked.wait_connected(*ALL)
    after = links.get_counters(4, 1).connections + links.get_counters(1, 4).connections
    assert after > before, "a silent connection is replaced, not revived"
    net.wait_blocks(2, number=4)
    net.assert_one_chain()
    linked.assert_nobody_was_blamed()


@pytest.mark.parametrize("offset_s", [-10, pytest.param(10, marks=pytest.mark.long)])
def test_node_with_a_wrong_clock_follows_and_nobody_is_blamed(
    linked: LinkedNet, offset_s: int
) -> None:
    net = linked.net
    net.kill(4)
    net.wait_blocks(2)  # which it will lack
    start_skewed(net, 4, offset_s)
    linked.wait_connected(*ALL)
    target = net.wait_blocks(4)  # everyone, the wrong one too, has a turn to propose
    net.wait_height(target, [4])
    peers = {peer["validator"]: peer for peer in net.rpc(1).call("atesta_peers")}
    assert set(peers) == {net.address(number, "validator") for number in (2, 3, 4)}
    assert all(peer["score"] == 0 for peer in peers.values())
    seen_ms = peers[net.address(4, "validator")]["clockOffsetMs"]
    assert abs(seen_ms - offset_s * 1000) < 5_000, "the operator sees whose clock is wrong"
    net.assert_one_chain()
    linked.assert_nobody_was_blamed()
    net.kill(4)


Attack = Callable[[RoguePeer, list[Frame]], None]


def make_garbage(rogue: RoguePeer, _frames: list[Frame]) -> None:
    rogue.send_bytes((20).to_bytes(4, "big") + os.urandom(20))


def make_oversize(rogue: RoguePeer, _frames: list[Frame]) -> None:
    rogue.send_bytes((64 * 1024 * 1024).to_bytes(4, "big") + bytes(1024))


def make_flood(rogue: RoguePeer, frames: list[Frame]) -> None:
    """Send nothing but valid votes, as fast as they go."""
    for start in range(0, len(frames), 500):
        rogue.send(*frames[start : start + 500])


@pytest.mark.parametrize(
    ("victim", "attack", "reason"),
    [
        (1, make_garbage, "frame"),
        (2, make_oversize, "exceeds the limit"),
        (3, make_flood, "floods"),
    ],
    ids=["garbage", "oversize", "flood"],
)
def test_rogue_peer_with_a_legitimate_key_is_dropped_and_honest_ones_are_not(
    module_linked: LinkedNet, victim: int, attack: Attack, reason: str
) -> None:
    linked, net = module_linked, module_linked.net
    if 4 in net.get_running():
        net.kill(4)  # its keys are now in other hands
    linked.wait_connected(*MAJORITY)
    node, pin = net.node(victim), get_tls_pin(4).hex()
    before = {number: count_departures(net, number) for number in MAJORITY}
    assert not [line for line in read_log(node, "peer dropped") if line["pin"] == pin]
    frames = sign_votes(net.node(4), net.height(1) + 2, FLOOD_FRAMES if attack is make_flood else 0)
    with RoguePeer.join(net.node(4), node) as rogue:
        attack(rogue, frames)
        said = rogue.read_to_end()
    assert reason in said or not said  # a flood may still fill the line when the node closes it
    wait_until(lambda: bool(read_log(node, "peer dropped")), "the node says whom it dropped")
    (line,) = read_log(node, "peer dropped")
    assert line["pin"] == pin
    assert reason in line["reason"]
    assert line["wait_s"] > 0
    assert get_metric(node, "network_peer_faults") == 1
    with pytest.raises(NotAdmitted, match="misbehaviour"), RoguePeer.join(net.node(4), node):
        pass
    net.wait_blocks(2, number=victim)
    assert {number: count_departures(net, number) for number in MAJORITY} == before
    assert linked.get_peers(victim) == set(MAJORITY) - {victim}
    linked.assert_nobody_was_blamed(but=[pin])


def count_departures(net: LedgerNet, number: int) -> int:
    """Count how often an honest peer has left a node."""
    rogue = get_tls_pin(4).hex()
    return sum(line["pin"] != rogue for line in read_log(net.node(number), "peer left"))


def get_round(net: LedgerNet, number: int) -> int:
    return int(net.rpc(number).call("atesta_status")["consensus"]["round"], 16)


def start_skewed(net: LedgerNet, number: int, offset_s: int) -> None:
    """Start a node on a machine whose clock is off."""
    node = net.node(number)
    script = Path(__file__).with_name("skewed_node.py")
    with (node.folder / "console.log").open("ab") as console:
        process = subprocess.Popen(
            [sys.executable, str(script), "--config", str(node.settings_file)],
            stdout=console,
            stderr=console,
            env={**os.environ, "ATESTA_TEST_CLOCK_S": str(offset_s)},
        )
    process.returncode = 0  # it is ended by its pid file like any node, not through this object
    (node.folder / PID_FILE).write_text(f"{process.pid}\n")
    wait_until(lambda: find_pid(node) is not None, "the node runs")
