"""A network of real processes whose nodes meet only through lines that fail on command."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from node.cli.devnet import DevnetNode, DevnetOptions
from node.cli.founding import TLS_CERTIFICATE_FILE, TLS_KEY_FILE
from node.keys import TlsIdentity, load_tls_identity
from tests.integration.faulty_links import FaultyLinks
from tests.integration.ledger_net import LedgerNet

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
