"""Ledgers of one API: pinned by their block 0, and no two of them the same."""

from collections.abc import Sequence
from typing import Any

import pytest
from web3 import AsyncWeb3

from api.errors import InvalidField, UpstreamFault
from api.networks import reaching
from api.networks.distinct import DistinctRpc, WrongLedger
from api.networks.network import OURS, Network
from api.networks.reaching import FurtherLedger, reach_all
from api.web3_provider import LedgerConnection, RawCall

MACAO, SHARED, GUANGDONG = (bytes([digit]) * 32 for digit in (1, 2, 3))


class Node:
    """A node that only knows its block 0, and may be away."""

    def __init__(self, genesis: bytes, *, is_away: bool = False) -> None:
        self.genesis = genesis
        self.is_away = is_away
        self.calls: list[str] = []

    async def call(self, method: str, *_arguments: Any) -> Any:
        if self.is_away:
            raise UpstreamFault("the ledger node does not answer", code="node_unreachable")
        self.calls.append(method)
        return {"hash": "0x" + self.genesis.hex()}

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        return [await self.call(method, *arguments) for method, arguments in calls]


def guard(node: Node, own: Node, *others: DistinctRpc, pin: bytes | None = None) -> DistinctRpc:
    made = DistinctRpc(node, own, name="shared", expected=pin)
    made.others = others
    return made


async def start(
    monkeypatch: pytest.MonkeyPatch, own: Node, nodes: dict[str, Node], pin: bytes | None = None
) -> list[Any]:
    """Reach ledgers as the API does when it starts; return what each says of its block 0."""

    async def connect(rpc_url: str, *_more: Any) -> tuple[LedgerConnection, Network]:
        async def close() -> None:
            return None

        raw = nodes[rpc_url.removeprefix("http://")]
        return LedgerConnection(raw=raw, web3=AsyncWeb3(), close=close), OURS

    monkeypatch.setattr(reaching, "reach", connect)
    ledgers = [
        FurtherLedger(name=name, rpc_url=f"http://{name}", index="i", outbox="o", genesis_hash=pin)
        for name in nodes
    ]
    async with reach_all(ledgers, own) as reached:
        return [
            await one.connection.raw.call("eth_getBlockByNumber", "0x0", False) for one in reached
        ]


async def test_ledger_with_another_block_0_than_pinned_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = {"shared": Node(SHARED)}
    assert await start(monkeypatch, Node(MACAO), nodes, SHARED) == [{"hash": "0x" + SHARED.hex()}]
    with pytest.raises(InvalidField, match="the settings say") as refused:
        await start(monkeypatch, Node(MACAO), nodes, GUANGDONG)
    assert refused.value.field == "api.ledgers.genesis_hash"


async def test_ledger_that_is_the_own_one_or_listed_already_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InvalidField, match="the same as the own ledger") as refused:
        await start(monkeypatch, Node(MACAO), {"shared": Node(MACAO)})
    assert refused.value.field == "api.ledgers.rpc_url"
    with pytest.raises(InvalidField, match="the ledger a is the same as b"):
        await start(monkeypatch, Node(MACAO), {"a": Node(SHARED), "b": Node(SHARED)})


async def test_ledger_that_comes_back_as_another_one_does_not_answer() -> None:
    node = Node(SHARED)
    pinned = guard(node, Node(MACAO), pin=SHARED)
    await pinned.call("eth_blockNumber")
    await pinned.call("eth_blockNumber")
    assert node.calls == ["eth_getBlockByNumber", "eth_blockNumber", "eth_blockNumber"]
    node.is_away = True
    with pytest.raises(UpstreamFault):
        await pinned.batch([("eth_blockNumber", ())])
    node.is_away, node.genesis = False, GUANGDONG
    for _ in range(2):
        with pytest.raises(WrongLedger) as refused:
            await pinned.batch([("eth_blockNumber", ())])
        assert (refused.value.code, refused.value.status) == ("wrong_network", 503)


async def test_twin_is_found_whichever_of_the_two_was_away_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Node(SHARED, is_away=True)
    made = guard(Node(SHARED), own)
    # The other ledgers go on while the own one is away; it is compared as soon as it is back.
    await made.call("eth_blockNumber")
    own.is_away = False
    with pytest.raises(WrongLedger, match="the own ledger"):
        await made.call("eth_blockNumber")
    away = Node(SHARED, is_away=True)
    first = guard(Node(SHARED), Node(MACAO), guard(away, Node(MACAO)))
    await first.call("eth_blockNumber")
    away.is_away = False
    with pytest.raises(WrongLedger, match="the same as shared"):
        await guard(away, Node(MACAO), first).check()
    with pytest.raises(UpstreamFault):
        await start(monkeypatch, Node(MACAO), {"shared": Node(SHARED, is_away=True)})
