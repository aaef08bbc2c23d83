"""One of several processes on the same databases: `outbox, vault, folder, name, count, uids`.

It says when it is ready, waits for a line so that all begin at once, and writes what it got as
JSON: the nonces of its promises, the numbers that it counted, which names it was first to take, and
for each of its credentials how many had claimed the same certificate before.
"""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak
from sqlalchemy import Column, Connection, Integer, String, Table, func, insert, select

from api.databases import Database, open_database
from api.outbox import store
from api.outbox.account import SignedTransaction
from api.outbox.tables import METADATA
from api.vault.vault import Vault
from tests.unit.vault.vault_kit import Kit

ACCOUNT = Address(bytes([3]) * 20)
COUNTER = Table("counter", METADATA, Column("id", Integer, primary_key=True))
TAKEN = Table(
    "taken",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(40), nullable=False),
    Column("taker", String(40), nullable=False),
)
"""Deliberately without a unique constraint: only the order of writers keeps names apart."""


def count_on(connection: Connection) -> int:
    """Read, decide, write: the greatest number so far and one more."""
    number = connection.execute(select(func.max(COUNTER.c.id))).scalar_one() or 0
    connection.execute(insert(COUNTER).values(id=number + 1))
    return int(number) + 1


def take(connection: Connection, name: str, taker: str) -> bool:
    """Take a name that nobody has; what is not there cannot be locked."""
    known = connection.execute(select(TAKEN.c.id).where(TAKEN.c.name == name)).first()
    if known is None:
        connection.execute(insert(TAKEN).values(name=name, taker=taker))
    return known is None


def promise(connection: Connection, name: str, number: int) -> int:
    """Promise a write of the one account that all processes sign with."""

    def sign(nonce: int) -> SignedTransaction:
        raw = f"{name} {number} {nonce}".encode()
        return SignedTransaction(raw=raw, hash=Hash32(keccak(raw)))

    request = store.WriteRequest(
        idempotency_key=f"{name}-{number}",
        body_fingerprint=bytes(32),
        kind="schema.create",
        uid=keccak(f"{name} {number}".encode()),
        account=ACCOUNT,
        target=ACCOUNT,
        data=b"",
        record="/v1/schemas/0x00",
    )
    return store.add_operation(connection, request, first_nonce=5, now_s=1, sign=sign).nonce


async def claim_all(vault: Vault, uids: list[bytes]) -> list[int]:
    """Claim each credential's certificate; return how many others had claimed it."""
    return [len((await vault.claim(uid, 1)).rivals) for uid in uids]


async def work(database: Database, name: str, count: int) -> dict[str, Any]:
    """Do everything `count` times, a handful at a time, so that groups form."""
    found: dict[str, list[Any]] = {"nonces": [], "numbers": [], "taken": []}
    for start in range(0, count, 4):
        turn = range(start, start + 4)
        found["nonces"] += await asyncio.gather(
            *(database.write(partial(promise, name=name, number=number)) for number in turn)
        )
        found["numbers"] += await asyncio.gather(*(database.write(count_on) for _ in turn))
        firsts = await asyncio.gather(
            *(database.write(partial(take, name=f"name {number}", taker=name)) for number in turn)
        )
        found["taken"] += [number for number, first in zip(turn, firsts, strict=True) if first]
    return found


def main() -> None:
    """Open, wait for the others, work, tell."""
    outbox_address, vault_address, folder, name, count, uids = sys.argv[1:]
    database = open_database(outbox_address, METADATA, name="outbox")
    kit = Kit(url=vault_address, folder=Path(folder))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    claims = asyncio.run(claim_all(kit.vault, [bytes.fromhex(uid) for uid in uids.split(",")]))
    found = asyncio.run(work(database, name, int(count))) | {"claims": claims}
    kit.close()
    database.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
