"""Lists of the law's records, the graph between them, and the feed of all events.

A list filtered by something that a record names (a party, a dataset, a basis) is driven by the link
with the fewest records behind it and cut along its index; the other links are looked up beside it.
Only then are the records read, so that what is passed over costs an entry of an index and no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    exists,
    func,
    or_,
    select,
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
    record = LAW_RECORDS.c
    columns = {record.agency: wanted.agency, record.counterparty: wanted.counterparty}
    parties = [column == value for column, value in columns.items() if value is not None]
    part = _Part.of(connection, page, wanted)
    if not wanted.links:
        query = select(LAW_RECORDS).where(*_is_wanted(LAW_RECORDS, wanted), *parties)
        return list(connection.execute(part.cut(query, record.position)))
    links = _select_positions(connection, wanted, part)
    position = links.selected_columns.position
    if parties:
        links = links.join(LAW_RECORDS, record.position == position).where(*parties)
    found = connection.execute(part.cut(links, position)).scalars()
    query = select(LAW_RECORDS).where(record.position.in_(list(found)))
    return list(connection.execute(query.order_by(record.position.desc())))


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
        found = _find_positions(connection, page, wanted)
        query = query.where(EVENTS.c.position.in_(found))
    if page.after is not None:
        query = query.where(EVENTS.c.position > page.after)
    return list(connection.execute(query.order_by(EVENTS.c.position).limit(page.limit)))


def _concerns(agency: bytes) -> ColumnElement[bool]:
    joined = exists().where(
        EVENT_PARTIES.c.agency == agency, EVENT_PARTIES.c.position == EVENTS.c.position
    )
    return or_(EVENTS.c.agency == agency, joined)


def _find_positions(connection: Connection, page: Page, wanted: EventFilter) -> list[int]:
    """Return where the first events are, of each kind and by each way to the agency.

    So what is rare is not searched among all there is. Each is a question of its own: one question
    for all of them would be another statement for each number of kinds, and to write one anew takes
    longer than all the answers.
    """
    found: set[int] = set()
    for table in [EVENTS] if wanted.agency is None else [EVENTS, EVENT_PARTIES]:
        for kind in _spell_out(wanted.kinds) or (None,):
            query = select(table.c.position)
            if wanted.agency is not None:
                query = query.where(table.c.agency == wanted.agency)
            if kind is not None:
                query = query.where(table.c.kind == kind)
            if page.after is not None:
                query = query.where(table.c.position > page.after)
            first = query.order_by(table.c.position).limit(page.limit)
            found.update(connection.execute(first).scalars())
    return sorted(found)[: page.limit]


def _spell_out(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of events; the name of a kind of record stands for all of its events."""
    return tuple(kind for kind in EVENT_KINDS if kind in kinds or kind.partition(".")[0] in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The part of a list that is wanted, newest first."""

    limit: int
    first: int | None
    """Position not before."""
    end: int | None
    """Position before."""
    walks_beside: bool
    """Whether the engine may walk two indexes side by side."""

    @classmethod
    def of(cls, connection: Connection, page: Page, wanted: LawFilter) -> Self:
        """Return the part that a page and a period leave."""
        first = None if wanted.from_s is None else find_position(connection, wanted.from_s)
        end = None if wanted.until_s is None else find_position(connection, wanted.until_s)
        if page.after is not None:
            end = page.after if end is None else min(end, page.after)
        walks_beside = connection.dialect.name == "postgresql"
        return cls(limit=page.limit, first=first, end=end, walks_beside=walks_beside)

    def bound(self, position: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """Return the conditions for a position."""
        conditions = [] if self.first is None else [position >= self.first]
        return conditions if self.end is None else [*conditions, position < self.end]

    def bound_beside(self, position: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """Return the conditions for a position that is compared with one that has its own.

        PostgreSQL may walk both indexes side by side, and that two positions are equal tells it
        nothing of where to begin in the second. SQLite looks each position up, and these conditions
        would make it walk from the first on instead.
        """
        return self.bound(position) if self.walks_beside else []

    def cut(self, query: Select[Any], position: ColumnElement[int]) -> Select[Any]:
        """Return a query's part."""
        return query.where(*self.bound(position)).order_by(position.desc()).limit(self.limit)


def _select_positions(connection: Connection, wanted: LawFilter, part: _Part) -> Select[Any]:
    """Return a query for the positions of the records with all wanted links.

    A record's links all stand at its position, so one index leads to them and compares them.
    """
    first, *others = _sort_by_records(connection, wanted)
    driving = LAW_LINKS.alias("driving")
    query = select(driving.c.position).where(*_is_wanted_link(driving, first, wanted))
    for role in others:
        further = LAW_LINKS.alias(f"further_{role}")
        same = [*_is_wanted_link(further, role, wanted), further.c.position == driving.c.position]
        query = query.where(exists().where(*same, *part.bound_beside(further.c.position)))
    return query


def _is_wanted(table: FromClause, wanted: LawFilter) -> list[ColumnElement[bool]]:
    """Return the conditions for what records and links both have."""
    conditions = [table.c.kind == wanted.kind]
    if wanted.subkind is not None:
        conditions.append(table.c.subkind == wanted.subkind)
    if wanted.state is not None:
        conditions.append(table.c.state == wanted.state)
    return conditions


def _is_wanted_link(link: FromClause, role: str, wanted: LawFilter) -> list[ColumnElement[bool]]:
    named = [link.c.target == wanted.links[role], link.c.role == role]
    return [*named, *_is_wanted(link, wanted)]


def _sort_by_records(connection: Connection, wanted: LawFilter) -> list[str]:
    """Return the roles of the wanted links, that with the fewest records first."""
    if len(wanted.links) < 2:
        return list(wanted.links)

    def count(role: str) -> ScalarSelect[int]:
        behind = select(LAW_LINKS.c.position).where(*_is_wanted_link(LAW_LINKS, role, wanted))
        counted = select(func.count()).select_from(behind.limit(_MANY).subquery())
        return counted.scalar_subquery()

    counts = connection.execute(select(*map(count, wanted.links))).one()
    by_role = dict(zip(wanted.links, counts, strict=True))
    return sorted(by_role, key=by_role.__getitem__)
