"""The network under a demonstration: the agencies' own nodes, or anvil, in front of which they are.

The stories are the same on both, and so is what an agency runs but for one program: `atesta run`
is a node with its API, `atesta api` the API alone, in front of one anvil that stands for any EVM
network. What only nodes of ours can show (seals, a quorum, a node that is cut off) is told there as
what it is: as reported by that network, and a network that stands still.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from api.networks.deploying import Deployer, begin
from api.networks.fees import FeePolicy
from api.outbox.account import build_account
from api.web3_provider import connect_http
from contracts.deployment import Deployment, encode_deployment
from contracts.genesis_spec import GenesisSpec
from contracts.testkeys import get_address
from node.cli.devnet import DevnetNode, start_node
from node.cli.devnet.processes import find_pid
from scripts.demos.anvil import Anvil, launch_anvil

NETWORKS: Final = ("own", "anvil")

_BLOCK_S: Final = 1
_DEPLOYER: Final = b"\x5a" * 32
_FILE: Final = "contracts.json"
_SETTINGS: Final = '\n[foreign]\nfinality = "safe"\npoll_ms = 100\n'
_REPORTED: Final = (
    ("the last final block", "the last block that the network reports as safe"),
    ("last final block", "last block reported as safe"),
    ("sealed by a quorum", "as reported by that network"),
    ("final in", "reported in"),
    ("are final", "are reported by the network"),
    ("is final", "is reported by the network"),
    ("was final", "was reported"),
)
"""What is said of a ledger of ours, and what can be said of another network."""


def add_network_option(parser: argparse.ArgumentParser) -> None:
    """Let a story be told in front of another network."""
    parser.add_argument(
        "--network",
        choices=NETWORKS,
        default=NETWORKS[0],
        help="what the agencies stand on: nodes of their own (default), or one anvil",
    )


class DemoGround:
    """The network of one demonstration; use it with ``with``."""

    def __init__(self, network: str = NETWORKS[0]) -> None:
        """Choose a network; nothing runs before ``lay``."""
        self.is_own = network == NETWORKS[0]
        """Whether the agencies run nodes of their own."""
        self._stack = ExitStack()
        self._anvil: Anvil | None = None
        self._file = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def note(self) -> str | None:
        """What is to be said about it; None for what everybody expects."""
        if self.is_own:
            return None
        return (
            "The agencies run no nodes: each runs `atesta api` in front of one anvil, on which the "
            "ledger's contracts were deployed. Nothing is final here but as reported by that "
            "network."
        )

    @property
    def chain_store(self) -> str:
        """The end of the name of the store, in an agency's folder, that holds the chain."""
        return "LevelDB" if self.is_own else "network.jsonl: lines"

    @property
    def words(self) -> Sequence[tuple[str, str]]:
        """What the narrator says in place of what."""
        return () if self.is_own else _REPORTED

    def lay(self, folder: Path, spec: GenesisSpec, nodes: Sequence[DevnetNode]) -> None:
        """Start the network and found the ledger on it; nothing to do for nodes of our own."""
        if self.is_own:
            return
        anvil = launch_anvil(chain_id=spec.chain_id)
        self._stack.callback(anvil.stop)
        self._anvil = anvil
        account = build_account(_DEPLOYER)
        anvil.fund(account.address, *(get_address(node.number, "account") for node in nodes))
        # Blocks for each transaction would run ahead of the clock, a second each.
        anvil.call("anvil_setBlockTimestampInterval", 0)
        deployment = asyncio.run(_deploy(anvil, spec))
        anvil.call("anvil_removeBlockTimestampInterval")
        self.go_on()
        self._file = folder / _FILE
        self._file.write_text(encode_deployment(deployment), encoding="utf-8")
        for node in nodes:
            with node.settings_file.open("a", encoding="utf-8") as settings:
                settings.write(_SETTINGS)

    def start(self, node: DevnetNode) -> None:
        """Start what an agency runs."""
        if self._anvil is None:
            start_node(node)
            return
        where = ("--rpc-url", self._anvil.url, "--contracts", str(self._file))
        start_node(node, command=("api", *where))

    def get_rpc_url(self, node: DevnetNode) -> str:
        """Return where JSON-RPC is answered for an agency."""
        return node.url if self._anvil is None else self._anvil.url

    def stand_still(self) -> None:
        """Let the other network make no blocks."""
        assert self._anvil is not None, "nodes of our own are frozen one by one"
        self._anvil.call("evm_setIntervalMining", 0)

    def go_on(self) -> None:
        """Let it make blocks again, one a second."""
        if self._anvil is not None:
            self._anvil.call("evm_setAutomine", False)
            self._anvil.call("evm_setIntervalMining", _BLOCK_S)

    def bring_back(self, node: DevnetNode) -> None:
        """Write all that the network holds into an agency's folder, so that it can be searched."""
        if self._anvil is None:
            return
        assert find_pid(node) is None, "what runs is not searched"
        head = int(self._anvil.call("eth_blockNumber"), 16)
        with (node.folder / "network.jsonl").open("w", encoding="utf-8") as file:
            for number in range(head + 1):
                block = self._anvil.call("eth_getBlockByNumber", hex(number), True)
                if block["transactions"]:
                    logs: Any = self._anvil.call("eth_getLogs", {"blockHash": block["hash"]})
                    file.write(json.dumps({"block": block, "logs": logs}) + "\n")


async def _deploy(anvil: Anvil, spec: GenesisSpec) -> Deployment:
    connection = connect_http(anvil.url)
    account, policy = build_account(_DEPLOYER), FeePolicy()
    try:
        plan, begun = await begin(connection.raw, spec, account, policy)
        deployer = Deployer(
            raw=connection.raw,
            account=account,
            policy=policy,
            save=lambda _: None,
            poll_s=0.01,
        )
        return await deployer.carry_out(plan, begun)
    finally:
        await connection.close()
