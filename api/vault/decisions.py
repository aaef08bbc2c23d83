"""Decisions on records, beside the keys as well: orders to erase, and restrictions to storage.

The database is where they are looked up, and a database may come back older than it was. So each is
on the erasure list too before anybody is told that it stands, and opening or restoring a vault
enters what the database lacks. An order comes back without its caller and without the erasure of a
person that it was part of: the list never forgets, so it is not told who did it and for whom.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, insert, select

from api.vault.erasure_journal import Decision, ErasureList, Ordered, Restricted
from api.vault.keyring import Keyring
from api.vault.tables import ERASURE_ORDERS, MEMBERS, RESTRICTIONS

CALLER: Final = "erasure list"
"""Who ordered what came back from the list, as far as the database knows."""

_CHUNK: Final = 500

Item = TypeVar("Item")


def note_decisions(keyring: Keyring, decisions: Iterable[Decision]) -> None:
    """Put on the erasure list what it lacks; durable on return.

    Call it without holding the folder. Raises `KeyFolderFault`; then the list may have them all the
    same, and the next opening carries them out.
    """
    lacking = _leave_out_known(keyring.erasures, decisions)
    if lacking:
        with keyring.folder.locked():
            _append(keyring, lacking)


def enter_decisions(connection: Connection, erasures: ErasureList) -> int:
    """Enter into the database what it lacks of the list's decisions; returns how many."""
    restrictions: Iterator[dict[str, Any]] = (
        {
            "uid": uid,
            "cause": entry.cause,
            "basis": entry.basis,
            "legal_reference": entry.legal_reference,
            "restricted_s": entry.restricted_s,
            "until_s": entry.until_s,
        }
        for uid, entry in erasures.list_restricted().items()
    )
    orders: Iterator[dict[str, Any]] = (
        {
            "uid": uid,
            "reason": entry.reason,
            "caller": CALLER,
            "ordered_s": entry.ordered_s,
            "attempt": 0,
        }
        for uid, entry in erasures.ordered.items()
    )
    entered = 0
    for chunk in _chunks(restrictions):
        entered += _insert_lacking(connection, RESTRICTIONS, chunk)
    for chunk in _chunks(orders):
        entered += _insert_lacking(connection, ERASURE_ORDERS, _locate(connection, chunk))
    return entered


def level_decisions(keyring: Keyring) -> int:
    """Bring database and list to the same decisions; returns how many the database lacked.

    What only the database has was decided by an earlier version, or a process died on the way. Call
    it with the folder held. Raises `KeyFolderFault`.
    """
    entered = keyring.database.write_now(lambda c: enter_decisions(c, keyring.erasures))
    found = keyring.database.read_now(_read_decisions)
    lacking = _leave_out_known(keyring.erasures, found)
    if lacking:
        _append(keyring, lacking)
    return entered


def _append(keyring: Keyring, decisions: Sequence[Decision]) -> None:
    keyring.folder.append(*decisions)
    for decision in decisions:
        keyring.erasures.add(decision)


def _leave_out_known(erasures: ErasureList, decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions for those uids only for which the list has no such decision."""
    lacking: list[Decision] = []
    for decision in decisions:
        if isinstance(decision, Ordered):
            uids = [uid for uid in decision.uids if uid not in erasures.ordered]
        else:
            uids = [uid for uid in decision.uids if erasures.find_restricted(uid) is None]
        if uids:
            lacking.append(replace(decision, uids=tuple(uids)))
    return lacking


def _read_decisions(connection: Connection) -> list[Decision]:
    """Return the database's restrictions and the orders that are not carried out."""
    found: list[Decision] = [
        Restricted(
            uids=(bytes(row.uid),),
            cause=row.cause,
            basis=None if row.basis is None else bytes(row.basis),
            legal_reference=row.legal_reference,
            restricted_s=row.restricted_s,
            until_s=row.until_s,
        )
        for row in connection.execute(select(RESTRICTIONS).order_by(RESTRICTIONS.c.uid))
    ]
    query = select(ERASURE_ORDERS).where(ERASURE_ORDERS.c.finished_s.is_(None))
    for row in connection.execute(query.order_by(ERASURE_ORDERS.c.uid)):
        uids = (bytes(row.uid),)
        found.append(Ordered(uids=uids, reason=row.reason, ordered_s=row.ordered_s))
    return found


def _insert_lacking(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    query = select(table.c.uid).where(table.c.uid.in_([row["uid"] for row in rows]))
    known = {bytes(uid) for uid in connection.execute(query).scalars()}
    lacking = [row for row in rows if row["uid"] not in known]
    if lacking:
        connection.execute(insert(table), lacking)
    return len(lacking)


def _locate(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return orders with the places of their records in batches."""
    query = select(MEMBERS).where(MEMBERS.c.uid.in_([row["uid"] for row in rows]))
    places = {bytes(member.uid): member for member in connection.execute(query)}
    located = []
    for row in rows:
        member = places.get(row["uid"])
        batch, place = (None, None) if member is None else (bytes(member.batch), member.place)
        located.append(row | {"batch": batch, "place": place})
    return located


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
