"""Due times that come near or are over, for all who must act: `GET /v1/alerts`.

Open are requests that nobody has decided and withdrawals that a recipient has not answered. At 80 %
of the time an alert says that it is short, at 100 % that it is over. The share is counted over the
whole time between record and due time; who fixed the due time may reckon in working days.
"""

from typing import Any, Final

from pydantic import Field
from sqlalchemy import Connection, Row, Select, case, or_, select

from api.deadlines.alerts import spread_alerts
from api.index import queries
from api.index.law_tables import LAW_RECORDS
from api.reading.handlers import find_party
from api.reading.models import EXAMPLE_OTHER_PARTY, EXAMPLE_PARTY, Party, view_agency
from api.reading.named import AGENCY, Named, check_named
from api.rest.call import Call, Reply
from api.rest.values import EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid, encode_hex, parse_time

LEVELS: Final = (80, 100)
"""Percentages of the time at which an alert begins."""

MAX_OPEN: Final = 500
"""Most alerts in one answer, those due first."""


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
    indexed_block: int = Field(description="Block that this rests on.", examples=[1201])


async def list_alerts(call: Call) -> Reply:
    """List what is at 80 or 100 percent of its time."""
    now_s, party = int(call.services.now()), find_party(call, "agency")

    def load(connection: Connection) -> tuple[list[AlertView], int]:
        return list_open_alerts(connection, now_s, party), queries.get_block(connection)

    items, block = await call.services.index.read(load)
    if not items and party is not None:
        await check_named(call.services, [Named(parameter="agency", kind=AGENCY, id=party)])
    return Reply(model=AlertList(items=items, indexed_block=block))


def list_open_alerts(connection: Connection, now_s: int, party: bytes | None) -> list[AlertView]:
    """Return the alerts that hold at a time."""
    found = []
    for row in connection.execute(_select_open(now_s, party)):
        reached = [
            one for one in spread_alerts(row.began_s, row.due_s, LEVELS) if one.at_s <= now_s
        ]
        if reached:
            found.append(_view_alert(row, reached[-1].percent))
    return found


def _select_open(now_s: int, party: bytes | None) -> Select[Any]:
    """Return a query for open due times whose first alert has come, those due first."""
    record = LAW_RECORDS.c
    began_s = case((record.kind == "exchange", record.time_s), else_=record.ended_s)
    left_s, whole_s = record.open_due_s - now_s, record.open_due_s - began_s
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
    return query.order_by(record.open_due_s).limit(MAX_OPEN)


def _view_alert(row: Row[Any], level: int) -> AlertView:
    is_decision = row.kind == "exchange"
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
