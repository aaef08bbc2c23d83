"""A node that is checked before the first question and after every absence, and never twice."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from api.errors import UpstreamFault
from api.networks.checked import CheckedRpc
from api.web3_provider import RawCall


class Node:
    """Answers every question with its method, unless it is away."""

    is_away = False

    async def call(self, method: str, *_arguments: Any) -> Any:
        await asyncio.sleep(0)
        if self.is_away:
            raise UpstreamFault("the ledger node does not answer", code="node_unreachable")
        return method

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        return [await self.call(method, *arguments) for method, arguments in calls]


class Counted(CheckedRpc):
    """Counts its checks; each is a question to the node."""

    checks = 0
    holds = True

    async def _check(self) -> bool:
        self.checks += 1
        await self.inner.call("eth_chainId")
        return self.holds


async def test_questions_asked_together_wait_for_one_check() -> None:
    counted = Counted(Node())
    asked = (counted.call("eth_blockNumber"), counted.batch([("eth_gasPrice", ())]))
    assert await asyncio.gather(*asked) == ["eth_blockNumber", ["eth_gasPrice"]]
    assert await counted.call("eth_syncing") == "eth_syncing"
    assert counted.checks == 1


@pytest.mark.parametrize("is_batch", [False, True], ids=["call", "batch"])
async def test_node_is_checked_again_after_an_absence(*, is_batch: bool) -> None:
    node = Node()
    counted = Counted(node)
    await counted.check()
    node.is_away = True
    for checks in (1, 2, 3):
        with pytest.raises(UpstreamFault):
            await (counted.batch([("a", ())]) if is_batch else counted.call("a"))
        assert counted.checks == checks
    node.is_away = False
    await counted.call("eth_blockNumber")
    await counted.call("eth_blockNumber")
    assert counted.checks == 4


async def test_check_that_does_not_hold_answers_and_is_made_again() -> None:
    counted = Counted(Node())
    counted.holds = False
    for checks in (1, 2):
        assert await counted.call("eth_blockNumber") == "eth_blockNumber"
        assert counted.checks == checks
