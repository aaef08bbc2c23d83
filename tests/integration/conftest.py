"""One four-node network of real processes, shared by the tests of this folder."""

from collections.abc import Iterator

import pytest

from node.cli.devnet import DevnetOptions
from tests.integration.ledger_net import LedgerNet


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
    yield shared_net
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.failed:
        print(shared_net.explain())  # noqa: T201 - read by whoever reads the failure


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.report_of_call = report  # type: ignore[attr-defined]
