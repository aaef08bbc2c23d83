"""The off-chain text of schemas: title, ordered pointers, reference, questions.

The ledger keeps two hashes of a schema: of its pointers, which every proof is made along, and of
the whole text, so that nobody can give a schema another title, another reference or other
questions. The text holds names of fields, never a person's values. It is stored with the promise to
register it, or handed in later and compared with the ledger.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from atesta_client.canonical import dump_canonical
from atesta_client.pointers import JsonValue
from atesta_client.predicate_definitions import format_predicate, read_predicate
from atesta_client.predicates import Predicate
from atesta_client.schemas import Schema, compute_pointers_hash
from sqlalchemy import BigInteger, Column, Connection, LargeBinary, Row, Table, Text, insert, select

from api.databases import Database
from api.outbox.tables import METADATA

_TAG: Final = b"atesta-schema-text-1"

SCHEMA_TEXTS: Final = Table(
    "schema_texts",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("document_hash", LargeBinary(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("pointers", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("stored_s", BigInteger, nullable=False),
    Column("predicates", Text),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaText:
    """What people and programs must know of a schema besides its hashes."""

    uid: bytes
    title: str
    pointers: tuple[str, ...]
    reference: tuple[str, ...]
    """Pointers that together name one certificate."""
    predicates: tuple[Predicate, ...] = ()
    """Its yes/no fields, and how an issuer computes them."""

    @property
    def schema(self) -> Schema:
        """The schema as commitments use it; raises `SchemaInvalid` if the pointers cannot serve."""
        return Schema(uid=self.uid, pointers=self.pointers)

    @property
    def pointers_hash(self) -> bytes:
        """The hash that the ledger keeps of the pointers."""
        return compute_pointers_hash(self.pointers)

    @property
    def document_hash(self) -> bytes:
        """The hash that the ledger keeps of the text; no questions, no member of that name."""
        members: dict[str, JsonValue] = {
            "title": self.title,
            "pointers": list(self.pointers),
            "reference": list(self.reference),
        }
        if self.predicates:
            members["predicates"] = [format_predicate(p) for p in self.predicates]
        return hashlib.sha256(_TAG + dump_canonical(members)).digest()


class SchemaTexts:
    """The texts that this node holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, uid: bytes, document_hash: bytes) -> SchemaText | None:
        """Return the text whose hash the ledger has for this schema; None if it is not here."""
        found = await self.find_many([(uid, document_hash)])
        return found.get(uid)

    async def find_many(self, wanted: list[tuple[bytes, bytes]]) -> dict[bytes, SchemaText]:
        """Return the texts of several schemas, given as uid and text hash, by uid."""
        hashes = dict(wanted)

        def load(connection: Connection) -> dict[bytes, SchemaText]:
            rows = connection.execute(select(SCHEMA_TEXTS).where(SCHEMA_TEXTS.c.uid.in_(hashes)))
            return {
                bytes(row.uid): _read(row)
                for row in rows
                if bytes(row.document_hash) == hashes[bytes(row.uid)]
            }

        return await self._database.read(load)

    async def find_predicates(self, uid: bytes, document_hash: bytes) -> tuple[Predicate, ...]:
        """Return the questions of a schema; none also where its text is not here."""
        text = await self.find(uid, document_hash)
        return () if text is None else text.predicates

    async def put(self, text: SchemaText, now_s: int) -> None:
        """Keep a text; the caller has compared it with the ledger."""
        await self._database.write(lambda connection: store_text(connection, text, now_s))


def store_text(connection: Connection, text: SchemaText, now_s: int) -> None:
    """Keep a text inside the caller's transaction; an equal one is kept once.

    The hash belongs to the key, because a registration may fail after its text was stored: another
    text of the same uid must not be shadowed by it.
    """
    key = (SCHEMA_TEXTS.c.uid == text.uid) & (SCHEMA_TEXTS.c.document_hash == text.document_hash)
    if connection.execute(select(SCHEMA_TEXTS.c.uid).where(key)).one_or_none() is not None:
        return
    connection.execute(
        insert(SCHEMA_TEXTS).values(
            uid=text.uid,
            document_hash=text.document_hash,
            title=text.title,
            pointers=json.dumps(text.pointers),
            reference=json.dumps(text.reference),
            stored_s=now_s,
            predicates=_write_predicates(text.predicates),
        )
    )


def _read(row: Row[tuple[object, ...]]) -> SchemaText:
    return SchemaText(
        uid=bytes(row.uid),
        title=row.title,
        pointers=tuple(json.loads(row.pointers)),
        reference=tuple(json.loads(row.reference)),
        predicates=tuple(read_predicate(value) for value in json.loads(row.predicates or "[]")),
    )


def _write_predicates(predicates: tuple[Predicate, ...]) -> str | None:
    if not predicates:
        return None
    return json.dumps([format_predicate(predicate) for predicate in predicates])
