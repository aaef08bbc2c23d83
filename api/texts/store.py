"""The public texts that this node holds, by hash.

A text is stored with the promise to put its hash on the ledger, in the same database transaction,
or handed in later. It is never changed: another text has another hash.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    insert,
    select,
)

from api.databases import Database
from api.outbox.tables import METADATA
from api.texts.text import PublicText, TextKind

PUBLIC_TEXTS = Table(
    "public_texts",
    METADATA,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("language", String(35), nullable=False),
    Column("body", Text, nullable=False),
    Column("stored_s", BigInteger, nullable=False),
)


class PublicTexts:
    """The texts in this node's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, text_hash: bytes) -> PublicText | None:
        """Return the text with this hash; None if it is not here."""
        return (await self.find_many([text_hash])).get(text_hash)

    async def find_many(self, hashes: Iterable[bytes]) -> dict[bytes, PublicText]:
        """Return the texts that are here, by hash."""
        wanted = list(dict.fromkeys(hashes))

        def load(connection: Connection) -> dict[bytes, PublicText]:
            query = select(PUBLIC_TEXTS).where(PUBLIC_TEXTS.c.hash.in_(wanted))
            return {bytes(row.hash): _read(row) for row in connection.execute(query)}

        return await self._database.read(load) if wanted else {}

    async def put(self, text: PublicText, now_s: int) -> None:
        """Keep a text; an equal one is kept once."""
        await self._database.write(lambda connection: store_texts(connection, [text], now_s))


def store_texts(connection: Connection, texts: Iterable[PublicText], now_s: int) -> None:
    """Keep texts inside the caller's transaction."""
    by_hash = {text.hash: text for text in texts}
    query = select(PUBLIC_TEXTS.c.hash).where(PUBLIC_TEXTS.c.hash.in_(by_hash))
    known = {bytes(row.hash) for row in connection.execute(query)} if by_hash else set()
    for text_hash, text in by_hash.items():
        if text_hash not in known:
            connection.execute(
                insert(PUBLIC_TEXTS).values(
                    hash=text_hash,
                    kind=text.kind.value,
                    language=text.language,
                    body=json.dumps(dict(text.body), ensure_ascii=False),
                    stored_s=now_s,
                )
            )


def _read(row: Row[Any]) -> PublicText:
    return PublicText(kind=TextKind(row.kind), language=row.language, body=json.loads(row.body))
