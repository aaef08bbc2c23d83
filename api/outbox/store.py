"""Storing, finding and advancing operations; each function is one step inside a transaction.

The order inside `add_operation` is the promise of the outbox: the key is looked up, the nonce
taken, the bytes signed and the row written in the same transaction, so that no crash leaves a
nonce without a transaction or a transaction without a key.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import Address, Hash32
from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.errors import IdempotencyKeyReused, UserFault
from api.outbox.account import SignedTransaction
from api.outbox.tables import ACCOUNTS, ATTEMPTS, OPERATIONS

OPEN_STATES: Final = ("queued", "submitted")
"""States of an operation that is not settled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """One write that a caller asks for."""

    idempotency_key: str
    body_fingerprint: bytes
    """32 bytes, keyed; equal for equal operation and body."""
    kind: str
    """What it does, such as `attestation.create`."""
    uid: bytes
    """The record concerned, 32 bytes."""
    account: Address
    """The account that is to sign."""
    target: Address
    """The contract."""
    data: bytes
    """The call."""
    record: str
    """Path of the record in REST."""
    gas: int = 1_000_000
    """Gas limit; the default is several times what most ledger calls need."""
    claim: str | None = None
    """For creations: a name that only one operation may hold at a time."""
    unopened: bool = False
    """True for a bare commitment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOperation:
    """One row of the outbox."""

    sequence: int
    id: str
    idempotency_key: str
    body_fingerprint: bytes
    kind: str
    uid: bytes
    account: Address
    nonce: int
    target: Address
    data: bytes
    gas: int
    raw: bytes
    transaction_hash: Hash32
    state: str
    """queued, submitted, final or failed."""
    unopened: bool
    record: str
    created_s: int
    sent_s: int | None
    block: int | None
    block_time_s: int | None
    error: str | None
    """For `failed`, why; for others, why the node did not take it last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an operation ended."""

    sequence: int
    block: int
    block_time_s: int
    error: str | None
    """None for success, else the contract's reason."""


