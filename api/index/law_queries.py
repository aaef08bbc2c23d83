"""Lists of the law's records, the graph between them, and the feed of all events.

A list filtered by something that a record names (a party, a dataset, a basis) is driven by the link
with the fewest records behind it and cut along its index; the other links are looked up record by
record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    union_all,
)

from api.index.events import EVENT_KINDS
from api.index.law_tables import EVENT_PARTIES, LAW_LINKS, LAW_RECORDS
from api.index.queries import Page, find_position
from api.index.tables import BLOCKS, EVENTS

Rows = list[Row[Any]]

_MANY: Final = 2_000
"""Links of a target that are counted at most; targets with more are alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawFilter:
    """Which records of one kind are wanted; None and no link do not filter."""

    kind: str
    links: Mapping[str, bytes] = field(default_factory=dict)
    """Role of a link by its target; `party` finds the records of an agency on either side."""
    agency: bytes | None = None
    """Owner, requester, or consent's provider."""
    counterparty: bytes | None = None
    state: int | None = None
    subkind: int | None = None
    from_s: int | None = None
    """Block time not before."""
    until_s: int | None = None
    """Block time before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted."""

    kinds: tuple[str, ...] = ()
    """Kinds such as `consent.withdrawn`, or of a kind of record, `consent`; none for all."""
    uid: bytes | None = None
    agency: bytes | None = None
    """Only events of records that this agency is a party to, or that it did."""


