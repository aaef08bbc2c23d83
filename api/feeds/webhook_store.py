"""Who is to be told of which events, how far each one is, and when to try again.

A webhook's cursor moves only when its receiver has answered 2xx, in the order of the chain. So each
event reaches it at least once, and one that fails holds back those behind it. Secrets are sealed by
the vault's master key where the node has a vault.
"""

import json
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from api.databases import Database
from api.outbox.tables import METADATA
from api.vault.ciphers import WRAPPED_SIZE
from api.vault.epoch_keys import open_record
from api.vault.keyring import Keyring

WEBHOOKS: Final = Table(
    "webhooks",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("agency", LargeBinary(32)),
    Column("secret", LargeBinary, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_try_s", BigInteger, nullable=False),
    Column("last_error", Text),
    Column("delivered", BigInteger, nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
)

MAX_WEBHOOKS: Final = 100
"""Most webhooks of one node."""


class Sealer(Protocol):
    """Port to what keeps secrets at rest."""

    def seal(self, plain: bytes, identity: bytes) -> bytes:
        """Encrypt for the database."""
        ...

    def open(self, sealed: bytes, identity: bytes) -> bytes:
        """Decrypt what was sealed with the same identity."""
        ...

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether a secret is sealed as this version does."""
        ...


class PlainSealer:
    """For a node without a vault: the database file alone keeps the secret."""

    def seal(self, plain: bytes, _identity: bytes) -> bytes:
        """Return the same bytes."""
        return plain

    def open(self, sealed: bytes, _identity: bytes) -> bytes:
        """Return the same bytes."""
        return sealed

    def is_current(self, _sealed: bytes) -> bool:
        """Return True."""
        return True


class VaultSealer:
    """Seals with the vault's standing secrets, which outlive its master keys."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, plain: bytes, identity: bytes) -> bytes:
        """Encrypt: a zero byte, then the ciphertext."""
        return b"\0" + self._keyring.fingerprints.seal(plain, b"webhook" + identity)

    def open(self, sealed: bytes, identity: bytes) -> bytes:
        """Decrypt; raises `VaultDamaged` unless it is exactly what was sealed.

        The first version sealed under the master key itself: one byte for the length of the wrapped
        key, the wrapped key, the ciphertext. A node that had no vault yet kept plain text.
        """
        identity = b"webhook" + identity
        if sealed[0] == 0:
            return self._keyring.fingerprints.open(sealed[1:], identity)
        if sealed[0] != WRAPPED_SIZE:
            return sealed
        end = 1 + sealed[0]
        data_key = self._keyring.master.open_first(sealed[1:end], identity)
        return open_record(data_key, sealed[end:], identity)

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether a secret is sealed as this version does."""
        return sealed[0] == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One receiver."""

    id: str
    url: str
    kinds: tuple[str, ...]
    """Kinds of events or of records; none for all."""
    agency: bytes | None
    """Only events of records that this agency is a party to."""
    secret: str
    position: int
    """The last event that the receiver has taken."""
    failures: int
    """Failed tries since the last success."""
    next_try_s: int
    last_error: str | None
    delivered: int
    """Events that the receiver has taken."""
    created_s: int
    is_active: bool
    """False once the receiver has failed for too long."""


class WebhookStore:
    """The webhooks of one node."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def seal_anew(self) -> int:
        """Seal secrets of the first version as this one does, and return how many there were.

        Call it once, before the store is used. Raises `VaultDamaged`.
        """

        def find(connection: Connection) -> list[Row[Any, Any]]:
            rows = connection.execute(select(WEBHOOKS.c.id, WEBHOOKS.c.secret)).all()
            return [row for row in rows if not self._sealer.is_current(bytes(row.secret))]

        def write(connection: Connection) -> int:
            old = find(connection)
            for row in old:
                identity = row.id.encode()
                secret = self._sealer.open(bytes(row.secret), identity)
                connection.execute(
                    update(WEBHOOKS)
                    .where(WEBHOOKS.c.id == row.id)
                    .values(secret=self._sealer.seal(secret, identity))
                )
            return len(old)

        return self._database.write_now(write) if self._database.read_now(find) else 0

    async def add(self, webhook: Webhook) -> bool:
        """Keep a webhook; False if there are too many."""
        row = {
            "id": webhook.id,
            "url": webhook.url,
            "kinds": json.dumps(webhook.kinds),
            "agency": webhook.agency,
            "secret": self._sealer.seal(webhook.secret.encode(), webhook.id.encode()),
            "position": webhook.position,
            "failures": 0,
            "next_try_s": 0,
            "delivered": 0,
            "created_s": webhook.created_s,
            "is_active": True,
        }

        def write(connection: Connection) -> bool:
            known = connection.execute(select(WEBHOOKS.c.id)).all()
            if len(known) >= MAX_WEBHOOKS:
                return False
            connection.execute(insert(WEBHOOKS).values(**row))
            return True

        return await self._database.write(write)

    async def list_all(self) -> list[Webhook]:
        """Return all webhooks, oldest first."""
        query = select(WEBHOOKS).order_by(WEBHOOKS.c.created_s, WEBHOOKS.c.id)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [self._read(row) for row in rows]

    async def find(self, webhook_id: str) -> Webhook | None:
        """Return one webhook."""
        query = select(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id)
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else self._read(row)

    async def remove(self, webhook_id: str) -> bool:
        """Forget a webhook; False if there was none."""
        query = delete(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id)
        return await self._database.write(lambda c: c.execute(query).rowcount > 0)

    async def note_success(self, webhook_id: str, *, position: int, delivered: int) -> None:
        """Move a webhook's cursor."""
        await self._update(
            webhook_id,
            position=position,
            delivered=delivered,
            failures=0,
            next_try_s=0,
            last_error=None,
        )

    async def note_failure(
        self, webhook_id: str, *, failures: int, next_try_s: int, error: str, is_active: bool
    ) -> None:
        """Keep why a delivery failed, and when to try again."""
        await self._update(
            webhook_id,
            failures=failures,
            next_try_s=next_try_s,
            last_error=error,
            is_active=is_active,
        )

    async def resume(self, webhook_id: str) -> bool:
        """Try a webhook again at once that had been given up; False if there is none."""
        query = (
            update(WEBHOOKS)
            .where(WEBHOOKS.c.id == webhook_id)
            .values(is_active=True, failures=0, next_try_s=0)
        )
        return await self._database.write(lambda c: c.execute(query).rowcount > 0)

    async def _update(self, webhook_id: str, **values: Any) -> None:
        query = update(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id).values(**values)
        await self._database.write(lambda c: c.execute(query))

    def _read(self, row: Row[Any]) -> Webhook:
        return Webhook(
            id=row.id,
            url=row.url,
            kinds=tuple(json.loads(row.kinds)),
            agency=None if row.agency is None else bytes(row.agency),
            secret=self._sealer.open(bytes(row.secret), row.id.encode()).decode(),
            position=row.position,
            failures=row.failures,
            next_try_s=row.next_try_s,
            last_error=row.last_error,
            delivered=row.delivered,
            created_s=row.created_s,
            is_active=row.is_active,
        )
