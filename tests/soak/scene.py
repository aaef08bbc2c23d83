"""Everything that a soak needs, opened and closed in order: nodes, lines, clients, the schema."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from atesta_client import requests
from atesta_client.rest import AsyncClient, Patience

from contracts.codes import Role
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from node.cli.devnet import DevnetOptions
from tests.integration.linked_net import LinkedNet
from tests.soak.asking import Asker
from tests.soak.load import Desk
from tests.soak.nodes import Nodes

TITLE = "Test result"
POINTERS = ("/holder/name", "/result", "/taken")
ASK_S = 5.0
"""For one answer; a stopped node is given up after this."""
READ_S = 60.0
ONE_TRY = Patience(attempt_s=ASK_S, total_s=0.01)
PATIENT = Patience(attempt_s=10.0, total_s=120.0, longest_pause_s=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A running network and the ways to it."""

    linked: LinkedNet
    nodes: Nodes
    desk: Desk

    @asynccontextmanager
    async def open_reader(self, node: int) -> AsyncIterator[tuple[Asker, AsyncClient]]:
        """Open ways to a node for somebody who has more time than a clerk."""
        url = self.linked.net.node(node).url
        async with (
            aiohttp.ClientSession() as session,
            AsyncClient(url, patience=PATIENT) as client,
        ):
            yield Asker(session, url, timeout_s=READ_S), client


@asynccontextmanager
async def open_scene(folder: Path, node_count: int) -> AsyncIterator[Scene]:
    """Make a network in a folder, start it and prepare it for the load; stop it at the end."""
    async with AsyncExitStack() as stack:
        linked = LinkedNet.make(folder, DevnetOptions(agencies=node_count, is_tapped=True))
        stack.callback(linked.links.stop)
        nodes = Nodes(net=linked.net)
        stack.callback(nodes.stop)
        nodes.start(*nodes.numbers)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        askers = {n: Asker(session, linked.net.node(n).url, timeout_s=ASK_S) for n in nodes.numbers}
        clients = {
            n: await stack.enter_async_context(
                AsyncClient(linked.net.node(n).url, patience=ONE_TRY)
            )
            for n in nodes.numbers
        }
        await asyncio.to_thread(linked.net.wait_height, 1, nodes.numbers)
        issuers = _list_holders(node_count, Role.ISSUE)
        desk = Desk(
            net=linked.net,
            askers=askers,
            clients=clients,
            schema_uid=await _prepare_schema(linked, node_count, issuers),
            issuers=issuers,
        )
        yield Scene(linked=linked, nodes=nodes, desk=desk)


async def _prepare_schema(linked: LinkedNet, node_count: int, issuers: list[int]) -> str:
    """Register a schema, accredit all issuers, and give each the text."""
    owner = _list_holders(node_count, Role.SCHEMA)[0]
    agencies = list_development_agencies(node_count)
    async with AsyncClient(linked.net.node(owner).url, patience=PATIENT) as client:
        schema = await client.send(requests.create_schema(title=TITLE, pointers=POINTERS))
        await client.follow(schema)
        for issuer in issuers:
            agency = "0x" + encode_label(agencies[issuer - 1].label).hex()
            await client.follow(await client.send(requests.accredit(schema.uid, agency)))
        height = (await client.send(requests.get_status())).block
    for issuer in issuers:
        async with AsyncClient(linked.net.node(issuer).url, patience=PATIENT) as client:
            while (await client.send(requests.get_status())).indexed_block < height:
                await asyncio.sleep(0.2)
            text = requests.put_schema_text(schema.uid, title=TITLE, pointers=POINTERS)
            await client.send(text)
    return schema.uid


def _list_holders(node_count: int, role: Role) -> list[int]:
    agencies = list_development_agencies(node_count)
    return [number for number, agency in enumerate(agencies, start=1) if role in agency.roles]