def list_law_records(connection: Connection, page: Page, wanted: LawFilter) -> Rows:
    """Return records of one kind, newest first."""
    query = select(LAW_RECORDS).where(LAW_RECORDS.c.kind == wanted.kind)
    roles = _sort_by_records(connection, wanted)
    position = LAW_RECORDS.c.position
    for place, role in enumerate(roles):
        target = wanted.links[role]
        if place == 0:
            link = LAW_LINKS.alias("driving")
            position = link.c.position
            query = query.join(link, link.c.uid == LAW_RECORDS.c.uid).where(
                link.c.target == target, link.c.role == role, link.c.kind == wanted.kind
            )
            if wanted.state is not None:
                query = query.where(link.c.state == wanted.state)
        else:
            query = query.where(_is_linked(role, target))
    for column, value in (
        (LAW_RECORDS.c.agency, wanted.agency),
        (LAW_RECORDS.c.counterparty, wanted.counterparty),
        (LAW_RECORDS.c.state, wanted.state),
        (LAW_RECORDS.c.subkind, wanted.subkind),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.from_s is not None:
        query = query.where(position >= find_position(connection, wanted.from_s))
    if wanted.until_s is not None:
        query = query.where(position < find_position(connection, wanted.until_s))
    if page.after is not None:
        query = query.where(position < page.after)
    return list(connection.execute(query.order_by(position.desc()).limit(page.limit)))


def get_law_record(
    connection: Connection, uid: bytes, *, kind: str | None = None
) -> Row[Any] | None:
    """Return one record of a kind; of any kind, the first that took the uid."""
    query = select(LAW_RECORDS).where(LAW_RECORDS.c.uid == uid)
    if kind is not None:
        query = query.where(LAW_RECORDS.c.kind == kind)
    return connection.execute(query.order_by(LAW_RECORDS.c.position).limit(1)).one_or_none()


def get_law_records(
    connection: Connection, uids: Sequence[bytes], *, kinds: Sequence[str] = ()
) -> dict[bytes, Row[Any]]:
    """Return the records that there are among these, by uid: the first that took it, of `kinds`."""
    query = select(LAW_RECORDS).where(LAW_RECORDS.c.uid.in_(uids))
    if kinds:
        query = query.where(LAW_RECORDS.c.kind.in_(kinds))
    # Later rows are overwritten by earlier ones.
    rows = connection.execute(query.order_by(LAW_RECORDS.c.position.desc()))
    return {bytes(row.uid): row for row in rows}


def list_links(connection: Connection, uid: bytes, *, kind: str) -> tuple[tuple[str, bytes], ...]:
    """Return what a record names, as pairs of role and target."""
    rows = connection.execute(
        select(LAW_LINKS.c.role, LAW_LINKS.c.target)
        .where(LAW_LINKS.c.uid == uid, LAW_LINKS.c.kind == kind)
        .order_by(LAW_LINKS.c.role, LAW_LINKS.c.target)
    )
    return tuple((row.role, bytes(row.target)) for row in rows)


def list_linking(
    connection: Connection, target: bytes, *, role: str | None = None, limit: int = 500
) -> tuple[tuple[str, str, bytes], ...]:
    """Return the records that name `target`, newest first, as role, kind and uid."""
    query = select(LAW_LINKS).where(LAW_LINKS.c.target == target)
    if role is not None:
        query = query.where(LAW_LINKS.c.role == role)
    rows = connection.execute(query.order_by(LAW_LINKS.c.position.desc()).limit(limit))
    return tuple((row.role, row.kind, bytes(row.uid)) for row in rows)


def list_events(connection: Connection, page: Page, wanted: EventFilter) -> Rows:
    """Return events of the whole ledger after a position, oldest first, with block and time."""
    query: Select[Any] = select(EVENTS, BLOCKS.c.hash.label("block_hash"), BLOCKS.c.time_s).join(
        BLOCKS, BLOCKS.c.number == EVENTS.c.block
    )
    if wanted.uid is not None:
        query = query.where(EVENTS.c.uid == wanted.uid)
        if wanted.kinds:
            query = query.where(EVENTS.c.kind.in_(_spell_out(wanted.kinds)))
        if wanted.agency is not None:
            query = query.where(_concerns(wanted.agency))
    elif wanted.kinds or wanted.agency is not None:
        query = query.where(EVENTS.c.position.in_(_find_positions(wanted, page)))
    if page.after is not None:
        query = query.where(EVENTS.c.position > page.after)
    return list(connection.execute(query.order_by(EVENTS.c.position).limit(page.limit)))


def _concerns(agency: bytes) -> ColumnElement[bool]:
    joined = exists().where(
        EVENT_PARTIES.c.agency == agency, EVENT_PARTIES.c.position == EVENTS.c.position
    )
    return or_(EVENTS.c.agency == agency, joined)


def _find_positions(wanted: EventFilter, page: Page) -> Select[Any]:
    """Return where the first events are, of each kind and by each way to the agency.

    So what is rare is not searched among all there is.
    """
    tables = [EVENTS] if wanted.agency is None else [EVENTS, EVENT_PARTIES]
    parts = []
    for table in tables:
        for kind in _spell_out(wanted.kinds) or (None,):
            part = select(table.c.position)
            if wanted.agency is not None:
                part = part.where(table.c.agency == wanted.agency)
            if kind is not None:
                part = part.where(table.c.kind == kind)
            if page.after is not None:
                part = part.where(table.c.position > page.after)
            first = part.order_by(table.c.position).limit(page.limit).subquery()
            parts.append(select(first.c.position))
    return select(union_all(*parts).subquery().c.position)


def _spell_out(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of events; the name of a kind of record stands for all of its events."""
    return tuple(kind for kind in EVENT_KINDS if kind in kinds or kind.partition(".")[0] in kinds)


def _sort_by_records(connection: Connection, wanted: LawFilter) -> list[str]:
    """Return the roles of the wanted links, that with the fewest records first."""
    if len(wanted.links) < 2:
        return list(wanted.links)

    def count(role: str) -> int:
        behind = select(LAW_LINKS.c.position).where(
            LAW_LINKS.c.target == wanted.links[role],
            LAW_LINKS.c.role == role,
            LAW_LINKS.c.kind == wanted.kind,
        )
        if wanted.state is not None:
            behind = behind.where(LAW_LINKS.c.state == wanted.state)
        counted = select(func.count()).select_from(behind.limit(_MANY).subquery())
        return connection.execute(counted).scalar_one()

    return sorted(wanted.links, key=count)


def _is_linked(role: str, target: bytes) -> Any:
    return exists().where(
        and_(
            LAW_LINKS.c.uid == LAW_RECORDS.c.uid,
            LAW_LINKS.c.kind == LAW_RECORDS.c.kind,
            LAW_LINKS.c.role == role,
            LAW_LINKS.c.target == target,
        )
    )
