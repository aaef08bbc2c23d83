"""The network of a demonstration: real node processes, who plays which part, and cleaning up.

Each agency is one ``atesta`` process with its own folder, keys, TLS identity and ports. Below four
agencies the parts share nodes: with three, the health commission audits as well; with two, the
health bureau is its own laboratory; with one, a single agency plays every part.

A node is stopped (its process ends), or *frozen* (the process stands still and answers nobody):
freezing all the others is how one node is cut off without touching its own process.
"""

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from atesta_client import requests
from atesta_client.errors import ClientError
from atesta_client.rest import AsyncClient, Patience

from contracts.development import build_development_spec, list_development_agencies
from contracts.labels import encode_label
from node.cli.devnet import (
    Devnet,
    DevnetNode,
    find_running,
    make_devnet,
    stop_node,
    wait_final,
)
from node.cli.devnet.plan import DevnetOptions
from node.cli.devnet.processes import find_pid
from scripts.demos.databases import DemoDatabases, set_in_api_table
from scripts.demos.ground import DemoGround

LAG_LIMIT_S: Final = 20
"""The health commission's own limit in this demonstration: ten minutes by default."""

LAG_LIMIT_OF_PAIR_S: Final = 60
"""The same with two nodes, where nothing becomes final while one is down."""

_START_S: Final = 180.0
_RECOGNITION_FILE: Final = "recognition.toml"
_CLIENT_PATIENCE: Final = Patience(attempt_s=30.0, total_s=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an agency needs to see for a purpose; every policy here needs the holder's key."""

    purpose: str
    """The purpose."""
    required: Sequence[str]
    """Pointers of the fields that must be shown."""
    schemas: Sequence[str]
    """Uids in hex of the schemas recognised."""


class NodeGone(Exception):
    """A node of the demonstration does not do what it must; the message says which and what."""


class DemoNetwork:
    """The nodes of a demonstration; use it with ``async with``, which stops what it started."""

    def __init__(
        self,
        agencies: int,
        *,
        keep: bool,
        databases: DemoDatabases | None = None,
        ground: DemoGround | None = None,
    ) -> None:
        """Plan a network; nothing is made before ``async with``."""
        self.agencies = agencies
        """How many agencies there are."""
        self.databases = databases or DemoDatabases()
        """Where they keep their data."""
        self.ground = ground or DemoGround()
        """What they stand on."""
        self._keep = keep
        self._stack = AsyncExitStack()
        self._clients: dict[str, AsyncClient] = {}
        self._frozen: set[int] = set()
        self._devnet: Devnet | None = None
        self.folder = Path()
        """Where everything is kept."""
        self.is_finished = False
        """Set when the story came to its end."""

    async def __aenter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="atesta-demo-"))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self.thaw()
        if self._keep and self.is_finished:
            return
        # Synchronous on purpose: an interrupt that ends the loop must not end the clean-up.
        self._stop_all()
        # What failed by itself is left to be read.
        if self.is_finished or isinstance(error, asyncio.CancelledError):
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def nodes(self) -> tuple[DevnetNode, ...]:
        """All nodes."""
        assert self._devnet is not None, "the network is not made yet"
        return self._devnet.nodes

    @property
    def laboratory(self) -> DevnetNode:
        """The node of the issuer."""
        return self.nodes[0]

    @property
    def bureau(self) -> DevnetNode:
        """The node of the owner of the schema, on the issuer's side of the border."""
        return self.nodes[1] if self.agencies >= 3 else self.nodes[0]

    @property
    def commission(self) -> DevnetNode:
        """The node of the verifier, on the other side."""
        return self.nodes[min(self.agencies, 3) - 1]

    @property
    def auditor(self) -> DevnetNode:
        """The node of the auditor."""
        return self.nodes[3] if self.agencies >= 4 else self.commission

    @property
    def lag_limit_s(self) -> int:
        """How far behind the commission's node may be to answer."""
        return LAG_LIMIT_OF_PAIR_S if self.agencies == 2 else LAG_LIMIT_S

    def make(self, policies: Sequence[Policy]) -> None:
        """Make keys, genesis and settings of every agency, and what each recognises."""
        self._devnet = make_devnet(
            self.folder, DevnetOptions(agencies=self.agencies, is_tapped=True)
        )
        recognition = _format_recognition(policies, self.agencies)
        for node in self.nodes:
            (node.folder / _RECOGNITION_FILE).write_text(recognition, encoding="utf-8")
            set_in_api_table(node, f'recognition_file = "{_RECOGNITION_FILE}"')
            self.databases.give(node)
        set_in_api_table(self.commission, f"max_lag_s = {self.lag_limit_s}")
        self.ground.lay(self.folder, build_development_spec(self.agencies), self.nodes)

    async def start(
        self, nodes: Iterable[DevnetNode], on_ready: Callable[[str], None] = lambda _: None
    ) -> None:
        """Start nodes and wait until each follows the chain and answers."""
        starting = tuple(nodes)
        for node in starting:
            self.ground.start(node)
        if self.ground.is_own:
            await asyncio.to_thread(
                wait_final, starting, height=0, timeout_s=120.0, on_progress=on_ready
            )
        for node in starting:
            await self._wait_ready(node)

    async def stop(self, node: DevnetNode) -> None:
        """Stop a node's process and wait for its end."""
        await asyncio.to_thread(stop_node, node)

    def freeze_others(self, node: DevnetNode) -> None:
        """Let every other node stand still, so that this one is cut off; or the network itself."""
        if not self.ground.is_own:
            self.ground.stand_still()
            return
        for process in find_running(self.nodes):
            if process.node != node:
                os.kill(process.pid, signal.SIGSTOP)
                self._frozen.add(process.pid)

    def thaw(self) -> None:
        """Let go on what stood still."""
        self.ground.go_on()
        for pid in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._frozen.clear()

    async def get_client(self, node: DevnetNode) -> AsyncClient:
        """Return a REST client of a node, made once."""
        client = self._clients.get(node.name)
        if client is None:
            client = AsyncClient(node.url, patience=_CLIENT_PATIENCE, purpose="test")
            await self._stack.enter_async_context(client)
            self._clients[node.name] = client
        return client

    async def _wait_ready(self, node: DevnetNode, timeout_s: float = _START_S) -> None:
        client = await self.get_client(node)
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            try:
                await client.send(requests.get_status())
            except ClientError as error:
                if find_pid(node) is None:
                    raise NodeGone(f"the node of {node.name} ended by itself") from error
                if asyncio.get_running_loop().time() > deadline:
                    raise NodeGone(f"the node of {node.name} does not answer: {error}") from error
            else:
                return
            await asyncio.sleep(0.2)

    def _stop_all(self) -> None:
        if self._devnet is None:
            return
        # First a request to each, then waiting: the nodes end side by side.
        for process in find_running(self._devnet.nodes):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        for node in self._devnet.nodes:
            stop_node(node)


def _format_recognition(policies: Sequence[Policy], agencies: int) -> str:
    lines = []
    for policy in policies:
        lines += [
            "[[policy]]",
            f"purpose = {json.dumps(policy.purpose)}",
            f"required = {json.dumps(policy.required)}",
            f"schemas = {json.dumps(policy.schemas)}",
            "needs_holder = true",
        ]
    for agency in list_development_agencies(agencies):
        uid = "0x" + encode_label(agency.label).hex()
        name = json.dumps(agency.name, ensure_ascii=False)
        lines += ["[[agency]]", f'id = "{uid}"', f"name = {name}"]
    return "\n".join(lines) + "\n"
