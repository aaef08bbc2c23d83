"""Acts that wait for a signature made elsewhere.

An agency may keep its keys on a device of its own. The API prepares the act, the device signs it as
EIP-712 typed data, and whoever may send hands it in; the signer stays the author. What was prepared
is kept until its deadline, so that texts and the record's path need not be sent again.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import Address
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from api.databases import Database
from api.outbox.tables import METADATA
from api.texts.text import PublicText, TextKind

MAX_NONCE: Final = 2**53 - 1
"""Nonces are random; below 2^53 every JSON reader keeps them whole."""

KEPT_S: Final = 30 * 86_400
"""What was prepared is dropped so long after its deadline."""

PREPARED_ACTS = Table(
    "prepared_acts",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("act", String(40), nullable=False),
    Column("uid", LargeBinary(32), nullable=False),
    Column("contract", String(40), nullable=False),
    Column("call", LargeBinary, nullable=False),
    Column("signer", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("deadline_s", BigInteger, nullable=False, index=True),
    Column("event_time_s", BigInteger, nullable=False),
    Column("record", String(200), nullable=False),
    Column("claim", String(120)),
    Column("gas", BigInteger, nullable=False),
    Column("unopened", Boolean, nullable=False),
    Column("texts", Text, nullable=False),
    Column("created_s", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAct:
    """A prepared act as it is kept."""

    id: str
    act: str
    uid: bytes
    contract: str
    call: bytes
    """The contract's call data, which the signer signs."""
    signer: Address
    nonce: int
    deadline_s: int
    event_time_s: int
    record: str
    claim: str | None
    gas: int
    unopened: bool
    """True for a bare commitment that this node has not seen opened."""
    texts: tuple[PublicText, ...]
    created_s: int


class PreparedActs:
    """The prepared acts in this node's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, prepared: StoredAct) -> None:
        """Keep a prepared act, and drop those that are long past."""

        def store(connection: Connection) -> None:
            outdated = PREPARED_ACTS.c.deadline_s < prepared.created_s - KEPT_S
            connection.execute(delete(PREPARED_ACTS).where(outdated))
            connection.execute(insert(PREPARED_ACTS).values(**_write(prepared)))

        await self._database.write(store)

    async def find(self, reference: str) -> StoredAct | None:
        """Return a prepared act by id; None if it is not here."""
        return await self._database.read(lambda connection: _find(connection, reference))

    async def has_call(self, contract: str, call: bytes) -> bool:
        """Tell whether this node has prepared a call, for any signer, with nothing unopened."""
        query = select(PREPARED_ACTS.c.id).where(
            PREPARED_ACTS.c.contract == contract,
            PREPARED_ACTS.c.call == call,
            PREPARED_ACTS.c.unopened.is_(False),
        )
        return await self._database.read(
            lambda connection: connection.execute(query.limit(1)).first() is not None
        )


def make_id() -> str:
    """Return a new random id."""
    return "pa-" + secrets.token_hex(12)


def _find(connection: Connection, reference: str) -> StoredAct | None:
    query = select(PREPARED_ACTS).where(PREPARED_ACTS.c.id == reference)
    row = connection.execute(query).one_or_none()
    return None if row is None else _read(row)


def _write(prepared: StoredAct) -> dict[str, Any]:
    texts = [
        {"kind": text.kind.value, "language": text.language, "body": dict(text.body)}
        for text in prepared.texts
    ]
    return {
        "id": prepared.id,
        "act": prepared.act,
        "uid": prepared.uid,
        "contract": prepared.contract,
        "call": prepared.call,
        "signer": prepared.signer,
        "nonce": prepared.nonce,
        "deadline_s": prepared.deadline_s,
        "event_time_s": prepared.event_time_s,
        "record": prepared.record,
        "claim": prepared.claim,
        "gas": prepared.gas,
        "unopened": prepared.unopened,
        "texts": json.dumps(texts, ensure_ascii=False),
        "created_s": prepared.created_s,
    }


def _read(row: Row[Any]) -> StoredAct:
    texts = tuple(
        PublicText(kind=TextKind(text["kind"]), language=text["language"], body=text["body"])
        for text in json.loads(row.texts)
    )
    return StoredAct(
        id=row.id,
        act=row.act,
        uid=bytes(row.uid),
        contract=row.contract,
        call=bytes(row.call),
        signer=Address(bytes(row.signer)),
        nonce=row.nonce,
        deadline_s=row.deadline_s,
        event_time_s=row.event_time_s,
        record=row.record,
        claim=row.claim,
        gas=row.gas,
        unopened=row.unopened,
        texts=texts,
        created_s=row.created_s,
    )
