"""Who signed an act, and who handed it in, where these are two.

The account that sends a transaction is the author of its acts, but in two cases. A resident's own
key signs a consent or a withdrawal, which anybody may hand in. And an agency that keeps its keys
elsewhere lets another account carry what it signed; the contract then says so in `Relayed`, after
the act's own events.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, select, update

from api.index.law_tables import LAW_RECORDS
from api.index.placed_event import PlacedEvent
from api.index.tables import EVENTS, LOGS_PER_BLOCK

RELAYED: Final = "Relayed"
"""The event that goes with every act which another account carried."""


def is_residents(event: PlacedEvent) -> bool:
    """Tell whether a resident's own key is the author of an event."""
    match event.name:
        case "ConsentGiven":
            return any(event.args["origin"]["holder"])
        case "ConsentWithdrawn":
            return not any(event.args["agency"])
    return False


def read_authors(connection: Connection, event: PlacedEvent) -> dict[str, Any]:
    """Return the columns `key` and `submitter` of an event's line of history."""
    if not is_residents(event):
        return {"key": event.args.get("key"), "submitter": None}
    return {"key": _find_holder(connection, event.args), "submitter": event.submitter}


def note_relay(connection: Connection, event: PlacedEvent) -> None:
    """Write to the events of a relayed act who carried it."""
    first = event.block * LOGS_PER_BLOCK
    connection.execute(
        update(EVENTS)
        .where(
            EVENTS.c.position >= first,
            EVENTS.c.position < event.position,
            EVENTS.c.transaction_hash == event.transaction_hash,
            EVENTS.c.key == event.args["signer"],
            EVENTS.c.submitter.is_(None),
        )
        .values(submitter=event.args["submitter"])
    )


def _find_holder(connection: Connection, args: Mapping[str, Any]) -> bytes | None:
    """Return the resident's key, which the consent names when it is given."""
    origin = args.get("origin")
    if origin is not None:
        return bytes(origin["holder"])
    terms = connection.execute(
        select(LAW_RECORDS.c.terms).where(
            LAW_RECORDS.c.uid == args["uid"], LAW_RECORDS.c.kind == "consent"
        )
    ).scalar_one_or_none()
    return None if terms is None else bytes.fromhex(json.loads(terms)["origin"]["holder"][2:])
