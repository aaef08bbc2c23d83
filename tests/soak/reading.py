"""Reading everything that a node holds, through its public interfaces only."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from atesta_client import requests
from atesta_client.errors import RestProblem
from atesta_client.rest import AsyncClient

from node.cli.devnet.plan import LOG_FILE
from tests.soak.asking import BATCH, Asker
from tests.soak.judge import NodeReading, ReadBlock
from tests.soak.records import Record

PAGE = 200
TOGETHER = 8
"""Operations asked for at a time."""
POLL_S = 0.2
SETTLE_S = 10.0
"""For all operations of a node together."""
PASSING = ("queued", "submitted")


async def read_node(
    node: int, asker: Asker, client: AsyncClient, *, height: int, records: Sequence[Record]
) -> NodeReading:
    """Read a node up to a height. Waits for its index; the caller sets the time limit.

    Raises NodeSilent, NodeRefused or RestError.
    """
    blocks = [
        block
        for first in range(0, height + 1, BATCH // 2)
        for block in await _read_blocks(asker, first, min(height, first + BATCH // 2 - 1))
    ]
    while (await client.send(requests.get_status())).indexed_block < height:
        await asyncio.sleep(POLL_S)
    evidence = await asker.call("atesta_evidence")
    return NodeReading(
        node=node,
        blocks=tuple(blocks),
        indexed=tuple([item async for item in _read_index(client)]),
        operations=await _read_operations(
            client,
            [
                record.operation
                for record in records
                if record.node == node and record.operation is not None
            ],
        ),
        evidence=tuple(f"{act['kind']} of {act['offender']}" for act in evidence),
    )


def count_log_errors(folders: Iterable[Path]) -> Counter[str]:
    """Count the lines of level error in the logs of nodes, by event."""
    counts: Counter[str] = Counter()
    for folder in folders:
        with (folder / LOG_FILE).open(encoding="utf-8") as log:
            for line in log:
                if '"level":"error"' in line:  # parsing all of them would take long
                    with suppress(ValueError):  # a kill may cut one
                        counts[json.loads(line)["event"]] += 1
    return counts


async def _read_blocks(asker: Asker, first: int, last: int) -> list[ReadBlock]:
    calls: list[tuple[str, tuple[Any, ...]]] = []
    for height in range(first, last + 1):
        calls.append(("eth_getBlockByNumber", (hex(height), False)))
        calls.append(("eth_getBlockReceipts", (hex(height),)))
    answers = await asker.call_all(calls)
    return [
        ReadBlock(
            block_hash=block["hash"],
            parent_hash=block["parentHash"],
            outcomes=tuple(
                (receipt["transactionHash"], receipt["status"] == "0x1") for receipt in receipts
            ),
        )
        for block, receipts in zip(answers[::2], answers[1::2], strict=True)
    ]


async def _read_index(client: AsyncClient) -> Any:
    cursor: str | None = None
    while True:
        page = await client.send(requests.list_attestations(cursor=cursor, limit=PAGE))
        for item in page.items:
            yield item.uid, item.block
        if page.next is None:
            return
        cursor = page.next


async def _read_operations(client: AsyncClient, operations: Iterable[str]) -> dict[str, str]:
    """Return the states; the outbox learns of a block a moment later than the index."""
    states: dict[str, str] = {}
    waiting = list(operations)
    end_s = time.monotonic() + SETTLE_S
    while waiting:
        answers = await asyncio.gather(*(_read(client, o) for o in waiting[:TOGETHER]))
        part = dict(zip(waiting, answers, strict=False))
        states.update(part)
        unsettled = [o for o, state in part.items() if state in PASSING]
        waiting = waiting[len(part) :]
        if unsettled and time.monotonic() < end_s:
            waiting += unsettled
            await asyncio.sleep(POLL_S)
    return states


async def _read(client: AsyncClient, operation: str) -> str:
    try:
        return (await client.send(requests.get_operation(operation))).state
    except RestProblem as error:
        return str(error)
