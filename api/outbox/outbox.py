"""The outbox as the rest of the API sees it, and the loop that empties it.

Theory of operation. A write enters through `submit`: a dry run against the final state turns bad
input into a clear refusal before anything is stored; then one database transaction stores the
promise; then the loop is woken. The loop knows nothing that is not in the database, so that it can
be killed and started anywhere, also in several processes at once: sending the same bytes twice is
harmless, and every change of a row names the state that it starts from.

A turn of the loop:

1. read the account's final nonce. Everything below it is settled: the receipt says how;
2. no receipt although the nonce is spent means that somebody else used the account: the operation
   is signed again with a new nonce, which cannot repeat it because the old nonce is gone;
3. send what the node does not hold yet, in nonce order; send again what stays unsettled for long.

On a network with fees, what waits because its offer became too low is offered for more on the same
nonce (`replacing`); what a network of others took back is open again (`taken_back`).

A node that refuses for a passing reason (full, catching up, key suspended) is asked again: what was
promised is never dropped, and the reason stands in the operation for the caller to read.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import structlog
from eth_typing import Address
from sqlalchemy import Connection

from api.background import run_beside
from api.databases import Database
from api.errors import ApiError, UserFault
from api.firewall.calls import read_call
from api.ledger import NO_REASON, Ledger, Reverted
from api.outbox import store
from api.outbox.account import Account
from api.outbox.forgetting import forget_bodies
from api.outbox.replacing import Replacer, build_signer
from api.outbox.store import Outcome, StoredOperation, WriteRequest
from api.outbox.taken_back import TakenBack
from api.web3_provider import RpcRefusal

log = structlog.get_logger(__name__)

RESEND_S: Final = 20
"""An operation unsettled for this long is sent again, in case the node lost it."""

TURN_S: Final = 0.5
"""Pause between two turns while something is unsettled; new writes end it early."""

SEND_GROUP: Final = 32
"""Transactions handed to the node at once, so that they share its journal's commit."""

WINDOW: Final = 1_000
"""Most operations looked at in one turn."""

_KNOWN: Final = ("already known", "known transaction", "already imported")


class WriteRefused(UserFault):
    """The dry run found that the ledger would refuse the write; nothing was stored."""

    status = 422

    def __init__(
        self,
        reason: str,
        *,
        field: str | None,
        code: str,
        status: int,
        next_step: str | None,
    ) -> None:
        super().__init__(reason, code=code, field=field, status=status, next_step=next_step)


class ActTooLarge(UserFault):
    """The write needs more gas than one transaction may use.

    The contracts refuse with a reason; a call that runs out of gas inside one has none.
    """

    status = 422

    def __init__(self) -> None:
        super().__init__(
            "the act needs more gas than one transaction may use",
            code="act_too_large",
            next_step="take fewer records at once",
        )


TranslateRevert = Callable[[str], ApiError]
"""Turns a contract's `module: reason` into the refusal that a caller sees."""


