"""Real nodes on bridges, rings and slow lines; certificates that expire, pins that come and go."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import encode_call
from contracts.decisions import DecisionKind
from contracts.testkeys import get_tls_pin
from node.cli.devnet import DevnetNode
from node.cli.founding import TLS_CERTIFICATE_FILE, TLS_KEY_FILE
from node.keys import TlsIdentity, create_tls_identity, renew_tls_certificate
from node.network.frames import Ping
from node.network.handshake import NotAdmitted
from tests.integration.ledger_net import read_log, wait_until
from tests.integration.linked_net import LinkedNet, get_metric, get_tls
from tests.integration.rogue_peer import RoguePeer, sign_votes

pytestmark = [pytest.mark.processes, pytest.mark.long]

ALL = (1, 2, 3, 4)
MAJORITY = (1, 2, 3)
FLOOD_FRAMES = 6_000


@pytest.mark.parametrize("how", ["cut", "freeze", "stall"])
@pytest.mark.parametrize(
    "groups",
    [[(1, 2, 3), (3, 4)], [(1, 2), (2, 3), (3, 4), (4, 1)], [(1, 2), (2, 3), (3, 4)]],
    ids=["bridge", "ring", "chain"],
)
def test_nodes_that_are_not_all_connected_pass_on_what_others_say(
    linked: LinkedNet, groups: list[tuple[int, ...]], how: str
) -> None:
    net = linked.net
    linked.links.partition(groups, how=how)
    for issuer, at in ((1, 4), (3, 1), (2, 2)):
        _, raw = net.make_attestation(issuer)
        transaction_hash = net.send(raw, at)
        for number in ALL:
            assert net.receipt(transaction_hash, number)["status"] == "0x1"
    linked.links.heal_all()
    linked.wait_connected(*ALL)
    net.assert_one_chain()
    linked.assert_nobody_was_blamed()


@pytest.mark.parametrize("how", ["freeze", "stall"])
def test_halves_that_hear_nothing_agree_when_healed(linked: LinkedNet, how: str) -> None:
    net = linked.net
    linked.links.partition([(1, 3), (2, 4)], how=how)
    _, raw = net.make_attestation(1)
    transaction_hash = net.send(raw, 1)
    wait_until(
        lambda: all(net.rpc(number).call("net_peerCount") == "0x1" for number in ALL),
        "everyone has noticed who is not there",
    )
    assert net.rpc(2).call("eth_getTransactionReceipt", transaction_hash) is None
    linked.links.heal_all()
    for number in ALL:
        assert net.receipt(transaction_hash, number)["status"] == "0x1"
    linked.wait_connected(*ALL)
    net.assert_one_chain()
    linked.assert_nobody_was_blamed()


def test_one_half_open_connection_costs_no_block_and_is_replaced(linked: LinkedNet) -> None:
    net, links = linked.net, linked.links
    calls = sum(links.get_counters(*pair).connections for pair in ((1, 2), (2, 1)))
    links.freeze(1, 2)
    net.wait_blocks(3, number=1)
    links.heal(1, 2)  # the old connection stays silent: both must notice
    net.wait_blocks(3, number=2)

    def is_replaced() -> bool:
        now = sum(links.get_counters(*pair).connections for pair in ((1, 2), (2, 1)))
        return now > calls and 2 in linked.get_peers(1) and 1 in linked.get_peers(2)

    wait_until(is_replaced, "a new connection takes the place of the half-open one")
    pin = get_tls_pin(2).hex()
    left = [item for item in read_log(net.node(1), "peer left") if item["pin"] == pin]
    assert left, "it was noticed"
    linked.assert_nobody_was_blamed()


def test_slow_lines_delay_blocks_and_stop_none(linked: LinkedNet) -> None:
    net, links = linked.net, linked.links
    for one in ALL:
        for other in range(one + 1, 5):
            links.slow(one, other, latency_ms=300, bytes_per_s=64_000)
    began = net.height(1)
    for _ in range(5):
        sent = [net.send(net.make_attestation(issuer)[1], issuer) for issuer in (1, 2, 3)]
        for transaction_hash in sent:
            assert net.receipt(transaction_hash, 4)["status"] == "0x1"
    assert net.height(1) >= began + 5
    peers = net.rpc(1).call("atesta_peers")
    assert len(peers) == 3
    linked.links.heal_all()
    net.assert_one_chain()
    linked.assert_nobody_was_blamed()


def test_node_catches_up_over_a_line_that_is_slow_and_breaks(linked: LinkedNet) -> None:
    net, links = linked.net, linked.links
    net.kill(4)
    target = net.wait_blocks(10)
    for other in MAJORITY:
        links.slow(4, other, latency_ms=150, bytes_per_s=64_000)
    net.launch(4)
    for _ in range(4):
        time.sleep(1)
        for other in MAJORITY:
            links.reset(4, other)
    net.wait_height(target, [4])
    links.heal_all()
    linked.wait_connected(*ALL)
    net.assert_one_chain()
    linked.assert_nobody_was_blamed()


@pytest.fixture
def tls_files(linked: LinkedNet) -> Iterator[DevnetNode]:
    """Node 4, whose TLS files are put back after the test."""
    node = linked.net.node(4)
    paths = [node.folder / name for name in (TLS_KEY_FILE, TLS_CERTIFICATE_FILE)]
    kept = [path.read_bytes() for path in paths]
    yield node
    if 4 in linked.net.get_running():
        linked.net.kill(4)
    for path, content in zip(paths, kept, strict=True):
        path.write_bytes(content)


def test_expired_certificate_is_refused_and_a_renewed_one_is_welcome(
    linked: LinkedNet, tls_files: DevnetNode
) -> None:
    net, node = linked.net, tls_files
    net.kill(4)
    key_file, certificate_file = (
        node.folder / name for name in (TLS_KEY_FILE, TLS_CERTIFICATE_FILE)
    )
    long_ago = datetime.now(UTC) - timedelta(days=30)
    renew_tls_certificate(key_file, certificate_file, days=10, now=long_ago)
    net.launch(4)

    def are_told() -> bool:
        said = [line["reason"] for line in read_log(net.node(1), "connection refused")]
        heard = [line["reason"] for line in read_log(node, "call failed")]
        return any("expired at" in reason for reason in said) and any(
            "does not accept this node's certificate" in reason for reason in heard
        )

    wait_until(are_told, "both operators read the reason")
    net.wait_blocks(2)
    assert all(4 not in linked.get_peers(number) for number in MAJORITY)
    net.kill(4)

    from node.cli.app import app

    said = [line["reason"] for line in read_log(net.node(1), "connection refused")]
    assert any("`atesta keys tls --renew`" in reason for reason in said)
    arguments = ["keys", "tls", str(key_file), str(certificate_file), "--renew"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert get_tls_pin(4).hex() in result.output, "the pin stays the same"
    net.launch(4)
    linked.wait_connected(*ALL)  # nobody had to do anything: an expired one is not banned
    net.wait_height(net.height(1), [4])
    linked.assert_nobody_was_blamed()


def test_peer_that_was_dropped_is_let_in_again_after_its_time_out(linked: LinkedNet) -> None:
    net = linked.net
    net.kill(4)
    pin = get_tls_pin(4).hex()
    with RoguePeer.join(net.node(4), net.node(1)) as rogue:
        rogue.send_bytes(b"\xff" * 1000)
        rogue.read_to_end()
    wait_until(lambda: get_metric(net.node(1), "network_peer_faults") == 1, "it is dropped")
    net.launch(4)  # its owner has got it back, and serves its time
    linked.wait_connected(*ALL)
    joined = [line for line in read_log(net.node(1), "peer joined") if line["pin"] == pin]
    assert joined
    linked.assert_nobody_was_blamed(but=[pin])
    net.kill(1)  # time-outs and counters are kept in memory
    net.start(1)
    assert get_metric(net.node(1), "network_peer_faults") == 0


def test_flood_of_votes_at_every_node_stops_no_block(linked: LinkedNet) -> None:
    """One validator of four signs without end: all others let it go and go on."""
    net, pin = linked.net, get_tls_pin(4).hex()
    net.kill(4)
    linked.wait_connected(*MAJORITY)
    before = {number: len(read_log(net.node(number), "peer dropped")) for number in MAJORITY}
    attacks = {
        number: sign_votes(net.node(4), net.height(1) + 3, FLOOD_FRAMES) for number in MAJORITY
    }

    def attack(number: int) -> None:
        with RoguePeer.join(net.node(4), net.node(number)) as rogue:
            for start in range(0, FLOOD_FRAMES, 100):
                rogue.send(*attacks[number][start : start + 100])
            rogue.read_to_end()

    flooding = [threading.Thread(target=attack, args=(number,)) for number in MAJORITY]
    for thread in flooding:
        thread.start()
    net.wait_blocks(2)
    for thread in flooding:
        thread.join(timeout=60)

    def list_dropped(number: int) -> list[dict[str, Any]]:
        return read_log(net.node(number), "peer dropped")[before[number] :]

    wait_until(lambda: all(map(list_dropped, MAJORITY)), "every node has let the flooding one go")
    for number in MAJORITY:
        dropped = list_dropped(number)
        assert [line["pin"] for line in dropped] == [pin]
        assert "floods this node with consensus messages" in dropped[0]["reason"]
        assert linked.get_peers(number) == set(MAJORITY) - {number}
    net.assert_one_chain()
    linked.assert_nobody_was_blamed(but=[pin])
    for number in MAJORITY:  # time-outs are kept in memory: the next test begins without
        net.kill(number)
    net.launch(*MAJORITY)
    net.wait_height(1, MAJORITY)


def test_pin_is_replaced_by_its_owner_and_the_old_key_is_cut_off_at_once(
    linked: LinkedNet, tls_files: DevnetNode
) -> None:
    net, node = linked.net, tls_files
    stolen = steal_tls(node)
    net.kill(4)
    key_file, certificate_file = (
        node.folder / name for name in (TLS_KEY_FILE, TLS_CERTIFICATE_FILE)
    )
    for path in (key_file, certificate_file):
        path.unlink()
    fresh = create_tls_identity(key_file, certificate_file)
    linked.links.set_pin(4, fresh.pin)
    net.launch(4)

    def is_refused() -> bool:
        heard = [line["reason"] for line in read_log(node, "call failed")]
        return any(f"does not know this node's pin {fresh.pin.hex()}" in text for text in heard)

    wait_until(is_refused, "a key that nobody has entered is refused")
    assert all(4 not in linked.get_peers(number) for number in MAJORITY)

    enter = encode_call(AGENCY_REGISTRY_NAME, "add_own_pin", [fresh.pin, int(time.time()), 0])
    net.act(4, REGISTRY, enter, at=1)
    linked.wait_connected(*ALL)
    with RoguePeer.join(node, net.node(1), stolen) as thief:  # the old pin still counts
        thief.send(Ping(token=1, clock_ms=0))
        wait_until(lambda: knows(linked, 1, stolen), "two keys of one agency are connected")
        end = encode_call(AGENCY_REGISTRY_NAME, "withdraw_own_pin", [stolen.pin])
        net.act(4, REGISTRY, end, at=1)
        assert "its pin was withdrawn" in thief.read_to_end()
    for number in MAJORITY:
        with (
            pytest.raises(NotAdmitted, match="does not know"),
            RoguePeer.join(node, net.node(number), stolen),
        ):
            pass
    net.wait_blocks(2)
    linked.wait_connected(*ALL)
    linked.assert_nobody_was_blamed(but=[stolen.pin.hex()])

    # What one agency may do for itself, the others may do by vote.
    net.decide(DecisionKind.WITHDRAW_PIN, [fresh.pin], MAJORITY)
    for number in MAJORITY:
        linked.wait_apart(number, (4,))
    reasons = [
        line["reason"]
        for line in read_log(net.node(2), "peer left")
        if line["pin"] == fresh.pin.hex()
    ]
    assert reasons[-1] == "its pin was withdrawn"
    net.wait_blocks(2)
    for number in MAJORITY:
        assert linked.get_peers(number) == set(MAJORITY) - {number}
    linked.assert_nobody_was_blamed(but=[stolen.pin.hex()])


def steal_tls(node: DevnetNode) -> TlsIdentity:
    """Copy a node's TLS files, as a thief would."""
    there = node.folder.with_name("thief")
    there.mkdir()
    own = get_tls(node)
    for path in (own.key_file, own.certificate_file):
        copy = there / path.name
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o600)
    return TlsIdentity(
        key_file=there / own.key_file.name,
        certificate_file=there / own.certificate_file.name,
        certificate=own.certificate,
        pin=own.pin,
        expires=own.expires,
    )


def knows(linked: LinkedNet, number: int, identity: TlsIdentity) -> bool:
    peers = linked.net.rpc(number).call("atesta_peers")
    return identity.pin.hex() in {peer["id"] for peer in peers}
