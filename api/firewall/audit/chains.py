"""Reading a chain through JSON-RPC, with controls in the answers.

Nothing can be planted on a chain. So the controls are put into what the chain's node answers,
before anything here reads it: as the input of a transaction more in a block, and as the data of a
log more in its receipts, spread evenly from the first block to the last. A reader that leaves out
blocks, inputs or logs, or that stops early, does not find them all, and the audit fails.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from api.firewall.search.controls import Control
from api.firewall.search.report import SearchReport
from api.firewall.search.searcher import Searcher

CHAIN_STORE: Final = "JSON-RPC: blocks and receipts"
BLOCKS: Final = "blocks"
RECEIPTS: Final = "receipts"

CallRpc = Callable[..., Any]
"""Calls a JSON-RPC method by name with its arguments."""


def search_chain(
    call: CallRpc,
    searcher: Searcher,
    controls: Sequence[Control],
    *,
    progress: Callable[[int, int], None] = lambda _height, _head: None,
) -> list[str]:
    """Search a chain block by block; return the controls that were not found, each with its place.

    `progress` is told (height, height of the last block).
    """
    head = int(call("eth_blockNumber"), 16)
    planted = PlantedAnswers(call, controls, head)
    for height, place, data in iterate_chain(planted, head):
        searcher.report.count(CHAIN_STORE, size=len(data))
        searcher.search(data, store=CHAIN_STORE, place=place)
        progress(height, head)
    searcher.finish()
    return list(_find_missed(searcher.report, controls))


class PlantedAnswers:
    """Calls a node, and puts controls into its blocks and receipts."""

    def __init__(self, call: CallRpc, controls: Collection[Control], head: int) -> None:
        """Spread the controls over the blocks from 0 to `head`."""
        self._call = call
        self._controls: dict[int, list[str]] = defaultdict(list)
        last = max(1, len(controls) - 1)
        for number, control in enumerate(controls):
            self._controls[number * head // last].append("0x" + control.data.hex())

    def __call__(self, method: str, *arguments: Any) -> Any:
        """Return the node's answer, with the controls of that block."""
        answer = self._call(method, *arguments)
        if method == "eth_getBlockByNumber":
            return self._plant_block(answer, int(arguments[0], 16))
        if method == "eth_getBlockReceipts":
            return self._plant_receipts(answer, int(arguments[0], 16))
        return answer

    def _plant_block(self, block: Any, height: int) -> Any:
        more = [{"input": data} for data in self._controls.get(height, ())]
        return {**block, "transactions": [*block["transactions"], *more]} if more else block

    def _plant_receipts(self, receipts: Any, height: int) -> Any:
        more = [{"logs": [{"data": data}]} for data in self._controls.get(height, ())]
        return [*receipts, *more] if more else receipts


def iterate_chain(call: CallRpc, head: int) -> Iterator[tuple[int, str, bytes]]:
    """Yield height, place and JSON of every block and of the receipts of its transactions."""
    for height in range(head + 1):
        block = call("eth_getBlockByNumber", hex(height), True)
        yield height, BLOCKS, json.dumps(block).encode()
        if block["transactions"]:
            receipts = call("eth_getBlockReceipts", hex(height))
            yield height, RECEIPTS, json.dumps(receipts).encode()


def _find_missed(report: SearchReport, controls: Sequence[Control]) -> Iterator[str]:
    found = {(hit.place, hit.label) for hit in report.hits if hit.store == CHAIN_STORE}
    for control in controls:
        for place in (BLOCKS, RECEIPTS):
            if (place, control.label) not in found:
                yield f"{control.name}, {place}"
