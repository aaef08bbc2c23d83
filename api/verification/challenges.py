"""Nonces that a holder signs, each good for one answer.

A nonce is stored before it is given out and marked as used in the same durable step that lets the
answer leave, so that a presentation is refused the second time even after a crash, and also by
another API process of the same agency.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from api.databases import Database
from api.outbox.tables import METADATA

CHALLENGES: Final = Table(
    "challenges",
    METADATA,
    Column("nonce", LargeBinary(32), primary_key=True),
    Column("purpose", String(100), nullable=False),
    Column("issued_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False, index=True),
    Column("used_s", BigInteger),
)

KEEP_S: Final = 86_400
"""How long a spent or expired nonce is remembered, so that its refusal can say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChallenge:
    """One nonce."""

    nonce: bytes
    purpose: str
    issued_s: int
    expires_s: int
    used_s: int | None
    """When it was used; None while it may be."""


class Challenges:
    """The nonces of one verifier."""

    def __init__(self, database: Database, *, ttl_s: int) -> None:
        self._database = database
        self._ttl_s = ttl_s

    async def create(self, purpose: str, now_s: int) -> StoredChallenge:
        """Make a nonce for a purpose, and forget those that are long past."""
        challenge = StoredChallenge(
            nonce=secrets.token_bytes(32),
            purpose=purpose,
            issued_s=now_s,
            expires_s=now_s + self._ttl_s,
            used_s=None,
        )

        def add(connection: Connection) -> None:
            connection.execute(
                insert(CHALLENGES).values(
                    nonce=challenge.nonce,
                    purpose=challenge.purpose,
                    issued_s=challenge.issued_s,
                    expires_s=challenge.expires_s,
                )
            )
            connection.execute(delete(CHALLENGES).where(CHALLENGES.c.expires_s < now_s - KEEP_S))

        await self._database.write(add)
        return challenge

    async def find(self, nonce: bytes) -> StoredChallenge | None:
        """Return a nonce of this verifier; None if it never gave it out, or long ago."""

        def load(connection: Connection) -> StoredChallenge | None:
            row = connection.execute(
                select(CHALLENGES).where(CHALLENGES.c.nonce == nonce)
            ).one_or_none()
            if row is None:
                return None
            return StoredChallenge(
                nonce=bytes(row.nonce),
                purpose=row.purpose,
                issued_s=row.issued_s,
                expires_s=row.expires_s,
                used_s=row.used_s,
            )

        return await self._database.read(load)

    async def use(self, nonce: bytes, now_s: int) -> bool:
        """Spend a nonce; returns False if it was spent before. Durable on return."""

        def spend(connection: Connection) -> bool:
            result = connection.execute(
                update(CHALLENGES)
                .where(CHALLENGES.c.nonce == nonce, CHALLENGES.c.used_s.is_(None))
                .values(used_s=now_s)
            )
            return result.rowcount == 1

        return await self._database.write(spend)
