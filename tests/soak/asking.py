"""Questions to a node by JSON-RPC, which may die before it answers."""

from collections.abc import Iterable
from typing import Any

import aiohttp

from tests.soak.chronicle import SeenBlock

BATCH = 50
"""Calls sent together."""


class NodeSilent(Exception):
    """The node gave no answer; whether it did what it was asked is not known."""


class NodeRefused(Exception):
    """The node answered with an error."""


class Asker:
    """One node's JSON-RPC address."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *, timeout_s: float) -> None:
        self._session = session
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def call(self, method: str, *parameters: Any) -> Any:
        """Call one method; raises NodeSilent or NodeRefused."""
        return _read_result(await self._post(_make_call(0, method, parameters)))

    async def call_all(self, calls: Iterable[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Call several methods in one batch and return the results in their order."""
        batch = [_make_call(place, *call) for place, call in enumerate(calls)]
        answers = await self._post(batch)
        if not isinstance(answers, list):
            raise NodeRefused(str(answers))
        return [_read_result(answer) for answer in sorted(answers, key=lambda item: item["id"])]

    async def get_height(self) -> int:
        return int(await self.call("eth_blockNumber"), 16)

    async def get_blocks(self, first: int, last: int) -> list[SeenBlock]:
        """Return the blocks from `first` to `last`, at most `BATCH`, less those it has not."""
        last = min(last, first + BATCH - 1)
        blocks = await self.call_all(
            ("eth_getBlockByNumber", (hex(height), False)) for height in range(first, last + 1)
        )
        return [
            SeenBlock(
                height=int(block["number"], 16),
                block_hash=block["hash"],
                transactions=tuple(block["transactions"]),
            )
            for block in blocks
            if block is not None
        ]

    async def _post(self, content: Any) -> Any:
        try:
            async with self._session.post(
                self._url, json=content, timeout=self._timeout
            ) as response:
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NodeSilent(f"{self._url}: {str(error) or type(error).__name__}") from error


def _make_call(place: int, method: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": place, "method": method, "params": list(parameters)}


def _read_result(answer: Any) -> Any:
    if not isinstance(answer, dict) or "error" in answer:
        error = answer.get("error") if isinstance(answer, dict) else answer
        raise NodeRefused(str(error))
    return answer["result"]
