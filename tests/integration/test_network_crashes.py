"""Nodes that die without a word: nothing acknowledged is lost, nothing forks, the chain goes on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node.cli.devnet.rpc import NodeUnreachable, RpcError
from tests.integration.ledger_net import LedgerNet, wait_until

pytestmark = pytest.mark.processes

ALL = (1, 2, 3, 4)
PAUSE_S = 0.1


class Load:
    """Clerks who attest through one node each, and note what was acknowledged."""

    def __init__(self, net: LedgerNet) -> None:
        self._net = net
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged: dict[bytes, str] = {}
        self.failures: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator["Load"]:
        threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in (1, 2, 3)  # the agencies that issue, each at its own node
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(timeout=60)
        assert not self.failures, self.failures

    def _work(self, number: int) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:  # the nonces are shared by several loads
                    uid, raw = self._net.make_attestation(number, purpose="clerk")
                while not self._stop.is_set():
                    try:
                        transaction_hash = self._net.send(raw, number)
                    except NodeUnreachable:
                        self._stop.wait(0.2)  # its node is dead; the clerk tries again later
                        continue
                    with self._lock:
                        self.acknowledged[uid] = transaction_hash
                    break
                else:
                    with self._lock:  # never acknowledged: its nonce is free again
                        self._net.nonces.pop((number, "clerk"), None)
                self._stop.wait(PAUSE_S)
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.failures.append(error)


def assert_all_final(net: LedgerNet, load: Load, at: int) -> None:
    for uid, transaction_hash in load.acknowledged.items():
        receipt = net.receipt(transaction_hash, at)
        assert receipt["status"] == "0x1"
        assert net.get_attestation(uid, at)["state"] == 1


@pytest.mark.parametrize("victim", ALL)
def test_death_of_any_one_node_loses_nothing_and_the_chain_goes_on(
    net: LedgerNet, victim: int
) -> None:
    survivor = next(number for number in ALL if number != victim)
    load = Load(net)
    with load.running():
        net.wait_blocks(2, survivor)
        net.kill(victim)
        before = len(load.acknowledged)
        net.wait_blocks(3, survivor)
        net.start(victim)
        wait_until(lambda: len(load.acknowledged) > max(before, 10), "the load goes on")
        net.wait_blocks(2, victim)
    assert_all_final(net, load, survivor)
    net.wait_height(net.height(survivor), ALL)
    net.assert_one_chain()


def test_two_dead_of_four_stop_the_chain_and_their_return_resumes_it(net: LedgerNet) -> None:
    uid, raw = net.make_attestation()
    net.kill(3, 4)
    wait_until(lambda: stands_still(net), "what was under way is final at both or at none")
    height = net.height(1)
    transaction_hash = net.send(raw, 1)
    time.sleep(4)
    assert net.height(1) == net.height(2) == height
    assert net.rpc(1).call("eth_getTransactionReceipt", transaction_hash) is None
    net.start(3, 4)
    for number in (1, 2):
        assert net.receipt(transaction_hash, number)["status"] == "0x1"
    assert net.get_attestation(uid, at=2)["state"] == 1
    net.assert_one_chain()


def stands_still(net: LedgerNet) -> bool:
    """Tell whether two nodes stand at one height and stay there for a while."""
    before = net.height(1)
    time.sleep(1.5)
    return net.height(1) == net.height(2) == before


def test_all_dead_at_once_lose_nothing_acknowledged(net: LedgerNet) -> None:
    sent = []
    for _ in range(10):
        uid, raw = net.make_attestation()
        sent.append((uid, net.send(raw, 1)))
    net.kill(*ALL)
    net.launch(*ALL)
    net.wait_height(1, ALL)
    for _, transaction_hash in sent:
        assert net.receipt(transaction_hash, 2)["status"] == "0x1"
    net.wait_height(net.height(2), [3])
    for uid, _ in sent:
        assert net.get_attestation(uid, at=3)["state"] == 1
    net.assert_one_chain()


def test_node_that_stops_on_request_says_goodbye_and_continues(net: LedgerNet) -> None:
    from node.cli.devnet import stop_node

    began = time.monotonic()
    assert stop_node(net.node(2))
    assert time.monotonic() - began < 60
    with pytest.raises(NodeUnreachable):
        net.height(2)
    net.start(2)
    net.wait_blocks(2, 2)
    net.assert_one_chain()


def test_refused_transaction_is_told_with_its_field(net: LedgerNet) -> None:
    with pytest.raises(RpcError) as caught:
        net.send(net.sign(1, None, b"\x60\x00", nonce=10_000))
    assert caught.value.data["field"] in {"nonce", "to"}
