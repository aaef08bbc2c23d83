"""The index in front of a node that started from a snapshot: it begins where the blocks do."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.index.test_index_follow import attest, prepare, set_state
from tests.unit.rest.ledger_world import Agency, FakeLedger


class YoungLedger(FakeLedger):
    """A node that has genesis, and blocks from `first` on."""

    first = 0

    async def call(self, method: str, *arguments: Any) -> Any:
        if method == "eth_getBlockByNumber" and arguments[0].startswith("0x"):
            number = int(arguments[0], 16)
            if 0 < number < self.first:
                return None
        return await super().call(method, *arguments)


@pytest.mark.parametrize("first", [2, 5, 17, 29, 30])
async def test_index_begins_with_the_first_block_that_the_node_has(
    tmp_path: Path, first: int
) -> None:
    ledger = YoungLedger()
    prepare(ledger)
    old = attest(ledger)
    ledger.mine(29 - len(ledger.blocks))
    ledger.first = first
    later = attest(ledger)
    assert set_state(ledger, old, 2)  # of a record that the index has never heard of
    agency = Agency(ledger, tmp_path, 2)
    assert await agency.services.index.catch_up() == 30
    assert await agency.services.ledger.find_first_block(30) == first
    ledger.mine(3)
    assert await agency.services.index.catch_up() == 33
    uids = await agency.services.index.database.read(
        lambda connection: [
            bytes(row.uid) for row in connection.exec_driver_sql("SELECT uid FROM attestations")
        ]
    )
    assert (later in uids) == (first <= 29)
    assert (old in uids) == (first <= 3)
    agency.services.close()
