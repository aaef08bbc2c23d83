"""A promised write that waits because its offer is too low is offered for more, on the same nonce.

Only networks with fees need this. Of the transactions with one nonce at most one is ever carried
out, so nothing is repeated; all their hashes are kept, because any of them may turn out to be the
one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog
from eth_typing import Hash32
from sqlalchemy import Connection, insert, select, update

from api.databases import Database
from api.ledger import Ledger, ReceiptSummary
from api.networks.fees import FeePolicy, Fees
from api.outbox.account import Account, SignedTransaction, read_offer, sign_call
from api.outbox.store import OPEN_STATES, StoredOperation, WriteRequest
from api.outbox.tables import ATTEMPTS, OPERATIONS

log = structlog.get_logger(__name__)

LOST_AFTER_S: Final = 60
"""An address of another network may lead to several nodes, of which one may be behind."""

Sign = Callable[[int], SignedTransaction]
"""Signs for a nonce."""


class Replacer:
    """What an outbox has to mind on a network with fees; nothing on one without."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def find_receipt(self, operation: StoredOperation) -> ReceiptSummary | None:
        """Return where an operation ended, by any of its transactions with its nonce."""
        receipt = await self._ledger.get_receipt(operation.transaction_hash)
        if receipt is not None or self._ledger.network.fees is None:
            return receipt
        for earlier in await self._database.read(lambda c: list_attempts(c, operation)):
            receipt = await self._ledger.get_receipt(earlier)
            if receipt is not None:
                return receipt
        return None

    def is_lost(self, operation: StoredOperation, now_s: int) -> bool:
        """Tell whether a spent nonce without a receipt means that something else spent it."""
        if self._ledger.network.finality.is_final:
            return True
        return now_s - (operation.sent_s or operation.created_s) >= LOST_AFTER_S

    async def replace(
        self, account: Account, operations: list[StoredOperation], now_s: int
    ) -> list[StoredOperation]:
        """Offer more for what is offered too low; returns what no block holds yet."""
        policy = self._ledger.network.fees
        if policy is None:
            return operations
        mined = await self._ledger.get_mined_nonce(account.address)
        waiting = [entry for entry in operations if entry.nonce >= mined]
        if not any(now_s - entry.created_s >= policy.replace_after_s for entry in waiting):
            return waiting
        quote = await self._ledger.quote_fees()
        chain_id = await self._ledger.get_chain_id()
        left = []
        for entry in waiting:
            dearer = find_dearer(entry, quote, policy, now_s)
            if dearer is None:
                left.append(entry)
                continue
            log.info("offering more", operation=entry.id, max_fee=dearer.max_fee)
            sign = build_signer(account, chain_id, entry, dearer)
            await self._database.write(partial(replace_attempt, operation=entry, sign=sign))
        return left


def build_signer(
    account: Account, chain_id: int, call: WriteRequest | StoredOperation, fees: Fees
) -> Sign:
    """Return what signs a call for a nonce, at an offer."""

    def sign(nonce: int) -> SignedTransaction:
        return sign_call(
            account,
            chain_id=chain_id,
            nonce=nonce,
            target=call.target,
            data=call.data,
            gas=call.gas,
            fees=fees,
        )

    return sign


def find_dearer(
    operation: StoredOperation, quote: Fees, policy: FeePolicy, now_s: int
) -> Fees | None:
    """Return what to offer instead; None if the offer is good, too fresh, or the limit reached."""
    if now_s - operation.created_s < policy.replace_after_s:
        return None
    offer = read_offer(operation.raw)
    dearer = offer.raise_to(quote)
    return None if offer.covers(quote) or dearer.max_fee > policy.max_fee else dearer


def replace_attempt(connection: Connection, operation: StoredOperation, sign: Sign) -> None:
    """Store a dearer signature in place of the present one, on the same nonce.

    Does nothing if another process did so first.
    """
    signed = sign(operation.nonce)
    changed = connection.execute(
        update(OPERATIONS)
        .where(
            OPERATIONS.c.sequence == operation.sequence,
            OPERATIONS.c.transaction_hash == operation.transaction_hash,
            OPERATIONS.c.state.in_(OPEN_STATES),
        )
        .values(
            raw=signed.raw,
            transaction_hash=signed.hash,
            state="queued",
            sent_s=None,
            error=None,
        )
    )
    if changed.rowcount:
        connection.execute(
            insert(ATTEMPTS).values(
                operation=operation.sequence,
                nonce=operation.nonce,
                transaction_hash=operation.transaction_hash,
            )
        )


def list_attempts(connection: Connection, operation: StoredOperation) -> Sequence[Hash32]:
    """Return the hashes of an operation's earlier transactions with its nonce, newest first."""
    rows = connection.execute(
        select(ATTEMPTS.c.transaction_hash)
        .where(ATTEMPTS.c.operation == operation.sequence, ATTEMPTS.c.nonce == operation.nonce)
        .order_by(ATTEMPTS.c.id.desc())
    )
    return [Hash32(bytes(row.transaction_hash)) for row in rows]
