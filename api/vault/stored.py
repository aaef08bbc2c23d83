"""Credentials as rows: what the table says of them, and storing many in one transaction.

Transactions that write follow each other (`api.databases`), so what `store` finds is true until it
has stored.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.credentials import Credential
from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select

from api.errors import ApiError, IdempotencyKeyReused, UserFault
from api.vault.tables import MEMBERS, RECORDS

SELECT_CREDENTIALS: Final = select(
    RECORDS, MEMBERS.c.batch, MEMBERS.c.place, MEMBERS.c.size, MEMBERS.c.path
).select_from(RECORDS.outerjoin(MEMBERS, MEMBERS.c.uid == RECORDS.c.uid))
"""Rows as `read_stored` takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    """What the vault says of a credential without opening it."""

    sequence: int
    uid: bytes
    schema_uid: bytes
    algorithm: int
    commitment: bytes
    valid_until_s: int
    """0 for none."""
    previous: bytes | None
    created_s: int
    batch: bytes | None
    """The batch that seals it."""
    place: int | None
    """Its index there."""
    ledger: bytes | None
    """Hash of block 0 of its ledger; None for what was kept while the vault served only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another record's claim on the same certificate."""

    uid: bytes
    claimed_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A credential to keep."""

    credential: Credential
    previous: bytes | None
    """The record that it supersedes."""
    reference: tuple[str, ...]
    """Pointers whose values name one certificate."""
    idempotency_key: str | None
    body_fingerprint: bytes
    created_s: int


class UidTaken(UserFault):
    """The vault holds another record with this uid."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "the vault holds a record with this uid",
            code="uid_exists",
            field="uid",
            next_step="leave uid out, or choose 32 new random bytes",
        )


def is_of_ledgers(ledgers: Collection[bytes | None]) -> ColumnElement[bool]:
    """Return the condition that a credential is of one of these ledgers; None is none named."""
    named = RECORDS.c.ledger.in_([ledger for ledger in ledgers if ledger is not None])
    return or_(named, RECORDS.c.ledger.is_(None)) if None in ledgers else named


def find_stored(connection: Connection, uids: Iterable[bytes]) -> dict[bytes, StoredCredential]:
    """Return what is known of credentials, by uid; those that are not here are left out."""
    rows = connection.execute(SELECT_CREDENTIALS.where(RECORDS.c.uid.in_(list(uids))))
    return {bytes(row.uid): read_stored(row) for row in rows}


Unveil = Callable[[int, bytes], bytes]
"""Returns the fingerprint that a row of an epoch holds."""


def find_by_key(
    connection: Connection, idempotency_key: str, body_fingerprint: bytes, *, unveil: Unveil
) -> StoredCredential | None:
    """Return what the key was used for; raises `IdempotencyKeyReused` for another body."""
    row = connection.execute(
        SELECT_CREDENTIALS.where(RECORDS.c.idempotency_key == idempotency_key)
    ).one_or_none()
    if row is None:
        return None
    if unveil(row.epoch, bytes(row.body_fingerprint)) != body_fingerprint:
        raise IdempotencyKeyReused
    return read_stored(row)


def store(
    connection: Connection, rows: Sequence[dict[str, Any]], *, unveil: Unveil
) -> list[StoredCredential | ApiError]:
    """Store new rows and return for each what is stored of it, or why it was not.

    A row whose idempotency key is known, or stands before it among these, is the one of then.
    """
    keys = [row["idempotency_key"] for row in rows if row["idempotency_key"] is not None]
    known: dict[str, tuple[bytes, bytes]] = {
        row.idempotency_key: (unveil(row.epoch, bytes(row.body_fingerprint)), bytes(row.uid))
        for row in connection.execute(
            select(
                RECORDS.c.idempotency_key,
                RECORDS.c.body_fingerprint,
                RECORDS.c.epoch,
                RECORDS.c.uid,
            ).where(RECORDS.c.idempotency_key.in_(keys))
        )
    }
    taken = {
        bytes(uid)
        for uid in connection.execute(
            select(RECORDS.c.uid).where(RECORDS.c.uid.in_([row["uid"] for row in rows]))
        ).scalars()
    }
    fresh: list[dict[str, Any]] = []
    answers: list[bytes | ApiError] = []
    for row in rows:
        uid, key = row["uid"], row["idempotency_key"]
        body = unveil(row["epoch"], row["body_fingerprint"])
        if key is not None and key in known:
            answers.append(known[key][1] if known[key][0] == body else IdempotencyKeyReused())
        elif uid in taken:
            answers.append(UidTaken())
        else:
            answers.append(uid)
            fresh.append(row)
            taken.add(uid)
            if key is not None:
                known[key] = (body, uid)
    if fresh:
        connection.execute(insert(RECORDS), fresh)
    found = find_stored(connection, {uid for uid in answers if isinstance(uid, bytes)})
    return [found[answer] if isinstance(answer, bytes) else answer for answer in answers]


def read_stored(row: Row[Any]) -> StoredCredential:
    """Return what a row says."""
    return StoredCredential(
        sequence=row.sequence,
        uid=bytes(row.uid),
        schema_uid=bytes(row.schema_uid),
        algorithm=row.algorithm,
        commitment=bytes(row.commitment),
        valid_until_s=row.valid_until_s,
        previous=None if row.previous is None else bytes(row.previous),
        created_s=row.created_s,
        batch=None if row.batch is None else bytes(row.batch),
        place=row.place,
        ledger=None if row.ledger is None else bytes(row.ledger),
    )
