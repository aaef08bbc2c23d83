"""Calls at `pending` run in the block that would come next, stamped now, on the real chain."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.explorer.real_ledger import RealLedger, open_ledger

TELL_TIME_AND_NUMBER = "0x425f524360205260405ff3"
"""TIMESTAMP and NUMBER into memory, and both returned."""
AHEAD_S = 86_400


async def look(ledger: RealLedger, tag: str) -> tuple[int, int]:
    """What a contract reads of the block in which a call runs: its time and its number."""
    call = {"data": TELL_TIME_AND_NUMBER}
    answer: Any = await ledger.dispatcher.call("eth_call", [call, tag])
    return int(answer[2:66], 16), int(answer[66:], 16)


@pytest.mark.parametrize("blocks", [0, 3])
async def test_call_at_pending_runs_in_the_next_block_stamped_now(
    tmp_path: Path, blocks: int
) -> None:
    async with open_ledger(tmp_path) as ledger:
        for _ in range(blocks):
            ledger.mine()
        head = ledger.chain.head
        ledger.ahead_s = AHEAD_S
        for tag in ("latest", "finalized"):
            assert await look(ledger, tag) == (head.timestamp, head.number)
        assert await look(ledger, "pending") == (head.timestamp + AHEAD_S, head.number + 1)
        # A clock that is behind the head changes nothing: time does not run backwards.
        ledger.ahead_s = -AHEAD_S
        assert await look(ledger, "pending") == (head.timestamp + 1, head.number + 1)


async def test_estimate_at_pending_knows_the_head_by_its_hash(tmp_path: Path) -> None:
    """BLOCKHASH of the head is there only for the block after it."""
    blockhash_of_previous = "0x6001430340" + "5f5260205ff3"
    async with open_ledger(tmp_path) as ledger:
        ledger.mine()
        call = {"data": blockhash_of_previous}
        answer = await ledger.dispatcher.call("eth_call", [call, "pending"])
        block = await ledger.dispatcher.call("eth_getBlockByNumber", ["latest", False])
        assert answer == block["hash"]
        used = await ledger.dispatcher.call("eth_estimateGas", [call, "pending"])
        assert int(used, 16) > 21_000