class ClaimTaken(UserFault):
    """A write that makes the same thing is under way or done."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "a record with this uid was accepted here before",
            code="uid_exists",
            field="uid",
            next_step="leave uid out, or choose 32 new random bytes",
        )


def find_by_key(
    connection: Connection, idempotency_key: str, body_fingerprint: bytes
) -> StoredOperation | None:
    """Return what the key was used for; raises `IdempotencyKeyReused` for another body."""
    row = connection.execute(
        select(OPERATIONS).where(OPERATIONS.c.idempotency_key == idempotency_key)
    ).one_or_none()
    if row is None:
        return None
    operation = _read(row)
    if operation.body_fingerprint != body_fingerprint:
        raise IdempotencyKeyReused
    return operation


def add_operation(
    connection: Connection,
    request: WriteRequest,
    *,
    first_nonce: int,
    now_s: int,
    sign: Callable[[int], SignedTransaction],
) -> StoredOperation:
    """Store a write with its nonce and signature, or return the one the key already names.

    `first_nonce` is the ledger's own next nonce of the account; `sign` signs for a nonce. Raises
    `IdempotencyKeyReused` or `ClaimTaken`.
    """
    known = find_by_key(connection, request.idempotency_key, request.body_fingerprint)
    if known is not None:
        return known
    if request.claim is not None and _is_claimed(connection, request.claim):
        raise ClaimTaken
    nonce = take_nonce(connection, request.account, first_nonce)
    signed = sign(nonce)
    values: dict[str, Any] = {
        "id": "op-" + secrets.token_hex(12),
        "idempotency_key": request.idempotency_key,
        "body_fingerprint": request.body_fingerprint,
        "kind": request.kind,
        "uid": request.uid,
        "claim": request.claim,
        "account": request.account,
        "nonce": nonce,
        "target": request.target,
        "data": request.data,
        "gas": request.gas,
        "raw": signed.raw,
        "transaction_hash": signed.hash,
        "state": "queued",
        "unopened": request.unopened,
        "record": request.record,
        "created_s": now_s,
    }
    connection.execute(insert(OPERATIONS).values(**values))
    return _read(
        connection.execute(select(OPERATIONS).where(OPERATIONS.c.id == values["id"])).one()
    )


def take_nonce(connection: Connection, account: Address, first_nonce: int) -> int:
    """Return the account's next nonce, never below the ledger's, and step past it."""
    stored = connection.execute(
        select(ACCOUNTS.c.next_nonce).where(ACCOUNTS.c.address == account).with_for_update()
    ).scalar_one_or_none()
    if stored is None:
        try:
            with connection.begin_nested():
                connection.execute(
                    insert(ACCOUNTS).values(address=account, next_nonce=first_nonce + 1)
                )
        except IntegrityError:
            # Another process made the row in between; now it can be locked.
            return take_nonce(connection, account, first_nonce)
        return first_nonce
    nonce = max(int(stored), first_nonce)
    connection.execute(
        update(ACCOUNTS).where(ACCOUNTS.c.address == account).values(next_nonce=nonce + 1)
    )
    return nonce


def get_open(connection: Connection, account: Address, limit: int) -> list[StoredOperation]:
    """Return the unsettled operations of an account by nonce."""
    rows = connection.execute(
        select(OPERATIONS)
        .where(OPERATIONS.c.account == account, OPERATIONS.c.state.in_(OPEN_STATES))
        .order_by(OPERATIONS.c.nonce)
        .limit(limit)
    )
    return [_read(row) for row in rows]


def get_settled(connection: Connection, account: Address, limit: int) -> list[StoredOperation]:
    """Return what an account wrote with success, the newest first."""
    rows = connection.execute(
        select(OPERATIONS)
        .where(OPERATIONS.c.account == account, OPERATIONS.c.state == "final")
        .order_by(OPERATIONS.c.sequence.desc())
        .limit(limit)
    )
    return [_read(row) for row in rows]


def mark_sent(connection: Connection, sequences: list[int], now_s: int) -> None:
    """Note that the node holds these."""
    connection.execute(
        update(OPERATIONS)
        .where(OPERATIONS.c.sequence.in_(sequences), OPERATIONS.c.state.in_(OPEN_STATES))
        .values(state="submitted", sent_s=now_s, error=None)
    )


def mark_refused(connection: Connection, sequence: int, reason: str) -> None:
    """Note why the node did not take an operation this time; it stays queued."""
    connection.execute(
        update(OPERATIONS)
        .where(OPERATIONS.c.sequence == sequence, OPERATIONS.c.state.in_(OPEN_STATES))
        .values(error=reason[:500])
    )


def mark_settled(connection: Connection, outcomes: list[Outcome]) -> None:
    """Note final outcomes; a failed creation gives its claim back, because it made nothing."""
    for outcome in outcomes:
        values: dict[str, Any] = {
            "state": "final" if outcome.error is None else "failed",
            "block": outcome.block,
            "block_time_s": outcome.block_time_s,
            "error": outcome.error,
        }
        if outcome.error is not None:
            values["claim"] = None
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.sequence == outcome.sequence, OPERATIONS.c.state.in_(OPEN_STATES))
            .values(**values)
        )


def sign_again(
    connection: Connection,
    operation: StoredOperation,
    *,
    first_nonce: int,
    sign: Callable[[int], SignedTransaction],
) -> None:
    """Give an operation a new nonce because an outside transaction took its own.

    Does nothing if another process did so first. The old signature can never be included: its
    nonce is spent in a final block.
    """
    current = connection.execute(
        select(OPERATIONS.c.transaction_hash)
        .where(OPERATIONS.c.sequence == operation.sequence, OPERATIONS.c.state.in_(OPEN_STATES))
        .with_for_update()
    ).scalar_one_or_none()
    if current != operation.transaction_hash:
        return
    nonce = take_nonce(connection, operation.account, first_nonce)
    signed = sign(nonce)
    connection.execute(
        insert(ATTEMPTS).values(
            operation=operation.sequence,
            nonce=operation.nonce,
            transaction_hash=operation.transaction_hash,
        )
    )
    connection.execute(
        update(OPERATIONS)
        .where(OPERATIONS.c.sequence == operation.sequence)
        .values(
            nonce=nonce,
            raw=signed.raw,
            transaction_hash=signed.hash,
            state="queued",
            sent_s=None,
            error=None,
        )
    )


def get_operation(connection: Connection, reference: str) -> StoredOperation | None:
    """Return an operation by its id, or by the hash of any of its transactions (`0x…`)."""
    query = select(OPERATIONS)
    if reference.startswith("0x"):
        try:
            transaction_hash = bytes.fromhex(reference[2:])
        except ValueError:
            return None
        earlier = select(ATTEMPTS.c.operation).where(
            ATTEMPTS.c.transaction_hash == transaction_hash
        )
        query = query.where(
            (OPERATIONS.c.transaction_hash == transaction_hash) | OPERATIONS.c.sequence.in_(earlier)
        )
    else:
        query = query.where(OPERATIONS.c.id == reference)
    row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def list_operations(
    connection: Connection,
    *,
    limit: int,
    before: int | None,
    state: str | None,
    uid: bytes | None,
) -> list[StoredOperation]:
    """Return operations newest first, below row number `before`."""
    query = select(OPERATIONS).order_by(OPERATIONS.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(OPERATIONS.c.sequence < before)
    if state is not None:
        # A record has few operations; the index of states shall not be preferred to finding them.
        state_column = OPERATIONS.c.state if uid is None else func.coalesce(OPERATIONS.c.state, "")
        query = query.where(state_column == state)
    if uid is not None:
        query = query.where(OPERATIONS.c.uid == uid)
    return [_read(row) for row in connection.execute(query)]


def find_creation(connection: Connection, claim: str) -> StoredOperation | None:
    """Return the operation that holds a claim: it made the record, or is about to."""
    row = connection.execute(select(OPERATIONS).where(OPERATIONS.c.claim == claim)).one_or_none()
    return None if row is None else _read(row)


def find_creations(connection: Connection, claims: list[str]) -> dict[str, StoredOperation]:
    """Return the operations that hold any of these claims, by claim."""
    rows = connection.execute(select(OPERATIONS).where(OPERATIONS.c.claim.in_(claims)))
    return {row.claim: _read(row) for row in rows}


def count_open(connection: Connection) -> int:
    """Return how many operations are not settled."""
    return connection.execute(
        select(func.count()).select_from(OPERATIONS).where(OPERATIONS.c.state.in_(OPEN_STATES))
    ).scalar_one()


def _is_claimed(connection: Connection, claim: str) -> bool:
    return (
        connection.execute(
            select(OPERATIONS.c.sequence).where(OPERATIONS.c.claim == claim)
        ).scalar_one_or_none()
        is not None
    )


def _read(row: Row[Any]) -> StoredOperation:
    return StoredOperation(
        sequence=row.sequence,
        id=row.id,
        idempotency_key=row.idempotency_key,
        body_fingerprint=bytes(row.body_fingerprint),
        kind=row.kind,
        uid=bytes(row.uid),
        account=Address(bytes(row.account)),
        nonce=row.nonce,
        target=Address(bytes(row.target)),
        data=bytes(row.data),
        gas=row.gas,
        raw=bytes(row.raw),
        transaction_hash=Hash32(bytes(row.transaction_hash)),
        state=row.state,
        unopened=row.unopened,
        record=row.record,
        created_s=row.created_s,
        sent_s=row.sent_s,
        block=row.block,
        block_time_s=row.block_time_s,
        error=row.error,
    )
