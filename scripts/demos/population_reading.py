"""Reading the whole chain as any member can: every transaction and event, through JSON-RPC."""

from collections.abc import Iterator
from typing import Any, Final

import aiohttp

from api.access.callers import Role
from contracts.development import DevelopmentAgency
from scripts.demos.law_stage import LawStage
from scripts.demos.stage import require

_BLOCKS: Final = 20
_WORD: Final = 32


async def read_chain(
    stage: LawStage, party: DevelopmentAgency, last: int
) -> dict[str, tuple[bytes, ...]]:
    """Return the public bytes of each transaction, by its hash in hex, up to a block.

    They are call data, topics and data of every event, and the two numbers of the signature.
    """
    address = stage.ground.get_rpc_url(stage.get_node(party))
    headers = {"Authorization": f"Bearer {stage.get_token(party, Role.READER)}"}
    found: dict[str, tuple[bytes, ...]] = {}
    async with aiohttp.ClientSession(headers=headers) as session:
        for first in range(0, last + 1, _BLOCKS):
            heights = range(first, min(first + _BLOCKS, last + 1))
            calls = [
                {"jsonrpc": "2.0", "id": height, "method": method, "params": [hex(height), *more]}
                for height in heights
                for method, more in (("eth_getBlockByNumber", [True]), ("eth_getBlockReceipts", []))
            ]
            async with session.post(address, json=calls) as response:
                answers = await response.json()
            require(
                isinstance(answers, list) and all("result" in one for one in answers),
                f"the chain cannot be read: {str(answers)[:300]}",
            )
            for block, receipts in zip(answers[::2], answers[1::2], strict=True):
                transactions = block["result"]["transactions"]
                for sent, receipt in zip(transactions, receipts["result"], strict=True):
                    require(sent["hash"] == receipt["transactionHash"], "receipts are in disorder")
                    found[sent["hash"]] = tuple(_iterate_pieces(sent, receipt))
    return found


def _iterate_pieces(sent: dict[str, Any], receipt: dict[str, Any]) -> Iterator[bytes]:
    yield bytes.fromhex(sent["input"][2:])
    for log in receipt["logs"]:
        for text in (*log["topics"], log["data"]):
            yield bytes.fromhex(text[2:])
    for name in ("r", "s"):
        yield int(sent[name], 16).to_bytes(_WORD, "big")
