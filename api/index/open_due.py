"""Due times for which somebody still has to act, found among all those that are over.

A request is open until it is decided, a withdrawal until the consent's recipient has answered it.
"""

from typing import Any

from sqlalchemy import Connection, update

from api.index.law_tables import LAW_RECORDS
from api.index.placed_event import PlacedEvent


def get_open_due(event: PlacedEvent, state: int | None) -> dict[str, Any]:
    """Return what an event makes of its record's open due time; empty if it changes nothing."""
    if event.name == "ConsentWithdrawn":
        return {"open_due_s": event.args["due"] or None}
    if event.name == "ExchangeChanged" and state is not None:
        return {"open_due_s": None}
    return {}


def close_answered(connection: Connection, event: PlacedEvent) -> None:
    """Close a withdrawal that the recipient of the consent itself has answered."""
    if event.name == "WithdrawalAnswered":
        connection.execute(
            update(LAW_RECORDS)
            .where(
                LAW_RECORDS.c.uid == event.args["uid"],
                LAW_RECORDS.c.kind == "consent",
                LAW_RECORDS.c.counterparty == event.args["recipient"],
            )
            .values(open_due_s=None)
        )
