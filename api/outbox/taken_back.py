"""What a network took back after it had reported it is open again, and is sent again.

On a ledger of ours a block stays. Another network may drop a block that its node had named by the
tag up to which the API reads. A promise does not end with that: a write whose receipt is gone, or
stands in another block now, is unsettled, and the same bytes are handed in again. They have the
same nonce, so they are carried out once at most.

Looking is cheap. A network that drops a block drops all that come after it, so while the newest
settled write of an account is where it was, so are the older ones.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog
from eth_typing import Address
from sqlalchemy import Connection, update

from api.databases import Database
from api.ledger import Ledger
from api.outbox.replacing import Replacer
from api.outbox.store import StoredOperation, get_settled
from api.outbox.tables import OPERATIONS

log = structlog.get_logger(__name__)

LOOK_S: Final = 5
"""Pause between two looks at the newest settled write."""

DEPTH: Final = 1_000
"""Most settled writes that are looked at again at once; the next look takes the next ones."""


class TakenBack:
    """Looks whether what was reported still stands."""

    def __init__(self, database: Database, ledger: Ledger, replacer: Replacer) -> None:
        self._database = database
        self._ledger = ledger
        self._replacer = replacer
        self._looked_s: dict[Address, int] = {}

    async def reopen(self, account: Address, now_s: int) -> int:
        """Make those writes open again that the network took back; returns how many.

        Does nothing on a ledger of ours, nor while the node has not reached the block in question:
        a node that is behind has taken nothing back. Writes that the contracts refused stay so.
        """
        if self._ledger.network.finality.is_final:
            return 0
        if now_s - self._looked_s.get(account, 0) < LOOK_S:
            return 0
        self._looked_s[account] = now_s
        head = (await self._ledger.get_head()).number
        newest = await self._database.read(partial(get_settled, account=account, limit=1))
        if not newest or (newest[0].block or 0) > head or await self._stands(newest[0]):
            return 0
        gone = []
        for operation in await self._database.read(
            partial(get_settled, account=account, limit=DEPTH)
        ):
            if await self._stands(operation):
                break
            gone.append(operation.sequence)
            log.warning("the network took a write back", operation=operation.id)
        await self._database.write(partial(mark_open, sequences=gone, now_s=now_s))
        return len(gone)

    async def _stands(self, operation: StoredOperation) -> bool:
        receipt = await self._replacer.find_receipt(operation)
        return receipt is not None and receipt.block_number == operation.block


def mark_open(connection: Connection, sequences: Sequence[int], now_s: int) -> None:
    """Note that settled writes are not; as if handed in now, for the node may still hold them."""
    connection.execute(
        update(OPERATIONS)
        .where(OPERATIONS.c.sequence.in_(sequences), OPERATIONS.c.state == "final")
        .values(state="submitted", sent_s=now_s, block=None, block_time_s=None)
    )
