"""A network of real processes whose nodes meet only through lines that fail on command."""

import json
import urllib.request
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.testkeys import get_tls_pin
from node.cli.devnet import DevnetNode, DevnetOptions
from node.cli.founding import TLS_CERTIFICATE_FILE, TLS_KEY_FILE
from node.keys import TlsIdentity, load_tls_identity
from tests.integration.faulty_links import FaultyLinks
from tests.integration.ledger_net import LedgerNet, read_log, wait_until

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedNet:
    """A network and its lines. Use as a context, or `stop` it."""

    net: LedgerNet
    """The processes; all of `LedgerNet` works as usual."""
    links: FaultyLinks
    """What is between them, by node number."""

    @classmethod
    def make(cls, folder: Path, options: DevnetOptions | None = None) -> Self:
        """Make the folders of a devnet and open its lines; starts no process."""
        linked = cls(net=LedgerNet.make(folder, options), links=FaultyLinks())
        for node in linked.net.devnet.nodes:
            linked.links.add_node(node.number, node.network_port, get_tls(node).pin)
        linked.connect(linked.net.devnet.nodes)
        return linked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def connect(self, nodes: Iterable[DevnetNode]) -> None:
        """Rewrite the invites and the advertised address of nodes so that they use the lines.

        Of a node that joins later (`add_node`), call `links.add_node` and this before it starts;
        the others call it at its door, which it advertises when it calls them.
        """
        numbers = {node.name: node.number for node in self.net.devnet.nodes}
        for node in nodes:
            for path in (node.folder / "invites").glob("*.json"):
                invite = json.loads(path.read_text(encoding="utf-8"))
                port = self.links.get_port(node.number, numbers[path.stem])
                invite["address"] = f"{_HOST}:{port}"
                path.write_text(json.dumps(invite), encoding="utf-8")
            door = f'advertised_address = "{_HOST}:{self.links.get_door(node.number)}"'
            settings = node.settings_file.read_text(encoding="utf-8")
            assert "advertised_address" not in settings
            settings = settings.replace("[network]\n", f"[network]\n{door}\n")
            node.settings_file.write_text(settings, encoding="utf-8")

    def start(self) -> None:
        """Start all nodes, wait until each is connected to each, prepare the records' schema."""
        numbers = [node.number for node in self.net.devnet.nodes]
        self.net.launch(*numbers)
        self.net.wait_height(1, numbers)
        self.wait_connected(*numbers)
        self.net.prepare_schema(1, 2, 3)

    def get_peers(self, number: int) -> set[int]:
        """Return the numbers of the nodes that a node is connected to now."""
        validators = {
            self.net.address(node.number, "validator"): node.number
            for node in self.net.devnet.nodes
        }
        peers = self.net.rpc(number).call("atesta_peers")
        return {validators[peer["validator"]] for peer in peers if peer["validator"]}

    def wait_connected(self, *numbers: int) -> None:
        """Wait until each of these nodes is connected to each other of them."""
        for number in numbers:
            others = set(numbers) - {number}
            wait_until(
                lambda number=number, others=others: others <= self.get_peers(number),  # type: ignore[misc]
                f"node {number} is connected to {others}",
            )

    def wait_apart(self, number: int, others: Iterable[int]) -> None:
        """Wait until a node has noticed that it is not connected to any of some others."""
        others = set(others)
        wait_until(
            lambda: others.isdisjoint(self.get_peers(number)),
            f"node {number} has let go of {others}",
        )

    def assert_nobody_was_blamed(self, *, but: Collection[str] = ()) -> None:
        """Check that no running node ever dropped, banned or accused another one.

        `but` are the pins (in hex, of the published keys) of those who deserved it.
        """
        guilty = {
            self.net.address(node.number, "validator")
            for node in self.net.devnet.nodes
            if get_tls_pin(node.number).hex() in but
        }
        for number in self.net.get_running():
            node = self.net.node(number)
            dropped = [line for line in read_log(node, "peer dropped") if line["pin"] not in but]
            assert not dropped, f"node {number} dropped honest peers: {dropped}"
            if not but:
                assert get_metric(node, "network_peer_faults") == 0
            accused = {line["offender"] for line in read_log(node, "evidence")}
            assert accused <= guilty, f"node {number} accuses honest validators"

    def stop(self) -> None:
        """Heal the lines, stop the processes in good order, close the lines."""
        try:
            self.links.heal_all()
            self.net.stop()
        finally:
            self.links.stop()


def get_tls(node: DevnetNode) -> TlsIdentity:
    """Return a node's TLS identity as it is on disk."""
    return load_tls_identity(node.folder / TLS_KEY_FILE, node.folder / TLS_CERTIFICATE_FILE)


def get_metric(node: DevnetNode, name: str) -> float:
    """Return a sample of a running node's metrics page, 0 if it is not there."""
    with urllib.request.urlopen(f"{node.url}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    found = [line for line in lines if line.startswith(f"atesta_{name} ")]
    return float(found[0].split()[-1]) if found else 0.0
