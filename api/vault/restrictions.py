"""Storage only: what is kept because a law asks for it, and read for nothing else.

Where a person asks for erasure and a law demands that a record be kept, or where consent was
withdrawn and the agency declared that it retains the data, processing stops and only storage goes
on (Personal Information Protection Law, article 47). A record that is restricted opens for one
purpose: the legal basis that was cited, by its uid, or the word `retained` where the law that asks
for it is not on the ledger. Each such opening is recorded like any other. The restriction ends with
the record: its row goes in the transaction that erases it.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from api.access.purposes import PURPOSE_HEADER, RETAINED
from api.errors import UserFault
from api.vault.erasure_journal import Decision, Restricted
from api.vault.tables import RESTRICTIONS
from api.vault.witness import Witness

_CHUNK: Final = 500


class RestrictionCause(StrEnum):
    """Why a record is kept for storage only."""

    REQUEST = "request"
    """The person asked for erasure, and a law asks to keep it."""
    WITHDRAWAL = "withdrawal"
    """The consent was withdrawn, and the agency declared that it retains the data."""
    TERM = "term"
    """A class of retention says so after its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One record that is kept for storage only."""

    uid: bytes
    cause: RestrictionCause
    basis: bytes | None
    """The legal basis on the ledger under which it is kept."""
    legal_reference: str | None
    """The law in words, where a class of retention cites it."""
    restricted_s: int
    until_s: int | None
    """When it is erased; None: when a class of retention says so."""

    @property
    def purpose(self) -> str:
        """The only purpose for which it opens."""
        return RETAINED if self.basis is None else "0x" + self.basis.hex()


class RecordRestricted(UserFault):
    """A record is kept for storage only, and was to be opened for something else."""

    status = 403

    def __init__(self, restriction: Restriction) -> None:
        end = "" if restriction.until_s is None else f" until {_write(restriction.until_s)}"
        super().__init__(
            f"this record is kept for storage only{end}",
            code="record_restricted",
            field=PURPOSE_HEADER,
            next_step=(
                f"send {PURPOSE_HEADER}: {restriction.purpose} if it is for that; for anything else"
                " it stays closed"
            ),
            extra={"record": "0x" + restriction.uid.hex(), "cause": restriction.cause.value},
        )
        self.restriction = restriction


def find_restrictions(connection: Connection, uids: Iterable[bytes]) -> dict[bytes, Restriction]:
    """Return which of these records are restricted, by uid."""
    wanted = list(dict.fromkeys(uids))
    found: dict[bytes, Restriction] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        query = select(RESTRICTIONS).where(RESTRICTIONS.c.uid.in_(chunk))
        found |= {bytes(row.uid): _read(row) for row in connection.execute(query)}
    return found


def check_purpose(witness: Witness, restriction: Restriction | None) -> None:
    """Raise `RecordRestricted` for what is restricted, unless it is opened for its one purpose."""
    if restriction is not None and not witness.is_for(restriction.purpose):
        raise RecordRestricted(restriction)


def list_restrictions(connection: Connection) -> list[Restriction]:
    """Return all restrictions, those that end first at the front."""
    query = select(RESTRICTIONS).order_by(RESTRICTIONS.c.until_s, RESTRICTIONS.c.uid)
    return [_read(row) for row in connection.execute(query)]


def put_restrictions(connection: Connection, restrictions: Iterable[Restriction]) -> int:
    """Restrict records that are not restricted yet; returns how many."""
    wanted = {one.uid: one for one in restrictions}
    known = find_restrictions(connection, wanted)
    rows = [
        {
            "uid": one.uid,
            "cause": one.cause.value,
            "basis": one.basis,
            "legal_reference": one.legal_reference,
            "restricted_s": one.restricted_s,
            "until_s": one.until_s,
        }
        for uid, one in wanted.items()
        if uid not in known
    ]
    if rows:
        connection.execute(insert(RESTRICTIONS), rows)
    return len(rows)


def build_decisions(restrictions: Iterable[Restriction]) -> list[Decision]:
    """Return restrictions as the erasure list has them: all that are alike together."""
    found: dict[Restriction, list[bytes]] = {}
    for one in restrictions:
        found.setdefault(replace(one, uid=b""), []).append(one.uid)
    return [
        Restricted(
            uids=tuple(sorted(uids)),
            cause=alike.cause.value,
            basis=alike.basis,
            legal_reference=alike.legal_reference,
            restricted_s=alike.restricted_s,
            until_s=alike.until_s,
        )
        for alike, uids in found.items()
    ]


def _read(row: Row[Any]) -> Restriction:
    return Restriction(
        uid=bytes(row.uid),
        cause=RestrictionCause(row.cause),
        basis=None if row.basis is None else bytes(row.basis),
        legal_reference=row.legal_reference,
        restricted_s=row.restricted_s,
        until_s=row.until_s,
    )


def _write(moment_s: int) -> str:
    return f"{dt.datetime.fromtimestamp(moment_s, dt.UTC):%Y-%m-%d}"
