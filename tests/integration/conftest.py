"""Four-node networks of real processes: one for the tests of this folder, one on faulty lines."""

import itertools
import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Final

import pytest

from contracts.genesis_spec import QbftSpec
from node.cli.devnet import DevnetOptions, plan
from tests.integration.ledger_net import LedgerNet
from tests.integration.linked_net import LinkedNet

FIRST_PORT: Final = 20_000
STRIPES: Final = 12
PORTS_OF_A_WORKER: Final = 1_000
"""Below those that the system itself gives to calls: a node that is down finds its own free."""


@pytest.fixture(scope="session", autouse=True)
def own_ports() -> Iterator[None]:
    """Give no port twice, so that no network takes one from another whose node is down."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST_PORT + (zlib.crc32(run.encode()) + worker) % STRIPES * PORTS_OF_A_WORKER
    ports = iter(range(first, first + PORTS_OF_A_WORKER))

    def choose(count: int) -> list[int]:
        return list(itertools.islice(filter(is_free, ports), count))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "choose_free_ports", choose)
        yield


def is_free(port: int) -> bool:
    with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
        return True
    return False


@pytest.fixture(scope="session")
def shared_net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerNet]:
    options = DevnetOptions(is_tapped=True)  # what a node that was killed had said
    net = LedgerNet.make(tmp_path_factory.mktemp("shared") / "net", options)
    try:
        net.launch(1, 2, 3, 4)
        net.wait_height(1, (1, 2, 3, 4))
        net.prepare_schema(1, 2, 3)
        yield net
    finally:
        net.stop()


@pytest.fixture
def net(shared_net: LedgerNet, request: pytest.FixtureRequest) -> Iterator[LedgerNet]:
    """The shared network with all four founding nodes running."""
    missing = {1, 2, 3, 4} - set(shared_net.get_running())
    shared_net.launch(*missing)
    shared_net.wait_height(shared_net.height(shared_net.get_running()[0]), (1, 2, 3, 4))
    # REST and the processes of other tests sign with the same accounts.
    shared_net.nonces.clear()
    yield shared_net
    explain_failure(request.node, shared_net)


@pytest.fixture(scope="module")
def module_linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinkedNet]:
    options = DevnetOptions(qbft=QbftSpec(block_period_s=1, request_timeout_s=2))
    with LinkedNet.make(tmp_path_factory.mktemp("linked") / "net", options) as linked:
        linked.start()
        yield linked


@pytest.fixture
def linked(module_linked: LinkedNet, request: pytest.FixtureRequest) -> Iterator[LinkedNet]:
    """A module's network on lines that fail on command; healed, all four nodes connected."""
    net = module_linked.net
    missing = {1, 2, 3, 4} - set(net.get_running())
    net.launch(*missing)
    net.wait_height(net.height(net.get_running()[0]), (1, 2, 3, 4))
    module_linked.wait_connected(1, 2, 3, 4)
    yield module_linked
    explain_failure(request.node, net)
    module_linked.links.heal_all()


def explain_failure(item: pytest.Item, net: LedgerNet) -> None:
    report = getattr(item, "report_of_call", None)
    if report is not None and report.failed:
        print(net.explain())  # noqa: T201 - read by whoever reads the failure


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.report_of_call = report  # type: ignore[attr-defined]