class Outbox:
    """Promised writes of an agency's accounts on one ledger."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        accounts: Sequence[Account],
        translate: TranslateRevert,
        now: Callable[[], float] = time.time,
        forget: Callable[[StoredOperation], Awaitable[None]] | None = None,
    ) -> None:
        """`forget` is called with an operation that the ledger refused, before that is noted."""
        self._forget = forget
        self._database = database
        self._ledger = ledger
        self._accounts = {account.address: account for account in accounts}
        self._translate = translate
        self._now = now
        self._wake = asyncio.Event()
        self._replacer = Replacer(database, ledger)
        self._taken_back = TakenBack(database, ledger, self._replacer)

    @property
    def accounts(self) -> tuple[Address, ...]:
        """The accounts that can sign, in the order given."""
        return tuple(self._accounts)

    async def find(self, idempotency_key: str, body_fingerprint: bytes) -> StoredOperation | None:
        """Return the operation of an earlier, equal request; raises `IdempotencyKeyReused`."""
        return await self._database.read(
            lambda connection: store.find_by_key(connection, idempotency_key, body_fingerprint)
        )

    async def submit(
        self,
        request: WriteRequest,
        *,
        before: Callable[[], Awaitable[None]] | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> StoredOperation:
        """Check, sign and store a write; when this returns it is durable.

        `before` runs when the check has passed and stores what must not be missing once the promise
        is made, in other databases; `also` stores what belongs to it in the same transaction. An
        equal request with the same key returns the same operation. Raises the refusal for what the
        ledger would refuse, `IdempotencyKeyReused`, `ClaimTaken` or `UpstreamFault`; then nothing
        was stored.
        """
        known = await self.find(request.idempotency_key, request.body_fingerprint)
        if known is not None:
            return known
        try:
            await self.check(request)
        except ApiError:
            # An equal request may have passed meanwhile; then what refused this one is its work.
            known = await self.find(request.idempotency_key, request.body_fingerprint)
            if known is None:
                raise
            return known
        fees = await self._ledger.quote_fees()
        await self._ledger.check_funds(request.account, gas=request.gas, fees=fees)
        if before is not None:
            await before()
        chain_id = await self._ledger.get_chain_id()
        first_nonce = await self._ledger.get_nonce(request.account, pending=True)
        account = self._accounts[request.account]

        def add(connection: Connection) -> StoredOperation:
            operation = store.add_operation(
                connection,
                request,
                first_nonce=first_nonce,
                now_s=int(self._now()),
                sign=build_signer(account, chain_id, request, fees),
            )
            if also is not None:
                also(connection)
            return operation

        operation = await self._database.write(add)
        self._wake.set()
        return operation

    async def check(self, request: WriteRequest) -> None:
        """Try a write in the block that would come next; raises the refusal, and changes nothing.

        First the firewall reads the call that would be signed: everything that leaves by this door
        consists of typed values.
        """
        contract = self._ledger.book.find_name(request.target)
        assert contract is not None, "acts are calls of the ledger's contracts"
        read_call(contract, request.data, is_strict=request.unopened)
        if request.claim is not None and await self.find_creation(request.claim) is not None:
            raise store.ClaimTaken
        try:
            await self._ledger.call(
                request.target,
                request.data,
                sender=request.account,
                gas=request.gas,
                is_trial=True,
            )
        except Reverted as reverted:
            if reverted.reason == NO_REASON:
                raise ActTooLarge from reverted
            raise self._translate(reverted.reason) from reverted
        except RpcRefusal as refusal:
            if "out of gas" in refusal.reason.lower():
                raise ActTooLarge from refusal
            raise

    async def get(self, reference: str) -> StoredOperation | None:
        """Return an operation by id or transaction hash."""
        return await self._database.read(lambda c: store.get_operation(c, reference))

    async def find_creation(self, claim: str) -> StoredOperation | None:
        """Return the operation that made, or is about to make, what `claim` names."""
        return await self._database.read(lambda c: store.find_creation(c, claim))

    async def find_creations(self, claims: list[str]) -> dict[str, StoredOperation]:
        """Return the operations behind any of these claims."""
        return await self._database.read(lambda c: store.find_creations(c, claims))

    async def get_page(
        self, *, limit: int, before: int | None, state: str | None, uid: bytes | None
    ) -> list[StoredOperation]:
        """Return operations newest first."""
        return await self._database.read(
            lambda c: store.list_operations(c, limit=limit, before=before, state=state, uid=uid)
        )

    async def forget_bodies(self, uids: Sequence[bytes]) -> int:
        """Forget what requests said of erased records; durable on return. Returns how many did."""
        count = await self._database.write(lambda c: forget_bodies(c, uids))
        if count:
            try:
                await asyncio.to_thread(self._database.scrub_now)
            except ApiError as error:
                log.warning("fingerprints were left in free pages", reason=error.reason)
        return count

    async def count_open(self) -> int:
        """Return how many promised writes are not settled."""
        return await self._database.read(store.count_open)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Keep emptying the outbox for as long as the context lasts."""
        async with run_beside(self._loop(), "outbox"):
            yield

    async def turn(self) -> int:
        """Do one turn of the loop; returns how many operations are still unsettled."""
        for account in self._accounts:
            await self._turn(account)
        return await self.count_open()

    async def _turn(self, account: Address) -> None:
        await self._taken_back.reopen(account, int(self._now()))
        waiting = await self._database.read(lambda c: store.get_open(c, account, WINDOW))
        if not waiting:
            return
        final_nonce = await self._ledger.get_nonce(account, pending=False)
        await self._settle([entry for entry in waiting if entry.nonce < final_nonce])
        open_ones = [entry for entry in waiting if entry.nonce >= final_nonce]
        signer = self._accounts[account]
        await self._send(await self._replacer.replace(signer, open_ones, int(self._now())))

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            try:
                unsettled = await self.turn()
            except ApiError as error:
                log.warning("outbox turn failed", reason=error.reason, code=error.code)
                unsettled = 1
            except Exception:
                log.exception("outbox turn failed")
                unsettled = 1
            with contextlib.suppress(TimeoutError):
                # Another process may have stored a write, so even an idle loop looks again.
                await asyncio.wait_for(self._wake.wait(), TURN_S if unsettled else 10 * TURN_S)

    async def _settle(self, operations: list[StoredOperation]) -> None:
        """Note the outcome of operations whose nonce is spent, all in one commit."""
        outcomes: list[Outcome] = []
        for operation in operations:
            receipt = await self._replacer.find_receipt(operation)
            if receipt is None:
                if self._replacer.is_lost(operation, int(self._now())):
                    await self._sign_again(operation)
                continue
            block = await self._ledger.get_block(receipt.block_number)
            assert block is not None, "a receipt's block is known"
            error = None
            if not receipt.succeeded:
                error = await self._explain(operation, receipt.block_number)
                await self._forget_failed(operation)
            outcomes.append(
                Outcome(
                    sequence=operation.sequence,
                    block=receipt.block_number,
                    block_time_s=block.time_s,
                    error=error,
                )
            )
        if outcomes:
            await self._database.write(lambda c: store.mark_settled(c, outcomes))

    async def _forget_failed(self, operation: StoredOperation) -> None:
        """Let go of what was kept for an operation; it is noted as failed even if that fails."""
        if self._forget is None:
            return
        try:
            await self._forget(operation)
        except ApiError as error:
            log.warning(
                "materials of a failed operation stay", operation=operation.id, code=error.code
            )

    async def _explain(self, operation: StoredOperation, block: int) -> str:
        """Find the contract's reason by running the call again, before and after its block."""
        for height in (block - 1, block):
            try:
                await self._ledger.call(
                    operation.target, operation.data, block=height, sender=operation.account
                )
            except Reverted as reverted:
                return reverted.reason
            except ApiError:
                continue
        return NO_REASON

    async def _sign_again(self, operation: StoredOperation) -> None:
        log.warning("nonce taken by an outside transaction", operation=operation.id)
        chain_id = await self._ledger.get_chain_id()
        first_nonce = await self._ledger.get_nonce(operation.account, pending=True)
        account = self._accounts[operation.account]
        fees = await self._ledger.quote_fees()
        signer = build_signer(account, chain_id, operation, fees)
        await self._database.write(
            lambda connection: store.sign_again(
                connection, operation, first_nonce=first_nonce, sign=signer
            )
        )
        self._wake.set()

    async def _send(self, operations: list[StoredOperation]) -> None:
        """Hand in what the node does not hold yet, a group of nonces at a time."""
        now_s = int(self._now())
        due = [
            entry
            for entry in operations
            if entry.sent_s is None or now_s - entry.sent_s >= RESEND_S
        ]
        for start in range(0, len(due), SEND_GROUP):
            group = due[start : start + SEND_GROUP]
            answers = await asyncio.gather(
                *(self._ledger.send(entry.raw) for entry in group), return_exceptions=True
            )
            sent = []
            for entry, answer in zip(group, answers, strict=True):
                if answer is None or _is_known(answer):
                    sent.append(entry.sequence)
                elif isinstance(answer, RpcRefusal):
                    await self._note_refusal(entry, answer)
            if sent:
                await self._database.write(partial(store.mark_sent, sequences=sent, now_s=now_s))
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, RpcRefusal):
                    raise answer
            if len(sent) < len(group):
                # What follows would wait for a refused nonce; nothing is won by sending it.
                return

    async def _note_refusal(self, operation: StoredOperation, refusal: RpcRefusal) -> None:
        reason = f"node: {refusal.reason}"
        if operation.error != reason:
            log.warning("node refuses for now", operation=operation.id, code=refusal.code)
            await self._database.write(lambda c: store.mark_refused(c, operation.sequence, reason))


def _is_known(answer: BaseException) -> bool:
    return isinstance(answer, RpcRefusal) and any(text in answer.reason.lower() for text in _KNOWN)
