"""Lists, filters and histories from the index.

Every list is ordered by position and cut by position (keyset paging), so that a page costs the same
wherever it begins and nothing is skipped or repeated while the chain grows.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, or_, select

from api.index.law_tables import LAW_LINKS, LAW_RECORDS, PERIOD_CHANGED, PERIOD_KIND
from api.index.tables import (
    ACCREDITATIONS,
    ATTESTATIONS,
    BATCHES,
    BLOCKS,
    CURSOR,
    EVENTS,
    LEAVES,
    LOGS_PER_BLOCK,
    SCHEMAS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is wanted."""

    limit: int
    after: int | None = None
    """Position of the last item of the page before; None for the first page."""

    @property
    def and_one(self) -> "Page":
        """This part and one item more, whose being there tells of a next page."""
        return Page(limit=self.limit + 1, after=self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Filters of attestations and batches; None does not filter."""

    issuer: bytes | None = None
    schema_uid: bytes | None = None
    state: int | None = None
    previous: bytes | None = None
    from_s: int | None = None
    """Block time not before."""
    until_s: int | None = None
    """Block time before."""


Rows = list[Row[Any]]

_END: Final = 2**62
"""After every position."""

_MOST_SUCCESSORS: Final = 100
"""More records than ever supersede one."""


def list_schemas(connection: Connection, page: Page, *, owner: bytes | None) -> Rows:
    """Return schemas, oldest first."""
    query = select(SCHEMAS)
    if owner is not None:
        query = query.where(SCHEMAS.c.owner == owner)
    return _cut(connection, query, SCHEMAS, page, newest_first=False)


def get_schema(connection: Connection, uid: bytes) -> Row[Any] | None:
    """Return one schema."""
    return connection.execute(select(SCHEMAS).where(SCHEMAS.c.uid == uid)).one_or_none()


def list_accreditations(connection: Connection, page: Page, *, schema_uid: bytes) -> Rows:
    """Return accreditations under a schema, oldest first, ended ones included."""
    query = select(ACCREDITATIONS).where(ACCREDITATIONS.c.schema_uid == schema_uid)
    return _cut(connection, query, ACCREDITATIONS, page, newest_first=False)


def get_accredited(connection: Connection, schema_uids: list[bytes]) -> dict[bytes, list[bytes]]:
    """Return the agencies accredited now, by schema."""
    rows = connection.execute(
        select(ACCREDITATIONS.c.schema_uid, ACCREDITATIONS.c.agency)
        .where(ACCREDITATIONS.c.schema_uid.in_(schema_uids), ACCREDITATIONS.c.until_block.is_(None))
        .order_by(ACCREDITATIONS.c.position)
    )
    found: dict[bytes, list[bytes]] = {uid: [] for uid in schema_uids}
    for row in rows:
        found[bytes(row.schema_uid)].append(bytes(row.agency))
    return found


def list_attestations(connection: Connection, page: Page, wanted: RecordFilter) -> Rows:
    """Return attestations, newest first."""
    query = _filter(connection, select(ATTESTATIONS), ATTESTATIONS, wanted)
    if wanted.previous is not None:
        # Asked before the rest: an engine that knows no statistics would begin with a filter that
        # most records pass. What supersedes a record is one other, or none.
        later = select(ATTESTATIONS.c.position).where(ATTESTATIONS.c.previous == wanted.previous)
        found = connection.execute(later.limit(_MOST_SUCCESSORS)).scalars()
        query = query.where(ATTESTATIONS.c.position.in_(list(found)))
    return _cut(connection, query, ATTESTATIONS, page, newest_first=True)


def get_attestation(connection: Connection, uid: bytes) -> Row[Any] | None:
    """Return one attestation."""
    return connection.execute(select(ATTESTATIONS).where(ATTESTATIONS.c.uid == uid)).one_or_none()


def list_batches(connection: Connection, page: Page, wanted: RecordFilter) -> Rows:
    """Return batches, newest first."""
    query = _filter(connection, select(BATCHES), BATCHES, wanted)
    return _cut(connection, query, BATCHES, page, newest_first=True)


def get_batch(connection: Connection, uid: bytes) -> Row[Any] | None:
    """Return one batch."""
    return connection.execute(select(BATCHES).where(BATCHES.c.uid == uid)).one_or_none()


def count_leaves(connection: Connection, uids: list[bytes]) -> dict[bytes, int]:
    """Return how many members ever changed state, by batch."""
    rows = connection.execute(
        select(LEAVES.c.batch, func.count())
        .where(LEAVES.c.batch.in_(uids))
        .group_by(LEAVES.c.batch)
    )
    return dict.fromkeys(uids, 0) | {bytes(batch): count for batch, count in rows}


def list_history(
    connection: Connection,
    page: Page,
    *,
    uid: bytes,
    kind: str | None = None,
    with_related: bool = False,
) -> Rows:
    """Return the events of one record, oldest first, with block hash and time.

    Records of different kinds may share a uid; `kind` leaves out the others' events. The events of
    a period stand with its exchange, under the period's number.

    `with_related` adds the events of other records that name this one, such as its successor's
    creation.
    """
    where = EVENTS.c.uid == uid
    if kind == PERIOD_KIND:
        where = _is_of_period(uid)
    elif kind is not None:
        where = and_(where, EVENTS.c.kind.startswith(f"{kind}.", autoescape=True))
    if with_related:
        where = or_(where, EVENTS.c.related == uid)
    query = (
        select(EVENTS, BLOCKS.c.hash.label("block_hash"), BLOCKS.c.time_s)
        .join(BLOCKS, BLOCKS.c.number == EVENTS.c.block)
        .where(where)
    )
    return _cut(connection, query, EVENTS, page, newest_first=False)


def _is_of_period(uid: bytes) -> ColumnElement[bool]:
    exchange = select(LAW_LINKS.c.target).where(
        LAW_LINKS.c.uid == uid, LAW_LINKS.c.kind == PERIOD_KIND, LAW_LINKS.c.role == "exchange"
    )
    number = select(LAW_RECORDS.c.place).where(
        LAW_RECORDS.c.uid == uid, LAW_RECORDS.c.kind == PERIOD_KIND
    )
    return and_(
        EVENTS.c.uid == exchange.scalar_subquery(),
        EVENTS.c.kind == PERIOD_CHANGED,
        EVENTS.c.place == number.scalar_subquery(),
    )


def get_block(connection: Connection) -> int:
    """Return the block that all of this rests on; -1 while the index is empty."""
    number = connection.execute(select(CURSOR.c.number)).scalar_one_or_none()
    return -1 if number is None else int(number)


def find_position(connection: Connection, time_s: int) -> int:
    """Return the position of the first block not before a time: times grow with positions."""
    number = connection.execute(
        select(BLOCKS.c.number)
        .where(BLOCKS.c.time_s >= time_s)
        .order_by(BLOCKS.c.time_s, BLOCKS.c.number)
        .limit(1)
    ).scalar_one_or_none()
    return _END if number is None else int(number) * LOGS_PER_BLOCK


def get_first_position(number: int) -> int:
    """Return the position of a block's first event."""
    return number * LOGS_PER_BLOCK


def _filter(
    connection: Connection, query: Select[Any], table: Table, wanted: RecordFilter
) -> Select[Any]:
    for column, value in (
        (table.c.issuer, wanted.issuer),
        (table.c.schema_uid, wanted.schema_uid),
        (table.c.state, wanted.state),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.from_s is not None:
        query = query.where(table.c.position >= find_position(connection, wanted.from_s))
    if wanted.until_s is not None:
        query = query.where(table.c.position < find_position(connection, wanted.until_s))
    return query


def _cut(
    connection: Connection, query: Select[Any], table: Table, page: Page, *, newest_first: bool
) -> Rows:
    position = table.c.position
    if page.after is not None:
        query = query.where(position < page.after if newest_first else position > page.after)
    query = query.order_by(position.desc() if newest_first else position).limit(page.limit)
    return list(connection.execute(query))
