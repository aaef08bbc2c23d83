"""Due times that come near or are over, for all who must act: `GET /v1/alerts`.

Open are requests that nobody has decided and withdrawals that a recipient has not answered. At 80 %
of the time an alert says that it is short, at 100 % that it is over. The share is counted over the
whole time between record and due time; who fixed the due time may reckon in working days.

Pages follow each other in the order of the due times, and a cursor names the last record of a page.
What is decided between two pages is missing from the second and moves nothing.
"""

from typing import Any, Final

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Row, case, or_, select, tuple_

from api.deadlines.alerts import spread_alerts
from api.errors import InvalidField
from api.index import queries
from api.index.law_tables import LAW_RECORDS
from api.index.queries import Page, Rows
from api.reading.models import EXAMPLE_OTHER_PARTY, EXAMPLE_PARTY, Party, view_agency
from api.reading.named import AGENCY, Named, check_named
from api.rest.call import Call, Reply
from api.rest.cursors import encode_cursor
from api.rest.values import EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid, encode_hex, parse_time

LEVELS: Final = (80, 100)
"""Percentages of the time at which an alert begins."""


class AlertView(Model):
    """A due time that comes near or is over."""

    kind: str = Field(
        description="`decision` of a request, or `withdrawal_answer`.", examples=["decision"]
    )
    uid: Uid = Field(description="The exchange or consent.", examples=[EXAMPLE_UID])
    level: int = Field(description="80 or 100, percent of the time.", examples=[80])
    over: bool = Field(description="Whether the time is over.", examples=[False])
    waits_for: Party = Field(description="Who has to act.", examples=[EXAMPLE_OTHER_PARTY])
    waits: Party = Field(description="Who waits.", examples=[EXAMPLE_PARTY])
    began: Time = Field(description="Since when.", examples=[EXAMPLE_TIME])
    due: Time = Field(description="Until when.", examples=[EXAMPLE_TIME])


class AlertList(Model):
    """Alerts, those due first."""

    items: list[AlertView] = Field(description="The alerts.")
    next: str | None = Field(
        description="Cursor of the next page; null on the last.", examples=["AAAAAAAAAAE"]
    )
    indexed_block: int = Field(description="Block that this rests on.", examples=[1201])


async def list_alerts(call: Call) -> Reply:
    """List what is at 80 or 100 percent of its time."""
    now_s, page, party = int(call.services.now()), call.get_page(), call.find_party("agency")

    def load(connection: Connection) -> AlertList:
        found = list_due(connection, page.and_one, now_s=now_s, party=party)
        rows = found[: page.limit]
        return AlertList(
            items=[_view_alert(row, now_s) for row in rows],
            next=_build_cursor(connection, rows[-1]) if len(found) > page.limit else None,
            indexed_block=queries.get_block(connection),
        )

    alerts = await call.services.index.read(load)
    if not alerts.items and party is not None:
        await check_named(call.services, [Named(parameter="agency", kind=AGENCY, id=party)])
    return Reply(model=alerts)


def list_due(connection: Connection, page: Page, *, now_s: int, party: bytes | None) -> Rows:
    """Return the open due times whose first alert has come, those due first.

    Raises `InvalidField` for a cursor that is the position of nothing with a due time.
    """
    record = LAW_RECORDS.c
    began_s = case((record.kind == "exchange", record.time_s), else_=record.ended_s)
    left_s, whole_s = record.open_due_s - now_s, record.open_due_s - began_s
    # All of it stands in the index of open due times; the records themselves are not read.
    query = select(
        record.kind,
        record.uid,
        record.agency,
        record.counterparty,
        began_s.label("began_s"),
        record.due_s,
    ).where(record.open_due_s.is_not(None), left_s * 100 <= whole_s * (100 - LEVELS[0]))
    if party is not None:
        query = query.where(or_(record.agency == party, record.counterparty == party))
    if page.after is not None:
        query = query.where(*_follow(connection, page.after))
    ordered = query.order_by(record.open_due_s, record.uid, record.kind)
    return list(connection.execute(ordered.limit(page.limit)))


def _follow(connection: Connection, position: int) -> list[ColumnElement[bool]]:
    """Return the conditions for what comes after the record at a position."""
    record = LAW_RECORDS.c
    last = connection.execute(
        select(record.due_s, record.uid, record.kind).where(record.position == position)
    ).one_or_none()
    if last is None or last.due_s is None:
        raise InvalidField("cursor", "this is no cursor of a page of alerts")
    # Compared as one row: an `or` would lead PostgreSQL to read the records themselves.
    place = tuple_(record.open_due_s, record.uid, record.kind)
    return [record.open_due_s >= last.due_s, place > (last.due_s, last.uid, last.kind)]


def _build_cursor(connection: Connection, row: Row[Any]) -> str | None:
    record = LAW_RECORDS.c
    position = select(record.position).where(record.uid == row.uid, record.kind == row.kind)
    return encode_cursor(connection.execute(position).scalar_one())


def _view_alert(row: Row[Any], now_s: int) -> AlertView:
    is_decision = row.kind == "exchange"
    reached = [one for one in spread_alerts(row.began_s, row.due_s, LEVELS) if one.at_s <= now_s]
    level = reached[-1].percent
    requester, provider = view_agency(row.agency), view_agency(row.counterparty)
    return AlertView(
        kind="decision" if is_decision else "withdrawal_answer",
        uid=encode_hex(bytes(row.uid)),
        level=level,
        over=level == LEVELS[-1],
        # An exchange's counterparty is its provider, a consent's its recipient; both must act.
        waits_for=provider,
        waits=requester,
        began=parse_time(row.began_s),
        due=parse_time(row.due_s),
    )
