"""The stage of the demonstrations of the ledger's law: agencies, their people, and the common acts.

Each agency is one ``atesta`` process with its own folder, keys, ports and token file. People act
with tokens of their own: an officer asks, a data officer decides, a supervisor enters the law, an
auditor only reads. Every act goes through the client library to the agency's own node; nothing here
reaches into one.

An act is *done* when it is final and every running node has it, so that what happens next may
happen anywhere. A *refusal* is asked for twice: by ``explain``, which changes nothing, and by the
act itself; both must give the same stable code.
"""

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.errors import ClientError, RestProblem
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient, Patience

from api.access.callers import Role
from api.access.tokens import create_token, save_tokens
from contracts.codes import Role as KeyRole
from contracts.development import (
    MEMBER,
    SHARER,
    DevelopmentAgency,
    build_development_spec,
)
from contracts.genesis_spec import QbftSpec
from node.cli.devnet import (
    Devnet,
    DevnetNode,
    DevnetOptions,
    find_running,
    make_devnet,
    stop_node,
)
from node.cli.devnet.processes import find_pid, read_last_words
from scripts.demos.databases import DemoDatabases
from scripts.demos.ground import DemoGround
from scripts.demos.narrator import Narrator
from scripts.demos.network import NodeGone
from scripts.demos.stage import StoryFailed, require

T = TypeVar("T")

QUICK: Final = QbftSpec(block_period_ms=800, empty_block_period_s=1)
"""More than a block a second when there is something to do, so that nobody has to wait.

Half of a period is there to build a block, and an act may take a good part of that."""

_TOKEN_FILE: Final = "tokens.json"  # noqa: S105 - a file's name
_PATIENCE: Final = Patience(attempt_s=60.0, total_s=120.0)
_START_S: Final = 180.0
_SETTLE_S: Final = 120.0
_POLL_S: Final = 0.05


