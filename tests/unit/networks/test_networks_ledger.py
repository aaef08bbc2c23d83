"""Reading another network: up to its tag, in pieces that it takes, as its own ledger."""

import ast
from pathlib import Path
from typing import Any

import pytest

import api
from api.errors import UpstreamFault
from api.finality import report
from api.ledger import Ledger
from api.networks.network import Network
from api.web3_provider import RpcRefusal
from contracts.address_book import GENESIS_BOOK, make_address_book

BOOK = make_address_book(
    {name: bytes([place + 1]) * 20 for place, name in enumerate(GENESIS_BOOK.by_name)}
)
ELSEWHERE = Network(book=BOOK, finality=report("finalized"), first_block=70)


class Node:
    """Another engine's node: at most eight blocks of logs at once, its own code of refusal."""

    def __init__(self, finalized: int | None = 80) -> None:
        self._finalized = finalized
        self.asked: list[tuple[int, int]] = []
        self.tags: list[str] = []

    async def call(self, method: str, *arguments: Any) -> Any:
        if method == "eth_getLogs":
            first, last = (int(arguments[0][name], 16) for name in ("fromBlock", "toBlock"))
            self.asked.append((first, last))
            if last - first >= 8:
                raise RpcRefusal({"code": -32000, "message": "query exceeds max range"})
            return []
        if method == "eth_getTransactionCount":
            self.tags.append(arguments[1])
            return "0x5"
        if method == "eth_call":
            self.tags.append(arguments[1])
            return "0x"
        number = 0 if arguments[0] == "0x0" else self._finalized
        if number is None:
            return None
        return {
            "number": hex(number),
            "hash": "0x" + "11" * 32,
            "parentHash": "0x" + "22" * 32,
            "timestamp": "0x1",
        }

    async def batch(self, calls: Any) -> list[Any]:
        return [await self.call(method, *arguments) for method, arguments in calls]


async def test_logs_that_are_too_many_are_asked_for_in_halves() -> None:
    node = Node()
    assert await Ledger(node, ELSEWHERE).get_logs(0, 20, BOOK.addresses) == ()
    taken = [(first, last) for first, last in node.asked if last - first < 8]
    assert [number for first, last in taken for number in range(first, last + 1)] == [*range(21)]
    with pytest.raises(RpcRefusal):
        await Ledger(Node()).get_logs(0, 20, BOOK.addresses)


async def test_everything_is_read_up_to_the_tag() -> None:
    node = Node()
    ledger = Ledger(node, ELSEWHERE)
    assert (await ledger.get_head()).number == 80
    await ledger.call(b"\x01" * 20, b"")
    await ledger.call(b"\x01" * 20, b"", block=7)
    await ledger.get_nonce(b"\x01" * 20, pending=False)
    await ledger.get_nonce(b"\x01" * 20, pending=True)
    await ledger.get_mined_nonce(b"\x01" * 20)
    assert node.tags == ["finalized", "0x7", "finalized", "pending", "latest"]
    with pytest.raises(UpstreamFault, match="names no block `finalized`") as refused:
        await Ledger(Node(finalized=None), ELSEWHERE).get_head()
    assert refused.value.code == "finality_unknown"


async def test_ledgers_of_one_network_are_told_apart() -> None:
    other = make_address_book(
        {name: bytes([place + 40]) * 20 for place, name in enumerate(GENESIS_BOOK.by_name)}
    )
    here = await Ledger(Node(), ELSEWHERE).get_identity()
    there = await Ledger(Node(), Network(book=other, finality=report("latest"))).get_identity()
    own = await Ledger(Node()).get_identity()
    assert len({here, there, own}) == 3
    assert own == b"\x11" * 32


async def test_index_begins_where_the_deployment_began() -> None:
    assert await Ledger(Node(), ELSEWHERE).find_first_block(80) == 70
    assert await Ledger(Node(), ELSEWHERE).find_first_block(60) == 60


def test_api_knows_no_contract_by_a_fixed_address() -> None:
    """Only names and slots of `contracts.addresses` mean something on every network."""
    taken = {}
    for path in (Path(api.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "contracts.addresses":
                names = {name.name for name in node.names}
                taken[path.name] = {name for name in names if not name.endswith(("_NAME", "_SLOT"))}
    assert taken
    assert not any(taken.values()), taken