def make_party(
    label: str, jurisdiction: str, name: str, *, supervises: bool = False
) -> DevelopmentAgency:
    """Describe an agency that shares data, or a supervisor, which also audits."""
    roles = MEMBER | KeyRole.AUDIT | KeyRole.SUPERVISE if supervises else SHARER | KeyRole.SCHEMA
    return DevelopmentAgency(label=label, jurisdiction=jurisdiction, name=name, roles=roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Something that must be refused."""

    title: str
    """What somebody tries, in plain words."""
    code: str
    """The stable code of the refusal."""
    client: AsyncClient
    """Who tries it."""
    request: Request[Accepted]
    """The act."""
    is_explained: bool = True
    """Whether ``explain`` says the same; not where the node looks into an envelope first."""


class LawStage:
    """The agencies of a demonstration; use it with ``async with``, which stops what it started."""

    def __init__(
        self,
        narrator: Narrator,
        parties: Sequence[DevelopmentAgency],
        *,
        keep: bool = False,
        databases: DemoDatabases | None = None,
        ground: DemoGround | None = None,
    ) -> None:
        """Plan the agencies; nothing is made before ``async with``."""
        self.databases = databases or DemoDatabases()
        """Where they keep their data."""
        self.ground = ground or DemoGround()
        """What they stand on."""
        self.narrator = narrator
        self.parties = tuple(parties)
        """The agencies, in the order of their published keys."""
        self.folder = Path()
        """Where everything is kept."""
        self.is_finished = False
        """Set when the story came to its end."""
        self._keep = keep
        self._devnet: Devnet | None = None
        self._stack = AsyncExitStack()
        self._tokens: dict[tuple[str, Role], str] = {}
        self._clients: dict[tuple[str, Role], AsyncClient] = {}
        self._texts: set[tuple[str, str]] = set()

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
        if self._keep and self.is_finished:
            return
        # Synchronous on purpose: an interrupt that ends the loop must not end the clean-up.
        self.stop_all()
        if self.is_finished or isinstance(error, asyncio.CancelledError):
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def nodes(self) -> tuple[DevnetNode, ...]:
        """The nodes, one for each agency."""
        assert self._devnet is not None, "the network is not made yet"
        return self._devnet.nodes

    # ------------------------------------------------------------------ beginning and end

    async def open(self) -> None:
        """Make and start every agency's node, as the story's first step."""
        title = "Agencies start their nodes, each a process with its own keys, disk and tokens"
        with self.narrator.step(title, total=len(self.parties)) as step:
            options = DevnetOptions(parties=self.parties, qbft=QUICK)
            self._devnet = await asyncio.to_thread(make_devnet, self.folder / "net", options)
            for node in self.nodes:
                self._give_tokens(node)
                self.databases.give(node)
            spec = build_development_spec(parties=self.parties)
            await asyncio.to_thread(self.ground.lay, self.folder, spec, self.nodes)
            for node in self.nodes:
                self.ground.start(node)
            for node in self.nodes:
                await self._wait_ready(node)
                step.advance()
            names = {party.label: party for party in self.parties}
            rows = [
                (names[node.name].name, node.name, names[node.name].jurisdiction, node.url)
                for node in self.nodes
            ]
            self.narrator.show(("agency", "label", "jurisdiction", "address"), rows)
            self.narrator.confirm(f"{len(rows)} agencies agree on one chain")

    async def restart(self) -> None:
        """Start those nodes again that do not run."""
        stopped = [node for node in self.nodes if find_pid(node) is None]
        for node in stopped:
            self.ground.start(node)
        for node in stopped:
            await self._wait_ready(node)

    def stop_all(self) -> None:
        """Stop every node, side by side, and wait for their ends."""
        if self._devnet is None:
            return
        for process in find_running(self.nodes):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        for node in self.nodes:
            stop_node(node)

    # ------------------------------------------------------------------ people

    async def get_client(self, party: DevelopmentAgency, role: Role) -> AsyncClient:
        """Return the client of somebody at an agency, with a token of this one role."""
        place = (party.label, role)
        client = self._clients.get(place)
        if client is None:
            node = self.get_node(party)
            client = AsyncClient(
                node.url, token=self._tokens[place], patience=_PATIENCE, purpose="test"
            )
            await self._stack.enter_async_context(client)
            self._clients[place] = client
        return client

    async def get_officer(self, party: DevelopmentAgency) -> AsyncClient:
        """Return the client of who asks, releases, takes consents and mandates."""
        return await self.get_client(party, Role.OFFICER)

    async def get_describer(self, party: DevelopmentAgency) -> AsyncClient:
        """Return the client of who describes data, notices and purposes."""
        return await self.get_client(party, Role.DESCRIBER)

    async def get_data_officer(self, party: DevelopmentAgency) -> AsyncClient:
        """Return the client of who decides about others' requests."""
        return await self.get_client(party, Role.DATA_OFFICER)

    async def get_supervisor(self, party: DevelopmentAgency) -> AsyncClient:
        """Return the client of who enters the law and stops what breaks it."""
        return await self.get_client(party, Role.SUPERVISOR)

    async def get_governor(self, party: DevelopmentAgency) -> AsyncClient:
        """Return the client of who acts for an agency towards the others."""
        return await self.get_client(party, Role.GOVERNOR)

    async def get_auditor(self, party: DevelopmentAgency) -> AsyncClient:
        """Return the client of who only reads."""
        return await self.get_client(party, Role.AUDITOR)

    def get_node(self, party: DevelopmentAgency) -> DevnetNode:
        """Return the node of an agency."""
        return next(node for node in self.nodes if node.name == party.label)

    def get_token(self, party: DevelopmentAgency, role: Role) -> str:
        """Return the token with this role at an agency, for other programs than the client."""
        return self._tokens[party.label, role]

    # ------------------------------------------------------------------ acts

    async def do(self, client: AsyncClient, request: Request[Accepted]) -> Accepted:
        """Act, wait until it is final and every running node has it; return what was accepted."""
        accepted = await client.send(request)
        operation = await client.follow(accepted, timeout_s=_SETTLE_S, interval_s=_POLL_S)
        require(operation.block is not None, f"{operation.kind} is final in no block")
        await self.wait_block(operation.block or 0)
        return accepted

    async def refuse(self, attempt: Attempt) -> RestProblem:
        """Try what must be refused, by ``explain`` and in earnest; return the refusal."""
        if attempt.is_explained and attempt.request.act is not None:
            told = await attempt.client.send(requests.explain(attempt.request))
            explained = (told.refusal or {}).get("code")
            require(
                not told.allowed and explained == attempt.code,
                f"{attempt.title}: explain says {explained}, not {attempt.code}",
            )
        try:
            accepted = await attempt.client.send(attempt.request)
        except RestProblem as problem:
            require(
                problem.code == attempt.code,
                f"{attempt.title}: refused with {problem.code} ({problem}), not {attempt.code}",
            )
            return problem
        raise StoryFailed(f"{attempt.title}: it was accepted, {accepted.record}")

    async def show_refusals(self, attempts: Sequence[Attempt]) -> None:
        """Try all that must be refused, and show what was answered."""
        rows = []
        for attempt in attempts:
            problem = await self.refuse(attempt)
            answer = str(problem.problem.get("detail") or problem)
            rows.append((attempt.title, problem.code, answer))
        self.narrator.show(("tried", "code", "answer"), rows)
        self.narrator.confirm(f"{len(rows)} of {len(rows)} refused, each by its own rule")

    async def share_text(self, owner: DevelopmentAgency, text_hash: str) -> None:
        """Give a public text of one agency's node to all others, which know its hash."""
        source = await self.get_describer(owner)
        text = await source.send(requests.get_text(text_hash))
        for party in self.parties:
            if party != owner and (party.label, text_hash) not in self._texts:
                client = await self.get_describer(party)
                put = requests.put_text(kind=text.kind, body=text.body, language=text.language)
                kept = await client.send(put)
                require(kept.hash == text_hash, "a public text has another hash at another node")
                self._texts.add((party.label, text_hash))

    # ------------------------------------------------------------------ waiting

    async def wait_block(self, block: int) -> None:
        """Wait until every running node has a final block, and has indexed it."""
        for node in self.nodes:
            if find_pid(node) is None:
                continue
            client = self._get_any_client(node)
            deadline = asyncio.get_running_loop().time() + _SETTLE_S
            while True:
                status = await client.send(requests.get_status())
                if status.indexed_block >= block:
                    break
                require(
                    asyncio.get_running_loop().time() < deadline,
                    f"{node.name} does not get block {block}",
                )
                await asyncio.sleep(_POLL_S)

    async def wait_until(self, moment: datetime) -> None:
        """Wait until the last final block of every node is not before a moment."""
        for node in self.nodes:
            client = self._get_any_client(node)
            while True:
                status = await client.send(requests.get_status())
                if status.block_time >= moment:
                    break
                await asyncio.sleep(_POLL_S * 4)

    def _get_any_client(self, node: DevnetNode) -> AsyncClient:
        return next(client for (label, _), client in self._clients.items() if label == node.name)

    async def _wait_ready(self, node: DevnetNode) -> None:
        party = next(party for party in self.parties if party.label == node.name)
        quick = replace(_PATIENCE, attempt_s=10.0, total_s=0.0)
        token = self.get_token(party, Role.READER)
        deadline = asyncio.get_running_loop().time() + _START_S
        async with AsyncClient(node.url, token=token, patience=quick) as client:
            while True:
                try:
                    status = await client.send(requests.get_status())
                except ClientError as error:
                    if find_pid(node) is None:
                        raise NodeGone(f"{node.name} ended: {read_last_words(node)}") from error
                    if asyncio.get_running_loop().time() > deadline:
                        raise NodeGone(f"{node.name} does not answer: {error}") from error
                else:
                    # Only from the first block on does the ledger have a time of its own.
                    if status.agency is not None and status.block > 0:
                        break
                await asyncio.sleep(0.2)
        await self.get_client(party, Role.READER)

    def _give_tokens(self, node: DevnetNode) -> None:
        records = []
        for role in Role:
            text, record = create_token(f"demo-{role.value}", [role])
            self._tokens[node.name, role] = text
            records.append(record)
        save_tokens(node.folder / _TOKEN_FILE, records)
        lines = node.settings_file.read_text(encoding="utf-8").split("\n")
        lines.insert(lines.index("[api]") + 1, f'token_file = "{_TOKEN_FILE}"')
        node.settings_file.write_text("\n".join(lines), encoding="utf-8")


def get_now() -> datetime:
    """Return the time, without parts of a second, as records have it."""
    return datetime.now(UTC).replace(microsecond=0)


def make_uid() -> str:
    """Draw 32 random bytes, as hex."""
    return "0x" + secrets.token_hex(32)
